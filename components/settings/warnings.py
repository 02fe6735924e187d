"""What is allowed but deserves a look: it is told at every preview, and by `python -m components.settings check`."""

from collections.abc import Iterator
from datetime import date, timedelta

from components import vm_sizes
from components.settings.model import Department, Member
from components.settings.problems import Path, Problem

_SOON = timedelta(days=14)
_RETIRING = timedelta(days=365)


def warnings(department: Department, today: date) -> list[str]:
    """One line for each VM size that is retired or will be within a year, and for each access that ends soon."""
    return [f"{problem.key}: {problem.message}" for problem in _warnings(department, today)]


def _warnings(department: Department, today: date) -> Iterator[Problem]:
    yield from _ending(("subscriptionAdmins",), department.subscription_admins, today)
    for i, team in enumerate(department.teams):
        for j, cluster in enumerate(team.clusters):
            yield from _retired(("teams", i, "clusters", j, "vmSize"), cluster.vm_size, today)
        lists = {
            ("admins"): team.admins,
            "leads": team.leads,
            "dataScientists": team.data_scientists,
            "readers": team.readers,
        }
        for key, members in lists.items():
            yield from _ending(("teams", i, key), members, today)


def _retired(path: Path, vm_size: str, today: date) -> Iterator[Problem]:
    size = vm_sizes.find(vm_size)
    if size and size.retired and size.retired <= today + _RETIRING:
        when = "was retired" if size.retired <= today else "will be retired"
        yield Problem(
            path,
            f"{size.name} {when} on {size.retired}: Azure starts no such node from then on. Take "
            f"{size.successor} instead.",
        )


def _ending(path: Path, members: tuple[Member, ...], today: date) -> Iterator[Problem]:
    for i, member in enumerate(members):
        if member.until and member.until <= today + _SOON:
            yield Problem((*path, i, "until"), f"the access of {member.user or member.group} ends on {member.until}.")
