"""Microsoft.Network: virtual networks, subnets, security groups, private endpoints. No packet is filtered.

Sources of codes: learn.microsoft.com/troubleshoot/azure/virtual-network/virtual-network-troubleshoot-cannot-delete-vnet
and the REST examples of Microsoft.Network 2024-05-01.
"""

import copy
import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from sandbox.azure.arm.core import Body, Call, ResourceType, Rule, invalid, parse_id, properties_of
from sandbox.azure.arm.identities import linked_authorization_failed
from sandbox.azure.cloud import Cloud
from sandbox.azure.front.errors import AzureError
from sandbox.azure.privatelink import ENDPOINTS, NETWORKS

SUBNETS = f"{NETWORKS}/subnets"
SWITCH = frozenset({"Enabled", "Disabled"})
RESERVED = 4  # addresses that Azure keeps at a subnet's start (0 to 3)
NAME = re.compile(r"[a-zA-Z0-9](?:[\w.-]{0,78}\w)?")
# learn.microsoft.com/azure/private-link/private-endpoint-overview: what a private endpoint can lead to, and under which
# names it is then reached.
TARGETS: dict[str, dict[str, tuple[str, ...]]] = {
    "microsoft.storage/storageaccounts": {
        name: (f"{{name}}.{name}.core.windows.net",) for name in ("blob", "dfs", "file", "queue", "table", "web")
    },
    "microsoft.keyvault/vaults": {"vault": ("{name}.vault.azure.net",)},
    "microsoft.containerregistry/registries": {"registry": ("{name}.azurecr.io", "{name}.{location}.data.azurecr.io")},
    "microsoft.machinelearningservices/workspaces": {
        "amlworkspace": (
            "{workspace}.workspace.{location}.api.azureml.ms",
            "ml-{name}-{location}-{workspace}.{location}.notebooks.azure.net",
        )
    },
    "microsoft.machinelearningservices/registries": {"amlregistry": ("{name}.registry.{location}.api.azureml.ms",)},
}


def _missingreference(call: Call, resource_id: str) -> AzureError:
    return AzureError(
        400,
        "InvalidResourceReference",
        f"Resource {resource_id} referenced by resource {call.id.text} was not found. Please make sure that the "
        "referenced "
        "resource exists, and that both resources are in the same region.",
    )


def reference(call: Call, path: str, given: Any) -> Body:
    """The resource that a body's `{"id": ...}` names.

    Raises:
        AzureError: 400.
    """
    resource_id = given.get("id") if isinstance(given, dict) else None
    if not isinstance(resource_id, str):
        raise invalid(path, f"'{path}' must be an object with the id of a resource.")
    resource = call.resource(resource_id)
    if resource is None:
        raise _missingreference(call, resource_id)
    return resource


def _prefix(path: str, text: Any) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text)
    except (ValueError, TypeError) as error:
        raise AzureError(
            400, "InvalidAddressPrefixFormat", f"Address prefix {text} of '{path}' is not a valid CIDR.", target=path
        ) from error


