"""What no client library sends: malformed requests, hostile names, operations that are not emulated."""

import http.client
import json
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree as Xml

import pytest
from azure.storage.blob import AccountSasPermissions, BlobServiceClient, ResourceTypes, generate_account_sas

from tests.azure.storage.harness import Azure

ALL = AccountSasPermissions(read=True, write=True, delete=True, list=True, add=True, create=True, permissions=True)


class Wire:
    """HTTP with paths exactly as given, authorized by an account SAS."""

    def __init__(self, azure: Azure, account: str, key: str) -> None:
        self.azure, self.account = azure, account
        types = ResourceTypes(service=True, container=True, object=True)
        self.sas = generate_account_sas(account, key, types, ALL, datetime.now(UTC) + timedelta(hours=1))

    def __call__(
        self, method: str, path: str, body: bytes = b"", *, service: str = "blob", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the answer."""
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.azure.port, timeout=30, context=ssl.create_default_context(cafile=str(self.azure.ca))
        )
        connection.set_tunnel(f"{self.account}.{service}.core.windows.net", 443)
        try:
            target = f"{path}{'&' if '?' in path else '?'}{self.sas}"
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            sent = {"x-ms-version": "2023-11-03", "Content-Length": str(len(body)), **named}
            connection.putrequest(method, target, skip_accept_encoding=True)
            for name, value in sent.items():
                if value:
                    connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def code(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, str]:
        """Status and error code of the answer."""
        status, found, _ = self(method, path, body, **headers)
        return status, found.get("x-ms-error-code", "")


@pytest.fixture
def wire(azure: Azure, new_name: Callable[[], str]) -> Wire:
    name = new_name()
    key = azure.account(name)
    service = BlobServiceClient(f"https://{name}.blob.core.windows.net", credential=key, **azure.transport)
    service.create_container("data").upload_blob("a", b"0123456789")
    return Wire(azure, name, key)


BLOCK: dict[str, Any] = {"x_ms_blob_type": "BlockBlob"}
CHUNKED = {"Content_Length": "", "Transfer_Encoding": "chunked"}


@pytest.mark.parametrize(
    ("request_", "headers", "expected"),
    [
        (("GET", "/data/a"), {"x_ms_range": "bytes=5-2"}, (400, "InvalidHeaderValue")),
        (("GET", "/data/a"), {"x_ms_range": "lines=1-2"}, (400, "InvalidHeaderValue")),
        (("GET", "/data/a"), {"x_ms_range": "bytes=10-"}, (416, "InvalidRange")),
        (("GET", "/data/a"), {"x_ms_version": "soon"}, (400, "InvalidHeaderValue")),
        (("GET", "/data/a"), {"if_modified_since": "yesterday"}, (400, "InvalidHeaderValue")),
        (("PUT", "/data/b"), {}, (400, "MissingRequiredHeader")),
        (("PUT", "/data/b"), {"x_ms_blob_type": "Cube"}, (400, "InvalidHeaderValue")),
        (("PUT", "/data/b"), {"x_ms_blob_type": "PageBlob"}, (501, "NotImplemented")),
        (("PUT", "/data/b"), {**BLOCK, **CHUNKED}, (411, "MissingContentLengthHeader")),
        (("PUT", "/data/b"), {**BLOCK, "x_ms_lease_id": "1"}, (501, "NotImplemented")),
        (("PUT", "/data/b"), {**BLOCK, "x_ms_access_tier": "Warm"}, (400, "InvalidHeaderValue")),
        (("PUT", "/data/b", b"1"), {**BLOCK, "content_md5": "bm90IGFuIG1kNQ=="}, (400, "InvalidMd5")),
        (("PUT", "/data/b", b"1"), {**BLOCK, "content_md5": "AAAAAAAAAAAAAAAAAAAAAA=="}, (400, "Md5Mismatch")),
        (("PUT", "/data/b?comp=lease"), {}, (501, "NotImplemented")),
        (("GET", "/data/a?snapshot=2024"), {}, (501, "NotImplemented")),
        (("PATCH", "/data/a"), {}, (501, "NotImplemented")),
        (("GET", "/data?restype=container&comp=list&maxresults=0"), {}, (400, "OutOfRangeQueryParameterValue")),
        (("GET", "/data?restype=container&comp=list&maxresults=ten"), {}, (400, "InvalidQueryParameterValue")),
        (("GET", "/data?restype=container&comp=list&marker=%25"), {}, (400, "InvalidQueryParameterValue")),
        (("GET", "/data/a?comp=blocklist&blocklisttype=some"), {}, (400, "InvalidQueryParameterValue")),
    ],
)  # fmt: skip
def test_malformed_requests(
    wire: Wire, request_: tuple[Any, ...], headers: dict[str, Any], expected: tuple[int, str]
) -> None:
    assert wire.code(*request_, **headers) == expected
    assert wire("GET", "/data/a")[2] == b"0123456789"
    assert wire.code("GET", "/data/b") == (404, "BlobNotFound")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<BlockList><Latest>YQ==</Latest>",
        b"<Blocks></Blocks>",
        b"<BlockList><Newest>YQ==</Newest></BlockList>",
        b"<BlockList><Latest><Deep>YQ==</Deep></Latest></BlockList>",
        b'<!DOCTYPE x [<!ENTITY a "b">]><BlockList><Latest>&a;</Latest></BlockList>',
        b"<?xml version='1.0' encoding='klingon'?><BlockList></BlockList>",
        b"\xff\xfe\x00",
        b"not xml",
    ],
)
def test_malformed_block_lists(wire: Wire, body: bytes) -> None:
    assert wire.code("PUT", "/data/b?comp=blocklist", body) == (400, "InvalidXmlDocument")
    assert wire.code("GET", "/data/b") == (404, "BlobNotFound")


def test_ranges_that_may_be_ignored_are(wire: Wire) -> None:
    assert wire("GET", "/data/a", Range="bytes=-5")[::2] == (200, b"0123456789")
    assert wire("GET", "/data/a", Range="bytes=7-")[::2] == (206, b"789")
    status, headers, body = wire("GET", "/data/a", x_ms_range="bytes=7-99", Range="bytes=0-0")
    assert (status, headers["content-range"], body) == (206, "bytes 7-9/10", b"789")


def test_a_body_shorter_than_announced_leaves_nothing(wire: Wire) -> None:
    files = set((wire.azure.cloud.directory / "blobs").iterdir())
    connection = http.client.HTTPSConnection(
        "127.0.0.1", wire.azure.port, timeout=30, context=ssl.create_default_context(cafile=str(wire.azure.ca))
    )
    connection.set_tunnel(f"{wire.account}.blob.core.windows.net", 443)
    connection.putrequest("PUT", f"/data/short?{wire.sas}")
    for name, value in {"x-ms-blob-type": "BlockBlob", "Content-Length": "1000"}.items():
        connection.putheader(name, value)
    connection.endheaders(b"only these")
    connection.close()
    assert wire.code("GET", "/data/short") == (404, "BlobNotFound")
    wire("PUT", "/data/next", b"1", **BLOCK)  # the event loop has seen the disconnect by now
    assert len(set((wire.azure.cloud.directory / "blobs").iterdir()) - files) == 1


def test_errors_are_xml_at_the_blob_and_json_at_the_data_lake_endpoint(wire: Wire) -> None:
    _, headers, body = wire("GET", "/data/absent", x_ms_client_request_id="mine")
    error = Xml.fromstring(body)
    assert (error.tag, error.findtext("Code"), headers["content-type"]) == ("Error", "BlobNotFound", "application/xml")
    assert headers["x-ms-request-id"] in (error.findtext("Message") or "")
    assert (headers["x-ms-version"], headers["x-ms-client-request-id"]) == ("2023-11-03", "mine")
    status, headers, body = wire("GET", "/data/absent", service="dfs")
    assert (status, json.loads(body)["error"]["code"]) == (404, "PathNotFound")
    assert headers["x-ms-error-code"] == "PathNotFound"


HOSTILE = [
    *("../up", "a/../../up", "./a", "a/./b", "..", "a\x00b", "a\nb", "\x7f", "a" * 1025),
    *("/etc/passwd", "//etc/passwd", "a\\..\\b", "%2e%2e/up", "CON", "a:b", "a" * 1024),
    *("ä/ö\U0001f600", "a b", "a?b#c", "a+b&c=d", "\ufffe\uffff", "<&\"'>"),
]
REFUSED = set(HOSTILE[:9])


@pytest.mark.parametrize("name", HOSTILE, ids=[ascii(name)[:20] for name in HOSTILE])
def test_hostile_names_stay_inside(wire: Wire, name: str) -> None:
    before = _outside(wire.azure.cloud.directory)
    path = "/data/" + "".join(f"%{byte:02X}" for byte in name.encode())
    status, headers, _ = wire("PUT", path, name.encode(), **BLOCK)
    if name in REFUSED:
        assert (status, headers["x-ms-error-code"]) in {(400, "InvalidUri"), (400, "OutOfRangeInput")}
    else:
        assert status == 201
        assert wire("GET", path)[2] == name.encode()
        listed = wire("GET", "/data?restype=container&comp=list&include=metadata")[2]
        found = [one.find("Name") for one in Xml.fromstring(listed).iter("Blob")]
        assert name in {_decoded(one) for one in found if one is not None}
    assert _outside(wire.azure.cloud.directory) == before


def _decoded(element: Xml.Element) -> str:
    text = element.text or ""
    return unquote(text) if element.get("Encoded") == "true" else text


def _outside(directory: Path) -> set[Path]:
    """All files but blobs' own, which have generated names."""
    return {
        path
        for path in [*directory.rglob("*"), *directory.parent.glob("*")]
        if path.parent != directory / "blobs" and not path.name.startswith("azure.db")
    }


def test_a_path_that_is_no_utf_8(wire: Wire) -> None:
    assert wire.code("PUT", "/data/%ff%fe", b"1", **BLOCK) == (400, "InvalidUri")


def test_overridden_response_headers_cannot_smuggle_lines(wire: Wire) -> None:
    _, headers, _ = wire("GET", "/data/a?rsct=text/x%0d%0aSet-Cookie:a")
    assert "set-cookie" not in headers
    assert headers["content-type"] == "text/xSet-Cookie:a"
