"""Every rule, broken alone in a platform that keeps all others, in the analyzer process that both engines start."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from policies import pack
from policies.model import ResourceRule
from tests.policies.analyzer import Analyzer, running
from tests.policies.platform import BLOB_READER, CONTRIBUTOR, OWNER, PERSON, UNKNOWN, Item, Platform, clean, everything

PASSES, BREAKS, OPEN = "passes", "breaks", "is open"
Edit = tuple[str, str, Any]
_SCALE = "properties.properties.scaleSettings"


@dataclass(frozen=True)
class Case:
    """How one rule is broken.

    Attributes:
        broken: The resource, the input and a wrong value of it.
        missing: What becomes of the rule without that input: `passes`, `breaks`, or None where another rule or Azure
            refuses that.
        spares: An input with which the rule does not apply.
        off: Rules that cannot be kept while this one is broken.
    """

    broken: Edit
    missing: str | None = BREAKS
    spares: Edit | None = None
    off: tuple[str, ...] = ()


KUBERNETES = ("own-cpu", "properties.computeType", "Kubernetes")
PROJECT = ("own-ws", "kind", "Project")
RECOVERED = ("own-vault", "properties.createMode", "recover")
ML, KV, ACR, STORE = "machinelearning-", "keyvault-vault-", "containerregistry-registry-", "storage-account-"

CASES = {
    f"{ML}compute-enforce-min-nodes-zero": Case(("own-cpu", f"{_SCALE}.minNodeCount", 1), PASSES, KUBERNETES),
    f"{ML}compute-allow-vm-sizes": Case(("notes", "properties.properties.vmSize", "STANDARD_D3_V2"), BREAKS,
        KUBERNETES, (f"{ML}stack-limit-vcpus",)),
    f"{ML}compute-limit-max-nodes": Case(("own-cpu", f"{_SCALE}.maxNodeCount", 11), BREAKS, KUBERNETES,
        (f"{ML}stack-limit-nodes", f"{ML}stack-limit-vcpus", f"{ML}stack-limit-monthly-cost")),
    f"{ML}compute-limit-idle-time": Case(
        ("own-cpu", f"{_SCALE}.nodeIdleTimeBeforeScaleDown", "PT20M"), BREAKS, KUBERNETES),
    f"{ML}compute-allow-priorities": Case(("own-cpu", "properties.properties.vmPriority", "LowPriority"), PASSES,
        KUBERNETES, (f"{ML}stack-limit-vcpus",)),
    f"{ML}compute-disable-local-auth": Case(("own-cpu", "properties.disableLocalAuth", False), BREAKS, KUBERNETES),
    f"{ML}instance-require-idle-shutdown": Case(
        ("notes", "properties.properties.idleTimeBeforeShutdown", "PT5H"), BREAKS,
        ("notes", "properties.computeType", "AmlCompute")),
    f"{ML}compute-require-virtual-network": Case(
        ("own-cpu", "properties.properties.subnet.id", ""), BREAKS, KUBERNETES),
    f"{ML}compute-disable-remote-login": Case(
        ("own-cpu", "properties.properties.remoteLoginPortPublicAccess", "Enabled"), BREAKS, KUBERNETES),
    f"{ML}compute-disable-public-ip": Case(
        ("own-cpu", "properties.properties.enableNodePublicIp", True), BREAKS, KUBERNETES),
    f"{ML}compute-allow-types": Case(KUBERNETES),
    f"{ML}workspace-disable-public-access": Case(("own-ws", "publicNetworkAccess", "Enabled"), BREAKS, PROJECT),
    f"{ML}workspace-refuse-public-access-behind-vnet": Case(
        ("own-ws", "allowPublicAccessWhenBehindVnet", True), PASSES),
    f"{ML}workspace-require-approved-outbound": Case(
        ("man-ws", "managedNetwork.isolationMode", "AllowInternetOutbound"), None,
        ("man-ws", "managedNetwork.isolationMode", "Disabled")),
    f"{ML}workspace-require-customer-key": Case(("own-ws", "encryption.status", "Disabled"), BREAKS, PROJECT),
    f"{ML}workspace-require-user-identity": Case(("own-ws", "identity.type", "SystemAssigned"), BREAKS, PROJECT),
    f"{ML}workspace-refuse-v1-legacy-mode": Case(("own-ws", "v1LegacyMode", True), PASSES),
    f"{ML}workspace-require-identity-datastores": Case(
        ("own-ws", "systemDatastoresAuthMode", "accesskey"), BREAKS, PROJECT),
    f"{ML}workspace-require-high-business-impact": Case(("own-ws", "hbiWorkspace", False), BREAKS, PROJECT),
    f"{ML}registry-disable-public-access": Case(("models", "publicNetworkAccess", "Enabled")),
    f"{ML}datastore-refuse-credentials": Case(("lake", "properties.credentials.credentialsType", "AccountKey")),
    f"{ML}connection-refuse-credentials": Case(("search", "properties.authType", "ApiKey")),
    "keyvault-key-require-rotation": Case(
        ("platform-key", "properties.rotationPolicy.lifetimeActions.0.action.type", "notify")),
    "network-subnet-require-security-group": Case(
        ("net", "subnets.0.networkSecurityGroup.id", ""), BREAKS, ("net", "subnets", [])),
    f"{ML}compute-require-identity": Case(
        ("own-cpu", "identity.type", "None"), BREAKS, KUBERNETES),
    f"{ML}endpoint-disable-key-auth": Case(("scoring", "properties.authMode", "Key")),
    f"{ML}endpoint-disable-public-access": Case(("scoring", "properties.publicNetworkAccess", "Enabled")),
    f"{ML}deployment-allow-instance-types": Case(("blue", "properties.instanceType", "Standard_NC6s_v3"), BREAKS,
        ("blue", "properties.endpointComputeType", "Kubernetes")),
    f"{STORE}require-https": Case(("ownstore", "enableHttpsTrafficOnly", False), PASSES),
    f"{STORE}require-tls12": Case(("ownstore", "minimumTlsVersion", "TLS1_0")),
    f"{STORE}disable-public-blobs": Case(("ownstore", "allowBlobPublicAccess", True)),
    f"{STORE}disable-public-access": Case(("ownstore", "publicNetworkAccess", "Enabled"), BREAKS, None,
        (f"{ML}workspace-close-hbi-storage",)),
    f"{STORE}disable-shared-key": Case(("ownstore", "allowSharedKeyAccess", True)),
    f"{STORE}deny-by-default": Case(("ownstore", "networkRuleSet.defaultAction", "Allow"), BREAKS,
        ("ownstore", "publicNetworkAccess", "Disabled")),
    f"{KV}require-purge-protection": Case(("own-vault", "properties.enablePurgeProtection", False), BREAKS, RECOVERED),
    f"{KV}require-soft-delete": Case(("own-vault", "properties.enableSoftDelete", False), PASSES, RECOVERED),
    f"{KV}require-rbac": Case(("own-vault", "properties.enableRbacAuthorization", False), BREAKS, RECOVERED),
    f"{KV}deny-by-default": Case(("own-vault", "properties.networkAcls.defaultAction", "Allow"), BREAKS,
        ("own-vault", "properties.publicNetworkAccess", "Disabled")),
    f"{KV}disable-public-access": Case(("own-vault", "properties.publicNetworkAccess", "Enabled"), BREAKS, RECOVERED),
    f"{ACR}disable-admin-user": Case(("ownimages", "adminUserEnabled", True), PASSES),
    f"{ACR}disable-anonymous-pull": Case(("ownimages", "anonymousPullEnabled", True), PASSES,
        ("ownimages", "sku.name", "Basic")),
    f"{ACR}disable-public-access": Case(("ownimages", "publicNetworkAccess", "Enabled"), BREAKS, None,
        (f"{ML}workspace-close-dependencies",)),
    "insights-component-require-log-workspace": Case(("own-insights", "workspaceResourceId", "")),
    "authorization-role-refuse-wildcard": Case(("scientist", "permissions.0.actions", ["*"]), PASSES, None,
        ("authorization-assignment-refuse-owner",)),
    "azure-resource-require-tags": Case(("ownimages", "tags.owner", " ")),
    "azure-resource-allow-regions": Case(("ownimages", "location", "westeurope"), None),
    "azure-resource-match-name-pattern": Case(("shop", "resourceGroupName", "shop-test"), PASSES),
}  # fmt: skip
"""The rules about single resources."""

PRIVATE_BY_PERIMETER = {
    f"{STORE}deny-by-default": ("ownstore", "publicNetworkAccess", "SecuredByPerimeter"),
    f"{KV}deny-by-default": ("own-vault", "properties.publicNetworkAccess", "SecuredByPerimeter"),
}
"""What a firewall's rule needs to apply."""

