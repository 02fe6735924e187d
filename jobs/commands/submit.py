"""Submit a job: what would be sent, what it may cost, and the run to its end."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import asdict
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobs import names
from jobs.commands.completion import job_files, known
from jobs.commands.local import Local, run_here
from jobs.commands.logs import follow_run
from jobs.commands.options import OutputsOption, StackOption, TeamOption, connect, pairs
from jobs.commands.show import as_json as run_as_json
from jobs.commands.show import print_side_by_side
from jobs.defaults import CHEAPEST
from jobs.errors import JobError, UsageError
from jobs.submission import examples
from terminal import JsonOption, print_json, print_table

if TYPE_CHECKING:
    from azure.ai.ml.entities import Job

    from jobs.runs import Run
    from jobs.submission.estimate import Estimate
    from jobs.submission.submit import Prepared
    from jobs.workspace import Workspace


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    app.command()(submit)


def submit(
    job: Annotated[
        str,
        typer.Argument(
            help="A folder with a job.yml, an Azure ML job in YAML, a Python file, or an example: "
            f"{', '.join(examples.names())}.",
            autocompletion=job_files,
        ),
    ],
    *,
    cluster: Annotated[
        str | None,
        typer.Option(
            help="Cluster to run on, instead of those that the job names; or: cheapest.",
            autocompletion=known("clusters", CHEAPEST),
        ),
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PATH=VALUE", help="Change a key of the YAML, such as inputs.seed=1."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the job, its cluster and its worst cost; send nothing.")
    ] = False,
    stream: Annotated[
        bool, typer.Option("--stream", help="Follow its log to the end, then print its metrics.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for its end without its log.")] = False,
    register_as: Annotated[
        str | None,
        typer.Option("--register", metavar="NAME", help="Follow it, then register its model under this name."),
    ] = None,
    local: Annotated[
        bool, typer.Option("--local", help="Run it on this machine, without cloud and Docker, and follow it.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="With --local: run it again at each change of its files, until Ctrl-C.")
    ] = False,
    places: Annotated[
        list[str] | None,
        typer.Option("--input", metavar="NAME=PATH", help="A local file or folder, instead of this input's path."),
    ] = None,
    to: Annotated[
        Path | None, typer.Option(help="With --local: folder for outputs and logs, instead of local/NAME.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Submit it even above the team's spending limit.")] = False,
    as_json: JsonOption = False,
    stack: StackOption = None,
    outputs: OutputsOption = None,
    team: TeamOption = None,
) -> None:
    """Submit a command, pipeline or sweep job. With --json, progress goes to standard error."""
    from jobs.submission.source import find  # noqa: PLC0415 - loads the outputs' model
    from jobs.submission.submit import prepare, send  # noqa: PLC0415

    progress = sys.stderr if as_json else sys.stdout

    def say(line: str) -> None:
        print(line, file=progress, flush=True)

    source = find(job)
    given = {name: Path(path) for name, path in pairs("--input", places or []).items()}
    if local and not dry_run:
        if register_as:
            raise UsageError("--register needs a run in the workspace: leave out --local")
        asked = Local(source, cluster, changes or [], given, to, as_json)
        run_here(asked, say, stack, outputs, team, watch=watch)
        return
    if watch or to:
        raise UsageError(f"{'--watch' if watch else '--to'} goes with --local")
    workspace = connect(stack, outputs, team)
    prepared = prepare(workspace, source, cluster, changes or [], given)
    if dry_run:
        _show(workspace, prepared, as_json)
        return
    _ask(workspace, prepared.estimate, yes)
    run = send(workspace, prepared, say)
    names.remember(workspace.team.workspace, "runs", [run.name])
    say(f"run {run.name}\n{run.url}")
    _finish(workspace, run, register_as, as_json, say, stream=stream, wait=wait)


def _finish(
    workspace: Workspace,
    run: Run,
    register_as: str | None,
    as_json: bool,
    say: Callable[[str], None],
    *,
    stream: bool,
    wait: bool,
) -> None:
    """Follow a run as far as is asked for, print it, and raise a JobError if it failed."""
    from jobs import models, runs  # noqa: PLC0415 - loads the outputs' model

    version, followed = None, stream or wait or bool(register_as)
    if followed:
        follow_run(workspace, run.name, sys.stderr if as_json else sys.stdout, logs=stream or not wait)
        run = runs.show(workspace, run.name)
        if run.status == "Completed" and register_as:
            version = models.register_run(workspace, run, register_as)
    if as_json:
        print_json(run_as_json(run) | ({"model": register_as, "version": version} if version else {}))
    elif followed:
        say("")
        print_side_by_side([run])
    if version:
        say(f"registered model {register_as}, version {version}")
    runs.refuse_failed(run)


def _ask(workspace: Workspace, priced: Estimate, yes: bool) -> None:
    """Ask before a job that may cost more than the team's limit for a job is sent.

    Raises:
        JobError: Nobody can be asked, and `--yes` was not given.
        typer.Abort: The answer was no.
    """
    limit = workspace.team.spending.per_job
    if limit is None or yes or (priced.worst is not None and priced.worst <= limit):
        return
    worst = "; ".join(priced.open_ended) if priced.worst is None else f"at worst it costs {priced.worst:.2f} $"
    said = f"the limit of team {workspace.team_name} for a job is {limit:.2f} $, and {worst}"
    if not sys.stdin.isatty():
        raise JobError(f"{said}\n  --yes submits it all the same; limits.timeout in the job lowers its worst cost")
    typer.confirm(f"{said}. Submit it?", abort=True, err=True)


def _show(workspace: Workspace, prepared: Prepared, as_json: bool) -> None:
    """Print what would be sent, where, and what it may cost."""
    priced = prepared.estimate
    if as_json:
        print_json(_dry_run(workspace, prepared))
        return
    print(_as_yaml(prepared.job).rstrip())
    for given in prepared.inputs:
        print(f"# uploads {given.file} to {given.datastore}/{given.path}, unless it is there")
    print()
    titles = ("STEP", "CLUSTER", "VM SIZE", "NODES", "$ AN HOUR", "HOURS AT MOST", "$ AT WORST")
    rows = [
        (
            step.name or "-",
            step.cluster,
            step.vm_size or "-",
            str(step.nodes),
            _number(step.hourly, "unknown"),
            _number(step.hours, "no limit"),
            _number(step.worst, "no limit"),
        )
        for step in priced.steps
    ]
    print_table(titles, rows)
    print(
        f"\nat worst {priced.worst:.2f} $; nothing was sent"
        if priced.worst is not None
        else "\nno worst cost: " + "; ".join(priced.open_ended) + "; nothing was sent"
    )


def _as_yaml(job: Job) -> str:
    text = StringIO()
    job.dump(text)
    return text.getvalue()


def _number(value: float | None, unknown: str) -> str:
    return unknown if value is None else f"{value:.2f}"


def _dry_run(workspace: Workspace, prepared: Prepared) -> dict[str, Any]:
    import yaml  # noqa: PLC0415

    return {
        "job": yaml.safe_load(_as_yaml(prepared.job)),
        "workspace": workspace.team.workspace,
        "uploads": [{"file": str(one.file), "datastore": one.datastore, "path": one.path} for one in prepared.inputs],
        "steps": [asdict(step) | {"worst": step.worst} for step in prepared.estimate.steps],
        "worst": prepared.estimate.worst,
        "openEnded": prepared.estimate.open_ended,
        "limit": workspace.team.spending.per_job,
    }
