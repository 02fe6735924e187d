"""The gateway: an HTTP proxy on loopback that ends TLS for Azure's host names and hands requests to their services.

A client that has `HTTPS_PROXY` set sends `CONNECT host:443`. The gateway answers, takes the host's part in the TLS
handshake with a certificate of the local CA, and serves that connection with the host's service. A host that no
service answers for is refused before TLS, so that nothing reaches the real Azure by mistake. The user name of the
proxy's address, if there is one, is the network that the client is in.
"""

import asyncio
import base64
import binascii
import re
import socket
import ssl
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, cast

import trustme
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from sandbox.azure.privatelink import NetworkError

Application = Callable[..., Any]
_QUICK_ACK: int | None = getattr(socket, "TCP_QUICKACK", None)
TOO_LARGE = "431 Request Header Fields Too Large", "The request's head is too large."
HEAD_SECONDS = 30  # within which a connection must say what it wants
MAX_HTTP_HEAD = 65536  # bytes of a request's head inside TLS; the largest real one is a long token's
# learn.microsoft.com/azure/azure-government/compare-azure-government-global-azure, learn.microsoft.com/azure/china/
# resources-developer-guide: the domains of Azure's other clouds
OTHER_CLOUDS = {
    "microsoftonline.us": "Azure US Government",
    "usgovcloudapi.net": "Azure US Government",
    "azure.us": "Azure US Government",
    "azure.ml.us": "Azure US Government",
    "chinacloudapi.cn": "Azure operated by 21Vianet in China",
    "azure.cn": "Azure operated by 21Vianet in China",
    "microsoftonline.cn": "Azure operated by 21Vianet in China",
    "microsoftonline.de": "Azure Germany, which has ended",
    "cloudapi.de": "Azure Germany, which has ended",
}
CORKED = 16384  # bytes of a write that may wait for the next: more than a head, and than a TLS record takes
MAX_HEAD = 8192  # bytes of a CONNECT request; real ones take some 200


class Gateway:
    """Serves `hosts` on one loopback port.

    Args:
        ca: Issues the hosts' certificates.
        hosts: Pairs of a pattern for whole host names and the ASGI application that answers for them.
        local: Answers plain requests to the port itself (`GET /status`).
        network: Finds the id of the network that a client names; raises `NetworkError`.
        refused: Told of each host that a client asked for and no service answers for.
    """

    def __init__(
        self,
        ca: trustme.CA,
        hosts: Sequence[tuple[re.Pattern[str], Application]],
        local: Application,
        network: Callable[[str], str],
        refused: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._ca, self._hosts, self.local, self.network, self.refused = ca, hosts, local, network, refused
        self._state = ServerState()
        self._contexts: dict[str, ssl.SSLContext] = {}
        self.config = cache(self._config)

    def service(self, host: str) -> Application | None:
        """The application for a host, or None where the host is not emulated."""
        return next((app for pattern, app in self._hosts if pattern.fullmatch(host)), None)

    async def start(self, listening: socket.socket) -> asyncio.Server:
        """Serves a listening socket."""
        return await asyncio.get_running_loop().create_server(lambda: _Connection(self), sock=listening)

    def context(self, host: str) -> ssl.SSLContext:
        """The TLS settings with the host's certificate."""
        if host not in self._contexts:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            self._ca.issue_cert(host).configure_cert(context)
            self._contexts[host] = context
        return self._contexts[host]

    def protocol(self, app: Application, network: str = "") -> "_Http":
        """An HTTP connection, from a network or the internet, served by the application."""
        return _Http(self.config(app), self._state, {"network": network})

    @staticmethod
    def _config(app: Application) -> uvicorn.Config:
        config = uvicorn.Config(
            app, http="httptools", ws="none", lifespan="off", access_log=False, log_config=None, timeout_keep_alive=120
        )
        config.load()
        return config


class _Corked:
    """A transport that sends what is written in one turn of the loop together: a head and its body are one packet."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport, self._waiting = transport, bytearray()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Sends data: soon if there is little, else at once."""
        if len(data) > CORKED:
            self.flush()
            self._transport.write(data)
            return
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self.flush)
        self._waiting += data

    def close(self) -> None:
        """Closes the connection once everything is sent."""
        self.flush()
        self._transport.close()

    def flush(self) -> None:
        """Sends what waits."""
        if self._waiting:
            data, self._waiting = bytes(self._waiting), bytearray()
            self._transport.write(data)


