"""An oracle that nobody here wrote: what checkov says of the resources in its own tests, beside what the pack says.

Facts: the properties and verdicts of checkov's test fixtures at commit 03d5fda (bridgecrewio/checkov, tests/arm and
tests/terraform, 2026-08), told in Azure's own words and reduced to what its check reads. A resource is Azure's JSON.
The stand-ins' table of types turns it into azure-native's inputs, which the process that Pulumi starts judges.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from sandbox.providers.convert import imported_inputs
from sandbox.providers.resources import describe
from tests.policies.analyzer import Analyzer, running
from tests.policies.platform import Item, Platform, everything

GROUP = "/subscriptions/8b41ca0c-0c5a-4c01-b49b-5bb8d329cc27/resourceGroups/g/providers"
STORE = ("storage:StorageAccount", f"{GROUP}/Microsoft.Storage/storageAccounts/one")
VAULT = ("keyvault:Vault", f"{GROUP}/Microsoft.KeyVault/vaults/one-vault")
REGISTRY = ("containerregistry:Registry", f"{GROUP}/Microsoft.ContainerRegistry/registries/images")
WORKSPACE = ("machinelearningservices:Workspace", f"{GROUP}/Microsoft.MachineLearningServices/workspaces/one-ws")
COMPUTE = ("machinelearningservices:Compute", f"{WORKSPACE[1]}/computes/cpu")
ROLE = (
    "authorization:RoleDefinition",
    "/subscriptions/8b41ca0c-0c5a-4c01-b49b-5bb8d329cc27/providers/Microsoft.Authorization/roleDefinitions/"
    "5f4e1b52-9a1c-4c65-8f0e-0d6f2d0c7a10",
)


@dataclass(frozen=True)
class Fact:
    """One of checkov's resources.

    Attributes:
        check: Its check.
        rule: Our rule.
        type: Type and id.
        body: What it reads of the resource, as Azure's JSON.
        passes: What it says.
        why_not: Why we say something else; empty where we agree.
    """

    check: str
    rule: str
    type: tuple[str, str]
    body: dict[str, Any]
    passes: bool
    why_not: str = ""
    sku: dict[str, Any] = field(default_factory=dict)


def _fact(check: str, rule: str, type_: tuple[str, str], passes: bool, why_not: str = "", /, **body: Any) -> Fact:
    sku = body.pop("sku", None)
    return Fact(check, rule, type_, body, passes, why_not, {"name": sku} if sku else {})


HTTPS, TLS = "storage-account-require-https", "storage-account-require-tls12"
ACCESS, DENY = "storage-account-disable-public-access", "storage-account-deny-by-default"
PURGE, SOFT = "keyvault-vault-require-purge-protection", "keyvault-vault-require-soft-delete"
FIREWALL, CLOSED = "keyvault-vault-deny-by-default", "keyvault-vault-disable-public-access"
ADMIN, PULL = "containerregistry-registry-disable-admin-user", "containerregistry-registry-disable-anonymous-pull"
PUBLIC = "containerregistry-registry-disable-public-access"
LISTED = "checkov takes a list of addresses for private; the vault still answers on its public address"
CLUSTER = {"vmSize": "STANDARD_DS3_V2"}

FACTS = [
    _fact("CKV_AZURE_3", HTTPS, STORE, False, supportsHttpsTrafficOnly=False),
    _fact("CKV_AZURE_3", HTTPS, STORE, True, supportsHttpsTrafficOnly=True),
    _fact("CKV_AZURE_3", HTTPS, STORE, True),  # API of 2019-04-01; azure-native uses no older one
    _fact("CKV_AZURE_44", TLS, STORE, False, minimumTlsVersion="TLS1_0"),
    _fact("CKV_AZURE_44", TLS, STORE, False, minimumTlsVersion="TLS1_1"),
    _fact("CKV_AZURE_44", TLS, STORE, False),
    _fact("CKV_AZURE_44", TLS, STORE, True, minimumTlsVersion="TLS1_2"),
    _fact("CKV_AZURE_59", ACCESS, STORE, False, publicNetworkAccess="Enabled"),
    _fact("CKV_AZURE_59", ACCESS, STORE, True, publicNetworkAccess="Disabled"),
    _fact("CKV_AZURE_59", ACCESS, STORE, True, "Azure takes an absent publicNetworkAccess for Enabled"),
    _fact("CKV_AZURE_35", DENY, STORE, False, networkAcls={"bypass": "None", "defaultAction": "Allow"}),
    _fact("CKV_AZURE_35", DENY, STORE, False),
    _fact("CKV_AZURE_35", DENY, STORE, True, networkAcls={"bypass": "None", "defaultAction": "Deny"}),
    _fact("CKV_AZURE_35", DENY, STORE, True, networkAcls={"bypass": "AzureServices", "defaultAction": "Deny"}),
    _fact("CKV_AZURE_190", "storage-account-disable-public-blobs", STORE, False, allowBlobPublicAccess=True),
    _fact("CKV_AZURE_190", "storage-account-disable-public-blobs", STORE, True, allowBlobPublicAccess=False),
    _fact("CKV_AZURE_190", "storage-account-disable-public-blobs", STORE, False),
    _fact("CKV2_AZURE_40", "storage-account-disable-shared-key", STORE, True, allowSharedKeyAccess=False),
    _fact("CKV2_AZURE_40", "storage-account-disable-shared-key", STORE, False, allowSharedKeyAccess=True),
    _fact("CKV2_AZURE_40", "storage-account-disable-shared-key", STORE, False),
    _fact("CKV_AZURE_110", PURGE, VAULT, False, enablePurgeProtection=False),
    _fact("CKV_AZURE_110", PURGE, VAULT, True, enablePurgeProtection=True),
    _fact("CKV_AZURE_111", SOFT, VAULT, False, enableSoftDelete=False),
    _fact("CKV_AZURE_111", SOFT, VAULT, True, enableSoftDelete=True),
    _fact("CKV_AZURE_111", SOFT, VAULT, True),
    _fact("CKV_AZURE_109", FIREWALL, VAULT, False, networkAcls={"defaultAction": "Allow"}),
    _fact("CKV_AZURE_109", FIREWALL, VAULT, True, networkAcls={"defaultAction": "Deny"}),
    _fact("CKV_AZURE_189", CLOSED, VAULT, False, publicNetworkAccess="Enabled"),
    _fact("CKV_AZURE_189", CLOSED, VAULT, False),
    _fact("CKV_AZURE_189", CLOSED, VAULT, False, networkAcls={"defaultAction": "Allow", "ipRules": []}),
    _fact("CKV_AZURE_189", CLOSED, VAULT, True, publicNetworkAccess="Disabled"),
    _fact("CKV_AZURE_189", CLOSED, VAULT, True, publicNetworkAccess="disabled"),
    _fact("CKV_AZURE_189", CLOSED, VAULT, True, LISTED, publicNetworkAccess="Enabled",
          networkAcls={"defaultAction": "Allow", "ipRules": [{"value": "127.0.0.1"}]}),
    _fact("CKV_AZURE_189", CLOSED, VAULT, True, LISTED,
          networkAcls={"defaultAction": "Allow", "ipRules": [{"value": "127.0.0.1"}]}),
    _fact("CKV_AZURE_137", ADMIN, REGISTRY, False, sku="Basic", adminUserEnabled=True),
    _fact("CKV_AZURE_137", ADMIN, REGISTRY, True, sku="Standard", adminUserEnabled=False),
    _fact("CKV_AZURE_138", PULL, REGISTRY, False, sku="Standard", anonymousPullEnabled=True),
    _fact("CKV_AZURE_138", PULL, REGISTRY, False, sku="Premium", anonymousPullEnabled=True),
    _fact("CKV_AZURE_138", PULL, REGISTRY, True, sku="Premium", anonymousPullEnabled=False),
    _fact("CKV_AZURE_138", PULL, REGISTRY, True, sku="Standard", zoneRedundancy="Disabled"),
    _fact("CKV_AZURE_138", PULL, REGISTRY, True, sku="Basic", anonymousPullEnabled=True),
    _fact("CKV_AZURE_138", PULL, REGISTRY, True, "without a tier, what is written is taken for meant",
          anonymousPullEnabled=True),
    _fact("CKV_AZURE_139", PUBLIC, REGISTRY, False, sku="Basic", publicNetworkAccess="Enabled"),
    _fact("CKV_AZURE_139", PUBLIC, REGISTRY, True, sku="Standard", publicNetworkAccess="Disabled"),
    _fact("CKV_AZURE_39", "authorization-role-refuse-wildcard", ROLE, False, roleName="Owner of all",
          permissions=[{"actions": ["*"], "notActions": []}]),
    _fact("CKV_AZURE_39", "authorization-role-refuse-wildcard", ROLE, True, roleName="Reader of groups",
          permissions=[{"actions": ["Microsoft.Resources/subscriptions/resourceGroups/read"], "notActions": []}]),
    _fact("CKV_AZURE_144", "machinelearning-workspace-disable-public-access", WORKSPACE, False,
          publicNetworkAccess="Enabled"),
    _fact("CKV_AZURE_144", "machinelearning-workspace-disable-public-access", WORKSPACE, True,
          publicNetworkAccess="Disabled"),
    _fact("CKV2_AZURE_49", "machinelearning-workspace-disable-public-access", WORKSPACE, True,
          "Azure takes an absent publicNetworkAccess for Enabled, and CKV_AZURE_144 refuses it, too"),
    _fact("CKV_AZURE_243", "machinelearning-workspace-require-private-endpoint", WORKSPACE, False,
          managedNetwork={"outboundRules": {"rule1": {"type": "ServiceTag"}}}),
    _fact("CKV_AZURE_243", "machinelearning-workspace-require-private-endpoint", WORKSPACE, False,
          description="No networks"),
    _fact("CKV_AZURE_243", "machinelearning-workspace-require-private-endpoint", WORKSPACE, True,
          "an outbound rule lets the compute out; it lets nobody in to the workspace",
          managedNetwork={"outboundRules": {"rule1": {"type": "PrivateEndpoint"}}}),
    _fact("CKV_AZURE_150", "machinelearning-compute-enforce-min-nodes-zero", COMPUTE, True,
          computeType="AmlCompute", properties={**CLUSTER, "scaleSettings": {"minNodeCount": 0, "maxNodeCount": 1}}),
    _fact("CKV_AZURE_150", "machinelearning-compute-enforce-min-nodes-zero", COMPUTE, False,
          computeType="AmlCompute", properties={**CLUSTER, "scaleSettings": {"minNodeCount": 1, "maxNodeCount": 1}}),
    _fact("CKV_AZURE_142", "machinelearning-compute-disable-local-auth", COMPUTE, True,
          computeType="AmlCompute", disableLocalAuth=True, properties=CLUSTER),
    _fact("CKV_AZURE_142", "machinelearning-compute-disable-local-auth", COMPUTE, False,
          computeType="AmlCompute", disableLocalAuth=False, properties=CLUSTER),
]  # fmt: skip


@pytest.fixture(scope="module")
def process() -> Iterator[Analyzer]:
    with running() as analyzer:
        analyzer.configure(everything())
        yield analyzer


def item(type_: tuple[str, str], properties: dict[str, Any], sku: dict[str, Any], name: str = "it") -> Item:
    """azure-native's inputs of a resource that Azure has."""
    kind, resource_id = type_
    body = {"location": "eastus2", "properties": properties, **({"sku": sku} if sku else {})}
    described = describe(f"azure-native:{kind}")
    assert described
    return Item(kind, name, imported_inputs(described, resource_id, body))


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: f"{fact.check}-{'pass' if fact.passes else 'fail'}")
def test_the_pack_agrees_with_checkov_or_says_why_not(process: Analyzer, fact: Fact) -> None:
    found = process.run(Platform([item(fact.type, fact.body, fact.sku)]))
    assert not found.undecided or fact.rule not in [one[0] for one in found.undecided]
    kept = fact.rule not in [one[0] for one in found.violations]
    assert kept == (fact.passes if not fact.why_not else not fact.passes)


@pytest.mark.parametrize(
    ("impact", "access", "passes"),
    [(True, "Enabled", False), (True, None, False), (False, "Enabled", True), (True, "Disabled", True)],
)
def test_high_business_impact_as_ckv2_azure_50(
    process: Analyzer, impact: bool, access: str | None, passes: bool
) -> None:
    account = item(STORE, {"publicNetworkAccess": access} if access else {}, {}, "store")
    workspace = item(WORKSPACE, {"hbiWorkspace": impact, "storageAccount": STORE[1]}, {}, "ws")
    found = process.run(Platform([account, workspace]))
    assert ("machinelearning-workspace-close-hbi-storage" not in [one[0] for one in found.violations]) == passes
