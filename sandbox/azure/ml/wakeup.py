"""Wakes the runner when a job comes or is to be cancelled."""

import asyncio
from weakref import WeakKeyDictionary

from sandbox.azure.store import Store

_events: WeakKeyDictionary[Store, asyncio.Event] = WeakKeyDictionary()


def wakeup_event(store: Store) -> asyncio.Event:
    """The event that the runner of a local Azure waits for.

    Args:
        store: The store of that local Azure.
    """
    return _events.setdefault(store, asyncio.Event())


def wake_runner(store: Store) -> None:
    """Let the runner look at its queue."""
    wakeup_event(store).set()
