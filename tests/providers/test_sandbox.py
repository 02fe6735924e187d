"""Every type that the local Azure has, from create to delete, against the local Azure itself.

What this proves is that the two fit together and that a refresh or an import right after a deployment finds nothing to
change. What Azure itself does is the business of the other tests, and of the sources they name.
"""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.providers.azure_native import AzureNative
from sandbox.providers.azuread import AzureAD
from sandbox.providers.provider import Provider
from sandbox.providers.values import is_secret
from tests.conftest import Sandbox
from tests.providers.driver import Aborted, Resource, configured, invoke

USER = "azuread:index/getUser:getUser"
TENANT = "5f0b2c1e-3a7d-4c58-9e61-2d8a4b7c9f10"
VAULT = {"tenantId": TENANT, "sku": {"family": "A", "name": "standard"}}


@pytest.fixture
def native(owner: None) -> Provider:
    return configured(AzureNative())


@pytest.fixture
def group(native: Provider) -> Iterator[Resource]:
    """A resource group of the test's own."""
    name = f"g{uuid.uuid4().hex[:8]}"
    made = Resource(native, "azure-native:resources:ResourceGroup", name).create(
        {"resourceGroupName": name, "location": "eastus2"}
    )
    yield made
    made.delete()


def lived(resource: Resource, inputs: dict[str, Any], change: dict[str, Any]) -> None:
    """From create to an update, with nothing to do in between; `change` is what the update adds."""
    resource.create(inputs)
    settled(resource)
    imported = Resource(resource.provider, resource.type, resource.name).imported(resource.id)
    assert not imported.diff(imported.checked(imported.inputs)).changed
    resource.update({**inputs, **change})
    settled(resource)
    for name, value in change.items():
        assert name not in resource.outputs or resource.outputs[name] == value


def settled(resource: Resource) -> None:
    """Nothing is to be done, and a refresh finds nothing new, twice."""
    for _ in range(2):
        inputs = dict(resource.inputs)
        assert not resource.diff(resource.checked(inputs)).changed
        assert resource.refresh()
        assert resource.inputs == inputs


TAGS = {"tags": {"team": "x"}}
SIMPLE: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("managedidentity:UserAssignedIdentity", {"resourceName": "identity"}, TAGS),
    (
        "keyvault:Vault",
        {
            "vaultName": "{unique}",
            "properties": {
                "tenantId": TENANT,
                "sku": {"family": "A", "name": "standard"},
                "enableRbacAuthorization": True,
                "enableSoftDelete": True,
                "softDeleteRetentionInDays": 7,
            },
        },
        TAGS,
    ),
    ("containerregistry:Registry", {"registryName": "{unique}", "sku": {"name": "Basic"}}, TAGS),
    (
        "operationalinsights:Workspace",
        {"workspaceName": "{unique}", "sku": {"name": "PerGB2018"}},
        {"retentionInDays": 90},
    ),
    (
        "storage:StorageAccount",
        {"accountName": "{unique}", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}, "isHnsEnabled": True},
        {"allowSharedKeyAccess": False},
    ),
    (
        "network:VirtualNetwork",
        {"virtualNetworkName": "net", "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}},
        TAGS,
    ),
    ("network:NetworkSecurityGroup", {"networkSecurityGroupName": "nsg"}, TAGS),
    ("privatedns:PrivateZone", {"privateZoneName": "privatelink.api.azureml.ms", "location": "global"}, TAGS),
    ("authorization:ManagementLockAtResourceGroupLevel", {"lockName": "keep", "level": "CanNotDelete"}, {"notes": "n"}),
]


@pytest.mark.parametrize(("type_", "inputs", "change"), SIMPLE, ids=[type_ for type_, *_ in SIMPLE])
def test_a_life(group: Resource, type_: str, inputs: dict[str, Any], change: dict[str, Any]) -> None:
    filled = {
        name: value.format(unique=group.name) if isinstance(value, str) else value for name, value in inputs.items()
    }
    resource = Resource(group.provider, f"azure-native:{type_}")
    lived(resource, {"resourceGroupName": group.name, **filled}, change)
    with pytest.raises(Aborted, match="cannot create already existing resource"):
        Resource(group.provider, resource.type, "twin").create(resource.inputs)
    resource.delete()
    assert not resource.refresh()
    resource.delete()


