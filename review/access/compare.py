"""Comparing the access to a stack's two revisions.

The evaluator is the review's own: it reads role definitions, assignments, conditions and group memberships from the
stack's resources. It shares nothing with the sandbox, whose answers it is tested against.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from review.access.evaluate import abilities, joined, told_apart
from review.access.model import Ability, AccessDifference, Grant, RoleChange
from review.access.stack import Ends, Reader, Stack
from review.access.targets import DEEDS
from review.model import Side

_T = TypeVar("_T")


def compare(
    before: Side,
    after: Side,
    *,
    ends_before: Ends | None = None,
    ends_after: Ends | None = None,
    names: Mapping[str, str] | None = None,
) -> AccessDifference:
    """How access to a stack differs between two revisions.

    Args:
        before: The stack at the base revision.
        after: The stack at the head revision.
        ends_before: Last days of access by the base's settings, as `review.access.people.ends` reads them.
        ends_after: The same by the head's settings.
        names: Names of people by object id, as `review.access.people.names` reads them, beside those of the plan.
    """
    reader = Reader((before, after), names or {})
    old, new = reader.read(before, ends_before or {}), reader.read(after, ends_after or {})
    grants_old, grants_new = _grants(old), _grants(new)
    apart = told_apart(old, new)
    can_old, can_new = ({replace(one, via=""): one for one in abilities(stack, apart)} for stack in (old, new))
    gained, lost = _told_apart(
        (only_new := _only(can_new, can_old), joined(only_new, new, apart)),
        (only_old := _only(can_old, can_new), joined(only_old, old, apart)),
    )
    return AccessDifference(
        grants_gained=_sorted_grants(grants_new - grants_old),
        grants_lost=_sorted_grants(grants_old - grants_new),
        abilities_gained=_sorted_abilities(gained),
        abilities_lost=_sorted_abilities(lost),
        members_gained=_ordered(new.members - old.members),
        members_lost=_ordered(old.members - new.members),
        trusts_gained=_ordered(new.trusts - old.trusts),
        trusts_lost=_ordered(old.trusts - new.trusts),
        passwords_gained=_ordered(new.passwords - old.passwords),
        passwords_lost=_ordered(old.passwords - new.passwords),
        roles_changed=tuple(_changed(old, new)),
        ending=_sorted_grants({one for one in grants_new if one.until}),
        members_ending=_ordered(one for one in new.members if one.until),
        notes=tuple(dict.fromkeys((*old.notes, *new.notes))),
    )


def _only(one: Mapping[Ability, Ability], other: Mapping[Ability, Ability]) -> set[Ability]:
    """The abilities of one revision that the other has in no way, be it by a group or without."""
    return {one[key] for key in one.keys() - other.keys()}


def _told_apart(
    gained: tuple[set[Ability], frozenset[Ability]], lost: tuple[set[Ability], frozenset[Ability]]
) -> tuple[frozenset[Ability], frozenset[Ability]]:
    """Nothing that is gained and lost in the same words: the parts are told, or nothing if it is the whole itself.

    The parts: a lake whose only file system gives way to another one. The whole: an account with its first container.

    Args:
        gained: Abilities of the head alone, by part and joined.
        lost: Those of the base alone.
    """
    both = gained[1] & lost[1]
    by_part = both - gained[0] - lost[0]

    def told(parts: set[Ability], whole: frozenset[Ability]) -> frozenset[Ability]:
        return (whole - both) | {one for one in parts if replace(one, target=one.whole, whole="") in by_part}

    return told(*gained), told(*lost)


def _grants(stack: Stack) -> frozenset[Grant]:
    return frozenset(one.grant for one in stack.assignments)


def _sorted_grants(grants: Iterable[Grant]) -> tuple[Grant, ...]:
    return tuple(sorted(grants, key=lambda one: (_rank(one.principal.kind), one.principal, one.scope, one.role)))


def _sorted_abilities(found: Iterable[Ability]) -> tuple[Ability, ...]:
    words = dict.fromkeys(deed.words for deeds in DEEDS.values() for deed in deeds)
    order = {deed: at for at, deed in enumerate(words)}
    return tuple(
        sorted(found, key=lambda one: (_rank(one.principal.kind), one.principal, one.target, order[one.deed], one.via))
    )


def _rank(kind: str) -> int:
    """People before machines."""
    return ("user", "group", "service principal", "identity").index(kind)


def _ordered(found: Iterable[_T]) -> tuple[_T, ...]:
    return tuple(sorted(found, key=repr))


def _changed(old: Stack, new: Stack) -> Iterable[RoleChange]:
    for urn in old.definitions.keys() & new.definitions.keys():
        was, now = _allowed(old, urn), _allowed(new, urn)
        if was != now:
            yield RoleChange(new.definitions[urn].name, tuple(sorted(now - was)), tuple(sorted(was - now)))


def _allowed(stack: Stack, urn: str) -> frozenset[str]:
    role = stack.definitions[urn]
    taken = (*role.not_actions, *role.not_data_actions)
    return frozenset((*role.actions, *role.data_actions, *(f"not {action}" for action in taken)))
