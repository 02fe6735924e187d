"""Names that Azure refuses or that are taken, and ids of what the stack itself makes."""

from collections.abc import Iterator

from catalogue.names import NameTooLongError
from settings.checks.existing import ids
from settings.checks.subject import Subject
from settings.problems import Path, Problem, show
from settings.team import Team

_PARTS = ("code", "environment", "region", "regionAbbreviation")


def problems(subject: Subject) -> Iterator[Problem]:
    """What is wrong with names; nothing where a part of every name is wrong."""
    if any(subject.is_wrong((part,)) for part in _PARTS):
        return
    wrong_names = list(_taken_or_refused(subject))
    yield from wrong_names or _made_here(subject)


def _named(subject: Subject) -> Iterator[tuple[Path, Team]]:
    """The teams whose names can be told, each with the path of what names it."""
    for at, team in subject.teams():
        if not (subject.is_wrong((*at, "name")) or subject.is_wrong((*at, "customName"))):
            yield (*at, "customName" if team.custom_name else "name"), team


def _taken_or_refused(subject: Subject) -> Iterator[Problem]:
    department = subject.department
    taken: dict[str, str] = {}
    if department.shared.makes:
        shared = department.shared_names
        taken = dict.fromkeys((shared.resource_group.lower(), shared.workspace.lower()), "what the teams share")
    for path, team in _named(subject):
        try:
            names = department.names(team)
        except NameTooLongError as error:
            yield Problem(path, f"{error}.")
            continue
        whose = f"those of teams[{path[1]}]"
        for name in (names.resource_group, names.workspace):
            if (other := taken.setdefault(name.lower(), whose)) != whose:
                yield Problem(path, f"its resources would be named as {other}: '{name}' is taken.")
                break


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
