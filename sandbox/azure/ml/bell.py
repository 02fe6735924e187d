"""Tells the runner that there is something to do: a job came, or one is to be cancelled."""

import asyncio
from weakref import WeakKeyDictionary

from sandbox.azure.store import Store

_bells: WeakKeyDictionary[Store, asyncio.Event] = WeakKeyDictionary()


def bell(store: Store) -> asyncio.Event:
    """The bell of the local Azure that this store belongs to."""
    return _bells.setdefault(store, asyncio.Event())


def ring(store: Store) -> None:
    """Wakes the runner."""
    bell(store).set()
