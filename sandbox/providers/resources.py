"""The table of azure-native's types: what the SDK does not tell of them.

Shapes, required properties, defaults and API versions come from `schema.json`. Here stand the path that the resource
manager knows a resource by, which body properties replace, names on the wire that differ from the SDK's, and the
particulars of a type. Sources: azure-native's force-new map and generator (provider/pkg/gen), the Azure REST API
specifications, and the attribute maps of Microsoft's azure-mgmt packages; `docs/fidelity/providers.md` names them.
"""

import json
import re
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

# Properties that the resource manager keeps beside `properties`; everything else of a flattened body lies inside.
ENVELOPE: Final = frozenset(
    {"id", "name", "type", "location", "tags", "identity", "sku", "kind", "extendedLocation", "managedBy"}
    | {"etag", "eTag", "systemData", "updateHistory", "zones"}
)


@dataclass(frozen=True)
class Limits:
    """The limits of a string or a number; lengths are in bytes, as azure-native counts them."""

    pattern: str | None = None
    shortest: int | None = None
    longest: int | None = None
    lowest: float | None = None
    highest: float | None = None


@dataclass(frozen=True)
class ResourceType:
    """How one type differs from what all have in common.

    Attributes:
        path: The id's template, with the SDK's names for its parts.
        replaces: Body properties whose change replaces (`a`, `a.b` or `a[].b`), by create-only mutability in the API's
            specification or by azure-native's force-new map.
        flat: Whether inputs lie flat that belong under `properties` in the body.
        inside: Envelope names that belong under `properties` all the same.
        flat_outputs: Whether the response's `properties` are flattened though the inputs' are not.
        wire: SDK names to names on the wire.
        queries: Inputs sent in the query.
        needs_location: Whether the specification requires `location` (which the SDK leaves to the default).
        long_running: Whether its PUT is a long-running operation by specification.
        children: SDK paths of arrays that are resources of their own as well: `[]` at create; if unset, kept at
            update and `[]` at refresh.
        sets: SDK paths of arrays that are compared as sets, with the properties that identify an element.
        after_removal: What an input is set to when it is removed, since Azure takes absence as no change.
        singleton: Whether it exists with its parent: creating is allowed, deleting sets it back to defaults.
        limits: Limits of path parts and properties.
    """

    path: str
    replaces: frozenset[str] = frozenset()
    flat: bool = True
    inside: frozenset[str] = frozenset()
    flat_outputs: bool = False
    wire: dict[str, str] = field(default_factory=dict)
    queries: frozenset[str] = frozenset()
    needs_location: bool = False
    long_running: bool = False
    children: tuple[str, ...] = ()
    sets: dict[str, tuple[str, ...]] = field(default_factory=dict)
    after_removal: dict[str, Any] = field(default_factory=dict)
    singleton: bool = False
    limits: dict[str, Limits] = field(default_factory=dict)

    @cached_property
    def path_inputs(self) -> tuple[str, ...]:
        """The inputs that make up the id, outermost first."""
        return tuple(name for name in re.findall(r"{(\w+)}", self.path) if name != "subscriptionId")

    @property
    def named_by(self) -> str:
        """The input that gets an automatic name: the last part of the path."""
        return self.path_inputs[-1]

    @cached_property
    def naming(self) -> str:
        """How the automatic name is made: `random`, `copy` or `uuid` (azure-native's resources.AutoNamer)."""
        if self.named_by in ("roleAssignmentName", "roleDefinitionId"):
            return "uuid"
        _, namespace, rest = self.path.lower().rpartition("microsoft.")
        return "random" if not namespace or rest.count("{") == 1 else "copy"


_GROUP = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/"
_ML = _GROUP + "Microsoft.MachineLearningServices/workspaces/{workspaceName}"
_ACCOUNT = _GROUP + "Microsoft.Storage/storageAccounts/{accountName}"
_VAULT = _GROUP + "Microsoft.KeyVault/vaults/{vaultName}"
_NETWORK = _GROUP + "Microsoft.Network/"
_IDENTITY = _GROUP + "Microsoft.ManagedIdentity/userAssignedIdentities/{resourceName}"

