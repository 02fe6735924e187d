"""Online endpoints: who may call, at which address, and how requests are shared out.

Sources: recordings of azure-ai-ml's online_services tests, listed in docs/fidelity/serving.md;
learn.microsoft.com/azure/machine-learning/concept-endpoints-online, how-to-manage-quotas.
"""

import copy
from collections.abc import Mapping
from typing import ClassVar

from starlette.responses import JSONResponse, Response

from sandbox.azure.arm.core import Action, Body, Call, Rule
from sandbox.azure.arm.identities import check_identity, forget_identity, shown_identity
from sandbox.azure.ml import mfeoperations
from sandbox.azure.ml.beyond import instead
from sandbox.azure.ml.endpoints import hostnames
from sandbox.azure.ml.endpoints.online import credentials, traffic
from sandbox.azure.ml.endpoints.resource import EndpointType
from sandbox.azure.ml.errors import UserError
from sandbox.azure.ml.identities import grant
from sandbox.azure.ml.names import ONLINE_ENDPOINTS, workspace_id
from sandbox.azure.ml.operations import working
from sandbox.azure.ml.scope import told_from

BLOB_DATA_READER = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
# What the service assigns to an endpoint's own identity, by the workspace's property: concept-endpoints-online-auth.
ROLES = {"storageAccount": BLOB_DATA_READER, "containerRegistry": ACR_PULL}
MODES = {"key": "Key", "amltoken": "AMLToken", "aadtoken": "AADToken"}


class OnlineEndpoint(EndpointType):
    """`…/workspaces/onlineEndpoints`: managed ones; those on Kubernetes are refused."""

    type: ClassVar[str] = ONLINE_ENDPOINTS
    family = mfeoperations.ONLINE_ENDPOINT
    fields: ClassVar[Mapping[str, Rule]] = {
        "identity.userAssignedIdentities": dict,
        "properties.authMode": frozenset(MODES.values()),
        "properties.publicNetworkAccess": frozenset({"Enabled", "Disabled"}),
        "properties.compute": str,
        "properties.description": str,
        "properties.properties": dict,
        "properties.traffic": dict,
        "properties.mirrorTraffic": dict,
    }
    required: ClassVar[tuple[str, ...]] = ("properties.authMode",)

    @property
    def actions(self) -> dict[str, Action]:
        """POST actions."""
        return {"listkeys": self._list_keys, "regeneratekeys": self._regenerate, "token": self._token}

    def validate(self, call: Call, old: Body | None) -> None:
        """Refuses Kubernetes, a name that is taken, too many endpoints, wrong weights and identities."""
        with told_from(call.resource(call.id.parent) or call.body):
            properties = call.body["properties"]
            if properties.get("compute"):
                text = f"Endpoints on Kubernetes are not emulated by the sandbox: {instead('kubernetesEndpoint')}."
                raise UserError(400, text, "BadArgument", target="properties.compute")
            traffic.check(properties, {one["name"].lower() for one in deployments(call, call.id.text)})
            check_identity(call, self)
            if old is None:
                hostnames.check_new(call)

    def prepare(self, call: Call, old: Body | None) -> Body:
        """The body with what the service fills in."""
        body = copy.deepcopy(call.body)
        properties = body["properties"]
        host = hostnames.host({"name": call.id.name, "location": body["location"]})
        body["properties"] = {
            "description": properties.get("description"),
            "properties": {**(properties.get("properties") or {}), "azureml.onlineendpointid": call.id.key},
            "scoringUri": f"https://{host}/score",
            "swaggerUri": f"https://{host}/swagger.json",
            "authMode": MODES[str(properties["authMode"]).lower()],
            "provisioningState": "Succeeded",
            "compute": None,
            "traffic": traffic.weights(properties, "traffic"),
            "mirrorTraffic": traffic.weights(properties, "mirrorTraffic"),
            "publicNetworkAccess": (properties.get("publicNetworkAccess") or "Enabled").capitalize(),
        }
        body.pop("identity", None)
        return {**body, "tags": body.get("tags") or {}, "kind": "Managed", **shown_identity(call, old)}

    def patch(self, call: Call, old: Body) -> Body:
        """Tags and identity, as the service's PATCH has nothing else."""
        return super().patch(
            call.on(call.id, {key: call.body[key] for key in ("tags", "identity") if key in call.body}), old
        )

    def stored(self, call: Call, resource: Body, old: Body | None) -> None:
        """A new endpoint has its name, its keys, and an identity with the roles that it needs."""
        if old is None:
            hostnames.claim(call.cloud, resource)
            credentials.make_keys(call.cloud, resource)
        principal = (resource.get("identity") or {}).get("principalId")
        workspace = call.resource(workspace_id(call.id.text))
        if principal and workspace and principal != ((old or {}).get("identity") or {}).get("principalId"):
            for key, role in ROLES.items():
                if workspace["properties"].get(key):
                    grant(call, principal, workspace["properties"][key], role)

    def present(self, call: Call, resource: Body) -> Body:
        """Shows the endpoint with the state of a running operation; its addresses are there once it is made."""
        shown = super().present(call, resource)
        if shown["properties"]["provisioningState"] == "Creating":
            shown["properties"] |= {"scoringUri": None, "swaggerUri": None}
        return shown

    def response(self, call: Call, resource: Body, *, created: bool) -> Response:
        """Accepted; a change as well, but for one of tags alone."""
        if call.method == "PATCH":
            return JSONResponse(self.present(call, resource))
        operation = self.begun(call, resource)
        resource["properties"]["properties"]["AzureAsyncOperationUri"] = (
            f"{operation.address}?api-version={call.api_version}"
        )
        self.save(call.cloud, resource)
        working(call.cloud, resource, "Creating" if created else "Updating")
        shown = self.present(call, resource)
        location = f"{call.base_url}{resource['id']}"
        return mfeoperations.accepted(call, operation, shown, status=201 if created else 200, location=location)

    def deleted(self, call: Call, resource: Body) -> None:
        """Name, keys and identity go."""
        hostnames.release(call.cloud, resource)
        credentials.forget_keys(call.cloud, resource)
        forget_identity(call, resource)

    @staticmethod
    def _list_keys(call: Call, resource: Body) -> Body:
        _require(resource, "Key")
        found = credentials.keys(call.cloud, resource)
        return {f"{name}Key": found[name] for name in credentials.KEYS}

    def _regenerate(self, call: Call, resource: Body) -> Response:
        _require(resource, "Key")
        name, value = str(call.body.get("keyType", "")).lower(), call.body.get("keyValue")
        if name not in credentials.KEYS or not isinstance(value, str | None):
            raise UserError(400, "keyType must be Primary or Secondary, keyValue a string.", "BadArgument")
        credentials.change_key(call.cloud, resource, name, value)
        return self.accepted_alone(call, resource)

    @staticmethod
    def _token(call: Call, resource: Body) -> Body:
        _require(resource, "AMLToken")
        return credentials.token(call.cloud, resource, call.caller)


def deployments(call: Call, endpoint_id: str) -> list[Body]:
    """The deployments of an endpoint, as they are stored."""
    return list(call.cloud.store.list("resource", f"{endpoint_id}/deployments/".lower()))


def _require(resource: Body, mode: str) -> None:
    found = resource["properties"]["authMode"]
    if found != mode:
        text = f"The endpoint '{resource['name']}' has the auth mode {found}; this is for {mode}."
        raise UserError(400, text, "BadArgument")
