"""The ASGI application of management.azure.com."""

import json
import logging
from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sandbox.azure.arm.core import Call, Registry, Resources, ResourceType, parse_id
from sandbox.azure.cloud import Cloud
from sandbox.azure.errors import AzureError

AUDIENCES = ("https://management.azure.com", "https://management.core.windows.net")
MAX_BODY = 4 * 1024 * 1024  # bytes; the resource manager's own limit


class ResourceManager:
    """Answers for management.azure.com with the given resource types."""

    def __init__(self, cloud: Cloud, types: Iterable[ResourceType]) -> None:
        self._cloud = cloud
        self._resources = Resources(cloud, Registry(types))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except AzureError as error:
            response = error.response()
        except Exception:
            logging.exception("%s %s failed", request.method, request.url.path)
            response = AzureError(500, "InternalServerError", "The sandbox failed; its log has the cause.").response()
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        caller = self._cloud.tokens.check(request.headers.get("authorization"), *AUDIENCES)
        body = await self._body(request)
        query = {
            key.lower() if key.lower() == "api-version" else key: value for key, value in request.query_params.items()
        }
        return self._resources.dispatch(
            Call(self._cloud, caller, request.method, parse_id(request.url.path), body, query)
        )

    @staticmethod
    async def _body(request: Request) -> dict[str, object]:
        raw = await request.body()
        if len(raw) > MAX_BODY:
            raise AzureError(413, "RequestEntityTooLarge", "The request is larger than 4 MB.")
        if not raw:
            return {}
        try:
            body = json.loads(raw)
        except ValueError as error:
            raise AzureError(
                400,
                "InvalidRequestContent",
                f"The request content was invalid and could not be deserialized: '{error}'.",
            ) from error
        if not isinstance(body, dict):
            raise AzureError(400, "InvalidRequestContent", "The request content must be a JSON object.")
        return body
