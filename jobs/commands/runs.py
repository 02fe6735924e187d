"""Runs: list, describe, cancel, open."""

from __future__ import annotations

import time
import webbrowser
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobs import names
from jobs.commands.completion import known, one_of
from jobs.commands.options import (
    OutputsOption,
    ReadRunArgument,
    RunArgument,
    StackOption,
    TeamOption,
    connect,
    read_runs,
)
from jobs.commands.show import as_json as run_as_json
from jobs.commands.show import print_list, print_side_by_side
from jobs.defaults import LISTED, STATES
from jobs.errors import UsageError
from terminal import JsonOption, print_json

if TYPE_CHECKING:
    from jobs.lineage import Origin

_WATCH_SECONDS = 2.0
_CLEAR = "\033[H\033[2J"  # ECMA-48: the cursor to the first line, and the screen empty


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    for command in (ps, show, cancel, retry, download, lineage, open_):
        app.command(command.__name__.rstrip("_"))(command)


def ps(
    *,
    experiment: Annotated[str | None, typer.Option(help="Only runs of this experiment.")] = None,
    status: Annotated[
        str | None,
        typer.Option(help="Only runs in this state, such as Running or Failed.", autocompletion=one_of(STATES)),
    ] = None,
    user: Annotated[str | None, typer.Option(help="Only runs of who has this in the name.")] = None,
    cluster: Annotated[
        str | None,
        typer.Option(help="Only runs that were sent to this cluster.", autocompletion=known("clusters")),
    ] = None,
    tags: Annotated[
        list[str] | None, typer.Option("--tag", metavar="KEY[=VALUE]", help="Only runs with this tag.")
    ] = None,
    parent: Annotated[
        str | None,
        typer.Option(
            metavar="RUN",
            help="The steps of this pipeline, or the trials of this sweep.",
            autocompletion=known("runs"),
        ),
    ] = None,
    schedule: Annotated[
        str | None,
        typer.Option(metavar="SCHEDULE", help="Only runs of this schedule.", autocompletion=known("schedules")),
    ] = None,
    archived: Annotated[bool, typer.Option("--archived", help="Archived runs, too.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="The most runs to list.")] = LISTED,
    watch: Annotated[bool, typer.Option("--watch", help="List them again every two seconds, until Ctrl-C.")] = False,
    as_json: JsonOption = False,
    stack: StackOption = None,
    outputs: OutputsOption = None,
    team: TeamOption = None,
) -> None:
    """List the latest runs."""
    from jobs.runs import Filter, recent  # noqa: PLC0415 - loads the outputs' model

    if watch and as_json:
        raise UsageError("--watch draws on the terminal; leave out --json, or call again")
    if status and status.lower() not in map(str.lower, STATES):
        raise UsageError(f"--status {status}: must be one of {', '.join(STATES)}")
    wanted = Filter(experiment, status, user, cluster, tags or [], parent, archived, schedule)
    workspace = connect(stack, outputs, team)
    while True:
        latest = recent(workspace, wanted, limit)
        if schedule and not latest:
            workspace.existing("schedules", schedule)  # one that was deleted still has its runs
        names.remember(workspace.team.workspace, "runs", (run.name for run in latest))
        if watch:
            print(_CLEAR, end="")
        if as_json:
            print_json([run_as_json(run) for run in latest])
        elif not latest:
            print("no runs yet" if wanted == Filter() else "no such runs")
        else:
            print_list(latest)
        if not watch:
            return
        time.sleep(_WATCH_SECONDS)


def show(
    names: Annotated[list[str], read_runs("RUN")],
    *,
    as_json: JsonOption = False,
    stack: StackOption = None,
    outputs: OutputsOption = None,
    team: TeamOption = None,
) -> None:
    """Describe runs, their parameters and metrics, side by side."""
    from jobs import runs  # noqa: PLC0415 - loads the outputs' model

    workspace = connect(stack, outputs, team)
    described = [runs.show(workspace, runs.named(workspace, name)) for name in names]
    if as_json:
        print_json([run_as_json(run) for run in described] if len(described) > 1 else run_as_json(described[0]))
        return
    print_side_by_side(described)
    for run in described:
        if run.kind in runs.PARENTS:
            print(f"\nsteps of {run.name}" if len(described) > 1 else "")
            print_list(runs.recent(workspace, runs.Filter(parent=run.name), runs.CHILDREN))


def cancel(
    run: RunArgument, *, stack: StackOption = None, outputs: OutputsOption = None, team: TeamOption = None
) -> None:
    """End a run."""
    from jobs import runs  # noqa: PLC0415 - loads the outputs' model

    print(f"run {run} is {runs.cancel(connect(stack, outputs, team), run)}")


def retry(
    run: RunArgument,
    *,
    cluster: Annotated[
        str | None, typer.Option(help="Cluster to run on, instead of the old run's.", autocompletion=known("clusters"))
    ] = None,
    as_json: JsonOption = False,
    stack: StackOption = None,
    outputs: OutputsOption = None,
    team: TeamOption = None,
) -> None:
    """Submit a run again; an output named checkpoints keeps its place."""
    from jobs import again  # noqa: PLC0415 - loads the outputs' model

    made = again.retry(connect(stack, outputs, team), run, cluster)
    if as_json:
        print_json(run_as_json(made))
    else:
        print(f"run {made.name}\n{made.url}")


def download(
    run: ReadRunArgument,
    *,
    output: Annotated[str | None, typer.Option(help="Only this output.")] = None,
    to: Annotated[Path, typer.Option(help="Folder to download to; a folder of the run's name is made.")] = Path(),
    stack: StackOption = None,
    outputs: OutputsOption = None,
    team: TeamOption = None,
) -> None:
    """Download a run's outputs, artifacts and logs."""
    from jobs import runs  # noqa: PLC0415 - loads the outputs' model

    workspace = connect(stack, outputs, team)
    print(runs.download(workspace, runs.named(workspace, run), to, output))


def lineage(
    name: Annotated[
        str,
        typer.Argument(
            metavar="MODEL|ENDPOINT|RUN", help="What to trace; MODEL may have :VERSION.", autocompletion=known("models")
        ),
    ],
    *,
    as_json: JsonOption = False,
    stack: StackOption = None,
    outputs: OutputsOption = None,
    team: TeamOption = None,
) -> None:
    """Show where a model, endpoint or run comes from: run, code, commit, data, environment."""
    from jobs.lineage import trace  # noqa: PLC0415 - loads the outputs' model
    from jobs.runs import named  # noqa: PLC0415

    workspace = connect(stack, outputs, team)
    origin = trace(workspace, named(workspace, name))
    if as_json:
        print_json(asdict(origin))
    else:
        _print_origin(origin, 0)


def _print_origin(origin: Origin, depth: int) -> None:
    print(f"{'  ' * depth}{origin.kind} {origin.name}")
    for source in origin.sources:
        _print_origin(source, depth + 1)


def open_(
    run: ReadRunArgument, *, stack: StackOption = None, outputs: OutputsOption = None, team: TeamOption = None
) -> None:
    """Open a run's page in the browser."""
    from jobs import runs  # noqa: PLC0415 - loads the outputs' model

    workspace = connect(stack, outputs, team)
    found = runs.show(workspace, runs.named(workspace, run))
    address = found.url or f"https://ml.azure.com/runs/{found.name}?wsid={workspace.team.resource_id}"
    print(address)
    webbrowser.open(address)  # reads BROWSER, which typer's `launch` does not
