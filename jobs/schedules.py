"""Schedules: a job at given times, as Azure ML's own schedules."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from jobs.defaults import Frequency
from jobs.errors import JobError, UsageError, invalid
from jobs.quiet import quietly
from jobs.submission.submit import prepare
from jobs.workspace import Workspace

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_EARLIEST = timedelta(hours=12)  # behind UTC: no time zone is further behind
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True)
class When:
    """The times of a schedule: a cron expression, or a recurrence.

    Attributes:
        cron: Five fields, of which Azure ML ignores the days of the month and the months.
        every: `minute`, `hour`, `day`, `week` or `month`.
        interval: Every how many of them.
        at: Times of the day, each `HH:MM`.
        on: Days of the week by name, or of the month by number.
        time_zone: A Windows time zone, such as `W. Europe Standard Time`.

    Raises:
        UsageError: It is neither a cron expression nor a recurrence, or both, or a day or time is none.
    """

    cron: str | None = None
    every: Frequency | None = None
    interval: int = 1
    at: tuple[str, ...] = ()
    on: tuple[str, ...] = ()
    time_zone: str = "UTC"

    def __post_init__(self) -> None:
        """Check the words before anything is asked of Azure."""
        if bool(self.cron) == bool(self.every):
            raise UsageError('say when: either --cron "30 6 * * *" or --every day --at 06:30')
        if self.cron and (self.at or self.on):
            raise UsageError("--at and --on go with --every; a cron expression has its own days and times")
        if self.at or self.on:
            self._check_pattern()
            self._times()

    def trigger(self) -> Any:
        """Return azure-ai-ml's trigger."""
        from azure.ai.ml.entities import CronTrigger, RecurrencePattern, RecurrenceTrigger  # noqa: PLC0415

        if self.cron:
            return CronTrigger(expression=self.cron, time_zone=self.time_zone)
        pattern = begin = None
        if self.at or self.on:
            # Without a start, Azure ML runs the job at once, whatever the times; with one in the past, at the next of
            # them. Now as in the earliest time zone is in the past in every other.
            begin = (datetime.now(UTC) - _EARLIEST).replace(tzinfo=None, microsecond=0).isoformat()
            hours, minutes = self._times()
            pattern = RecurrencePattern(
                hours=hours, minutes=minutes, week_days=self._week_days(), month_days=self._month_days()
            )
        return RecurrenceTrigger(
            frequency=str(self.every),
            interval=self.interval,
            schedule=pattern,
            start_time=begin,
            time_zone=self.time_zone,
        )

    def _check_pattern(self) -> None:
        """Refuse what Azure ML would pass over without a word, so that the job would run at other times."""
        if self.every in ("minute", "hour"):
            raise UsageError(f"--at and --on go with --every day, week or month, not with {self.every}")
        self._week_days()
        if self.on and self.every == "day":
            raise UsageError("--on goes with --every week (a day by name) or --every month (a day by number)")
        if self._month_days() and self.every != "month":
            raise UsageError(
                f"--on {self._month_days()} is a day of the month: --every month; or name a day of the week"
            )

    def _times(self) -> tuple[list[int], list[int]]:
        """Return the hours and minutes, every pair of which Azure ML takes for a time."""
        found = [_TIME.fullmatch(time) for time in self.at or ("00:00",)]
        if None in found:
            raise UsageError(f"--at {', '.join(self.at)}: a time is written HH:MM, such as 06:30")
        hours = sorted({int(match[1]) for match in found if match})
        minutes = sorted({int(match[2]) for match in found if match})
        if len(hours) * len(minutes) != len(set(self.at or ("00:00",))):
            raise UsageError(
                f"--at {', '.join(self.at)}: the times of one schedule have the same minutes in every hour"
            )
        return hours, minutes

    def _week_days(self) -> list[str] | None:
        days = [day.lower() for day in self.on if not day.isdigit()]
        unknown = [day for day in days if day not in WEEKDAYS]
        if unknown:
            raise UsageError(
                f"--on {unknown[0]}: must be a day of the week ({', '.join(WEEKDAYS)}) or of the month (1)"
            )
        return days or None

    def _month_days(self) -> list[int] | None:
        return [int(day) for day in self.on if day.isdigit()] or None


def create(workspace: Workspace, name: str, source: Path, when: When, cluster: str | None) -> Any:
    """Create a schedule, or change the one of that name.

    Azure ML's client schedules pipelines only, so a command or sweep job becomes a pipeline of one step.

    Args:
        workspace: The team's workspace.
        name: Name of the schedule.
        source: The job's file.
        when: Its times.
        cluster: Runs it on this cluster, instead of those that it names.

    Raises:
        JobError: The job or its times are wrong, or Azure ML refused them.
    """
    from azure.ai.ml.entities import JobSchedule  # noqa: PLC0415

    trigger = when.trigger()
    prepared = prepare(workspace, source, cluster)
    schedule = JobSchedule(name=name, trigger=trigger, create_job=_pipeline(prepared.job), tags=prepared.job.tags)
    try:
        return quietly(lambda: workspace.client.schedules.begin_create_or_update(schedule).result())
    except Exception as error:  # azure-ai-ml passes on what its validators, storage and Azure raise, all kinds
        raise JobError(f"schedule {name}: {invalid(error)}") from error


def _pipeline(job: Any) -> Any:
    if job.type == "pipeline":
        return job
    from azure.ai.ml import dsl  # noqa: PLC0415

    title, compute, experiment = job.display_name or "scheduled", job.compute, job.experiment_name
    tags = dict(job.tags or {})

    @dsl.pipeline(display_name=title, default_compute=compute, experiment_name=experiment, tags=tags)  # type: ignore[call-overload,untyped-decorator]
    def scheduled() -> None:
        step = job()
        step.name = "job"

    return scheduled()
