"""`costs`: what a department's compute costs while idle and at most; `--refresh` reads today's prices first."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from catalogue.prices import TABLE, Prices, RegionPrices, read_prices
from operations.costs.report import HOURS, Line, Report, report
from operations.costs.retail import HOST, Key, PricesUnavailableError, read_region
from operations.costs.table import write_prices
from settings import read_stack_file
from terminal import print_json, print_table


def run(files: list[Path], *, refresh: bool, table: Path | None, as_json: bool) -> int:
    """Print the report of each stack file, at prices that are refreshed first where that is asked.

    Raises:
        SettingsError: A stack file cannot be used.
        TableError: The table of prices cannot be read or written.
        PricesUnavailableError: The prices cannot be refreshed; the table stays as it was.
    """
    table = table or TABLE
    departments = {file: read_stack_file(file) for file in files}
    prices = read_prices(table)
    changes: list[_Change] = []
    if refresh:
        regions = {department.region for department in departments.values()} or set(prices.regions)
        prices, changes = _refreshed(prices, sorted(regions), invented=table.resolve() != TABLE.resolve())
        write_prices(prices, table)
    reports = {file: report(department, prices) for file, department in departments.items()}
    if as_json:
        print_json(_document(changes, reports, refreshed=refresh))
        return 0
    for change in changes:
        print(change.text())
    for file, shown in reports.items():
        _draw(file, shown)
    lines = [line for shown in reports.values() for line in shown.lines]
    if not refresh and any(line.upper_bound or line.hourly is None for line in lines):
        print(f"Missing prices: add --refresh, which reads {HOST}.")
    return 0


@dataclass(frozen=True)
class _Change:
    """The prices that a refresh changed in a region."""

    region: str
    before: RegionPrices | None
    after: RegionPrices

    @property
    def old(self) -> dict[Key, Decimal]:
        return dict(self.before.hourly) if self.before else {}

    @property
    def changed(self) -> list[Key]:
        return sorted(key for key, price in self.old.items() if self.after.hourly.get(key, price) != price)

    @property
    def new(self) -> list[Key]:
        return sorted(self.after.hourly.keys() - self.old.keys())

    @property
    def gone(self) -> list[Key]:
        return sorted(self.old.keys() - self.after.hourly.keys())

    def text(self) -> str:
        """The numbers of new, changed and gone prices; then each price that changed or is gone."""
        since = f"{self.before.as_of} → " if self.before else ""
        head = (
            f"{self.region} ({since}{self.after.as_of}): {len(self.new)} new, {len(self.changed)} changed, "
            f"{len(self.gone)} gone, {len(self.after.hourly)} known"
        )
        lines = [f"  {_words(key)}: {self.old[key]} → {self.after.hourly[key]}" for key in self.changed]
        return "\n".join([head, *lines, *(f"  {_words(key)}: {self.old[key]} → not known" for key in self.gone)])


def _words(key: Key) -> str:
    size, priority = key
    return size if priority == "dedicated" else f"{size} low priority"


def _refreshed(prices: Prices, regions: Iterable[str], *, invented: bool) -> tuple[Prices, list[_Change]]:
    """The table with today's prices of the regions, and what changed.

    Raises:
        PricesUnavailableError: If they cannot all be read; nothing is then to be written.
    """
    regional, changes = dict(prices.regions), []
    for region in regions:
        print(f"reading {region} …", file=sys.stderr)
        after = read_region(region, date.today(), invented=invented)
        if after.hourly:
            changes.append(_Change(region, regional.get(region), after))
            regional[region] = after
        else:
            print(f"{HOST} has no price for region {region}; the table keeps its prices.", file=sys.stderr)
    if not changes:
        raise PricesUnavailableError(f"{HOST} has no price for any of the regions; nothing is written.")
    return Prices(regional, prices.head), changes


def _document(changes: list[_Change], reports: dict[Path, Report], *, refreshed: bool) -> dict[str, Any]:
    document: dict[str, Any] = {"reports": [_json(file, shown) for file, shown in reports.items()]}
    if refreshed:
        document["refreshed"] = [
            {
                "region": change.region,
                "asOf": change.after.as_of.isoformat(),
                "new": [_words(key) for key in change.new],
                "gone": [_words(key) for key in change.gone],
                "changed": {_words(k): [float(change.old[k]), float(change.after.hourly[k])] for k in change.changed},
            }
            for change in changes
        ]
    return document


def _json(file: Path, shown: Report) -> dict[str, Any]:
    return {
        "file": str(file),
        "region": shown.region,
        "currency": "USD",
        "asOf": shown.as_of.isoformat() if shown.as_of else None,
        "monthlyFloor": float(shown.floor),
        "monthlyCeiling": float(shown.ceiling),
        "ceilingIsLowerBound": bool(shown.unpriced),
        "compute": [
            {
                "team": line.team,
                "name": line.name,
                "kind": line.kind,
                "vmSize": line.size,
                "priority": line.priority,
                "maxNodes": line.nodes,
                "hourly": None if line.hourly is None else float(line.hourly),
                "hourlyIsUpperBound": line.upper_bound,
                "monthlyCeiling": None if line.ceiling is None else float(line.ceiling),
            }
            for line in shown.lines
        ],
    }


def _draw(file: Path, shown: Report) -> None:
    """The report as a table, with what its numbers leave out below it."""
    day = f"prices of {shown.as_of}" if shown.as_of else "no prices known"
    print(f"{file}: compute in {shown.region}, US dollars, {day}")
    table = Table(box=SIMPLE_HEAD, show_footer=True)
    table.add_column("Compute", "all", no_wrap=True)
    table.add_column("Nodes, at most", no_wrap=True)
    table.add_column("An hour each", justify="right", no_wrap=True)
    least = "at least " if shown.unpriced else ""
    table.add_column("A month, at most", f"{least}{shown.ceiling:,.2f}", justify="right", no_wrap=True)
    for line in shown.lines:
        low = ", low priority" if line.priority == "lowPriority" else ""
        table.add_row(f"{line.team}/{line.name}", f"{line.nodes} × {line.size}{low}", _hour(line), _month(line))
    print_table(table)
    print(f"Idle: {shown.floor:.2f} a month: clusters then have no nodes, and instances stop.")
    print(f"At most: every node on for {HOURS} hours. Without storage, disks, registry, logs and network.")
    if any(line.upper_bound for line in shown.lines):
        print("≤: the low-priority price is not known; the dedicated shown, which it stays well below, is taken.")
    if shown.unpriced:
        missing = ", ".join(f"{line.team}/{line.name} ({line.size})" for line in shown.unpriced)
        print(f"No price known: {missing}. The sum is a lower bound; it leaves them out.")


def _hour(line: Line) -> str:
    if line.hourly is None:
        return "no price known"
    return f"{'≤ ' if line.upper_bound else ''}{line.hourly.normalize():f}"


def _month(line: Line) -> str:
    return "no price known" if line.ceiling is None else f"{line.ceiling:,.2f}"
