"""Networks, subnets, security groups, private endpoints, private zones."""

from typing import Any

import pytest

from tests.azure.client import CONTRIBUTOR, Client, error, unique, user_id

NETWORK = "providers/Microsoft.Network"


@pytest.fixture(scope="module")
def group(azure: Client) -> str:
    return azure.group()


@pytest.fixture
def network(azure: Client, group: str) -> str:
    """The id of a network 10.0.0.0/16 with the subnet `one`, 10.0.1.0/24."""
    path = f"{group}/{NETWORK}/virtualNetworks/{unique('vnet')}"
    body = {
        "location": "eastus2",
        "properties": {
            "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
            "subnets": [{"name": "one", "properties": {"addressPrefix": "10.0.1.0/24"}}],
        },
    }
    assert azure.arm("PUT", path, body).status_code == 201
    return path


def account(azure: Client, group: str) -> str:
    path = f"{group}/providers/Microsoft.Storage/storageAccounts/{unique('acct')}"
    azure.arm("PUT", path, {"location": "eastus2", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}})
    return path


def endpoint_body(subnet: str, target: str, *groups: str) -> dict[str, Any]:
    connection = {"name": "link", "properties": {"privateLinkServiceId": target, "groupIds": list(groups)}}
    properties = {"subnet": {"id": subnet}, "privateLinkServiceConnections": [connection]}
    return {"location": "eastus2", "properties": properties}


def subnets(azure: Client, network: str) -> list[str]:
    return [one["name"] for one in azure.arm("GET", network).json()["properties"]["subnets"]]


def test_a_networks_subnets_are_resources_of_their_own(azure: Client, network: str) -> None:
    added = azure.arm("PUT", f"{network}/subnets/two", {"properties": {"addressPrefix": "10.0.2.0/24"}})
    assert added.status_code == 201
    assert subnets(azure, network) == ["one", "two"]
    body = {"location": "eastus2", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}}
    assert azure.arm("PUT", network, body).status_code == 200
    assert subnets(azure, network) == ["one", "two"]  # not named: they stay
    body["properties"]["subnets"] = [{"name": "two", "properties": {"addressPrefix": "10.0.2.0/24"}}]  # type: ignore[index]
    azure.arm("PUT", network, body)
    assert subnets(azure, network) == ["two"]
    assert azure.arm("GET", f"{network}/subnets/one").status_code == 404


@pytest.mark.parametrize(
    ("prefix", "code"),
    [
        ("10.1.0.0/24", "NetcfgSubnetRangeOutsideVnet"),
        ("10.0.1.128/25", "NetcfgSubnetRangesOverlap"),
        ("10.0.2.1/24", "InvalidAddressPrefixFormat"),
        ("somewhere", "InvalidAddressPrefixFormat"),
        ("fd00::/64", "NetcfgSubnetRangeOutsideVnet"),
        (None, "InvalidRequestContent"),
    ],
)
def test_a_subnets_range_lies_inside_and_beside_the_others(
    azure: Client, network: str, prefix: str | None, code: str
) -> None:
    answer = azure.arm("PUT", f"{network}/subnets/two", {"properties": {"addressPrefix": prefix}})
    assert error(answer) == (400, code)
    assert subnets(azure, network) == ["one"]


def test_a_private_endpoint_gives_a_resource_an_address(azure: Client, group: str, network: str) -> None:
    target = account(azure, group)
    path = f"{group}/{NETWORK}/privateEndpoints/{unique('pe')}"
    made = azure.arm("PUT", path, endpoint_body(f"{network}/subnets/one", target, "blob", "dfs"))
    assert made.status_code == 201
    name = target.rsplit("/", 1)[-1]
    assert made.json()["properties"]["customDnsConfigs"] == [
        {"fqdn": f"{name}.blob.core.windows.net", "ipAddresses": ["10.0.1.4"]},
        {"fqdn": f"{name}.dfs.core.windows.net", "ipAddresses": ["10.0.1.5"]},
    ]
    second = azure.arm("PUT", path + "2", endpoint_body(f"{network}/subnets/one", target, "file")).json()
    assert second["properties"]["customDnsConfigs"][0]["ipAddresses"] == ["10.0.1.6"]
    connections = azure.arm("GET", target).json()["properties"]["privateEndpointConnections"]
    assert [one["properties"]["privateEndpoint"]["id"] for one in connections] == [path, path + "2"]
    assert connections[0]["properties"]["privateLinkServiceConnectionState"]["status"] == "Approved"
    for holder in (f"{network}/subnets/one", network):
        assert error(azure.arm("DELETE", holder)) == (400, "InUseSubnetCannotBeDeleted")
    for endpoint in (path, path + "2"):
        azure.arm("DELETE", endpoint)
    assert azure.arm("DELETE", network).status_code == 200
    assert azure.arm("GET", target).json()["properties"]["privateEndpointConnections"] == []


def test_a_private_endpoint_needs_subnet_target_and_group(azure: Client, group: str, network: str) -> None:
    target, path = account(azure, group), f"{group}/{NETWORK}/privateEndpoints/{unique('pe')}"
    subnet = f"{network}/subnets/one"
    for body, code in (
        (endpoint_body(f"{network}/subnets/none", target, "blob"), "InvalidResourceReference"),
        (endpoint_body(subnet, target + "x", "blob"), "InvalidResourceReference"),
        (endpoint_body(subnet, target, "vault"), "PrivateLinkServiceGroupIdNotSupported"),
        (endpoint_body(subnet, target), "PrivateLinkServiceGroupIdNotSupported"),
        ({"location": "eastus2", "properties": {"subnet": {"id": subnet}}}, "InvalidRequestContent"),
    ):
        assert error(azure.arm("PUT", path, body)) == (400, code)
    azure.arm("PUT", path, endpoint_body(subnet, target, "blob"))
    azure.arm("PUT", f"{network}/subnets/two", {"properties": {"addressPrefix": "10.0.2.0/24"}})
    moved = azure.arm("PUT", path, endpoint_body(f"{network}/subnets/two", target, "blob"))
    assert error(moved) == (400, "CannotChangeSubnetOfPrivateEndpoint")


