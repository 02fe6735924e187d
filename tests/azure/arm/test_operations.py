"""Sub-resources, lists and actions that azure-cli and the SDKs use, beside reading and writing plain resources."""

from typing import Any
from urllib.parse import quote

import pytest
import requests

from tests.azure.client import Client, error, unique, user_id
from tests.azure.ml import harness
from tests.conftest import SUBSCRIPTION

REGISTRY_API, STORAGE_API, VAULT_API, NETWORK_API, DNS_API, IDENTITY_API, TAGS_API = (
    "2023-07-01",
    "2024-01-01",
    "2024-11-01",
    "2024-05-01",
    "2024-06-01",
    "2023-01-31",
    "2022-09-01",
)
SCIENTIST = user_id("user2@site.com")


@pytest.fixture
def group(azure: Client) -> str:
    return azure.group()


def registry(azure: Client, group: str, sku: str = "Basic") -> str:
    path = f"{group}/providers/Microsoft.ContainerRegistry/registries/{unique('cr')}"
    made = azure.arm("PUT", path, {"location": "eastus2", "sku": {"name": sku}}, api=REGISTRY_API)
    assert made.status_code == 201, made.text
    return path


def account(azure: Client, group: str, **properties: Any) -> str:
    path = f"{group}/providers/Microsoft.Storage/storageAccounts/{unique('st')}"
    body = {"location": "eastus2", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}, "properties": properties}
    made = azure.arm("PUT", path, body, api=STORAGE_API)
    assert made.status_code == 202, made.text
    return path


def vault(azure: Client, group: str, **properties: Any) -> str:
    path = f"{group}/providers/Microsoft.KeyVault/vaults/{unique('kv')}"
    body = {"tenantId": azure.tenant, "sku": {"family": "A", "name": "standard"}, "accessPolicies": [], **properties}
    made = azure.arm("PUT", path, {"location": "eastus2", "properties": body}, api=VAULT_API)
    assert made.status_code == 200, made.text
    return path


# ---- registries


@pytest.mark.parametrize("sku", ["Basic", "Standard", "Premium"])
def test_a_registry_is_patched_though_its_answer_has_premium_properties(azure: Client, group: str, sku: str) -> None:
    path = registry(azure, group, sku)
    patched = azure.arm("PATCH", path, {"tags": {"a": "b"}}, api=REGISTRY_API)
    assert patched.status_code == 200, patched.text
    assert patched.json()["tags"] == {"a": "b"}
    same = azure.arm("PUT", path, patched.json(), api=REGISTRY_API)
    assert same.status_code == 200, same.text


@pytest.mark.parametrize(
    "properties",
    [
        {"publicNetworkAccess": "Disabled"},
        {"networkRuleSet": {"defaultAction": "Deny"}},
        {"dataEndpointEnabled": True},
        {"zoneRedundancy": "Enabled"},
    ],
)
def test_what_needs_premium_is_refused_in_a_patch(azure: Client, group: str, properties: dict[str, Any]) -> None:
    answer = azure.arm("PATCH", registry(azure, group), {"properties": properties}, api=REGISTRY_API)
    assert error(answer) == (400, "FeatureNotSupportedForSku")


def test_a_registrys_admin_user_has_two_passwords_once_it_is_enabled(azure: Client, group: str) -> None:
    path = registry(azure, group)
    assert error(azure.arm("POST", f"{path}/listCredentials", api=REGISTRY_API)) == (400, "AdminUserDisabled")
    azure.arm("PATCH", path, {"properties": {"adminUserEnabled": True}}, api=REGISTRY_API)
    before = azure.arm("POST", f"{path}/listCredentials", api=REGISTRY_API).json()
    assert before["username"] == path.rpartition("/")[2]
    renewed = azure.arm("POST", f"{path}/regenerateCredential", {"name": "password2"}, api=REGISTRY_API).json()
    assert renewed["passwords"][0] == before["passwords"][0]
    assert renewed["passwords"][1] != before["passwords"][1]
    assert azure.arm("POST", f"{path}/listCredentials", api=REGISTRY_API).json() == renewed