STACK_CASES: dict[str, tuple[Callable[[Platform], Platform], tuple[str, ...]]] = {
    f"{ML}workspace-require-private-endpoint": (lambda p: p.drop("own-endpoint"), ()),
    f"{ML}workspace-close-dependencies": (
        lambda p: p.set("ownimages", "publicNetworkAccess", "Enabled"), (f"{ACR}disable-public-access",)),
    f"{ML}workspace-close-hbi-storage": (
        lambda p: p.set("ownstore", "publicNetworkAccess", "Enabled"), (f"{STORE}disable-public-access",)),
    f"{ML}compute-require-image-pull": (lambda p: p.drop("own-pull"), ()),
    f"{ML}compute-require-data-access": (lambda p: p.drop("own-read"), ()),
    "authorization-assignment-refuse-owner": (
        lambda p: p.set("man-read", "roleDefinitionId", OWNER), (f"{ML}compute-require-data-access",)),
    "authorization-assignment-limit-contributor": (lambda p: p.set("own-pull", "roleDefinitionId", CONTRIBUTOR), ()),
    "authorization-assignment-limit-principals": (lambda p: p.set("person", "roleDefinitionId", BLOB_READER), ()),
    f"{ML}workspace-refuse-sharing": (lambda p: p.set("man-ws", "keyVault", p.items["own-ws"].inputs["keyVault"]), ()),
    f"{ML}workspace-require-diagnostics": (lambda p: p.set("own-diagnostics", "logs.0.enabled", False), ()),
    f"{ML}stack-limit-nodes": (lambda p: p.set("own-cpu", f"{_SCALE}.maxNodeCount", 3),
        (f"{ML}stack-limit-vcpus", f"{ML}stack-limit-monthly-cost")),
    f"{ML}stack-limit-vcpus": (lambda p: p.set("own-cpu", f"{_SCALE}.maxNodeCount", 3),
        (f"{ML}stack-limit-nodes", f"{ML}stack-limit-monthly-cost")),
    f"{ML}stack-limit-monthly-cost": (lambda p: p.set("own-cpu", f"{_SCALE}.maxNodeCount", 4),
        (f"{ML}stack-limit-nodes", f"{ML}stack-limit-vcpus")),
    "azure-name-require-unique": (lambda p: p.set("manimages", "registryName", "OwnImages"),
        (f"{ML}compute-require-image-pull",)),
    "azure-name-require-valid": (lambda p: p.set("shop", "resourceGroupName", "shop.-dev" * 11), ()),
}  # fmt: skip
"""The rules about whole stacks."""


