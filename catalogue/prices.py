"""Prices of VM sizes an hour in each region: the dated table `vm_prices.csv`, whose head names its sources."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Literal

Priority = Literal["dedicated", "lowPriority"]
TABLE = Path(__file__).with_name("vm_prices.csv")
_AS_OF = "asOf"


class TableError(Exception):
    """A table of prices that cannot be used; the text names the file and what is wrong."""


@dataclass(frozen=True)
class RegionPrices:
    """The prices of one region.

    Attributes:
        as_of: Day on which they were read.
        hourly: US dollars an hour by VM size (in capitals) and priority; what is not there is not known.
    """

    as_of: date
    hourly: Mapping[tuple[str, Priority], Decimal]


@dataclass(frozen=True)
class Prices:
    """A table of prices.

    Attributes:
        regions: By region.
        head: The file's comment, which names the sources.
    """

    regions: Mapping[str, RegionPrices]
    head: str = ""

    def hourly(self, region: str, size: str, priority: Priority) -> Decimal | None:
        """US dollars an hour of a node, None where it is not known."""
        prices = self.regions.get(region)
        return prices.hourly.get((size, priority)) if prices else None

    def as_of(self, region: str) -> date | None:
        """Day of a region's prices, None for a region without any."""
        prices = self.regions.get(region)
        return prices.as_of if prices else None


def read_prices(table: Path = TABLE) -> Prices:
    """The prices of a table.

    Raises:
        TableError: If the file cannot be read or is no such table.
    """
    try:
        lines = table.read_text(encoding="utf-8").splitlines(keepends=True)
        head = "".join(line for line in lines if line.startswith("#"))
        days, *rows = csv.DictReader(line for line in lines if not line.startswith("#"))
        names = [name for name in days if name not in ("size", "priority")]
        priorities: dict[str, Priority] = {"dedicated": "dedicated", "lowPriority": "lowPriority"}
        hourly: dict[str, dict[tuple[str, Priority], Decimal]] = {name: {} for name in names}
        for row in rows:
            key = row["size"], priorities[row["priority"]]
            for name in names:
                if row[name]:
                    hourly[name][key] = Decimal(row[name])
        return Prices({name: RegionPrices(date.fromisoformat(days[name]), hourly[name]) for name in names}, head)
    except OSError as error:
        raise TableError(f"{table}: cannot read the prices: {error.strerror}") from None
    except (ArithmeticError, KeyError, TypeError, UnicodeError, ValueError, csv.Error) as error:
        raise TableError(f"{table}: is no table of prices ({error!r}); restore it and refresh it again.") from None


def prices_text(prices: Prices) -> str:
    """A table as text, one line a size and priority and one column a region, so that a change shows as one."""
    names = sorted(prices.regions)
    text = io.StringIO()
    text.write(prices.head)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["size", "priority", *names])
    writer.writerow([_AS_OF, "", *(prices.regions[name].as_of for name in names)])
    keys = sorted({key for name in names for key in prices.regions[name].hourly})
    for key in keys:
        writer.writerow([*key, *(_shown(prices.regions[name].hourly.get(key)) for name in names)])
    return text.getvalue()


def _shown(price: Decimal | None) -> str:
    return "" if price is None else f"{price.normalize():f}"
