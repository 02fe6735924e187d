"""Options that several commands have, and the workspace that they lead to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobs import names
from jobs.commands.completion import known
from jobs.defaults import STACK
from jobs.errors import UsageError

if TYPE_CHECKING:
    from jobs.workspace import Workspace

StackOption = Annotated[
    str | None,
    typer.Option(
        "--stack", envvar="JOBS_STACK", help=f"Stack whose outputs say where the workspace is (default: {STACK})."
    ),
]
OutputsOption = Annotated[
    Path | None,
    typer.Option(
        "--outputs", envvar="JOBS_OUTPUTS", metavar="FILE", help="Outputs saved with pulumi stack output --json."
    ),
]
TeamOption = Annotated[
    str | None,
    typer.Option(
        "--team",
        envvar="JOBS_TEAM",
        help="Team of the department; needed if it has more than one.",
        autocompletion=known("teams"),
    ),
]


def _exact(name: str) -> str:
    """Refuse `latest` where a command changes something: by now it may be somebody else's run."""
    if name.partition("~")[0] == "latest":
        raise UsageError(f"{name}: name the run, as `python -m jobs ps` lists it; the latest may be somebody else's")
    return name


RunArgument = Annotated[
    str,
    typer.Argument(metavar="RUN", help="Name of a run, as ps lists it.", autocompletion=known("runs"), callback=_exact),
]
ReadRunArgument = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="Name of a run, as ps lists it; or latest, latest~1 and so on.",
        autocompletion=known("runs", "latest"),
    ),
]


def read_runs(metavar: str) -> Any:
    """Return the argument of a command that reads several runs, which usage lines show as `metavar`."""
    return typer.Argument(
        metavar=metavar,
        help="Names of runs, as ps lists them; or latest, latest~1 and so on.",
        autocompletion=known("runs", "latest"),
    )


def pairs(option: str, texts: list[str]) -> dict[str, str]:
    """Read the values of an option that takes `NAME=VALUE`.

    Raises:
        JobError: One has another form.
    """
    parts = [text.partition("=") for text in texts]
    for text, (name, _, value) in zip(texts, parts, strict=True):
        if not name or not value:
            raise UsageError(f"{option} {text}: write NAME=VALUE, such as {option} data=sales.csv")
    return {name: value for name, _, value in parts}


def connect(stack: str | None, outputs: Path | None, team: str | None) -> Workspace:
    """Return the workspace of a team, by the outputs of its stack.

    Args:
        stack: Name of the stack; STACK if left out. With `outputs`, the stack that they must be of.
        outputs: File with the stack's outputs; asked of `pulumi` if left out.
        team: The team; the department's only one if left out.

    Raises:
        JobError: The outputs cannot be read, or have no such team.
    """
    from jobs.outputs import read_file, read_stack  # noqa: PLC0415 - pydantic takes longer to load than --help runs
    from jobs.workspace import Workspace  # noqa: PLC0415

    read = read_file(outputs, stack) if outputs else read_stack(stack or STACK)
    workspace = Workspace(read, read.team_name(team))
    own = workspace.team
    datastores = (f"{name}/" for name in own.datastores)
    names.select(stack, outputs, team, own.workspace, clusters=own.clusters, datastores=datastores, teams=read.teams)
    return workspace
