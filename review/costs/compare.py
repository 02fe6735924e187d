"""Comparing the costs of a stack's two revisions."""

from collections.abc import Iterable, Mapping

from operations.costs.charges import Charge, Range, by_team, total
from operations.costs.report import read_price_book
from operations.costs.resources import PriceBook, charges
from review.costs.model import CostDifference, ResourceCost, TeamCost
from review.model import Side

Hours = Mapping[str, int]
"""Hours a month that the nodes of a cluster or instance are expected to be on, by its name in Pulumi."""


def compare(
    before: Side,
    after: Side,
    *,
    hours_before: Hours | None = None,
    hours_after: Hours | None = None,
    book: PriceBook | None = None,
) -> CostDifference:
    """How the monthly costs of a stack differ between two revisions.

    Args:
        before: The stack at the base revision.
        after: The stack at the head revision.
        hours_before: As `operations.costs.planned.expected_hours` reads them from the base's settings; 160 hours for
            what is left out.
        hours_after: The same of the head's settings.
        book: The tables of prices; the project's own if left out.

    Raises:
        TableError: The project's tables cannot be read.
    """
    book = book or read_price_book()
    old = charges(before.resources, before.region or after.region, book, hours_before)
    new = charges(after.resources, after.region or before.region, book, hours_after)
    return CostDifference(
        before=total(old),
        after=total(new),
        teams=tuple(_teams(old, new)),
        resources=tuple(_resources(old, new)),
        unpriced_before=tuple(charge for charge in old if charge.price is None),
        unpriced_after=tuple(charge for charge in new if charge.price is None),
        notes=tuple(dict.fromkeys(note for charge in (*old, *new) for note in charge.notes)),
        approximate=tuple(charge for charge in new if charge.price_of),
    )


def _teams(old: Iterable[Charge], new: Iterable[Charge]) -> Iterable[TeamCost]:
    before, after = by_team(old), by_team(new)
    for team in dict.fromkeys((*before, *after)):
        yield TeamCost(team, before.get(team, Range()), after.get(team, Range()))


def _resources(old: Iterable[Charge], new: Iterable[Charge]) -> Iterable[ResourceCost]:
    before, after = _by_resource(old), _by_resource(new)
    for key in dict.fromkeys((*before, *after)):
        was, now = before.get(key, ()), after.get(key, ())
        if was != now:
            yield ResourceCost(*key, (now or was)[0].team, was, now)


def _by_resource(listed: Iterable[Charge]) -> Mapping[tuple[str, str], tuple[Charge, ...]]:
    found: dict[tuple[str, str], tuple[Charge, ...]] = {}
    for charge in listed:
        key = charge.type, charge.name
        found[key] = (*found.get(key, ()), charge)
    return found
