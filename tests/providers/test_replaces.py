"""What replaces and what does not, type by type.

Every expectation comes from what is known of azure-native 3.29.0, not from the stand-in: the path's parts, create-only
properties of the specification, and azure-native's force-new map (provider/pkg/gen/replacement.go, properties.go,
provider/pkg/provider/diff.go). `S` marks what is read in source or specification, `A` what is assumed.
"""

from typing import Any

import pytest

from sandbox.providers.azure_native import AzureNative
from sandbox.providers.azuread import AzureAD
from tests.providers.driver import Resource

GROUP = "resourceGroupName"
LOCATION_RULE = "S: force-new map"
PATH = "S: path parameters replace, by their SDK names"
NOTHING = "S: no mutability in the specification, not in the force-new map"

# type, inputs by name: those that are parts of the path; those of the body that replace; those that do not; source
TABLE: list[tuple[str, list[str], list[str], list[str], str]] = [
    ("resources:ResourceGroup", [GROUP], ["location"], ["tags", "managedBy"], LOCATION_RULE),
    ("authorization:ManagementLockAtResourceGroupLevel", ["lockName", GROUP], [], ["level", "notes"], PATH),
    ("authorization:ManagementLockByScope", ["lockName", "scope"], [], ["level", "notes"], PATH),
    ("managedidentity:UserAssignedIdentity", [GROUP, "resourceName"], ["location"], ["tags"], "S: create-only"),
    (
        "authorization:RoleDefinition",
        ["roleDefinitionId", "scope"],
        [],
        ["roleName", "permissions", "assignableScopes"],
        "S: in place",
    ),
    (
        "authorization:RoleAssignment",
        ["roleAssignmentName", "scope"],
        ["principalId"],
        ["roleDefinitionId", "principalType", "condition", "description"],
        "S: force-new map has principalId and scope, not roleDefinitionId",
    ),
    (
        "storage:StorageAccount",
        ["accountName", GROUP],
        ["location", "isHnsEnabled"],
        ["kind", "sku", "immutableStorageWithVersioning", "allowSharedKeyAccess", "encryption", "identity"],
        LOCATION_RULE,
    ),
    (
        "storage:BlobContainer",
        ["accountName", GROUP, "containerName"],
        [],
        ["publicAccess", "metadata"],
        "S: map is empty",
    ),
    ("storage:ManagementPolicy", ["accountName", GROUP, "managementPolicyName"], [], ["policy"], PATH),
    (
        "storage:BlobServiceProperties",
        ["accountName", GROUP, "blobServicesName"],
        [],
        ["isVersioningEnabled", "deleteRetentionPolicy"],
        PATH,
    ),
    (
        "keyvault:Vault",
        ["vaultName", GROUP],
        [],
        ["location", "properties", "tags"],
        "S: absent from the map, even location",
    ),
    ("keyvault:Secret", ["vaultName", GROUP, "secretName"], [], ["properties", "tags"], NOTHING),
    (
        "containerregistry:Registry",
        ["registryName", GROUP],
        ["location"],
        ["sku", "adminUserEnabled", "publicNetworkAccess", "zoneRedundancy"],
        "A: location is create-only",
    ),
    (
        "applicationinsights:Component",
        [GROUP, "resourceName"],
        ["location", "applicationType"],
        ["workspaceResourceId", "ingestionMode", "tags"],
        "S: create-only",
    ),
    (
        "operationalinsights:Workspace",
        [GROUP, "workspaceName"],
        ["location"],
        ["sku", "retentionInDays", "tags"],
        "S: create-only",
    ),
    (
        "machinelearningservices:Workspace",
        [GROUP, "workspaceName"],
        [],
        ["location", "keyVault", "storageAccount", "hbiWorkspace", "identity", "managedNetwork", "sku"],
        "S: none: the PUT goes out",
    ),
    (
        "machinelearningservices:Compute",
        ["computeName", GROUP, "workspaceName"],
        [],
        ["properties", "location", "identity", "sku"],
        "S: none: create-only on nested types only sets a flag",
    ),
    (
        "machinelearningservices:Registry",
        [GROUP, "registryName"],
        ["location"],
        ["tags", "publicNetworkAccess", "sku"],
        "S: common-types v3 TrackedResource, create-only; the schema export has willReplaceOnChanges",
    ),
    (
        "machinelearningservices:OnlineEndpoint",
        ["endpointName", GROUP, "workspaceName"],
        ["location"],
        ["properties", "identity", "sku", "tags"],
        "S: common-types v3 TrackedResource, create-only",
    ),
    (
        "machinelearningservices:OnlineDeployment",
        ["deploymentName", "endpointName", GROUP, "workspaceName"],
        ["location"],
        ["properties", "identity", "sku", "tags"],
        "S: common-types v3 TrackedResource, create-only",
    ),
    ("machinelearningservices:Datastore", [GROUP, "workspaceName", "name"], [], ["properties"], NOTHING),
    (
        "machinelearningservices:WorkspaceConnection",
        [GROUP, "workspaceName", "connectionName"],
        [],
        ["properties"],
        NOTHING,
    ),
    (
        "machinelearningservices:ManagedNetworkSettingsRule",
        [GROUP, "workspaceName", "ruleName"],
        [],
        ["properties"],
        NOTHING,
    ),
    ("monitor:DiagnosticSetting", ["name", "resourceUri"], [], ["workspaceId", "logs", "metrics"], PATH),
    (
        "consumption:Budget",
        ["budgetName", "scope"],
        [],
        ["timePeriod", "amount", "notifications"],
        "S: a PUT that Azure refuses",
    ),
    ("costmanagement:Budget", ["budgetName", "scope"], [], ["timePeriod", "amount", "notifications"], NOTHING),
    ("authorization:PolicyDefinition", ["policyDefinitionName"], [], ["policyRule", "parameters", "displayName"], PATH),
    (
        "authorization:PolicyAssignment",
        ["policyAssignmentName", "scope"],
        [],
        ["policyDefinitionId", "parameters", "location", "enforcementMode"],
        PATH,
    ),
    (
        "network:VirtualNetwork",
        ["virtualNetworkName", GROUP],
        ["location"],
        ["addressSpace", "subnets", "tags"],
        LOCATION_RULE,
    ),
    (
        "network:Subnet",
        ["virtualNetworkName", GROUP, "subnetName"],
        [],
        ["addressPrefix", "delegations"],
        "S: map is empty",
    ),
    (
        "network:PrivateEndpoint",
        ["privateEndpointName", GROUP],
        ["subnet"],
        ["location", "privateLinkServiceConnections", "tags"],
        LOCATION_RULE,
    ),
    (
        "network:PrivateDnsZoneGroup",
        ["privateEndpointName", GROUP, "privateDnsZoneGroupName"],
        [],
        ["privateDnsZoneConfigs"],
        NOTHING,
    ),
    ("network:NetworkSecurityGroup", ["networkSecurityGroupName", GROUP], [], ["location", "securityRules"], "A: none"),
    ("privatedns:PrivateZone", ["privateZoneName", GROUP], ["location"], ["tags"], "S: create-only"),
    (
        "privatedns:VirtualNetworkLink",
        ["privateZoneName", GROUP, "virtualNetworkLinkName"],
        ["location"],
        ["registrationEnabled", "tags"],
        "S: create-only",
    ),
]
CASES = [
    pytest.param(f"azure-native:{type_}", name, name in path or name in body, id=f"{type_}-{name}")
    for type_, path, body, rest, _ in TABLE
    for name in [*path, *body, *rest]
]