@pytest.fixture(scope="module")
def process() -> Iterator[Analyzer]:
    with running() as analyzer:
        yield analyzer


@pytest.fixture
def analyzer(process: Analyzer) -> Analyzer:
    process.configure(everything())
    return process


def broken(rule: str, edit: Edit | None = None) -> Platform:
    """The platform with one edit, and what the rule needs to apply at all."""
    platform = clean()
    if need := PRIVATE_BY_PERIMETER.get(rule):
        platform.set(*need)
    return platform.set(*edit) if edit else platform


@pytest.mark.parametrize(("mode", "breaks"), [("AAD", False), ("Key", True), ("KeyAndAAD", True), (None, True)])
def test_a_serverless_endpoint_has_modes_of_its_own(analyzer: Analyzer, mode: str | None, breaks: bool) -> None:
    made = Item("machinelearningservices:ServerlessEndpoint", "model", {"properties": {"authMode": mode}})
    assert (
        analyzer.of(made, f"{ML}endpoint-disable-key-auth")
        == [(f"{ML}endpoint-disable-key-auth", "mandatory")] * breaks
    )


PRINCIPALS = "authorization-assignment-limit-principals"
SCIENTIST = ["Shop Scientist"]


@pytest.mark.parametrize(
    ("principals", "type_", "breaks"),
    [
        ({PERSON: ["* Scientist"]}, "User", False),
        ({PERSON.upper(): ["Reader"]}, "User", True),
        ({"User": ["Reader"]}, "User", True),
        ({"User": ["Reader"], "Group": SCIENTIST}, "Group", False),
        ({"*RoleAssignment::person": ["Reader"], PERSON: SCIENTIST}, "User", True),
        ({"*RoleAssignment::other*": ["Reader"]}, "User", False),
        ({PERSON: ["5f4e1b52-9a1c-4c65-8f0e-0d6f2d0c7a10"]}, "User", False),
    ],
)
def test_a_ceiling_is_for_a_principal_a_type_or_a_pattern(
    analyzer: Analyzer, principals: dict[str, list[str]], type_: str, breaks: bool
) -> None:
    analyzer.configure(everything(**{PRINCIPALS: {"principals": principals}}))
    platform = clean()
    for name in ("own-pull", "own-read", "man-pull", "man-read"):
        platform.set(name, "principalType", "ServicePrincipal")
    found = analyzer.run(platform.set("person", "principalType", type_))
    assert [(rule, who) for rule, _, who, _ in found.all] == [(PRINCIPALS, "person")] * breaks


