"""One setting of a network, or of what is shared or exists already, edited at a time: see `test_edits`."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from catalogue.private_link import ZONES
from settings import parse_department
from tests.conftest import started
from tests.program.stack import Stack
from tests.proof.edits import (
    BODY,
    DECLARED,
    NESTED,
    NOTHING,
    PATH,
    REGISTERED,
    Edit,
    World,
    check,
    fields,
    on_the_way,
    rows,
)  # fmt: skip
from tests.proof.stacks import CHECKED, NETWORKED

SUBNET = "subnet is in azure-native's force-new map (gen/replacement.go); what names the endpoint follows"
GROUP = "/subscriptions/8b41ca0c-0c5a-4c01-b49b-5bb8d329cc27/resourceGroups/theirs"
SUBNETS = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/theirs/subnets"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/theirkv"
REGISTRY = f"{GROUP}/providers/Microsoft.ContainerRegistry/registries/theircr"
LOGS = f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces/theirlog"
INSIGHTS = f"{GROUP}/providers/Microsoft.Insights/components/theirai"
ALL_ZONES = [zone for zones in ZONES.values() for zone in zones]
ENDPOINTS = ("work-blob", "work-file", "work-queue", "work-table", "data-blob", "vault", "registry", "workspace")


def named(type_: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{type_} {name}" for name in names)


def on_registry(team: str) -> tuple[str, ...]:
    """The identities' assignments to a team's registry."""
    return named("RoleAssignment", f"{team}-workspace-identity-registry", f"{team}-nodes-identity-images")


BOTH = ("own", "spoke")
SPOKE, GUEST = "teams.1.network.", "teams.1.existing."
PRIVATE = [
    Edit("network.addressSpace", "10.31.0.0/24", BODY + "; Azure refuses it while the subnets are used",
         update=("VirtualNetwork own-network",)),
    Edit("network", {"mode": "public"}, REGISTERED,
         update=("StorageAccount own-*", "Vault own-vault", "Workspace own-workspace", "Registry shared-registry"),
         replace=("Compute own-own",),
         delete=("PrivateLinks own", "VirtualNetwork own-network", "NetworkSecurityGroup own-*",
                 "PrivateEndpoint own-*", "PrivateDnsZoneGroup own-*", "PrivateZone own-*",
                 "VirtualNetworkLink own-*")),
    Edit(SPOKE + "endpointSubnetId", f"{SUBNETS}/pe", SUBNET,
         replace=("PrivateEndpoint spoke-*", "PrivateDnsZoneGroup spoke-*")),
    Edit(SPOKE + "computeSubnetId", f"{SUBNETS}/ml", DECLARED,
         replace=("Compute spoke-spoke", "Compute spoke-spoke-notes"),
         update=("Workspace spoke-workspace",)),  # jobs without a cluster run there, too
    Edit(SPOKE + "dnsZonesGroupId", GROUP, BODY, update=("PrivateDnsZoneGroup spoke-*",)),
    Edit(SPOKE + "dnsZonesGroupId", ..., REGISTERED, update=("PrivateDnsZoneGroup spoke-*",),
         create=(*named("PrivateZone", *(f"spoke-{zone}" for zone in ALL_ZONES)),
                 *named("VirtualNetworkLink", *(f"spoke-{zone}" for zone in ALL_ZONES)))),
    Edit("shared.registry", False, REGISTERED, delete=("Registry shared-registry",),
         create=named("Registry", "own-registry", "spoke-registry"),
         update=(*named("Workspace", "own-workspace", "spoke-workspace"),
                 *named("PrivateEndpoint", "own-registry", "spoke-registry")),
         replace=(*on_registry("own"), *on_registry("spoke"))),
    Edit("shared", {"registryId": REGISTRY, "logWorkspace": True}, REGISTERED,
         delete=("Registry shared-registry", "PrivateEndpoint spoke-registry", "PrivateDnsZoneGroup spoke-registry"),
         update=(*named("Workspace", "own-workspace", "spoke-workspace"), "PrivateEndpoint own-registry"),
         replace=(*on_registry("own"), *on_registry("spoke"))),
    Edit("shared.logWorkspace", False, REGISTERED, delete=("Workspace shared-logs",), applied=True,
         create=named("Workspace", "own-logs", "spoke-logs"),
         update=named("Component", "own-insights", "spoke-insights")),
    Edit("shared", {"registry": True, "logWorkspaceId": LOGS}, REGISTERED, delete=("Workspace shared-logs",),
         update=named("Component", "own-insights", "spoke-insights")),
]  # fmt: skip
RULE = "ManagedNetworkSettingsRule fenced-"
FIREWALLED = ("StorageAccount *", "Vault *", "Registry *")
MANAGED = [
    Edit("network.allowedIps", ["203.0.113.0/24", "198.51.100.7"], BODY, update=FIREWALLED, applied=True),
    Edit("network.outboundAccess", ..., NOTHING),
    Edit("network", {"mode": "managed", "outboundAccess": "internet", "allowedIps": ["203.0.113.0/24"]},
         NESTED + "; Azure refuses the way back to the internet", update=("Workspace fenced-workspace",),
         delete=tuple(f"{RULE}{name}" for name in ("pypi", "factory", "clock", "ping", "any", "theirs"))),
    Edit("network", ..., DECLARED + "; Azure refuses to turn the managed network off", replace=("Compute *",),
         update=(*FIREWALLED, "Workspace fenced-workspace"),
         delete=("ManagedNetworkSettingsRule *", "RoleAssignment fenced-workspace-identity-network")),
    Edit("network.outbound", [{"name": "pypi", "host": "*.pythonhosted.org"}], REGISTERED,
         delete=tuple(f"{RULE}{name}" for name in ("factory", "clock", "ping", "any", "theirs"))),
    Edit("network.basicFirewall", ..., NESTED, update=("Workspace fenced-workspace",)),
    Edit("network.outbound.0.name", "wheels", REGISTERED, delete=(f"{RULE}pypi",), create=(f"{RULE}wheels",),
         applied=True),
    Edit("network.outbound.0.host", "pypi.org", NESTED, update=(f"{RULE}pypi",), applied=True),
    Edit("network.outbound.1.serviceTag", "AzureDatabricks", NESTED, update=(f"{RULE}factory",)),
    Edit("network.outbound.1.ports", "443", NESTED, update=(f"{RULE}factory",)),
    Edit("network.outbound.2.protocol", "TCP", NESTED, update=(f"{RULE}clock",)),
    Edit("network.outbound.5.resourceId", f"{GROUP}/providers/Microsoft.Storage/storageAccounts/theirs", NESTED,
         update=(f"{RULE}theirs",)),
    Edit("network.outbound.5.subresource", "dfs", NESTED, update=(f"{RULE}theirs",)),
]  # fmt: skip
IN_GROUP = (
    "UserAssignedIdentity guest-*", "StorageAccount guest-*", "Workspace guest-workspace", "RoleDefinition guest-*",
    "RoleAssignment guest-*", "DiagnosticSetting guest-*",
)  # fmt: skip
EXISTING = [
    Edit(GUEST + "resourceGroupId", GROUP, PATH, replace=IN_GROUP),
    Edit(GUEST + "resourceGroupId", ..., PATH, replace=IN_GROUP, create=("ResourceGroup guest-group",)),
    Edit(GUEST + "keyVaultId", VAULT, PATH + "; Azure gives a workspace no other vault",
         update=("Workspace guest-workspace",),
         replace=named("RoleAssignment", "guest-workspace-identity-vault", "guest-workspace-identity-secrets")),
    Edit(GUEST + "registryId", REGISTRY, PATH, update=("Workspace guest-workspace",), replace=on_registry("guest")),
    Edit(GUEST + "registryId", ..., NOTHING + ": the shared one is the same"),
    Edit(GUEST + "logWorkspaceId", LOGS, BODY, update=("DiagnosticSetting guest-*",)),
    Edit(GUEST + "applicationInsightsId", INSIGHTS, PATH, update=("Workspace guest-workspace",),
         replace=("RoleAssignment guest-workspace-identity-insights",)),
    Edit(GUEST + "applicationInsightsId", ..., PATH, create=("Component guest-insights",), applied=True,
         update=("Workspace guest-workspace",), replace=("RoleAssignment guest-workspace-identity-insights",)),
    Edit("shared.registryId", REGISTRY, PATH, replace=on_registry("tenant"),
         update=("Workspace tenant-workspace", "PrivateEndpoint tenant-registry")),
    Edit("shared.registryId", ..., REGISTERED, replace=on_registry("tenant"),
         create=("Registry tenant-registry", "DiagnosticSetting tenant-registry"),
         update=("Workspace tenant-workspace", "PrivateEndpoint tenant-registry")),
    Edit("shared.logWorkspaceId", LOGS, BODY, update=("Component tenant-insights", "DiagnosticSetting tenant-*")),
]  # fmt: skip
EDITS = {"private": PRIVATE, "managed": MANAGED, "existing": EXISTING}


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, World]]:
    """All of them beside private.yaml's, which gives them network, zones and services; at the end all are gone."""
    folder = tmp_path_factory.mktemp("networks")
    with started(folder / ".sandbox") as sandbox:
        hub = World(sandbox, Stack(sandbox, folder, "hub"), CHECKED["private"])
        empty = hub.status()
        hub.start()
        before = hub.status()
        made = {name: World(sandbox, Stack(sandbox, folder, name), base) for name, base in NETWORKED.items()}
        for world in made.values():
            world.start()
        yield made
        for world in made.values():
            world.stop()
        assert hub.status() == before
        assert hub.preview(hub.base) == []
        hub.stop()
        assert hub.status() == empty


