"""Runs: submit, list, describe, cancel."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict
from math import isfinite
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobs.commands.logs import follow_run
from jobs.commands.options import OutputsOption, RunArgument, StackOption, TeamOption, connect
from jobs.errors import JobError
from terminal import JsonOption, print_json, print_table

if TYPE_CHECKING:
    from jobs.runs import Run


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    for command in (submit, ps, show, cancel):
        app.command()(command)


def submit(
    job: Annotated[str, typer.Argument(help="An example's name, a folder with a job.yml, or an Azure ML job in YAML.")],
    *,
    cluster: Annotated[
        str | None, typer.Option(help="Cluster to run on, instead of the one that the job names.")
    ] = None,
    stream: Annotated[
        bool, typer.Option("--stream", help="Follow its log to the end, then print its metrics.")
    ] = False,
    register_as: Annotated[
        str | None,
        typer.Option("--register", metavar="NAME", help="Follow it, then register its model under this name."),
    ] = None,
    as_json: JsonOption = False,
    stack: StackOption = None,
    outputs: OutputsOption = None,
    team: TeamOption = None,
) -> None:
    """Submit a command job. With --json, progress goes to standard error."""
    from jobs import runs  # noqa: PLC0415 - loads the outputs' model

    progress = sys.stderr if as_json else sys.stdout

    def say(line: str) -> None:
        print(line, file=progress, flush=True)

    source = runs.find(job)
    workspace = connect(stack, outputs, team)
    run = runs.submit(workspace, source, cluster, say)
    say(f"run {run.name}\n{run.url}")
    version = None
    if stream or register_as:
        follow_run(workspace, run.name, progress)
        run = runs.show(workspace, run.name)
        if run.status == "Completed" and register_as:
            version = runs.register(workspace, run, register_as)
    if as_json:
        print_json(_as_json(run) | ({"model": register_as, "version": version} if version else {}))
    elif stream or register_as:
        say("")
        _print_side_by_side([run])
    if version:
        say(f"registered model {register_as}, version {version}")
    _refuse_failed(run)


def ps(
    *,
    as_json: JsonOption = False,
    stack: StackOption = None,
    outputs: OutputsOption = None,
    team: TeamOption = None,
) -> None:
    """List the latest runs."""
    from jobs.runs import recent  # noqa: PLC0415 - loads the outputs' model

    latest = recent(connect(stack, outputs, team))
    if as_json:
        print_json([_as_json(run) for run in latest])
    elif not latest:
        print("no runs yet")
    else:
        titles = ("RUN", "NAME", "EXPERIMENT", "STATUS", "CLUSTER", "CREATED")
        rows = [(run.name, run.display_name, run.experiment, run.status, run.cluster, run.created) for run in latest]
        print_table(titles, rows)


def show(
    names: Annotated[list[str], typer.Argument(metavar="RUN", help="Names of runs, as ps lists them.")],
    *,
    as_json: JsonOption = False,
    stack: StackOption = None,
    outputs: OutputsOption = None,
    team: TeamOption = None,
) -> None:
    """Describe runs and their metrics, side by side."""
    from jobs import runs  # noqa: PLC0415 - loads the outputs' model

    workspace = connect(stack, outputs, team)
    described = [runs.show(workspace, name) for name in names]
    if as_json:
        print_json([_as_json(run) for run in described] if len(described) > 1 else _as_json(described[0]))
    else:
        _print_side_by_side(described)


def cancel(
    run: RunArgument, *, stack: StackOption = None, outputs: OutputsOption = None, team: TeamOption = None
) -> None:
    """End a run."""
    from jobs import runs  # noqa: PLC0415 - loads the outputs' model

    print(f"run {run} is {runs.cancel(connect(stack, outputs, team), run)}")


def _refuse_failed(run: Run) -> None:
    """Raise a JobError if a run has ended without success."""
    from jobs.history import ENDED  # noqa: PLC0415 - loads the clients

    if run.status in ENDED - {"Completed"}:
        raise JobError(f"run {run.name} ended as {run.status}" + (f": {run.error}" if run.error else ""))


def _as_json(run: Run) -> dict[str, Any]:
    # JSON has no NaN; a metric that is not finite becomes null
    metrics = {name: value if isfinite(value) else None for name, value in run.metrics.items()}
    return asdict(run) | {"seconds": run.seconds, "metrics": metrics}


def _print_side_by_side(runs: list[Run]) -> None:
    """Print runs as columns: their facts, then every metric that any of them has."""
    (titles, *rows) = [(title, *values) for title, values in _facts(runs) if any(values)]
    print_table(titles, rows)


def _facts(runs: list[Run]) -> Iterator[tuple[str, list[str]]]:
    yield "run", [run.name for run in runs]
    yield "name", [run.display_name for run in runs]
    yield "status", [run.status for run in runs]
    yield "cluster", [run.cluster for run in runs]
    yield "created", [run.created for run in runs]
    yield "seconds", ["" if run.seconds is None else f"{run.seconds:.1f}" for run in runs]
    yield "error", [run.error or "" for run in runs]
    for name in sorted(set().union(*(run.metrics for run in runs))):
        yield name, [f"{run.metrics[name]:.6g}" if name in run.metrics else "" for run in runs]
