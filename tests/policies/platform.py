"""A platform that keeps every rule of the pack with every rule on, written by hand: two workspaces, one in a virtual
network, one in a managed network, with all that they depend on. Tests break one thing of it at a time."""

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from policies import config, pack
from policies.model import Level

SUBSCRIPTION = "/subscriptions/8b41ca0c-0c5a-4c01-b49b-5bb8d329cc27"
GROUP = f"{SUBSCRIPTION}/resourceGroups/shop"
ROLES = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions"
ACR_PULL = f"{ROLES}/7f951dda-4ed3-4680-a7ca-43fe172d538d"
BLOB_READER = f"{ROLES}/2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
CONTRIBUTOR = f"{ROLES}/b24988ac-6180-42a0-ab88-20f7382dd24c"
OWNER = f"{ROLES}/8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
PERSON = "0d3b6bd4-53c0-4a35-8f27-8c1f0a0b2f11"
TAGS = {"team": "sales", "owner": "user@domain.com"}
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


@dataclass
class Item:
    """One resource: its inputs, by input the names of the resources that it comes from, and further outputs."""

    kind: str
    name: str
    inputs: dict[str, Any]
    sources: dict[str, list[str]] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)

    @property
    def token(self) -> str:
        return f"azure-native:{self.kind}"

    @property
    def urn(self) -> str:
        return f"urn:pulumi:dev::shop::{self.token}::{self.name}"


class Platform:
    """The resources by name."""

    def __init__(self, items: Iterable[Item]) -> None:
        self.items = {item.name: item for item in items}

    def set(self, name: str, path: str, value: Any) -> "Platform":
        """The platform with one input set, or removed where the value is None."""
        target: Any = self.items[name].inputs
        *parents, last = path.split(".")
        for key in parents:
            target = target[int(key)] if key.isdigit() else target.setdefault(key, {})
        if value is None:
            target.pop(last, None)
        elif last.isdigit():
            target[int(last)] = value
        else:
            target[last] = value
        return self

    def drop(self, *names: str) -> "Platform":
        """The platform without some resources."""
        for name in names:
            del self.items[name]
        return self

    def copy(self) -> "Platform":
        return Platform(copy.deepcopy(list(self.items.values())))


def _tagged(inputs: Mapping[str, Any]) -> dict[str, Any]:
    return {"resourceGroupName": "shop", "location": "eastus2", "tags": dict(TAGS), **inputs}


def _id(provider: str, name: str) -> str:
    return f"{GROUP}/providers/{provider}/{name}"


