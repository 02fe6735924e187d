"""What is sent for each type, and what of an answer is shown.

Paths and bodies are those of the Azure REST API specifications at the API versions that azure-native uses.
"""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.providers import convert
from sandbox.providers.azure_native import AzureNative
from sandbox.providers.resources import RESOURCES, describe
from sandbox.providers.values import UNKNOWN, secret
from tests.providers.cloud import SUBSCRIPTION, Cloud
from tests.providers.driver import Resource

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/g"
IDENTITY = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i"
LIMITS = {"resourceGroupName": "g", "location": "eastus2"}

# type, inputs, path below management.azure.com, api-version, body
TABLE: list[tuple[str, dict[str, Any], str, str, dict[str, Any]]] = [
    (
        "resources:ResourceGroup",
        {**LIMITS, "tags": {"a": "b"}},
        f"/subscriptions/{SUBSCRIPTION}/resourcegroups/g",
        "2024-03-01",
        {"location": "eastus2", "tags": {"a": "b"}},
    ),
    (
        "managedidentity:UserAssignedIdentity",
        {**LIMITS, "resourceName": "i"},
        IDENTITY,
        "2023-01-31",
        {"location": "eastus2"},
    ),
    (
        "storage:StorageAccount",
        {
            **LIMITS,
            "accountName": "acct",
            "kind": "StorageV2",
            "sku": {"name": "Standard_LRS"},
            "isHnsEnabled": True,
            "enableHttpsTrafficOnly": True,
            "allowSharedKeyAccess": False,
            "defaultToOAuthAuthentication": True,
            "networkRuleSet": {
                "defaultAction": "Deny",
                "ipRules": [{"iPAddressOrRange": "1.2.3.4", "action": "Allow"}],
                "virtualNetworkRules": [{"virtualNetworkResourceId": "/subnet"}],
            },
            "identity": {"type": "UserAssigned", "userAssignedIdentities": [IDENTITY]},
            "encryption": {
                "keySource": "Microsoft.Keyvault",
                "keyVaultProperties": {"keyName": "k", "keyVaultUri": "u"},
                "encryptionIdentity": {"encryptionUserAssignedIdentity": IDENTITY},
            },
        },
        f"{GROUP}/providers/Microsoft.Storage/storageAccounts/acct",
        "2024-01-01",
        {
            "location": "eastus2",
            "kind": "StorageV2",
            "sku": {"name": "Standard_LRS"},
            "identity": {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}},
            "properties": {
                "isHnsEnabled": True,
                "supportsHttpsTrafficOnly": True,
                "allowSharedKeyAccess": False,
                "defaultToOAuthAuthentication": True,
                "networkAcls": {
                    "defaultAction": "Deny",
                    "ipRules": [{"value": "1.2.3.4", "action": "Allow"}],
                    "virtualNetworkRules": [{"id": "/subnet"}],
                },
                "encryption": {
                    "keySource": "Microsoft.Keyvault",
                    "keyvaultproperties": {"keyname": "k", "keyvaulturi": "u"},
                    "identity": {"userAssignedIdentity": IDENTITY},
                },
            },
        },
    ),
    (
        "storage:BlobContainer",
        {"resourceGroupName": "g", "accountName": "acct", "containerName": "fs1", "publicAccess": "None"},
        f"{GROUP}/providers/Microsoft.Storage/storageAccounts/acct/blobServices/default/containers/fs1",
        "2024-01-01",
        {"properties": {"publicAccess": "None"}},
    ),
    (
        "storage:FileShare",
        {
            "resourceGroupName": "g",
            "accountName": "acct",
            "shareName": "notes",
            "shareQuota": 10,
            "metadata": {"a": "b"},
        },
        f"{GROUP}/providers/Microsoft.Storage/storageAccounts/acct/fileServices/default/shares/notes",
        "2024-01-01",
        {"properties": {"shareQuota": 10, "metadata": {"a": "b"}}},
    ),
    (
        "storage:ManagementPolicy",
        {
            "resourceGroupName": "g",
            "accountName": "acct",
            "managementPolicyName": "default",
            "policy": {
                "rules": [
                    {
                        "name": "old",
                        "type": "Lifecycle",
                        "definition": {
                            "actions": {"baseBlob": {"tierToCool": {"daysAfterModificationGreaterThan": 30}}},
                            "filters": {"blobTypes": ["blockBlob"]},
                        },
                    }
                ]
            },
        },
        f"{GROUP}/providers/Microsoft.Storage/storageAccounts/acct/managementPolicies/default",
        "2024-01-01",
        {
            "properties": {
                "policy": {
                    "rules": [
                        {
                            "name": "old",
                            "type": "Lifecycle",
                            "definition": {
                                "actions": {"baseBlob": {"tierToCool": {"daysAfterModificationGreaterThan": 30}}},
                                "filters": {"blobTypes": ["blockBlob"]},
                            },
                        }
                    ]
                }
            }
        },
    ),
    (
        "keyvault:Vault",
        {
            **LIMITS,
            "vaultName": "kv-1",
            "properties": {
                "tenantId": "t",
                "sku": {"family": "A", "name": "standard"},
                "enableRbacAuthorization": True,
                "softDeleteRetentionInDays": 7,
            },
        },
        f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv-1",
        "2024-11-01",
        {
            "location": "eastus2",
            "properties": {
                "tenantId": "t",
                "sku": {"family": "A", "name": "standard"},
                "enableRbacAuthorization": True,
                "softDeleteRetentionInDays": 7,
                "accessPolicies": [],  # required by the service, and a resource of its own: set empty at create
            },
        },
    ),
    (
        "keyvault:Secret",
        {
            "resourceGroupName": "g",
            "vaultName": "kv-1",
            "secretName": "s",
            "properties": {"value": "v", "attributes": {"enabled": True, "expires": 5, "notBefore": 1}},
        },
        f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv-1/secrets/s",
        "2024-11-01",
        {"properties": {"value": "v", "attributes": {"enabled": True, "exp": 5, "nbf": 1}}},
    ),
    (
        "containerregistry:Registry",
        {**LIMITS, "registryName": "registry", "sku": {"name": "Basic"}, "adminUserEnabled": False},
        f"{GROUP}/providers/Microsoft.ContainerRegistry/registries/registry",
        "2023-01-01-preview",
        {"location": "eastus2", "sku": {"name": "Basic"}, "properties": {"adminUserEnabled": False}},
    ),
    (
        "applicationinsights:Component",
        {
            **LIMITS,
            "resourceName": "ai",
            "kind": "web",
            "applicationType": "web",
            "ingestionMode": "LogAnalytics",
            "workspaceResourceId": "/w",
        },
        f"{GROUP}/providers/Microsoft.Insights/components/ai",
        "2020-02-02",
        {
            "location": "eastus2",
            "kind": "web",
            "properties": {"Application_Type": "web", "IngestionMode": "LogAnalytics", "WorkspaceResourceId": "/w"},
        },
    ),
    (
        "operationalinsights:Workspace",
        {**LIMITS, "workspaceName": "logs", "sku": {"name": "PerGB2018"}, "retentionInDays": 30},
        f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces/logs",
        "2023-09-01",
        {"location": "eastus2", "properties": {"sku": {"name": "PerGB2018"}, "retentionInDays": 30}},
    ),
    (
        "authorization:RoleDefinition",
        {
            "scope": GROUP,
            "roleDefinitionId": "guid",
            "roleName": "Data Scientist",
            "roleType": "CustomRole",
            "permissions": [{"actions": ["*/read"], "notActions": []}],
            "assignableScopes": [GROUP],
        },
        f"{GROUP}/providers/Microsoft.Authorization/roleDefinitions/guid",
        "2022-05-01-preview",
        {
            "properties": {
                "roleName": "Data Scientist",
                "type": "CustomRole",
                "permissions": [{"actions": ["*/read"], "notActions": []}],
                "assignableScopes": [GROUP],
            }
        },
    ),
    (
        "authorization:RoleAssignment",
        {
            "scope": GROUP + "/",
            "roleAssignmentName": "guid",
            "principalId": "p",
            "principalType": "User",
            "roleDefinitionId": "r",
        },
        f"{GROUP}/providers/Microsoft.Authorization/roleAssignments/guid",
        "2022-04-01",
        {"properties": {"principalId": "p", "principalType": "User", "roleDefinitionId": "r"}},
    ),
    (
        "authorization:ManagementLockByScope",
        {"scope": f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv", "lockName": "keep", "level": "CanNotDelete"},
        f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv/providers/Microsoft.Authorization/locks/keep",
        "2020-05-01",
        {"properties": {"level": "CanNotDelete"}},
    ),
    (
        "machinelearningservices:Workspace",
        {
            **LIMITS,
            "workspaceName": "work",
            "identity": {"type": "UserAssigned", "userAssignedIdentities": [IDENTITY]},
            "primaryUserAssignedIdentity": IDENTITY,
            "storageAccount": "/st",
            "keyVault": "/kv",
            "sku": {"name": "Basic", "tier": "Basic"},
            "kind": "Default",
            "systemDatastoresAuthMode": "identity",
            "v1LegacyMode": False,
            "managedNetwork": {
                "isolationMode": "AllowInternetOutbound",
                "outboundRules": {
                    "pypi": {"type": "FQDN", "destination": "pypi.org", "category": "UserDefined"},
                    "pe": {
                        "type": "PrivateEndpoint",
                        "destination": {"serviceResourceId": "/x", "subresourceTarget": "blob"},
                    },
                },
            },
        },
        f"{GROUP}/providers/Microsoft.MachineLearningServices/workspaces/work",
        "2025-12-01",
        {
            "location": "eastus2",
            "identity": {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}},
            "sku": {"name": "Basic", "tier": "Basic"},
            "kind": "Default",
            "properties": {
                "primaryUserAssignedIdentity": IDENTITY,
                "storageAccount": "/st",
                "keyVault": "/kv",
                "systemDatastoresAuthMode": "identity",
                "v1LegacyMode": False,
                "managedNetwork": {
                    "isolationMode": "AllowInternetOutbound",
                    "outboundRules": {
                        "pypi": {"type": "FQDN", "destination": "pypi.org", "category": "UserDefined"},
                        "pe": {
                            "type": "PrivateEndpoint",
                            "destination": {"serviceResourceId": "/x", "subresourceTarget": "blob"},
                        },
                    },
                },
            },
        },
    ),
    (
        "machinelearningservices:Compute",
        {
            **LIMITS,
            "workspaceName": "work",
            "computeName": "cluster",
            "identity": {"type": "UserAssigned", "userAssignedIdentities": [IDENTITY]},
            "properties": {
                "computeType": "AmlCompute",
                "disableLocalAuth": True,
                "properties": {
                    "vmSize": "STANDARD_DS3_V2",
                    "vmPriority": "LowPriority",
                    "scaleSettings": {"minNodeCount": 0, "maxNodeCount": 1, "nodeIdleTimeBeforeScaleDown": "PT120S"},
                },
            },
        },
        f"{GROUP}/providers/Microsoft.MachineLearningServices/workspaces/work/computes/cluster",
        "2025-12-01",
        {
            "location": "eastus2",
            "identity": {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}},
            "properties": {
                "computeType": "AmlCompute",
                "disableLocalAuth": True,
                "properties": {
                    "vmSize": "STANDARD_DS3_V2",
                    "vmPriority": "LowPriority",
                    "scaleSettings": {"minNodeCount": 0, "maxNodeCount": 1, "nodeIdleTimeBeforeScaleDown": "PT120S"},
                },
            },
        },
    ),
    (
        "machinelearningservices:Datastore",
        {
            "resourceGroupName": "g",
            "workspaceName": "work",
            "name": "MLData",
            "properties": {
                "datastoreType": "AzureDataLakeGen2",
                "accountName": "lake",
                "filesystem": "fs1",
                "credentials": {"credentialsType": "None"},
                "serviceDataAccessAuthIdentity": "None",
            },
        },
        f"{GROUP}/providers/Microsoft.MachineLearningServices/workspaces/work/datastores/MLData",
        "2025-12-01",
        {
            "properties": {
                "datastoreType": "AzureDataLakeGen2",
                "accountName": "lake",
                "filesystem": "fs1",
                "credentials": {"credentialsType": "None"},
                "serviceDataAccessAuthIdentity": "None",
            }
        },
    ),
    (
        "monitor:DiagnosticSetting",
        {
            "resourceUri": f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv",
            "name": "to-logs",
            "workspaceId": "/logs",
            "logs": [{"categoryGroup": "allLogs", "enabled": True}],
        },
        f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv/providers/Microsoft.Insights/diagnosticSettings/to-logs",
        "2021-05-01-preview",
        {"properties": {"workspaceId": "/logs", "logs": [{"categoryGroup": "allLogs", "enabled": True}]}},
    ),
    (
        "consumption:Budget",
        {
            "scope": GROUP,
            "budgetName": "month",
            "amount": 100,
            "category": "Cost",
            "timeGrain": "Monthly",
            "timePeriod": {"startDate": "2026-01-01T00:00:00Z"},
            "notifications": {
                "half": {"enabled": True, "operator": "GreaterThan", "threshold": 50, "contactEmails": ["a@b.c"]}
            },
        },
        f"{GROUP}/providers/Microsoft.Consumption/budgets/month",
        "2024-08-01",
        {
            "properties": {
                "amount": 100,
                "category": "Cost",
                "timeGrain": "Monthly",
                "timePeriod": {"startDate": "2026-01-01T00:00:00Z"},
                "notifications": {
                    "half": {"enabled": True, "operator": "GreaterThan", "threshold": 50, "contactEmails": ["a@b.c"]}
                },
            }
        },
    ),
    (
        "authorization:PolicyAssignment",
        {
            "scope": GROUP,
            "policyAssignmentName": "sizes",
            "policyDefinitionId": "/def",
            "parameters": {"effect": {"value": "Deny"}},
            "identity": {"type": "SystemAssigned"},
            "location": "eastus2",
        },
        f"{GROUP}/providers/Microsoft.Authorization/policyAssignments/sizes",
        "2025-01-01",
        {
            "location": "eastus2",
            "identity": {"type": "SystemAssigned"},
            "properties": {"policyDefinitionId": "/def", "parameters": {"effect": {"value": "Deny"}}},
        },
    ),
    (
        "authorization:PolicyDefinition",
        {
            "policyDefinitionName": "sizes",
            "mode": "Indexed",
            "policyRule": {"if": {"field": "type", "equals": "x"}, "then": {"effect": "deny"}},
        },
        f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/policyDefinitions/sizes",
        "2025-01-01",
        {
            "properties": {
                "mode": "Indexed",
                "policyRule": {"if": {"field": "type", "equals": "x"}, "then": {"effect": "deny"}},
            }
        },
    ),
    (
        "network:VirtualNetwork",
        {
            **LIMITS,
            "virtualNetworkName": "net",
            "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
            "subnets": [
                {
                    "name": "ml",
                    "addressPrefix": "10.0.0.0/24",
                    "networkSecurityGroup": {"id": "/nsg"},
                    "delegations": [{"name": "d", "serviceName": "Microsoft.X/y"}],
                }
            ],
        },
        f"{GROUP}/providers/Microsoft.Network/virtualNetworks/net",
        "2024-05-01",
        {
            "location": "eastus2",
            "properties": {
                "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
                "subnets": [
                    {
                        "name": "ml",
                        "properties": {
                            "addressPrefix": "10.0.0.0/24",
                            "networkSecurityGroup": {"id": "/nsg"},
                            "delegations": [{"name": "d", "properties": {"serviceName": "Microsoft.X/y"}}],
                        },
                    }
                ],
                "virtualNetworkPeerings": [],
            },
        },
    ),
    (
        "network:PrivateEndpoint",
        {
            **LIMITS,
            "privateEndpointName": "pe",
            "subnet": {"id": "/subnet"},
            "privateLinkServiceConnections": [
                {"name": "c", "groupIds": ["blob"], "privateLinkServiceId": "/st", "requestMessage": "hi"}
            ],
        },
        f"{GROUP}/providers/Microsoft.Network/privateEndpoints/pe",
        "2024-05-01",
        {
            "location": "eastus2",
            "properties": {
                "subnet": {"id": "/subnet"},
                "privateLinkServiceConnections": [
                    {
                        "name": "c",
                        "properties": {"groupIds": ["blob"], "privateLinkServiceId": "/st", "requestMessage": "hi"},
                    }
                ],
            },
        },
    ),
    (
        "network:PrivateDnsZoneGroup",
        {
            "resourceGroupName": "g",
            "privateEndpointName": "pe",
            "privateDnsZoneGroupName": "default",
            "privateDnsZoneConfigs": [{"name": "blob", "privateDnsZoneId": "/zone"}],
        },
        f"{GROUP}/providers/Microsoft.Network/privateEndpoints/pe/privateDnsZoneGroups/default",
        "2024-05-01",
        {"properties": {"privateDnsZoneConfigs": [{"name": "blob", "properties": {"privateDnsZoneId": "/zone"}}]}},
    ),
    (
        "network:NetworkSecurityGroup",
        {
            **LIMITS,
            "networkSecurityGroupName": "nsg",
            "securityRules": [
                {"name": "in", "access": "Deny", "direction": "Inbound", "protocol": "*", "priority": 100}
            ],
        },
        f"{GROUP}/providers/Microsoft.Network/networkSecurityGroups/nsg",
        "2024-05-01",
        {
            "location": "eastus2",
            "properties": {
                "securityRules": [
                    {
                        "name": "in",
                        "properties": {"access": "Deny", "direction": "Inbound", "protocol": "*", "priority": 100},
                    }
                ]
            },
        },
    ),
    (
        "privatedns:VirtualNetworkLink",
        {
            "resourceGroupName": "g",
            "privateZoneName": "privatelink.api.azureml.ms",
            "virtualNetworkLinkName": "link",
            "location": "global",
            "registrationEnabled": False,
            "virtualNetwork": {"id": "/net"},
        },
        f"{GROUP}/providers/Microsoft.Network/privateDnsZones/privatelink.api.azureml.ms/virtualNetworkLinks/link",
        "2024-06-01",
        {"location": "global", "properties": {"registrationEnabled": False, "virtualNetwork": {"id": "/net"}}},
    ),
]


