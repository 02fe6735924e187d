"""The people and groups that settings name, each with its key."""

from collections.abc import Iterator

from settings.checks.subject import sections
from settings.compute import Instance
from settings.department import Department
from settings.people import Member, Secret
from settings.problems import written


def people_named(department: Department) -> Iterator[tuple[str, str, bool]]:
    """Whoever the tenant has to know: the key, the name, and whether it is a group.

    Those who deploy are among them only where they get a right, which is where a secret is kept.
    """
    found = list(sections(department))
    secrets = any(isinstance(section, Secret) for _, section in found)
    for path, section in found:
        if path[0:1] == ("deployers",) and not secrets:
            continue
        if isinstance(section, Member):
            yield written(path), section.user or str(section.group), section.group is not None
        elif isinstance(section, Instance):
            yield written((*path, "user")), section.user, False
