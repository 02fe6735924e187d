"""Create, update, delete and read over the resource manager's protocol, where the service does not just say yes."""

from typing import Any

import pytest

from sandbox.providers.azure_native import AzureNative
from sandbox.providers.values import secret
from tests.providers.cloud import SUBSCRIPTION, Cloud, error
from tests.providers.driver import Aborted, Resource, configured, invoke

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/g"
ACCOUNT = "azure-native:storage:StorageAccount"
GIVEN: dict[str, Any] = {
    "resourceGroupName": "g",
    "location": "eastus2",
    "accountName": "acct",
    "kind": "StorageV2",
    "sku": {"name": "Standard_LRS"},
}
WORKSPACE = "azure-native:machinelearningservices:Workspace"
WORK: dict[str, Any] = {"resourceGroupName": "g", "location": "eastus2", "workspaceName": "work"}
NOW = {"Retry-After": "0"}
OPERATION = f"https://management.azure.com/subscriptions/{SUBSCRIPTION}/operations/1?api-version=2020-01-01"


def test_create_looks_first_then_puts_then_reads_back(native: AzureNative, cloud: Cloud) -> None:
    Resource(native, ACCOUNT).create(GIVEN)
    path = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/acct"
    assert cloud.calls() == [f"GET {path}", f"PUT {path}", f"GET {path}"]
    assert cloud.asked[0].headers["authorization"].startswith("Bearer e30.")


def test_what_exists_is_not_taken_over(native: AzureNative, cloud: Cloud) -> None:
    account = Resource(native, ACCOUNT).create(GIVEN)
    with pytest.raises(Aborted) as failed:
        Resource(native, ACCOUNT, "other").create(GIVEN)
    assert str(failed.value) == f"cannot create already existing resource '{account.id}'"
    assert len(cloud.calls("PUT")) == 1


@pytest.mark.parametrize("answer", [(200, {}), (200, None), (204, None), (404, error("NotFound", "no"))])
def test_nothing_is_there_where_the_service_shows_nothing(native: AzureNative, cloud: Cloud, answer: Any) -> None:
    cloud.say("GET", "/acct", answer)
    assert Resource(native, ACCOUNT).create(GIVEN).id


def test_a_resource_that_cannot_be_read_is_not_created(native: AzureNative, cloud: Cloud) -> None:
    cloud.say("GET", "/acct", (403, error("AuthorizationFailed", "The client has no authorization.")))
    with pytest.raises(Aborted) as failed:
        Resource(native, ACCOUNT).create(GIVEN)
    assert str(failed.value).startswith("cannot check existence of resource '/subscriptions/")
    assert "status code 403" in str(failed.value)
    assert "AuthorizationFailed" in str(failed.value)
    assert cloud.calls("PUT") == []


def test_a_refusal_has_status_code_message_and_resource(native: AzureNative, cloud: Cloud) -> None:
    cloud.say("PUT", "/acct", (409, error("ConflictError", "A vault with the same name exists.")))
    with pytest.raises(Aborted) as failed:
        Resource(native, ACCOUNT).create(GIVEN)
    assert str(failed.value) == (
        'Status=409 Code="ConflictError" Message="A vault with the same name exists." '
        f"(PUT {GROUP}/providers/Microsoft.Storage/storageAccounts/acct)"
    )
    assert failed.value.init is None


def test_an_error_without_azures_envelope_is_shown_whole(native: AzureNative, cloud: Cloud) -> None:
    """Diagnostic settings answer with a bare code and message."""
    cloud.say("PUT", "/acct", (409, {"code": "Conflict", "message": "Data sink is already used"}))
    with pytest.raises(Aborted, match=r'Status=409 Code="Conflict" Message="\{.*Data sink is already used.*\}"'):
        Resource(native, ACCOUNT).create(GIVEN)


