"""The Blob endpoint's XML: what it reads and what it lists."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any
from xml.parsers.expat import ExpatError, ParserCreate
from xml.sax.saxutils import escape, quoteattr

from sandbox.azure.storage.container import Blob, Block, Entry
from sandbox.azure.storage.errors import StorageError

HEAD = '<?xml version="1.0" encoding="utf-8"?>'
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # XML 1.0 has no way to write these
TEXT_DEPTH = 2  # the root's children have the text
SHOWN = {
    "Creation-Time": "x-ms-creation-time",
    "Last-Modified": "last-modified",
    "Etag": "etag",
    "ResourceType": "x-ms-resource-type",
    "Content-Length": "content-length",
    "Content-Type": "content-type",
    "Content-Encoding": "content-encoding",
    "Content-Language": "content-language",
    "Content-MD5": "content-md5",
    "Cache-Control": "cache-control",
    "Content-Disposition": "content-disposition",
    "BlobType": "x-ms-blob-type",
    "AccessTier": "x-ms-access-tier",
    "AccessTierInferred": "x-ms-access-tier-inferred",
    "LeaseStatus": "x-ms-lease-status",
    "LeaseState": "x-ms-lease-state",
    "ServerEncrypted": "x-ms-server-encrypted",
    "Owner": "x-ms-owner",
    "Group": "x-ms-group",
    "Permissions": "x-ms-permissions",
    "Acl": "x-ms-acl",
}
"""A blob's properties in a listing, by the header of a HEAD that has the same."""


def parse(body: bytes, root: str) -> list[tuple[str, str]]:
    """Name and text of the root's children, in order.

    Raises:
        StorageError: 400 InvalidXmlDocument for what is no XML, has another root, a document type or deeper elements.
    """
    elements: list[tuple[str, str]] = []
    path: list[str] = []

    def start(name: str, _: Any) -> None:
        path.append(name)
        if path[0] != root or len(path) > TEXT_DEPTH:
            raise StorageError("InvalidXmlDocument")
        if len(path) == TEXT_DEPTH:
            elements.append((name, ""))

    def text(data: str) -> None:
        if len(path) == TEXT_DEPTH:
            name, before = elements[-1]
            elements[-1] = (name, before + data)

    def refuse(*_: Any) -> None:
        raise StorageError("InvalidXmlDocument")

    parser = ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.CharacterDataHandler = start, text
    parser.EndElementHandler = lambda _: path.pop()
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(body, True)
    except (ExpatError, ValueError, LookupError) as error:
        raise StorageError("InvalidXmlDocument") from error
    return elements


@lru_cache(maxsize=1024)
def element(name: str, value: object) -> str:
    """An element with text; nothing for None. Kept, as most blobs of a listing have the same values."""
    return "" if value is None else f"<{name}>{escape(FORBIDDEN.sub('', str(value)))}</{name}>"


def _name(name: str) -> str:
    """A blob's name; what XML cannot hold is percent-encoded, as the service marks it."""
    if "\ufffe" not in name and "\uffff" not in name:
        return element("Name", name)
    encoded = name.replace("%", "%25").replace("\ufffe", "%EF%BF%BE").replace("\uffff", "%EF%BF%BF")
    return f'<Name Encoded="true">{escape(encoded)}</Name>'


def block_list(committed: Iterable[Block] | None, uncommitted: Iterable[Block] | None) -> str:
    """Get Block List's answer; None leaves a part out."""
    parts = (("CommittedBlocks", committed), ("UncommittedBlocks", uncommitted))
    body = "".join(
        f"<{name}>{''.join(_block(block) for block in blocks)}</{name}>" for name, blocks in parts if blocks is not None
    )
    return f"{HEAD}<BlockList>{body}</BlockList>"


def _block(block: Block) -> str:
    return f"<Block>{element('Name', block.id)}{element('Size', block.size)}</Block>"


def listing(endpoint: str, container: str | None, echoed: dict[str, str | None], items: str, following: str) -> str:
    """A listing's frame.

    Args:
        endpoint: The account's address.
        container: The listed container; None for a listing of containers.
        echoed: The request's parameters by element.
        items: The rendered entries with the element around them.
        following: The marker of the next page; empty where nothing is left.
    """
    named = f" ContainerName={quoteattr(container)}" if container is not None else ""
    head = "".join(element(name, value) for name, value in echoed.items())
    return (
        f"{HEAD}<EnumerationResults ServiceEndpoint={quoteattr(endpoint)}{named}>{head}{items}"
        f"<NextMarker>{escape(following)}</NextMarker></EnumerationResults>"
    )


def blob_entry(entry: Entry, headers: dict[str, str], *, metadata: bool) -> str:
    """A blob or a common prefix in a listing; `headers` are those of a HEAD."""
    if entry.prefix:
        return f"<BlobPrefix>{_name(entry.name)}</BlobPrefix>"
    headers["etag"] = headers["etag"].strip('"')  # listings have it without quotation marks
    properties = "".join([element(name, headers[header]) for name, header in SHOWN.items() if header in headers])
    shown = f"<Metadata>{_metadata(entry.blob)}</Metadata>" if metadata and entry.blob else ""
    return f"<Blob>{_name(entry.name)}<Properties>{properties}</Properties>{shown}<OrMetadata /></Blob>"


def _metadata(blob: Blob) -> str:
    folder = {"hdi_isfolder": "true"} if blob.directory else {}
    return "".join(element(name, value) for name, value in {**blob.metadata, **folder}.items())


def container_entry(name: str, properties: dict[str, str], metadata: dict[str, str] | None) -> str:
    """A container in a listing."""
    shown = "".join(element(key, value) for key, value in properties.items())
    extra = "" if metadata is None else "".join(element(key, value) for key, value in metadata.items())
    return (
        f"<Container>{element('Name', name)}<Properties>{shown}</Properties>"
        + (f"<Metadata>{extra}</Metadata>" if metadata is not None else "")
        + "</Container>"
    )
