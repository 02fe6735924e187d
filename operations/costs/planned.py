"""What a department has that is paid for, by its settings alone: the resources that its program will ask for.

Only types that have a charge, and only inputs that a charge depends on. A test compares them with those that the
program really registers.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from catalogue.private_link import ALL_ZONES
from settings import Cluster, Department, Instance, Team, logical
from settings.names import SHARED
from settings.registries import connects_shared_registry, registry_tier, shared_registry_tier

_NATIVE = "azure-native"
_ML = f"{_NATIVE}:machinelearningservices"


@dataclass(frozen=True)
class PlannedResource:
    """A resource as `operations.costs.resources.Billable`."""

    type: str
    name: str
    team: str | None
    inputs: Mapping[str, Any] = field(default_factory=dict)


def planned(department: Department) -> Iterator[PlannedResource]:
    """The resources of a department that are paid for."""
    yield from _shared(department)
    for team in department.teams:
        yield from _dependencies(department, team)
        yield from _private(department, team)
        yield from _managed(department, team)
        for cluster in team.clusters:
            yield PlannedResource(f"{_ML}:Compute", logical.compute(team, cluster.name), team.name, _cluster(cluster))
        for instance in team.instances:
            inputs = _instance(instance)
            yield PlannedResource(f"{_ML}:Compute", logical.compute(team, instance.name), team.name, inputs)


def expected_hours(department: Department) -> dict[str, int]:
    """Hours a month that the nodes of each cluster and instance are expected to be on, by its name in Pulumi."""
    hours: dict[str, int] = {}
    for team in department.teams:
        hours |= {logical.compute(team, cluster.name): cluster.expected_hours for cluster in team.clusters}
        hours |= {logical.compute(team, instance.name): instance.expected_hours for instance in team.instances}
    return hours


def _shared(department: Department) -> Iterator[PlannedResource]:
    shared = department.shared
    if shared.registry:
        yield _registry(f"{SHARED}-registry", None, shared_registry_tier(department))
    if shared.log_workspace:
        yield _logs(f"{SHARED}-logs", None, department)
    if registry := department.model_registry:
        regions = (department.region, *registry.regions)
        accounts = [{"systemCreatedStorageAccount": {"storageAccountType": department.replication}}]
        details = [{"location": region, "storageAccountDetails": accounts} for region in regions]
        yield PlannedResource(f"{_ML}:Registry", logical.MODEL_REGISTRY, None, {"regionDetails": details})


def _dependencies(department: Department, team: Team) -> Iterator[PlannedResource]:
    """A workspace and what it is made with."""
    own_lake = team.lake is not None and team.lake.account_id is None
    for purpose in ("work", "data", *(["lake"] if own_lake else [])):
        inputs = {"sku": {"name": department.replication}}
        yield PlannedResource(f"{_NATIVE}:storage:StorageAccount", f"{team.name}-{purpose}", team.name, inputs)
    if team.existing.key_vault_id is None:
        yield PlannedResource(f"{_NATIVE}:keyvault:Vault", f"{team.name}-vault", team.name)
    if _own_registry(department, team):
        yield _registry(f"{team.name}-registry", team.name, registry_tier(department, team))
    if not (team.existing.log_workspace_id or department.shared.log_workspace or department.shared.log_workspace_id):
        yield _logs(f"{team.name}-logs", team.name, department)
    yield PlannedResource(f"{_ML}:Workspace", f"{team.name}-workspace", team.name, _workspace(team))


def _own_registry(department: Department, team: Team) -> bool:
    shared = department.shared
    return not (team.existing.registry_id or shared.registry or shared.registry_id)


def _registry(name: str, team: str | None, tier: str) -> PlannedResource:
    return PlannedResource(f"{_NATIVE}:containerregistry:Registry", name, team, {"sku": {"name": tier}})


def _logs(name: str, team: str | None, department: Department) -> PlannedResource:
    inputs = {"retentionInDays": department.log_retention_days}
    return PlannedResource(f"{_NATIVE}:operationalinsights:Workspace", name, team, inputs)


def _workspace(team: Team) -> dict[str, Any]:
    inputs: dict[str, Any] = {"workspaceName": team.name}
    if team.network.mode == "managed":
        approved = team.network.outbound_access != "internet"
        mode = "AllowOnlyApprovedOutbound" if approved else "AllowInternetOutbound"
        inputs["managedNetwork"] = {
            "isolationMode": mode,
            "firewallSku": "Basic" if team.network.basic_firewall else None,
        }
    if team.customer_key:
        inputs["encryption"] = {"status": "Enabled"}
        inputs["enableServiceSideCMKEncryption"] = team.customer_key.service_side
    return inputs


def _private(department: Department, team: Team) -> Iterator[PlannedResource]:
    """The endpoints and DNS zones of a team whose network is private."""
    if team.network.mode != "private":
        return
    own_zones = team.network.dns_zones_group_id is None
    if own_zones:
        for zone in ALL_ZONES:
            yield PlannedResource(f"{_NATIVE}:privatedns:PrivateZone", f"{team.name}-{zone}", team.name)
    purposes = ["work-blob", "work-file", "work-queue", "work-table", "data-blob", "workspace"]
    if team.existing.key_vault_id is None or own_zones:
        purposes.append("vault")
    if _own_registry(department, team) or own_zones or connects_shared_registry(department, team):
        purposes.append("registry")
    if team.data and team.data.shares:
        purposes.append("data-file")
    if team.lake and (team.lake.account_id is None or own_zones):
        purposes += ["lake-blob", "lake-dfs"]
    if department.model_registry:
        purposes.append("model-registry")
    for purpose in purposes:
        yield PlannedResource(f"{_NATIVE}:network:PrivateEndpoint", f"{team.name}-{purpose}", team.name)


def _managed(department: Department, team: Team) -> Iterator[PlannedResource]:
    """The outbound rules of a team whose network Azure ML manages."""
    if team.network.mode != "managed":
        return
    endpoint = "PrivateEndpoint"
    kinds = {
        rule.name: "FQDN" if rule.host else endpoint if rule.resource_id else "ServiceTag"
        for rule in team.network.outbound
    }
    made = {
        "data-blob": True,
        "data-file": team.data is not None and bool(team.data.shares),
        "lake-blob": team.lake is not None,
        "lake-dfs": team.lake is not None,
        "model-registry": department.model_registry is not None,
    }
    kinds |= {name: endpoint for name, there in made.items() if there}
    for name, kind in kinds.items():
        inputs = {"workspaceName": team.name, "properties": {"type": kind}}
        yield PlannedResource(f"{_ML}:ManagedNetworkSettingsRule", f"{team.name}-{name}", team.name, inputs)


def _cluster(cluster: Cluster) -> dict[str, Any]:
    properties = {
        "vmSize": cluster.vm_size,
        "vmPriority": "LowPriority" if cluster.priority == "lowPriority" else "Dedicated",
        "scaleSettings": {"maxNodeCount": cluster.max_nodes},
    }
    return {"properties": {"computeType": "AmlCompute", "properties": properties}}


def _instance(instance: Instance) -> dict[str, Any]:
    return {"properties": {"computeType": "ComputeInstance", "properties": {"vmSize": instance.vm_size}}}