AZUREAD = [
    ("application:Application", ["templateId"], ["displayName", "description", "tags", "signInAudience"]),
    ("servicePrincipal:ServicePrincipal", ["clientId"], ["accountEnabled", "description", "tags"]),
    (
        "servicePrincipalPassword:ServicePrincipalPassword",
        ["servicePrincipalId", "displayName", "startDate", "endDate", "endDateRelative", "rotateWhenChanged"],
        [],
    ),
    (
        "group:Group",
        ["types", "behaviors", "mailNickname", "assignableToRole", "provisioningOptions"],
        ["displayName", "description", "members", "owners", "securityEnabled"],
    ),
    ("groupMember:GroupMember", ["groupObjectId", "memberObjectId"], []),
    (
        "applicationFederatedIdentityCredential:ApplicationFederatedIdentityCredential",
        ["applicationId", "displayName"],
        ["audiences", "issuer", "subject", "description"],
    ),
]


@pytest.mark.parametrize(("type_", "name", "replaces"), CASES)
def test_azure_native_replaces_only_where_it_does(alone: AzureNative, type_: str, name: str, replaces: bool) -> None:
    resource = Resource(alone, type_, inputs={name: "before"})
    found = resource.diff({name: "after"})
    assert found.changed
    assert found.replaces == ([name] if replaces else [])
    assert found.kinds == {name: "UPDATE_REPLACE" if replaces else "UPDATE"}
    assert found.delete_first is replaces


