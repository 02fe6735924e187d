"""Schedules of jobs."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from jobs import names
from jobs.commands.completion import job_files, known
from jobs.commands.options import OutputsOption, StackOption, TeamOption, connect
from jobs.defaults import CHEAPEST, Frequency
from jobs.quiet import quietly
from terminal import JsonOption, print_json, print_table

NameArgument = Annotated[
    str, typer.Argument(metavar="SCHEDULE", help="Name of a schedule.", autocompletion=known("schedules"))
]


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    group = typer.Typer(help="Jobs at given times.")
    for command in (create, ls, pause, resume, trigger, delete):
        group.command()(command)
    app.add_typer(group, name="schedule")


def create(
    name: NameArgument,
    job: Annotated[
        str, typer.Argument(help="What submit takes: an example, a folder or a file.", autocompletion=job_files)
    ],
    *,
    cron: Annotated[str | None, typer.Option(help='Cron expression, such as "30 6 * * 1".')] = None,
    every: Annotated[Frequency | None, typer.Option(help="A recurrence of this unit.")] = None,
    interval: Annotated[int, typer.Option(min=1, help="Every how many of them.")] = 1,
    at: Annotated[list[str] | None, typer.Option(metavar="HH:MM", help="Time of the day; may be repeated.")] = None,
    on: Annotated[
        list[str] | None, typer.Option(metavar="DAY", help="Day of the week by name or of the month by number.")
    ] = None,
    time_zone: Annotated[str, typer.Option(help="Windows time zone, such as 'W. Europe Standard Time'.")] = "UTC",
    cluster: Annotated[
        str | None,
        typer.Option(
            help="Cluster to run on, instead of those that the job names.", autocompletion=known("clusters", CHEAPEST)
        ),
    ] = None,
    stack: StackOption = None,
    outputs: OutputsOption = None,
    team: TeamOption = None,
) -> None:
    """Create a schedule, or change the one of that name."""
    from jobs import schedules  # noqa: PLC0415 - loads the outputs' model
    from jobs.submission.source import find  # noqa: PLC0415

    when = schedules.When(cron, every, interval, tuple(at or ()), tuple(on or ()), time_zone)
    workspace = connect(stack, outputs, team)
    schedules.create(workspace, name, find(job), when, cluster)
    made = _facts(workspace.existing("schedules", name))
    first = "begins at once" if every and not (at or on) else "is at the next of these times"
    print(f"schedule {name} is {_state(made)}: {made['when']}, {made['timeZone']}; its first run {first}")
    print(f"  its runs: python -m jobs ps --schedule {name}")


def ls(
    *,
    as_json: JsonOption = False,
    stack: StackOption = None,
    outputs: OutputsOption = None,
    team: TeamOption = None,
) -> None:
    """List the schedules."""
    workspace = connect(stack, outputs, team)
    found = [_facts(one) for one in workspace.resources.list("schedules", listViewType="All")]
    names.remember(workspace.team.workspace, "schedules", (one["name"] for one in found))
    if as_json:
        print_json(found)
    elif not found:
        print("no schedules yet")
    else:
        rows = [(one["name"], _state(one), one["when"], one["timeZone"], one["start"]) for one in found]
        print_table(("NAME", "STATE", "WHEN", "TIME ZONE", "FROM"), rows)


def _state(schedule: dict[str, Any]) -> str:
    return "on" if schedule["enabled"] else "off"


def _facts(schedule: dict[str, Any]) -> dict[str, Any]:
    own = schedule["properties"]
    trigger = own["trigger"]
    every = f"every {trigger.get('interval', 1)} {str(trigger.get('frequency', '')).lower()}"
    return {
        "name": schedule["name"],
        "enabled": bool(own.get("isEnabled")),
        "when": trigger.get("expression") or every + _pattern(trigger.get("schedule") or {}),
        "timeZone": trigger.get("timeZone") or "UTC",
        "start": trigger.get("startTime") or "",
    }


def _pattern(pattern: dict[str, Any]) -> str:
    days = [*(pattern.get("weekDays") or ()), *map(str, pattern.get("monthDays") or ())]
    times = [f"{hour:02}:{minute:02}" for hour in pattern.get("hours") or () for minute in pattern.get("minutes") or ()]
    return (f" on {', '.join(days)}" if days else "") + (f" at {', '.join(times)}" if times else "")


def pause(
    name: NameArgument, *, stack: StackOption = None, outputs: OutputsOption = None, team: TeamOption = None
) -> None:
    """Switch a schedule off."""
    schedules = _known(connect(stack, outputs, team), name)
    quietly(lambda: schedules.begin_disable(name).result())
    print(f"schedule {name} is off")


def resume(
    name: NameArgument, *, stack: StackOption = None, outputs: OutputsOption = None, team: TeamOption = None
) -> None:
    """Switch a schedule on."""
    schedules = _known(connect(stack, outputs, team), name)
    quietly(lambda: schedules.begin_enable(name).result())
    print(f"schedule {name} is on")


def trigger(
    name: NameArgument, *, stack: StackOption = None, outputs: OutputsOption = None, team: TeamOption = None
) -> None:
    """Run a schedule's job now."""
    found = _known(connect(stack, outputs, team), name).trigger(name)
    print(f"run {found.job_name}")


def delete(
    name: NameArgument, *, stack: StackOption = None, outputs: OutputsOption = None, team: TeamOption = None
) -> None:
    """Switch a schedule off and delete it; its runs stay."""
    schedules = _known(connect(stack, outputs, team), name)
    quietly(lambda: schedules.begin_disable(name).result())
    quietly(lambda: schedules.begin_delete(name).result())
    print(f"schedule {name} is deleted")


def _known(workspace: Any, name: str) -> Any:
    """Return azure-ai-ml's operations of schedules, after the name was found.

    Raises:
        JobError: There is no such schedule.
    """
    workspace.existing("schedules", name)
    return workspace.client.schedules