class VirtualNetwork(ResourceType):
    """`Microsoft.Network/virtualNetworks`; its subnets are resources of their own, shown within."""

    type = NETWORKS
    name_pattern = NAME
    required = ("properties.addressSpace.addressPrefixes",)
    fields: ClassVar[Mapping[str, Rule]] = {
        "properties.addressSpace.addressPrefixes": list,
        "properties.subnets": list,
        "properties.enableDdosProtection": bool,
    }

    def validate(self, call: Call, old: Body | None) -> None:
        """Checks the address space and the subnets in the body."""
        space = _space(call.body)
        if not space:
            raise invalid("properties.addressSpace.addressPrefixes", "A virtual network needs an address prefix.")
        given = properties_of(call.body).get("subnets")
        ranges = []
        for number, subnet in enumerate(given or ()):
            path = f"properties.subnets[{number}]"
            if not isinstance(subnet, dict) or not isinstance(subnet.get("name"), str):
                raise invalid(f"{path}.name", f"'{path}' must have a name.")
            ranges.append((subnet["name"], _check_range(call.id.name, subnet, space, path)))
        if given is not None:
            _check_overlaps(call.id.name, ranges)
            names = {name.lower() for name, _ in ranges}
            for subnet in _subnets(call.cloud, call.id.text):
                if subnet["name"].lower() not in names:
                    _check_unused(call.cloud, subnet)

    def prepare(self, call: Call, old: Body | None) -> Body:
        """Leaves the subnets out: they are stored as resources."""
        sent = copy.deepcopy(properties_of(call.body))
        sent.pop("subnets", None)
        properties = {"enableDdosProtection": False, "virtualNetworkPeerings": [], **sent}
        return {
            "location": call.body["location"],
            "tags": call.body.get("tags") or {},
            "properties": {**properties, "provisioningState": "Succeeded"},
        }

    def stored(self, call: Call, resource: Body, old: Body | None) -> None:
        """Makes the given subnets, and removes those not given; without `subnets` in the body all stay."""
        given = properties_of(call.body).get("subnets")
        if given is None:
            return
        names = {sent["name"].lower() for sent in given}
        for subnet in list(_subnets(call.cloud, resource["id"])):
            if subnet["name"].lower() not in names:
                call.cloud.store.delete("resource", subnet["id"].lower())
        for sent in given:
            subnet_id = f"{resource['id']}/subnets/{sent['name']}"
            subnet = {
                "id": subnet_id,
                "name": sent["name"],
                "type": SUBNETS,
                "properties": _subnet_properties(sent),
            }
            call.cloud.store.put("resource", subnet_id.lower(), subnet)

    def before_delete(self, call: Call, resource: Body) -> None:
        """Refuses to delete a network in use."""
        for subnet in _subnets(call.cloud, resource["id"]):
            _check_unused(call.cloud, subnet)

    def present(self, call: Call, resource: Body) -> Body:
        """Adds the subnets."""
        subnets = [_shown_subnet(call.cloud, subnet) for subnet in _subnets(call.cloud, resource["id"])]
        return {**resource, "properties": {**resource["properties"], "subnets": subnets}}


class Subnet(ResourceType):
    """`Microsoft.Network/virtualNetworks/subnets`."""

    type = SUBNETS
    tracked = False
    name_pattern = NAME
    fields: ClassVar[Mapping[str, Rule]] = {
        "properties.addressPrefix": str,
        "properties.addressPrefixes": list,
        "properties.privateEndpointNetworkPolicies": frozenset(
            {"Enabled", "Disabled", "NetworkSecurityGroupEnabled", "RouteTableEnabled"}
        ),
        "properties.privateLinkServiceNetworkPolicies": SWITCH,
        "properties.defaultOutboundAccess": bool,
    }

    def validate(self, call: Call, old: Body | None) -> None:
        """Requires a range of the network that no other subnet has, and an existing security group."""
        network = call.resource(call.id.parent) or {}
        mine = _check_range(network["name"], call.body, _space(network), "properties")
        others = [
            (subnet["name"], _range(properties_of(subnet)))
            for subnet in _subnets(call.cloud, network["id"])
            if subnet["name"].lower() != call.id.name.lower()
        ]
        _check_overlaps(network["name"], [*others, (call.id.name, mine)])
        if properties_of(call.body).get("networkSecurityGroup"):
            reference(call, "properties.networkSecurityGroup", call.body["properties"]["networkSecurityGroup"])

    def prepare(self, call: Call, old: Body | None) -> Body:
        """Adds the default network policies."""
        return {"properties": _subnet_properties(call.body)}

    def before_delete(self, call: Call, resource: Body) -> None:
        """Refuses to delete a subnet in use."""
        _check_unused(call.cloud, resource)

    def present(self, call: Call, resource: Body) -> Body:
        """Adds the private endpoints in the subnet."""
        return _shown_subnet(call.cloud, resource)


def _space(network: Body) -> list[Any]:
    space = properties_of(network).get("addressSpace") or {}
    return [_prefix("properties.addressSpace", prefix) for prefix in space.get("addressPrefixes") or ()]