_ACCOUNT_NAME = {"accountName": Limits("^[a-z0-9]+$", 3, 24)}
_VAULT_NAME = {"vaultName": Limits("^[a-zA-Z0-9-]{3,24}$")}
_ML_NAME = {"workspaceName": Limits("^[a-zA-Z0-9][a-zA-Z0-9_-]{2,32}$")}
_LOCATION = frozenset({"location"})

# What azure-native sends when networkRuleSet is taken out of a storage account (gen/propertyDefaults.go).
_OPEN_RULES = {"bypass": "AzureServices", "defaultAction": "Allow", "ipRules": [], "virtualNetworkRules": []}

# The names of Application Insights' properties on the wire, where they differ by more than the first letter.
_COMPONENT = {
    "applicationType": "Application_Type",
    "flowType": "Flow_Type",
    "requestSource": "Request_Source",
    **{
        name[0].lower() + name[1:]: name
        for name in (
            "AppId",
            "ApplicationId",
            "ConnectionString",
            "CreationDate",
            "DisableIpMasking",
            "DisableLocalAuth",
            "ForceCustomerStorageForProfiler",
            "HockeyAppId",
            "HockeyAppToken",
            "ImmediatePurgeDataOn30Days",
            "IngestionMode",
            "InstrumentationKey",
            "LaMigrationDate",
            "PrivateLinkScopedResources",
            "RetentionInDays",
            "SamplingPercentage",
            "TenantId",
            "WorkspaceResourceId",
        )
    },
}