@pytest.mark.parametrize(
    "first",
    [
        pytest.param((201, {}, {"Azure-AsyncOperation": OPERATION, **NOW}), id="by operation"),
        pytest.param((202, None, {"Location": "/operations/1", **NOW}), id="by a relative location"),
        pytest.param(
            (202, None, {"Azure-AsyncOperation": OPERATION, "Location": "/never", **NOW}), id="operation first"
        ),
    ],
)
def test_a_long_operation_is_followed_to_its_end(native: AzureNative, cloud: Cloud, first: Any) -> None:
    cloud.say("PUT", "/work", first)
    running: Any = (202, {"status": "InProgress"}, NOW)
    cloud.say("GET", "/operations/1", running, running, (200, {"status": "Succeeded"}))
    resource = {"id": f"{GROUP}/work", "properties": {"workspaceId": "w"}}
    cloud.say("GET", "/work", (404, error("ResourceNotFound", "")), (200, resource))
    work = Resource(native, WORKSPACE).create(WORK)
    assert work.outputs["workspaceId"] == "w"
    polls = [one for one in cloud.asked if one.path.endswith("/operations/1")]
    assert len(polls) == 3
    assert all("api-version" in one.query for one in polls)


def test_without_a_header_the_provisioning_state_is_followed(native: AzureNative, cloud: Cloud) -> None:
    creating = {"id": "/work", "properties": {"provisioningState": "Creating"}}
    done = {"id": "/work", "properties": {"provisioningState": "Succeeded", "workspaceId": "w"}}
    cloud.say("PUT", "/work", (201, creating, NOW))
    cloud.say("GET", "/work", (404, error("ResourceNotFound", "")), (200, creating, NOW), (200, done), (200, done))
    assert Resource(native, WORKSPACE).create(WORK).outputs["workspaceId"] == "w"


def test_what_is_accepted_and_then_fails_stays_in_the_state(native: AzureNative, cloud: Cloud) -> None:
    cloud.say("PUT", "/work", (202, None, {"Azure-AsyncOperation": OPERATION, **NOW}))
    failed_body = {"status": "Failed", **error("BadRequest", "Cannot use storage with HNS enabled.")}
    cloud.say("GET", "/operations/1", (200, failed_body))
    left = {"id": "/x", "properties": {"provisioningState": "Failed"}}
    cloud.say("GET", "/work", (404, error("ResourceNotFound", "")), (200, left))
    work = Resource(native, WORKSPACE)
    with pytest.raises(Aborted) as failed:
        work.create(WORK)
    assert 'Code="BadRequest" Message="Cannot use storage with HNS enabled."' in str(failed.value)
    init = failed.value.init
    assert init.id == f"{GROUP}/providers/Microsoft.MachineLearningServices/workspaces/work"
    assert init.properties["provisioningState"] == "Failed"
    assert list(init.reasons) == [str(failed.value)]
    assert init.inputs["workspaceName"] == "work"


def test_a_failed_resource_that_is_gone_again_still_tells_why(native: AzureNative, cloud: Cloud) -> None:
    cloud.say("PUT", "/work", (201, {"properties": {"provisioningState": "Failed"}}))
    with pytest.raises(Aborted) as failed:
        Resource(native, WORKSPACE).create(WORK)
    assert str(failed.value).startswith("resource created but read failed Status=404")
    assert failed.value.init.id


def test_an_operation_that_does_not_end_times_out(native: AzureNative, cloud: Cloud) -> None:
    cloud.say("PUT", "/work", (202, None, {"Azure-AsyncOperation": OPERATION, "Retry-After": "30"}))
    with pytest.raises(Aborted, match="operation timed out") as failed:
        Resource(native, WORKSPACE).create(WORK, timeout=1)
    assert failed.value.init.id


def test_a_read_that_fails_after_a_write_only_costs_detail(native: AzureNative, cloud: Cloud) -> None:
    cloud.say("GET", "/acct", (404, error("NotFound", "")), (403, error("AuthorizationFailed", "")))
    assert Resource(native, ACCOUNT).create(GIVEN).outputs["kind"] == "StorageV2"


def test_a_read_that_fails_after_a_long_operation_costs_nothing(native: AzureNative, cloud: Cloud) -> None:
    """azcore's poller has read the resource at the operation's end: the first answer says nothing of it."""
    cloud.say("PUT", "/work", (202, None, {"Azure-AsyncOperation": OPERATION, **NOW}))
    cloud.say("GET", "/operations/1", (200, {"status": "Succeeded"}))
    resource = {"id": f"{GROUP}/work", "properties": {"workspaceId": "w"}}
    refused = (403, error("AuthorizationFailed", ""))
    cloud.say("GET", "/work", (404, error("ResourceNotFound", "")), (200, resource), refused)
    assert Resource(native, WORKSPACE).create(WORK).outputs["workspaceId"] == "w"


