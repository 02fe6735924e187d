"""Problems of existing resources that cannot be used where they are, or twice."""

from collections.abc import Iterator

from settings.checks.subject import Subject, duplicates
from settings.problems import Path, Problem, show
from settings.types import Section, key_of

_ONE_EACH = {
    "resourceGroupId": "Each team has a resource group of its own, as its people's roles are on it.",
    "keyVaultId": "Each team has a vault of its own, as its workspace administers all secrets in it.",
}


def problems(subject: Subject) -> Iterator[Problem]:
    """The problems of existing resources: those of another subscription, and those that cannot be used twice."""
    for key, rule in _ONE_EACH.items():
        given = [(path, id_) for at, team in subject.teams() for path, id_ in ids(team.existing, (*at, "existing"))]
        given = [(path, id_) for path, id_ in given if path[-1] == key and not subject.is_wrong(path)]
        for path, id_ in given:
            if not in_subscription(subject, id_):
                shown = show(subject.department.subscription_id)
                yield Problem(path, f"{show(id_)} is not in the department's subscription {shown}.")
        yield from duplicates(given, rule)


def ids(section: Section, path: Path) -> Iterator[tuple[Path, str]]:
    """The ids of resources that a section gives, with where they are."""
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if name.endswith("_id") and isinstance(value, str):
            yield (*path, key_of(name, field)), value


def in_subscription(subject: Subject, id_: str) -> bool:
    """Whether an id is in the department's subscription, as far as that is known."""
    subscription = subject.department.subscription_id
    return not subscription or id_.lower().startswith(f"/subscriptions/{subscription}/")
