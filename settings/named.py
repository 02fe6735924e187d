"""The people and groups that settings name, each with its key."""

from collections.abc import Iterator

from settings.checks.subject import sections
from settings.compute import Instance
from settings.department import Department
from settings.people import Member, Secret
from settings.problems import Path, written


def everybody(department: Department) -> Iterator[tuple[Path, str, bool]]:
    """Every person and group: the path of its key, the name, and whether it is a group."""
    for path, section in sections(department):
        if isinstance(section, Member):
            yield path, section.name, section.group is not None
        elif isinstance(section, Instance):
            yield (*path, "user"), section.user, False


def people_named(department: Department) -> Iterator[tuple[str, str, bool]]:
    """Whoever the tenant has to know: the key, the name, and whether it is a group.

    Those who deploy are among them only where they get a right, which is where a secret is kept.
    """
    secrets = any(isinstance(section, Secret) for _, section in sections(department))
    for path, name, is_group in everybody(department):
        if path[0:1] != ("deployers",) or secrets:
            yield written(path), name, is_group