def test_registry_names_are_checked_and_usage_is_told(azure: Client, group: str) -> None:
    path = registry(azure, group)
    name = path.rpartition("/")[2]
    at = "providers/Microsoft.ContainerRegistry/checkNameAvailability"
    for asked, reason in ((name, "AlreadyExists"), (unique("cr"), None), ("bad-name", "Invalid")):
        body = {"name": asked, "type": "Microsoft.ContainerRegistry/registries"}
        answer = azure.arm("POST", at, body, api=REGISTRY_API).json()
        assert (answer["nameAvailable"], answer.get("reason")) == (reason is None, reason)
    usages = azure.arm("GET", f"{path}/listUsages", api=REGISTRY_API).json()["value"]
    assert {"name": "Size", "limit": 10 * 1024**3, "currentValue": 0, "unit": "Bytes"} in usages


# ---- paths, providers, tags


def test_an_empty_segment_counts_for_nothing(azure: Client, group: str) -> None:
    path = account(azure, group)
    doubled = path.replace("/storageAccounts", "//storageAccounts")
    assert azure.arm("GET", doubled, api=STORAGE_API).json()["id"] == path
    lock = f"{doubled}/providers/Microsoft.Authorization/locks/keep"
    made = azure.arm("PUT", lock, {"properties": {"level": "CanNotDelete"}}, api="2020-05-01")
    assert made.status_code == 201
    assert made.json()["id"] == lock.replace("//", "/")
    azure.arm("DELETE", lock, api="2020-05-01")


def test_a_provider_shows_its_types_versions_newest_first(azure: Client) -> None:
    for namespace, name in (("Microsoft.Storage", "storageAccounts"), ("Microsoft.Resources", "resourceGroups")):
        types = azure.arm("GET", f"providers/{namespace}").json()["resourceTypes"]
        assert all(kind["apiVersions"] for kind in types)
        (versions,) = [kind["apiVersions"] for kind in types if kind["resourceType"] == name]
        assert versions == sorted(versions, key=lambda text: (text[:10], "-" not in text[10:]), reverse=True)


def test_tags_are_merged_replaced_and_deleted_at_any_scope(azure: Client, group: str) -> None:
    for scope in (group, account(azure, group)):
        path = f"{scope}/providers/Microsoft.Resources/tags/default"

        def tags(method: str, body: Any = None, *, path: str = path) -> Any:
            answer = azure.arm(method, path, body, api=TAGS_API)
            assert answer.status_code == 200, answer.text
            return answer.json()["properties"]["tags"] if method != "DELETE" else None

        assert tags("GET") == {}
        assert tags("PUT", {"properties": {"tags": {"a": "1", "b": "2"}}}) == {"a": "1", "b": "2"}
        merged = tags("PATCH", {"operation": "Merge", "properties": {"tags": {"B": "3", "c": "4"}}})
        assert merged == {"a": "1", "B": "3", "c": "4"}
        left = tags("PATCH", {"operation": "Delete", "properties": {"tags": {"c": "4", "a": "other"}}})
        assert left == {"a": "1", "B": "3"}
        assert azure.arm("GET", scope, api=STORAGE_API).json()["tags"] == left
        assert tags("PATCH", {"operation": "Replace", "properties": {"tags": {"d": "5"}}}) == {"d": "5"}
        tags("DELETE")
        assert tags("GET") == {}
        wrong = azure.arm("PATCH", path, {"operation": "Add", "properties": {"tags": {}}}, api=TAGS_API)
        assert error(wrong) == (400, "InvalidRequestContent")


def test_tags_need_their_right_and_their_scope(azure: Client, scientist: Client, group: str) -> None:
    path = f"{group}/providers/Microsoft.Resources/tags/default"
    body = {"properties": {"tags": {"a": "1"}}}
    assert error(scientist.arm("PUT", path, body, api=TAGS_API)) == (403, "AuthorizationFailed")
    absent = path.replace(group, f"{group}x")
    assert error(azure.arm("PUT", absent, body, api=TAGS_API)) == (404, "ResourceGroupNotFound")
    too_long = {"properties": {"tags": {"a": "x" * 257}}}
    assert error(azure.arm("PUT", path, too_long, api=TAGS_API)) == (400, "InvalidTags")


# ---- storage


