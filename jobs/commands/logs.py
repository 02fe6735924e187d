"""A run's log."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from jobs.commands.options import OutputsOption, ReadRunArgument, StackOption, TeamOption, connect

if TYPE_CHECKING:
    from jobs.workspace import Workspace


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    app.command()(logs)


def logs(
    run: ReadRunArgument,
    *,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until the run has ended; exit with 1 if it failed.")
    ] = False,
    stack: StackOption = None,
    outputs: OutputsOption = None,
    team: TeamOption = None,
) -> int:
    """Print a run's log."""
    from jobs.runs import named  # noqa: PLC0415 - loads the outputs' model

    workspace = connect(stack, outputs, team)
    run = named(workspace, run)
    if follow:
        return 0 if follow_run(workspace, run, sys.stdout, logs=True) == "Completed" else 1
    printer = _LogPrinter(sys.stdout)
    for name, text in workspace.history.read_logs(run):
        printer.log(name, text)
    return 0


def follow_run(workspace: Workspace, run: str, out: TextIO, *, logs: bool) -> str:
    """Print a run's states, and its log if that is wanted, until it has ended; returns its last state."""
    from jobs.history import QUEUED  # noqa: PLC0415 - loads the outputs' model
    from jobs.waiting import why  # noqa: PLC0415

    printer = _LogPrinter(out)

    def changed(status: str) -> None:
        reason = why(workspace, workspace.resources.get("jobs", run)) if status == QUEUED else None
        printer.status(f"[{status}: {reason}]" if reason else f"[{status}]")

    details = workspace.history.follow(run, printer.log if logs else lambda *_: None, changed)
    status: str = details["status"]
    return status


class _LogPrinter:
    """Prints pieces of logs as they are, under a file's name if there is more than one file."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._last: str | None = None

    def log(self, name: str, text: bytes) -> None:
        if self._last not in (None, name):
            self.status(f"==> {name} <==")
        self._last = name
        self._out.buffer.write(text)
        self._out.flush()

    def status(self, line: str) -> None:
        print(line, file=self._out, flush=True)
