"""The service of management.azure.com."""

import re
import time
from collections.abc import Iterable

from starlette.responses import JSONResponse, Response

from sandbox.azure.arm import metadata
from sandbox.azure.arm.core import Call, ResourceId, ResourceType
from sandbox.azure.arm.resources import Resources, Route
from sandbox.azure.cloud import Cloud
from sandbox.azure.front.errors import AzureError, ServiceError
from sandbox.azure.front.request import Request
from sandbox.azure.front.service import Service

_SLASHES = re.compile("/+")
BAD_REQUEST = 400
MACHINE_LEARNING = "/providers/microsoft.machinelearningservices/"
AUDIENCES = ("https://management.azure.com", "https://management.core.windows.net")


class ResourceManager(Service[Request]):
    """Answers for management.azure.com with the given resource types and routes."""

    request_type = Request
    max_body = 4 * 1024 * 1024  # the resource manager's own limit

    def __init__(self, cloud: Cloud, types: Iterable[ResourceType], routes: Iterable[Route] = ()) -> None:
        self._cloud = cloud
        self.resources = Resources(cloud, types, routes)

    async def answer(self, request: Request) -> Response:
        """Checks the token, then carries the call out."""
        if request.path.rstrip("/").lower() == metadata.PATH:
            return JSONResponse(metadata.CLOUDS)
        caller = self._cloud.tokens.check(request.headers.get("authorization"), *AUDIENCES)
        query = {name.lower() if name.lower() == "api-version" else name: text for name, text in request.query.items()}
        # An empty segment counts for nothing: azure-cli writes `providers/Microsoft.Storage//storageAccounts/x`.
        address = ResourceId(_SLASHES.sub("/", "/" + request.path.strip("/")), "", "", "")
        call = Call(self._cloud, caller, request.method, address, await self.json(request), query)
        return self.resources.dispatch(call)

    def finish(self, request: Request, response: Response) -> None:
        """Adds the request's ids to the answer's headers, and what Azure ML's service adds.

        Source: azure-ai-ml's recordings, listed in docs/fidelity/ml.md.
        """
        headers = response.headers
        headers["x-ms-request-id"] = request.id
        headers["x-ms-correlation-request-id"] = request.headers.get("x-ms-correlation-request-id") or request.id
        if MACHINE_LEARNING in request.path.lower():
            headers["x-ms-response-type"] = "standard" if response.status_code < BAD_REQUEST else "error"
            headers["x-request-time"] = f"{time.perf_counter() - request.began:.3f}"

    def bad_body(self, status: int, problem: str) -> ServiceError:
        """Returns the refusal of a body in the resource manager's words."""
        if status == 413:  # noqa: PLR2004 # Content Too Large
            return AzureError(413, "RequestContentTooLarge", "The request's content is larger than 4 MB.")
        text = f"The request content was invalid and could not be deserialized: '{problem}'."
        return AzureError(400, "InvalidRequestContent", text)
