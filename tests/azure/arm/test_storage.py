"""Storage accounts: refusals before successes, what the service adds, keys, containers, lifecycle rules."""

import copy
from typing import Any

import pytest

from tests.azure.client import CONTRIBUTOR, READER, Client, error, unique, user_id
from tests.conftest import SUBSCRIPTION

API = "2024-01-01"
GOOD: dict[str, Any] = {
    "location": "eastus2",
    "kind": "StorageV2",
    "sku": {"name": "Standard_LRS"},
    "properties": {"minimumTlsVersion": "TLS1_2", "allowSharedKeyAccess": False},
}


def path(group: str, name: str) -> str:
    return f"{group}/providers/Microsoft.Storage/storageAccounts/{name}"


def changed(**changes: Any) -> dict[str, Any]:
    """The good body with dotted paths set; None removes."""
    body = copy.deepcopy(GOOD)
    for dotted, value in changes.items():
        *above, last = dotted.split("__")
        part = body
        for name in above:
            part = part.setdefault(name, {})
        if value is None:
            part.pop(last, None)
        else:
            part[last] = value
    return body


@pytest.fixture(scope="module")
def group(azure: Client) -> str:
    return azure.group()


@pytest.fixture(scope="module")
def account(azure: Client, group: str) -> str:
    """The id of a Data Lake account."""
    name = unique("lake")
    answer = azure.arm("PUT", path(group, name), changed(properties__isHnsEnabled=True), api=API)
    assert answer.status_code == 202
    return path(group, name)


def test_a_new_account_is_accepted_and_then_there(azure: Client, group: str) -> None:
    name = unique("acct")
    answer = azure.arm("PUT", path(group, name), changed(tags={"team": "a"}), api=API)
    assert (answer.status_code, answer.content) == (202, b"")
    assert answer.headers["Retry-After"] == "0"
    made = azure.send("GET", answer.headers["Location"])
    assert made.status_code == 200
    assert made.json() == azure.arm("GET", path(group, name), api=API).json()
    body = made.json()
    assert body["sku"] == {"name": "Standard_LRS", "tier": "Standard"}
    assert body["tags"] == {"team": "a"}
    properties = body["properties"]
    assert properties["primaryEndpoints"]["dfs"] == f"https://{name}.dfs.core.windows.net/"
    assert properties["provisioningState"] == "Succeeded"
    assert properties["supportsHttpsTrafficOnly"] is True
    assert properties["allowSharedKeyAccess"] is False
    assert properties["allowBlobPublicAccess"] is False
    assert "isHnsEnabled" not in properties
    assert "keys" not in made.text
    again = azure.arm("PUT", path(group, name), changed(properties__minimumTlsVersion="TLS1_1"), api=API)
    assert (again.status_code, again.json()["properties"]["minimumTlsVersion"]) == (200, "TLS1_1")
    assert again.json()["properties"]["creationTime"] == properties["creationTime"]


@pytest.mark.parametrize("name", ["ab", "Upper", "with-hyphen", "x" * 25, "ünï"])
def test_a_bad_name_is_refused(azure: Client, group: str, name: str) -> None:
    assert error(azure.arm("PUT", path(group, name), GOOD, api=API)) == (400, "AccountNameInvalid")


@pytest.mark.parametrize(
    ("body", "code", "target"),
    [
        (changed(sku=None), "InvalidRequestContent", "sku.name"),
        (changed(kind=None), "InvalidRequestContent", "kind"),
        (changed(sku__name="Standard_XRS"), "InvalidValuesForRequestParameters", "sku.name"),
        (changed(sku="Standard_LRS"), "InvalidRequestContent", "sku.name"),
        (changed(kind="StorageV3"), "InvalidValuesForRequestParameters", "kind"),
        (
            changed(properties__minimumTlsVersion="TLS1_9"),
            "InvalidValuesForRequestParameters",
            "properties.minimumTlsVersion",
        ),
        (changed(properties__isHnsEnabled="yes"), "InvalidRequestContent", "properties.isHnsEnabled"),
        (
            changed(properties__networkAcls__defaultAction="Maybe"),
            "InvalidValuesForRequestParameters",
            "properties.networkAcls.defaultAction",
        ),
        (
            changed(sku__name="Premium_LRS", properties__isHnsEnabled=True),
            "InvalidRequestPropertyValue",
            "properties.isHnsEnabled",
        ),
    ],
)
def test_a_bad_property_is_refused_and_named(
    azure: Client, group: str, body: dict[str, Any], code: str, target: str
) -> None:
    name = unique("acct")
    answer = azure.arm("PUT", path(group, name), body, api=API)
    assert error(answer) == (400, code)
    assert answer.json()["error"]["target"] == target
    assert azure.arm("GET", path(group, name), api=API).status_code == 404


