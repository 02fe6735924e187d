"""What the program registers where dependencies exist already, or are made once for all teams."""

import copy
from typing import Any

import pytest

from tests.program.harness import Run, principal_id, run_program, stack_file
from tests.settings.test_existing import GROUP, INSIGHTS, LOGS, REGISTRY, VAULT

IDENTITY, NODES = (principal_id(f"bgmrbluegranite2dev{name}") for name in ("id", "nodeid"))
APPROVER = "b556d68e-0be0-4f35-a333-ad7ee1ce17ea"
EVERYTHING = {
    "resourceGroupId": GROUP,
    "keyVaultId": VAULT,
    "registryId": REGISTRY,
    "logWorkspaceId": LOGS,
    "applicationInsightsId": INSIGHTS,
}
SEED = {"name": "seed", "role": "contributor", "secret": {"rotated": "2026-11-01"}}


def department(**settings: Any) -> Any:
    """The production-like department of the dev stack: locks, diagnostics and policies on."""
    made = copy.deepcopy(stack_file("dev"))
    made |= {"protect": True, "diagnostics": True, "azurePolicy": "audit"}
    made["teams"][0] |= settings
    return made


def registered(run: Run, *types: str) -> list[str]:
    return [f"{type_} {found.name}" for type_ in types for found in run.of(type_)]


@pytest.fixture(scope="module")
def given() -> Run:
    return run_program(department(existing=EVERYTHING, automation=[SEED]))


def test_what_exists_is_not_made(given: Run) -> None:
    made = ("ResourceGroup", "Vault", "Registry", "Component")
    assert registered(given, *made) == []
    assert [found.type for found in given.of("Workspace")] == ["azure-native:machinelearningservices:Workspace"]
    workspace = given.one("machinelearningservices:Workspace").inputs
    assert workspace["resourceGroupName"] == "platform"
    assert (workspace["keyVault"], workspace["containerRegistry"], workspace["applicationInsights"]) == (
        VAULT, REGISTRY, INSIGHTS,
    )  # fmt: skip
    assert {r.inputs["resourceGroupName"] for r in given.of("StorageAccount")} == {"platform"}


def test_what_exists_is_not_locked_protected_diagnosed_or_written_to(given: Run) -> None:
    ids = (VAULT, REGISTRY, LOGS, INSIGHTS)
    for resource in given.resources:
        scope = resource.inputs.get("scope") or resource.inputs.get("resourceUri") or ""
        if any(scope.startswith(id_) for id_ in ids):
            assert resource.type == "azure-native:authorization:RoleAssignment"
    locked = {lock.inputs["scope"].rpartition("/")[2] for lock in given.of("ManagementLockByScope")}
    assert locked == {f"bgmrbluegranite2dev{account}" for account in ("work", "data", "lake")}
    logged = {setting.inputs["workspaceId"] for setting in given.of("DiagnosticSetting")}
    assert logged == {LOGS}


def test_the_identities_have_their_roles_at_exactly_what_exists(given: Run) -> None:
    roles = {
        (one.inputs["scope"], one.inputs["principalId"], one.inputs["roleDefinitionId"].rpartition("/")[2])
        for one in given.of("RoleAssignment")
        if one.inputs["scope"].startswith(f"{GROUP}/") and "/Microsoft.Storage/" not in one.inputs["scope"]
    }
    contributor, vault_admin = "b24988ac-6180-42a0-ab88-20f7382dd24c", "00482a5a-887f-4fb3-b363-3b7fe8e74483"
    identities = {one for one in roles if one[1] in (IDENTITY, NODES) and "/workspaces/" not in one[0]}
    assert identities == {
        (VAULT, IDENTITY, contributor),
        (VAULT, IDENTITY, vault_admin),
        (REGISTRY, IDENTITY, contributor),
        (INSIGHTS, IDENTITY, contributor),
        (REGISTRY, NODES, "7f951dda-4ed3-4680-a7ca-43fe172d538d"),
    }


def test_secrets_in_a_vault_of_others_are_told_apart(given: Run) -> None:
    secret = given.one("Secret").inputs
    assert (secret["resourceGroupName"], secret["vaultName"]) == ("platform", "theirkv")
    assert secret["secretName"] == "bgmr-bluegranit-dev-seed-password"
    told = given.outputs["teams"]["bluegranit"]["automation"]["seed"]
    assert (told["vault"], told["secretName"]) == ("theirkv", "bgmr-bluegranit-dev-seed-password")


def test_each_dependency_is_replaced_alone() -> None:
    everything = run_program(department())
    for key, type_ in {
        "resourceGroupId": "ResourceGroup",
        "keyVaultId": "Vault",
        "registryId": "Registry",
        "logWorkspaceId": "operationalinsights:Workspace",
        "applicationInsightsId": "Component",
    }.items():
        run = run_program(department(existing={key: EVERYTHING[key]}))
        gone = set(registered(everything, type_)) - set(registered(run, type_))
        assert len(gone) == 1, key
        kept = {f"{r.type} {r.name}" for r in everything.resources} - {f"{r.type} {r.name}" for r in run.resources}
        assert all("Lock" in name or "Diagnostic" in name or type_ in name for name in kept), key


