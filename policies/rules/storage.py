"""Storage accounts."""

from typing import Final

from policies.baseline import controls
from policies.model import Counterpart, Level, NotApplicableError, Outcome, Problem, ResourceRule, Settings, Severity
from policies.resources import Graph, Resource
from policies.rules.checks import alike, must_be, not_public, show

STORAGE: Final = "storage:StorageAccount"
_DOCS = "https://learn.microsoft.com/azure/storage/"


def _tls(resource: Resource, _settings: Settings, _graph: Graph) -> Outcome:
    version = resource.get("minimumTlsVersion")
    if version not in ("TLS1_2", "TLS1_3"):
        yield Problem(f"minimumTlsVersion is {show(version)}, it must be 'TLS1_2' or newer", "minimumTlsVersion")


def _default_deny(resource: Resource, settings: Settings, graph: Graph) -> Outcome:
    if alike(resource.get("publicNetworkAccess"), "Disabled"):
        raise NotApplicableError("publicNetworkAccess is 'Disabled', so no rule of the firewall lets anybody in")
    yield from must_be("networkRuleSet.defaultAction", "Deny")(resource, settings, graph)


RULES = (
    ResourceRule(
        name="storage-account-require-https",
        title="Storage accounts take HTTPS only.",
        kinds=(STORAGE,),
        check=must_be("enableHttpsTrafficOnly", True, absent_is=True),
        severity=Severity.HIGH,
        counterparts=(
            Counterpart("Azure Policy", "404c3081-a854-4457-ae30-26a93ef643f9"),
            Counterpart("PSRule", "AZR-000196"),
            Counterpart("checkov", "CKV_AZURE_3"),
            *controls("DP-3"),
        ),
        url=f"{_DOCS}common/storage-require-secure-transfer",
        remediation="Set enableHttpsTrafficOnly to true, or leave it out.",
        applies="All storage accounts. Absent passes: Azure's default is true since 2019-04-01.",
    ),
    ResourceRule(
        name="storage-account-require-tls12",
        title="Storage accounts take TLS 1.2 or newer only.",
        kinds=(STORAGE,),
        check=_tls,
        severity=Severity.HIGH,
        counterparts=(
            Counterpart(
                "Azure Policy",
                "fe83a0eb-a853-422d-aac2-1bffd182c5d0",
                "Theirs asks for exactly the configured version.",
            ),
            Counterpart("PSRule", "AZR-000200"),
            Counterpart("checkov", "CKV_AZURE_44", "Theirs refuses TLS 1.3."),
            *controls("DP-3"),
        ),
        url=f"{_DOCS}common/transport-layer-security-configure-minimum-version",
        remediation="Set minimumTlsVersion to TLS1_2.",
        applies="All storage accounts.",
    ),
    ResourceRule(
        name="storage-account-disable-public-blobs",
        title="No blob of a storage account can be made public.",
        kinds=(STORAGE,),
        check=must_be("allowBlobPublicAccess", False),
        severity=Severity.HIGH,
        counterparts=(
            Counterpart("Azure Policy", "4fa4b6c0-31ca-4c0d-b10d-24b96f62a751"),
            Counterpart("PSRule", "AZR-000198", "Theirs is not for accounts of kind FileStorage."),
            Counterpart("checkov", "CKV_AZURE_190"),
            *controls("NS-2"),
        ),
        url=f"{_DOCS}blobs/anonymous-read-access-prevent",
        remediation="Set allowBlobPublicAccess to false.",
        applies="All storage accounts.",
    ),
    ResourceRule(
        name="storage-account-disable-public-access",
        title="Storage accounts cannot be reached from the internet.",
        kinds=(STORAGE,),
        check=not_public("publicNetworkAccess"),
        severity=Severity.HIGH,
        level=Level.DISABLED,
        counterparts=(
            Counterpart(
                "checkov", "CKV_AZURE_59", "Theirs lets an absent publicNetworkAccess pass; Azure takes it for Enabled."
            ),
            *controls("NS-2"),
        ),
        url=f"{_DOCS}common/storage-network-security",
        remediation="Set publicNetworkAccess to Disabled and give the account private endpoints.",
        applies="All storage accounts.",
    ),
    ResourceRule(
        name="storage-account-disable-shared-key",
        title="Storage accounts take no account keys.",
        kinds=(STORAGE,),
        check=must_be("allowSharedKeyAccess", False),
        severity=Severity.MEDIUM,
        level=Level.ADVISORY,
        counterparts=(
            Counterpart("Azure Policy", "8c6a50c6-9ffd-4ae7-986f-5fa6111f9a54"),
            Counterpart("checkov", "CKV2_AZURE_40"),
            *controls("IM-1"),
        ),
        url=f"{_DOCS}common/shared-key-authorization-prevent",
        remediation="Set allowSharedKeyAccess to false and give people and identities roles on the data.",
        applies="All storage accounts.",
    ),
    ResourceRule(
        name="storage-account-deny-by-default",
        title="A storage account's firewall lets in only what is listed.",
        kinds=(STORAGE,),
        check=_default_deny,
        severity=Severity.HIGH,
        level=Level.DISABLED,
        counterparts=(
            Counterpart("PSRule", "AZR-000202"),
            Counterpart("checkov", "CKV_AZURE_35", "Theirs asks for it beside publicNetworkAccess 'Disabled', too."),
            *controls("NS-2"),
        ),
        url=f"{_DOCS}common/storage-network-security",
        remediation="Set networkRuleSet.defaultAction to Deny, or publicNetworkAccess to Disabled.",
        applies="Storage accounts whose public network access is not disabled.",
    ),
)
