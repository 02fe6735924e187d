"""`costs`: what a department costs while idle, likely and at most; `--refresh` reads today's prices first."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from catalogue import meters, prices
from catalogue.meters import HOURS
from department.commands.refresh import Change, refresh_prices
from operations.costs.charges import Charge, Range
from operations.costs.report import Report, read_price_book, report
from operations.costs.retail import HOST
from settings import read_stack_file
from terminal import print_json, print_table


def run(files: list[Path], *, refresh: bool, table: Path | None, services: Path | None, as_json: bool) -> int:
    """Print the report of each stack file, at prices that are refreshed first where that is asked.

    Raises:
        SettingsError: A stack file cannot be used.
        TableError: A table of prices cannot be read or written.
        PricesUnavailableError: The prices cannot be refreshed; the tables stay as they were.
    """
    departments = {file: read_stack_file(file) for file in files}
    changes: list[Change] = []
    if refresh:
        regions = {department.region for department in departments.values()}
        changes = refresh_prices(sorted(regions), table, services)
    book = read_price_book(table or prices.TABLE, services or meters.TABLE)
    reports = {file: report(department, book) for file, department in departments.items()}
    if as_json:
        print_json(_document(changes, reports, refreshed=refresh))
        return 0
    for change in changes:
        print(change.text())
    for file, shown in reports.items():
        _draw(file, shown)
    missing = any(charge.price is None or charge.price_of for shown in reports.values() for charge in shown.charges)
    if missing and not refresh:
        print(f"For missing prices add --refresh, which reads {HOST}.")
    return 0


def _document(changes: list[Change], reports: dict[Path, Report], *, refreshed: bool) -> dict[str, Any]:
    document: dict[str, Any] = {"reports": [_json(file, shown) for file, shown in reports.items()]}
    if refreshed:
        document["refreshed"] = [change.document() for change in changes]
    return document


def _json(file: Path, shown: Report) -> dict[str, Any]:
    return {
        "file": str(file),
        "region": shown.region,
        "currency": "USD",
        "asOf": shown.as_of.isoformat() if shown.as_of else None,
        **_range(shown.total),
        "sumsAreLowerBounds": bool(shown.unpriced),
        "teams": [{"team": team, **_range(amount)} for team, amount in shown.teams.items()],
        "charges": [_charge(charge) for charge in shown.charges],
    }


def _range(amount: Range | None) -> dict[str, float | None]:
    if amount is None:
        return {"monthlyFloor": None, "monthlyLikely": None, "monthlyCeiling": None}
    parts = (amount.floor, amount.likely, amount.worst)
    return dict(zip(("monthlyFloor", "monthlyLikely", "monthlyCeiling"), map(float, parts), strict=True))


def _charge(charge: Charge) -> dict[str, Any]:
    return {
        "team": charge.team,
        "name": charge.name,
        "type": charge.type,
        "what": charge.what,
        "unit": charge.unit,
        "price": None if charge.price is None else float(charge.price),
        "asOf": charge.as_of.isoformat() if charge.as_of else None,
        "source": charge.source,
        "byUse": charge.by_use,
        "assumptions": list(charge.notes),
        "priceOf": charge.price_of,
        **_range(charge.amount),
    }


def _draw(file: Path, shown: Report) -> None:
    """The report as a table, with what its numbers rest on below it."""
    day = f"VM prices of {shown.as_of}" if shown.as_of else "no VM prices known"
    print(f"{file}: {shown.region}, US dollars a month, {day}")
    least = "at least " if shown.unpriced else ""
    table = Table(box=SIMPLE_HEAD, show_footer=True)
    table.add_column("Team", "all", no_wrap=True)
    table.add_column("Charge")
    for head, amount in zip(("Idle", "Likely", "At most"), _parts(shown.total), strict=True):
        table.add_column(head, f"{least}{amount:,.2f}", justify="right", no_wrap=True)
    for charge, count in _alike(shown.charges).values():
        many = f"{count} × " if count > 1 else ""
        mark = "≤ " if charge.upper_bound else "≈ " if charge.price_of else ""
        priced = charge.amount
        cells = ["no price known"] * 3 if priced is None else [f"{mark}{one * count:,.2f}" for one in _parts(priced)]
        table.add_row(charge.team or "all teams", f"{many}{charge.what}", *cells)
    print_table(table)
    for line in _notes(shown):
        print(line)


def _parts(amount: Range) -> tuple[Decimal, Decimal, Decimal]:
    return amount.floor, amount.likely, amount.worst


def _alike(charges: Iterable[Charge]) -> Mapping[tuple[object, ...], tuple[Charge, int]]:
    """Equal charges of a team as one, with their number."""
    counted: dict[tuple[object, ...], tuple[Charge, int]] = {}
    for charge in charges:
        key = charge.team, charge.what, charge.unit, charge.units, charge.price
        counted[key] = charge, counted.get(key, (charge, 0))[1] + 1
    return counted


def _notes(shown: Report) -> Iterable[str]:
    yield f"Idle: clusters without nodes, instances stopped. At most: every node on for {HOURS} hours."
    assumed = dict.fromkeys(note for charge in shown.charges for note in charge.notes)
    yield from (f"- {note}" for note in assumed)
    if any(charge.upper_bound for charge in shown.charges):
        yield "≤: the low-priority price is not known; the dedicated one, which it stays well below, is taken."
    others = dict.fromkeys(charge.price_of for charge in shown.charges if charge.price_of and not charge.upper_bound)
    if others:
        yield f"≈: the price of this region is not known; that of another is taken ({', '.join(others)})."
    if missing := dict.fromkeys(f"{charge.name} ({charge.what})" for charge in shown.unpriced):
        yield f"No price known: {', '.join(missing)}. The sums are lower bounds; they leave them out."
