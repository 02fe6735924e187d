"""The servers that take requests now: the runner puts them here, and the service that answers clients finds them."""

import asyncio
import contextlib
from weakref import WeakKeyDictionary

from sandbox.azure.store import Store


class Live:
    """A server that takes requests.

    Attributes:
        address: Its Unix socket's path.
        pending: How many requests it has now.
    """

    def __init__(self, address: str) -> None:
        self.address, self.pending = address, 0
        self._idle = asyncio.Event()
        self._idle.set()

    def __enter__(self) -> "Live":
        """Counts a request."""
        self.pending += 1
        self._idle.clear()
        return self

    def __exit__(self, *_: object) -> None:
        """The request has ended."""
        self.pending -= 1
        if not self.pending:
            self._idle.set()

    async def drained(self, seconds: float) -> None:
        """Waits until it has no requests, or for so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._idle.wait()


class Board:
    """The servers of one local Azure, by the deployment's id in lower case."""

    def __init__(self) -> None:
        self._servers: dict[str, Live] = {}
        self._changed = asyncio.Event()

    def put(self, key: str, server: Live) -> None:
        """Sends a deployment's requests to this server from now on."""
        self._servers[key] = server
        self._changed.set()
        self._changed = asyncio.Event()

    def drop(self, key: str) -> None:
        """A deployment has no server any more."""
        self._servers.pop(key, None)

    def now(self, key: str) -> Live | None:
        """A deployment's server, if it has one."""
        return self._servers.get(key)

    async def get(self, key: str, seconds: float) -> Live | None:
        """A deployment's server, which may be starting: waits for so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while key not in self._servers:
                    await self._changed.wait()
        return self._servers.get(key)


_boards: WeakKeyDictionary[Store, Board] = WeakKeyDictionary()


def board(store: Store) -> Board:
    """The servers of the local Azure with this store."""
    return _boards.setdefault(store, Board())
