"""What is to happen at a time: kept in the store, and carried out in the order of the times, each once.

A timer is a document of the kind `timer` whose key begins with its time, so that the first one due is the first of the
index; `timerOf` has that key by what the timer is for. A timer and what it does are one transaction: a sandbox that is
killed repeats nothing and leaves nothing out. What was due while the sandbox did not run, or while the clock was moved,
happens as at its time.
"""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sandbox.azure import clock
from sandbox.azure.cloud import Cloud
from sandbox.azure.store import Store

TIMER, TIMER_OF = "timer", "timerOf"
TICK = 1.0  # seconds between looks
AT_ONCE = 20  # timers that are carried out before a request has a turn


@dataclass(frozen=True)
class Kind:
    """What timers of one kind do.

    Attributes:
        read: The action that shows what the timers are for, and so when they are due.
        next: The time after the given one, for whom the timer is; None: there is none, or it is gone.
        act: What happens at the time.
    """

    read: str
    next: Callable[[Cloud, str, datetime], datetime | None]
    act: Callable[[Cloud, str, datetime], None]


def set_timer(store: Store, kind: str, key: str, due: datetime | None) -> None:
    """Sets the one timer of something, in place of an earlier one.

    Args:
        store: Keeps it.
        kind: The kind, as `Timekeeper` knows it.
        key: What it is for: a resource's id in lower case, for one.
        due: The time, with its zone; None for no timer.
    """
    owner = f"{kind} {key}"
    with store.transaction():
        old = store.get(TIMER_OF, owner)
        if old is not None:
            store.delete(TIMER, old["timer"])
            store.delete(TIMER_OF, owner)
        if due is not None:
            name = f"{_text(due)} {owner}"
            store.put(TIMER, name, {"kind": kind, "key": key, "due": due.isoformat()})
            store.put(TIMER_OF, owner, {"timer": name})


def due_time(store: Store, kind: str, key: str) -> datetime | None:
    """When the timer of something is due; None where it has none."""
    found = store.get(TIMER_OF, f"{kind} {key}")
    timer = found and store.get(TIMER, found["timer"])
    return datetime.fromisoformat(timer["due"]) if timer else None


def forget_below(store: Store, prefix: str) -> None:
    """Removes the timers of everything whose key starts with the prefix, when what it lies in goes."""
    for name, timer in list(store.items(TIMER)):
        if timer["key"].startswith(prefix):
            store.delete(TIMER, name)
            store.delete(TIMER_OF, f"{timer['kind']} {timer['key']}")


def _text(time: datetime) -> str:
    """A time such that texts compare as times do."""
    return time.astimezone(UTC).isoformat(timespec="microseconds")


class Timekeeper:
    """Carries out what is due.

    Args:
        cloud: The local Azure.
        kinds: The kinds of timers by name.
    """

    def __init__(self, cloud: Cloud, kinds: Mapping[str, Kind]) -> None:
        self._cloud, self._store, self._kinds = cloud, cloud.store, kinds
        self._turn = asyncio.Lock()
        self._loop: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to look for what is due."""
        self._loop = asyncio.create_task(self._serve())

    async def stop(self) -> None:
        """Ends; timers stay for the next sandbox."""
        if self._loop is not None:
            self._loop.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._loop

    def next(self) -> dict[str, str] | None:
        """What is due next: its kind, what it is for, and when; None for nothing."""
        return next(iter(self.upcoming(1)), None)

    def upcoming(self, most: int) -> list[dict[str, str]]:
        """What is due, the next first.

        Args:
            most: How many are wanted.
        """
        found = self._store.page(TIMER, "", "~", most)
        return [{name: str(timer[name]) for name in ("kind", "key", "due")} for _, timer in found]

    @property
    def reads(self) -> dict[str, str]:
        """The action that shows the timers of each kind."""
        return {name: kind.read for name, kind in self._kinds.items()}

    async def advance(self, by: timedelta) -> Counter[str]:
        """Moves the clock forward and carries out what became due.

        Returns:
            How many timers of each kind were carried out.

        Raises:
            ClockError: The clock cannot be moved so.
        """
        clock.advance(self._store, by)
        return await self.catch_up()

    async def catch_up(self) -> Counter[str]:
        """Carries out what is due by now, the earliest first."""
        done: Counter[str] = Counter()
        async with self._turn:
            until = _text(clock.now())
            while (kind := self._fire(until)) is not None:
                done[kind] += 1
                if done.total() % AT_ONCE == 0:
                    await asyncio.sleep(0)
        return done

    async def _serve(self) -> None:
        while True:
            try:
                await self.catch_up()
            except Exception:
                logging.exception("the timers failed; they go on")
            await asyncio.sleep(TICK)

    def _fire(self, until: str) -> str | None:
        """Carries the first timer out that is due; gives its kind, or None where none is."""
        found = self._store.page(TIMER, "", until + "~", 1)
        if not found:
            return None
        _, timer = found[0]
        kind, key, due = str(timer["kind"]), str(timer["key"]), datetime.fromisoformat(timer["due"])
        with clock.at(due):
            try:
                with self._store.transaction():
                    self._move_on(kind, key, due)
                    self._kinds[kind].act(self._cloud, key, due)
            except Exception:
                logging.exception("the timer of %s failed at %s; it goes on with its next time", key, due.isoformat())
                self._move_on(kind, key, due)
        return kind

    def _move_on(self, kind: str, key: str, due: datetime) -> None:
        set_timer(self._store, kind, key, self._kinds[kind].next(self._cloud, key, due))
