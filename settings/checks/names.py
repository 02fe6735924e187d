"""Names that Azure refuses or that are taken, and ids of what the stack itself makes."""

from collections.abc import Iterator
from dataclasses import fields

from catalogue.names import LIMITS, NameRefusedError, TeamNames
from settings.checks.existing import ids
from settings.checks.subject import Subject
from settings.naming import key_of_kind
from settings.problems import Path, Problem, show
from settings.team import Team

_PARTS = ("code", "environment", "region", "regionAbbreviation", "subscriptionId", "naming")
_SPACES = {
    **dict.fromkeys(("work", "data", "lake"), "storage"),
    **dict.fromkeys(("workspace_identity", "node_identity", "key_identity"), "identity"),
}
"""Names that are of one type of resource, so that no two can be equal."""
_FORMER = "Give the name that this team alone had before, or remove the key."


def problems(subject: Subject) -> Iterator[Problem]:
    """Problems of names; none where a part of every name is wrong."""
    if any(subject.is_wrong((part,)) for part in _PARTS):
        return
    wrong_names = [*_former(subject), *_taken_or_refused(subject)]
    yield from wrong_names or _made_here(subject)


def _named(subject: Subject) -> Iterator[tuple[Path, Team]]:
    """The teams whose names can be told, each with the path of what names it."""
    for at, team in subject.teams():
        if not (subject.is_wrong((*at, "name")) or subject.is_wrong((*at, "customName"))):
            yield (*at, "customName" if team.custom_name else "name"), team


def _former(subject: Subject) -> Iterator[Problem]:
    """A former name that is another team's, past or present: two would be the same resources to Pulumi."""
    whose: dict[str, int] = {}
    for (_, i), team in subject.teams():
        whose.setdefault(team.name, int(i))
    for at, team in subject.teams():
        if team.former_name is None or subject.is_wrong((*at, "formerName")):
            continue
        if (other := whose.setdefault(team.former_name, int(at[1]))) != at[1]:
            yield Problem((*at, "formerName"), f"'{team.former_name}' is the name of teams[{other}]. {_FORMER}")
        elif team.former_name == team.name:
            yield Problem((*at, "formerName"), f"'{team.former_name}' is the team's name. {_FORMER}")


def _taken_or_refused(subject: Subject) -> Iterator[Problem]:
    department = subject.department
    taken: dict[tuple[str, ...], str] = {}
    shared = _shared(subject)
    if isinstance(shared, TeamNames):
        taken = dict.fromkeys(_places(shared, shared.resource_group), "what the teams share")
    elif shared:
        yield shared
    registry = _model_registry(subject)
    if isinstance(registry, Problem):
        yield registry
    elif registry:
        taken["group", registry.lower()] = "the model registry"
    for path, team in _named(subject):
        try:
            names = department.names(team)
        except NameRefusedError as error:
            yield _refused(subject, path, error)
            continue
        whose = f"those of teams[{path[1]}]"
        for place in _places(names, department.resource_group(team)):
            if (other := taken.setdefault(place, whose)) != whose:
                yield Problem(path, f"its resources would be named as {other}: '{place[-1]}' is taken.")
                break
        yield from _same_twice(names)


def _refused(subject: Subject, path: Path, error: NameRefusedError) -> Problem:
    """Names that Azure refuses, at the pattern that makes them, else at the key that names the team."""
    key, pattern = key_of_kind(error.kind), subject.department.naming.patterns.get(error.kind)
    if pattern is not None:
        return Problem(("naming", key), f"{error}. The pattern is '{pattern}'.")
    return Problem(path, f"{error}. Shorten what names the team, or set naming.{key}.")


def _shared(subject: Subject) -> TeamNames | Problem | None:
    """The names of what the teams share, or what is wrong with them; None if nothing is made."""
    if not subject.department.shared.makes:
        return None
    try:
        return subject.department.shared_names
    except NameRefusedError as error:
        return _refused(subject, ("code",), error)


def _model_registry(subject: Subject) -> str | Problem | None:
    """The resource group of the model registry, or what is wrong with its names; None if none is made."""
    if not subject.department.model_registry:
        return None
    try:
        _, group = subject.department.scheme.model_registry()
    except NameRefusedError as error:
        return _refused(subject, ("code",), error)
    return group


def _places(names: TeamNames, group: str) -> Iterator[tuple[str, ...]]:
    """Where each name must be the only one: its space, and the name in lower case, since Azure compares so."""
    yield "group", names.resource_group.lower()
    for field in fields(names)[1:]:
        name = getattr(names, field.name).lower()
        if LIMITS[field.name].worldwide:
            yield _SPACES.get(field.name, field.name), name
        else:
            yield _SPACES.get(field.name, field.name), group.lower(), name


def _same_twice(names: TeamNames) -> Iterator[Problem]:
    """Two of a team's resources with one name: a pattern does not tell them apart."""
    seen: dict[tuple[str, str], str] = {}
    for field in fields(names):
        place = _SPACES.get(field.name, field.name), getattr(names, field.name).lower()
        if (other := seen.setdefault(place, field.name)) != field.name:
            yield Problem(
                ("naming", key_of_kind(field.name)),
                f"the name '{place[1]}' is also that of {key_of_kind(other)}. Give each its own.",
            )


def _made_here(subject: Subject) -> Iterator[Problem]:
    """Ids of what the stack itself makes: Pulumi would not know what comes first."""
    department, made = subject.department, {}
    for path, team in _named(subject):
        if team.existing.resource_group_id is None:
            made[department.names(team).resource_group.lower()] = f"teams[{path[1]}]"
    if department.shared.makes:
        made[department.shared_names.resource_group.lower()] = "all teams"
    for path, id_ in _given(subject):
        _, _, subscription, _, group, *_ = id_.lower().split("/")
        whose = made.get(group) if subscription == department.subscription_id else None
        if whose and not subject.is_wrong(path):
            yield Problem(
                path, f"{show(id_)} is what this stack makes for {whose}. Give what exists without the stack."
            )


def _given(subject: Subject) -> Iterator[tuple[Path, str]]:
    """The ids of resources in the settings, with where they are."""
    yield from ids(subject.department.network, ("network",))
    for at, team in subject.teams():
        for key, section in (("existing", team.existing), ("network", team.network), ("lake", team.lake)):
            if section is not None:
                yield from ids(section, (*at, key))