@pytest.mark.parametrize(
    ("type_", "name", "replaces"),
    [(f"azuread:index/{t}", n, n in yes) for t, yes, no in AZUREAD for n in [*yes, *no]],
)
def test_azuread_replaces_only_where_it_does(type_: str, name: str, replaces: bool) -> None:
    found = Resource(AzureAD(), type_, inputs={name: "before"}).diff({name: "after"})
    assert found.changed
    assert found.replaces == ([name] if replaces else [])
    assert not found.delete_first


ENDPOINT = "azure-native:network:PrivateEndpoint"
COMPUTE = "azure-native:machinelearningservices:Compute"
SUBNET = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/"


@pytest.mark.parametrize(
    ("type_", "old", "new", "kinds", "replaces"),
    [
        pytest.param(
            ENDPOINT,
            {"subnet": {"id": SUBNET + "a"}},
            {"subnet": {"id": SUBNET + "b"}},
            {"subnet.id": "UPDATE_REPLACE"},
            ["subnet.id"],
            id="a change below a replacing property replaces",
        ),
        pytest.param(
            ENDPOINT,
            {"subnet": {"id": SUBNET + "a"}},
            {"subnet": {"id": SUBNET + "a", "name": "x"}},
            {"subnet": "UPDATE_REPLACE", "subnet.name": "ADD"},
            ["subnet"],
            id="a child that comes below a replacing property replaces by its parent",
        ),
        pytest.param(
            ENDPOINT,
            {"subnet": {"id": SUBNET.lower() + "a"}},
            {"subnet": {"id": SUBNET.upper().replace("/SUBSCRIPTIONS", "/subscriptions") + "A"}},
            {},
            [],
            id="resource ids are equal without case",
        ),
        pytest.param(
            COMPUTE,
            {
                "properties": {
                    "computeType": "AmlCompute",
                    "properties": {"vmSize": "STANDARD_DS3_V2", "vmPriority": "Dedicated"},
                }
            },
            {
                "properties": {
                    "computeType": "AmlCompute",
                    "properties": {"vmSize": "STANDARD_D13_V2", "vmPriority": "LowPriority"},
                }
            },
            {"properties.properties.vmSize": "UPDATE", "properties.properties.vmPriority": "UPDATE"},
            [],
            id="a cluster's size and priority do not replace",
        ),
        pytest.param(
            "azure-native:keyvault:Vault",
            {"properties": {"sku": {"name": "standard"}, "enablePurgeProtection": True}},
            {"properties": {"sku": {"name": "premium"}}},
            {"properties.sku.name": "UPDATE", "properties.enablePurgeProtection": "DELETE"},
            [],
            id="nothing in a vault's properties replaces",
        ),
        pytest.param(
            "azure-native:storage:StorageAccount",
            {"location": "East US 2", "tags": {"a.b": "1", "c": "2"}},
            {"location": "eastus2", "tags": {"a.b": "2", "d": "3"}},
            {'tags.["a.b"]': "UPDATE", "tags.c": "DELETE", "tags.d": "ADD"},
            [],
            id="locations are equal without case and spaces; keys with dots are quoted",
        ),
        pytest.param(
            "azure-native:storage:StorageAccount",
            {"location": "eastus2"},
            {"location": "westus"},
            {"location": "UPDATE_REPLACE"},
            ["location"],
            id="another location replaces an account",
        ),
        pytest.param(
            "azure-native:storage:StorageAccount",
            {"isHnsEnabled": True},
            {},
            {"isHnsEnabled": "DELETE_REPLACE"},
            ["isHnsEnabled"],
            id="a replacing input that is taken away replaces",
        ),
        pytest.param(
            "azure-native:storage:StorageAccount",
            {GROUP: "Team"},
            {GROUP: "team"},
            {},
            [],
            id="a resource group's name has no case",
        ),
        pytest.param(
            "azure-native:authorization:RoleDefinition",
            {"permissions": [{"actions": ["a"]}, {"actions": ["b"]}]},
            {"permissions": [{"actions": ["a", "c"]}]},
            {"permissions[0].actions[1]": "ADD", "permissions[1]": "DELETE"},
            [],
            id="lists are compared by position",
        ),
    ],
)
def test_details(  # noqa: PLR0917 (a row of the table)
    alone: AzureNative,
    type_: str,
    old: dict[str, Any],
    new: dict[str, Any],
    kinds: dict[str, str],
    replaces: list[str],
) -> None:
    found = Resource(alone, type_, inputs=old).diff(new)
    assert found.kinds == kinds
    assert found.replaces == replaces
    assert found.changed is bool(kinds)


