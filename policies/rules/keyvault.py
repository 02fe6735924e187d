"""Key vaults."""

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
from policies.rules.checks import alike, must_be, not_public, show
from policies.values import known

VAULT: Final = "keyvault:Vault"
_DOCS = "https://learn.microsoft.com/azure/key-vault/general/"


def _made(check: Check) -> Check:
    """A check for vaults that are made: one that is recovered keeps what it had."""

    def checked(resource: Resource, settings: Settings, graph: Graph) -> Outcome:
        if alike(resource.get("properties.createMode"), "recover"):
            raise NotApplicableError("the vault is recovered and keeps its settings")
        yield from check(resource, settings, graph)

    return checked


def _firewall(resource: Resource, _settings: Settings, _graph: Graph) -> Outcome:
    if alike(resource.get("properties.publicNetworkAccess"), "Disabled"):
        raise NotApplicableError("publicNetworkAccess is 'Disabled', so no rule of the firewall lets anybody in")
    path = "properties.networkAcls.defaultAction"
    action = resource.get(path)
    if not alike(action, "Deny"):
        yield Problem(f"{path} is {show(action)}, it must be 'Deny'", path)


def _rotation(resource: Resource, _settings: Settings, _graph: Graph) -> Outcome:
    path = "properties.rotationPolicy.lifetimeActions"
    actions = known(resource.get(path), path)
    rotates = (one.get("action") for one in (actions if isinstance(actions, list) else ()) if isinstance(one, dict))
    if not any(isinstance(one, dict) and alike(one.get("type"), "rotate") for one in rotates):
        yield Problem(f"{path} has no action of the type 'rotate'", path)


RULES = (
    ResourceRule(
        name="keyvault-vault-require-purge-protection",
        title="A deleted key vault cannot be purged before its retention ends.",
        kinds=(VAULT,),
        check=_made(must_be("properties.enablePurgeProtection", True)),
        severity=Severity.HIGH,
        level=Level.ADVISORY,
        counterparts=(
            Counterpart("Azure Policy", "0b60c0b2-2dc2-4e1c-b5c9-abbed971de53", "Theirs asks for soft delete, too."),
            Counterpart("PSRule", "AZR-000125"),
            Counterpart("checkov", "CKV_AZURE_110"),
            *controls("DP-8"),
        ),
        url=f"{_DOCS}key-vault-recovery",
        remediation="Set enablePurgeProtection to true; it can never be taken back.",
        applies="Vaults that are not being recovered.",
    ),
    ResourceRule(
        name="keyvault-vault-require-soft-delete",
        title="A deleted key vault can be recovered.",
        kinds=(VAULT,),
        check=_made(must_be("properties.enableSoftDelete", True, absent_is=True)),
        severity=Severity.HIGH,
        counterparts=(
            Counterpart(
                "Azure Policy",
                "1e66c121-a66a-4b1f-9b83-0fd99bf0fc2d",
                "Theirs wants it written; Azure takes an absent value for true.",
            ),
            Counterpart("PSRule", "AZR-000124"),
            Counterpart("checkov", "CKV_AZURE_111"),
            *controls("DP-8"),
        ),
        url=f"{_DOCS}soft-delete-overview",
        remediation="Set enableSoftDelete to true, or leave it out.",
        applies="Vaults that are not being recovered.",
    ),
    ResourceRule(
        name="keyvault-vault-require-rbac",
        title="A key vault's access goes by roles, not by access policies.",
        kinds=(VAULT,),
        check=_made(must_be("properties.enableRbacAuthorization", True)),
        severity=Severity.MEDIUM,
        counterparts=(
            Counterpart("Azure Policy", "12d4fa5e-1f9f-4c21-97a9-b99b3c6611b5"),
            Counterpart("PSRule", "AZR-000388"),
            *controls("PA-7"),
        ),
        url=f"{_DOCS}rbac-guide",
        remediation="Set enableRbacAuthorization to true and give roles.",
        applies="Vaults that are not being recovered.",
    ),
    ResourceRule(
        name="keyvault-vault-deny-by-default",
        title="A key vault's firewall lets in only what is listed.",
        kinds=(VAULT,),
        check=_made(_firewall),
        severity=Severity.HIGH,
        level=Level.DISABLED,
        counterparts=(
            Counterpart("Azure Policy", "55615ac9-af46-4a59-874e-391cc3dfb490"),
            Counterpart("PSRule", "AZR-000355"),
            Counterpart("checkov", "CKV_AZURE_109", "Theirs asks for it beside publicNetworkAccess 'Disabled', too."),
            *controls("NS-2"),
        ),
        url=f"{_DOCS}network-security",
        remediation="Set networkAcls.defaultAction to Deny, or publicNetworkAccess to Disabled.",
        applies="Vaults whose public network access is not disabled.",
    ),
    ResourceRule(
        name="keyvault-vault-disable-public-access",
        title="Key vaults cannot be reached from the internet.",
        kinds=(VAULT,),
        check=_made(not_public("properties.publicNetworkAccess")),
        severity=Severity.HIGH,
        level=Level.DISABLED,
        counterparts=(
            Counterpart("Azure Policy", "405c5871-3e91-4644-8a63-58e19d68ff5b"),
            Counterpart("checkov", "CKV_AZURE_189", "Theirs lets a public vault with a list of addresses pass."),
            *controls("NS-2"),
        ),
        url=f"{_DOCS}private-link-service",
        remediation="Set publicNetworkAccess to Disabled and give the vault a private endpoint.",
        applies="Vaults that are not being recovered.",
    ),
    ResourceRule(
        name="keyvault-key-require-rotation",
        title="Keys are replaced on a schedule.",
        kinds=("keyvault:Key",),
        check=_rotation,
        severity=Severity.LOW,
        level=Level.ADVISORY,
        counterparts=(
            Counterpart("Azure Policy", "d8cf8476-a2ec-4916-896e-992351803c44", "Theirs limits the days, too."),
            Counterpart("PSRule", "AZR-000123"),
            *controls("DP-6"),
        ),
        url="https://learn.microsoft.com/azure/key-vault/keys/how-to-configure-key-rotation",
        remediation="Set rotationPolicy with a lifetime action of the type rotate.",
        applies="Keys that the program makes in a vault.",
    ),
)
