"""Azure Private Link as resources show it: the private endpoints that lead to them, and which there can be.

Sources: learn.microsoft.com/azure/private-link/manage-private-endpoint, learn.microsoft.com/rest/api/storagerp/
private-endpoint-connections.
"""

import copy
from typing import Any

from starlette.responses import JSONResponse, Response

from sandbox.azure.arm.core import Body, Call, ResourceId, ResourceType, invalid, properties_of
from sandbox.azure.arm.network import TARGETS
from sandbox.azure.cloud import Cloud
from sandbox.azure.front.errors import AzureError
from sandbox.azure.privatelink import ENDPOINTS, connections

HOLDERS = (
    "Microsoft.Storage/storageAccounts",
    "Microsoft.KeyVault/vaults",
    "Microsoft.ContainerRegistry/registries",
    "Microsoft.MachineLearningServices/workspaces",
)
STATES = ("Approved", "Rejected", "Pending", "Disconnected")
KEYS = ("privateLinkServiceConnections", "manualPrivateLinkServiceConnections")


def connections_of(cloud: Cloud, resource_id: str) -> list[Body]:
    """The private endpoint connections of a resource, as it shows them itself."""
    at, shown = resource_id.lower(), []
    for endpoint in cloud.store.resources(ENDPOINTS):
        for connection in connections(endpoint):
            if connection["properties"]["privateLinkServiceId"].lower() == at:
                name = f"{endpoint['name']}.{connection.get('name', 'connection')}"
                shown.append(
                    {
                        "id": f"{resource_id}/privateEndpointConnections/{name}",
                        "name": name,
                        "properties": {
                            "privateEndpoint": {"id": endpoint["id"]},
                            "privateLinkServiceConnectionState": connection["properties"][
                                "privateLinkServiceConnectionState"
                            ],
                            "provisioningState": "Succeeded",
                        },
                    }
                )
    return shown


class EndpointConnection(ResourceType):
    """`…/privateEndpointConnections`: a private endpoint as the resource sees it, to approve, reject or remove.

    Args:
        holder: The resource's type.
    """

    tracked = False
    methods = frozenset({"GET", "PUT", "DELETE"})
    create_status = 200

    def __init__(self, holder: str) -> None:
        self.type = f"{holder}/privateEndpointConnections"  # type: ignore[misc] # one class for several types

    def find(self, cloud: Cloud, resource_id: ResourceId) -> Body | None:
        """The connection of this name."""
        shown = self.below(cloud, resource_id.parent.lower() + "/")
        return next(
            (connection for connection in shown if connection["name"].lower() == resource_id.name.lower()), None
        )

    def below(self, cloud: Cloud, prefix: str) -> list[Body]:
        """The connections of the resource."""
        holder = cloud.store.get("resource", prefix.rstrip("/").removesuffix("/privateendpointconnections"))
        if holder is None:
            return []
        return [{**connection, "type": self.type} for connection in connections_of(cloud, holder["id"])]

    def validate(self, call: Call, old: Body | None) -> None:
        """Refuses a connection without endpoint, and an unknown state."""
        if old is None:
            text = f"The private endpoint connection '{call.id.name}' does not exist: private endpoints make them."
            raise AzureError(400, "PrivateEndpointConnectionNotFound", text)
        status = (properties_of(call.body).get("privateLinkServiceConnectionState") or {}).get("status")
        if status not in STATES:
            path = "properties.privateLinkServiceConnectionState.status"
            raise invalid(path, f"'{path}' must be one of {', '.join(STATES)}.")

    def prepare(self, call: Call, old: Body | None) -> Body:
        """Sets the connection to the state that the request asks for."""
        state = copy.deepcopy(properties_of(call.body)["privateLinkServiceConnectionState"])
        return {"properties": {**properties_of(old or {}), "privateLinkServiceConnectionState": state}}

    def save(self, cloud: Cloud, resource: Body) -> None:
        """Stores the connection's new state, also at its private endpoint."""
        _set_state(cloud, resource, resource["properties"]["privateLinkServiceConnectionState"])

    def erase(self, cloud: Cloud, resource: Body) -> None:
        """Shows the private endpoint as disconnected."""
        _set_state(cloud, resource, {"status": "Disconnected", "description": "Removed", "actionsRequired": "None"})

    def response(self, call: Call, resource: Body, *, created: bool) -> Response:
        """Answers with the connection."""
        return JSONResponse(self.find(call.cloud, call.id))


def _set_state(cloud: Cloud, connection: Body, state: Body) -> None:
    key = connection["properties"]["privateEndpoint"]["id"].lower()
    endpoint = copy.deepcopy(cloud.store.get("resource", key))
    if endpoint is None:
        return
    target = connection["id"].lower().rpartition("/privateendpointconnections/")[0]
    for inner in connections(endpoint):
        if inner["properties"]["privateLinkServiceId"].lower() == target:
            inner["properties"]["privateLinkServiceConnectionState"] = state
    cloud.store.put("resource", key, endpoint)


class LinkResources(ResourceType):
    """`…/privateLinkResources`: the parts of a resource that a private endpoint can lead to.

    Args:
        holder: The resource's type.
    """

    tracked = False
    methods = frozenset({"GET"})

    def __init__(self, holder: str) -> None:
        self._parts = TARGETS[holder.lower()]
        self.type = f"{holder}/privateLinkResources"  # type: ignore[misc] # one class for several types

    def find(self, cloud: Cloud, resource_id: ResourceId) -> Body | None:
        """The part of this name."""
        parts = self.below(cloud, resource_id.parent.lower() + "/")
        return next((part for part in parts if part["name"] == resource_id.name.lower()), None)

    def below(self, cloud: Cloud, prefix: str) -> list[Body]:
        """The parts of the resource, each with its DNS zones."""
        holder = cloud.store.get("resource", prefix.rstrip("/").removesuffix("/privatelinkresources"))
        if holder is None:
            return []
        return [
            {
                "id": f"{holder['id']}/privateLinkResources/{part}",
                "name": part,
                "type": self.type,
                "properties": {
                    "groupId": part,
                    "requiredMembers": [part],
                    "requiredZoneNames": [zone_of(name) for name in names],
                },
            }
            for part, names in self._parts.items()
        ]


def zone_of(name: str) -> str:
    """The private DNS zone of a host name's pattern, such as `{name}.blob.core.windows.net`."""
    public = name.rpartition("}.")[2] if "{location}" not in name else name.rpartition("{location}.")[2]
    return "privatelink." + {"vault.azure.net": "vaultcore.azure.net", "data.azurecr.io": "azurecr.io"}.get(
        public, public
    )


def resource_types(cloud: Any) -> list[ResourceType]:
    """The resource types of this module."""
    return [kind(holder) for holder in HOLDERS for kind in (EndpointConnection, LinkResources)]
