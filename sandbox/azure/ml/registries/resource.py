"""Registries as the resource manager makes them, with the storage account behind them."""

import re
import uuid
from collections.abc import Mapping
from typing import ClassVar

from starlette.responses import JSONResponse, Response

from sandbox.azure.arm.core import Body, Call, ResourceType, Rule, normal_location
from sandbox.azure.arm.identities import check_identity, forget_identity, shown_identity
from sandbox.azure.arm.privatelinks import connections_of
from sandbox.azure.front.errors import AzureError
from sandbox.azure.ml import assets, shared
from sandbox.azure.ml.operations import REGISTRY, accepted

# What a region has: its key, the word in its keys, and the type of what the service makes.
ACCOUNTS = (
    ("storageAccountDetails", "Storage", "Microsoft.Storage/storageAccounts"),
    ("acrDetails", "Acr", "Microsoft.ContainerRegistry/registries"),
)


class Registry(ResourceType):
    """`Microsoft.MachineLearningServices/registries`."""

    type: ClassVar[str] = shared.REGISTRIES
    name_pattern: ClassVar[re.Pattern[str]] = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{2,32}")
    required: ClassVar[tuple[str, ...]] = ("properties.regionDetails",)
    fields: ClassVar[Mapping[str, Rule]] = {"properties.regionDetails": list}

    def validate(self, call: Call, old: Body | None) -> None:
        """A registry is in its own region at least, with registry and storage there."""
        check_identity(call, self)
        regions = call.body["properties"]["regionDetails"]
        named = [normal_location(str(one.get("location"))) for one in regions if isinstance(one, dict)]
        if call.body["location"] not in named:
            raise AzureError(
                400,
                "ValidationError",
                f"The registry's own region '{call.body['location']}' must be one of its regions.",
                target="properties.regionDetails",
            )

    def prepare(self, call: Call, old: Body | None) -> Body:
        """Adds the registry's addresses, its managed resource group and what the service makes in that."""
        body = super().prepare(call, old)
        body |= shown_identity(call, old)
        region, name = call.body["location"], call.id.name
        kept = (old or {"properties": {}})["properties"].get("managedResourceGroup")
        managed = kept or {
            "resourceId": f"/subscriptions/{call.subscription}/resourceGroups/azureml-rg-{name}_{uuid.uuid4()}"
        }
        regions = [_region(managed["resourceId"], one) for one in body["properties"]["regionDetails"]]
        body["properties"] |= {
            "regionDetails": regions,
            "intellectualPropertyPublisher": body["properties"].get("intellectualPropertyPublisher"),
            "publicNetworkAccess": body["properties"].get("publicNetworkAccess") or "Enabled",
            "discoveryUrl": f"https://{region}.api.azureml.ms/registrymanagement/v1.0/registries/{name}/discovery",
            "managedResourceGroup": managed,
            "mlFlowRegistryUri": f"azureml://{region}.api.azureml.ms/mlflow/v1.0{call.id.text}",
        }
        body["systemData"] = None
        return body

    def present(self, call: Call, resource: Body) -> Body:
        """Adds the private endpoints that lead to it."""
        connections = connections_of(call.cloud, resource["id"])
        return {**resource, "properties": {**resource["properties"], "privateEndpointConnections": connections}}

    def deleted(self, call: Call, resource: Body) -> None:
        """Removes the registry's identity, assets and files."""
        forget_identity(call, resource)
        assets.forget(call.cloud, f"{shared.SCHEME}{resource['name']}")
        shared.forget(call.cloud, resource)

    def response(self, call: Call, resource: Body, *, created: bool) -> Response:
        """Answers that a new registry is accepted (202)."""
        if created:
            return accepted(call, REGISTRY, resource, None, status=202)
        return JSONResponse(self.present(call, resource))

    def delete_response(self, call: Call, resource: Body | None) -> Response:
        """A deletion is accepted."""
        if resource is None:
            return super().delete_response(call, None)
        return accepted(call, REGISTRY, resource, None, status=202)


def _region(managed: str, given: Body) -> Body:
    """A region with the names of the accounts that the service makes there, the same at every PUT."""
    region = normal_location(str(given.get("location")))
    shown = {**given, "location": region}
    for key, part, kind in ACCOUNTS:
        shown[key] = [_account(managed, region, one, part, kind) for one in given.get(key) or []]
    return shown


def _account(managed: str, region: str, given: Body, part: str, kind: str) -> Body:
    own = given.get(f"systemCreated{part}Account")
    user = given.get(f"userCreated{part}Account")
    if own is None:
        return {f"userCreated{part}Account": user, f"systemCreated{part}Account": None}
    prefix = f"{part[0].lower()}{part[1:]}Account"
    name = uuid.uuid5(uuid.NAMESPACE_URL, f"{managed}/{region}/{part}".lower()).hex[:11]
    made = {**own, f"{prefix}Name": name, "armResourceId": {"resourceId": f"{managed}/providers/{kind}/{name}"}}
    return {f"userCreated{part}Account": None, f"systemCreated{part}Account": made}
