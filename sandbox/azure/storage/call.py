"""One authenticated request and how it is answered; what the Blob and the Data Lake endpoint share."""

import base64
import hashlib
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from sandbox.azure.cloud import Cloud
from sandbox.azure.storage import access, accounts
from sandbox.azure.storage.accounts import Account
from sandbox.azure.storage.authorization import MOVE, READ, Grant, Right, authenticate
from sandbox.azure.storage.container import Blob, Container
from sandbox.azure.storage.content import Received
from sandbox.azure.storage.errors import StorageError
from sandbox.azure.storage.names import CONTROL
from sandbox.azure.storage.request import METADATA, Request

PROPERTIES = (
    "cache-control",
    "content-type",
    "content-md5",
    "content-encoding",
    "content-language",
    "content-disposition",
)
MAX_RANGE_MD5 = 4 * 1024 * 1024  # bytes
SOON = 4 * 1024 * 1024  # bytes of an answer that is sent whether or not its client has gone
RANGE = re.compile(r"bytes=(\d+)-(\d*)")
UNSUPPORTED = (
    "x-ms-structured-body",
    "x-ms-content-crc64",
    "x-ms-encryption-key",
    "x-ms-encryption-scope",
    "x-ms-lease-id",
    "x-ms-tags",
    "x-ms-if-tags",
    "x-ms-immutability-policy-mode",
    "x-ms-legal-hold",
)
"""Headers that change what an operation does, in ways that are not emulated; ignoring them would deceive."""


@dataclass(frozen=True)
class Call:
    """A request of an authenticated caller."""

    cloud: Cloud
    account: Account
    request: Request
    grant: Grant

    def container(self, right: Right) -> Container:
        """The request's container, if the caller has the right to the request's path in it.

        Raises:
            StorageError: 403 and others.
        """
        container, path = self.request.target
        self.grant.require(right, container, path)
        return Container(self.cloud, self.account, container, self.grant.owner)

    def may(self, right: Right, path: str) -> bool:
        """Whether the caller has a right to another path of the request's container."""
        try:
            self.grant.require(right, self.request.target[0], path)
        except StorageError:
            return False
        return True

    @property
    def path(self) -> str:
        """The request's blob or path."""
        return self.request.target[1]

    def check_headers(self) -> None:
        """Refuses what would change the operation and is not emulated.

        Raises:
            StorageError: 501.
        """
        for name in UNSUPPORTED:
            if name in self.request.headers:
                raise self.request.not_emulated(f"the header {name}")

    def check_digest(self, received: Received) -> None:
        """Compares the body with the digest that came with it.

        Raises:
            StorageError: 400 Md5Mismatch or InvalidMd5.
        """
        given = self.request.digest_header("content-md5")
        if given is not None and given != received.md5:
            raise StorageError("Md5Mismatch")

    def properties(self, prefix: str, default_type: str = "application/octet-stream") -> dict[str, str]:
        """The blob's standard headers as the request sets them with a prefix; the content type has a default."""
        headers = {name: self.request.headers.get(prefix + name, "") for name in PROPERTIES}
        headers["content-type"] = headers["content-type"] or default_type
        return {name: value for name, value in headers.items() if value}

    def source(self, url: str) -> tuple[Container, str]:
        """The container and blob that a copy reads, if the caller may read it.

        Args:
            url: The source's, with its own SAS where it has one.

        Raises:
            StorageError: 403, or 404 CannotVerifyCopySource for what is not in the sandbox.
        """
        parts = urlsplit(url)
        headers = {"host": parts.netloc, "x-ms-version": self.request.version}
        own = self.request.headers.get("x-ms-copy-source-authorization")
        if own:
            headers["authorization"] = own
        other = self._other(parts.path, parts.query, headers)
        account = accounts.find(self.cloud, other.account)
        if account is None or other.service not in {"blob", "dfs"}:
            raise StorageError("CannotVerifyCopySource")
        self._as(other, account, own=bool(own)).require(READ, *other.target)
        return Container(self.cloud, account, other.target[0]), other.target[1]

    def rename_source(self) -> tuple[Container, str]:
        """The container and path that a rename moves, if the caller may: `/FILESYSTEM/PATH[?SAS]` in the same account.

        Raises:
            StorageError: 400 InvalidSourceUri; 403.
        """
        path, _, query = self.request.headers["x-ms-rename-source"].partition("?")
        other = self._other(path, query, {"host": self.request.headers["host"], "x-ms-version": self.request.version})
        filesystem, name = other.target
        name = name.strip("/")
        if not filesystem or not name:
            raise StorageError("InvalidSourceUri")
        self._as(other, self.account, own=False).require(MOVE, filesystem, name)
        return Container(self.cloud, self.account, filesystem), name

    def _other(self, path: str, query: str, headers: dict[str, str]) -> Request:
        """A request for a source, as its client could send it."""
        scope = {
            "type": "http",
            "method": "GET",
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": (self.request.client, 0),
            "state": {},
        }
        other = Request(scope, _nothing)
        other.parse()
        return other

    def _as(self, other: Request, account: Account, *, own: bool) -> Grant:
        """The grant that reads the source: its own SAS or token; in the same account, else this request's."""
        if own or "sig" in other.query or account.name != self.account.name:
            return authenticate(self.cloud, account, other)
        return self.grant


