"""The ASGI application of management.azure.com."""

import json
import logging
import uuid
from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from sandbox.azure.arm import metadata
from sandbox.azure.arm.core import Call, ResourceId, ResourceType
from sandbox.azure.arm.resources import Resources, Route
from sandbox.azure.cloud import Cloud
from sandbox.azure.errors import AzureError, failure

AUDIENCES = ("https://management.azure.com", "https://management.core.windows.net")
MAX_BODY = 4 * 1024 * 1024  # bytes; the resource manager's own limit


class ResourceManager:
    """Answers for management.azure.com with the given resource types and routes."""

    def __init__(self, cloud: Cloud, types: Iterable[ResourceType], routes: Iterable[Route] = ()) -> None:
        self._cloud = cloud
        self._resources = Resources(cloud, types, routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except AzureError as error:
            response = error.response()
        except Exception as error:
            logging.exception("%s %s failed", request.method, request.url.path)
            response = failure(error).response()
        response.headers["x-ms-request-id"] = str(uuid.uuid4())
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if request.scope["path"].rstrip("/").lower() == metadata.PATH:
            return JSONResponse(metadata.CLOUDS)
        caller = self._cloud.tokens.check(request.headers.get("authorization"), *AUDIENCES)
        body = await _body(request)
        query = {
            key.lower() if key.lower() == "api-version" else key: value for key, value in request.query_params.items()
        }
        path = "/" + request.scope["path"].strip("/")
        return self._resources.dispatch(
            Call(self._cloud, caller, request.method, ResourceId(path, "", "", ""), body, query)
        )


async def _body(request: Request) -> dict[str, object]:
    raw = b""
    async for part in request.stream():
        raw += part
        if len(raw) > MAX_BODY:
            raise AzureError(413, "RequestContentTooLarge", "The request's content is larger than 4 MB.")
    if not raw:
        return {}
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise AzureError(
            400,
            "InvalidRequestContent",
            f"The request content was invalid and could not be deserialized: '{error}'.",
        ) from error
    if not isinstance(body, dict):
        raise AzureError(400, "InvalidRequestContent", "The request content must be a JSON object.")
    return body
