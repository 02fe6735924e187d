"""Blobs for callers in process: the runner's snapshots, logs and outputs, without HTTP and without authorization.

Call from the event loop, as the store requires. All raise `StorageError`: 404 for account, container or blob, 409.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

from sandbox.azure.cloud import Cloud
from sandbox.azure.storage.conditions import Conditions
from sandbox.azure.storage.container import BATCH, Blob
from sandbox.azure.storage.containers import opened

ANY = Conditions()
BINARY = "application/octet-stream"


def properties(cloud: Cloud, account: str, container: str, name: str) -> Blob | None:
    """The blob's properties, or None."""
    return opened(cloud, account, container).find(name)


def names(cloud: Cloud, account: str, container: str, prefix: str = "") -> Iterator[str]:
    """The names of the blobs that start with the prefix, directories left out."""
    place, start = opened(cloud, account, container), ""
    while True:
        entries, start = place.page(prefix, "", start, BATCH)
        yield from (entry.name for entry in entries if entry.blob is not None and not entry.blob.folder)
        if not start:
            return


def read(cloud: Cloud, account: str, container: str, name: str) -> bytes:
    """A small blob's content."""
    place = opened(cloud, account, container)
    blob = place.get(name)
    return b"".join(place.content.read(blob.segments, 0, blob.size))


def download(cloud: Cloud, account: str, container: str, name: str, target: Path) -> None:
    """Writes a blob's content to a file, whose folder must exist."""
    place = opened(cloud, account, container)
    blob = place.get(name)
    with target.open("wb") as file:
        file.writelines(place.content.read(blob.segments, 0, blob.size))


def write(
    cloud: Cloud,
    account: str,
    container: str,
    name: str,
    data: bytes | Path,
    *,
    content_type: str = BINARY,
    metadata: dict[str, str] | None = None,
) -> Blob:
    """Makes or replaces a block blob from bytes or a file."""
    place = opened(cloud, account, container)

    def fill(path: Path) -> None:
        if isinstance(data, Path):
            shutil.copyfile(data, path)
        else:
            path.write_bytes(data)

    with place.content.write(fill) as received:
        headers = {"content-type": content_type}
        return place.put(name, ANY, received.segments, headers=headers, metadata=metadata or {})


def append(cloud: Cloud, account: str, container: str, name: str, data: bytes) -> Blob:
    """Appends to an append blob, made if absent: a log, for one."""
    place = opened(cloud, account, container)
    blob = place.find(name)
    if blob is None:
        blob = place.put(name, ANY, [], blob_type="AppendBlob", headers={"content-type": "text/plain"})
    if not data:
        return blob
    with place.content.write(lambda path: path.write_bytes(data)) as received:
        return place.append(name, ANY, received)


def delete(cloud: Cloud, account: str, container: str, name: str) -> None:
    """Removes a blob."""
    opened(cloud, account, container).delete(name, ANY)