def _range(body: Body, path: str = "properties") -> Any:
    given = body.get("addressPrefix") or next(iter(body.get("addressPrefixes") or ()), None)
    if given is None:
        raise invalid(f"{path}.addressPrefix", f"'{path}.addressPrefix' is missing.")
    return _prefix(path, given)


def _check_range(network: str, subnet: Body, space: list[Any], path: str) -> Any:
    name, covered = subnet.get("name", ""), _range(properties_of(subnet), path)
    if not any(covered.version == prefix.version and covered.subnet_of(prefix) for prefix in space):
        raise AzureError(
            400,
            "NetcfgSubnetRangeOutsideVnet",
            f"Subnet '{name}' is not valid because its IP address range is outside the IP address range of virtual "
            "network "
            f"'{network}'.",
        )
    return covered


def _check_overlaps(network: str, ranges: list[tuple[str, Any]]) -> None:
    for number, (_, first) in enumerate(ranges):
        for name, other in ranges[number + 1 :]:
            if first.overlaps(other):
                raise AzureError(
                    400,
                    "NetcfgSubnetRangesOverlap",
                    f"Subnet '{name}' is not valid because its IP address range overlaps with that of an existing "
                    "subnet in "
                    f"virtual network '{network}'.",
                )


def _subnets(cloud: Cloud, network_id: str) -> Iterator[Body]:
    return cloud.store.list("resource", f"{network_id}/subnets/".lower())


def _subnet_properties(body: Body) -> Body:
    sent = {name: value for name, value in copy.deepcopy(properties_of(body)).items() if value is not None}
    defaults = {
        "privateEndpointNetworkPolicies": "Disabled",
        "privateLinkServiceNetworkPolicies": "Enabled",
        "delegations": [],
        "serviceEndpoints": [],
    }
    return {**defaults, **sent, "provisioningState": "Succeeded"}


def _endpoints_in(cloud: Cloud, subnet: Body) -> list[str]:
    at = subnet["id"].lower()
    return [
        endpoint["id"]
        for endpoint in _endpoints(cloud)
        if (properties_of(endpoint).get("subnet") or {}).get("id", "").lower() == at
    ]


def _endpoints(cloud: Cloud) -> Iterator[Body]:
    return cloud.store.resources(ENDPOINTS)


def _shown_subnet(cloud: Cloud, subnet: Body) -> Body:
    inside = _endpoints_in(cloud, subnet)
    shown = {"privateEndpoints": [{"id": endpoint_id} for endpoint_id in inside]} if inside else {}
    return {**subnet, "properties": {**subnet["properties"], **shown}}


def _check_unused(cloud: Cloud, subnet: Body) -> None:
    inside = _endpoints_in(cloud, subnet)
    if inside:
        raise AzureError(
            400,
            "InUseSubnetCannotBeDeleted",
            f"Subnet {subnet['name']} is in use by {inside[0]} and cannot be deleted. In order to delete the subnet, "
            "delete "
            "all the resources within the subnet. See aka.ms/deletesubnet.",
        )


