"""Container registries."""

from typing import Final

from policies.baseline import controls
from policies.model import Counterpart, Level, NotApplicableError, Outcome, ResourceRule, Settings, Severity
from policies.resources import Graph, Resource
from policies.rules.checks import alike, must_be

REGISTRY: Final = "containerregistry:Registry"
_DOCS = "https://learn.microsoft.com/azure/container-registry/"


def _anonymous(resource: Resource, settings: Settings, graph: Graph) -> Outcome:
    if alike(resource.get("sku.name"), "Basic"):
        raise NotApplicableError("a registry of the tier Basic has no anonymous pull")
    yield from must_be("anonymousPullEnabled", False, absent_is=False)(resource, settings, graph)


RULES = (
    ResourceRule(
        name="containerregistry-registry-disable-admin-user",
        title="Container registries have no admin account.",
        kinds=(REGISTRY,),
        check=must_be("adminUserEnabled", False, absent_is=False),
        severity=Severity.HIGH,
        counterparts=(
            Counterpart("Azure Policy", "dc921057-6b28-4fbe-9b83-f7bec05db6c2"),
            Counterpart("PSRule", "AZR-000005"),
            Counterpart("checkov", "CKV_AZURE_137"),
            *controls("IM-1", "PA-1"),
        ),
        url=f"{_DOCS}container-registry-authentication#admin-account",
        remediation="Set adminUserEnabled to false, or leave it out.",
        applies="All container registries.",
    ),
    ResourceRule(
        name="containerregistry-registry-disable-anonymous-pull",
        title="Nobody pulls images without signing in.",
        kinds=(REGISTRY,),
        check=_anonymous,
        severity=Severity.HIGH,
        counterparts=(
            Counterpart("Azure Policy", "9f2dea28-e834-476c-99c5-3507b4728395", "Theirs is for every tier."),
            Counterpart("PSRule", "AZR-000401"),
            Counterpart("checkov", "CKV_AZURE_138"),
            *controls("IM-1"),
        ),
        url=f"{_DOCS}anonymous-pull-access",
        remediation="Set anonymousPullEnabled to false, or leave it out.",
        applies="Container registries of the tiers Standard and Premium.",
    ),
    ResourceRule(
        name="containerregistry-registry-disable-public-access",
        title="Container registries cannot be reached from the internet.",
        kinds=(REGISTRY,),
        check=must_be("publicNetworkAccess", "Disabled"),
        severity=Severity.HIGH,
        level=Level.DISABLED,
        counterparts=(
            Counterpart("Azure Policy", "0fdf0491-d080-4575-b627-ad0e843cba0f"),
            Counterpart(
                "PSRule", "AZR-000402", "Theirs is for Premium, where a firewall that denies by default is enough."
            ),
            Counterpart("checkov", "CKV_AZURE_139"),
            *controls("NS-2"),
        ),
        url=f"{_DOCS}container-registry-private-link",
        remediation="Set publicNetworkAccess to Disabled (tier Premium) and give the registry a private endpoint.",
        applies="All container registries.",
    ),
)
