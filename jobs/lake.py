"""Input files to the team's data lake, uploaded only where they are absent or differ."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from contract import DatastoreOutput

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.storage.filedatalake import FileSystemClient


LAKE = "AzureDataLakeGen2"
"""Kind of the datastores whose files are reached from here."""


@contextmanager
def opened(datastore: DatastoreOutput, credential: TokenCredential) -> Iterator[FileSystemClient]:
    """Open the file system of a datastore of kind LAKE."""
    from azure.storage.filedatalake import DataLakeServiceClient  # noqa: PLC0415 - slow to import

    account = f"https://{datastore.account}.dfs.core.windows.net"
    with (
        DataLakeServiceClient(account, credential=credential) as service,
        service.get_file_system_client(datastore.container) as files,
    ):
        yield files


def upload(source: Path, datastore: DatastoreOutput, path: str, credential: TokenCredential) -> bool:
    """Bring a file to a path of the datastore's file system; readers see the old content or the new, never a part.

    The lake keeps a file's MD5 with it, so equal content is recognised without reading it.

    Args:
        source: The local file.
        datastore: An AzureDataLakeGen2 datastore.
        path: Path in its file system, without a leading slash.
        credential: Someone who may write there.

    Returns:
        Whether the file was uploaded; False where the lake has it already.

    Raises:
        HttpResponseError: The lake does not exist or may not be written.
    """
    from azure.core.exceptions import ResourceModifiedError, ResourceNotFoundError  # noqa: PLC0415
    from azure.storage.filedatalake import ContentSettings  # noqa: PLC0415

    content = source.read_bytes()
    digest = hashlib.md5(content, usedforsecurity=False).digest()
    with opened(datastore, credential) as files:
        if _is_there(files, path, len(content), digest):
            return False
        name = PurePosixPath(path)
        # named by its content: an upload that was cut off is written over by the next, and leaves nothing behind
        part = files.get_file_client(str(name.with_name(f".{name.name}.{digest.hex()}")))
        try:
            part.upload_data(content, overwrite=True, content_settings=ContentSettings(content_md5=bytearray(digest)))
        except ResourceModifiedError:
            # written, but the answer got lost, and the client's own second try found what the first had made
            if not _is_there(files, part.path_name, len(content), digest):
                raise
        try:
            part.rename_file(f"{datastore.container}/{path}")
        except ResourceNotFoundError:
            # renamed, but the answer got lost, and the client's own second try found nothing to rename
            if not _is_there(files, path, len(content), digest):
                raise
    return True


def _is_there(files: FileSystemClient, path: str, size: int, digest: bytes) -> bool:
    from azure.core.exceptions import ResourceNotFoundError  # noqa: PLC0415

    try:
        there = files.get_file_client(path).get_file_properties()
    except ResourceNotFoundError:
        return False
    return there.size == size and bytes(there.content_settings.content_md5 or b"") == digest
