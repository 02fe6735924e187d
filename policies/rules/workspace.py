"""Workspaces, registries and datastores of Azure Machine Learning."""

from typing import Final

from policies.baseline import controls
from policies.model import (
    Check,
    Counterpart,
    Level,
    NotApplicableError,
    Outcome,
    Problem,
    ResourceRule,
    Settings,
    Severity,
)
from policies.resources import Graph, Resource
from policies.rules.checks import alike, must_be, present, show

WORKSPACE: Final = "machinelearningservices:Workspace"
_DOCS = "https://learn.microsoft.com/azure/machine-learning/"


def managed_network(workspace: Resource) -> bool:
    """Whether the workspace's compute runs in a network that Azure ML manages."""
    mode = workspace.get("managedNetwork.isolationMode")
    return isinstance(mode, str) and not alike(mode, "Disabled")


def _not_a_project(check: Check) -> Check:
    """A check that leaves out projects, which have network and encryption from their hub."""

    def checked(resource: Resource, settings: Settings, graph: Graph) -> Outcome:
        if alike(resource.get("kind"), "Project"):
            raise NotApplicableError("a project has this from its hub")
        yield from check(resource, settings, graph)

    return checked


def _approved_outbound(resource: Resource, _settings: Settings, _graph: Graph) -> Outcome:
    path = "managedNetwork.isolationMode"
    mode = resource.get(path)
    if mode is None or alike(mode, "Disabled"):
        raise NotApplicableError("the workspace has no managed network; its own network's rules say what goes out")
    if not alike(mode, "AllowOnlyApprovedOutbound"):
        yield Problem(f"{path} is {show(mode)}, it must be 'AllowOnlyApprovedOutbound'", path)


def _user_identity(resource: Resource, settings: Settings, graph: Graph) -> Outcome:
    kind = resource.get("identity.type")
    if not isinstance(kind, str) or "userassigned" not in kind.casefold().replace(" ", ""):
        yield Problem(f"identity.type is {show(kind)}, it must be 'UserAssigned'", "identity.type")
    else:
        yield from present("primaryUserAssignedIdentity", "managedidentity:UserAssignedIdentity")(
            resource, settings, graph
        )


def _registry_access(resource: Resource, settings: Settings, graph: Graph) -> Outcome:
    older = "registryProperties.publicNetworkAccess"  # where azure-native 2 has it
    path = older if resource.get(older) is not None else "publicNetworkAccess"
    yield from must_be(path, "Disabled")(resource, settings, graph)


