"""Batch endpoints: an address that jobs are begun at, and which deployment carries them out.

Sources: recordings of azure-ai-ml's batch_services tests, listed in docs/fidelity/serving.md;
learn.microsoft.com/azure/machine-learning/how-to-use-batch-model-deployments.
"""

import copy
from collections.abc import Mapping
from typing import ClassVar

from starlette.responses import JSONResponse, Response

from sandbox.azure.arm.core import Body, Call, Rule
from sandbox.azure.front.errors import AzureError
from sandbox.azure.ml import mfeoperations
from sandbox.azure.ml.endpoints import hostnames
from sandbox.azure.ml.endpoints.batch import jobs
from sandbox.azure.ml.endpoints.resource import EndpointType
from sandbox.azure.ml.errors import UserError
from sandbox.azure.ml.names import BATCH_ENDPOINTS
from sandbox.azure.ml.operations import working
from sandbox.azure.ml.scope import told_from

MODE = "AADToken"


class BatchEndpoint(EndpointType):
    """`…/workspaces/batchEndpoints`."""

    type: ClassVar[str] = BATCH_ENDPOINTS
    family = mfeoperations.BATCH_ENDPOINT
    fields: ClassVar[Mapping[str, Rule]] = {
        "properties.authMode": str,
        "properties.description": str,
        "properties.properties": dict,
        "properties.defaults": dict,
    }
    required: ClassVar[tuple[str, ...]] = ("properties.authMode",)

    def missing(self, call: Call) -> AzureError:
        """The refusal of an endpoint that is not there. Source: the recording test_batch_endpoint_create."""
        workspace = call.resource(call.id.parent) or {"name": "", "location": "sandbox"}
        refusal = UserError(
            404,
            f"An endpoint with the name '{call.id.name}' does not exist in the workspace '{workspace['name']}'. Please "
            "check the endpoint name and also ensure the current user has access to it.",
            "NotFound",
            "EndpointNotFound",
        )
        refusal.region = str(workspace["location"])
        return refusal

    def validate(self, call: Call, old: Body | None) -> None:
        """Refuses other kinds of sign-in, a name that is taken, too many endpoints, a default that is not there."""
        with told_from(call.resource(call.id.parent) or call.body):
            properties = call.body["properties"]
            if str(properties["authMode"]).lower() != MODE.lower():
                text = f"Batch endpoints have the auth mode {MODE} only, not '{properties['authMode']}'."
                raise UserError(400, text, "BadArgument", target="properties.authMode")
            name = _default(properties)
            if name and call.resource(f"{call.id.text}/deployments/{name}") is None:
                text = f"The default deployment '{name}' is not there."
                raise UserError(400, text, "BadArgument", target="properties.defaults.deploymentName")
            if old is None:
                hostnames.check_new(call)

    def prepare(self, call: Call, old: Body | None) -> Body:
        """The body with what the service fills in."""
        body = copy.deepcopy(call.body)
        properties, was = body["properties"], ((old or {}).get("properties") or {}).get("properties") or {}
        host = hostnames.host({"name": call.id.name, "location": body["location"]})
        created = was.get("BatchEndpointCreationApiVersion") or call.api_version
        body["properties"] = {
            "description": properties.get("description"),
            "properties": {
                **(properties.get("properties") or {}),
                "BatchEndpointCreationApiVersion": created,
                "azureml.onlineendpointid": call.id.text,
            },
            "scoringUri": f"https://{host}/jobs",
            "swaggerUri": None,
            "authMode": MODE,
            "defaults": {"deploymentName": _default(properties) or None},
            "provisioningState": "Succeeded",
        }
        body.pop("identity", None)
        return {**body, "tags": body.get("tags") or {}}

    def stored(self, call: Call, resource: Body, old: Body | None) -> None:
        """A new endpoint has its name."""
        if old is None:
            hostnames.claim(call.cloud, resource)

    def present(self, call: Call, resource: Body) -> Body:
        """Shows the endpoint with the state of a running operation; its address is there once it is made."""
        shown = super().present(call, resource)
        if shown["properties"]["provisioningState"] == "Creating":
            shown["properties"]["scoringUri"] = None
        return shown

    def response(self, call: Call, resource: Body, *, created: bool) -> Response:
        """Accepted; a change of tags alone is done at once."""
        if call.method == "PATCH":
            return JSONResponse(self.present(call, resource))
        operation = self.begun(call, resource)
        working(call.cloud, resource, "Creating" if created else "Updating")
        location = f"{call.base_url}{resource['id']}"
        return mfeoperations.accepted(
            call, operation, self.present(call, resource), status=201 if created else 200, location=location
        )

    def deleted(self, call: Call, resource: Body) -> None:
        """The name goes, and what is known of its jobs; the jobs themselves stay."""
        hostnames.release(call.cloud, resource)
        jobs.forget(call.cloud, resource)


def _default(properties: Body) -> str:
    return str((properties.get("defaults") or {}).get("deploymentName") or "")
