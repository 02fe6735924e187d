"""The time of the local Azure, which can be moved forward; the only place here that asks the machine for it.

`now` is the time that Azure's services go by: they keep it, show it, and compare with it. `real` is the machine's own,
for what clients check against theirs or sign with: tokens, TLS, Shared Key, shared access signatures.

A process has one clock, as a machine has. How far it is ahead is a document of the store, so that it survives a kill.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.azure.store import Store

KIND, KEY = "clock", "ahead"
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
"""How far the clock goes: times of the years after that are no longer written by every client."""


class ClockError(Exception):
    """The clock cannot be moved so; the message says why."""


class _Clock:
    """How far the local Azure is ahead of the machine."""

    def __init__(self) -> None:
        self.ahead = timedelta()


_clock = _Clock()
_moment: ContextVar[datetime | None] = ContextVar("moment", default=None)


def now() -> datetime:
    """The local Azure's time, with its zone."""
    return _moment.get() or real() + _clock.ahead


def real() -> datetime:
    """The machine's time, with its zone."""
    return datetime.now(UTC)  # noqa: TID251 # the one place


def seconds() -> float:
    """The local Azure's time in seconds since 1970."""
    return now().timestamp()


def real_seconds() -> int:
    """The machine's time in whole seconds since 1970, as tokens have it."""
    return int(real().timestamp())


def nanoseconds() -> int:
    """The local Azure's time in nanoseconds since 1970, to put in order what comes within a microsecond."""
    return time.time_ns() + _clock.ahead // timedelta(microseconds=1) * 1000  # noqa: TID251 # as above


def since(text: str) -> float:
    """Seconds since a time as the services write it."""
    return (now() - datetime.fromisoformat(text)).total_seconds()


def ahead() -> timedelta:
    """How far the local Azure is ahead of the machine."""
    return _clock.ahead


def restore(store: Store) -> None:
    """Sets the clock as an earlier sandbox of the same store left it."""
    kept = store.get(KIND, KEY)
    _clock.ahead = timedelta(seconds=kept["seconds"]) if kept else timedelta()


def advance(store: Store, by: timedelta) -> None:
    """Moves the clock forward, for good.

    Args:
        store: Remembers it.
        by: How far; more than nothing.

    Raises:
        ClockError: It is nothing or negative, or leads too far.
    """
    if by <= timedelta():
        raise ClockError("the clock only moves forward: name a time such as 31d, 12h or 90m")
    if by > LATEST - now():
        raise ClockError(f"the clock goes up to the year {LATEST.year}")
    store.put(KIND, KEY, {"seconds": (_clock.ahead + by).total_seconds()})
    _clock.ahead += by


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Lets everything inside happen at a moment that is past: what was due while the clock was moved."""
    token = _moment.set(moment)
    try:
        yield
    finally:
        _moment.reset(token)