def _workspace(name: str, *, managed: bool) -> list[Item]:
    """A workspace with its dependencies, endpoint, logs, cluster and the cluster's roles."""
    account, vault, registry = f"{name}store", f"{name}-vault", f"{name}images"
    account_id = _id("Microsoft.Storage/storageAccounts", account)
    registry_id = _id("Microsoft.ContainerRegistry/registries", registry)
    workspace_id = _id("Microsoft.MachineLearningServices/workspaces", f"{name}-ws")
    identity_id = _id("Microsoft.ManagedIdentity/userAssignedIdentities", f"{name}-id")
    subnet = {} if managed else {"subnet": {"id": _id("Microsoft.Network/virtualNetworks", "net/subnets/compute")}}
    network = {"managedNetwork": {"isolationMode": "AllowOnlyApprovedOutbound"}} if managed else {}
    identity = {"type": "UserAssigned", "userAssignedIdentities": [identity_id]}
    return [
        Item("storage:StorageAccount", account, _tagged({
            "accountName": account, "kind": "StorageV2", "sku": {"name": "Standard_LRS"},
            "enableHttpsTrafficOnly": True, "minimumTlsVersion": "TLS1_2", "allowBlobPublicAccess": False,
            "allowSharedKeyAccess": False, "publicNetworkAccess": "Disabled",
            "networkRuleSet": {"defaultAction": "Deny"}})),
        Item("keyvault:Vault", vault, _tagged({
            "vaultName": vault, "properties": {
                "enablePurgeProtection": True, "enableSoftDelete": True, "enableRbacAuthorization": True,
                "publicNetworkAccess": "Disabled", "networkAcls": {"defaultAction": "Deny"}}})),
        Item("containerregistry:Registry", registry, _tagged({
            "registryName": registry, "sku": {"name": "Premium"}, "adminUserEnabled": False,
            "anonymousPullEnabled": False, "publicNetworkAccess": "Disabled"})),
        Item("operationalinsights:Workspace", f"{name}-log", _tagged({"workspaceName": f"{name}-log"})),
        Item("applicationinsights:Component", f"{name}-insights", _tagged({
            "resourceName": f"{name}-insights", "kind": "web",
            "workspaceResourceId": _id("Microsoft.OperationalInsights/workspaces", f"{name}-log")})),
        Item("managedidentity:UserAssignedIdentity", f"{name}-id", _tagged({"resourceName": f"{name}-id"}),
            outputs={"principalId": f"principal-of-{name}"}),
        Item("machinelearningservices:Workspace", f"{name}-ws", _tagged({
            "workspaceName": f"{name}-ws", "kind": "Default", "publicNetworkAccess": "Disabled", **network,
            "encryption": {"status": "Enabled"}, "identity": identity, "primaryUserAssignedIdentity": identity_id,
            "v1LegacyMode": False, "systemDatastoresAuthMode": "identity", "hbiWorkspace": True,
            "allowPublicAccessWhenBehindVnet": False, "storageAccount": account_id, "containerRegistry": registry_id,
            "keyVault": _id("Microsoft.KeyVault/vaults", vault)})),
        Item("network:PrivateEndpoint", f"{name}-endpoint", _tagged({
            "privateEndpointName": f"{name}-endpoint", "privateLinkServiceConnections": [
                {"name": "it", "privateLinkServiceId": workspace_id, "groupIds": ["amlworkspace"]}]})),
        Item("monitor:DiagnosticSetting", f"{name}-diagnostics", {
            "name": "platform", "resourceUri": workspace_id, "logs": [{"categoryGroup": "allLogs", "enabled": True}]}),
        Item("machinelearningservices:Compute", f"{name}-cpu", _tagged({
            "computeName": f"{name}-cpu", "workspaceName": f"{name}-ws", "identity": dict(identity), "properties": {
                "computeType": "AmlCompute", "disableLocalAuth": True, "properties": {
                    "vmSize": "STANDARD_DS3_V2", "vmPriority": "Dedicated", "enableNodePublicIp": False, **subnet,
                    "remoteLoginPortPublicAccess": "Disabled", "scaleSettings": {
                        "minNodeCount": 0, "maxNodeCount": 2, "nodeIdleTimeBeforeScaleDown": "PT120S"}}}})),
        Item("authorization:RoleAssignment", f"{name}-pull", {
            "scope": registry_id, "principalId": f"principal-of-{name}", "roleDefinitionId": ACR_PULL}),
        Item("authorization:RoleAssignment", f"{name}-read", {
            "scope": account_id, "principalId": f"principal-of-{name}", "roleDefinitionId": BLOB_READER}),
    ]  # fmt: skip


