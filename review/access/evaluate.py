"""What principals can do with a stack's objects, by all of their roles and groups together."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from review.access.conditions import Request, UnreadConditionError, holds
from review.access.model import Ability, Principal
from review.access.stack import Assignment, Stack
from review.access.targets import DEEDS, Deed, Target, targets


@dataclass(frozen=True)
class Answer:
    """Whether somebody can do something.

    Attributes:
        via: Name of the group through which alone; empty if also without one.
        unsure: Whether it depends on a condition that is not read.
    """

    via: str = ""
    unsure: bool = False


@dataclass(frozen=True)
class ToldApart:
    """What both revisions are asked about beside their own resources, so that the same is asked of both.

    Attributes:
        conditions: The conditions of assignments by the path of their scope; they tell which folders are parts.
        made: The paths of all that either revision makes: where the other has nothing, there is nothing to reach.
    """

    conditions: Mapping[str, frozenset[str]]
    made: frozenset[str]


def told_apart(*stacks: Stack) -> ToldApart:
    """What one or both revisions are asked about."""
    found: dict[str, frozenset[str]] = {}
    for one in (one for stack in stacks for one in stack.assignments if one.path is not None):
        found[str(one.path)] = found.get(str(one.path), frozenset()) | {one.grant.condition}
    return ToldApart(found, frozenset(path for stack in stacks for path in stack.places.by_path))


def _targets(stack: Stack, apart: ToldApart) -> list[Target]:
    """The objects of a stack, and those outside of it that it uses itself or that neither revision makes."""
    used = {one.path for one in stack.assignments if one.path is not None}
    gone = apart.made - set(stack.places.by_path) - used
    asked = {path: texts for path, texts in apart.conditions.items() if path not in gone}
    return list(targets(stack.places, asked))


def abilities(stack: Stack, apart: ToldApart) -> frozenset[Ability]:
    """All that principals can do, for each part of an object by itself."""
    held, objects = _held(stack), _targets(stack, apart)
    return frozenset(
        Ability(principal, deed.words, target.words, target.team, answer.via, answer.unsure, target.whole)
        for principal, assignments in held.items()
        for target in objects
        for deed in DEEDS[target.kind]
        if (answer := can(assignments, target, deed)) is not None
    )


def joined(found: Iterable[Ability], stack: Stack, apart: ToldApart) -> frozenset[Ability]:
    """The same with parts joined: who reads each file system of a lake reads the lake.

    Args:
        found: Some of the abilities with a stack.
        stack: The stack, which tells all parts of an object.
        apart: What `abilities` was given.
    """
    parts = Counter(target.whole for target in _targets(stack, apart))
    by_whole: dict[Ability, list[Ability]] = {}
    for one in found:
        by_whole.setdefault(replace(one, target=one.whole or one.target, whole=""), []).append(one)
    complete = {whole: those for whole, those in by_whole.items() if len(those) == parts[those[0].whole]}
    alone = (one for whole, those in by_whole.items() if whole not in complete for one in those)
    return frozenset((*complete, *alone))


def can(assignments: Iterable[tuple[Assignment, str]], target: Target, deed: Deed) -> Answer | None:
    """Whether assignments let their principal do something; None if not.

    Args:
        assignments: The principal's, each with the group that it is the assignment of, or an empty text.
        target: The object.
        deed: What is done.
    """
    answers = [
        Answer(via, unsure)
        for one, via in assignments
        if one.role and one.path is not None and _within(target.path, one.path)
        if one.role.allows(deed.action, data=deed.data)
        if (unsure := _unsure(one.grant.condition, target, deed)) is not None
    ]
    # Without a group and for sure before anything else.
    return min(answers, key=lambda answer: (answer.unsure, answer.via), default=None)


def _within(path: str, scope: str) -> bool:
    return path == scope or path.startswith(f"{scope}/")


def _unsure(condition: str, target: Target, deed: Deed) -> bool | None:
    """Whether a condition makes it unsure that a deed is allowed; None if it forbids it."""
    if not condition or not deed.data:
        return False
    try:
        path = f"{target.folder}/file" if target.folder else ""
        return False if holds(condition, Request(deed.action, target.account, target.container, path)) else None
    except UnreadConditionError:
        return True


def _held(stack: Stack) -> dict[Principal, list[tuple[Assignment, str]]]:
    """The assignments of each principal, with those of the stack's groups that it is in."""
    held: dict[Principal, list[tuple[Assignment, str]]] = {}
    for one in stack.assignments:
        held.setdefault(one.principal, []).append((one, ""))
    for membership in stack.members:
        for one in stack.assignments:
            if one.principal.kind == "group" and one.principal.name == membership.group:
                held.setdefault(membership.member, []).append((one, membership.group))
    return held