RESOURCES: Final[dict[str, ResourceType]] = {
    "azure-native:resources:ResourceGroup": ResourceType(
        "/subscriptions/{subscriptionId}/resourcegroups/{resourceGroupName}",
        replaces=_LOCATION,
        flat=False,
        needs_location=True,
    ),
    "azure-native:authorization:ManagementLockAtResourceGroupLevel": ResourceType(
        _GROUP + "Microsoft.Authorization/locks/{lockName}"
    ),
    "azure-native:authorization:ManagementLockByScope": ResourceType(
        "/{scope}/providers/Microsoft.Authorization/locks/{lockName}"
    ),
    "azure-native:authorization:RoleDefinition": ResourceType(
        "/{scope}/providers/Microsoft.Authorization/roleDefinitions/{roleDefinitionId}", wire={"roleType": "type"}
    ),
    "azure-native:authorization:RoleAssignment": ResourceType(
        "/{scope}/providers/Microsoft.Authorization/roleAssignments/{roleAssignmentName}",
        replaces=frozenset({"principalId", "scope"}),
    ),
    "azure-native:authorization:PolicyDefinition": ResourceType(
        "/subscriptions/{subscriptionId}/providers/Microsoft.Authorization/policyDefinitions/{policyDefinitionName}",
    ),
    "azure-native:authorization:PolicyAssignment": ResourceType(
        "/{scope}/providers/Microsoft.Authorization/policyAssignments/{policyAssignmentName}"
    ),
    "azure-native:managedidentity:UserAssignedIdentity": ResourceType(
        _IDENTITY, replaces=_LOCATION, needs_location=True
    ),
    "azure-native:managedidentity:FederatedIdentityCredential": ResourceType(
        _IDENTITY + "/federatedIdentityCredentials/{federatedIdentityCredentialResourceName}",
        limits={"federatedIdentityCredentialResourceName": Limits("^[a-zA-Z0-9]{1}[a-zA-Z0-9-_]{2,119}$")},
    ),
    "azure-native:storage:StorageAccount": ResourceType(
        _ACCOUNT,
        replaces=frozenset({"location", "isHnsEnabled"}),
        wire={
            "enableHttpsTrafficOnly": "supportsHttpsTrafficOnly",
            "enableNfsV3": "isNfsV3Enabled",
            "networkRuleSet": "networkAcls",
        },
        needs_location=True,
        long_running=True,
        after_removal={"networkRuleSet": _OPEN_RULES},
        limits=_ACCOUNT_NAME,
    ),
    "azure-native:storage:BlobContainer": ResourceType(
        _ACCOUNT + "/blobServices/default/containers/{containerName}",
        limits={**_ACCOUNT_NAME, "containerName": Limits(None, 3, 63)},
    ),
    "azure-native:storage:FileShare": ResourceType(
        _ACCOUNT + "/fileServices/default/shares/{shareName}",
        replaces=frozenset({"enabledProtocols"}),
        queries=frozenset({"expand"}),
        limits={
            **_ACCOUNT_NAME,
            "shareName": Limits(None, 3, 63),
            "shareQuota": Limits(lowest=1, highest=102400),
        },
    ),
    "azure-native:storage:ManagementPolicy": ResourceType(
        _ACCOUNT + "/managementPolicies/{managementPolicyName}", limits=_ACCOUNT_NAME
    ),
    "azure-native:storage:BlobServiceProperties": ResourceType(
        _ACCOUNT + "/blobServices/{blobServicesName}", singleton=True, limits=_ACCOUNT_NAME
    ),
    "azure-native:keyvault:Vault": ResourceType(
        _VAULT,
        flat=False,
        needs_location=True,
        long_running=True,
        children=("properties.accessPolicies",),
        sets={"properties.accessPolicies": ("tenantId", "objectId", "permissions")},
        limits=_VAULT_NAME,
    ),
    "azure-native:keyvault:Secret": ResourceType(
        _VAULT + "/secrets/{secretName}",
        flat=False,
        limits={**_VAULT_NAME, "secretName": Limits("^[a-zA-Z0-9-]{1,127}$")},
    ),
    "azure-native:keyvault:Key": ResourceType(
        _VAULT + "/keys/{keyName}",
        flat=False,
        flat_outputs=True,
        wire={"releasePolicy": "release_policy"},
        limits={**_VAULT_NAME, "keyName": Limits("^[a-zA-Z0-9-]{1,127}$")},
    ),
    "azure-native:containerregistry:Registry": ResourceType(
        _GROUP + "Microsoft.ContainerRegistry/registries/{registryName}",
        replaces=_LOCATION,
        needs_location=True,
        long_running=True,
        limits={"registryName": Limits("^[a-zA-Z0-9]*$", 5, 50)},
    ),
    "azure-native:applicationinsights:Component": ResourceType(
        _GROUP + "Microsoft.Insights/components/{resourceName}",
        replaces=frozenset({"location", "applicationType"}),
        wire=_COMPONENT,
        needs_location=True,
    ),
    "azure-native:operationalinsights:Workspace": ResourceType(
        _GROUP + "Microsoft.OperationalInsights/workspaces/{workspaceName}",
        replaces=_LOCATION,
        inside=frozenset({"sku"}),
        needs_location=True,
        long_running=True,
        limits={"workspaceName": Limits("^[A-Za-z0-9][A-Za-z0-9-]+[A-Za-z0-9]$", 4, 63)},
    ),
    "azure-native:machinelearningservices:Workspace": ResourceType(_ML, long_running=True, limits=_ML_NAME),
    "azure-native:machinelearningservices:Compute": ResourceType(
        _ML + "/computes/{computeName}", flat=False, long_running=True, limits=_ML_NAME
    ),
    "azure-native:machinelearningservices:Datastore": ResourceType(
        _ML + "/datastores/{name}",
        flat=False,
        queries=frozenset({"skipValidation"}),
        limits={**_ML_NAME, "name": Limits(r"^[a-zA-Z0-9][a-zA-Z0-9\-_]{0,254}$")},
    ),
    "azure-native:machinelearningservices:WorkspaceConnection": ResourceType(
        _ML + "/connections/{connectionName}", flat=False, limits=_ML_NAME
    ),
    "azure-native:machinelearningservices:ManagedNetworkSettingsRule": ResourceType(
        _ML + "/outboundRules/{ruleName}", flat=False, long_running=True, limits=_ML_NAME
    ),
    "azure-native:machinelearningservices:OnlineEndpoint": ResourceType(
        _ML + "/onlineEndpoints/{endpointName}",
        replaces=_LOCATION,
        flat=False,
        needs_location=True,
        long_running=True,
        limits=_ML_NAME,
    ),
    "azure-native:machinelearningservices:OnlineDeployment": ResourceType(
        _ML + "/onlineEndpoints/{endpointName}/deployments/{deploymentName}",
        replaces=_LOCATION,
        flat=False,
        needs_location=True,
        long_running=True,
        limits=_ML_NAME,
    ),
    "azure-native:machinelearningservices:Registry": ResourceType(
        _GROUP + "Microsoft.MachineLearningServices/registries/{registryName}",
        replaces=_LOCATION,
        needs_location=True,
        long_running=True,
        limits={"registryName": Limits(r"^[a-zA-Z0-9][a-zA-Z0-9\-_]{2,32}$")},
    ),
    "azure-native:monitor:DiagnosticSetting": ResourceType(
        "/{resourceUri}/providers/Microsoft.Insights/diagnosticSettings/{name}"
    ),
    "azure-native:consumption:Budget": ResourceType("/{scope}/providers/Microsoft.Consumption/budgets/{budgetName}"),
    "azure-native:costmanagement:Budget": ResourceType(
        "/{scope}/providers/Microsoft.CostManagement/budgets/{budgetName}"
    ),
    "azure-native:network:VirtualNetwork": ResourceType(
        _NETWORK + "virtualNetworks/{virtualNetworkName}",
        replaces=_LOCATION,
        long_running=True,
        children=("subnets", "virtualNetworkPeerings"),
    ),
    "azure-native:network:Subnet": ResourceType(
        _NETWORK + "virtualNetworks/{virtualNetworkName}/subnets/{subnetName}", long_running=True
    ),
    "azure-native:network:VirtualNetworkPeering": ResourceType(
        _NETWORK + "virtualNetworks/{virtualNetworkName}/virtualNetworkPeerings/{virtualNetworkPeeringName}",
        queries=frozenset({"syncRemoteAddressSpace"}),
        long_running=True,
    ),
    "azure-native:network:PrivateEndpoint": ResourceType(
        _NETWORK + "privateEndpoints/{privateEndpointName}", replaces=frozenset({"subnet"}), long_running=True
    ),
    "azure-native:network:PrivateDnsZoneGroup": ResourceType(
        _NETWORK + "privateEndpoints/{privateEndpointName}/privateDnsZoneGroups/{privateDnsZoneGroupName}",
        long_running=True,
    ),
    "azure-native:network:NetworkSecurityGroup": ResourceType(
        _NETWORK + "networkSecurityGroups/{networkSecurityGroupName}", long_running=True, children=("securityRules",)
    ),
    "azure-native:network:SecurityRule": ResourceType(
        _NETWORK + "networkSecurityGroups/{networkSecurityGroupName}/securityRules/{securityRuleName}",
        long_running=True,
    ),
    "azure-native:privatedns:PrivateZone": ResourceType(
        _NETWORK + "privateDnsZones/{privateZoneName}", replaces=_LOCATION, long_running=True
    ),
    "azure-native:privatedns:VirtualNetworkLink": ResourceType(
        _NETWORK + "privateDnsZones/{privateZoneName}/virtualNetworkLinks/{virtualNetworkLinkName}",
        replaces=_LOCATION,
        long_running=True,
    ),
}

