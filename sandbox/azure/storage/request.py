"""A request to the Blob or Data Lake endpoint, taken apart."""

import base64
import binascii
import re
from functools import cached_property
from urllib.parse import unquote_to_bytes

from starlette.types import Receive, Scope

from sandbox.azure.front import request as front
from sandbox.azure.storage.conditions import Conditions
from sandbox.azure.storage.errors import StorageError

METADATA = "x-ms-meta-"
DIGEST = 16  # bytes of an MD5
VERSION = re.compile(r"\d{4}-\d{2}-\d{2}")


class Request(front.Request):
    """One request to a storage account.

    Attributes:
        service: `blob` or `dfs`, from the host.
        account: The account's name, from the host.
        query: Decoded parameters, names in lower case; empty before `parse`.
        metadata: The `x-ms-meta-` headers with their names as the client spells them.
    """

    query: dict[str, str] = {}  # noqa: RUF012 # `parse` sets each request's own

    def __init__(self, scope: Scope, receive: Receive) -> None:
        super().__init__(scope, receive)
        self.account, _, rest = self.host.partition(".")
        self.service = rest.partition(".")[0]
        self.query = {}

    @cached_property
    def metadata(self) -> dict[str, str]:
        """The `x-ms-meta-` headers by name, each spelled as the client first wrote it."""
        spelled = self.scope["state"].get("header_names") or [name for name, _ in self.scope["headers"]]
        prefix, names = METADATA.encode(), dict[str, str]()
        for (name, _), original in zip(self.scope["headers"], spelled, strict=True):
            if name.startswith(prefix):
                names.setdefault(name.decode("latin-1"), original.decode("latin-1"))
        return {original[len(METADATA) :]: self.headers[name] for name, original in names.items()}

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

    @cached_property
    def target(self) -> tuple[str, str]:
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

    async def body(self, most: int) -> bytes:
        """A small body, whole.

        Raises:
            StorageError: 411; 413 for more than `most` bytes.
        """
        return await self.read(self.length(most))

    def invalid_header(self, name: str) -> StorageError:
        """The refusal of a header's value, 400."""
        return StorageError("InvalidHeaderValue", details={"HeaderName": name, "HeaderValue": self.headers[name]})

    def invalid_query(self, name: str) -> StorageError:
        """The refusal of a query parameter that is wrong or missing, 400."""
        if name not in self.query:
            return StorageError("MissingRequiredQueryParameter", details={"QueryParameterName": name})
        details = {"QueryParameterName": name, "QueryParameterValue": self.query[name]}
        return StorageError("InvalidQueryParameterValue", details=details)

    def not_emulated(self, what: str) -> StorageError:
        """The refusal of what is not emulated, 501: clients do not try that again."""
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