@pytest.mark.parametrize("edit", rows(PRIVATE))
def test_an_edit_of_a_private_network(worlds: Mapping[str, World], edit: Edit) -> None:
    check(worlds["private"], edit)


@pytest.mark.parametrize("edit", rows(MANAGED))
def test_an_edit_of_a_managed_network(worlds: Mapping[str, World], edit: Edit) -> None:
    check(worlds["managed"], edit)


@pytest.mark.parametrize("edit", rows(EXISTING))
def test_an_edit_of_what_exists_already(worlds: Mapping[str, World], edit: Edit) -> None:
    check(worlds["existing"], edit)


CONCERNED = ("Network.", "Outbound.", "Existing.", "Shared.")
NOT_EDITED = {"Network.mode": "changes with what belongs to the mode: see the edits of the whole network"}


def test_every_setting_of_them_is_edited() -> None:
    found: set[str] = set()
    touched: set[str] = set()
    for name, edits in EDITS.items():
        base: Any = parse_department(NETWORKED[name], "f")
        found |= {one for one in fields(base) if one.startswith(CONCERNED)}
        touched |= {one for edit in edits for one in on_the_way(base, edit.path)}
    assert found - touched == set(NOT_EDITED)
    assert {one.partition(".")[0] for one in found} == {name.removesuffix(".") for name in CONCERNED}