_CLEAN = Platform(
    [
        Item("resources:ResourceGroup", "shop", {
            "resourceGroupName": "shop-dev", "location": "eastus2", "tags": dict(TAGS)}),
        *_workspace("own", managed=False),
        *_workspace("man", managed=True),
        Item("machinelearningservices:Compute", "notes", _tagged({
            "computeName": "notes", "workspaceName": "own-ws", "properties": {
                "computeType": "ComputeInstance", "disableLocalAuth": True, "properties": {
                    "vmSize": "STANDARD_DS3_V2", "idleTimeBeforeShutdown": "PT30M", "enableNodePublicIp": False,
                    "sshSettings": {"sshPublicAccess": "Disabled"},
                    "subnet": {"id": _id("Microsoft.Network/virtualNetworks", "net/subnets/compute")}}}})),
        Item("machinelearningservices:Datastore", "lake", {
            "name": "lake", "workspaceName": "own-ws", "resourceGroupName": "shop",
            "properties": {"datastoreType": "AzureDataLakeGen2", "credentials": {"credentialsType": "None"}}}),
        Item("machinelearningservices:WorkspaceConnection", "search", {
            "connectionName": "search", "workspaceName": "own-ws", "resourceGroupName": "shop",
            "properties": {"authType": "AAD", "category": "CognitiveSearch", "target": "https://search.example"}}),
        Item("keyvault:Key", "platform-key", _tagged({
            "keyName": "platform", "vaultName": "own-vault", "properties": {
                "kty": "RSA", "rotationPolicy": {"lifetimeActions": [
                    {"action": {"type": "rotate"}, "trigger": {"timeAfterCreate": "P90D"}}]}}})),
        Item("network:VirtualNetwork", "net", _tagged({
            "virtualNetworkName": "net", "subnets": [
                {"name": "compute", "networkSecurityGroup": {"id": _id(
                    "Microsoft.Network/networkSecurityGroups", "compute")}},
                {"name": "GatewaySubnet"}]})),
        Item("machinelearningservices:Registry", "models", _tagged({
            "registryName": "models", "publicNetworkAccess": "Disabled"})),
        Item("machinelearningservices:OnlineEndpoint", "scoring", _tagged({
            "endpointName": "scoring", "workspaceName": "own-ws",
            "properties": {"authMode": "AADToken", "publicNetworkAccess": "Disabled"}})),
        Item("machinelearningservices:OnlineDeployment", "blue", _tagged({
            "deploymentName": "blue", "endpointName": "scoring", "workspaceName": "own-ws",
            "properties": {"endpointComputeType": "Managed", "instanceType": "Standard_DS3_v2"}})),
        Item("authorization:RoleDefinition", "scientist", {
            "roleName": "Shop Scientist", "roleDefinitionId": "5f4e1b52-9a1c-4c65-8f0e-0d6f2d0c7a10", "scope": GROUP,
            "permissions": [{"actions": ["Microsoft.MachineLearningServices/workspaces/*/read"]}]}),
        Item("authorization:RoleAssignment", "person", {
            "scope": GROUP, "principalId": PERSON,
            "roleDefinitionId": f"{ROLES}/5f4e1b52-9a1c-4c65-8f0e-0d6f2d0c7a10"}),
    ]
)  # fmt: skip

SETTINGS: dict[str, dict[str, Any]] = {
    "machinelearning-compute-allow-vm-sizes": {"allowed": ["Standard_DSv2*"]},
    "machinelearning-deployment-allow-instance-types": {"allowed": ["Standard_DS3_v2"]},
    "machinelearning-compute-allow-types": {"allowed": ["AmlCompute", "ComputeInstance"]},
    "machinelearning-compute-allow-priorities": {"allowed": ["Dedicated"]},
    "azure-resource-require-tags": {"required": ["team", "owner"], "patterns": {"team": "^[a-z]+$"}},
    "azure-resource-allow-regions": {"allowed": ["East US 2"]},
    "azure-resource-match-name-pattern": {"patterns": {"resources:ResourceGroup": "-dev$"}},
    "authorization-assignment-limit-principals": {"principals": {PERSON: ["Shop Scientist"]}},
    "machinelearning-stack-limit-nodes": {"maxNodes": 5},
    "machinelearning-stack-limit-vcpus": {"families": {"standardDSv2Family": 20}, "others": False},
    "machinelearning-stack-limit-monthly-cost": {"teams": {"sales": 1000}, "teamTag": "team"},
}


def clean() -> Platform:
    """A platform that keeps every rule."""
    return _CLEAN.copy()


def everything(**more: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """A configuration with every rule mandatory."""
    found = {name: {config.LEVEL: str(Level.MANDATORY), **SETTINGS.get(name, {})} for name in pack.rules()}
    for name, entry in more.items():
        found[name] |= entry
    return found
