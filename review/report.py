"""A review's result: what every format shows, and what travels as JSON.

It holds no inputs or outputs of resources: those may be large, and may be secret.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from review.access.model import AccessDifference
from review.costs.model import CostDifference
from review.model import Change, Side, Violation
from settings.plan import Place


@dataclass(frozen=True)
class Notice:
    """Something that deserves a look and is no violation.

    Attributes:
        kind: `quota`, `retired`, `contract` (a change of the outputs that breaks a reader) or `warning`.
        state: `new` at the head, or `standing` at both.
        message: What it is, in a sentence.
        place: The setting that it is about; None where none is known.
    """

    kind: Literal["quota", "retired", "contract", "warning"]
    state: Literal["new", "standing"]
    message: str
    place: Place | None = None


@dataclass(frozen=True)
class Failure:
    """A reason why the preview of a stack fails, or is not whole.

    Attributes:
        message: What is wrong, as the program or the engine says it.
        place: Where it stands; None where that is not known.
    """

    message: str
    place: Place | None = None


@dataclass(frozen=True)
class Kind:
    """The resources of one type in a team.

    Attributes:
        type: Their type in Pulumi.
        same: Those that stay as they are.
        created: Those that the head adds.
        updated: Those that it changes in place.
        replaced: Those that it deletes and makes again.
        deleted: Those that it takes away.
        loses: Whether data goes with one of them.
    """

    type: str
    same: int = 0
    created: int = 0
    updated: int = 0
    replaced: int = 0
    deleted: int = 0
    loses: bool = False


@dataclass(frozen=True)
class Group:
    """The resources of one team.

    Attributes:
        team: Its name; None for what is the department's.
        kinds: Its resources by type.
    """

    team: str | None
    kinds: tuple[Kind, ...]


@dataclass(frozen=True)
class StackReview:
    """What the head does to one stack.

    Attributes:
        stack: Its name.
        file: Its stack file.
        state: `changed` or `same`; `new` without a file at the base, `gone` without one at the head, `failed` where the
            head cannot be previewed.
        changes: Resources that change.
        violations: Rules that are broken at either revision.
        under_new_rules: How the violations differ under the head's configuration of the rules; empty if it is the same.
        notices: What else deserves a look.
        failures: Why its preview fails, or is not whole.
        groups: Its resources by team.
        costs: How its monthly costs differ; None where nothing is known of them.
        access: How access to it differs; None where nothing is known of it.
    """

    stack: str
    file: str
    state: Literal["changed", "same", "new", "gone", "failed"]
    changes: tuple[Change, ...] = ()
    violations: tuple[Violation, ...] = ()
    under_new_rules: tuple[Violation, ...] = ()
    notices: tuple[Notice, ...] = ()
    failures: tuple[Failure, ...] = ()
    groups: tuple[Group, ...] = ()
    costs: CostDifference | None = None
    access: AccessDifference | None = None

    @property
    def losses(self) -> tuple[Change, ...]:
        """Changes that destroy data."""
        return tuple(change for change in self.changes if change.loss)

    @property
    def objections(self) -> tuple[str, ...]:
        """Why this stack must not be deployed so, a sentence each; empty if nothing speaks against it."""
        unmeant = sum(not change.loss.accepted for change in self.changes if change.loss)
        mandatory = sum(one.level == "mandatory" and one.state != "fixed" for one in self.violations)
        found = [_counted(mandatory, "mandatory rule is broken", "mandatory rules are broken")] if mandatory else []
        found += [_counted(unmeant, "loss of data is", "losses of data are") + " not accepted"] if unmeant else []
        return (*found, *(["the preview fails"] if self.state == "failed" else []))


@dataclass(frozen=True)
class Requirement:
    """A package whose pinned version differs.

    Attributes:
        package: Its name.
        base: Its version at the base; None where it is not there.
        head: Its version at the head.
        used: The version with which both revisions ran here.
    """

    package: str
    base: str | None
    head: str | None
    used: str | None


@dataclass(frozen=True)
class Report:
    """The review of all stacks.

    Attributes:
        base: The base revision, as people name it.
        head: The head revision.
        made_by: Whose code made the report: the `base`'s, with the head's stack files as data, or the `head`'s own.
        live: Whether real credentials and the real state were used, in place of a sandbox.
        stacks: The stacks, in alphabetical order.
        untouched: Names of the stacks that the change cannot reach, which were not looked at.
        requirements: Packages whose versions differ.
        notes: What a reader must know of how the report was made.
        version: Version of this form.
    """

    base: str
    head: str
    made_by: Literal["base", "head"]
    live: bool
    stacks: tuple[StackReview, ...]
    untouched: tuple[str, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    notes: tuple[str, ...] = ()
    version: Literal[1] = 1

    @property
    def objects(self) -> bool:
        """Whether anything must not be deployed so."""
        return any(stack.objections for stack in self.stacks)


def groups(before: Side, after: Side, changes: Iterable[Change]) -> tuple[Group, ...]:
    """The resources of both sides by team and type, with what happens to them."""
    changed = {change.urn: change for change in changes}
    counts: dict[str | None, dict[str, Counter[str]]] = {}
    for resource in {one.urn: one for side in (before, after) for one in side.resources}.values():
        if resource.type.count(":") > 2 or not resource.type.startswith(("azure-native:", "azuread:")):  # noqa: PLR2004
            continue
        change = changed.get(resource.urn)
        counter = counts.setdefault(resource.team, {}).setdefault(resource.type, Counter())
        counter[change.operation if change else "same"] += 1
        counter["loses"] += bool(change and change.loss)
    return tuple(
        Group(team, tuple(_kind(type_, count) for type_, count in sorted(kinds.items())))
        for team, kinds in sorted(counts.items(), key=lambda item: (item[0] is not None, item[0] or ""))
    )


def _kind(type_: str, count: Counter[str]) -> Kind:
    loses = bool(count.pop("loses", 0))
    return Kind(type_, **count, loses=loses)


def _counted(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"
