"""The names that containers and blobs may have, and how their keys in the store sort.

Source: learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata.
"""

import re

from sandbox.azure.storage.errors import StorageError

CONTAINER = re.compile(r"[a-z0-9](-?[a-z0-9])*")
SYSTEM_CONTAINERS = ("$root", "$web", "$logs")
METADATA = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
LONGEST = 1024  # characters of a blob's name
LAST_CHARACTER = 0x10FFFF
SURROGATES = range(0xD800, 0xE000)  # code points that are no characters
LENGTH = "The specified resource name length is not within the permissible limits."
MAX_METADATA = 8192  # bytes of names and values


def check_container(name: str) -> None:
    """Refuses a container's name.

    Raises:
        StorageError: OutOfRangeInput for its length (3 to 63), InvalidResourceName for its characters.
    """
    if name in SYSTEM_CONTAINERS:
        return
    if not 3 <= len(name) <= 63:  # noqa: PLR2004
        raise StorageError("OutOfRangeInput", LENGTH)
    if not CONTAINER.fullmatch(name):
        raise StorageError("InvalidResourceName")


def check_blob(name: str, *, hierarchical: bool) -> None:
    """Refuses a blob's or path's name: too long, with control characters, with `.` or `..` for a segment.

    Raises:
        StorageError: InvalidUri, or OutOfRangeInput for its length.
    """
    if len(name) > LONGEST:
        raise StorageError("OutOfRangeInput", LENGTH)
    parts = name.split("/")
    if not name or CONTROL.search(name) or any(part in {".", ".."} for part in parts):
        raise StorageError("InvalidUri")
    if hierarchical and not all(parts):
        raise StorageError("InvalidUri")


def check_metadata(metadata: dict[str, str]) -> None:
    """Refuses metadata whose names are no identifiers, or that is larger than 8 KB.

    Raises:
        StorageError: EmptyMetadataKey, InvalidMetadata or MetadataTooLarge.
    """
    for name, value in metadata.items():
        if not name:
            raise StorageError("EmptyMetadataKey")
        if not METADATA.fullmatch(name) or CONTROL.search(value):
            raise StorageError("InvalidMetadata")
    if sum(len(name) + len(value.encode()) for name, value in metadata.items()) > MAX_METADATA:
        raise StorageError("MetadataTooLarge")


def after(prefix: str) -> str:
    """The least string above all that start with the (non-empty) prefix, in the store's order: by code point."""
    last = ord(prefix[-1])
    if last == LAST_CHARACTER:
        return after(prefix[:-1])
    return prefix[:-1] + chr(SURROGATES.stop if last + 1 in SURROGATES else last + 1)