def test_a_private_endpoint_needs_the_right_to_approve_at_its_target(
    azure: Client, lead: Client, group: str, network: str
) -> None:
    target, other = account(azure, group), azure.group()
    azure.assign(other, user_id("admin1@site.com"), CONTRIBUTOR)
    body = endpoint_body(f"{network}/subnets/one", target, "blob")
    answer = lead.arm("PUT", f"{other}/{NETWORK}/privateEndpoints/{unique('pe')}", body)
    assert error(answer) == (403, "LinkedAuthorizationFailed")
    assert "privateEndpointConnectionsApproval/action" in answer.json()["error"]["message"]


def test_zones_know_an_endpoints_names(azure: Client, group: str, network: str) -> None:
    target, path = account(azure, group), f"{group}/{NETWORK}/privateEndpoints/{unique('pe')}"
    azure.arm("PUT", path, endpoint_body(f"{network}/subnets/one", target, "blob"))
    zone = f"{group}/{NETWORK}/privateDnsZones/privatelink.blob.core.windows.net"
    body = {"properties": {"privateDnsZoneConfigs": [{"name": "blob", "properties": {"privateDnsZoneId": zone}}]}}
    assert error(azure.arm("PUT", f"{path}/privateDnsZoneGroups/default", body)) == (400, "InvalidResourceReference")
    assert error(azure.arm("PUT", zone, {"location": "eastus2"})) == (400, "LocationNotAvailableForResourceType")
    assert azure.arm("PUT", zone, {"location": "global"}).status_code == 201
    made = azure.arm("PUT", f"{path}/privateDnsZoneGroups/default", body)
    assert made.status_code == 201
    record = made.json()["properties"]["privateDnsZoneConfigs"][0]["properties"]["recordSets"][0]
    assert record["recordSetName"] == target.rsplit("/", 1)[-1]
    assert record["ipAddresses"] == ["10.0.1.4"]
    second = azure.arm("PUT", f"{path}/privateDnsZoneGroups/other", body)
    assert error(second) == (400, "MultiplePrivateDnsZoneGroupsNotAllowed")
    link = {"location": "global", "properties": {"virtualNetwork": {"id": network}, "registrationEnabled": False}}
    assert azure.arm("PUT", f"{zone}/virtualNetworkLinks/one", link).status_code == 201
    assert error(azure.arm("PUT", f"{zone}/virtualNetworkLinks/two", link)) == (409, "Conflict")
    assert azure.arm("GET", zone).json()["properties"]["numberOfVirtualNetworkLinks"] == 1
    assert error(azure.arm("DELETE", zone)) == (409, "CannotDeleteResource")
    azure.arm("DELETE", f"{zone}/virtualNetworkLinks/one")
    assert azure.arm("DELETE", zone).status_code == 200


def rule(name: str, **changes: Any) -> dict[str, Any]:
    given = {"access": "Deny", "direction": "Inbound", "protocol": "*", "priority": 100, **changes}
    return {"name": name, "properties": given}


@pytest.mark.parametrize(
    ("rules", "code", "target"),
    [
        ([rule("a"), rule("b")], "SecurityRuleConflict", "properties.securityRules[1]"),
        ([rule("a", priority=99)], "SecurityRuleInvalidPriority", "properties.securityRules[0].properties.priority"),
        ([rule("a", access="Maybe")], "InvalidRequestContent", "properties.securityRules[0].properties.access"),
        ([{"properties": {}}], "InvalidRequestContent", "properties.securityRules[0].name"),
    ],
)
def test_a_wrong_security_rule_is_refused(azure: Client, group: str, rules: list[Any], code: str, target: str) -> None:
    path = f"{group}/{NETWORK}/networkSecurityGroups/{unique('nsg')}"
    answer = azure.arm("PUT", path, {"location": "eastus2", "properties": {"securityRules": rules}})
    assert error(answer) == (400, code)
    assert answer.json()["error"]["target"] == target


def test_a_security_group_in_use_stays(azure: Client, group: str, network: str) -> None:
    path = f"{group}/{NETWORK}/networkSecurityGroups/{unique('nsg')}"
    rules = [rule("a"), rule("b", direction="Outbound")]
    made = azure.arm("PUT", path, {"location": "eastus2", "properties": {"securityRules": rules}}).json()
    assert [one["id"].rsplit("/", 1)[-1] for one in made["properties"]["securityRules"]] == ["a", "b"]
    subnet = {"properties": {"addressPrefix": "10.0.1.0/24", "networkSecurityGroup": {"id": path}}}
    assert azure.arm("PUT", f"{network}/subnets/one", subnet).status_code == 200
    assert error(azure.arm("DELETE", path)) == (400, "InUseNetworkSecurityGroupCannotBeDeleted")
    azure.arm("PUT", f"{network}/subnets/one", {"properties": {"addressPrefix": "10.0.1.0/24"}})
    assert azure.arm("DELETE", path).status_code == 200
    missing = azure.arm("PUT", f"{network}/subnets/one", subnet)
    assert error(missing) == (400, "InvalidResourceReference")
