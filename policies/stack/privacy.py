"""Whether what is private is private all the way."""

from typing import Any, Final

from policies.baseline import controls
from policies.links import leading_to, missing, open_lead, target, undecided
from policies.model import (
    Counterpart,
    Level,
    NotApplicableError,
    Outcome,
    Problem,
    Settings,
    Severity,
    StackRule,
    Undecided,
)
from policies.resources import Graph, Resource
from policies.rules.checks import alike, closed, show
from policies.rules.containerregistry import REGISTRY
from policies.rules.keyvault import VAULT
from policies.rules.storage import STORAGE
from policies.rules.workspace import WORKSPACE
from policies.values import Unknown, UnknownValueError, known

ENDPOINT: Final = "network:PrivateEndpoint"
_CONNECTIONS: Final = ("privateLinkServiceConnections", "manualPrivateLinkServiceConnections")
_DEPENDENCIES: Final = {"storageAccount": STORAGE, "keyVault": VAULT, "containerRegistry": REGISTRY}
_DOCS = "https://learn.microsoft.com/azure/machine-learning/"


def _private_endpoint(graph: Graph, _settings: Settings) -> Outcome:
    workspaces = [one for one in graph.of(WORKSPACE) if not alike(one.inputs.get("kind"), "Project")]
    if not workspaces:
        raise NotApplicableError("the stack has no workspace")
    for workspace in workspaces:
        found = [one for key in _CONNECTIONS for one in leading_to(graph, ENDPOINT, key, workspace)]
        try:
            if any(_is_for(one, "amlworkspace") for one in found):
                continue
            if open_ := open_lead(graph, ENDPOINT, *_CONNECTIONS):
                raise open_
        except UnknownValueError as error:
            yield Undecided(error.path, str(error), workspace)
            continue
        message = "no private endpoint of this program leads to the workspace (group id amlworkspace)"
        yield from missing(graph, Problem(message, resource=workspace))


def _is_for(endpoint: Resource, group: str) -> bool:
    """Whether an endpoint is for a part of a resource.

    Raises:
        UnknownValueError: If that is not known.
    """
    groups: list[Any] = []
    for key in _CONNECTIONS:
        connections = endpoint.get(key)
        for index, connection in enumerate(connections if isinstance(connections, list) else ()):
            path = f"{key}[{index}]"
            if isinstance(connection, Unknown):
                raise UnknownValueError(path, connection.kind)
            groups += known(connection.get("groupIds"), f"{path}.groupIds") or []
    return any(alike(one, group) for one in groups)


def _dependencies(graph: Graph, _settings: Settings) -> Outcome:
    unknown: list[UnknownValueError] = []
    private = []
    for workspace in graph.of(WORKSPACE):
        try:
            private += [workspace] if alike(workspace.get("publicNetworkAccess"), "Disabled") else []
        except UnknownValueError as error:
            unknown.append(error)
    yield from undecided(unknown, "the public access")
    if not private and not unknown:
        raise NotApplicableError("the stack has no private workspace")
    for workspace in private:
        for key, kind in _DEPENDENCIES.items():
            yield from _closed(graph, workspace, key, kind)


def _closed(graph: Graph, workspace: Resource, key: str, kind: str) -> Outcome:
    try:
        found = target(workspace, key, graph, kind)
        if found is None:
            if workspace.get(key):
                yield Undecided(
                    key, f"{key} is not in this program: whether it is closed cannot be told here", workspace
                )
            return
        path = "properties.publicNetworkAccess" if kind == VAULT else "publicNetworkAccess"
        access = found.get(path)
        if closed(access):
            return
        action = found.get("properties.networkAcls.defaultAction" if kind == VAULT else "networkRuleSet.defaultAction")
    except UnknownValueError as error:
        yield Undecided(error.path, str(error), workspace)
        return
    if not alike(action, "Deny"):
        yield Problem(f"{path} is {show(access)}, but the private workspace {workspace.name} uses it", path, found)


def _impact(graph: Graph, _settings: Settings) -> Outcome:
    marked = [one for one in graph.of(WORKSPACE) if one.inputs.get("hbiWorkspace") is not None]
    if not marked:
        raise NotApplicableError("the stack has no workspace of high business impact")
    for workspace in marked:
        try:
            if workspace.get("hbiWorkspace") in (None, False):
                continue
            account = target(workspace, "storageAccount", graph, STORAGE)
            if account is None:
                message = "storageAccount is not in this program: whether it is private cannot be told here"
                yield Undecided("storageAccount", message, workspace)
                continue
            access = account.get("publicNetworkAccess")
            if not closed(access):
                message = (
                    f"publicNetworkAccess is {show(access)}; it keeps data of {workspace.name}, which has hbiWorkspace"
                )
                yield Problem(message, "publicNetworkAccess", account)
        except UnknownValueError as error:
            yield Undecided(error.path, str(error), workspace)


RULES = (
    StackRule(
        name="machinelearning-workspace-require-private-endpoint",
        title="Workspaces are reached by a private endpoint.",
        check=_private_endpoint,
        severity=Severity.HIGH,
        level=Level.DISABLED,
        counterparts=(
            Counterpart("Azure Policy", "45e05259-1eb5-4f70-9574-baf73e9d219b", "Theirs sees endpoints of anybody."),
            Counterpart("checkov", "CKV_AZURE_243", "Theirs looks for an outbound rule of the managed network."),
            *controls("NS-2"),
        ),
        url=f"{_DOCS}how-to-configure-private-link",
        remediation="Create a private endpoint for the workspace, with both of its DNS zones.",
        applies="Workspaces and hubs of the program.",
    ),
    StackRule(
        name="machinelearning-workspace-close-dependencies",
        title="What a private workspace depends on is private, too.",
        check=_dependencies,
        severity=Severity.HIGH,
        counterparts=controls("NS-2"),
        source="Microsoft: secure the workspace's associated resources along with it.",
        url=f"{_DOCS}how-to-secure-workspace-vnet",
        remediation="Set publicNetworkAccess of the dependency to Disabled, or let its firewall deny by default.",
        applies="Storage account, vault and registry of workspaces with publicNetworkAccess Disabled.",
    ),
    StackRule(
        name="machinelearning-workspace-close-hbi-storage",
        title="The storage account of a workspace of high business impact is private.",
        check=_impact,
        severity=Severity.HIGH,
        counterparts=(Counterpart("checkov", "CKV2_AZURE_50"), *controls("NS-2")),
        url=f"{_DOCS}concept-data-encryption",
        remediation="Set publicNetworkAccess of the storage account to Disabled.",
        applies="Workspaces with hbiWorkspace.",
    ),
)