def test_an_update_puts_everything_and_merges_nothing(native: AzureNative, cloud: Cloud) -> None:
    account = Resource(native, ACCOUNT).create({**GIVEN, "tags": {"a": "b"}, "accessTier": "Hot"})
    account.update({**GIVEN, "minimumTlsVersion": "TLS1_2"})
    assert cloud.last("PUT").body == {
        "location": "eastus2",
        "kind": "StorageV2",
        "sku": {"name": "Standard_LRS"},
        "properties": {"minimumTlsVersion": "TLS1_2"},
    }


def test_children_that_the_inputs_do_not_set_are_kept(native: AzureNative, cloud: Cloud) -> None:
    given = {
        "resourceGroupName": "g",
        "location": "e",
        "virtualNetworkName": "net",
        "addressSpace": {"addressPrefixes": ["10.0.0.0/8"]},
    }
    net = Resource(native, "azure-native:network:VirtualNetwork").create(given)
    assert cloud.last("PUT").body["properties"]["subnets"] == []
    subnet = {"id": "/s", "name": "made-alone", "properties": {"addressPrefix": "10.1.0.0/16"}}
    cloud.kept[net.id.lower()]["properties"]["subnets"] = [subnet]
    assert net.refresh()
    assert net.outputs["subnets"] == []
    assert "subnets" not in net.inputs
    net.update({**given, "tags": {"a": "b"}})
    assert cloud.last("PUT").body["properties"]["subnets"] == [subnet]
    assert net.outputs["subnets"][0]["addressPrefix"] == "10.1.0.0/16"
    assert net.refresh()  # resetUnsetSubResourceProperties: reset in the state, and so in the inputs
    assert (net.outputs["subnets"], net.inputs["subnets"]) == ([], [])
    assert net.diff(given).kinds["subnets"] == "DELETE"
    net.update(given)
    assert cloud.last("PUT").body["properties"]["subnets"] == [subnet]
    net.update({**given, "subnets": []})
    assert cloud.last("PUT").body["properties"]["subnets"] == []


def test_a_vaults_access_policies_are_kept_too(native: AzureNative, cloud: Cloud) -> None:
    given: dict[str, Any] = {
        "resourceGroupName": "g",
        "location": "e",
        "vaultName": "kv-1",
        "properties": {"tenantId": "t", "sku": {"name": "standard", "family": "A"}},
    }
    vault = Resource(native, "azure-native:keyvault:Vault").create(given)
    policies = [{"objectId": "o"}]
    cloud.kept[vault.id.lower()]["properties"]["accessPolicies"] = policies
    vault.update({**given, "tags": {"a": "b"}})
    assert cloud.last("PUT").body["properties"]["accessPolicies"] == policies


def test_an_identity_taken_away_is_sent_as_null_by_patch(native: AzureNative, cloud: Cloud) -> None:
    two = {"type": "UserAssigned", "userAssignedIdentities": ["/one", "/two"]}
    account = Resource(native, ACCOUNT).create({**GIVEN, "identity": two})
    account.update({**GIVEN, "identity": {**two, "userAssignedIdentities": ["/two"]}})
    assert len(cloud.calls("PUT")) == 1
    assert cloud.last("PATCH").body["identity"]["userAssignedIdentities"] == {"/one": None, "/two": {}}
    account.update({**GIVEN, "identity": {**two, "userAssignedIdentities": ["/two", "/three"]}})
    assert cloud.last("PUT").body["identity"]["userAssignedIdentities"] == {"/two": {}, "/three": {}}


def test_network_rules_that_are_taken_away_are_opened(native: AzureNative, cloud: Cloud) -> None:
    account = Resource(native, ACCOUNT).create({**GIVEN, "networkRuleSet": {"defaultAction": "Deny"}})
    account.update(GIVEN)
    assert cloud.last("PUT").body["properties"]["networkAcls"] == {
        "bypass": "AzureServices",
        "defaultAction": "Allow",
        "ipRules": [],
        "virtualNetworkRules": [],
    }


