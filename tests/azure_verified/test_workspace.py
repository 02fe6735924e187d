"""Azure Machine Learning's resource manager: refusals and deletes of which the documentation says little."""

from typing import Any

import pytest

from tests.azure_verified.test_resource_manager import LOGS_API, PROVIDERS, account, refusal, unique
from tools.verify.resources import GROUPS_API, VAULTS_API, WORKSPACES_API, Subscription

INSIGHTS_API = "2020-02-02"


@pytest.fixture(name="needs", scope="module")
def what_a_workspace_needs(azure: Subscription, group: str) -> dict[str, str]:
    tenant = azure.send("GET", f"/subscriptions/{azure.id}", GROUPS_API).json()["tenantId"]
    vault = {"tenantId": tenant, "sku": {"family": "A", "name": "standard"}, "enableRbacAuthorization": True}
    logs = azure.make(
        f"{group}/{PROVIDERS}OperationalInsights/workspaces/{unique('log')}",
        LOGS_API,
        {"location": azure.location, "properties": {"sku": {"name": "PerGB2018"}}},
    )
    insights = {"Application_Type": "web", "WorkspaceResourceId": logs["id"]}
    return {
        "storageAccount": account(azure, group),
        "keyVault": azure.make(
            f"{group}/{PROVIDERS}KeyVault/vaults/{unique('kv')}",
            VAULTS_API,
            {"location": azure.location, "properties": vault},
        )["id"],
        "applicationInsights": azure.make(
            f"{group}/{PROVIDERS}Insights/components/{unique('ai')}",
            INSIGHTS_API,
            {"location": azure.location, "kind": "web", "properties": insights},
        )["id"],
    }


@pytest.fixture(name="workspace", scope="module")
def made_workspace(azure: Subscription, group: str, needs: dict[str, str]) -> str:
    path = f"{group}/{PROVIDERS}MachineLearningServices/workspaces/{unique('ws')}"
    body = {"location": azure.location, "identity": {"type": "SystemAssigned"}, "properties": {**needs}}
    return str(azure.make(path, WORKSPACES_API, body)["id"])


def put(azure: Subscription, path: str, properties: dict[str, Any]) -> Any:
    return azure.send("PUT", path, WORKSPACES_API, {"properties": properties})


@pytest.mark.azure_verified("ml.md", "No storage account or vault")
def test_a_workspace_needs_a_vault_that_exists(azure: Subscription, group: str, needs: dict[str, str]) -> None:
    path = f"{group}/{PROVIDERS}MachineLearningServices/workspaces/{unique('ws')}"
    for properties in ({**needs, "keyVault": None}, {**needs, "keyVault": needs["keyVault"] + "x"}):
        body = {"location": azure.location, "identity": {"type": "SystemAssigned"}, "properties": properties}
        assert refusal(azure.send("PUT", path, WORKSPACES_API, body)) == (400, "ValidationError")


@pytest.mark.azure_verified("ml.md", "A datastore without credentials has no secrets")
def test_a_datastore_without_credentials_has_no_secrets(
    azure: Subscription, workspace: str, needs: dict[str, str]
) -> None:
    name = f"{workspace}/datastores/{unique('store')}"
    blob = {"datastoreType": "AzureBlob", "accountName": needs["storageAccount"].rpartition("/")[2]}
    made = put(azure, name, {**blob, "containerName": "data", "credentials": {"credentialsType": "None"}})
    assert made.status_code in (200, 201), made.text()
    assert azure.send("POST", f"{name}/listSecrets", WORKSPACES_API).status_code == 400


@pytest.mark.azure_verified("ml.md", "Versions are immutable")
def test_a_version_keeps_its_content(azure: Subscription, workspace: str) -> None:
    version = f"{workspace}/data/{unique('data')}/versions/1"
    data = {"dataType": "uri_file", "dataUri": "https://example.com/one.csv"}
    made = put(azure, version, data)
    assert made.status_code in (200, 201), made.text()
    changed = put(azure, version, {**data, "dataUri": "https://example.com/two.csv"})
    assert refusal(changed) == (400, "UserError")
    assert "ImmutableProperty" in changed.text()


@pytest.mark.azure_verified("ml.md", "DELETE without `underlyingResourceAction` deletes")
def test_a_cluster_is_deleted_without_saying_what_becomes_of_its_machines(azure: Subscription, workspace: str) -> None:
    cluster = f"{workspace}/computes/{unique('c')}"
    scale = {"minNodeCount": 0, "maxNodeCount": 1, "nodeIdleTimeBeforeScaleDown": "PT120S"}
    size = {"vmSize": "STANDARD_DS3_V2", "vmPriority": "LowPriority", "scaleSettings": scale}
    properties = {"computeType": "AmlCompute", "properties": size}
    azure.make(cluster, WORKSPACES_API, {"location": azure.location, "properties": properties})
    deleted = azure.send("DELETE", cluster, WORKSPACES_API)
    assert deleted.status_code in (200, 202, 204), deleted.text()
    azure.outcome(deleted)
    assert azure.send("GET", cluster, WORKSPACES_API).status_code == 404