def test_the_resource_manager_signs_for_accounts_and_containers(azure: Client, group: str) -> None:
    path = account(azure, group)
    name = path.rpartition("/")[2]
    azure.arm("PUT", f"{path}/blobServices/default/containers/data", {}, api=STORAGE_API)
    address = f"https://{name}.blob.core.windows.net/data?restype=container&comp=list"
    times = {"signedExpiry": "2030-01-01T00:00:00Z"}
    whole = {"signedServices": "b", "signedResourceTypes": "sco", "signedPermission": "rl", **times}
    part = {"canonicalizedResource": f"/blob/{name}/data", "signedResource": "c", "signedPermission": "rl", **times}
    for action, body, field in (
        ("listAccountSas", {**whole, "keyToSign": "key2"}, "accountSasToken"),
        ("listServiceSas", part, "serviceSasToken"),
    ):
        token = azure.arm("POST", f"{path}/{action}", body, api=STORAGE_API).json()[field]
        assert azure.session.get(f"{address}&{token}").status_code == 200, action
        assert azure.session.get(f"{address}&{token[:-5]}").status_code == 403
    wrong = {**part, "canonicalizedResource": "/blob/other/data"}
    assert error(azure.arm("POST", f"{path}/listServiceSas", wrong, api=STORAGE_API)) == (400, "InvalidRequestContent")
    keyless = account(azure, group, allowSharedKeyAccess=False)
    refused = azure.arm("POST", f"{keyless}/listAccountSas", whole, api=STORAGE_API)
    assert error(refused) == (409, "KeyBasedAuthenticationNotPermitted")


def test_storage_tells_its_skus_and_usage(azure: Client, group: str) -> None:
    account(azure, group)
    skus = azure.arm("GET", "providers/Microsoft.Storage/skus", api=STORAGE_API).json()["value"]
    assert any(sku["name"] == "Standard_ZRS" and sku["locations"] == ["eastus2"] for sku in skus)
    (usage,) = azure.arm("GET", "providers/Microsoft.Storage/locations/eastus2/usages", api=STORAGE_API).json()["value"]
    assert usage["currentValue"] >= 1


# ---- vaults


def test_access_policies_are_added_replaced_and_removed(azure: Client, group: str) -> None:
    path = vault(azure, group)

    def change(operation: str, *names: str) -> Any:
        policy = {"tenantId": azure.tenant, "objectId": SCIENTIST, "permissions": {"secrets": list(names)}}
        body = {"properties": {"accessPolicies": [policy]}}
        answer = azure.arm("PUT", f"{path}/accessPolicies/{operation}", body, api=VAULT_API)
        assert answer.status_code == 200, answer.text
        return [entry["permissions"]["secrets"] for entry in answer.json()["properties"]["accessPolicies"]]

    assert change("add", "get") == [["get"]]
    assert change("add", "list") == [["get", "list"]]
    assert change("remove", "get") == [["list"]]
    assert change("replace", "set") == [["set"]]
    assert change("remove", "set") == []
    body = {"properties": {"accessPolicies": [{"objectId": SCIENTIST}]}}
    assert error(azure.arm("PUT", f"{path}/accessPolicies/add", body, api=VAULT_API)) == (400, "BadRequest")


def test_a_vault_says_who_made_it_and_lists_what_else_it_has(azure: Client, group: str) -> None:
    path = vault(azure, group)
    made = azure.arm("GET", path, api=VAULT_API).json()["systemData"]
    assert (made["createdBy"], made["createdByType"]) == ("user@domain.com", "User")
    patched = azure.arm("PATCH", path, {"tags": {"a": "b"}}, api=VAULT_API).json()["systemData"]
    assert patched["createdAt"] == made["createdAt"] < patched["lastModifiedAt"]
    parts = azure.arm("GET", f"{path}/privateLinkResources", api=VAULT_API).json()["value"]
    assert [part["properties"]["requiredZoneNames"] for part in parts] == [["privatelink.vaultcore.azure.net"]]
    azure.arm("PUT", f"{path}/keys/k", {"properties": {"kty": "RSA"}}, api=VAULT_API)
    (version,) = azure.arm("GET", f"{path}/keys/k/versions", api=VAULT_API).json()["value"]
    assert azure.arm("GET", version["id"], api=VAULT_API).json() == version
    assert azure.arm("GET", "providers/Microsoft.KeyVault/deletedManagedHSMs", api=VAULT_API).json() == {"value": []}
    assert error(azure.arm("DELETE", version["id"], api=VAULT_API)) == (405, "MethodNotAllowed")


# ---- identities