class _Http(HttpToolsProtocol):
    """HTTP after the handshake. A request can come with the handshake's last bytes, before `connection_made`.

    `scope["state"]["header_names"]` has the headers' names in the client's spelling: storage keeps that of metadata.
    `scope["state"]["transport"]` is the connection, for faults that end it.
    """

    _head_size: int | None = None  # bytes of a head that is still coming
    _late: asyncio.TimerHandle | None = None

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"]["header_names"] = []
        self.scope["state"]["transport"] = self.transport
        self._head_size = 0
        self._expect_head()

    def on_headers_complete(self) -> None:
        self._head_size = None
        self._forget_head()
        super().on_headers_complete()

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self.scope["state"]["header_names"].append(name)

    def connection_made(self, transport: Any) -> None:
        super().connection_made(cast("asyncio.Transport", _Corked(transport)))
        self._expect_head()
        for data in self.__dict__.pop("early", ()):
            self.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_head()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Sends the answer at once: what is left to do for the request is done while the client reads it."""
        cast("_Corked", self.transport).flush()
        super().on_response_complete()

    def _expect_head(self) -> None:
        """A head that does not end in time is the connection's last: uvicorn would wait for it for ever."""
        self._forget_head()
        self._late = asyncio.get_running_loop().call_later(HEAD_SECONDS, self._too_slow)

    def _forget_head(self) -> None:
        if self._late is not None:
            self._late.cancel()

    def _too_slow(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(_refusal(*_too_late()))
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        if self.transport is None:
            self.__dict__.setdefault("early", []).append(data)
            return
        # urllib3 leaves Nagle's algorithm on towards a proxy, so that a body waits for the ACK of its head: send that
        # at once, where the system can (Linux), or every PUT takes 40 ms more. The rest of a large body waits for none.
        if _QUICK_ACK is not None and len(data) < CORKED:
            self.transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)
        super().data_received(data)
        if self._head_size is not None:
            self._head_size += len(data)
            if self._head_size > MAX_HTTP_HEAD and not self.transport.is_closing():
                self.transport.write(
                    _refusal("431 Request Header Fields Too Large", "The request's head is too large.")
                )
                self.transport.close()


class _Connection(asyncio.Protocol):
    """One client's connection, up to the TLS handshake."""

    _transport: asyncio.Transport
    _task: asyncio.Task[None]

    def __init__(self, gateway: Gateway) -> None:
        self._gateway, self._head, self._done = gateway, b"", False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        # asyncio does so only for sockets that were made with IPPROTO_TCP; a response of two writes waits 40 ms without
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        asyncio.get_running_loop().call_later(HEAD_SECONDS, self._too_slow)

    def data_received(self, data: bytes) -> None:
        if self._done:
            return
        self._head += data
        if re.match(rb"(GET|HEAD|POST) /", self._head):
            self._serve_local()
        elif b"\r\n\r\n" in self._head:
            line, *headers = self._head.split(b"\r\n")
            self._answer(line, headers)
        elif len(self._head) > MAX_HEAD:
            self._refuse(*TOO_LARGE)

    def _too_slow(self) -> None:
        if not self._done:
            self._refuse(*_too_late())

    def _answer(self, line: bytes, headers: list[bytes]) -> None:
        asked = re.fullmatch(rb"CONNECT ([A-Za-z0-9.-]{1,253}):443 HTTP/1\.[01]", line)
        if asked is None:
            self._refuse(
                "405 Method Not Allowed", "This is the sandbox's gateway: a proxy that answers CONNECT host:443."
            )
            return
        host = asked[1].decode().lower()
        app = self._gateway.service(host)
        if app is None:
            self._gateway.refused(host)
            self._refuse("403 Forbidden", _not_emulated(host))
            return
        try:
            network = self._gateway.network(name) if (name := _user(headers)) else ""
        except NetworkError as error:
            self._refuse("403 Forbidden", str(error))
            return
        self._done = True
        self._transport.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self._task = asyncio.get_running_loop().create_task(self._serve(host, app, network))

    def _serve_local(self) -> None:
        """Hands the connection, with what came already, to the port's own application."""
        self._done = True
        protocol = self._gateway.protocol(self._gateway.local)
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        protocol.data_received(self._head)

    async def _serve(self, host: str, app: Application, network: str) -> None:
        protocol = self._gateway.protocol(app, network)
        try:
            secured = await asyncio.get_running_loop().start_tls(
                self._transport, protocol, self._gateway.context(host), server_side=True
            )
        except (OSError, ssl.SSLError):  # the client does not trust the CA, or went away
            self._transport.close()
            return
        if secured is not None:
            protocol.connection_made(secured)

    def _refuse(self, status: str, text: str) -> None:
        self._done = True
        self._transport.write(_refusal(status, text))
        self._transport.close()


def _not_emulated(host: str) -> str:
    """The message that refuses a host; it says so if the host belongs to another of Azure's clouds."""
    cloud = next((cloud for suffix, cloud in OTHER_CLOUDS.items() if f".{host}".endswith(f".{suffix}")), None)
    text = f"The sandbox does not emulate {host}, and lets nothing through to it."
    return f"{text} The host belongs to {cloud}; only Azure's public cloud is here." if cloud else text


def _user(headers: list[bytes]) -> str:
    """The user name of `Proxy-Authorization: Basic`; empty without one."""
    for header in headers:
        name, _, value = header.partition(b":")
        scheme, _, coded = value.strip().partition(b" ")
        if name.lower() == b"proxy-authorization" and scheme.lower() == b"basic":
            try:
                return base64.b64decode(coded, validate=True).decode().partition(":")[0]
            except (binascii.Error, UnicodeDecodeError):
                return ""
    return ""


def _too_late() -> tuple[str, str]:
    return "408 Request Timeout", f"No request came in {HEAD_SECONDS} seconds."


def _refusal(status: str, text: str) -> bytes:
    body = (text + "\n").encode()
    lines = (f"HTTP/1.1 {status}", "Content-Type: text/plain", f"Content-Length: {len(body)}", "Connection: close")
    return "\r\n".join([*lines, "", ""]).encode() + body