GROUP_NAME: Final = Limits(None, 1, 90)  # of every resourceGroupName, common-types/resource-management

# Object types (module.name, without `Response`) whose parts lie under `properties` on the wire, but for the envelope.
FLAT_OBJECTS: Final = frozenset(
    {
        "Containerregistry.PrivateEndpointConnection",
        "Keyvault.PrivateEndpointConnectionItem",
        "Machinelearningservices.PrivateEndpointConnection",
        "Machinelearningservices.RegistryPrivateEndpointConnection",
        "Machinelearningservices.SharedPrivateLinkResource",
        "Network.ApplicationGatewayBackendAddressPool",
        "Network.ApplicationGatewayIPConfiguration",
        "Network.ApplicationSecurityGroup",
        "Network.BackendAddressPool",
        "Network.Delegation",
        "Network.FlowLog",
        "Network.FrontendIPConfiguration",
        "Network.IPConfiguration",
        "Network.IPConfigurationProfile",
        "Network.InboundNatRule",
        "Network.LoadBalancerBackendAddress",
        "Network.NatGateway",
        "Network.NetworkInterface",
        "Network.NetworkInterfaceIPConfiguration",
        "Network.NetworkInterfaceTapConfiguration",
        "Network.NetworkSecurityGroup",
        "Network.PrivateDnsZoneConfig",
        "Network.PrivateEndpoint",
        "Network.PrivateEndpointConnection",
        "Network.PrivateEndpointIPConfiguration",
        "Network.PrivateLinkService",
        "Network.PrivateLinkServiceConnection",
        "Network.PrivateLinkServiceIpConfiguration",
        "Network.PublicIPAddress",
        "Network.ResourceNavigationLink",
        "Network.Route",
        "Network.RouteTable",
        "Network.SecurityRule",
        "Network.ServiceAssociationLink",
        "Network.ServiceEndpointPolicy",
        "Network.ServiceEndpointPolicyDefinition",
        "Network.Subnet",
        "Network.VirtualNetworkPeering",
        "Network.VirtualNetworkPeeringVirtualNetwork",
        "Network.VirtualNetworkTap",
        "Storage.ImmutabilityPolicyProperties",
        "Storage.PrivateEndpointConnection",
    }
)

