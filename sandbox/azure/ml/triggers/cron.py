"""Cron expressions as the service reads them: the fields for days and months are there, and are ignored.

Source: learn.microsoft.com/azure/machine-learning/how-to-schedule-pipeline-job.
"""

import re
from dataclasses import dataclass

WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
FIELDS = 5
_PART = re.compile(r"(?P<from>\*|\w+)(?:-(?P<to>\w+))?(?:/(?P<step>[0-9]+))?", re.ASCII)


class CronError(Exception):
    """An expression that is none; the message says why."""


@dataclass(frozen=True)
class Cron:
    """The times of an expression.

    Attributes:
        minutes: 0 to 59.
        hours: 0 to 23.
        weekdays: 0 for Monday, as `date.weekday` counts.
    """

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    weekdays: frozenset[int]


def parse(expression: str) -> Cron:
    """Reads `MINUTES HOURS DAYS MONTHS DAYS-OF-WEEK`.

    Raises:
        CronError: It has other than five fields, or one that is no number, range, list or step.
    """
    fields = expression.split()
    if len(fields) != FIELDS:
        raise CronError(f"'{expression}' must have five fields: MINUTES HOURS DAYS MONTHS DAYS-OF-WEEK")
    minutes, hours, _, _, weekdays = fields
    sundays_first = _values("DAYS-OF-WEEK", weekdays, 6, WEEKDAYS)
    return Cron(
        tuple(sorted(_values("MINUTES", minutes, 59))),
        tuple(sorted(_values("HOURS", hours, 23))),
        frozenset((day - 1) % 7 for day in sundays_first),
    )


def _values(field: str, text: str, most: int, names: tuple[str, ...] = ()) -> set[int]:
    return {value for part in text.split(",") for value in _range(field, part, most, names)}


def _range(field: str, part: str, most: int, names: tuple[str, ...]) -> range:
    found = _PART.fullmatch(part)
    if found is None:
        raise CronError(f"'{part}' of {field} is no number, range, list or step")
    step = int(found["step"] or 1)
    if found["from"] == "*":
        first, last = 0, most
    else:
        first = _value(field, found["from"], most, names)
        last = _value(field, found["to"], most, names) if found["to"] else most if found["step"] else first
    if step < 1 or first > last or (found["from"] == "*" and found["to"]):
        raise CronError(f"'{part}' of {field} is no range")
    return range(first, last + 1, step)


def _value(field: str, text: str, most: int, names: tuple[str, ...]) -> int:
    if text.upper() in names:
        return names.index(text.upper())
    if not text.isdecimal() or int(text) > most:
        raise CronError(f"'{text}' of {field} is not from 0 to {most}")
    return int(text)
