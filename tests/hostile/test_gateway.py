"""Clients that hold the gateway up, confuse it or flood it: answered or cut off, and the others are served on."""

import asyncio
import contextlib
import re
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import trustme

from sandbox.azure.front import gateway
from tests.azure.client import Client
from tests.conftest import Sandbox

HOST = "management.azure.com"
TENANTS = f"GET /tenants?api-version=2022-12-01 HTTP/1.1\r\nHost: {HOST}\r\n"


@pytest.fixture(scope="module")
def client(shared_sandbox: Sandbox) -> Client:
    return Client(shared_sandbox)


@pytest.fixture
def port(client: Client) -> Iterator[int]:
    """The gateway's port; afterwards it must still serve, in the same process and without having grown."""
    found = urlsplit(client.sandbox.environment()["HTTPS_PROXY"]).port
    assert found
    before = status(client)
    yield found
    after = status(client)
    assert client.arm("GET", "/tenants").status_code == 200
    assert after[0] == before[0]
    assert after[1] - before[1] < 100_000_000, "bytes of memory"


def status(client: Client) -> tuple[int, int]:
    """The sandbox's process, and its resident bytes."""
    address = client.session.proxies["https"]
    told = client.session.get(f"{address}/status", proxies={"http": ""}).json()
    return told["pid"], told["residentBytes"]


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def tunnel(port: int, client: Client, host: str = HOST) -> ssl.SSLSocket:
    """TLS with a host, through the gateway."""
    connection = connect(port)
    connection.sendall(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode())
    assert connection.recv(65536).startswith(b"HTTP/1.1 200")
    context = ssl.create_default_context(cafile=client.sandbox.environment()["SSL_CERT_FILE"])
    return context.wrap_socket(connection, server_hostname=host)