@pytest.mark.parametrize(("type_", "inputs", "path", "version", "body"), TABLE, ids=[type_ for type_, *_ in TABLE])
def test_the_request(  # noqa: PLR0917 (a row of the table)
    native: AzureNative,
    cloud: Cloud,
    type_: str,
    inputs: dict[str, Any],
    path: str,
    version: str,
    body: dict[str, Any],
) -> None:
    resource = Resource(native, f"azure-native:{type_}").create(inputs)
    put = cloud.last("PUT")
    assert (put.path, put.query, put.body) == (path, {"api-version": version}, body)
    assert resource.id == path
    assert resource.outputs["azureApiVersion"] == version
    assert not resource.diff(resource.inputs).changed
    before = dict(resource.inputs)
    assert resource.refresh()
    assert resource.inputs == before  # reading back what was sent shows no drift
    imported = Resource(native, f"azure-native:{type_}").imported(path)
    assert convert.path_values(describe(resource.type), path).items() <= imported.inputs.items()  # type: ignore[arg-type]
    resource.delete()
    assert not resource.refresh() or RESOURCES[resource.type].singleton or "vaults/kv-1/secrets" in path


def test_validation_of_a_datastore_can_be_skipped_by_a_query(native: AzureNative, cloud: Cloud) -> None:
    inputs = {
        "resourceGroupName": "g",
        "workspaceName": "work",
        "name": "d",
        "skipValidation": True,
        "properties": {"datastoreType": "AzureBlob", "credentials": {"credentialsType": "None"}},
    }
    Resource(native, "azure-native:machinelearningservices:Datastore").create(inputs)
    put = cloud.last("PUT")
    assert put.query == {"api-version": "2025-12-01", "skipValidation": "true"}
    assert "skipValidation" not in put.body["properties"]


