"""The workspace for other clients, and a service principal's variables for a shell."""

from __future__ import annotations

import shlex
import sys
from typing import Annotated

import typer

from jobs.commands.options import OutputsOption, StackOption, TeamOption, connect
from jobs.errors import JobError, UsageError
from jobs.plain import Format, text


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    app.command()(env)


def env(
    *,
    automation: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Which of the team's; needed if several have a secret."),
    ] = None,
    form: Annotated[
        Format | None,
        typer.Option("--format", help="The workspace for plain clients."),
    ] = None,
    stack: StackOption = None,
    outputs: OutputsOption = None,
    team: TeamOption = None,
) -> None:
    """Print a service principal's exports for eval "$(…)", or with --format the workspace for other clients."""
    if form:
        if automation:
            raise UsageError("--format prints no secret: leave out --automation, or --format")
        print(text(connect(stack, outputs, team).team, form))
        return
    from jobs.automation import variables  # noqa: PLC0415 - loads the outputs' model

    if sys.stdout.isatty():
        raise JobError('env prints a secret, so not to a terminal: eval "$(python -m jobs env …)" takes it over')
    for name, value in variables(connect(stack, outputs, team), automation).items():
        print(f"export {name}={shlex.quote(value)}")
