"""What a department's compute costs in a month: while idle, and with every node always on."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from catalogue.prices import Prices, Priority
from settings import Department

HOURS = 730
"""Hours of a month, as Azure's price calculator counts."""


@dataclass(frozen=True)
class Line:
    """One cluster or instance.

    Attributes:
        team: Its team.
        name: Its name.
        kind: `cluster` or `instance`.
        size: VM size of its nodes.
        priority: `dedicated` or `lowPriority`.
        nodes: Most nodes at one time; 1 for an instance.
        hourly: US dollars a node and hour; None if no price is known.
        upper_bound: Whether `hourly` is the dedicated price of a low-priority node, whose own is not known.
    """

    team: str
    name: str
    kind: Literal["cluster", "instance"]
    size: str
    priority: Priority
    nodes: int
    hourly: Decimal | None
    upper_bound: bool

    @property
    def ceiling(self) -> Decimal | None:
        """US dollars a month with every node always on; None if no price is known."""
        return None if self.hourly is None else self.hourly * self.nodes * HOURS


@dataclass(frozen=True)
class Report:
    """A department's compute.

    Attributes:
        region: Where it is.
        as_of: Day of the region's prices; None if there are none.
        lines: Its clusters and instances.
    """

    region: str
    as_of: date | None
    lines: tuple[Line, ...]

    @property
    def floor(self) -> Decimal:
        """US dollars a month of compute while idle: none, as clusters have no nodes then and instances stop."""
        return Decimal(0)

    @property
    def ceiling(self) -> Decimal:
        """US dollars a month of all lines with a price; a lower bound of the ceiling where `unpriced` has any."""
        return sum((line.ceiling for line in self.lines if line.ceiling is not None), Decimal(0))

    @property
    def unpriced(self) -> list[Line]:
        """The lines without a price, which no sum has in it."""
        return [line for line in self.lines if line.hourly is None]


def report(department: Department, prices: Prices) -> Report:
    """Returns what the compute of a department costs, at the prices of a table."""
    return Report(department.region, prices.as_of(department.region), tuple(_lines(department, prices)))


def node_price(prices: Prices, region: str, size: str, priority: Priority) -> tuple[Decimal | None, bool]:
    """US dollars an hour of a node, None if no price is known; and whether that is only an upper bound.

    A low-priority node costs less than a dedicated one, whose price is taken where its own is not known.
    """
    own = prices.hourly(region, size, priority)
    hourly = own or prices.hourly(region, size, "dedicated")
    return hourly, own is None and hourly is not None


def _lines(department: Department, prices: Prices) -> Iterator[Line]:
    region = department.region
    for team in department.teams:
        for cluster in team.clusters:
            size, priority = cluster.vm_size, cluster.priority
            hourly, bound = node_price(prices, region, size, priority)
            yield Line(team.name, cluster.name, "cluster", size, priority, cluster.max_nodes, hourly, bound)
        for instance in team.instances:
            hourly = prices.hourly(region, instance.vm_size, "dedicated")
            size = instance.vm_size
            yield Line(team.name, instance.name, "instance", size, "dedicated", 1, hourly, upper_bound=False)
