"""The gateway: what is no request to an emulated host is refused at once, and the rest goes on."""

import json
import socket
import ssl
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
import requests

from tests.azure.client import ARM, Client


@pytest.fixture
def port(azure: Client) -> int:
    found = urlsplit(azure.sandbox.environment()["HTTPS_PROXY"]).port
    assert found is not None
    return found


def exchange(port: int, sent: bytes, *, shut: bool = False) -> bytes:
    """All that is answered to raw bytes, until the gateway closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(sent)
        if shut:
            connection.shutdown(socket.SHUT_WR)
        received = b""
        while part := connection.recv(65536):
            received += part
        return received


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\r\n\r\n", b"405"),
        (b"NONSENSE\r\n\r\n", b"405"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"405"),
        (b"CONNECT management.azure.com:80 HTTP/1.1\r\n\r\n", b"405"),
        (b"CONNECT management.azure.com HTTP/1.1\r\n\r\n", b"405"),
        (b"CONNECT management.azure.com:443 HTTP/9\r\n\r\n", b"405"),
        (b"CONNECT " + b"a" * 254 + b":443 HTTP/1.1\r\n\r\n", b"405"),
        (b"GET http://management.azure.com/ HTTP/1.1\r\n\r\n", b"405"),
        (b"CONNECT example.com:443 HTTP/1.1\r\n\r\n", b"403"),
        (b"CONNECT evilmanagement.azure.com:443 HTTP/1.1\r\n\r\n", b"403"),
        (b"CONNECT management.azure.com.evil.com:443 HTTP/1.1\r\n\r\n", b"403"),
        (b"CONNECT 127.0.0.1:443 HTTP/1.1\r\n\r\n", b"403"),
        (b"CONNECT management.azure.com:443 HTTP/1.1\r\nX: " + b"a" * 10_000, b"431"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"404"),
        (b"GET /status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"200"),
        (b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"400"),
    ],
)
def test_raw_requests_get_one_clear_answer(port: int, sent: bytes, status: bytes) -> None:
    assert exchange(port, sent).startswith(b"HTTP/1.1 " + status)


def test_a_client_that_says_nothing_and_goes_is_forgotten(port: int) -> None:
    assert exchange(port, b"", shut=True) == b""
    assert exchange(port, b"CONN", shut=True) == b""


def tunnel(port: int, host: str, bundle: str) -> ssl.SSLSocket:
    """TLS with a host, through the gateway."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=5)
    connection.sendall(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode())
    assert connection.recv(65536).startswith(b"HTTP/1.1 200")
    return ssl.create_default_context(cafile=bundle).wrap_socket(connection, server_hostname=host)


@pytest.mark.parametrize(
    "sent",
    [
        b"NONSENSE\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\n: novalue\r\n\r\n",
        b"\x00\x01\x02\x03\r\n\r\n",
    ],
)
def test_malformed_http_inside_is_refused(azure: Client, port: int, sent: bytes) -> None:
    with tunnel(port, "management.azure.com", azure.sandbox.environment()["SSL_CERT_FILE"]) as connection:
        connection.sendall(sent)
        assert connection.recv(65536).startswith((b"HTTP/1.1 400", b"HTTP/1.1 401"))
    assert azure.arm("GET", "/tenants").status_code == 200


def test_a_huge_head_inside_does_not_grow_without_end(azure: Client, port: int) -> None:
    with tunnel(port, "management.azure.com", azure.sandbox.environment()["SSL_CERT_FILE"]) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX: ")
        refused = b""
        try:
            for _ in range(64):
                connection.sendall(b"a" * 65536)
            refused = connection.recv(65536)
        except (ConnectionError, ssl.SSLError):
            refused = b"closed"
        assert refused == b"closed" or refused.startswith(b"HTTP/1.1 431")
    assert azure.arm("GET", "/tenants").status_code == 200


def test_a_client_that_does_not_trust_the_ca_changes_nothing(azure: Client, port: int) -> None:
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(f"{ARM}/tenants", proxies={"https": f"http://127.0.0.1:{port}"}, timeout=5)
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(b"CONNECT management.azure.com:443 HTTP/1.1\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        connection.sendall(b"this is no TLS")
    assert azure.arm("GET", "/tenants").status_code == 200


def test_a_host_is_one_in_any_case(azure: Client, port: int) -> None:
    assert exchange(port, b"CONNECT EXAMPLE.com:443 HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 403")
    headers = {"Authorization": f"Bearer {azure.token()}"}
    url = "https://MANAGEMENT.azure.com/tenants?api-version=2022-12-01"
    assert azure.session.get(url, headers=headers).status_code == 200


def test_what_is_refused_names_the_host(port: int) -> None:
    answer = exchange(port, b"CONNECT pypi.org:443 HTTP/1.1\r\n\r\n")
    assert b"does not emulate pypi.org" in answer


@pytest.mark.parametrize(
    ("host", "cloud"),
    [
        (b"login.microsoftonline.us", b"Azure US Government"),
        (b"management.usgovcloudapi.net", b"Azure US Government"),
        (b"x.blob.core.chinacloudapi.cn", b"21Vianet"),
        (b"login.partner.microsoftonline.cn", b"21Vianet"),
    ],
)
def test_another_cloud_is_named(port: int, host: bytes, cloud: bytes) -> None:
    answer = exchange(port, b"CONNECT " + host + b":443 HTTP/1.1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 403")
    assert cloud in answer
    assert b"only Azure's public cloud is here" in answer


def test_an_unmodified_client_with_the_environment_reaches_no_other_host(owner: None) -> None:
    with pytest.raises(requests.exceptions.ProxyError):
        requests.get("https://example.com", timeout=5)


def test_the_gateway_listens_on_loopback_alone(port: int) -> None:
    with pytest.raises(OSError), socket.create_connection(("127.0.0.2", port), timeout=2):  # reaches 0.0.0.0, not this
        pass


def test_the_status_is_plain_json(port: int, as_persona: Callable[[str], None]) -> None:
    body = json.loads(exchange(port, b"GET /status HTTP/1.1\r\nConnection: close\r\n\r\n").split(b"\r\n\r\n", 1)[1])
    assert {"pid", "port", "uptimeSeconds", "residentBytes", "resources"} <= body.keys()
    assert body["port"] == port