def test_open_network_rules_are_filled_in_by_a_refresh(native: AzureNative, cloud: Cloud) -> None:
    """A noise of azure-native's: a program that does not name the empty lists sees an update afterwards."""
    rules = {"bypass": "AzureServices", "defaultAction": "Allow"}
    shown = {**rules, "ipRules": [], "virtualNetworkRules": []}
    resource = {"id": "/accounts/acct", **GIVEN, "properties": {"networkAcls": shown}}
    cloud.say("GET", "/acct", (404, error("ResourceNotFound", "")), *[(200, resource)] * 3)
    account = Resource(native, ACCOUNT).create({**GIVEN, "networkRuleSet": rules})
    assert account.outputs["networkRuleSet"] == shown
    assert account.refresh()
    assert account.inputs["networkRuleSet"] == shown
    assert account.refresh()
    assert account.inputs["networkRuleSet"] == shown
    assert account.diff(account.checked({**GIVEN, "networkRuleSet": rules})).kinds == {
        "networkRuleSet.ipRules": "DELETE",
        "networkRuleSet.virtualNetworkRules": "DELETE",
    }


def test_a_failed_update_keeps_the_resource_with_its_error(native: AzureNative, cloud: Cloud) -> None:
    work = Resource(native, WORKSPACE).create(WORK)
    cloud.say("PUT", "/work", (200, {"id": "/w", "properties": {"provisioningState": "Failed"}}))
    with pytest.raises(Aborted) as failed:
        work.update({**WORK, "description": "x"})
    assert failed.value.init.id == work.id


@pytest.mark.parametrize(
    ("answer", "polls"),
    [
        ((204, None), 0),
        ((404, error("ResourceNotFound", "gone")), 0),
        ((202, None, {"Location": "/operations/9", **NOW}), 2),
    ],
)
def test_delete_waits_and_what_is_gone_is_well(native: AzureNative, cloud: Cloud, answer: Any, polls: int) -> None:
    account = Resource(native, ACCOUNT).create(GIVEN)
    cloud.say("DELETE", "/acct", answer)
    cloud.say("GET", "/operations/9", (202, None, NOW), (200, {}))
    account.delete()
    assert cloud.last("DELETE").query == {"api-version": "2024-01-01"}
    assert len([call for call in cloud.calls("GET") if call.endswith("/operations/9")]) == polls


def test_a_locked_resource_is_not_deleted(native: AzureNative, cloud: Cloud) -> None:
    account = Resource(native, ACCOUNT).create(GIVEN)
    cloud.say("DELETE", "/acct", (409, error("ScopeLocked", "The scope cannot perform delete operation")))
    with pytest.raises(Aborted, match='Status=409 Code="ScopeLocked"'):
        account.delete()


def test_a_singleton_exists_already_and_is_set_back_instead_of_deleted(native: AzureNative, cloud: Cloud) -> None:
    given = {
        "resourceGroupName": "g",
        "accountName": "acct",
        "blobServicesName": "default",
        "isVersioningEnabled": True,
    }
    cloud.say("GET", "/default", (200, {"id": "/x", "properties": {}}))
    service = Resource(native, "azure-native:storage:BlobServiceProperties").create(given)
    service.delete()
    assert cloud.last("PUT").body == {}
    assert cloud.calls("DELETE") == []


@pytest.mark.parametrize(
    "code",
    ["ResourceNotFound", "ResourceGroupNotFound", "ParentResourceNotFound", "RoleAssignmentNotFound", "LockNotFound"],
)
def test_a_refresh_drops_what_azure_says_is_gone(native: AzureNative, cloud: Cloud, code: str) -> None:
    account = Resource(native, ACCOUNT).create(GIVEN)
    cloud.say("GET", "/acct", (404, error(code, "gone")))
    assert not account.refresh()


@pytest.mark.parametrize(
    "body", [error("ContainerNotFound", "The specified container does not exist."), {"oops": "a proxy"}]
)
def test_a_404_of_another_kind_fails_the_refresh(native: AzureNative, cloud: Cloud, body: Any) -> None:
    """As azure-native since 3.11: its list of codes has none of storage's own."""
    account = Resource(native, ACCOUNT).create(GIVEN)
    cloud.say("GET", "/acct", (404, body))
    with pytest.raises(Aborted, match="Status=404"):
        account.refresh()


