"""Runs side by side: what differs in parameters, metrics, code, environment and artifacts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.commands.options import OutputsOption, StackOption, TeamOption, connect, read_runs
from jobs.commands.show import as_json as run_as_json
from jobs.errors import UsageError
from jobs.facts import facts
from terminal import JsonOption, print_json, print_table

if TYPE_CHECKING:
    from jobs.compare import Compared


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    app.command()(compare)


def compare(
    names: Annotated[list[str], read_runs("RUN RUN...")],
    *,
    everything: Annotated[bool, typer.Option("--all", help="Also what is the same in all of them.")] = False,
    code: Annotated[
        bool, typer.Option("--code", help="Also the lines of code that differ from the first run's.")
    ] = False,
    as_json: JsonOption = False,
    stack: StackOption = None,
    outputs: OutputsOption = None,
    team: TeamOption = None,
) -> None:
    """Show what differs between runs."""
    from jobs.compare import code_difference, read  # noqa: PLC0415 - loads the outputs' model
    from jobs.runs import named  # noqa: PLC0415

    if len(set(names)) < 2:  # noqa: PLR2004 - one run has nothing to be compared with
        raise UsageError("compare needs two runs: python -m jobs compare RUN RUN")
    workspace = connect(stack, outputs, team)
    first, *others = found = read(workspace, [named(workspace, name) for name in names])
    differences = {one.run.name: code_difference(workspace, first, one) for one in others} if code or as_json else {}
    if as_json:
        print_json([_json(one, differences.get(one.run.name)) for one in found])
        return
    rows = [(title, *values) for title, values in _rows(found) if any(values) and (everything or len(set(values)) > 1)]
    print_table(("", *(f"{one.run.name}" for one in found)), rows or [("nothing differs", *("" for _ in found))])
    for name, lines in differences.items():
        print(f"\ncode of {name} against {first.run.name}: {'the same' if not lines else ''}")
        print("\n".join(lines))


def _rows(found: list[Compared]) -> Iterator[tuple[str, list[str]]]:
    yield from ((title, values) for title, values in facts([one.run for one in found]) if title != "run")
    yield "environment", [one.environment for one in found]
    yield "code", [one.code.rsplit("/codes/", 1)[-1].partition("/")[0] for one in found]
    for key in ("git_commit", "git_dirty"):
        yield key, [one.run.tags.get(key, "") for one in found]
    for path in sorted(set().union(*(one.artifacts for one in found))):
        yield f"artifact {path}", [f"{one.artifacts[path]} B" if path in one.artifacts else "-" for one in found]


def _json(one: Compared, difference: list[str] | None) -> dict[str, object]:
    own = {"environment": one.environment, "code": one.code, "artifacts": one.artifacts}
    return run_as_json(one.run) | own | ({} if difference is None else {"codeDifference": difference})