async def _nothing() -> Any:
    return {"type": "http.disconnect"}


@lru_cache(maxsize=4096)
def date(seconds: int) -> str:
    """A time in the form of HTTP headers."""
    return formatdate(seconds, usegmt=True)


class _Spelled(bytes):
    """A header's name whose case the HTTP server leaves alone."""

    def lower(self) -> "_Spelled":
        return self


def spell(response: Response, headers: Mapping[str, str]) -> Response:
    """The response with metadata names as the client spelled them."""
    names = {
        name.lower().encode("latin-1"): _Spelled(name.encode("latin-1"))
        for name in headers
        if name.startswith(METADATA)
    }
    response.raw_headers = [(names.get(name, name), value) for name, value in response.raw_headers]
    return response


def blob_headers(call: Call, blob: Blob) -> dict[str, str]:
    """The headers that answer a HEAD of a blob, file or directory."""
    headers = {
        "etag": blob.etag,
        "last-modified": date(blob.modified),
        "x-ms-creation-time": date(blob.created),
        "accept-ranges": "bytes",
        "content-length": str(blob.size),
        "x-ms-blob-type": blob.type,
        "x-ms-lease-status": "unlocked",
        "x-ms-lease-state": "available",
        "x-ms-server-encrypted": "true",
        "x-ms-access-tier": blob.tier or "Hot",
        **blob.headers,
        **blob.copied,
        **{METADATA + name: value for name, value in blob.metadata.items()},
    }
    if not blob.tier:
        headers["x-ms-access-tier-inferred"] = "true"
    if blob.type == "AppendBlob":
        headers["x-ms-blob-committed-block-count"] = str(blob.appends)
    if call.account.hierarchical or call.request.service == "dfs":
        headers["x-ms-resource-type"] = "directory" if blob.folder else "file"
    if blob.directory:
        headers["x-ms-meta-hdi_isfolder"] = "true"
    if blob.access:
        headers |= access_headers(blob)
    return headers


def access_headers(blob: Blob) -> dict[str, str]:
    """Owner, group, permissions and ACL."""
    return {
        "x-ms-owner": blob.access["owner"],
        "x-ms-group": blob.access["group"],
        "x-ms-permissions": access.permissions(blob.access["acl"]),
        "x-ms-acl": blob.access["acl"],
    }


def version_headers(blob: Blob) -> dict[str, str]:
    """The headers that answer a write."""
    return {"etag": blob.etag, "last-modified": date(blob.modified), "x-ms-request-server-encrypted": "true"}


def read_blob(call: Call, container: Container, blob: Blob) -> Response:
    """The answer to a GET: the whole content or a range of it.

    Raises:
        StorageError: 416 InvalidRange, 400 for a range of more than 4 MiB whose MD5 is asked for.
    """
    headers = blob_headers(call, blob)
    for parameter, name in (("rscc", "cache-control"), ("rscd", "content-disposition"), ("rsce", "content-encoding"),
                            ("rscl", "content-language"), ("rsct", "content-type")):  # fmt: skip
        if parameter in call.request.query:
            headers[name] = CONTROL.sub("", call.request.query[parameter])
    asked = _range(call.request, blob.size)
    if asked is None:
        return spell(Content(container, blob, (0, blob.size), headers=headers), headers)
    start, length = asked
    headers["content-range"] = f"bytes {start}-{start + length - 1}/{blob.size}"
    headers["content-length"] = str(length)
    digest = headers.pop("content-md5", None)
    if digest:
        headers["x-ms-blob-content-md5"] = digest
    if call.request.headers.get("x-ms-range-get-content-md5", "").lower() == "true":
        if length > MAX_RANGE_MD5:
            raise StorageError("OutOfRangeInput")
        content = b"".join(container.content.read(blob.segments, start, length))
        headers["content-md5"] = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
    return spell(Content(container, blob, asked, status_code=206, headers=headers), headers)


def _range(request: Request, size: int) -> tuple[int, int] | None:
    """First byte and number of bytes asked for; None for all."""
    name = "x-ms-range" if "x-ms-range" in request.headers else "range"
    text = request.headers.get(name)
    if text is None:
        return None
    match = RANGE.fullmatch(text)
    if match is None:
        if name == "range":  # RFC 9110, 14.2: a server may ignore it
            return None
        raise request.invalid_header(name)
    start, last = int(match[1]), int(match[2] or size)
    if last < start and match[2]:
        raise request.invalid_header(name)
    if start >= size:
        raise StorageError("InvalidRange", headers={"content-range": f"bytes */{size}"})
    return start, min(last, size - 1) - start + 1


class Content(StreamingResponse):
    """A blob's bytes, read while they are sent; the blob may be overwritten or deleted meanwhile."""

    def __init__(self, container: Container, blob: Blob, part: tuple[int, int], **answer: Any) -> None:
        self._container, self._blob, self._length = container, blob, part[1]
        super().__init__(_sent(container.content.read(blob.segments, *part)), **answer)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the content; nobody listens whether the client is still there where it is soon sent."""
        with self._container.content.reading(self._blob.segments):
            if self._length <= SOON:
                await self.stream_response(send)
            else:
                await super().__call__(scope, receive, send)


async def _sent(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