def test_a_refresh_takes_over_what_changed_in_azure_and_only_that(native: AzureNative, cloud: Cloud) -> None:
    account = Resource(native, ACCOUNT).create({**GIVEN, "tags": {"owner": secret("me")}})
    kept = cloud.kept[account.id.lower()]
    kept["properties"] = {"accessTier": "Hot", "primaryEndpoints": {"blob": "b"}}  # defaults that appear are outputs...
    assert account.refresh()
    assert account.inputs["accessTier"] == "Hot"  # ...and inputs, since they were not in the last outputs
    kept["kind"] = "BlobStorage"
    kept["tags"] = {"owner": "me", "more": "x"}
    assert account.refresh()
    assert account.inputs["kind"] == "BlobStorage"
    assert account.inputs["tags"] == {"owner": secret("me"), "more": "x"}
    assert account.inputs["accountName"] == "acct"
    inputs = dict(account.inputs)
    assert account.refresh()
    assert account.inputs == inputs


def test_an_import_leaves_out_what_is_read_only_or_empty(native: AzureNative, cloud: Cloud) -> None:
    identifier = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/acct"
    cloud.kept[identifier.lower()] = {
        "id": identifier,
        "name": "acct",
        "location": "eastus2",
        "kind": "StorageV2",
        "sku": {"name": "Standard_LRS", "tier": "Standard"},
        "tags": {},
        "identity": {"type": "UserAssigned", "principalId": "p", "userAssignedIdentities": {"/two": {}, "/one": {}}},
        "properties": {"isHnsEnabled": True, "provisioningState": "Succeeded", "networkAcls": {"ipRules": []}},
    }
    account = Resource(native, ACCOUNT).imported(identifier)
    assert account.inputs == {
        "resourceGroupName": "g",
        "accountName": "acct",
        "location": "eastus2",
        "kind": "StorageV2",
        "sku": {"name": "Standard_LRS"},
        "identity": {"type": "UserAssigned", "userAssignedIdentities": ["/one", "/two"]},
        "isHnsEnabled": True,
    }
    assert account.outputs["provisioningState"] == "Succeeded"
    assert not account.diff(account.checked(account.inputs)).changed


def test_an_import_with_another_types_id_says_what_it_wants(native: AzureNative, cloud: Cloud) -> None:
    cloud.kept["/subscriptions/s"] = {"id": "/subscriptions/s"}
    with pytest.raises(Aborted, match="'/subscriptions/s' is no id of azure-native:storage:StorageAccount"):
        Resource(native, ACCOUNT).imported("/subscriptions/s")


def test_scopes_are_taken_out_of_an_id_again(native: AzureNative, cloud: Cloud) -> None:
    scope = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/acct"
    identifier = f"{scope}/providers/Microsoft.Authorization/roleAssignments/guid"
    cloud.kept[identifier.lower()] = {"id": identifier, "properties": {"principalId": "p", "scope": scope}}
    found = Resource(native, "azure-native:authorization:RoleAssignment").imported(identifier)
    assert (found.inputs["scope"], found.inputs["roleAssignmentName"]) == (scope, "guid")


VAULT_ITEM = {"resourceGroupName": "g", "vaultName": "kv-1", "secretName": "s", "properties": {"value": "v"}}


def test_a_soft_deleted_secret_is_recovered_and_put_again(native: AzureNative, cloud: Cloud) -> None:
    cloud.say("PUT", "/secrets/s", (409, error("Conflict", "Secret s is currently in a deleted but recoverable state")))
    cloud.say("GET", "/deletedsecrets/s", (200, {"recoveryId": "r"}))
    cloud.say("POST", "/deletedsecrets/s/recover", (200, {}, NOW))
    found = Resource(native, "azure-native:keyvault:Secret").create(VAULT_ITEM)
    assert found.id.endswith("/vaults/kv-1/secrets/s")
    assert [one.host for one in cloud.asked if one.method == "POST"] == ["kv-1.vault.azure.net"]
    assert len(cloud.calls("PUT")) == 2


def test_a_secret_is_deleted_through_its_vault(native: AzureNative, cloud: Cloud) -> None:
    found = Resource(native, "azure-native:keyvault:Secret").create(VAULT_ITEM)
    found.delete()
    asked = cloud.last("DELETE")
    assert (asked.host, asked.path) == ("kv-1.vault.azure.net", "/secrets/s")


