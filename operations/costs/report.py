"""What a department costs in a month, by its settings: while idle, likely, and with every node always on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from catalogue import meters, prices
from operations.costs.charges import Charge, Range, by_team, total
from operations.costs.planned import expected_hours, planned
from operations.costs.resources import PriceBook, charges
from settings import Department


@dataclass(frozen=True)
class Report:
    """What a department costs.

    Attributes:
        region: Where it is.
        as_of: Day of the region's prices of VMs; None if there are none.
        charges: What its resources are charged for.
    """

    region: str
    as_of: date | None
    charges: tuple[Charge, ...]

    @property
    def total(self) -> Range:
        """US dollars a month of all charges with a price; lower bounds where `unpriced` has any."""
        return total(self.charges)

    @property
    def teams(self) -> Mapping[str | None, Range]:
        """The same by team; None is what the teams share."""
        return by_team(self.charges)

    @property
    def unpriced(self) -> list[Charge]:
        """The charges without a price, which no sum has in it."""
        return [charge for charge in self.charges if charge.price is None]


def read_price_book(nodes: Path = prices.TABLE, services: Path = meters.TABLE) -> PriceBook:
    """The tables of prices.

    Raises:
        TableError: If one cannot be read.
    """
    return PriceBook(prices.read_prices(nodes), meters.read_service_prices(services))


def report(department: Department, book: PriceBook) -> Report:
    """Returns what a department costs, at the prices of the tables."""
    region = department.region
    listed = charges(planned(department), region, book, expected_hours(department))
    return Report(region, book.nodes.as_of(region), listed)
