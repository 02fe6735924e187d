"""What a team's runs and endpoints used."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobs.commands.options import OutputsOption, StackOption, TeamOption, connect
from jobs.errors import UsageError
from terminal import JsonOption, print_json, print_table

if TYPE_CHECKING:
    from jobs.cost import Period, Use

_DAY = "%Y-%m-%d"


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    app.command()(cost)


def cost(
    *,
    start: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="First day, as 2026-11-01; else the month's first.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", metavar="DAY", help="Day after the last one; until now if left out.")
    ] = None,
    person: Annotated[str | None, typer.Option(help="Only who has this in the name.")] = None,
    as_json: JsonOption = False,
    stack: StackOption = None,
    outputs: OutputsOption = None,
    team: TeamOption = None,
) -> None:
    """Show what runs and endpoints used, by person and experiment: node hours and their price."""
    from jobs import cost as used  # noqa: PLC0415 - loads the outputs' model

    now = datetime.now(UTC)
    period = used.Period(
        _day("--from", start) if start else now.replace(day=1, hour=0, minute=0, second=0, microsecond=0),
        _day("--to", end) if end else datetime.max.replace(tzinfo=UTC),
    )
    workspace = connect(stack, outputs, team)

    def kept(uses: list[Use]) -> list[Use]:
        return [one for one in uses if person is None or person.lower() in one.person.lower()]

    runs, endpoints = kept(used.runs(workspace, period)), kept(used.endpoints(workspace, period))
    if as_json:
        print_json(_json(period, end, runs, endpoints))
    else:
        _print(period, end, runs, endpoints)


def _day(option: str, text: str) -> datetime:
    try:
        return datetime.strptime(text, _DAY).replace(tzinfo=UTC)
    except ValueError:
        raise UsageError(f"{option} {text}: write a day as 2026-11-01") from None


def _json(period: Period, end: str | None, runs: list[Use], endpoints: list[Use]) -> dict[str, Any]:
    return {
        "from": f"{period.start:{_DAY}}",
        "to": end,
        "runs": [asdict(one) | {"nodeHours": one.node_hours} for one in runs],
        "endpoints": [asdict(one) | {"nodeHours": one.node_hours} for one in endpoints],
        "total": sum(one.cost for one in [*runs, *endpoints]),
        "unpricedHours": sum(one.unpriced for one in [*runs, *endpoints]),
    }


def _print(period: Period, end: str | None, runs: list[Use], endpoints: list[Use]) -> None:
    words = f"from {period.start:{_DAY}} to {end or 'now'}"
    if not runs and not endpoints:
        print(f"nothing was used {words}")
        return
    rows = [_row("experiment", one) for one in runs] + [_row("endpoint", one) for one in endpoints]
    print_table(("PERSON", "KIND", "NAME", "RUNS", "NODE HOURS", "$"), rows)
    print(f"\n{sum(one.cost for one in [*runs, *endpoints]):.2f} $ {words}, without idle nodes, storage and networks")
    unpriced = sum(one.unpriced for one in [*runs, *endpoints])
    if unpriced:
        print(f"{unpriced:.2f} node hours have no price in the stack's outputs")


def _row(kind: str, one: Use) -> tuple[str, ...]:
    cost = f"{one.cost:.2f}" + (" and more" if one.unpriced else "")
    return (one.person, kind, one.what, str(one.count), f"{one.node_hours:.2f}", cost)