def test_a_secret_that_the_vault_refuses_is_refused_at_once(native: AzureNative, cloud: Cloud) -> None:
    cloud.say("PUT", "/secrets/s", (403, error("Forbidden", "no")))
    with pytest.raises(Aborted, match="Status=403"):
        Resource(native, "azure-native:keyvault:Secret").create(VAULT_ITEM)


def test_functions(native: AzureNative, cloud: Cloud) -> None:
    config = invoke(native, "azure-native:authorization:getClientConfig")
    assert config == {
        "clientId": "caller-client",
        "objectId": "caller-object",
        "subscriptionId": SUBSCRIPTION,
        "tenantId": "11111111-1111-1111-1111-111111111111",
    }
    account = Resource(native, ACCOUNT).create(GIVEN)
    found = invoke(native, "azure-native:storage:getStorageAccount", resourceGroupName="g", accountName="acct")
    assert (found["id"], found["kind"], found["azureApiVersion"]) == (account.id, "StorageV2", "2024-01-01")
    cloud.say("POST", "/acct/listKeys", (200, {"keys": [{"keyName": "key1", "value": "k"}]}))
    keys = invoke(native, "azure-native:storage:listStorageAccountKeys", resourceGroupName="g", accountName="acct")
    assert keys["keys"][0]["value"] == "k"
    assert cloud.last("POST").path == account.id + "/listKeys"
    assert invoke(native, "azure-native:authorization:getClientToken")["token"].startswith("e30.")


def test_functions_that_fail_name_what_they_asked_for(native: AzureNative) -> None:
    with pytest.raises(Aborted, match=r"request failed /subscriptions/.*/storageAccounts/none: Status=404"):
        invoke(native, "azure-native:storage:getStorageAccount", resourceGroupName="g", accountName="none")
    with pytest.raises(Aborted, match="missing required property 'accountName'"):
        invoke(native, "azure-native:storage:getStorageAccount", resourceGroupName="g")
    with pytest.raises(Aborted, match="Invoke type azure-native:web:getWebApp not found"):
        invoke(native, "azure-native:web:getWebApp")


def test_another_cloud_is_refused() -> None:
    with pytest.raises(Aborted, match="azure-native:environment is 'china'; the sandbox emulates Azure's public cloud"):
        configured(AzureNative(), environment="china")


# ---- resource providers that the subscription has not registered (azcore's arm/runtime/policy_register_rp.go)

PROVIDER = f"/subscriptions/{SUBSCRIPTION}/providers/microsoft.storage"
MISSING = (409, error("MissingSubscriptionRegistration", "The subscription is not registered to use namespace …"))


def test_a_missing_resource_provider_is_registered_and_the_request_sent_again(
    native: AzureNative, cloud: Cloud
) -> None:
    cloud.say("PUT", "/storageAccounts/acct", MISSING)
    cloud.say("POST", f"{PROVIDER}/register", (200, {"registrationState": "Registering"}))
    cloud.say("GET", PROVIDER, (200, {"registrationState": "Registered"}))
    Resource(native, ACCOUNT).create(GIVEN)
    path = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/acct"
    assert cloud.calls()[1:5] == [f"PUT {path}", f"POST {PROVIDER}/register", f"GET {PROVIDER}", f"PUT {path}"]
    assert cloud.last("POST").query == {"api-version": "2019-05-01"}


def test_who_may_not_register_is_told_so(native: AzureNative, cloud: Cloud) -> None:
    cloud.say("PUT", "/storageAccounts/acct", MISSING)
    cloud.say("POST", f"{PROVIDER}/register", (403, error("AuthorizationFailed", "no right to register")))
    with pytest.raises(Aborted, match="no right to register"):
        Resource(native, ACCOUNT).create(GIVEN)


def test_registering_is_tried_three_times(native: AzureNative, cloud: Cloud) -> None:
    cloud.say("PUT", "/storageAccounts/acct", MISSING, MISSING, MISSING)
    cloud.say("POST", f"{PROVIDER}/register", *[(200, {})] * 3)
    cloud.say("GET", PROVIDER, *[(200, {"registrationState": "Registered"})] * 3)
    with pytest.raises(Aborted, match=r"exceeded attempts to register microsoft\.storage"):
        Resource(native, ACCOUNT).create(GIVEN)
