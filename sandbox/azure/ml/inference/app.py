"""The service of inference.ml.azure.com: finds the endpoint that a host names, and what serves it.

Sources: learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-online-endpoints#http-status-codes,
concept-endpoints-online-auth; recordings, listed in docs/fidelity/serving.md.
"""

import re

from starlette.responses import Response

from sandbox.azure.activity.record import note_scope
from sandbox.azure.arm.core import Body
from sandbox.azure.cloud import Cloud
from sandbox.azure.front.errors import ServiceError
from sandbox.azure.front.request import Request
from sandbox.azure.front.service import Service
from sandbox.azure.ml.endpoints.hostnames import DOMAIN, holder
from sandbox.azure.ml.inference.batch import Batch
from sandbox.azure.ml.inference.online import Online
from sandbox.azure.ml.inference.refusals import ScoringError
from sandbox.azure.ml.names import BATCH_ENDPOINTS, workspace_id
from sandbox.azure.privatelink import reaches

HOSTS = rf"[a-zA-Z0-9-]+\.[a-z0-9]+\.{re.escape(DOMAIN)}"
"""The host names of all endpoints."""


class Inference(Service[Request]):
    """Answers for all endpoints of all regions."""

    request_type = Request
    max_body = 100 * 1024 * 1024

    def __init__(self, cloud: Cloud) -> None:
        self._cloud, self._online, self._batch = cloud, Online(cloud), Batch(cloud)

    async def answer(self, request: Request) -> Response:
        """Finds the endpoint, checks the network, and lets its kind answer."""
        endpoint = self._endpoint(request)
        note_scope(endpoint["id"])
        body = await self.body(request)
        if endpoint["type"] == BATCH_ENDPOINTS:
            return self._batch.answer(endpoint, request, body)
        return await self._online.answer(endpoint, request, body)

    def _endpoint(self, request: Request) -> Body:
        name, region = request.host.split(".")[:2]
        held = holder(self._cloud, name, region)
        endpoint = self._cloud.store.get("resource", held) if held else None
        if endpoint is None:
            raise ScoringError(404, f"There is no endpoint '{name}' in {region}.")
        workspace = workspace_id(endpoint["id"])
        private = self._access(endpoint, workspace) == "Disabled"
        if private and not reaches(self._cloud.store, request.network, workspace, "amlworkspace"):
            text = f"Public network access of the endpoint '{name}' is disabled, and the request does not come by a"
            raise ScoringError(403, f"{text} private endpoint of its workspace.")
        return endpoint

    def _access(self, endpoint: Body, workspace: str) -> str:
        """The public network access: an endpoint's own, and a batch endpoint's its workspace's."""
        found = (
            self._cloud.store.get("resource", workspace.lower()) if endpoint["type"] == BATCH_ENDPOINTS else endpoint
        )
        return str(((found or endpoint)["properties"]).get("publicNetworkAccess"))

    def bad_body(self, status: int, problem: str) -> ServiceError:
        """The refusal of a body."""
        return ScoringError(status, problem)

    def failure(self, error: Exception) -> ServiceError:
        """The service's error for a fault of the sandbox itself."""
        del error
        return ScoringError(500, "The sandbox failed; its log has the cause.")

    def finish(self, request: Request, response: Response) -> None:
        """Adds the headers that all answers of the service have."""
        response.headers["server"] = "azureml-frontdoor"
        response.headers["x-ms-request-id"] = request.id
