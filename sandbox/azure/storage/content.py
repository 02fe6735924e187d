"""Blobs' bytes: files with generated names in one folder, so that no blob's name ever becomes a path.

A body is received into a file that the store names when it is complete: what the store names is whole. A file that is
no longer named goes when its last reader is done; what a killed sandbox left behind goes at the next start.
"""

import asyncio
import hashlib
import os
from collections import Counter
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

CHUNK = 256 * 1024  # bytes read at a time
LARGE = 64 * 1024  # bytes of a received piece from which a thread stores it, so that the next one comes meanwhile


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
        self._threads = ThreadPoolExecutor(2, "blobs")

    @asynccontextmanager
    async def receive(self, chunks: AsyncIterable[bytes]) -> AsyncIterator[Received]:
        """Stores a body as it comes. The block commits it to the store; if the block fails, the file goes.

        Raises:
            OSError: The disk is full.
        """
        with self._new() as name:
            with _File(self._path(name), self._threads) as file:
                async for chunk in chunks:
                    await file.take(chunk)
            yield Received(name, file.size, file.digest.digest())

    @contextmanager
    def write(self, fill: Callable[[Path], object]) -> Iterator[Received]:
        """Stores what `fill` writes to the path it is given; like `receive` otherwise."""
        with self._new() as name:
            path = Path(self._path(name))
            fill(path)
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False))
            size = path.stat().st_size
            if not size:
                path.unlink()
            yield Received(name, size, digest.digest())

    def _path(self, name: str) -> str:
        """A file's path: a text, as each small blob pays for the paths of `pathlib`."""
        return f"{self.directory}/{name}"

    @contextmanager
    def _new(self) -> Iterator[str]:
        name = _new_name()
        try:
            yield name
        except BaseException:
            self._remove(name)
            raise

    def _remove(self, name: str) -> None:
        with suppress(FileNotFoundError):
            os.unlink(self._path(name))  # noqa: PTH108 # as in `_path`

    @contextmanager
    def share(self, segments: Iterable[Segment]) -> Iterator[list[Segment]]:
        """The same pieces under new names, without copying: for files that nobody appends to."""
        made: list[Segment] = []
        try:
            for segment in segments:
                name = _new_name()
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
            with open(self._path(segment.file), "rb", buffering=0) as file:  # noqa: PTH123 # as in `_path`
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
            self._remove(name)

    def sweep(self, named: set[str]) -> None:
        """Removes every file that the store does not name, half-received or half-deleted when the sandbox died."""
        with os.scandir(self.directory) as entries:
            for entry in entries:
                if entry.name not in named:
                    Path(entry.path).unlink(missing_ok=True)


def _new_name() -> str:
    return os.urandom(16).hex()


class _File:
    """A file that is being received; it is made with its first byte.

    Attributes:
        size: The bytes that came.
        digest: Their MD5.
    """

    def __init__(self, path: str, threads: ThreadPoolExecutor) -> None:
        self._path, self._threads = path, threads
        self._file = -1
        self._storing: Future[None] | None = None
        self.size, self.digest = 0, hashlib.md5(usedforsecurity=False)

    def __enter__(self) -> "_File":
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        """Closes the file once nothing writes to it; what a thread failed with is raised, unless the block failed."""
        try:
            if self._storing is not None:
                wait([self._storing])
                if failed is None:
                    self._storing.result()
        finally:
            if self._file >= 0:
                os.close(self._file)

    async def take(self, chunk: bytes) -> None:
        """Stores a piece: a large one in a thread, while the next one comes.

        Raises:
            OSError: The disk is full.
        """
        if not chunk:
            return
        self.size += len(chunk)
        if self._storing is not None:
            await asyncio.wrap_future(self._storing)
            self._storing = None
        if self._file < 0:
            self._file = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o666)
        if len(chunk) < LARGE:
            self._store(chunk)
        else:
            self._storing = self._threads.submit(self._store, chunk)

    def _store(self, chunk: bytes) -> None:
        self.digest.update(chunk)
        left = memoryview(chunk)
        while left:
            left = left[os.write(self._file, left) :]


@cache
def _content(directory: Path) -> Content:
    return Content(directory / "blobs")


@cache
def content_of(directory: Path) -> Content:
    """The content of the sandbox in a folder: the same for all paths of it."""
    return _content(directory.resolve())