def test_an_identity_signs_in_by_a_federated_credential(azure: Client, group: str) -> None:
    path = f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{unique('id')}"
    client_id = azure.arm("PUT", path, {"location": "eastus2"}, api=IDENTITY_API).json()["properties"]["clientId"]
    issuer = "https://issuer.example"
    trust = {"issuer": issuer, "subject": "s", "audiences": ["api://AzureADTokenExchange"]}
    credentials = f"{path}/federatedIdentityCredentials"
    token = azure.sandbox.command("token", "--issuer", issuer, "--subject", "s").stdout.strip()
    form = {
        "client_id": client_id,
        "client_secret": "",
        "client_assertion": token,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }
    assert "AADSTS70025" in azure.sign_in(**form).json()["error_description"]
    made = azure.arm("PUT", f"{credentials}/main", {"properties": trust}, api=IDENTITY_API)
    assert made.status_code == 201, made.text
    assert azure.arm("PUT", f"{credentials}/main", {"properties": trust}, api=IDENTITY_API).status_code == 200
    assert azure.sign_in(**form).status_code == 200
    again = azure.arm("PUT", f"{credentials}/again", {"properties": trust}, api=IDENTITY_API)
    assert error(again) == (409, "Conflict")
    two = {"properties": {**trust, "subject": "t", "audiences": ["a", "b"]}}
    assert error(azure.arm("PUT", f"{credentials}/two", two, api=IDENTITY_API)) == (400, "InvalidRequestContent")
    assert [entry["name"] for entry in azure.arm("GET", credentials, api=IDENTITY_API).json()["value"]] == ["main"]
    assert azure.arm("DELETE", f"{credentials}/main", api=IDENTITY_API).status_code == 200
    assert azure.sign_in(**form).status_code == 401


# ---- networks and DNS


def test_a_rule_is_a_resource_of_its_group(azure: Client, group: str) -> None:
    path = f"{group}/providers/Microsoft.Network/networkSecurityGroups/{unique('nsg')}"
    azure.arm("PUT", path, {"location": "eastus2"}, api=NETWORK_API)
    rule = {"priority": 200, "access": "Deny", "direction": "Inbound", "protocol": "Tcp"}
    made = azure.arm("PUT", f"{path}/securityRules/one", {"properties": rule}, api=NETWORK_API)
    assert made.status_code == 201, made.text
    assert [
        shown["name"] for shown in azure.arm("GET", path, api=NETWORK_API).json()["properties"]["securityRules"]
    ] == ["one"]
    taken = azure.arm("PUT", f"{path}/securityRules/two", {"properties": rule}, api=NETWORK_API)
    assert error(taken) == (400, "SecurityRuleConflict")
    assert azure.arm("DELETE", f"{path}/securityRules/one", api=NETWORK_API).status_code == 200
    assert azure.arm("GET", f"{path}/securityRules", api=NETWORK_API).json() == {"value": []}


def zone(azure: Client, group: str, name: str) -> str:
    path = f"{group}/providers/Microsoft.Network/privateDnsZones/{name}"
    assert azure.arm("PUT", path, {"location": "global"}, api=DNS_API).status_code == 201
    return path


def test_record_sets_are_kept_by_type(azure: Client, group: str) -> None:
    path = zone(azure, group, "corp.example")
    bodies: dict[str, dict[str, Any]] = {
        "A/one": {"ttl": 60, "aRecords": [{"ipv4Address": "10.0.0.4"}]},
        "AAAA/one": {"aaaaRecords": [{"ipv6Address": "fd00::1"}]},
        "CNAME/alias": {"cnameRecord": {"cname": "one.corp.example"}},
        "MX/@": {"mxRecords": [{"preference": 1, "exchange": "mail"}]},
        "PTR/4": {"ptrRecords": [{"ptrdname": "one.corp.example"}]},
        "SRV/_sip._tcp": {"srvRecords": [{"priority": 1, "weight": 1, "port": 5060, "target": "one"}]},
        "TXT/@": {"txtRecords": [{"value": ["hello"]}]},
    }
    for name, properties in bodies.items():
        made = azure.arm("PUT", f"{path}/{name}", {"properties": properties}, api=DNS_API)
        assert made.status_code == 201, made.text
        shown = azure.arm("GET", f"{path}/{name}", api=DNS_API).json()
        assert properties.items() <= shown["properties"].items()
    everything = azure.arm("GET", f"{path}/ALL", api=DNS_API).json()["value"]
    names = [f"{record['type'].rpartition('/')[2]}/{record['name']}" for record in everything]
    assert sorted(names) == sorted([*bodies, "SOA/@"])
    assert azure.arm("GET", path, api=DNS_API).json()["properties"]["numberOfRecordSets"] == len(names)
    changed = azure.arm("PATCH", f"{path}/A/one", {"properties": {"ttl": 30}}, api=DNS_API).json()
    assert changed["properties"]["ttl"] == 30
    assert changed["properties"]["fqdn"] == "one.corp.example."
    assert azure.arm("DELETE", f"{path}/A/one", api=DNS_API).status_code == 200
    assert error(azure.arm("GET", f"{path}/A/one", api=DNS_API)) == (404, "ResourceNotFound")


