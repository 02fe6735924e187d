"""The base's resources as the head knows them: a renamed team's resources stay, under other names in Pulumi."""

from collections.abc import Mapping
from dataclasses import replace

from review.model import Resource, Side


def teams(before: Side, after: Side, renamed: Mapping[str, str]) -> Mapping[str | None, str | None]:
    """The head's name of each team that has another name at the base.

    Args:
        before: The stack at the base revision.
        after: The stack at the head revision.
        renamed: The head's URN of each resource that has another URN at the base.
    """
    of = {one.urn: one.team for one in after.resources}
    found = {one.team: of.get(renamed[one.urn]) for one in before.resources if one.urn in renamed}
    return {old: new for old, new in found.items() if old and new and old != new}


def as_after(before: Side, after: Side, renamed: Mapping[str, str]) -> Side:
    """The base's resources with the head's URNs, names and teams, so that only what else differs is a difference."""
    named, of = teams(before, after, renamed), {one.urn: one for one in after.resources}

    def now(urn: str) -> str:
        return renamed.get(urn, urn)

    def told(one: Resource) -> Resource:
        new = of.get(renamed.get(one.urn, ""))
        return replace(
            one,
            urn=now(one.urn),
            name=new.name if new else one.name,
            team=named.get(one.team, one.team),
            parent=now(one.parent),
            sources={key: tuple(map(now, urns)) for key, urns in one.sources.items()},
        )

    return replace(before, resources=tuple(map(told, before.resources))) if renamed else before
