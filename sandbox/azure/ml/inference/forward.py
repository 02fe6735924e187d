"""Sends a request to a deployment's server, over its Unix socket."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

import httptools

Headers = list[tuple[bytes, bytes]]
HOP = frozenset(
    {b"connection", b"content-length", b"date", b"expect", b"host", b"keep-alive", b"server", b"transfer-encoding"}
)
"""Headers of one connection alone, or that each side writes itself."""


@dataclass
class Answer:
    """What a server answered.

    Attributes:
        status: The HTTP status.
        headers: Names in lower case, and values.
        body: The body.
    """

    status: int = 0
    headers: Headers = field(default_factory=list)
    body: bytes = b""


class _Exchange(asyncio.Protocol):
    """One request on one connection: gunicorn's plain workers serve no second one on it."""

    def __init__(self, sent: bytes) -> None:
        self._sent, self._parser = sent, httptools.HttpResponseParser(self)
        self.answer = Answer()
        self._parts: list[bytes] = []
        self.done: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 # a socket's
        transport.write(self._sent)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(ConnectionError(f"the server's answer cannot be read: {error}"))

    def on_header(self, name: bytes, value: bytes) -> None:
        self.answer.headers.append((name.lower(), value))

    def on_body(self, part: bytes) -> None:
        self._parts.append(part)

    def on_message_complete(self) -> None:
        self.answer.status = self._parser.get_status_code()
        self.answer.body = b"".join(self._parts)
        if not self.done.done():
            self.done.set_result(self.answer)

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(exc or ConnectionError("the server ended the connection"))

    def _fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)


async def forward(
    address: str, method: str, target: str, headers: Iterable[tuple[bytes, bytes]], body: bytes
) -> Answer:
    """One request.

    Args:
        address: The socket's path.
        method: The verb.
        target: Path and query.
        headers: Without those of `HOP`.
        body: The body.

    Raises:
        OSError: The server is not there, or ended before its answer did.
    """
    head = [
        f"{method} {target} HTTP/1.1\r\nhost: sandbox\r\nconnection: close\r\ncontent-length: {len(body)}\r\n".encode()
    ]
    head += [name + b": " + value + b"\r\n" for name, value in headers]
    sent = b"".join([*head, b"\r\n", body])
    transport, exchange = await asyncio.get_running_loop().create_unix_connection(lambda: _Exchange(sent), address)
    try:
        return await exchange.done
    finally:
        transport.close()
