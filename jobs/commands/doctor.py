"""What keeps a person from running jobs."""

from __future__ import annotations

from dataclasses import asdict

import typer

from jobs.commands.options import OutputsOption, StackOption, TeamOption, connect
from terminal import FAILED, JsonOption, print_json


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    app.command()(doctor)


def doctor(
    *,
    as_json: JsonOption = False,
    stack: StackOption = None,
    outputs: OutputsOption = None,
    team: TeamOption = None,
) -> int:
    """Check sign-in, workspace, rights, clusters and datastores; exit with 1 if anything is wrong."""
    from jobs.doctor import examine  # noqa: PLC0415 - loads the outputs' model

    found = []
    for finding in examine(connect(stack, outputs, team)):
        found.append(finding)
        if not as_json:
            print(f"{'ok   ' if finding.fine else 'WRONG'}  {finding.check}: {finding.said}", flush=True)
    if as_json:
        print_json([asdict(finding) for finding in found])
    return 0 if all(finding.fine for finding in found) else FAILED