@pytest.mark.parametrize(
    ("name", "properties", "words"),
    [
        ("A/one", {"aRecords": [{"ipv4Address": "10.0.0.256"}]}, "is no valid address"),
        ("A/one", {"aRecords": [{}]}, "is no valid address"),
        ("A/one", {"txtRecords": [{"value": ["x"]}]}, "has no 'txtRecords'"),
        ("A/one", {"aRecords": {}}, "must be a list"),
        ("CNAME/@", {"cnameRecord": {"cname": "x"}}, "apex"),
        ("A/alias", {"aRecords": []}, "CNAME"),
        ("A/-bad-", {"aRecords": []}, "not valid"),
    ],
)
def test_record_sets_that_cannot_be_are_refused(
    azure: Client, group: str, name: str, properties: dict[str, Any], words: str
) -> None:
    path = zone(azure, group, "corp.example")
    azure.arm("PUT", f"{path}/CNAME/alias", {"properties": {"cnameRecord": {"cname": "x"}}}, api=DNS_API)
    answer = azure.arm("PUT", f"{path}/{name}", {"properties": properties}, api=DNS_API)
    assert answer.status_code == 400, answer.text
    assert words in answer.json()["error"]["message"]


def test_a_private_endpoint_is_seen_by_its_resource_and_its_zone(azure: Client, group: str) -> None:
    """What `az network private-endpoint-connection` lists, rejects and approves."""
    store = account(azure, group, publicNetworkAccess="Disabled")
    name = store.rpartition("/")[2]
    network = f"{group}/providers/Microsoft.Network/virtualNetworks/{unique('vnet')}"
    subnets = [{"name": "one", "properties": {"addressPrefix": "10.0.1.0/24"}}]
    space = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": subnets}
    azure.arm("PUT", network, {"location": "eastus2", "properties": space}, api=NETWORK_API)
    connection = {"name": "c", "properties": {"privateLinkServiceId": store, "groupIds": ["blob"]}}
    body = {"subnet": {"id": f"{network}/subnets/one"}, "privateLinkServiceConnections": [connection]}
    endpoint = f"{group}/providers/Microsoft.Network/privateEndpoints/{unique('pe')}"
    made = azure.arm("PUT", endpoint, {"location": "eastus2", "properties": body}, api=NETWORK_API).json()
    (address,) = made["properties"]["customDnsConfigs"][0]["ipAddresses"]
    zone_id = zone(azure, group, "privatelink.blob.core.windows.net")
    link = {"location": "global", "properties": {"virtualNetwork": {"id": network}}}
    azure.arm("PUT", f"{zone_id}/virtualNetworkLinks/one", link, api=DNS_API)

    inside = requests.Session()
    inside.trust_env, inside.verify = False, azure.session.verify
    proxy = azure.session.proxies["https"].replace("http://", f"http://{quote(network, safe='')}:@")
    inside.proxies = {"https": proxy}

    def reached() -> bool:
        headers = {"Authorization": f"Bearer {azure.token('https://storage.azure.com')}", "x-ms-version": "2023-11-03"}
        answer = inside.get(f"https://{name}.blob.core.windows.net/?comp=list", headers=headers)
        return answer.headers.get("x-ms-error-code") != "AuthorizationFailure"

    assert not reached()
    record = {"properties": {"aRecords": [{"ipv4Address": address}]}}
    azure.arm("PUT", f"{zone_id}/A/{name}", record, api=DNS_API)  # by hand, as a DNS team does
    assert reached()
    azure.arm("DELETE", f"{zone_id}/A/{name}", api=DNS_API)
    assert not reached()
    config = {"privateDnsZoneConfigs": [{"name": "z", "properties": {"privateDnsZoneId": zone_id}}]}
    azure.arm("PUT", f"{endpoint}/privateDnsZoneGroups/default", {"properties": config}, api=NETWORK_API)
    assert reached()
    written = azure.arm("GET", f"{zone_id}/A/{name}", api=DNS_API).json()["properties"]["aRecords"]
    assert written == [{"ipv4Address": address}]

    (seen,) = azure.arm("GET", f"{store}/privateEndpointConnections", api=STORAGE_API).json()["value"]
    for status, works in (("Rejected", False), ("Approved", True)):
        state = {"properties": {"privateLinkServiceConnectionState": {"status": status, "description": "d"}}}
        assert azure.arm("PUT", seen["id"], state, api=STORAGE_API).status_code == 200
        assert reached() is works
    odd = {"properties": {"privateLinkServiceConnectionState": {"status": "Maybe"}}}
    assert error(azure.arm("PUT", seen["id"], odd, api=STORAGE_API)) == (400, "InvalidRequestContent")
    absent = azure.arm("PUT", f"{seen['id']}x", odd, api=STORAGE_API)
    assert error(absent) == (400, "PrivateEndpointConnectionNotFound")
    assert azure.arm("DELETE", seen["id"], api=STORAGE_API).status_code == 200
    assert not reached()