def test_the_ceiling_of_a_type_is_open_where_the_type_is_not_told(analyzer: Analyzer) -> None:
    analyzer.configure(everything(**{PRINCIPALS: {"principals": {"User": SCIENTIST}}}))
    assert {rule for rule, *_ in analyzer.run(clean()).undecided} == {PRINCIPALS}


@pytest.mark.parametrize(
    ("permission", "breaks"),
    [
        ({"actions": ["Microsoft.Authorization/*"]}, True),
        ({"actions": ["Microsoft.Authorization/roleAssignments/write"]}, True),
        ({"actions": ["Microsoft.Authorization/*"], "notActions": ["Microsoft.Authorization/*/write"]}, False),
        ({"actions": ["Microsoft.Authorization/*/read"]}, False),
    ],
)
def test_a_custom_role_that_assigns_roles_is_as_owner(
    analyzer: Analyzer, permission: dict[str, list[str]], breaks: bool
) -> None:
    found = analyzer.run(clean().set("scientist", "permissions", [permission]))
    assert [rule for rule, *_ in found.all] == ["authorization-assignment-refuse-owner"] * breaks


@pytest.mark.parametrize(("group", "told"), [("westeurope", "violation"), ("East US 2", None), (None, "open")])
def test_a_location_that_is_left_out_is_the_groups(analyzer: Analyzer, group: str | None, told: str | None) -> None:
    """As azure-native takes it, once the group exists; public programs seldom say more."""
    platform = clean().set("shop", "resourceGroupName", "shop").set("shop", "location", group)
    analyzer.configure(everything(**{"azure-resource-match-name-pattern": {"enforcementLevel": "disabled"}}))
    found = analyzer.run(platform.set("ownstore", "location", None))
    of_account = [one[3] for one in found.all if one[2] == "ownstore"]
    assert len(of_account) == bool(told)
    assert [("can't run" in one) for one in of_account] == [told == "open"] * bool(told)


def test_every_rule_has_a_case() -> None:
    exemptions = {"policy-exemption-refuse-expired", "policy-exemption-refuse-unused"}
    assert CASES.keys() | STACK_CASES.keys() | exemptions == pack.rules().keys()
    assert all(isinstance(pack.rules()[name], ResourceRule) for name in CASES)


def test_a_right_platform_keeps_every_rule(analyzer: Analyzer) -> None:
    found = analyzer.run(clean())
    assert found.violations == []


@pytest.mark.parametrize("rule", CASES)
def test_one_wrong_value_breaks_one_rule_and_only_it(analyzer: Analyzer, rule: str) -> None:
    case = CASES[rule]
    analyzer.configure(everything(**{name: {"enforcementLevel": "disabled"} for name in case.off}))
    assert analyzer.run(broken(rule)).violations == []
    found = analyzer.run(broken(rule, case.broken))
    assert [(name, level, who) for name, level, who, _ in found.violations] == [(rule, "mandatory", case.broken[0])]
    wrong = case.broken[1].rpartition(".")[2]
    assert wrong in found.violations[0][3] or str(case.broken[2]) in found.violations[0][3]


@pytest.mark.parametrize("rule", STACK_CASES)
def test_one_wrong_thing_breaks_one_rule_about_the_stack_and_only_it(analyzer: Analyzer, rule: str) -> None:
    edit, off = STACK_CASES[rule]
    analyzer.configure(everything(**{name: {"enforcementLevel": "disabled"} for name in off}))
    found = analyzer.run(edit(clean()))
    assert [(name, level) for name, level, _, _ in found.violations] == [(rule, "mandatory")]


@pytest.mark.parametrize("rule", [name for name, case in CASES.items() if case.missing])
def test_a_missing_value_is_what_azure_takes_it_for(analyzer: Analyzer, rule: str) -> None:
    case = CASES[rule]
    resource, path, _ = case.broken
    found = analyzer.of(broken(rule, (resource, path, None)).items[resource], rule)
    assert found == ([] if case.missing == PASSES else [(rule, "mandatory")])


@pytest.mark.parametrize("rule", CASES)
def test_an_unknown_value_is_no_pass(analyzer: Analyzer, rule: str) -> None:
    resource, path, _ = CASES[rule].broken
    found = analyzer.of(broken(rule, (resource, path, UNKNOWN)).items[resource], rule)
    assert found == [(rule, "advisory")]


@pytest.mark.parametrize("rule", [name for name, case in CASES.items() if case.spares])
def test_a_rule_that_does_not_apply_says_so(analyzer: Analyzer, rule: str) -> None:
    case = CASES[rule]
    assert case.spares
    item = broken(rule, case.broken).set(*case.spares).items[case.spares[0]]
    assert rule in analyzer.not_applicable(item)
    assert rule not in [name for name, _ in analyzer.of(item, rule)]
