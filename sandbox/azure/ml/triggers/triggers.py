"""Triggers: from what a client sends to the times that it means.

Sources: learn.microsoft.com/azure/machine-learning/reference-yaml-schedule and how-to-schedule-pipeline-job.
"""

import copy
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.azure.arm.core import Body
from sandbox.azure.ml.errors import UserError
from sandbox.azure.ml.triggers import patterns
from sandbox.azure.ml.triggers.cron import CronError, parse
from sandbox.azure.ml.triggers.zones import time_zone

CRON, RECURRENCE = "Cron", "Recurrence"
STEPS = {"Minute": timedelta(minutes=1), "Hour": timedelta(hours=1)}
FREQUENCIES = (*STEPS, "Day", "Week", "Month")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DEFAULT_ZONE = "UTC"
START = "%Y-%m-%dT%H:%M:%S"
LISTS = {"hours": 23, "minutes": 59, "monthDays": 31}
MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Trigger:
    """The times of a trigger.

    Attributes:
        start: The first that there may be.
        end: The last that there may be; None: there is always a next one.
        pattern: When it recurs.
    """

    start: datetime
    end: datetime | None
    pattern: patterns.Pattern

    def next(self, after: datetime) -> datetime | None:
        """The first time after another; None where the trigger has ended."""
        found = self.pattern.next(max(after, self.start - MOMENT))
        return None if found is None or (self.end is not None and found > self.end) else found


def bad(field: str, text: str) -> UserError:
    """The refusal of a trigger's field."""
    return UserError(400, text, "BadArgument", "ArgumentInvalid", target=f"properties.trigger.{field}")


def read(sent: Body, kind: str, now: datetime) -> Trigger:
    """The times that a trigger means.

    Args:
        sent: The trigger's body; without a start it starts now.
        kind: `Cron` or `Recurrence`.
        now: The time.

    Raises:
        UserError: 400, naming the field.
    """
    if kind not in (CRON, RECURRENCE):
        raise bad("triggerType", f"The trigger type '{kind}' is not one of {CRON} and {RECURRENCE}.")
    name = str(sent.get("timeZone") or DEFAULT_ZONE)
    zone = time_zone(name)
    if zone is None:
        raise bad("timeZone", f"The time zone '{name}' is not known: use a name of Windows, such as 'UTC'.")
    start = _time("startTime", sent.get("startTime"), zone) or now
    end = _time("endTime", sent.get("endTime"), zone)
    pattern = _cron(sent, zone) if kind == CRON else _recurrence(sent, zone, start)
    return Trigger(start, end, pattern)


def with_start(sent: Body, now: datetime) -> Body:
    """A trigger that says when it starts: where it did not, at the next full minute, in its time zone."""
    if sent.get("startTime"):
        return sent
    zone = time_zone(str(sent.get("timeZone") or DEFAULT_ZONE)) or UTC
    return {**sent, "startTime": f"{full_minute(now).astimezone(zone):{START}}"}


def full_minute(now: datetime) -> datetime:
    """The next full minute."""
    return now.replace(second=0, microsecond=0) + timedelta(minutes=1)


def present(sent: Body) -> Body:
    """A trigger as the service shows it: with null for what is unset, and with its own names."""
    shown: Body = {
        "endTime": None,
        "startTime": None,
        "timeZone": DEFAULT_ZONE,
        **{key: value for key, value in copy.deepcopy(sent).items() if value is not None},
    }
    if shown["triggerType"] == RECURRENCE:
        shown["frequency"] = str(shown["frequency"]).capitalize()
        pattern = shown.get("schedule")
        shown["schedule"] = pattern and {"weekDays": None, "monthDays": None, **pattern}
        if pattern and pattern.get("weekDays"):
            shown["schedule"]["weekDays"] = [str(day).capitalize() for day in pattern["weekDays"]]
    return shown


def _time(field: str, text: Any, zone: ZoneInfo) -> datetime | None:
    """A time of the trigger's zone, unless it names another itself."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise bad(field, f"'{text}' is no time: use YYYY-MM-DDThh:mm:ss.") from error
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)


def _cron(sent: Body, zone: ZoneInfo) -> patterns.Pattern:
    try:
        cron = parse(str(sent.get("expression") or ""))
    except CronError as error:
        raise bad("expression", f"The cron expression {error}.") from error
    return patterns.Days(zone, lambda day: day.weekday() in cron.weekdays, _times(cron.hours, cron.minutes))


def _times(hours: tuple[int, ...], minutes: tuple[int, ...]) -> tuple[time, ...]:
    return tuple(time(hour, minute) for hour in hours for minute in minutes)


def _recurrence(sent: Body, zone: ZoneInfo, start: datetime) -> patterns.Pattern:
    frequency, interval = str(sent.get("frequency")).capitalize(), sent.get("interval")
    if frequency not in FREQUENCIES:
        raise bad("frequency", f"The frequency '{sent.get('frequency')}' is not one of {', '.join(FREQUENCIES)}.")
    if not isinstance(interval, int) or isinstance(interval, bool) or interval < 1:
        raise bad("interval", f"The interval must be a number from 1 on, not {interval!r}.")
    lists = _lists(sent.get("schedule"))
    if frequency in STEPS:
        return patterns.Every(start, STEPS[frequency] * interval)
    local = start.astimezone(zone)
    day, weekdays = local.date(), lists.weekdays
    if not (lists.hours or lists.minutes):
        times: tuple[time, ...] = (local.time(),)
    else:
        times = _times(lists.hours or (local.hour,), lists.minutes or (local.minute,))
    if frequency == "Day":
        on = patterns.daily(day, interval)
    elif frequency == "Week":
        on = patterns.weekly(day, interval, weekdays or frozenset({day.weekday()}))
    else:
        days = lists.month_days or (frozenset() if weekdays else frozenset({day.day}))
        on = patterns.monthly(day, interval, days, weekdays)
    return patterns.Days(zone, on, times)


@dataclass(frozen=True)
class _Lists:
    """A recurrence's `schedule`; empty for what it does not say."""

    hours: tuple[int, ...]
    minutes: tuple[int, ...]
    month_days: frozenset[int]
    weekdays: frozenset[int]


def _lists(sent: Any) -> _Lists:
    given = sent or {}
    if not isinstance(given, dict):
        raise bad("schedule", "'schedule' must be an object.")
    numbers = {name: _numbers(name, given.get(name), most) for name, most in LISTS.items()}
    days = given.get("weekDays") or []
    known = {name: number for number, name in enumerate(WEEKDAYS)}
    if not isinstance(days, list):
        raise bad("schedule.weekDays", f"'weekDays' must be a list of {', '.join(WEEKDAYS)}, not {days!r}.")
    for one in days:
        if str(one).capitalize() not in known:
            raise bad("schedule.weekDays", f"'{one}' is not one of {', '.join(WEEKDAYS)}.")
    weekdays = frozenset(known[str(one).capitalize()] for one in days)
    return _Lists(numbers["hours"], numbers["minutes"], frozenset(numbers["monthDays"]), weekdays)


def _numbers(name: str, given: Any, most: int) -> tuple[int, ...]:
    least = 1 if name == "monthDays" else 0
    found = given or []
    if not isinstance(found, list) or not all(type(one) is int and least <= one <= most for one in found):
        raise bad(f"schedule.{name}", f"'{name}' must be a list of numbers from {least} to {most}, not {given!r}.")
    return tuple(sorted(set(found)))
