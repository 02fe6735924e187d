"""What the comment, the page and the terminal show of a report, in words and in order."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Generic, TypeVar

from review.costs.model import CostDifference
from review.formats.access import lines
from review.model import Change, Difference, Violation
from review.report import Kind, Report, StackReview
from settings.plan import Place

ORDER: Final = ("deleted", "replaced", "created", "updated")
SIGNS: Final = {"deleted": "−", "replaced": "±", "created": "+", "updated": "~", "same": "="}
"""What stands for an operation."""
MOST_NAMES: Final = 5
"""Names that a row of several resources has."""
T = TypeVar("T", Change, Violation)
_SHARED_NAMES: Final = ("Workspace", "Registry")
WHOLE: Final = "department"
"""The word for what is no team's."""


def stacks(report: Report) -> list[StackReview]:
    """The stacks, those with objections first, those without any change last."""
    return sorted(report.stacks, key=lambda one: (not one.objections, one.state == "same", one.stack))


@dataclass(frozen=True)
class Alike(Generic[T]):
    """Changes, or violations, that differ only in the resource.

    Attributes:
        one: The first of them.
        names: The resources' names.
    """

    one: T
    names: tuple[str, ...]

    @property
    def listed(self) -> str:
        """The first names, and how many more there are."""
        more = len(self.names) - MOST_NAMES
        return ", ".join(self.names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def changes(stack: StackReview) -> list[Alike[Change]]:
    """The changes, losses of data first and each by itself."""
    ordered = sorted(
        stack.changes, key=lambda one: (not one.loss, ORDER.index(one.operation), one.team or "", one.name)
    )
    return _alike(ordered, lambda one: one.urn if one.loss else (one.operation, one.type, one.team, why(one)))


def violations(found: Iterable[Violation]) -> list[Alike[Violation]]:
    """The violations; what one value of the stack file breaks for many resources is one row."""
    return _alike(found, lambda one: (one.state, one.level, one.rule, one.message, one.exemption, one.place))


def _alike(found: Iterable[T], key: Callable[[T], Hashable]) -> list[Alike[T]]:
    rows: dict[Hashable, list[T]] = {}
    for one in found:
        rows.setdefault(key(one), []).append(one)
    return [Alike(those[0], tuple(one.urn.rpartition("::")[2] for one in those)) for those in rows.values()]


def counted(changes: Iterable[Change]) -> str:
    """The numbers of changes: `1 deleted, 2 updated`."""
    numbers = Counter(change.operation for change in changes)
    return ", ".join(f"{numbers[one]} {one}" for one in ORDER if numbers[one]) or "no change"


def outcome(stack: StackReview) -> str:
    """What happens to the resources, or why nothing does."""
    return {"failed": "the preview fails", "gone": "its file is gone"}.get(stack.state) or counted(stack.changes)


def has_details(stack: StackReview) -> bool:
    """Whether there is more to tell than its line in the summary, such as other hours or another last day."""
    costs_differ = stack.costs is not None and stack.costs.before != stack.costs.after
    access_differs = stack.access is not None and bool(lines(stack.access))
    told = stack.changes or stack.violations or stack.notices or stack.failures or stack.under_new_rules
    return bool(told) or costs_differ or access_differs


def violated(found: Sequence[Violation]) -> str:
    """The numbers of violations: `2 new (1 mandatory), 3 standing`."""
    texts = []
    for state in ("new", "standing", "fixed"):
        those = [one for one in found if one.state == state]
        mandatory = sum(one.level == "mandatory" for one in those)
        if those:
            texts.append(f"{len(those)} {state}" + (f" ({mandatory} mandatory)" if mandatory else ""))
    return ", ".join(texts) or "none"


def lost(stack: StackReview) -> str:
    """The number of losses of data: `3, 2 not accepted`."""
    losses = len(stack.losses)
    unmeant = sum(not change.loss.accepted for change in stack.losses if change.loss)
    if not losses:
        return "none"
    if not unmeant:
        return f"{losses}, accepted"
    return f"{losses}, not accepted" if unmeant == losses else f"{losses}, {unmeant} not accepted"


def short(type_: str) -> str:
    """A type without its package: `StorageAccount`; with its module where Azure ML has one of the name, too."""
    package, _, name = type_.rpartition(":")
    module = package.rpartition(":")[2]
    return f"{module} {name}" if name in _SHARED_NAMES and module != "machinelearningservices" else name


def money(amount: Decimal) -> str:
    """US dollars, to the dollar."""
    return f"−${-amount:,.0f}" if amount <= Decimal("-0.5") else f"${max(amount, Decimal(0)):,.0f}"


def shift(before: Decimal, after: Decimal) -> str:
    """How an amount changes: `$12 → $40 (+$28)`."""
    if money(before) == money(after):
        return money(after)
    sign = "+" if after > before else ""
    return f"{money(before)} → {money(after)} ({sign}{money(after - before)})"


def costs(stack: StackReview) -> str:
    """What the worst case of a month becomes."""
    return shift(stack.costs.before.worst, stack.costs.after.worst) if stack.costs else ""


def unpriced(costs: CostDifference) -> list[str]:
    """What has no known price, at the head or at the base alone: a difference is told too high or too low by it."""
    after = {(one.type, one.name, one.what) for one in costs.unpriced_after}
    gone = (one for one in costs.unpriced_before if (one.type, one.name, one.what) not in after)
    return [
        *(f"{one.what} ({one.name})" for one in costs.unpriced_after),
        *(f"{one.what} ({one.name}) at the base" for one in gone),
    ]


def rests_on(costs: CostDifference) -> list[str]:
    """What the amounts rest on: assumptions about use, conditions, and prices that are those of something else."""
    taken: dict[str, list[str]] = {}
    for one in costs.approximate:
        taken.setdefault(one.price_of, []).append(one.what)
    return [
        *costs.notes,
        *(f"at the price of {other}: {' and '.join(dict.fromkeys(whats))}" for other, whats in taken.items()),
    ]


def why(change: Change) -> str:
    """The reason of a change: the properties that demand a replacement, or what differs."""
    if change.causes:
        return "replaced for " + ", ".join(change.causes)
    return ", ".join(_differs(one) for one in change.differences)


def _differs(one: Difference) -> str:
    name = one.path.removeprefix("properties.").removeprefix("properties.")
    if one.before == one.after:
        return name
    return f"{name}: {one.before or 'nothing'} → {one.after or 'nothing'}"


def where(place: Place | None) -> str:
    """A place as `Pulumi.dev.yaml:21:23`, with how the value comes there."""
    if place is None:
        return ""
    how = {"written": "", "inherited": " (inherited)", "default": " (default)"}[place.origin]
    return f"{place}{how}"


def line(one: Change | Violation, at_base: bool = True) -> str:
    """The place of what a change or violation is about.

    Args:
        one: The change or violation.
        at_base: Whether what is gone has its place at the base; else it is gone by other rules, and has it at the head.
    """
    gone = at_base and (one.operation == "deleted" if isinstance(one, Change) else one.state == "fixed")
    return f"{where(one.place)} at the base" if gone and one.place else where(one.place)


def verdict(report: Report) -> str:
    """The result in a sentence."""
    against = [stack for stack in report.stacks if stack.objections]
    if not against:
        return "Nothing speaks against this change."
    number = len(against)
    return f"{number} stack{'s' if number > 1 else ''} must not be deployed like this."


def about(report: Report) -> list[str]:
    """What a reader must know of how the report was made, a sentence each."""
    code = (
        "The base's code made this report, with the head's stack files as data."
        if report.made_by == "base"
        else "The pull request's own code made this report: advisory, until somebody has read that code."
    )
    state = "The real state was previewed." if report.live else "A local sandbox was previewed, without a credential."
    state = state if report.stacks else "Nothing was previewed: the change reaches no stack."
    told = [code, state, "Rules, limits and exemptions are the base's.", *report.notes]
    told += [
        f"{one.package} is {one.base or 'absent'} at the base and {one.head or 'absent'} at the head; "
        f"both ran with {one.used or 'none'}."
        for one in report.requirements
    ]
    if report.untouched:
        told.append(f"The change does not reach: {', '.join(report.untouched)}.")
    return told


def numbers(kind: Kind) -> list[tuple[str, int]]:
    """Operations with how many resources of a type they meet; what stays as it is last."""
    return [(one, getattr(kind, one)) for one in (*ORDER, "same") if getattr(kind, one)]


def mark(kind: Kind) -> str:
    """The operation that matters most among the resources of a type."""
    return next((one for one, _ in numbers(kind)), "same")
