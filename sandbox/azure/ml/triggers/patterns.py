"""When something recurs: every so many minutes or hours, or at times of days.

Days and times of day are those of a time zone. A time that the change to summer time leaves out comes as much later as
the clocks were moved; one that comes twice counts the first time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

FARTHEST = 50 * 366  # days to look ahead: the 31st of every 11th month comes within these


@dataclass(frozen=True)
class Every:
    """Every so many minutes or hours.

    Attributes:
        first: The first time.
        step: The time between two.
    """

    first: datetime
    step: timedelta

    def next(self, after: datetime) -> datetime | None:
        """The first time after another."""
        return self.first + max(0, (after - self.first) // self.step + 1) * self.step


@dataclass(frozen=True)
class Days:
    """At times of some days.

    Attributes:
        zone: The time zone.
        on: Whether it is one of the days.
        times: The times of day.
    """

    zone: ZoneInfo
    on: Callable[[date], bool]
    times: tuple[time, ...]

    def next(self, after: datetime) -> datetime | None:
        """The first time after another; None where there is none in a lifetime."""
        day = after.astimezone(self.zone).date() - timedelta(days=1)  # its last time may have come later
        for _ in range(FARTHEST):
            if self.on(day):
                found = [one for one in self._of(day) if one > after]
                if found:
                    return min(found)
            day += timedelta(days=1)
        return None

    def _of(self, day: date) -> set[datetime]:
        return {datetime.combine(day, at, self.zone).astimezone(UTC) for at in self.times}


Pattern = Every | Days


def weekly(start: date, interval: int, weekdays: frozenset[int]) -> Callable[[date], bool]:
    """Some days, 0 for Monday, of every so many weeks from that of a day on."""
    first = start - timedelta(days=start.weekday())
    return lambda day: day.weekday() in weekdays and (day - first).days // 7 % interval == 0


def monthly(
    start: date, interval: int, days: frozenset[int], weekdays: frozenset[int] = frozenset()
) -> Callable[[date], bool]:
    """Some days of the month, or of the week, of every so many months from that of a day on.

    A month that has no such day is left out.
    """

    def on(day: date) -> bool:
        months = (day.year - start.year) * 12 + day.month - start.month
        return months % interval == 0 and (day.day in days or day.weekday() in weekdays)

    return on


def daily(start: date, interval: int) -> Callable[[date], bool]:
    """Every so many days from a day on."""
    return lambda day: (day - start).days % interval == 0