def policy(object_id: str, *secrets: str) -> dict[str, Any]:
    return {"tenantId": "t", "objectId": object_id, "permissions": {"secrets": list(secrets)}}


def test_arrays_with_identifiers_are_sets(alone: AzureNative) -> None:
    """S: keyvault.json 2024-11-01 gives accessPolicies x-ms-identifiers tenantId, objectId, permissions."""
    vault = Resource(alone, "azure-native:keyvault:Vault")
    vault.inputs = {"properties": {"accessPolicies": [policy("a", "get"), policy("b", "get")]}}
    assert not vault.diff({"properties": {"accessPolicies": [policy("b", "get"), policy("a", "get")]}}).changed
    found = vault.diff({"properties": {"accessPolicies": [policy("b", "get"), policy("c", "get")]}})
    assert found.kinds == {"properties.accessPolicies[1]": "ADD", "properties.accessPolicies[0]": "DELETE"}
    twice = [policy("a", "get"), policy("a", "get")]
    vault.inputs = {"properties": {"accessPolicies": twice}}
    assert not vault.diff({"properties": {"accessPolicies": twice}}).changed
    fewer = vault.diff({"properties": {"accessPolicies": twice[:1]}})
    assert fewer.kinds == {"properties.accessPolicies[1]": "DELETE"}  # no identities: by position


def test_an_input_added_with_the_specifications_default_is_no_change(alone: AzureNative) -> None:
    registry = Resource(alone, "azure-native:containerregistry:Registry", inputs={"registryName": "r"})
    assert not registry.diff({"registryName": "r", "publicNetworkAccess": "Enabled"}).changed
    assert registry.diff({"registryName": "r", "publicNetworkAccess": "Disabled"}).changed


def test_a_replacing_input_added_with_the_value_it_has_is_a_plain_add(alone: AzureNative) -> None:
    account = Resource(alone, "azure-native:storage:StorageAccount", outputs={"isHnsEnabled": False})
    same = account.diff({"isHnsEnabled": False})
    assert (same.kinds, same.replaces, same.changed) == ({"isHnsEnabled": "ADD"}, [], True)
    other = account.diff({"isHnsEnabled": True})
    assert (other.kinds, other.replaces) == ({"isHnsEnabled": "ADD_REPLACE"}, ["isHnsEnabled"])


def test_a_name_made_at_random_is_created_before_the_old_one_is_deleted(alone: AzureNative) -> None:
    account = Resource(alone, "azure-native:storage:StorageAccount")
    account.inputs = {"location": "eastus", "__createBeforeDelete": True}
    assert not account.diff({"location": "westus"}).delete_first
    account.inputs = {"location": "eastus"}
    assert account.diff({"location": "westus"}).delete_first


def test_a_new_default_api_version_is_an_update(alone: AzureNative) -> None:
    vault = Resource(alone, "azure-native:keyvault:Vault", inputs={"azureApiVersion": "2023-07-01"})
    assert vault.diff({"azureApiVersion": "2024-11-01"}).kinds == {"azureApiVersion": "UPDATE"}
    imported = Resource(alone, "azure-native:keyvault:Vault", outputs={"azureApiVersion": "2024-11-01"})
    assert not imported.diff({"azureApiVersion": "2024-11-01"}).changed


def test_internal_inputs_do_not_count(alone: AzureNative) -> None:
    account = Resource(alone, "azure-native:storage:StorageAccount", inputs={"__x": 1, "kind": "StorageV2"})
    assert not account.diff({"kind": "StorageV2"}).changed


def test_an_unknown_value_differs_from_every_known_one(alone: AzureNative) -> None:
    unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
    assignment = Resource(alone, "azure-native:authorization:RoleAssignment", inputs={"principalId": "p"})
    assert assignment.diff({"principalId": unknown}).replaces == ["principalId"]


def test_what_a_group_keeps_when_it_is_taken_away_is_no_change() -> None:
    """S: members and owners are optional and computed: taking them out of the program leaves them in the group."""
    group = Resource(AzureAD(), "azuread:index/group:Group", inputs={"displayName": "g", "members": ["a", "b"]})
    assert not group.diff({"displayName": "g"}).changed
    assert not group.diff({"displayName": "g", "members": ["b", "a"]}).changed
    assert group.diff({"displayName": "g", "members": ["a"]}).kinds == {"members": "UPDATE"}
