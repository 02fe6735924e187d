"""Vaults: global names, soft delete, recovery, purge, what never changes; secrets through the resource manager."""

from typing import Any

import pytest

from tests.azure.client import Client, error, unique
from tests.conftest import SUBSCRIPTION

API = "2024-11-01"


def path(group: str, name: str) -> str:
    return f"{group}/providers/Microsoft.KeyVault/vaults/{name}"


def body(azure: Client, **properties: Any) -> dict[str, Any]:
    given = {"tenantId": azure.tenant, "sku": {"family": "A", "name": "standard"}, "enableRbacAuthorization": True}
    return {"location": "eastus2", "properties": {**given, **properties}}


@pytest.fixture(scope="module")
def group(azure: Client) -> str:
    return azure.group()


def made(azure: Client, group: str, **properties: Any) -> str:
    """A new vault's name."""
    name = unique("kv")
    answer = azure.arm("PUT", path(group, name), body(azure, **properties), api=API)
    assert answer.status_code == 200, answer.text
    return name


def test_a_vault_shows_its_address_and_defaults(azure: Client, group: str) -> None:
    name = made(azure, group)
    properties = azure.arm("GET", path(group, name), api=API).json()["properties"]
    assert properties["vaultUri"] == f"https://{name}.vault.azure.net/"
    assert properties["enableSoftDelete"] is True
    assert properties["softDeleteRetentionInDays"] == 90
    assert properties["provisioningState"] == "Succeeded"
    assert "enablePurgeProtection" not in properties
    assert "createMode" not in properties


@pytest.mark.parametrize("name", ["ab", "1first", "double--hyphen", "ends-", "x" * 25, "under_score"])
def test_a_bad_name_is_refused(azure: Client, group: str, name: str) -> None:
    assert error(azure.arm("PUT", path(group, name), body(azure), api=API)) == (400, "VaultNameNotValid")


@pytest.mark.parametrize(
    ("changes", "code", "target"),
    [
        ({"tenantId": None}, "InvalidRequestContent", "properties.tenantId"),
        ({"tenantId": "00000000-0000-0000-0000-000000000000"}, "BadRequest", "properties.tenantId"),
        ({"sku": {"family": "A"}}, "InvalidRequestContent", "properties.sku.name"),
        ({"sku": {"family": "A", "name": "gold"}}, "BadRequest", "properties.sku.name"),
        ({"enableRbacAuthorization": "yes"}, "InvalidRequestContent", "properties.enableRbacAuthorization"),
        ({"enableRbacAuthorization": False}, "BadRequest", "properties.accessPolicies"),
        ({"enablePurgeProtection": False}, "BadRequest", "properties.enablePurgeProtection"),
        ({"softDeleteRetentionInDays": 6}, "BadRequest", "properties.softDeleteRetentionInDays"),
        ({"softDeleteRetentionInDays": 91}, "BadRequest", "properties.softDeleteRetentionInDays"),
        ({"softDeleteRetentionInDays": True}, "InvalidRequestContent", "properties.softDeleteRetentionInDays"),
        ({"networkAcls": {"defaultAction": "Maybe"}}, "BadRequest", "properties.networkAcls.defaultAction"),
    ],
)
def test_a_bad_property_is_refused_and_named(
    azure: Client, group: str, changes: dict[str, Any], code: str, target: str
) -> None:
    answer = azure.arm("PUT", path(group, unique("kv")), body(azure, **changes), api=API)
    assert error(answer) == (400, code)
    assert answer.json()["error"]["target"] == target


def test_what_never_changes_is_refused_in_an_update(azure: Client, group: str) -> None:
    name = made(azure, group, softDeleteRetentionInDays=7, enablePurgeProtection=True)
    for change, words in (
        ({"softDeleteRetentionInDays": 8}, "has been set already"),
        ({"enableSoftDelete": False}, "irreversible"),
        ({"enablePurgeProtection": False}, "irreversible"),
    ):
        answer = azure.arm("PUT", path(group, name), body(azure, **change), api=API)
        assert error(answer) == (400, "BadRequest")
        assert words in answer.json()["error"]["message"]
    kept = azure.arm("PUT", path(group, name), body(azure), api=API).json()["properties"]
    assert (kept["softDeleteRetentionInDays"], kept["enablePurgeProtection"]) == (7, True)


def test_a_name_is_taken_in_the_whole_world(azure: Client, group: str) -> None:
    name = made(azure, group)
    other = azure.group()
    assert azure.arm("GET", path(other, name), api=API).status_code == 404
    answer = azure.arm("PUT", path(other, name.upper()), body(azure), api=API)
    assert error(answer) == (409, "VaultAlreadyExists")