def test_the_location_is_the_groups(group: Resource) -> None:
    identity = Resource(group.provider, "azure-native:managedidentity:UserAssignedIdentity", "i")
    assert identity.create({"resourceGroupName": group.name}).inputs["location"] == "eastus2"


def test_roles(group: Resource) -> None:
    definition = Resource(group.provider, "azure-native:authorization:RoleDefinition")
    name = str(uuid.uuid4())
    given: dict[str, Any] = {
        "scope": group.id,
        "roleDefinitionId": name,
        "roleName": f"Tester {name}",
        "permissions": [{"actions": ["*/read"], "notActions": []}],
        "assignableScopes": [group.id],
    }
    lived(definition, given, {"description": "reads"})
    user = invoke(configured(AzureAD()), USER, userPrincipalName="user2@site.com")
    assignment = Resource(group.provider, "azure-native:authorization:RoleAssignment")
    rights = {
        "scope": group.id,
        "principalId": user["objectId"],
        "principalType": "User",
        "roleDefinitionId": definition.id,
    }
    assignment.create(rights)
    settled(assignment)
    with pytest.raises(Aborted, match='Status=409 Code="RoleAssignmentExists"'):
        Resource(group.provider, assignment.type, "again").create(rights)
    assignment.delete()
    assert not assignment.refresh()
    definition.delete()


def test_a_data_lake_and_a_lock(group: Resource) -> None:
    provider, base = group.provider, {"resourceGroupName": group.name}
    account = Resource(provider, "azure-native:storage:StorageAccount").create(
        {
            **base,
            "accountName": group.name,
            "kind": "StorageV2",
            "sku": {"name": "Standard_LRS"},
            "isHnsEnabled": True,
            "networkRuleSet": {
                "defaultAction": "Deny",
                "ipRules": [{"iPAddressOrRange": "1.2.3.4", "action": "Allow"}],
            },
        }
    )
    container = Resource(provider, "azure-native:storage:BlobContainer", "fs1")
    container.create({**base, "accountName": group.name})
    assert container.inputs["containerName"] == "fs1"
    settled(container)
    lock = Resource(provider, "azure-native:authorization:ManagementLockByScope", "keep")
    lock.create({"scope": account.id, "level": "CanNotDelete"})
    with pytest.raises(Aborted, match='Status=409 Code="ScopeLocked"'):
        account.delete()
    lock.delete()
    account.update({name: value for name, value in account.inputs.items() if name != "networkRuleSet"})
    assert account.outputs["networkRuleSet"]["defaultAction"] == "Allow"
    container.delete()
    account.delete()


def test_a_vaults_secret_is_recovered(group: Resource) -> None:
    base = {"resourceGroupName": group.name, "vaultName": group.name}
    Resource(group.provider, "azure-native:keyvault:Vault").create(
        {
            **base,
            "properties": {
                "tenantId": TENANT,
                "sku": {"family": "A", "name": "standard"},
                "accessPolicies": [
                    {
                        "tenantId": TENANT,
                        "objectId": invoke(group.provider, "azure-native:authorization:getClientConfig")["objectId"],
                        "permissions": {"secrets": ["get", "set", "delete", "recover", "list"]},
                    }
                ],
            },
        }
    )
    secret = Resource(group.provider, "azure-native:keyvault:Secret", "password")
    secret.create({**base, "properties": {"value": "one"}})
    settled(secret)
    secret.delete()
    assert not secret.refresh()
    again = Resource(group.provider, "azure-native:keyvault:Secret", "password")
    assert again.create({**base, "properties": {"value": "two"}}).outputs["name"] == "password"