# ---- workspaces


def test_a_workspace_has_its_lists_and_actions(azure: Client) -> None:
    needs = harness.dependencies(azure)
    path = needs.workspace_id(unique("ws"))
    harness.put(azure, path, needs.body())
    api = harness.ML_API
    assert azure.arm("POST", f"{path}/resyncKeys", api=api).status_code == 202
    parts = azure.arm("GET", f"{path}/privateLinkResources", api=api).json()["value"]
    assert [part["properties"]["groupId"] for part in parts] == ["amlworkspace"]
    outbound = azure.arm("GET", f"{path}/outboundNetworkDependenciesEndpoints", api=api).json()["value"]
    assert "Azure Machine Learning" in {entry["category"] for entry in outbound}
    assert azure.arm("GET", f"{path}/features", api=api).json() == {"value": []}
    accepted = azure.arm("POST", f"{path}/diagnose", {"value": {}}, api=api)
    assert accepted.status_code == 202
    outcome = azure.send("GET", accepted.headers["Location"])
    assert outcome.json()["value"]["storageAccountResults"] == []
    for version, name in (("2024-04-01", "userStorageResourceId"), (api, "userStorageArmId")):
        keys = azure.arm("POST", f"{path}/listKeys", api=version).json()
        assert keys[name].lower() == needs.ids["storageAccount"].lower()
    for part in ("datastores", "connections"):
        for resource in azure.arm("GET", f"{path}/{part}", api=api).json()["value"]:
            assert resource["systemData"]["createdAt"], resource["id"]


@pytest.mark.parametrize(
    ("method", "path", "words"),
    [
        ("GET", "{group}/providers/Microsoft.ContainerRegistry/registries/x/webhooks", "'registries/webhooks'"),
        ("POST", "{account}/failover", "'failover'"),
        ("POST", "providers/Microsoft.Storage/deletedAccounts", "'deletedAccounts'"),
        ("PUT", "{account}/encryptionScopes/x", "'storageAccounts/encryptionScopes'"),
    ],
)
def test_what_is_not_emulated_is_refused_by_name(azure: Client, group: str, method: str, path: str, words: str) -> None:
    """docs/coverage.md lists them."""
    answer = azure.arm(method, path.format(group=group, account=account(azure, group)), {}, api=STORAGE_API)
    assert answer.status_code == 404
    assert words in answer.json()["error"]["message"]
    assert "the sandbox" in answer.json()["error"]["message"]


def test_a_subscription_shows_its_tags_and_tag_names(azure: Client, group: str) -> None:
    scope = f"/subscriptions/{SUBSCRIPTION}"
    tags = {"properties": {"tags": {"plane": "sandbox"}}}
    azure.arm("PUT", f"{scope}/providers/Microsoft.Resources/tags/default", tags, api=TAGS_API)
    assert azure.arm("GET", scope).json()["tags"] == {"plane": "sandbox"}
    name, value = unique("cost"), unique("v")
    assert error(azure.arm("PUT", f"tagNames/{name}/tagValues/{value}")) == (404, "TagNotFound")
    azure.arm("PUT", f"tagNames/{name}")
    azure.arm("PUT", f"tagNames/{name}/tagValues/{value}")
    azure.arm("PATCH", group, {"tags": {name: value}})
    (shown,) = [entry for entry in azure.arm("GET", "tagNames").json()["value"] if entry["tagName"] == name]
    assert shown["values"][0]["count"]["value"] == 1
    assert error(azure.arm("DELETE", f"tagNames/{name}")) == (409, "TagInUse")
    azure.arm("PATCH", group, {"tags": {}})
    assert azure.arm("DELETE", f"tagNames/{name}").status_code == 200