def test_a_deleted_vault_keeps_its_name_until_it_is_purged(azure: Client, group: str) -> None:
    name = made(azure, group, softDeleteRetentionInDays=7)
    azure.arm("DELETE", path(group, name), api=API)
    assert azure.arm("GET", path(group, name), api=API).status_code == 404
    answer = azure.arm("PUT", path(group, name), body(azure), api=API)
    assert error(answer) == (409, "ConflictError")
    assert "deleted state" in answer.json()["error"]["message"]
    assert error(azure.arm("PUT", path(azure.group(), name), body(azure), api=API)) == (409, "ConflictError")
    question = {"name": name, "type": "Microsoft.KeyVault/vaults"}
    check = azure.arm("POST", "providers/Microsoft.KeyVault/checkNameAvailability", question).json()
    assert check["nameAvailable"] is False
    deleted = f"providers/Microsoft.KeyVault/locations/eastus2/deletedVaults/{name}"
    shown = azure.arm("GET", deleted, api=API).json()
    assert shown["id"] == f"/subscriptions/{SUBSCRIPTION}/{deleted}"
    assert shown["properties"]["vaultId"] == path(group, name)
    listed = azure.arm("GET", "providers/Microsoft.KeyVault/deletedVaults", api=API).json()["value"]
    assert name in [one["name"] for one in listed]
    elsewhere = azure.arm("GET", deleted.replace("eastus2", "westus"), api=API)
    assert error(elsewhere) == (404, "DeletedVaultNotFound")
    assert azure.arm("POST", f"{deleted}/purge", api=API).status_code == 202
    assert azure.arm("GET", deleted, api=API).status_code == 404
    assert azure.arm("PUT", path(group, name), body(azure), api=API).status_code == 200


def test_a_protected_vault_cannot_be_purged(azure: Client, group: str) -> None:
    name = made(azure, group, enablePurgeProtection=True)
    azure.arm("DELETE", path(group, name), api=API)
    answer = azure.arm("POST", f"providers/Microsoft.KeyVault/locations/eastus2/deletedVaults/{name}/purge", api=API)
    assert answer.status_code == 400
    assert "Operation 'DeletedVaultPurge' is not allowed" in answer.json()["error"]["message"]


def test_a_deleted_vault_is_recovered_as_it_was(azure: Client, group: str) -> None:
    name = made(azure, group, softDeleteRetentionInDays=9)
    before = azure.arm("GET", path(group, name), api=API).json()
    azure.arm("PUT", f"{path(group, name)}/secrets/one", {"properties": {"value": "marked"}}, api=API)
    azure.arm("DELETE", path(group, name), api=API)
    elsewhere = azure.arm("PUT", path(azure.group(), name), body(azure, createMode="recover"), api=API)
    assert error(elsewhere) == (404, "SoftDeletedVaultDoesNotExist")
    back = azure.arm("PUT", path(group, name), body(azure, createMode="recover"), api=API)
    changed = {name: back.json()["systemData"][name] for name in ("lastModifiedAt",)}
    assert back.json() == {**before, "systemData": {**before["systemData"], **changed}}
    assert azure.arm("GET", f"{path(group, name)}/secrets/one", api=API).status_code == 200
    never = azure.arm("PUT", path(group, unique("kv")), body(azure, createMode="recover"), api=API)
    assert error(never) == (404, "SoftDeletedVaultDoesNotExist")


def test_a_purged_vaults_secrets_do_not_come_back(azure: Client, group: str) -> None:
    name = made(azure, group)
    azure.arm("PUT", f"{path(group, name)}/secrets/one", {"properties": {"value": "marked"}}, api=API)
    azure.arm("DELETE", path(group, name), api=API)
    azure.arm("POST", f"providers/Microsoft.KeyVault/locations/eastus2/deletedVaults/{name}/purge", api=API)
    assert azure.arm("PUT", path(group, name), body(azure), api=API).status_code == 200
    assert azure.arm("GET", f"{path(group, name)}/secrets", api=API).json() == {"value": []}


def test_a_secret_is_set_and_described_but_never_shown(azure: Client, group: str) -> None:
    vault = path(group, made(azure, group))
    sent = {"properties": {"value": "marked-secret", "contentType": "text/plain", "attributes": {"enabled": True}}}
    first = azure.arm("PUT", f"{vault}/secrets/sp-password", {**sent, "tags": {"a": "b"}}, api=API)
    assert first.status_code == 200
    assert "marked-secret" not in first.text
    shown = azure.arm("GET", f"{vault}/secrets/sp-password", api=API).json()
    assert shown == first.json()
    assert shown["properties"]["contentType"] == "text/plain"
    assert shown["tags"] == {"a": "b"}
    second = azure.arm("PUT", f"{vault}/secrets/sp-password", sent, api=API).json()
    assert second["properties"]["secretUri"] == shown["properties"]["secretUri"]
    assert second["properties"]["secretUriWithVersion"] != shown["properties"]["secretUriWithVersion"]
    assert [one["name"] for one in azure.arm("GET", f"{vault}/secrets", api=API).json()["value"]] == ["sp-password"]
    assert error(azure.arm("DELETE", f"{vault}/secrets/sp-password", api=API)) == (405, "MethodNotAllowed")
    assert error(azure.arm("PUT", f"{vault}/secrets/a_b", sent, api=API)) == (400, "BadRequest")
    assert azure.arm("PUT", f"{vault}/secrets/none", {"properties": {}}, api=API).status_code == 400
    assert error(azure.arm("GET", f"{vault}/secrets/none", api=API)) == (404, "ResourceNotFound")