def test_a_network_with_a_private_endpoint(group: Resource) -> None:
    provider, base = group.provider, {"resourceGroupName": group.name}
    account = Resource(provider, "azure-native:storage:StorageAccount").create(
        {**base, "accountName": group.name, "kind": "StorageV2", "sku": {"name": "Standard_LRS"}}
    )
    net = Resource(provider, "azure-native:network:VirtualNetwork").create(
        {**base, "virtualNetworkName": "net", "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}
    )
    subnet = Resource(provider, "azure-native:network:Subnet")
    lived(
        subnet,
        {**base, "virtualNetworkName": "net", "subnetName": "ml", "addressPrefix": "10.0.0.0/24"},
        {"privateEndpointNetworkPolicies": "Disabled"},
    )
    net.update({**net.inputs, "tags": {"a": "b"}})
    assert subnet.refresh(), "an update of the network must not lose its subnets"
    assert net.refresh()
    assert net.inputs["subnets"] == [], "as azure-native resets what the program does not set"
    zone = Resource(provider, "azure-native:privatedns:PrivateZone").create(
        {**base, "privateZoneName": "privatelink.blob.core.windows.net", "location": "global"}
    )
    link = Resource(provider, "azure-native:privatedns:VirtualNetworkLink", "link").create(
        {
            **base,
            "privateZoneName": "privatelink.blob.core.windows.net",
            "location": "global",
            "registrationEnabled": False,
            "virtualNetwork": {"id": net.id},
        }
    )
    settled(link)
    endpoint = Resource(provider, "azure-native:network:PrivateEndpoint", "blob").create(
        {
            **base,
            "privateEndpointName": "blob",
            "subnet": {"id": subnet.id},
            "privateLinkServiceConnections": [
                {"name": "blob", "groupIds": ["blob"], "privateLinkServiceId": account.id}
            ],
        }
    )
    assert endpoint.outputs["privateLinkServiceConnections"][0]["privateLinkServiceId"] == account.id
    zones = Resource(provider, "azure-native:network:PrivateDnsZoneGroup", "default").create(
        {
            **base,
            "privateEndpointName": "blob",
            "privateDnsZoneConfigs": [{"name": "blob", "privateDnsZoneId": zone.id}],
        }
    )
    settled(zones)
    for one in (zones, endpoint, link):
        one.delete()
        assert not one.refresh()


def test_a_workspace_with_its_cluster_and_datastore(group: Resource) -> None:
    provider, base = group.provider, {"resourceGroupName": group.name}
    account = Resource(provider, "azure-native:storage:StorageAccount").create(
        {**base, "accountName": group.name, "kind": "StorageV2", "sku": {"name": "Standard_LRS"}}
    )
    vault = Resource(provider, "azure-native:keyvault:Vault").create(
        {
            **base,
            "vaultName": group.name,
            "properties": {"tenantId": TENANT, "sku": {"family": "A", "name": "standard"}},
        }
    )
    logs = Resource(provider, "azure-native:operationalinsights:Workspace").create(
        {**base, "workspaceName": group.name, "sku": {"name": "PerGB2018"}}
    )
    insights = Resource(provider, "azure-native:applicationinsights:Component")
    lived(
        insights,
        {
            **base,
            "resourceName": group.name,
            "kind": "web",
            "applicationType": "web",
            "ingestionMode": "LogAnalytics",
            "workspaceResourceId": logs.id,
        },
        {"samplingPercentage": 50},
    )
    work = Resource(provider, "azure-native:machinelearningservices:Workspace").create(
        {
            **base,
            "workspaceName": group.name,
            "identity": {"type": "SystemAssigned"},
            "storageAccount": account.id,
            "keyVault": vault.id,
            "applicationInsights": insights.id,
        }
    )
    assert work.outputs["workspaceId"]
    settled(work)
    inside = {**base, "workspaceName": group.name}
    cluster = Resource(provider, "azure-native:machinelearningservices:Compute", "small")
    properties: dict[str, Any] = {
        "vmSize": "STANDARD_DS3_V2",
        "vmPriority": "LowPriority",
        "scaleSettings": {"minNodeCount": 0, "maxNodeCount": 1, "nodeIdleTimeBeforeScaleDown": "PT120S"},
    }
    cluster.create({**inside, "properties": {"computeType": "AmlCompute", "properties": properties}})
    settled(cluster)
    scaled = {**properties, "scaleSettings": {**properties["scaleSettings"], "maxNodeCount": 2}}
    cluster.update({**inside, "properties": {"computeType": "AmlCompute", "properties": scaled}})
    assert cluster.outputs["properties"]["properties"]["scaleSettings"]["maxNodeCount"] == 2
    container = Resource(provider, "azure-native:storage:BlobContainer", "data").create(
        {**base, "accountName": group.name}
    )
    store = Resource(provider, "azure-native:machinelearningservices:Datastore", "data").create(
        {
            **inside,
            "properties": {
                "datastoreType": "AzureBlob",
                "accountName": group.name,
                "containerName": container.name,
                "credentials": {"credentialsType": "None"},
            },
        }
    )
    settled(store)
    keys = invoke(
        provider, "azure-native:storage:listStorageAccountKeys", resourceGroupName=group.name, accountName=group.name
    )
    assert [one["keyName"] for one in keys["keys"]] == ["key1", "key2"]
    store.delete()
    with pytest.raises(Aborted, match='Code="UserError"'):  # not among the codes that azure-native takes for gone
        store.refresh()
    for one in (cluster, work):
        one.delete()
        assert not one.refresh()


def test_a_workspace_that_fails_late_stays_with_its_error(group: Resource) -> None:
    base = {"resourceGroupName": group.name}
    lake = Resource(group.provider, "azure-native:storage:StorageAccount").create(
        {**base, "accountName": group.name, "kind": "StorageV2", "sku": {"name": "Standard_LRS"}, "isHnsEnabled": True}
    )
    vault = Resource(group.provider, "azure-native:keyvault:Vault").create(
        {
            **base,
            "vaultName": group.name,
            "properties": {"tenantId": TENANT, "sku": {"family": "A", "name": "standard"}},
        }
    )
    with pytest.raises(Aborted, match="Cannot use storage with HNS enabled") as failed:
        Resource(group.provider, "azure-native:machinelearningservices:Workspace").create(
            {
                **base,
                "workspaceName": group.name,
                "identity": {"type": "SystemAssigned"},
                "storageAccount": lake.id,
                "keyVault": vault.id,
            }
        )
    assert failed.value.init.id.endswith(f"/workspaces/{group.name}")


def test_governance(group: Resource) -> None:
    policy = Resource(group.provider, "azure-native:authorization:PolicyDefinition", group.name)
    rule = {"if": {"field": "type", "equals": "Microsoft.Storage/storageAccounts"}, "then": {"effect": "audit"}}
    lived(policy, {"policyDefinitionName": group.name, "mode": "Indexed", "policyRule": rule}, {"displayName": "d"})
    assigned = Resource(group.provider, "azure-native:authorization:PolicyAssignment", "audit")
    lived(
        assigned,
        {"scope": group.id, "policyAssignmentName": "audit", "policyDefinitionId": policy.id},
        {"displayName": "d"},
    )
    assigned.delete()
    policy.delete()
    with pytest.raises(Aborted, match='Code="PolicyDefinitionNotFound"'):  # as of a datastore
        policy.refresh()


def test_nobody_gains_rights_by_the_provider(as_persona: Any, shared_sandbox: Sandbox) -> None:
    as_persona("scientist")
    scientist = configured(AzureNative())
    with pytest.raises(Aborted, match=r"cannot check existence of resource .* status code 403.*AuthorizationFailed"):
        Resource(scientist, "azure-native:resources:ResourceGroup").create(
            {"resourceGroupName": "theirs", "location": "eastus2"}
        )


def test_automation_signs_in_with_the_secret_it_was_given(owner: None, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = configured(AzureAD())
    application = Resource(directory, "azuread:index/application:Application", "app").create({"displayName": "ci"})
    principal = Resource(directory, "azuread:index/servicePrincipal:ServicePrincipal", "sp").create(
        {"clientId": application.outputs["clientId"]}
    )
    password = Resource(directory, "azuread:index/servicePrincipalPassword:ServicePrincipalPassword", "pw").create(
        {"servicePrincipalId": principal.id}
    )
    for one in (application, principal, password):
        settled(one)
    assert is_secret(password.outputs["value"])
    secret = {"clientId": application.outputs["clientId"], "clientSecret": password.outputs["value"]["value"]}
    itself = invoke(configured(AzureAD(), **secret), "azuread:index/getClientConfig:getClientConfig")
    assert itself["objectId"] == principal.outputs["objectId"]
    group = Resource(directory, "azuread:index/group:Group", "g").create(
        {"displayName": f"team {uuid.uuid4()}", "securityEnabled": True}
    )
    settled(group)
    member = Resource(directory, "azuread:index/groupMember:GroupMember", "m").create(
        {"groupObjectId": group.outputs["objectId"], "memberObjectId": principal.outputs["objectId"]}
    )
    settled(member)
    federated = Resource(
        directory, "azuread:index/applicationFederatedIdentityCredential:ApplicationFederatedIdentityCredential", "f"
    ).create(
        {
            "applicationId": application.id,
            "displayName": "github",
            "audiences": ["api://AzureADTokenExchange"],
            "issuer": "https://token.actions.githubusercontent.com",
            "subject": "repo:o/r:ref:refs/heads/main",
        }
    )
    settled(federated)
    for one in (federated, member, group, password, principal, application):
        one.delete()
        assert not one.refresh()