OWN = {"mode": "private", "addressSpace": "10.20.0.0/24"}
SUBNETS = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/hub/subnets"
HUB = {
    "mode": "private",
    "endpointSubnetId": f"{SUBNETS}/pe",
    "computeSubnetId": f"{SUBNETS}/ml",
    "dnsZonesGroupId": GROUP,
}


def endpoints(run: Run) -> set[str]:
    return {
        connection["privateLinkServiceId"]
        for endpoint in run.of("PrivateEndpoint")
        for connection in endpoint.inputs["privateLinkServiceConnections"]
    }


def test_own_zones_need_endpoints_to_what_exists_and_given_ones_have_its_address() -> None:
    account = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/theirlake"
    existing = {"keyVaultId": VAULT, "registryId": REGISTRY}
    lake = {"accountId": account, "fileSystems": ["fs1"]}
    own = run_program(department(existing=existing, network=OWN, lake=lake))
    assert {VAULT, REGISTRY, account} <= endpoints(own)
    assert not {VAULT, REGISTRY, account} & endpoints(
        run_program(department(existing=existing, network=HUB, lake=lake))
    )


def test_a_managed_network_approves_its_endpoints_to_what_exists() -> None:
    account = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/theirlake"
    lake = {"accountId": account, "fileSystems": ["fs1"]}
    existing = {"keyVaultId": VAULT, "registryId": REGISTRY}
    run = run_program(department(existing=existing, network={"mode": "managed"}, lake=lake))
    approves = {
        one.inputs["scope"].rpartition("/")[2]: one
        for one in run.of("RoleAssignment")
        if one.inputs["roleDefinitionId"].endswith(APPROVER)
    }
    assert set(approves) == {"bgmr-bluegranit-eastus2-dev", "theirkv", "theircr", "theirlake"}
    workspace = run.one("machinelearningservices:Workspace")
    assert {approves[name].urn for name in ("theirkv", "theircr")} <= run.before(workspace)
    rule = run.one("ManagedNetworkSettingsRule", ruleName="lake-blob")
    assert approves["theirlake"].urn in run.before(rule)


def teams(*others: Any, **settings: Any) -> Any:
    made = department() | settings
    builder = {"vmSize": "STANDARD_DS3_V2", "maxNodes": 1}  # of images, without which no private team is taken
    made["teams"] += [{"clusters": [{"name": f"of{one['name']}", **builder}], **one} for one in others]
    return made


def test_a_registry_and_logs_are_made_once_for_all() -> None:
    run = run_program(teams({"name": "other"}, shared={"registry": True, "logWorkspace": True}))
    registry, logs = run.one("Registry"), run.one("operationalinsights:Workspace")
    assert (registry.inputs["registryName"], logs.inputs["workspaceName"]) == (
        "bgmrsharede2devcr",
        "bgmrsharede2devlog",
    )
    assert registry.inputs["resourceGroupName"] == "bgmr-shared-eastus2-dev"
    assert "team" not in registry.inputs["tags"]
    used = {w.inputs["containerRegistry"] for w in run.of("machinelearningservices:Workspace")}
    assert used == {registry.id}
    assert {c.inputs["workspaceResourceId"] for c in run.of("Component")} == {logs.id}
    logged = [d.inputs["resourceUri"] for d in run.of("DiagnosticSetting")]
    assert logged.count(registry.id) == 1
    assert {d.inputs["workspaceId"] for d in run.of("DiagnosticSetting")} == {logs.id}
    watched = {p.inputs["scope"] for p in run.of("PolicyAssignment") if p.name.startswith("shared-")}
    assert {scope.rpartition("/")[2] for scope in watched} == {"bgmr-shared-eastus2-dev"}
    pulls = [one for one in run.of("RoleAssignment") if one.inputs["scope"] == registry.id]
    assert len(pulls) == 4  # each team's workspace and nodes


def test_a_shared_registry_logs_to_given_logs() -> None:
    run = run_program(teams(shared={"registry": True, "logWorkspaceId": LOGS}))
    assert run.of("operationalinsights:Workspace") == []
    [setting] = [d for d in run.of("DiagnosticSetting") if d.name == "shared-registry"]
    assert setting.inputs["workspaceId"] == LOGS


def test_given_zones_have_one_address_of_a_shared_registry() -> None:
    run = run_program(
        teams({"name": "a", "network": HUB}, {"name": "b", "network": HUB}, {"name": "c", "network": OWN},
              shared={"registry": True, "logWorkspace": True}),
    )  # fmt: skip
    assert run.one("Registry").inputs["sku"] == {"name": "Premium"}
    assert {e.name for e in run.of("PrivateEndpoint") if e.name.endswith("registry")} == {"a-registry", "c-registry"}