def test_a_name_is_taken_in_the_whole_world(azure: Client, group: str, account: str) -> None:
    name, other = account.rsplit("/", 1)[-1], azure.group()
    assert azure.arm("GET", path(other, name), api=API).status_code == 404
    answer = azure.arm("PUT", path(other, name), GOOD, api=API)
    assert error(answer) == (409, "StorageAccountInAnotherResourceGroup")
    for asked, reason in ((name, "AlreadyExists"), ("A", "AccountNameInvalid")):
        question = {"name": asked, "type": "Microsoft.Storage/storageAccounts"}
        check = azure.arm("POST", "providers/Microsoft.Storage/checkNameAvailability", question).json()
        assert (check["nameAvailable"], check["reason"]) == (False, reason)


def test_hierarchical_namespace_never_changes(azure: Client, account: str) -> None:
    answer = azure.arm("PUT", account, changed(properties__isHnsEnabled=False), api=API)
    assert error(answer) == (400, "InvalidRequestPropertyValue")
    kept = azure.arm("PUT", account, GOOD, api=API)  # not named: it stays
    assert kept.json()["properties"]["isHnsEnabled"] is True


def test_keys_are_an_action_of_their_own(azure: Client, scientist: Client, group: str) -> None:
    name = unique("acct")
    azure.arm("PUT", path(group, name), GOOD, api=API)
    first = azure.arm("POST", path(group, name) + "/listKeys", api=API).json()["keys"]
    assert [key["keyName"] for key in first] == ["key1", "key2"]
    second = azure.arm("POST", path(group, name) + "/regenerateKey", {"keyName": "key1"}, api=API).json()["keys"]
    assert second[0]["value"] != first[0]["value"]
    assert second[1] == first[1]
    wrong = azure.arm("POST", path(group, name) + "/regenerateKey", {"keyName": "key3"}, api=API)
    assert error(wrong) == (400, "InvalidRequestContent")
    azure.assign(path(group, name), user_id("user2@site.com"), READER)
    assert scientist.arm("GET", path(group, name), api=API).status_code == 200
    denied = scientist.arm("POST", path(group, name) + "/listKeys", api=API)
    assert error(denied) == (403, "AuthorizationFailed")
    assert "'Microsoft.Storage/storageAccounts/listKeys/action'" in denied.json()["error"]["message"]


def test_a_container_is_the_data_planes_own(azure: Client, account: str) -> None:
    made = azure.arm("PUT", f"{account}/blobServices/default/containers/fs1", {}, api=API)
    assert made.status_code == 201
    assert made.json()["properties"]["publicAccess"] == "None"
    again = azure.arm(
        "PUT", f"{account}/blobServices/default/containers/fs1", {"properties": {"metadata": {"a": "b"}}}, api=API
    )
    assert (again.status_code, again.json()["properties"]["metadata"]) == (200, {"a": "b"})
    name = account.rsplit("/", 1)[-1]
    azure.assign(account, user_id("user@domain.com"), "ba92f5b4-2d11-453d-a403-e96b0029c9fe")
    headers = {"Authorization": f"Bearer {azure.token('https://storage.azure.com')}", "x-ms-version": "2024-11-04"}
    seen = azure.session.get(f"https://{name}.blob.core.windows.net/?comp=list", headers=headers)
    assert "<Name>fs1</Name>" in seen.text
    assert azure.arm("DELETE", f"{account}/blobServices/default/containers/fs1", api=API).status_code == 200
    assert (
        "<Name>fs1</Name>"
        not in azure.session.get(f"https://{name}.blob.core.windows.net/?comp=list", headers=headers).text
    )


@pytest.mark.parametrize("name", ["ab", "Upper", "double--hyphen", "-first", "under_score"])
def test_a_bad_container_name_is_refused(azure: Client, account: str, name: str) -> None:
    answer = azure.arm("PUT", f"{account}/blobServices/default/containers/{name}", {}, api=API)
    assert error(answer) == (400, "ContainerNameInvalid")


def test_a_public_container_needs_an_account_that_allows_it(azure: Client, account: str) -> None:
    body = {"properties": {"publicAccess": "Blob"}}
    answer = azure.arm("PUT", f"{account}/blobServices/default/containers/open", body, api=API)
    assert error(answer) == (409, "PublicAccessNotPermitted")


def test_the_blob_service_is_there_from_the_start_and_comes_back_after_delete(azure: Client, account: str) -> None:
    service = f"{account}/blobServices/default"
    before = azure.arm("GET", service, api=API).json()
    assert before["properties"]["deleteRetentionPolicy"]["enabled"] is False
    body = {"properties": {"deleteRetentionPolicy": {"enabled": True, "days": 7}, "isVersioningEnabled": True}}
    after = azure.arm("PUT", service, body, api=API)
    assert after.status_code == 200
    assert after.json()["properties"]["deleteRetentionPolicy"] == {"enabled": True, "days": 7}
    assert azure.arm("GET", service, api=API).json() == after.json()
    listed = azure.arm("GET", f"{account}/blobServices", api=API).json()["value"]
    assert [one["name"] for one in listed] == ["default"]
    assert azure.arm("PUT", f"{account}/blobServices/other", body, api=API).status_code == 400
    assert azure.arm("GET", f"{account}/blobServices/other", api=API).status_code == 404


