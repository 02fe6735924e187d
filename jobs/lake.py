"""Input files to the team's data lake, uploaded only where they are absent or differ."""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from jobs.outputs import Datastore

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential


def upload(source: Path, datastore: Datastore, path: str, credential: TokenCredential) -> bool:
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
    from azure.core.exceptions import ResourceNotFoundError  # noqa: PLC0415
    from azure.storage.filedatalake import ContentSettings, DataLakeServiceClient  # noqa: PLC0415

    content = source.read_bytes()
    digest = hashlib.md5(content, usedforsecurity=False).digest()
    service = DataLakeServiceClient(f"https://{datastore.account}.dfs.core.windows.net", credential=credential)
    with service, service.get_file_system_client(datastore.container) as files:
        try:
            there = files.get_file_client(path).get_file_properties()
            if there.size == len(content) and bytes(there.content_settings.content_md5 or b"") == digest:
                return False
        except ResourceNotFoundError:
            pass
        name = PurePosixPath(path)
        # named by its content: an upload that was cut off is written over by the next, and leaves nothing behind
        part = files.get_file_client(str(name.with_name(f".{name.name}.{digest.hex()}")))
        part.upload_data(content, overwrite=True, content_settings=ContentSettings(content_md5=bytearray(digest)))
        part.rename_file(f"{datastore.container}/{path}")
    return True
