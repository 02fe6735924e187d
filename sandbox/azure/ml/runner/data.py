"""A job's inputs and outputs: files between a storage account and the run's folder, and nowhere else."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath

from sandbox.azure.ml.access import Place
from sandbox.azure.storage.authorization import LIST, READ, WRITE
from sandbox.azure.storage.blobs import ANY
from sandbox.azure.storage.container import BATCH, Blob
from sandbox.azure.storage.content import CHUNK
from sandbox.azure.storage.errors import StorageError


class DataError(Exception):
    """An input or output cannot be moved; the message says which and why."""


async def fetch_file(place: Place, folder: Path) -> Path:
    """Copies one blob into a folder.

    Returns:
        The file.

    Raises:
        AccessError, DataError: With the reason.
    """
    place.require(READ, place.path)
    blob = place.container.find(place.path)
    if blob is None or blob.folder:
        kind = "is a folder" if blob is not None or any(_below(place)) else "does not exist"
        raise DataError(f"The file {place.words} {kind}.")
    target = inside(folder, PurePosixPath(place.path).name)
    await _download(place, blob, target)
    return target


async def fetch_folder(place: Place, folder: Path) -> int:
    """Copies all blobs below a path into a folder; gives their number.

    Raises:
        AccessError, DataError: With the reason.
    """
    place.require(LIST, place.path)
    place.require(READ, place.path)
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for name, blob in list(_below(place)):
        relative = name[len(place.path) :].lstrip("/")
        await _download(place, blob, inside(folder, relative))
        count += 1
    if not count:
        raise DataError(f"The folder {place.words} does not exist or is empty.")
    return count


def copy_placed(source: Path, folder: Path, *, is_file: bool) -> Path:
    """Copies what stands for a public file or folder; gives the copy.

    Raises:
        DataError: It is a folder where a file is wanted, or the reverse.
    """
    if source.is_file() != is_file:
        raise DataError(f"'{source.name}' of the public container is a {'folder' if is_file else 'file'}.")
    if is_file:
        return shutil.copyfile(source, inside(folder, source.name))
    return shutil.copytree(source, folder)


def names_below(place: Place) -> Iterator[str]:
    """Paths of the files below a place's path, from there on."""
    return (name[len(place.path) :].lstrip("/") for name, _ in _below(place))


def _below(place: Place) -> Iterator[tuple[str, Blob]]:
    """Names and properties of the files below a place's path."""
    prefix, start = f"{place.path}/" if place.path else "", ""
    while True:
        entries, start = place.container.page(prefix, "", start, BATCH)
        yield from ((one.name, one.blob) for one in entries if one.blob is not None and not one.blob.folder)
        if not start:
            return


def inside(folder: Path, relative: str) -> Path:
    """A path in a folder, whose parents are made.

    Raises:
        DataError: It would lie outside, or cannot be a file's name here.
    """
    parts = PurePosixPath(relative).parts
    target = folder.joinpath(*parts)
    if not parts or ".." in parts or "\0" in relative or PurePosixPath(relative).is_absolute():
        raise DataError(f"'{relative}' is no name of a file in the run's folder.")
    if not target.parent.resolve().is_relative_to(folder.resolve()):
        raise DataError(f"'{relative}' leads out of the run's folder.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"'{relative}' is a file's name and a folder's at once.") from error
    return target


async def _download(place: Place, blob: Blob, target: Path) -> None:
    content = place.container.content

    def copy() -> None:
        # O_EXCL: a new file, whatever a link may say
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        with os.fdopen(handle, "wb") as file:
            file.writelines(content.read(blob.segments, 0, blob.size))

    with content.reading(blob.segments):
        try:
            await asyncio.to_thread(copy)
        except FileExistsError as error:
            raise DataError(f"'{target.name}' is there twice.") from error


async def upload_folder(
    folder: Path, place: Place, warn: Callable[[str], None], only: Iterable[Path] | None = None
) -> int:
    """Copies the files of a folder below a place's path, all of them or only some; gives their number.

    A symbolic link is followed within the folder; one that leads out of it is left out, with a warning.

    Raises:
        AccessError, DataError: With the reason.
    """
    count = 0
    if folder.is_symlink():
        warn(f"Left out {folder.name}: a link in the place of the folder.")
        return count
    root = folder.resolve()
    for path in sorted(folder.rglob("*")) if only is None else only:
        if not path.resolve().is_relative_to(root):
            warn(f"Left out {path.relative_to(folder)}: a link that leads out of the output's folder.")
            continue
        if not path.is_file():
            continue
        await upload_file(path, place, path.relative_to(folder).as_posix())
        count += 1
    return count


async def upload_file(path: Path, place: Place, relative: str) -> None:
    """Copies a file to a name below a place's path.

    Raises:
        AccessError, DataError: With the reason.
    """
    name = "/".join(part for part in (place.path, relative) if part)
    place.require(WRITE, name)
    try:
        async with place.container.content.receive(_chunks(path)) as received:
            headers = {"content-type": "application/octet-stream"}
            place.container.put(name, ANY, received.segments, headers=headers)
    except StorageError as error:
        raise DataError(f"'{relative}' cannot be written to {place.words}: {error.code}.") from error


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while data := await asyncio.to_thread(file.read, CHUNK):
            yield data
