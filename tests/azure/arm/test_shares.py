"""File shares as the resource manager keeps them."""

from collections.abc import Iterator

import pytest

from tests.azure.client import Client, error, unique

API = "2024-01-01"


@pytest.fixture
def account(azure: Client) -> Iterator[str]:
    path = f"{azure.group()}/providers/Microsoft.Storage/storageAccounts/{unique('acct')}"
    body = {"location": "eastus2", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}, "properties": {}}
    assert azure.arm("PUT", path, body, api=API).status_code in (200, 202)
    yield path


@pytest.mark.parametrize(
    ("name", "properties", "code"),
    [
        ("ab", {}, "InvalidResourceName"),
        ("Upper", {}, "InvalidResourceName"),
        ("double--hyphen", {}, "InvalidResourceName"),
        ("notes", {"shareQuota": 0}, "InvalidValuesForRequestParameters"),
        ("notes", {"shareQuota": 5121}, "InvalidValuesForRequestParameters"),
        ("notes", {"shareQuota": "10"}, "InvalidRequestContent"),
        ("notes", {"accessTier": "Warm"}, "InvalidValuesForRequestParameters"),
        ("notes", {"enabledProtocols": "NFS"}, "InvalidValuesForRequestParameters"),
    ],
)
def test_a_wrong_share_is_refused(
    azure: Client, account: str, name: str, properties: dict[str, object], code: str
) -> None:
    share = f"{account}/fileServices/default/shares/{name}"
    assert error(azure.arm("PUT", share, {"properties": properties}, api=API)) == (400, code)
    assert azure.arm("GET", share, api=API).status_code == 404


def test_a_share_is_made_changed_and_gone_with_its_account(azure: Client, account: str) -> None:
    share = f"{account}/fileServices/default/shares/notes"
    made = azure.arm("PUT", share, {"properties": {"shareQuota": 10}}, api=API)
    assert (made.status_code, made.json()["properties"]["enabledProtocols"]) == (201, "SMB")
    again = azure.arm("PUT", share, {"properties": {"shareQuota": 20}}, api=API)
    assert (again.status_code, again.json()["properties"]["shareQuota"]) == (200, 20)
    fixed = azure.arm("PUT", share, {"properties": {"enabledProtocols": "NFS"}}, api=API)
    assert error(fixed) == (400, "InvalidValuesForRequestParameters")
    listed = azure.arm("GET", f"{account}/fileServices/default/shares", api=API).json()["value"]
    assert [one["name"] for one in listed] == ["notes"]
    assert azure.arm("DELETE", account, api=API).status_code == 200
    assert azure.arm("GET", share, api=API).status_code == 404


def test_a_share_needs_its_account(azure: Client) -> None:
    share = f"{azure.group()}/providers/Microsoft.Storage/storageAccounts/nosuch/fileServices/default/shares/notes"
    assert error(azure.arm("PUT", share, {}, api=API)) == (404, "ParentResourceNotFound")
