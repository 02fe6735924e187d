"""Registries, which share models and environments between workspaces: the resource alone, without content."""

import re
from collections.abc import Mapping
from typing import ClassVar

from starlette.responses import JSONResponse, Response

from sandbox.azure.arm.core import Body, Call, ResourceType, Rule
from sandbox.azure.arm.identities import check_identity, forget_identity, shown_identity
from sandbox.azure.errors import AzureError
from sandbox.azure.ml.names import NAMESPACE
from sandbox.azure.ml.operations import accepted


class Registry(ResourceType):
    """`Microsoft.MachineLearningServices/registries`."""

    type: ClassVar[str] = f"{NAMESPACE}/registries"
    name_pattern: ClassVar[re.Pattern[str]] = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{2,32}")
    required: ClassVar[tuple[str, ...]] = ("properties.regionDetails",)
    fields: ClassVar[Mapping[str, Rule]] = {"properties.regionDetails": list}

    def validate(self, call: Call, old: Body | None) -> None:
        """A registry is in its own region at least, with registry and storage there."""
        check_identity(call, self)
        regions = call.body["properties"]["regionDetails"]
        if not any(isinstance(one, dict) and one.get("location") == call.body["location"] for one in regions):
            raise AzureError(
                400,
                "ValidationError",
                f"The registry's own region '{call.body['location']}' must be one of its regions.",
                target="properties.regionDetails",
            )

    def prepare(self, call: Call, old: Body | None) -> Body:
        """Adds the registry's addresses and its managed resource group."""
        body = super().prepare(call, old)
        body |= shown_identity(call, old)
        region, name = call.body["location"], call.id.name
        body["properties"] |= {
            "discoveryUrl": f"https://{region}.api.azureml.ms/registrymanagement/v1.0/registries/{name}/discovery",
            "mlFlowRegistryUri": f"azureml://{region}.api.azureml.ms/mlflow/v1.0{call.id.text}",
            "managedResourceGroup": {
                "resourceId": f"/subscriptions/{call.subscription}/resourceGroups/azureml-rg-{name}"
            },
        }
        return body

    def deleted(self, call: Call, resource: Body) -> None:
        """Removes the registry's identity."""
        forget_identity(call, resource)

    def response(self, call: Call, resource: Body, *, created: bool) -> Response:
        """Answers that a new registry is accepted (202)."""
        if created:
            return accepted(call, resource["location"], resource, status=201)
        return JSONResponse(resource)
