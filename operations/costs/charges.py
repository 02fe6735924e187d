"""What one resource is charged for: what a meter's price is multiplied with, and what is assumed for it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

ZERO = Decimal(0)


@dataclass(frozen=True)
class Range:
    """US dollars, or units, of a month.

    Attributes:
        floor: While everything is idle.
        likely: With nodes on for their expected hours.
        worst: With every node always on.
    """

    floor: Decimal = ZERO
    likely: Decimal = ZERO
    worst: Decimal = ZERO

    def __add__(self, other: "Range") -> "Range":
        return Range(self.floor + other.floor, self.likely + other.likely, self.worst + other.worst)

    def __sub__(self, other: "Range") -> "Range":
        return self + other * Decimal(-1)

    def __mul__(self, factor: Decimal) -> "Range":
        return Range(self.floor * factor, self.likely * factor, self.worst * factor)

    @classmethod
    def always(cls, amount: Decimal) -> "Range":
        """The same amount whatever is used."""
        return cls(amount, amount, amount)


@dataclass(frozen=True)
class Charge:
    """What a resource is charged for by one meter.

    Attributes:
        type: The resource's type in Pulumi.
        name: Its name in Pulumi.
        team: Name of its team; None for what is the department's.
        what: What is charged, in words: `Container registry, Premium tier`.
        unit: What the price is for: `hour`, `GB`, ….
        units: Units of a month.
        price: US dollars a unit; None if no price is known.
        as_of: Day of the price.
        source: Where the price comes from.
        notes: What the units rest on: a condition, or what is assumed about use.
        by_use: Whether the units are an assumption about use.
        price_of: What the price really is of, where that of this region or priority is not known.
        upper_bound: Whether the price is the dedicated one of a low-priority node, whose own is not known.
    """

    type: str
    name: str
    team: str | None
    what: str
    unit: str
    units: Range
    price: Decimal | None
    as_of: date | None = None
    source: str = ""
    notes: tuple[str, ...] = ()
    by_use: bool = False
    price_of: str = ""
    upper_bound: bool = False

    @property
    def amount(self) -> Range | None:
        """US dollars a month; None if no price is known."""
        return None if self.price is None else self.units * self.price


def total(charges: Iterable[Charge]) -> Range:
    """The sum of all charges with a price."""
    return sum((charge.amount for charge in charges if charge.amount is not None), Range())


def by_team(charges: Iterable[Charge]) -> Mapping[str | None, Range]:
    """The sums of each team, in the order of their first charges; None is what the teams share."""
    listed: dict[str | None, list[Charge]] = {}
    for charge in charges:
        listed.setdefault(charge.team, []).append(charge)
    return {team: total(own) for team, own in listed.items()}
