"""From where a client calls, and what it then reaches by a private endpoint.

A client is on the internet, or in a network of the local Azure when it says so to the gateway: its proxy's address is
`http://NETWORK:@127.0.0.1:PORT`, where NETWORK is the percent-encoded name or id of a virtual network
(`python -m sandbox env --network`). The runner says so for the nodes of clusters. Names are resolved as Azure DNS does
it: an endpoint counts where a private DNS zone that is linked to the client's network has the name's record.

Source: learn.microsoft.com/azure/private-link/private-endpoint-dns; for managed networks learn.microsoft.com/azure/
machine-learning/how-to-managed-network.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from starlette.types import Scope

from sandbox.azure.store import Store

NETWORKS = "Microsoft.Network/virtualNetworks"
ENDPOINTS = "Microsoft.Network/privateEndpoints"
LINKS = "Microsoft.Network/privateDnsZones/virtualNetworkLinks"
A_RECORDS = "Microsoft.Network/privateDnsZones/A"
RULES = "Microsoft.MachineLearningServices/workspaces/outboundRules"
_ZONES = {"amlworkspace": "privatelink.api.azureml.ms"}  # of several, the one with the names of the data plane
_OWN = ("storageAccount", "keyVault", "containerRegistry")  # a managed network has endpoints to these of itself

Body = dict[str, Any]


_PROXIES = ("HTTPS_PROXY", "https_proxy")


class NetworkError(Exception):
    """There is no such network, or more than one; the message says which there are."""


def from_network(variables: Mapping[str, str], network: str) -> dict[str, str]:
    """A client's variables, with the proxy's address saying which network it is in."""
    user = f"http://{quote(network, safe='')}:@"  # with a colon: requests takes no user without a password
    return {name: value.replace("http://", user, 1) if name in _PROXIES else value for name, value in variables.items()}


def network_of(scope: Scope) -> str:
    """The id, in lower case, of the network that a request comes from; empty for the internet."""
    network: str = scope["state"].get("network", "")
    return network


def find_network(store: Store, asked: str) -> str:
    """The id, in lower case, of the virtual network of this name or id, or of a workspace's managed network.

    Raises:
        NetworkError: There is no such network, or more than one of the name.
    """
    ids = [network["id"] for network in store.resources(NETWORKS)]
    if asked.startswith("/"):
        matching = [asked.lower()] if store.get("resource", asked.lower()) is not None else []
    else:
        matching = [network_id.lower() for network_id in ids if network_id.rsplit("/", 1)[-1].lower() == asked.lower()]
    if len(matching) != 1:
        problem = "several virtual networks" if matching else "no virtual network"
        raise NetworkError(f"There is {problem} '{asked}' in the sandbox. There are: {', '.join(ids) or 'none'}.")
    return matching[0]


def reaches(store: Store, network: str, resource_id: str, part: str) -> bool:
    """Whether clients in a network reach a part of a resource (`blob`, `vault`, `amlworkspace`) by a private endpoint.

    Args:
        store: What the local Azure remembers.
        network: Id of a virtual network, or of a workspace for its managed network; empty for the internet.
        resource_id: The resource.
        part: The private endpoint's group id.
    """
    if not network:
        return False
    if "/workspaces/" in network:
        return network == resource_id.lower() or (resource_id.lower(), part) in set(_managed(store, network))
    zones = {
        link["id"].rsplit("/", 2)[0].lower()
        for link in store.resources(LINKS)
        if link["properties"]["virtualNetwork"]["id"].lower() == network
    }
    near = {network, *_peers(store, network)}
    return any(
        _network_with(endpoint["properties"]["subnet"]["id"]) in near
        and zones & set(_zones(store, endpoint, _ZONES.get(part, "")))
        for endpoint in store.resources(ENDPOINTS)
        if _leads_to(endpoint, resource_id, part)
    )


def _managed(store: Store, workspace_id: str) -> Iterator[tuple[str, str]]:
    """Resource ids and group ids to which a managed network has private endpoints."""
    workspace = store.get("resource", workspace_id) or {"properties": {}}
    for name in _OWN:
        own = (workspace["properties"].get(name) or "").lower()
        yield from ((own, part) for part in ("blob", "file", "vault", "registry"))
    for rule in store.resources(RULES, f"{workspace_id}/"):
        destination = rule["properties"].get("destination")
        if rule["properties"]["type"] == "PrivateEndpoint":
            yield destination["serviceResourceId"].lower(), destination["subresourceTarget"]


def _peers(store: Store, network: str) -> Iterator[str]:
    virtual_network = store.get("resource", network) or {"properties": {}}
    for peering in virtual_network["properties"].get("virtualNetworkPeerings") or ():
        yield peering["properties"]["remoteVirtualNetwork"]["id"].lower()


def _network_with(subnet_id: str) -> str:
    return subnet_id.lower().rpartition("/subnets/")[0]


def _leads_to(endpoint: Body, resource_id: str, part: str) -> bool:
    return any(
        connection["properties"]["privateLinkServiceId"].lower() == resource_id.lower()
        and part in connection["properties"]["groupIds"]
        and connection["properties"]["privateLinkServiceConnectionState"]["status"] == "Approved"
        for connection in connections(endpoint)
    )


def connections(endpoint: Body) -> Iterator[Body]:
    """All connections of a private endpoint: to what admits it by itself, and to what somebody admits."""
    for kind in ("privateLinkServiceConnections", "manualPrivateLinkServiceConnections"):
        yield from endpoint["properties"].get(kind) or ()


def _zones(store: Store, endpoint: Body, name: str) -> Iterator[str]:
    """Ids of the private DNS zones, of this name if one is given, that have the endpoint's records."""
    for group in store.list("resource", f"{endpoint['id']}/privateDnsZoneGroups/".lower()):
        for config in group["properties"]["privateDnsZoneConfigs"]:
            zone = config["properties"]["privateDnsZoneId"].lower()
            if config["properties"]["recordSets"] and zone.endswith(name):
                yield zone
    addresses = {config["fqdn"]: config["ipAddresses"] for config in endpoint["properties"]["customDnsConfigs"]}
    for record in store.resources(A_RECORDS):
        zone = record["id"].lower().rsplit("/", 2)[0]
        here = [entry["ipv4Address"] for entry in record["properties"].get("aRecords") or ()]
        if zone.endswith(name) and any(
            fqdn.startswith(f"{record['name'].lower()}.") and set(own) & set(here) for fqdn, own in addresses.items()
        ):
            yield zone