# Object types whose properties have other names on the wire.
WIRE_NAMES: Final[dict[str, dict[str, str]]] = {
    "Applicationinsights.PrivateLinkScopedResource": {"resourceId": "ResourceId", "scopeId": "ScopeId"},
    "Containerregistry.IPRule": {"iPAddressOrRange": "value"},
    "Keyvault.KeyAttributes": {"expires": "exp", "notBefore": "nbf"},
    "Keyvault.KeyProperties": {"releasePolicy": "release_policy"},
    "Keyvault.SecretAttributes": {"expires": "exp", "notBefore": "nbf"},
    "Storage.Encryption": {"encryptionIdentity": "identity", "keyVaultProperties": "keyvaultproperties"},
    "Storage.EncryptionIdentity": {
        "encryptionFederatedIdentityClientId": "federatedIdentityClientId",
        "encryptionUserAssignedIdentity": "userAssignedIdentity",
    },
    "Storage.IPRule": {"iPAddressOrRange": "value"},
    "Storage.KeyVaultProperties": {"keyName": "keyname", "keyVaultUri": "keyvaulturi", "keyVersion": "keyversion"},
    "Storage.VirtualNetworkRule": {"virtualNetworkResourceId": "id"},
}

# Limits inside objects that azure-native checks (those of a union it does not look into).
OBJECT_LIMITS: Final[dict[str, dict[str, Limits]]] = {
    "Storage.AccountImmutabilityPolicyProperties": {
        "immutabilityPeriodSinceCreationInDays": Limits(lowest=1, highest=146000)
    },
    "Storage.ChangeFeed": {"retentionInDays": Limits(lowest=1, highest=146000)},
    "Storage.DateAfterCreation": {
        name: Limits(lowest=0) for name in ("daysAfterCreationGreaterThan", "daysAfterLastTierChangeGreaterThan")
    },
    "Storage.DateAfterModification": {
        name: Limits(lowest=0)
        for name in (
            "daysAfterModificationGreaterThan",
            "daysAfterLastAccessTimeGreaterThan",
            "daysAfterLastTierChangeGreaterThan",
            "daysAfterCreationGreaterThan",
        )
    },
    "Storage.DeleteRetentionPolicy": {"days": Limits(lowest=1, highest=365)},
    "Storage.RestorePolicyProperties": {"days": Limits(lowest=1, highest=365)},
    "Storage.TagFilter": {"name": Limits(None, 1, 128), "value": Limits(None, None, 256)},
}

