"""A run's log: a file that its processes write, carried over to a blob while it grows."""

import asyncio
import time
from pathlib import Path
from types import TracebackType

from sandbox.azure.ml.access import Place
from sandbox.azure.storage.authorization import WRITE
from sandbox.azure.storage.blobs import ANY, append

CHUNK = 1024 * 1024  # bytes carried over at a time
FASTEST, SLOWEST = 0.2, 10.0  # seconds between looks
EASE = 200  # a look comes after a 200th of the age, as an append blob holds 50,000 blocks


class Log:
    """Carries the file's content to the blob until it is closed.

    Attributes:
        path: The file.
        file: The same, open to add to it.

    Args:
        path: The file; made if absent.
        place: The run's artifacts.
        name: The log's name among them.

    Raises:
        AccessError: The log may not be written there.
    """

    def __init__(self, path: Path, place: Place, name: str) -> None:
        self.path, self._place, self._name, self._sent = path, place, f"{place.path}/{name}", 0
        self._begun = time.monotonic()
        path.parent.mkdir(parents=True, exist_ok=True)
        self.file = path.open("ab", buffering=0)
        self._task: asyncio.Task[None] | None = None
        place.require(WRITE, self._name)
        headers = {"content-type": "text/plain; charset=utf-8"}
        place.container.put(self._name, ANY, [], blob_type="AppendBlob", headers=headers)

    def write(self, text: str) -> None:
        """Adds a line of the runner's own."""
        self.file.write(f"{text}\n".encode())

    async def __aenter__(self) -> "Log":
        """Begins to carry over."""
        self._task = asyncio.create_task(self._follow())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Carries over what is left."""
        if self._task is not None:
            self._task.cancel()
        self.file.close()
        while self._carry():
            await asyncio.sleep(0)

    def tail(self, size: int) -> str:
        """The last bytes of the file as text, from a line's start."""
        with self.path.open("rb") as file:
            length = self.path.stat().st_size
            file.seek(max(0, length - size))
            text = file.read().decode(errors="replace")
        return text if length <= size else text.partition("\n")[2]

    async def _follow(self) -> None:
        while True:
            while self._carry():
                await asyncio.sleep(0)
            age = time.monotonic() - self._begun
            await asyncio.sleep(min(SLOWEST, max(FASTEST, age / EASE)))

    def _carry(self) -> bool:
        """One chunk to the blob; tells whether there was one."""
        with self.path.open("rb") as file:
            file.seek(self._sent)
            data = file.read(CHUNK)
        if not data:
            return False
        self._place.require(WRITE, self._name)
        container = self._place.container
        append(container.cloud, container.account.name, container.name, self._name, data)
        self._sent += len(data)
        return True
