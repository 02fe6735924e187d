"""Reading today's prices into the tables, and telling what changed."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from catalogue import meters, prices
from catalogue.meters import EVERYWHERE, METERS, ServicePrices, read_service_prices
from catalogue.prices import Prices, read_prices
from operations.costs.retail import HOST, Key, PricesUnavailableError, read_region, read_services
from operations.costs.table import write_prices, write_service_prices


@dataclass(frozen=True)
class Change:
    """The prices that a refresh changed in a region.

    Attributes:
        region: The region.
        since: Day of the older prices; None if there were none.
        as_of: Day of the new ones.
        old: The older prices by what they are for, in words.
        now: The new ones.
    """

    region: str
    since: date | None
    as_of: date
    old: Mapping[str, Decimal]
    now: Mapping[str, Decimal]

    @property
    def changed(self) -> list[str]:
        """What has another price."""
        return sorted(words for words, price in self.old.items() if self.now.get(words, price) != price)

    @property
    def new(self) -> list[str]:
        """What had no price."""
        return sorted(self.now.keys() - self.old.keys())

    @property
    def gone(self) -> list[str]:
        """What has none any more."""
        return sorted(self.old.keys() - self.now.keys())

    def text(self) -> str:
        """The numbers of new, changed and gone prices; then each price that changed or is gone."""
        since = f"{self.since} → " if self.since else ""
        head = (
            f"{self.region} ({since}{self.as_of}): {len(self.new)} new, {len(self.changed)} changed, "
            f"{len(self.gone)} gone, {len(self.now)} known"
        )
        lines = [f"  {words}: {self.old[words]} → {self.now[words]}" for words in self.changed]
        return "\n".join([head, *lines, *(f"  {words}: {self.old[words]} → not known" for words in self.gone)])

    def document(self) -> dict[str, Any]:
        """The same for machines."""
        return {
            "region": self.region,
            "asOf": self.as_of.isoformat(),
            "new": self.new,
            "gone": self.gone,
            "changed": {words: [float(self.old[words]), float(self.now[words])] for words in self.changed},
        }


def refresh_prices(regions: Sequence[str], table: Path | None, services: Path | None) -> list[Change]:
    """Read today's prices into the tables that are named; into both of the project's own where none is.

    Args:
        regions: Regions to read; all that the table of VMs has if empty.
        table: Table of the prices of VMs.
        services: Table of the prices of services.

    Raises:
        TableError: A table cannot be read or written.
        PricesUnavailableError: The prices cannot all be read; nothing is then written.
    """
    both = table is None and services is None
    nodes = prices.TABLE if both else table
    others = meters.TABLE if both else services
    wanted = list(regions) or sorted(read_prices(nodes or prices.TABLE).regions)
    changes: list[Change] = []
    refreshed = merged = None
    if nodes:
        refreshed, told = _nodes(read_prices(nodes), wanted, invented=nodes.resolve() != prices.TABLE.resolve())
        changes += told
    if others:
        own = others.resolve() == meters.TABLE.resolve()
        merged, told = _services(read_service_prices(others), wanted, invented=not own)
        changes += told
    if nodes and refreshed:
        write_prices(refreshed, nodes)
    if others and merged:
        write_service_prices(merged, others)
    return changes


def _nodes(before: Prices, regions: Sequence[str], *, invented: bool) -> tuple[Prices, list[Change]]:
    regional, changes = dict(before.regions), []
    for region in regions:
        print(f"reading {region} …", file=sys.stderr)
        after, known = read_region(region, date.today(), invented=invented), regional.get(region)
        if after.hourly:
            old = {_words(key): price for key, price in known.hourly.items()} if known else {}
            now = {_words(key): price for key, price in after.hourly.items()}
            changes.append(Change(region, known.as_of if known else None, after.as_of, old, now))
            regional[region] = after
        else:
            print(f"{HOST} has no price for region {region}; the table keeps its prices.", file=sys.stderr)
    if not changes:
        raise PricesUnavailableError(f"{HOST} has no price for any of the regions; nothing is written.")
    return Prices(regional, before.head), changes


def _services(before: ServicePrices, regions: Sequence[str], *, invented: bool) -> tuple[ServicePrices, list[Change]]:
    """The table with today's prices; one that the API has no more stays with its older day."""
    print("reading services …", file=sys.stderr)
    found, after, changes, today = read_services(regions, invented=invented), before, [], date.today()
    if missing := {key for key, meter in METERS.items() if meter.service} - {
        key for one in found.values() for key in one
    }:
        print(f"{HOST} has no price of: {', '.join(sorted(missing))}; the table keeps its own.", file=sys.stderr)
    for region, known in sorted(found.items()):
        old = {
            METERS[key].title: row.price for key in known for row in before.rows.get(key, ()) if row.region == region
        }
        now = {METERS[key].title: price for key, price in known.items()}
        changes.append(
            Change("services everywhere" if region == EVERYWHERE else f"services in {region}", None, today, old, now)
        )
        after = after.merged(region, known, today, HOST)
    return after, changes


def _words(key: Key) -> str:
    size, priority = key
    return size if priority == "dedicated" else f"{size} low priority"