def test_lifecycle_rules_are_checked_and_kept(azure: Client, account: str) -> None:
    policy = f"{account}/managementPolicies/default"
    rule = {
        "name": "cool",
        "type": "Lifecycle",
        "enabled": True,
        "definition": {
            "filters": {"blobTypes": ["blockBlob"]},
            "actions": {"baseBlob": {"tierToCool": {"daysAfterModificationGreaterThan": 30}}},
        },
    }
    for rules, target in (
        (None, "properties.policy.rules"),
        ([{"name": "x"}], "properties.policy.rules[0]"),
        ([rule, rule], "properties.policy.rules[1].name"),
        ([{**rule, "type": "Other"}], "properties.policy.rules[0].type"),
        ([{**rule, "definition": {}}], "properties.policy.rules[0].definition.actions"),
    ):
        answer = azure.arm("PUT", policy, {"properties": {"policy": {"rules": rules}}}, api=API)
        assert (answer.status_code, answer.json()["error"]["target"]) == (400, target)
    assert azure.arm("GET", policy, api=API).status_code == 404
    made = azure.arm("PUT", policy, {"properties": {"policy": {"rules": [rule]}}}, api=API)
    assert made.status_code == 200
    assert azure.arm("GET", policy, api=API).json()["properties"]["policy"]["rules"] == [rule]
    assert azure.arm("DELETE", policy, api=API).status_code == 200


def test_an_identity_must_be_there_and_the_caller_may_use_it(azure: Client, lead: Client, group: str) -> None:
    identity = f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{unique('id')}"
    body = changed(identity={"type": "UserAssigned", "userAssignedIdentities": {identity: {}}})
    assert error(azure.arm("PUT", path(group, unique("acct")), body, api=API)) == (400, "FailedIdentityOperation")
    made = azure.arm("PUT", identity, {"location": "eastus2"}).json()["properties"]
    account = path(group, unique("acct"))
    assert azure.arm("PUT", account, body, api=API).status_code == 202
    shown = azure.arm("GET", account, api=API).json()["identity"]
    assert shown["userAssignedIdentities"] == {
        identity: {"principalId": made["principalId"], "clientId": made["clientId"]}
    }
    other = azure.group()
    azure.assign(other, user_id("admin1@site.com"), CONTRIBUTOR)
    denied = lead.arm("PUT", path(other, unique("acct")), body, api=API)
    assert error(denied) == (403, "LinkedAuthorizationFailed")
    assert "userAssignedIdentities/assign/action" in denied.json()["error"]["message"]


def test_a_patch_adds_and_removes_single_identities(azure: Client, group: str) -> None:
    ids = [f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{unique('id')}" for _ in range(3)]
    for one in ids:
        azure.arm("PUT", one, {"location": "eastus2"})
    account = path(group, unique("acct"))
    first = {"type": "UserAssigned", "userAssignedIdentities": {one: {} for one in ids[:2]}}
    azure.arm("PUT", account, changed(identity=first), api=API)
    change = {"type": "UserAssigned", "userAssignedIdentities": {ids[0]: None, ids[2]: {}}}
    shown = azure.arm("PATCH", account, {"identity": change}, api=API).json()
    assert set(shown["identity"]["userAssignedIdentities"]) == {ids[1], ids[2]}
    assert shown["sku"]["name"] == "Standard_LRS"


def test_a_system_identity_is_a_principal_of_the_directory(azure: Client, group: str) -> None:
    account = path(group, unique("acct"))
    azure.arm("PUT", account, changed(identity={"type": "SystemAssigned"}), api=API)
    identity = azure.arm("GET", account, api=API).json()["identity"]
    assert identity["tenantId"] == azure.tenant
    principal = azure.graph("GET", f"/servicePrincipals/{identity['principalId']}").json()
    assert principal["servicePrincipalType"] == "ManagedIdentity"
    azure.arm("PUT", account, changed(tags={"a": "b"}, identity={"type": "SystemAssigned"}), api=API)
    assert azure.arm("GET", account, api=API).json()["identity"] == identity
    azure.arm("DELETE", account, api=API)
    assert azure.graph("GET", f"/servicePrincipals/{identity['principalId']}").status_code == 404


def test_another_subscriptions_account_is_not_found(azure: Client) -> None:
    other = f"/subscriptions/{SUBSCRIPTION[:-1]}0/resourceGroups/x"
    assert error(azure.arm("GET", path(other, "acct"), api=API)) == (404, "SubscriptionNotFound")