def everything(connection: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    found = b""
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while part := connection.recv(65536):
            found += part
    return found


def statuses(answers: bytes) -> list[bytes]:
    """The status of each answer."""
    return [part[:3] for part in answers.split(b"HTTP/1.1 ")[1:]]


# ---- held up


def test_many_connections_that_say_nothing_hold_nobody_up(port: int, client: Client) -> None:
    with contextlib.ExitStack() as held:
        for sent in (b"", b"CONNECT ", b"GET /sta", f"CONNECT {HOST}:443 HTTP/1.1\r\n\r\n".encode()):
            for _ in range(50):
                connection = held.enter_context(connect(port))
                connection.sendall(sent)
        secured = [held.enter_context(tunnel(port, client)) for _ in range(20)]
        for one in secured:
            one.sendall(TENANTS.encode())  # a head without its end
        began = time.monotonic()
        assert client.arm("GET", "/tenants").status_code == 200
        assert time.monotonic() - began < 10


@pytest.mark.parametrize("head", ["", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\n"])
def test_a_head_that_never_ends_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, head: str) -> None:
    """In this process, as only a clock can show it: with half a second instead of half a minute."""
    monkeypatch.setattr(gateway, "HEAD_SECONDS", 0.5)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def client(port: int) -> bytes:
        connection = connect(port)
        connection.sendall(f"CONNECT {HOST}:443 HTTP/1.1\r\n\r\n".encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
        with context.wrap_socket(connection, server_hostname=HOST) as secured:
            secured.sendall(head.encode())
            return everything(secured)

    async def exchange() -> bytes:
        listening = socket.create_server(("127.0.0.1", 0))
        served = gateway.Gateway(authority, [(re.compile(re.escape(HOST)), app)], app, str)
        async with await served.start(listening):
            return await asyncio.to_thread(client, listening.getsockname()[1])

    found = statuses(asyncio.run(exchange()))
    assert found == ([b"204", b"408"] if head.count("GET") == 2 else [b"408"])


def test_a_client_that_goes_in_the_middle_leaves_nothing(port: int, client: Client) -> None:
    for sent in (
        TENANTS,
        TENANTS + "\r\n",
        TENANTS + "Content-Length: 1000\r\n\r\nhalf",
        TENANTS + "Transfer-Encoding: chunked\r\n\r\n400\r\nhalf",
    ):
        connection = tunnel(port, client)
        connection.sendall(sent.encode())
        connection.close()
        connection = tunnel(port, client)
        connection.sendall(sent.encode())
        connection.shutdown(socket.SHUT_RDWR)
        connection.close()


# ---- confused


def authorized(client: Client) -> str:
    return TENANTS + f"Authorization: Bearer {client.token()}\r\n"


def test_requests_in_one_go_are_answered_in_their_order(port: int, client: Client) -> None:
    good = authorized(client) + "\r\n"
    last = authorized(client) + "Connection: close\r\n\r\n"
    with tunnel(port, client) as connection:
        connection.sendall((good + TENANTS + "\r\n" + good + last).encode())
        assert statuses(everything(connection)) == [b"200", b"401", b"200", b"200"]


SMUGGLED = f"GET /smuggled HTTP/1.1\r\nHost: {HOST}\r\n\r\n"
AMBIGUOUS = {
    "length and chunks": f"Content-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{SMUGGLED}",
    "two lengths": f"Content-Length: 0\r\nContent-Length: {len(SMUGGLED)}\r\n\r\n{SMUGGLED}",
    "lengths in one": f"Content-Length: 0, {len(SMUGGLED)}\r\n\r\n{SMUGGLED}",
    "length with a sign": f"Content-Length: +{len(SMUGGLED)}\r\n\r\n{SMUGGLED}",
    "encoding with a space": f"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n{SMUGGLED}",
    "unknown encoding": f"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{SMUGGLED}",
    "folded header": f"X: a\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n{SMUGGLED}",
    "negative chunk": f"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n{SMUGGLED}",
    "endless chunk": f"Transfer-Encoding: chunked\r\n\r\n{'f' * 17}\r\n\r\n{SMUGGLED}",
}


@pytest.mark.parametrize("rest", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_a_request_of_doubtful_length_is_not_two(port: int, client: Client, rest: str) -> None:
    """The gateway alone reads what clients send, and hands requests on within its own process; yet it is strict."""
    with tunnel(port, client) as connection:
        connection.sendall((authorized(client) + rest).encode())
        connection.settimeout(5)
        found = b""
        with contextlib.suppress(TimeoutError):
            found = everything(connection)
    assert statuses(found) in ([], [b"400"], [b"200", b"400"])
    assert b"smuggled" not in found


def test_the_tunnels_host_decides_and_no_header(port: int, client: Client) -> None:
    """A request for Graph in the resource manager's tunnel is the resource manager's."""
    head = "GET /v1.0/users HTTP/1.1\r\nHost: graph.microsoft.com\r\nConnection: close\r\n"
    token = client.token("https://graph.microsoft.com")
    with tunnel(port, client) as connection:
        connection.sendall(f"{head}Authorization: Bearer {token}\r\n\r\n".encode())
        assert statuses(everything(connection)) == [b"401"]


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "169.254.169.254",
        "[::1]",
        "..",
        "a..b",
        "-",
        "xn--e1afmkfd.com",
        "management.azure.com.",
        "%00",
        "*",
    ],
)
def test_odd_hosts_are_refused(port: int, host: str) -> None:
    with connect(port) as connection:
        connection.sendall(f"CONNECT {host}:443 HTTP/1.1\r\n\r\n".encode())
        assert statuses(everything(connection))[0] in (b"403", b"405")


# ---- flooded


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_without_end_is_refused_before_it_is_kept(port: int, client: Client, chunked: bool) -> None:
    """200 MB announced, or in chunks of 64 KB: 413 long before, and no memory for it (the fixture looks)."""
    size, part = 200_000_000, b"x" * 65536
    how = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {size}"
    head = authorized(client).replace("GET /tenants", "PUT /subscriptions/x/resourceGroups/y") + how + "\r\n\r\n"
    with tunnel(port, client) as connection:
        connection.sendall(head.encode())
        sent = 0
        with contextlib.suppress(OSError):
            while sent < size:
                connection.sendall(b"%x\r\n%b\r\n" % (len(part), part) if chunked else part)
                sent += len(part)
                connection.settimeout(0.001)
                with contextlib.suppress(TimeoutError):
                    if connection.recv(12):
                        break
                connection.settimeout(20)
        assert sent < 50_000_000
