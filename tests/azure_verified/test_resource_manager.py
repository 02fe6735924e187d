"""The resource manager's refusals, whose codes and statuses are documented in part only."""

import uuid
from typing import Any

import pytest

from tools.verify.resources import GROUPS_API, ROLES_API, VAULTS_API, Subscription

STORAGE_API, NETWORK_API, ZONES_API, LOCKS_API = "2024-01-01", "2024-05-01", "2020-06-01", "2020-05-01"
LOGS_API = "2023-09-01"
PROVIDERS = "providers/Microsoft."


def unique(prefix: str) -> str:
    return prefix + uuid.uuid4().hex[:12]


def refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def account(azure: Subscription, group: str, **more: Any) -> str:
    body = {"location": azure.location, "kind": "StorageV2", "sku": {"name": "Standard_LRS"}, "properties": more}
    return str(azure.make(f"{group}/{PROVIDERS}Storage/storageAccounts/{unique('st')}", STORAGE_API, body)["id"])


@pytest.mark.azure_verified("arm.md", "Tags: at most 50")
@pytest.mark.parametrize("tags", [{f"tag{n}": "x" for n in range(51)}, {"a<b": "x"}, {"a": "x" * 257}])
def test_tags_have_limits(azure: Subscription, group: str, tags: dict[str, str]) -> None:
    body = {"location": azure.location, "tags": tags}
    assert refusal(azure.send("PUT", f"{group}x", GROUPS_API, body)) == (400, "InvalidTags")


@pytest.mark.azure_verified("arm.md", "404 from above: SubscriptionNotFound")
def test_what_is_above_is_not_found(azure: Subscription, group: str) -> None:
    share = f"{group}/{PROVIDERS}Storage/storageAccounts/{unique('no')}"
    sought = {
        f"/subscriptions/{uuid.uuid4()}/resourceGroups": "SubscriptionNotFound",
        f"{group}x": "ResourceGroupNotFound",
        share: "ResourceNotFound",
        f"{share}/fileServices/default/shares/one": "ParentResourceNotFound",
        f"{group}/{PROVIDERS}Nothing/things/one": "InvalidResourceNamespace",
        f"{group}/{PROVIDERS}Storage/things/one": "InvalidResourceType",
    }
    answers = {path: azure.send("GET", path, STORAGE_API) for path in sought}
    assert {path: refusal(answer) for path, answer in answers.items()} == {
        path: (404, code) for path, code in sought.items()
    }


@pytest.mark.azure_verified("arm.md", "Requests above 4 MB")
def test_a_request_is_at_most_4_mb(azure: Subscription, group: str) -> None:
    body = {"location": azure.location, "tags": {"a": "x" * (4 * 2**20 + 1)}}
    assert refusal(azure.send("PUT", f"{group}x", GROUPS_API, body)) == (413, "RequestContentTooLarge")


@pytest.mark.azure_verified("arm.md", "ReadOnly also blocks PUT")
def test_a_read_only_lock_blocks_actions(azure: Subscription, group: str) -> None:
    locked = account(azure, group)
    lock = f"{locked}/{PROVIDERS}Authorization/locks/fixed"
    made = azure.send("PUT", lock, LOCKS_API, {"properties": {"level": "ReadOnly"}})
    assert made.status_code in (200, 201), made.text()
    try:
        assert refusal(azure.send("POST", f"{locked}/listKeys", STORAGE_API)) == (409, "ScopeLocked")
        assert refusal(azure.send("PATCH", locked, STORAGE_API, {"tags": {}})) == (409, "ScopeLocked")
    finally:
        assert azure.send("DELETE", lock, LOCKS_API).status_code in (200, 204)


@pytest.mark.azure_verified("arm.md", "Hierarchical namespace with a Premium sku on StorageV2")
def test_a_premium_account_has_no_hierarchy(azure: Subscription, group: str) -> None:
    body = {
        "location": azure.location,
        "kind": "StorageV2",
        "sku": {"name": "Premium_LRS"},
        "properties": {"isHnsEnabled": True},
    }
    path = f"{group}/{PROVIDERS}Storage/storageAccounts/{unique('st')}"
    assert refusal(azure.send("PUT", path, STORAGE_API, body)) == (400, "InvalidRequestPropertyValue")