RULES = (
    ResourceRule(
        name="machinelearning-workspace-disable-public-access",
        title="Workspaces cannot be reached from the internet.",
        kinds=(WORKSPACE,),
        check=_not_a_project(must_be("publicNetworkAccess", "Disabled")),
        severity=Severity.HIGH,
        level=Level.ADVISORY,
        counterparts=(
            Counterpart("Azure Policy", "438c38d2-3772-465a-a9cc-7a6666a275ce"),
            Counterpart(
                "PSRule", "AZR-000406", "Theirs fails for allowPublicAccessWhenBehindVnet, too: a rule of its own here."
            ),
            Counterpart("checkov", "CKV_AZURE_144"),
            Counterpart(
                "checkov",
                "CKV2_AZURE_49",
                "Theirs lets an absent publicNetworkAccess pass; Azure takes it for Enabled.",
            ),
            *controls("NS-2"),
        ),
        url=f"{_DOCS}how-to-configure-private-link",
        remediation="Set publicNetworkAccess to Disabled and give the workspace a private endpoint.",
        applies="Workspaces and hubs; projects have their hub's.",
    ),
    ResourceRule(
        name="machinelearning-workspace-refuse-public-access-behind-vnet",
        title="A private workspace has no second, public way in.",
        kinds=(WORKSPACE,),
        check=must_be("allowPublicAccessWhenBehindVnet", False, absent_is=False),
        severity=Severity.HIGH,
        counterparts=(
            Counterpart("Azure Landing Zones", "Deny-MachineLearning-PublicAccessWhenBehindVnet"),
            Counterpart("PSRule", "AZR-000406", "A part of theirs."),
            *controls("NS-2"),
        ),
        url=f"{_DOCS}how-to-configure-private-link#enable-public-access",
        remediation="Leave allowPublicAccessWhenBehindVnet out.",
        applies="Workspaces.",
    ),
    ResourceRule(
        name="machinelearning-workspace-require-approved-outbound",
        title="A managed network lets out only what is approved.",
        kinds=(WORKSPACE,),
        check=_approved_outbound,
        severity=Severity.MEDIUM,
        level=Level.ADVISORY,
        counterparts=(
            Counterpart(
                "Azure Policy",
                "6ddb1705-c8cf-450e-aa4b-19ad6703c440",
                "Theirs also fails for a workspace without a managed network.",
            ),
            *controls("NS-1", "DP-2"),
        ),
        url=f"{_DOCS}how-to-managed-network",
        remediation="Set managedNetwork.isolationMode to AllowOnlyApprovedOutbound.",
        applies="Workspaces with a managed network.",
    ),
    ResourceRule(
        name="machinelearning-workspace-require-customer-key",
        title="Workspaces are encrypted with a key of the customer's own.",
        kinds=(WORKSPACE,),
        check=_not_a_project(must_be("encryption.status", "Enabled")),
        severity=Severity.MEDIUM,
        level=Level.DISABLED,
        counterparts=(Counterpart("Azure Policy", "ba769a63-b8cc-4b2d-abf6-ac33c7204be8"), *controls("DP-5")),
        url=f"{_DOCS}how-to-setup-customer-managed-keys",
        remediation="Create the workspace with encryption; it cannot be added later.",
        applies="Workspaces and hubs; projects have their hub's key.",
    ),
    ResourceRule(
        name="machinelearning-workspace-require-user-identity",
        title="Workspaces have a user-assigned identity.",
        kinds=(WORKSPACE,),
        check=_not_a_project(_user_identity),
        severity=Severity.MEDIUM,
        level=Level.ADVISORY,
        counterparts=(
            Counterpart(
                "Azure Policy", "5f0c7d88-c7de-45b8-ac49-db49e72eaa78", "Theirs asks for the primary identity only."
            ),
            Counterpart("PSRule", "AZR-000407", "Theirs refuses a system-assigned identity beside it."),
            *controls("IM-3"),
        ),
        url=f"{_DOCS}how-to-identity-based-service-authentication",
        remediation="Give the workspace a user-assigned identity and name it in primaryUserAssignedIdentity.",
        applies="Workspaces and hubs.",
    ),
    ResourceRule(
        name="machinelearning-workspace-refuse-v1-legacy-mode",
        title="No workspace is in the v1 legacy mode.",
        kinds=(WORKSPACE,),
        check=must_be("v1LegacyMode", False, absent_is=False),
        severity=Severity.MEDIUM,
        counterparts=(
            Counterpart(
                "Azure Policy",
                "e413671a-dd10-4cc1-a943-45b598596cb7",
                "Theirs wants the mode on; it keeps the v2 API out, which this platform uses.",
            ),
        ),
        url=f"{_DOCS}how-to-configure-network-isolation-with-v2",
        remediation="Set v1LegacyMode to false, or leave it out.",
        applies="Workspaces.",
    ),
    ResourceRule(
        name="machinelearning-workspace-require-identity-datastores",
        title="A workspace reaches its own storage by identity, not by account key.",
        kinds=(WORKSPACE,),
        check=_not_a_project(must_be("systemDatastoresAuthMode", "Identity")),
        severity=Severity.MEDIUM,
        level=Level.ADVISORY,
        counterparts=controls("IM-3"),
        url=f"{_DOCS}how-to-disable-local-auth-storage",
        remediation="Set systemDatastoresAuthMode to Identity.",
        applies="Workspaces and hubs.",
    ),
    ResourceRule(
        name="machinelearning-workspace-require-high-business-impact",
        title="Workspaces are marked as of high business impact.",
        kinds=(WORKSPACE,),
        check=_not_a_project(must_be("hbiWorkspace", True)),
        severity=Severity.LOW,
        level=Level.DISABLED,
        counterparts=(Counterpart("Azure Landing Zones", "Deny-MachineLearning-HbiWorkspace"),),
        url=f"{_DOCS}concept-data-encryption",
        remediation="Create the workspace with hbiWorkspace; it cannot be changed later.",
        applies="Workspaces and hubs.",
    ),
    ResourceRule(
        name="machinelearning-registry-disable-public-access",
        title="Azure ML registries cannot be reached from the internet.",
        kinds=("machinelearningservices:Registry",),
        check=_registry_access,
        severity=Severity.HIGH,
        level=Level.ADVISORY,
        counterparts=controls("NS-2"),
        url=f"{_DOCS}how-to-registry-network-isolation",
        remediation="Set publicNetworkAccess to Disabled and give the registry private endpoints.",
        applies="Azure ML registries.",
    ),
)