def test_what_the_type_does_not_know_is_not_sent(native: AzureNative, cloud: Cloud) -> None:
    Resource(native, "azure-native:resources:ResourceGroup").create({**LIMITS, "colour": "red"})
    assert cloud.last("PUT").body == {"location": "eastus2"}


def test_outputs_are_flat_and_write_only_fields_are_left_out(native: AzureNative, cloud: Cloud) -> None:
    answer = {
        "id": "/canonical/id",
        "name": "kv-1",
        "type": "Microsoft.KeyVault/vaults",
        "location": "eastus2",
        "properties": {"tenantId": "t", "vaultUri": "https://kv-1.vault.azure.net/", "createMode": "default"},
    }
    cloud.say("PUT", "/vaults/kv-1", (200, answer))
    cloud.kept["/canonical/id"] = answer
    vault = Resource(native, "azure-native:keyvault:Vault").create(
        {**LIMITS, "vaultName": "kv-1", "properties": {"tenantId": "t", "sku": {"name": "standard", "family": "A"}}}
    )
    assert vault.id == "/canonical/id"
    assert vault.outputs == {
        "name": "kv-1",
        "type": "Microsoft.KeyVault/vaults",
        "location": "eastus2",
        "properties": {"tenantId": "t", "vaultUri": "https://kv-1.vault.azure.net/"},
        "azureApiVersion": "2024-11-01",
    }