class PrivateEndpoint(ResourceType):
    """`Microsoft.Network/privateEndpoints`: an address in a subnet for a resource."""

    type = ENDPOINTS
    name_pattern = NAME
    required = ("properties.subnet.id",)
    fields: ClassVar[Mapping[str, Rule]] = {
        "properties.privateLinkServiceConnections": list,
        "properties.manualPrivateLinkServiceConnections": list,
    }

    def validate(self, call: Call, old: Body | None) -> None:
        """The subnet and the target exist, the target has such a group, and the caller may approve."""
        body = properties_of(call.body)
        reference(call, "properties.subnet", body["subnet"])
        if old is not None and properties_of(old)["subnet"]["id"].lower() != body["subnet"]["id"].lower():
            raise AzureError(
                400,
                "CannotChangeSubnetOfPrivateEndpoint",
                f"The subnet of private endpoint {call.id.text} cannot be changed.",
                target="properties.subnet",
            )
        connections = _connections(body)
        if not connections:
            path = "properties.privateLinkServiceConnections"
            raise invalid(path, "A private endpoint needs one private link service connection.")
        for path, connection in connections:
            _check_target(call, path, properties_of(connection))

    def prepare(self, call: Call, old: Body | None) -> Body:
        """Adds the address, the interface and the approved connection."""
        sent = copy.deepcopy(properties_of(call.body))
        for _, connection in _connections(sent):
            connection["properties"]["provisioningState"] = "Succeeded"
            connection["properties"].setdefault(
                "privateLinkServiceConnectionState",
                {"status": "Approved", "description": "Auto-Approved", "actionsRequired": "None"},
            )
        before = properties_of(old or {})
        nic = f"{call.id.text.rsplit('/', 2)[0]}/networkInterfaces/{call.id.name}.nic"
        properties = {
            "privateLinkServiceConnections": [],
            "manualPrivateLinkServiceConnections": [],
            **sent,
            "networkInterfaces": [{"id": nic}],
            "customDnsConfigs": before.get("customDnsConfigs") or _dns(call, sent),
            "provisioningState": "Succeeded",
        }
        return {"location": call.body["location"], "tags": call.body.get("tags") or {}, "properties": properties}


def _connections(body: Body) -> list[tuple[str, Body]]:
    connections = []
    for name in ("privateLinkServiceConnections", "manualPrivateLinkServiceConnections"):
        for number, connection in enumerate(body.get(name) or ()):
            if not isinstance(connection, dict) or not isinstance(connection.get("properties"), dict):
                raise invalid(f"properties.{name}[{number}]", "A private link service connection needs properties.")
            connections.append((f"properties.{name}[{number}].properties", connection))
    return connections


def _check_target(call: Call, path: str, connection: Body) -> None:
    target_id = connection.get("privateLinkServiceId")
    target = reference(call, f"{path}.privateLinkServiceId", {"id": target_id})
    groups = TARGETS.get(target["type"].lower(), {})
    asked = connection.get("groupIds") or []
    wrong = next((group_id for group_id in asked if group_id not in groups), None)
    if wrong is not None or not asked:
        raise AzureError(
            400,
            "PrivateLinkServiceGroupIdNotSupported",
            f"The group id '{wrong or ''}' of {path}.groupIds is not supported for {target['type']}: "
            f"{', '.join(groups) or 'none'}.",
            target=f"{path}.groupIds",
        )
    action = f"{parse_id(target['id']).type}/privateEndpointConnectionsApproval/action"
    if not call.may(action, target["id"]):
        raise linked_authorization_failed(call, f"{ENDPOINTS}/write", action, target["id"])


def _dns(call: Call, body: Body) -> list[Body]:
    """Host names and addresses, the first free ones of the subnet."""
    subnet = call.resource(body["subnet"]["id"]) or {}
    taken = {
        address
        for other in _endpoints(call.cloud)
        if properties_of(other)["subnet"]["id"].lower() == subnet["id"].lower()
        for config in properties_of(other)["customDnsConfigs"]
        for address in config["ipAddresses"]
    }
    free = (
        str(address)
        for address in list(_range(properties_of(subnet)).hosts())[RESERVED - 1 :]
        if str(address) not in taken
    )
    configs = []
    for _, connection in _connections(body):
        target = call.resource(connection["properties"]["privateLinkServiceId"]) or {}
        for group in connection["properties"]["groupIds"]:
            for name in TARGETS[target["type"].lower()][group]:
                fqdn = name.format(
                    name=target["name"].lower(),
                    location=target.get("location"),
                    workspace=properties_of(target).get("workspaceId", ""),
                )
                configs.append({"fqdn": fqdn, "ipAddresses": [next(free)]})
    return configs


def resource_types(cloud: Any) -> list[ResourceType]:
    """The resource types of this module."""
    return [
        VirtualNetwork(),
        Subnet(),
        PrivateEndpoint(),
    ]
