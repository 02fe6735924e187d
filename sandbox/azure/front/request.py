"""An HTTP request, as every service gets it."""

import time
import uuid
from collections.abc import AsyncIterator
from functools import cached_property
from urllib.parse import parse_qsl

from starlette.requests import Request as HttpRequest
from starlette.types import Receive, Scope

from sandbox.azure.privatelink import network_of


class BodyTooLargeError(Exception):
    """A body of more bytes than its service takes."""


class Request:
    """One request.

    Attributes:
        method: The verb.
        host: The host's name, in lower case and without port.
        path: The path, percent-decoded.
        raw_path: The path as the client sent it, percent-encoded.
        raw_query: The query as the client sent it.
        client: The client's IP address; empty where unknown.
        network: Id of the network that the client is in; empty for the internet.
        id: Names the request in answers and in the log.
        began: When it came, by `time.perf_counter`.
    """

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.scope, self._receive = scope, receive
        self.method: str = scope["method"]
        self.path: str = scope.get("path", "")
        self.raw_path: str = scope.get("raw_path", b"").partition(b"?")[0].decode("latin-1") or self.path
        self.raw_query: str = scope["query_string"].decode("latin-1")
        self.client: str = scope["client"][0] if scope.get("client") else ""
        self.network = network_of(scope)
        self.id = str(uuid.uuid4())
        self.began = time.perf_counter()

    @cached_property
    def headers(self) -> dict[str, str]:
        """Headers by lowercased name; several of one name are joined by commas."""
        headers: dict[str, str] = {}
        for raw_name, raw_value in self.scope["headers"]:
            name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1").strip()
            headers[name] = f"{headers[name]},{value}" if name in headers else value
        return headers

    @cached_property
    def host(self) -> str:
        """The host's name, in lower case and without port."""
        return self.headers.get("host", "").partition(":")[0].lower()

    @cached_property
    def query(self) -> dict[str, str]:
        """Decoded parameters of the query; of several of one name the last."""
        return dict(parse_qsl(self.raw_query, keep_blank_values=True))

    def query_values(self, name: str) -> list[str]:
        """All values of a parameter of the query that may stand more than once."""
        return [value for key, value in parse_qsl(self.raw_query, keep_blank_values=True) if key == name]

    def stream(self) -> AsyncIterator[bytes]:
        """The body as it arrives.

        Raises:
            ClientDisconnect: The client went away.
        """
        return HttpRequest(self.scope, self._receive).stream()

    async def read(self, most: int) -> bytes:
        """The whole body.

        Raises:
            BodyTooLargeError: It has more than `most` bytes.
            ClientDisconnect: The client went away.
        """
        parts, size = [], 0
        async for part in self.stream():
            size += len(part)
            if size > most:
                raise BodyTooLargeError
            parts.append(part)
        return b"".join(parts)
