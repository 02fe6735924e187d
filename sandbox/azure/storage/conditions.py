"""Conditional headers: If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since.

Source: learn.microsoft.com/rest/api/storageservices/specifying-conditional-headers-for-blob-service-operations.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Protocol

from sandbox.azure.storage.errors import StorageError


class Versioned(Protocol):
    """Something with an ETag and a time of change."""

    @property
    def etag(self) -> str:
        """The entity tag, which changes with every write."""

    @property
    def modified(self) -> int:
        """Seconds since 1970."""


@dataclass(frozen=True)
class Conditions:
    """A request's conditions.

    Attributes:
        match: ETags one of which must be the current one, or `*`; empty for no condition.
        none_match: ETags none of which may be the current one, or `*`.
        modified_since: Seconds since 1970; the resource must have changed after.
        unmodified_since: Seconds since 1970; the resource must not have changed after.
    """

    match: frozenset[str] = frozenset()
    none_match: frozenset[str] = frozenset()
    modified_since: int | None = None
    unmodified_since: int | None = None

    @classmethod
    def of(cls, headers: Mapping[str, str], prefix: str = "") -> "Conditions":
        """The conditions in the headers; `x-ms-source-` is the prefix of those about a source.

        Raises:
            StorageError: 400 InvalidHeaderValue for a date that is none.
        """
        return cls(
            _tags(headers.get(prefix + "if-match")),
            _tags(headers.get(prefix + "if-none-match")),
            _date(headers.get(prefix + "if-modified-since")),
            _date(headers.get(prefix + "if-unmodified-since")),
        )

    def check_write(self, current: Versioned | None, exists: str = "ConditionNotMet") -> None:
        """Refuses a write; `exists` is the code where `If-None-Match: *` meets an existing resource.

        Raises:
            StorageError: 412, or 409 with `exists`.
        """
        if current is not None and "*" in self.none_match:
            raise StorageError(exists)
        if self._unmatched(current) or (current is not None and (self._seen(current) or self._unchanged(current))):
            raise StorageError("ConditionNotMet")

    def check_read(self, current: Versioned) -> None:
        """Refuses a read.

        Raises:
            StorageError: 412, or 304 where the caller has the current version.
        """
        if self._unmatched(current):
            raise StorageError("ConditionNotMet")
        if self._seen(current) or self._unchanged(current):
            raise StorageError("ConditionNotMet", status=304)

    def check_source(self, current: Versioned) -> None:
        """Refuses a source that does not meet the conditions about it.

        Raises:
            StorageError: 412 SourceConditionNotMet.
        """
        if self._unmatched(current) or self._seen(current) or self._unchanged(current):
            raise StorageError("SourceConditionNotMet")

    def _unmatched(self, current: Versioned | None) -> bool:
        if current is None:
            return bool(self.match)
        if self.match and not self.match & {"*", current.etag.strip('"')}:
            return True
        return self.unmodified_since is not None and current.modified > self.unmodified_since

    def _seen(self, current: Versioned) -> bool:
        return bool(self.none_match & {"*", current.etag.strip('"')})

    def _unchanged(self, current: Versioned) -> bool:
        return self.modified_since is not None and current.modified <= self.modified_since


def _tags(value: str | None) -> frozenset[str]:
    return frozenset(tag.strip().removeprefix("W/").strip('"') for tag in (value or "").split(",") if tag.strip())


def _date(value: str | None) -> int | None:
    if value is None:
        return None
    try:
        return int(parsedate_to_datetime(value).timestamp())
    except ValueError as error:
        raise StorageError("InvalidHeaderValue", details={"HeaderValue": value}) from error