@pytest.mark.azure_verified("arm.md", "The blob service is there from the start")
def test_the_blob_service_goes_back_to_its_defaults(azure: Subscription, group: str) -> None:
    service = f"{account(azure, group)}/blobServices/default"
    assert azure.send("GET", service, STORAGE_API).status_code == 200
    kept = {"properties": {"deleteRetentionPolicy": {"enabled": True, "days": 7}}}
    assert azure.send("PUT", service, STORAGE_API, kept).status_code == 200
    assert azure.send("DELETE", service, STORAGE_API).status_code in (200, 204)
    assert not azure.send("GET", service, STORAGE_API).json()["properties"]["deleteRetentionPolicy"]["enabled"]


@pytest.mark.azure_verified("arm.md", "Secrets through the resource manager")
def test_a_secret_is_not_deleted_by_the_resource_manager(azure: Subscription, group: str) -> None:
    tenant = azure.send("GET", f"/subscriptions/{azure.id}", GROUPS_API).json()["tenantId"]
    properties = {"tenantId": tenant, "sku": {"family": "A", "name": "standard"}, "enableRbacAuthorization": True}
    vault = f"{group}/{PROVIDERS}KeyVault/vaults/{unique('kv')}"
    azure.make(vault, VAULTS_API, {"location": azure.location, "properties": properties})
    made = azure.send("PUT", f"{vault}/secrets/one", VAULTS_API, {"properties": {"value": "hidden"}})
    assert made.status_code in (200, 201), made.text()
    assert "value" not in azure.send("GET", f"{vault}/secrets/one", VAULTS_API).json()["properties"]
    assert azure.send("DELETE", f"{vault}/secrets/one", VAULTS_API).status_code == 405


@pytest.mark.azure_verified("arm.md", "A zone is `global`")
def test_a_zone_with_a_link_stays(azure: Subscription, group: str) -> None:
    space = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}
    network = f"{group}/{PROVIDERS}Network/virtualNetworks/{unique('vnet')}"
    azure.make(network, NETWORK_API, {"location": azure.location, "properties": space})
    zone = f"{group}/{PROVIDERS}Network/privateDnsZones/{unique('zone')}.example.com"
    azure.make(zone, ZONES_API, {"location": "global"})
    link = {"location": "global", "properties": {"virtualNetwork": {"id": network}, "registrationEnabled": False}}
    azure.make(f"{zone}/virtualNetworkLinks/one", ZONES_API, link)
    assert refusal(azure.send("DELETE", zone, ZONES_API)) == (409, "CannotDeleteResource")


@pytest.mark.azure_verified("arm.md", "RoleDefinitionWithSameNameExists 409")
def test_role_names_are_unique_in_any_letter_case(azure: Subscription, group: str) -> None:
    name = unique("verify ")

    def define(title: str) -> Any:
        path = f"{group}/{PROVIDERS}Authorization/roleDefinitions/{uuid.uuid4()}"
        permissions = [{"actions": ["Microsoft.Resources/subscriptions/resourceGroups/read"], "notActions": []}]
        properties = {"roleName": title, "type": "CustomRole", "permissions": permissions, "assignableScopes": [group]}
        return azure.send("PUT", path, ROLES_API, {"properties": properties})

    assert define(name).status_code == 201
    assert refusal(define(name.upper())) == (409, "RoleDefinitionWithSameNameExists")
    assert refusal(define("reader")) == (409, "RoleDefinitionWithSameNameExists")


@pytest.mark.azure_verified("arm.md", "Log Analytics retention 30–730 days")
def test_logs_are_not_kept_for_longer_than_allowed(azure: Subscription, group: str) -> None:
    path = f"{group}/{PROVIDERS}OperationalInsights/workspaces/{unique('log')}"
    body = {"location": azure.location, "properties": {"sku": {"name": "PerGB2018"}, "retentionInDays": 731}}
    assert azure.send("PUT", path, LOGS_API, body).status_code == 400
