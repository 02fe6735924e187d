"""Blobs' bytes: files with generated names in one folder, so that no blob's name ever becomes a path.

A body is received into a temporary file, renamed when it is complete, and named in the store after that: what the
store names is whole. A file that is no longer named goes when its last reader is done; what a killed sandbox left
behind goes at the next start.
"""

import hashlib
import os
import uuid
from collections import Counter
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

CHUNK = 1024 * 1024  # bytes read at a time
PARTIAL = ".part"


class Segment(NamedTuple):
    """A piece of a blob.

    Attributes:
        file: The name of the file that holds it, from its first byte on.
        size: Its length in bytes; the file may be longer.
        block: The id of the block it was staged as; empty for other pieces.
    """

    file: str
    size: int
    block: str = ""


@dataclass(frozen=True)
class Received:
    """A complete body on disk."""

    file: str
    size: int
    md5: bytes

    def segment(self, block: str = "") -> Segment:
        """The body as a piece of a blob."""
        return Segment(self.file, self.size, block)

    @property
    def segments(self) -> list[Segment]:
        """The body as a whole blob; an empty one has no pieces, and no file either."""
        return [self.segment()] if self.size else []


class Content:
    """The folder of a sandbox's blobs; one for each folder in a process (`content_of`)."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._readers: Counter[str] = Counter()
        self._doomed: set[str] = set()

    @asynccontextmanager
    async def receive(self, chunks: AsyncIterable[bytes]) -> AsyncIterator[Received]:
        """Stores a body as it comes. The block commits it to the store; if the block fails, the file goes.

        Raises:
            OSError: The disk is full.
        """
        with self._new() as path:
            digest, size = hashlib.md5(usedforsecurity=False), 0
            with open(_partial(path), "wb", buffering=0) as file:  # noqa: PTH123
                async for chunk in chunks:
                    digest.update(chunk)
                    size += file.write(chunk)
            _complete(path, size)
            yield Received(path.name, size, digest.digest())

    @contextmanager
    def write(self, fill: Callable[[Path], object]) -> Iterator[Received]:
        """Stores what `fill` writes to the path it is given; like `receive` otherwise."""
        with self._new() as path:
            part = Path(_partial(path))
            fill(part)
            with part.open("rb") as file:
                digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False))
            size = part.stat().st_size
            _complete(path, size)
            yield Received(path.name, size, digest.digest())

    @contextmanager
    def _new(self) -> Iterator[Path]:
        path = self.directory / uuid.uuid4().hex
        try:
            yield path
        except BaseException:
            path.unlink(missing_ok=True)
            Path(_partial(path)).unlink(missing_ok=True)
            raise

    @contextmanager
    def share(self, segments: Iterable[Segment]) -> Iterator[list[Segment]]:
        """The same pieces under new names, without copying: for files that nobody appends to."""
        made: list[Segment] = []
        try:
            for segment in segments:
                name = uuid.uuid4().hex
                os.link(self.directory / segment.file, self.directory / name)
                made.append(segment._replace(file=name))
            yield made
        except BaseException:
            self.discard(segment.file for segment in made)
            raise

    def extend(self, segment: Segment, source: str, size: int) -> Segment:
        """Appends another file's bytes at the segment's recorded end, over what a killed append may have left there.

        Raises:
            OSError: The disk is full; the recorded part is untouched.
        """
        with (self.directory / source).open("rb") as read, (self.directory / segment.file).open("r+b") as write:
            write.seek(segment.size)
            left = size
            while left:
                left -= write.write(read.read(min(CHUNK, left)))
        return segment._replace(size=segment.size + size)

    def read(self, segments: Iterable[Segment], start: int, length: int) -> Iterator[bytes]:
        """The bytes from `start` on, in chunks."""
        for segment in segments:
            if start >= segment.size:
                start -= segment.size
                continue
            with open(f"{self.directory}/{segment.file}", "rb", buffering=0) as file:  # noqa: PTH123
                if start:
                    file.seek(start)
                left = min(segment.size - start, length)
                length, start = length - left, 0
                while left:
                    chunk = file.read(min(CHUNK, left))
                    if not chunk:
                        raise OSError(f"{self.directory / segment.file} is shorter than the store says")
                    left -= len(chunk)
                    yield chunk
            if not length:
                return

    @contextmanager
    def reading(self, segments: Iterable[Segment]) -> Iterator[None]:
        """Keeps the files in place, though their blob be overwritten or deleted meanwhile."""
        files = [segment.file for segment in segments]
        self._readers.update(files)
        try:
            yield
        finally:
            self._readers -= Counter(files)  # drops what nobody reads any more
            self.discard(self._doomed.intersection(files))

    def discard(self, files: Iterable[str]) -> None:
        """Removes files, those being read after the last reader."""
        for name in list(files):
            if self._readers[name]:
                self._doomed.add(name)
                continue
            self._doomed.discard(name)
            with suppress(FileNotFoundError):
                os.unlink(f"{self.directory}/{name}")  # noqa: PTH108

    def sweep(self, named: set[str]) -> None:
        """Removes every file that the store does not name, half-received or half-deleted when the sandbox died."""
        with os.scandir(self.directory) as entries:
            for entry in entries:
                if entry.name not in named:
                    Path(entry.path).unlink(missing_ok=True)


def _complete(path: Path, size: int) -> None:
    if size:
        os.replace(_partial(path), path)  # noqa: PTH105
    else:
        os.unlink(_partial(path))  # noqa: PTH108


def _partial(path: Path) -> str:
    """A file that is still being received. Texts, as each small blob pays for the paths of `pathlib`."""
    return f"{path}{PARTIAL}"


@cache
def _content(directory: Path) -> Content:
    return Content(directory / "blobs")


@cache
def content_of(directory: Path) -> Content:
    """The content of the sandbox in a folder: the same for all paths of it."""
    return _content(directory.resolve())