def test_secret_inputs_are_secret_outputs_and_go_out_plain(native: AzureNative, cloud: Cloud) -> None:
    secret_ = Resource(native, "azure-native:keyvault:Secret").create(
        {
            "resourceGroupName": "g",
            "vaultName": "kv-1",
            "secretName": "s",
            "properties": {"value": secret("hidden"), "contentType": secret("text")},
        }
    )
    assert cloud.last("PUT").body["properties"] == {"value": "hidden", "contentType": "text"}
    assert secret_.outputs["properties"]["contentType"] == secret("text")
    assert secret_.inputs["properties"]["value"] == secret("hidden")


def test_a_preview_shows_what_is_sure_and_asks_nobody(native: AzureNative, cloud: Cloud) -> None:
    found = Resource(native, "azure-native:machinelearningservices:Workspace").preview(
        {
            **LIMITS,
            "workspaceName": "work",
            "storageAccount": UNKNOWN,
            "sku": {"name": "Basic"},
            "description": secret("d"),
            "identity": {"type": "SystemAssigned"},
        }
    )
    assert cloud.asked == []
    assert cloud.signed_in == 0
    assert (found["location"], found["storageAccount"], found["description"]) == ("eastus2", UNKNOWN, secret("d"))
    assert (found["name"], found["workspaceId"], found["mlFlowTrackingUri"]) == (UNKNOWN, UNKNOWN, UNKNOWN)
    assert found["sku"] == {"name": "Basic", "tier": UNKNOWN, "size": UNKNOWN, "family": UNKNOWN, "capacity": UNKNOWN}
    assert found["identity"]["principalId"] == UNKNOWN  # nested: a known absence would be wrong
    assert "workspaceName" not in found


