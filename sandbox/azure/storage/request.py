"""A request to the Blob or Data Lake endpoint, taken apart."""

import base64
import binascii
import re
import uuid
from collections.abc import AsyncIterator
from urllib.parse import unquote_to_bytes

from starlette.requests import Request as HttpRequest
from starlette.types import Receive, Scope

from sandbox.azure.links import network_of
from sandbox.azure.storage.conditions import Conditions
from sandbox.azure.storage.errors import StorageError

METADATA = "x-ms-meta-"
DIGEST = 16  # bytes of an MD5
VERSION = re.compile(r"\d{4}-\d{2}-\d{2}")


class Request:
    """One request.

    Attributes:
        method: The verb.
        service: `blob` or `dfs`, from the host.
        account: The account's name, from the host.
        raw_path: The path as it was sent, percent-encoded.
        query: Decoded parameters, names in lower case.
        headers: By lowercased name; several of a name are joined by commas.
        metadata: The `x-ms-meta-` headers with their names as the client spells them.
        client: The client's IP address.
        network: Id of the network that the client is in; empty for the internet.
        id: The request's id.
    """

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._http = HttpRequest(scope, receive)
        self.method: str = scope["method"]
        host = self._http.headers.get("host", "").partition(":")[0].lower()
        self.account, _, rest = host.partition(".")
        self.service = rest.partition(".")[0]
        self.raw_path: str = scope["raw_path"].decode("latin-1")
        self.headers: dict[str, str] = {}
        self.metadata: dict[str, str] = {}
        spelled = scope["state"].get("header_names") or [name for name, _ in scope["headers"]]
        for (name, value), original in zip(scope["headers"], spelled, strict=True):
            self._add_header(name.decode("latin-1"), value.decode("latin-1").strip(), original.decode("latin-1"))
        self.client: str = scope["client"][0] if scope.get("client") else ""
        self.network = network_of(scope)
        self.id = str(uuid.uuid4())
        self.raw_query: str = scope["query_string"].decode("latin-1")
        self.query: dict[str, str] = {}

    def _add_header(self, name: str, value: str, original: str) -> None:
        self.headers[name] = f"{self.headers[name]},{value}" if name in self.headers else value
        if name.startswith(METADATA):
            key = next(
                (one for one in self.metadata if one.lower() == name[len(METADATA) :]), original[len(METADATA) :]
            )
            self.metadata[key] = self.headers[name]

    def parse(self) -> None:
        """Decodes the query.

        Raises:
            StorageError: 400 InvalidUri, or InvalidHeaderValue for the version.
        """
        for part in filter(None, self.raw_query.split("&")):
            name, _, value = part.partition("=")
            self.query[decode(name).lower()] = decode(value)
        version = self.headers.get("x-ms-version", "")
        if version and not VERSION.fullmatch(version):
            raise self.invalid_header("x-ms-version")

    @property
    def path(self) -> tuple[str, str]:
        """Container and blob or path; empty where the request names none.

        Raises:
            StorageError: 400 InvalidUri.
        """
        container, _, name = self.raw_path.lstrip("/").partition("/")
        return decode(container), decode(name)

    @property
    def version(self) -> str:
        """The service version asked for; empty where none is."""
        return self.headers.get("x-ms-version", "")

    @property
    def conditions(self) -> Conditions:
        """Its conditional headers."""
        return Conditions.of(self.headers)

    @property
    def source_conditions(self) -> Conditions:
        """Its conditional headers about a copy's or rename's source."""
        return Conditions.of(self.headers, "x-ms-source-")

    def number(self, name: str, default: int | None = None) -> int | None:
        """A whole number of the query, not negative.

        Raises:
            StorageError: 400 InvalidQueryParameterValue.
        """
        text = self.query.get(name)
        if text is None:
            return default
        if not re.fullmatch(r"\d{1,18}", text):
            raise StorageError(
                "InvalidQueryParameterValue", details={"QueryParameterName": name, "QueryParameterValue": text}
            )
        return int(text)

    def number_header(self, name: str) -> int | None:
        """A whole number of a header, not negative.

        Raises:
            StorageError: 400 InvalidHeaderValue.
        """
        text = self.headers.get(name)
        if text is None:
            return None
        if not re.fullmatch(r"\d{1,18}", text):
            raise self.invalid_header(name)
        return int(text)

    def digest_header(self, name: str) -> bytes | None:
        """An MD5 in a header.

        Raises:
            StorageError: 400 InvalidMd5.
        """
        text = self.headers.get(name)
        if text is None:
            return None
        try:
            digest = base64.b64decode(text, validate=True)
        except binascii.Error:
            digest = b""
        if len(digest) != DIGEST:
            raise StorageError("InvalidMd5")
        return digest

    def length(self, most: int) -> int:
        """The body's length in bytes.

        Raises:
            StorageError: 411 where it is not said, 413 for more than `most`.
        """
        length = self.number_header("content-length")
        if length is None:
            raise StorageError("MissingContentLengthHeader")
        if length > most:
            raise StorageError("RequestBodyTooLarge", details={"MaxLimit": str(most)})
        return length

    def stream(self) -> AsyncIterator[bytes]:
        """The body as it comes."""
        return self._http.stream()

    async def body(self, most: int) -> bytes:
        """A small body, whole.

        Raises:
            StorageError: 411; 413 for more than `most` bytes.
        """
        self.length(most)
        return await self._http.body()

    def invalid_header(self, name: str) -> StorageError:
        """400 for a header's value."""
        return StorageError("InvalidHeaderValue", details={"HeaderName": name, "HeaderValue": self.headers[name]})

    def invalid_query(self, name: str) -> StorageError:
        """400 for a query parameter's value, or for its absence."""
        if name not in self.query:
            return StorageError("MissingRequiredQueryParameter", details={"QueryParameterName": name})
        details = {"QueryParameterName": name, "QueryParameterValue": self.query[name]}
        return StorageError("InvalidQueryParameterValue", details=details)

    def not_emulated(self, what: str) -> StorageError:
        """501, which no client tries again."""
        return StorageError("NotImplemented", f"The sandbox does not emulate {what} ({self.method} {self.raw_path}).")


def decode(text: str) -> str:
    """Percent-decoded UTF-8.

    Raises:
        StorageError: 400 InvalidUri.
    """
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError as error:
        raise StorageError("InvalidUri") from error
