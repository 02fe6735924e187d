"""The times of triggers: cron expressions, recurrences, time zones and their changes of the clock."""

from datetime import UTC, datetime
from typing import Any

import pytest
from azure.ai.ml.constants import TimeZone

from sandbox.azure.ml.errors import UserError
from sandbox.azure.ml.triggers.triggers import read
from sandbox.azure.ml.triggers.zones import time_zone

NOW = datetime(2026, 1, 14, 9, 30, 20, tzinfo=UTC)  # a Wednesday


def times(trigger: dict[str, Any], count: int, after: datetime = NOW) -> list[str]:
    """The first times after one, in UTC."""
    found: list[str] = []
    at = after
    means = read(trigger, trigger["triggerType"], NOW)
    while len(found) < count and (due := means.next(at)) is not None:
        found.append(due.astimezone(UTC).strftime("%Y-%m-%d %H:%M"))
        at = due
    return found


def cron(expression: str, **more: Any) -> dict[str, Any]:
    return {"triggerType": "Cron", "expression": expression, **more}


def every(interval: int, frequency: str, pattern: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "triggerType": "Recurrence",
        "frequency": frequency,
        "interval": interval,
        "schedule": {"hours": [], "minutes": [], **(pattern or {})},
        **more,
    }


@pytest.mark.parametrize(
    ("trigger", "expected"),
    [
        (cron("15 10 * * 1"), ["2026-01-19 10:15", "2026-01-26 10:15"]),
        (
            cron("0,30 8-9 * * MON-TUE"),
            ["2026-01-19 08:00", "2026-01-19 08:30", "2026-01-19 09:00", "2026-01-19 09:30"],
        ),
        (cron("*/20 * * * *"), ["2026-01-14 09:40", "2026-01-14 10:00"]),
        (cron("0 0 * * 0"), ["2026-01-18 00:00"]),
        # Days and months are there and count for nothing.
        (cron("0 12 31 2 *"), ["2026-01-14 12:00", "2026-01-15 12:00"]),
        (cron("0 12 * * *", startTime="2026-03-01T12:00:00"), ["2026-03-01 12:00", "2026-03-02 12:00"]),
        (cron("0 12 * * *", endTime="2026-01-15 12:00:00"), ["2026-01-14 12:00", "2026-01-15 12:00"]),
        (every(5, "minute"), ["2026-01-14 09:35", "2026-01-14 09:40"]),
        (every(12, "hour", startTime="2021-01-01T06:00:00"), ["2026-01-14 18:00", "2026-01-15 06:00"]),
        (every(1, "day", startTime="2022-05-10 10:15:00"), ["2026-01-14 10:15", "2026-01-15 10:15"]),
        (
            every(3, "day", {"hours": [4], "minutes": [0, 30]}),
            ["2026-01-17 04:00", "2026-01-17 04:30", "2026-01-20 04:00"],
        ),
        (
            every(2, "week", {"hours": [10], "minutes": [0], "weekDays": ["Monday", "friday"]}),
            ["2026-01-16 10:00", "2026-01-26 10:00", "2026-01-30 10:00"],
        ),
        (
            every(1, "month", {"hours": [1], "minutes": [2], "monthDays": [1, 15]}),
            ["2026-01-15 01:02", "2026-02-01 01:02"],
        ),
        # Shorter months have no 31st, and are left out.
        (
            every(1, "month", startTime="2025-12-31T08:00:00"),
            ["2026-01-31 08:00", "2026-03-31 08:00", "2026-05-31 08:00"],
        ),
        (
            every(1, "month", {"hours": [7], "minutes": [0], "weekDays": ["Sunday"]}),
            ["2026-01-18 07:00", "2026-01-25 07:00"],
        ),
    ],
)
def test_times(trigger: dict[str, Any], expected: list[str]) -> None:
    assert times(trigger, len(expected)) == expected


@pytest.mark.parametrize(
    ("zone", "trigger", "after", "expected"),
    [
        ("W. Europe Standard Time", cron("0 8 * * *"), "2026-03-28 12:00", ["2026-03-29 06:00", "2026-03-30 06:00"]),
        ("W. Europe Standard Time", cron("0 8 * * *"), "2026-10-24 12:00", ["2026-10-25 07:00"]),
        # 02:30 is left out on 29 March, and comes twice on 25 October.
        ("W. Europe Standard Time", cron("30 2 * * *"), "2026-03-28 12:00", ["2026-03-29 01:30", "2026-03-30 00:30"]),
        ("W. Europe Standard Time", cron("30 2 * * *"), "2026-10-24 12:00", ["2026-10-25 00:30", "2026-10-26 01:30"]),
        ("Pacific Standard Time", cron("15 10 * * 1"), "2026-03-01 00:00", ["2026-03-02 18:15", "2026-03-09 17:15"]),
        (
            "india standard time",
            every(1, "day", {"hours": [0], "minutes": [0]}),
            "2026-03-01 00:00",
            ["2026-03-01 18:30"],
        ),
        # Elapsed time does not mind the clocks.
        (
            "W. Europe Standard Time",
            every(24, "hour", startTime="2026-03-28T12:00:00"),
            "2026-03-28 12:00",
            ["2026-03-29 11:00"],
        ),
    ],
)
def test_time_zones(zone: str, trigger: dict[str, Any], after: str, expected: list[str]) -> None:
    start = datetime.fromisoformat(after).replace(tzinfo=UTC)
    assert times({**trigger, "timeZone": zone}, len(expected), start) == expected


def test_every_time_zone_of_the_client_is_known() -> None:
    assert [zone.value for zone in TimeZone if time_zone(zone.value) is None] == []


@pytest.mark.parametrize(
    ("trigger", "field"),
    [
        (cron("15 10 * *"), "expression"),
        (cron("60 10 * * *"), "expression"),
        (cron("5-1 10 * * *"), "expression"),
        (cron("*/0 * * * *"), "expression"),
        (cron("0 0 * * 7"), "expression"),
        (cron("0 0 * * *", timeZone="Europe/Berlin"), "timeZone"),
        (cron("0 0 * * *", startTime="tomorrow"), "startTime"),
        (every(0, "day"), "interval"),
        (every(1, "year"), "frequency"),
        (every(1, "day", {"hours": [24]}), "schedule.hours"),
        (every(1, "week", {"hours": [1], "minutes": [1], "weekDays": ["Caturday"]}), "schedule.weekDays"),
        (every(1, "week", {"weekDays": "Monday"}), "schedule.weekDays"),
        (every(1, "month", {"monthDays": [0]}), "schedule.monthDays"),
    ],
)
def test_refusals_name_the_field(trigger: dict[str, Any], field: str) -> None:
    with pytest.raises(UserError) as refused:
        read(trigger, trigger["triggerType"], NOW)
    assert refused.value.target == f"properties.trigger.{field}"