def test_a_previewed_update_keeps_name_and_location(native: AzureNative, cloud: Cloud) -> None:
    account = Resource(native, "azure-native:storage:StorageAccount", id="/x")
    account.outputs = {"name": "acct", "location": "eastus2", "primaryLocation": "eastus2"}
    found = account.update(
        {**LIMITS, "accountName": "acct", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}}, preview=True
    )
    assert (found["name"], found["location"], found["kind"]) == ("acct", "eastus2", "StorageV2")
    assert found["primaryLocation"] == UNKNOWN
    assert cloud.asked == []


TAGS = st.dictionaries(st.text(min_size=1, max_size=5), st.text(max_size=5), max_size=3)
PROPERTIES = st.fixed_dictionaries(
    {"computeType": st.just("AmlCompute")},
    optional={
        "description": st.text(max_size=5),
        "disableLocalAuth": st.booleans(),
        "properties": st.fixed_dictionaries(
            {},
            optional={
                "vmSize": st.text(max_size=5),
                "scaleSettings": st.fixed_dictionaries(
                    {"maxNodeCount": st.integers(0, 9)}, optional={"minNodeCount": st.integers(0, 9)}
                ),
                "subnet": st.fixed_dictionaries({"id": st.text(max_size=5)}),
            },
        ),
    },
)


@settings(max_examples=100)
@given(
    st.fixed_dictionaries(
        {"properties": PROPERTIES},
        optional={"tags": TAGS, "location": st.text(min_size=1, max_size=5), "identity": st.just({"type": "None"})},
    )
)
def test_what_a_service_echoes_comes_back_as_the_inputs(inputs: dict[str, Any]) -> None:
    described = describe("azure-native:machinelearningservices:Compute")
    assert described is not None
    shown = convert.shown_inputs(described, convert.outputs(described, convert.request_body(described, inputs)))
    assert shown == inputs


@settings(max_examples=100)
@given(
    st.dictionaries(st.sampled_from("abcd"), st.integers(0, 3)),
    st.dictionaries(st.sampled_from("abcd"), st.integers(0, 3)),
)
def test_a_refresh_changes_inputs_only_where_the_outputs_changed(
    inputs: dict[str, int], before: dict[str, int]
) -> None:
    assert convert.refreshed(inputs, before, before) == inputs
    assert convert.refreshed(before, before, inputs) == inputs
