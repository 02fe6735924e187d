"""A service of the local Azure: an ASGI application that answers requests or refuses them."""

import json
import logging
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Generic, TypeVar

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sandbox.azure.front.errors import ServiceError, failure
from sandbox.azure.front.request import BodyTooLargeError, Request

log = logging.getLogger(__name__)
RequestT = TypeVar("RequestT", bound=Request)


class Service(ABC, Generic[RequestT]):
    """A service. Subclasses answer; they say how the service words its refusals and which headers all answers have.

    Attributes:
        request_type: How the service reads its requests.
        max_body: The most bytes of a JSON body.
    """

    request_type: type[RequestT]
    max_body: ClassVar[int] = 1024 * 1024

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        request = self.request_type(scope, receive)
        try:
            response = await self.answer(request)
        except ClientDisconnect:
            return  # nobody is left to hear it
        except ServiceError as refusal:
            response = self.refuse(request, refusal)
        except Exception as error:
            log.exception("%s %s failed", request.method, request.raw_path)
            response = self.refuse(request, self.failure(error))
        self.finish(request, response)
        await response(scope, receive, send)

    @abstractmethod
    async def answer(self, request: RequestT) -> Response:
        """The answer to a request.

        Raises:
            ServiceError: The service refuses the request.
        """

    def refuse(self, request: RequestT, refusal: ServiceError) -> Response:
        """The refusal in the service's form."""
        return refusal.response()

    def failure(self, error: Exception) -> ServiceError:
        """The service's error for a fault of the sandbox itself."""
        return failure(error)

    def finish(self, request: RequestT, response: Response) -> None:
        """Adds the headers that all answers of the service have."""

    def bad_body(self, status: int, problem: str) -> ServiceError:
        """The refusal of a body: 413 for one that is too large, 400 for one that is no JSON object."""
        code = "BadRequest" if status == 400 else "RequestEntityTooLarge"  # noqa: PLR2004 # as above
        return ServiceError(status, code, problem)

    async def body(self, request: Request) -> bytes:
        """The whole body.

        Raises:
            ServiceError: 413, by `bad_body`.
        """
        try:
            return await request.read(self.max_body)
        except BodyTooLargeError as error:
            raise self.bad_body(413, f"The request's body is larger than {self.max_body} bytes.") from error

    async def json(self, request: Request) -> dict[str, Any]:
        """The JSON object that was sent; empty for no body.

        Raises:
            ServiceError: 413 or 400, by `bad_body`.
        """
        raw = await self.body(request)
        if not raw:
            return {}
        try:
            body = json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise self.bad_body(400, f"The request's body is no JSON: {error}.") from error
        if not isinstance(body, dict):
            raise self.bad_body(400, "The request's body must be a JSON object.")
        return body