# Functions that POST to a resource: function name, the type of the resource, the action, its result untyped.
ACTIONS: Final[dict[str, tuple[str, str]]] = {
    "azure-native:machinelearningservices:listWorkspaceKeys": (
        "azure-native:machinelearningservices:Workspace",
        "listKeys",
    ),
    "azure-native:machinelearningservices:listWorkspaceStorageAccountKeys": (
        "azure-native:machinelearningservices:Workspace",
        "listStorageAccountKeys",
    ),
    "azure-native:machinelearningservices:listDatastoreSecrets": (
        "azure-native:machinelearningservices:Datastore",
        "listSecrets",
    ),
    "azure-native:machinelearningservices:listWorkspaceConnectionSecrets": (
        "azure-native:machinelearningservices:WorkspaceConnection",
        "listsecrets",
    ),
    "azure-native:storage:listStorageAccountKeys": ("azure-native:storage:StorageAccount", "listKeys"),
    "azure-native:containerregistry:listRegistryCredentials": (
        "azure-native:containerregistry:Registry",
        "listCredentials",
    ),
    "azure-native:operationalinsights:getSharedKeys": ("azure-native:operationalinsights:Workspace", "sharedKeys"),
}


@dataclass(frozen=True)
class Part:
    """One property of a resource or an object.

    Attributes:
        type: `string`, `boolean`, `integer`, `number`, `any`, an object's name, `[]` or `{}` before the items' type,
            or objects' names with `|` between.
        wire: Its name in a body.
        containers: The objects in a body that it lies in, outermost first.
        limits: What azure-native checks of it.
    """

    type: str
    wire: str
    containers: tuple[str, ...] = ()
    limits: Limits | None = None


@dataclass(frozen=True)
class Shape:
    """An object's properties by SDK name, the required ones, and the discriminators' values."""

    parts: dict[str, Part]
    required: tuple[str, ...] = ()
    constants: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Described:
    """A type as the provider works with it: the table's row and its shapes."""

    token: str
    type: ResourceType
    version: str
    body: Shape
    outputs: Shape
    required: tuple[str, ...]
    defaults: dict[str, Any]


@cache
def raw_schema() -> dict[str, Any]:
    """The content of `schema.json`."""
    schema: dict[str, Any] = json.loads(Path(__file__).with_name("schema.json").read_text())
    return schema


def directory_shape(token: str) -> dict[str, Any]:
    """A type of azuread as the SDK has it: `inputs` and `outputs` with their types, `required`."""
    shape: dict[str, Any] = raw_schema()["directory"][token]
    return shape


@cache
def describe(token: str) -> Described | None:
    """Everything known of a resource type, by its token; None for a type that is not emulated."""
    kind = RESOURCES.get(token)
    if kind is None:
        return None
    raw = raw_schema()["resources"][token]
    beside = set(kind.path_inputs) | kind.queries
    required = (*kind.path_inputs, *(name for name in raw["required"] if name not in beside))
    return Described(
        token,
        kind,
        raw["version"],
        Shape(
            {name: _part(kind, name, type_, kind.flat) for name, type_ in raw["inputs"].items() if name not in beside}
        ),
        Shape(
            {
                name: _part(kind, name, type_, kind.flat or kind.flat_outputs)
                for name, type_ in raw["outputs"].items()
                if name != "azureApiVersion"
            }
        ),
        (*required, "location") if kind.needs_location else required,
        raw["defaults"],
    )


def _part(kind: ResourceType, name: str, type_: str, flat: bool) -> Part:
    contained = flat and name not in ENVELOPE - kind.inside
    return Part(type_, kind.wire.get(name, name), ("properties",) if contained else (), kind.limits.get(name))


@cache
def shape(name: str) -> Shape:
    """An object type's shape, by the name that `Part.type` uses."""
    raw = raw_schema()["objects"][name]
    plain = name.removesuffix("Response")
    wire, limits = WIRE_NAMES.get(plain, {}), OBJECT_LIMITS.get(plain, {})
    parts = {
        key: Part(
            type_,
            wire.get(key, key),
            ("properties",) if plain in FLAT_OBJECTS and key not in ENVELOPE else (),
            limits.get(key),
        )
        for key, type_ in raw["properties"].items()
    }
    return Shape(parts, tuple(raw["required"]), raw["constants"])
