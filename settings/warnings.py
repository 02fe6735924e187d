"""Values that are allowed but deserve a look: every preview and `python -m department check` warn of them."""

from collections.abc import Iterator
from datetime import date, timedelta

from catalogue import vm_sizes
from settings.checks.subject import sections
from settings.compute import Cluster, Instance
from settings.data import DataDatastore, Datastore
from settings.department import Department
from settings.network import Network
from settings.people import Member, Secret
from settings.problems import Path, written
from settings.types import Section

_EXPIRING = timedelta(days=30)
_SOON = timedelta(days=14)
_RETIRING = timedelta(days=365)


def warnings(department: Department, today: date) -> list[str]:
    """One line for each value that Azure may refuse, now or soon: retired sizes, hyphens, ends of accesses, secrets."""
    return list(dict.fromkeys(f"{written(path)}: {text}" for path, text in placed(department, today)))


def placed(department: Department, today: date) -> Iterator[tuple[Path, str]]:
    """The same warnings, each with the path of its value below `azureml-platform:department`."""
    for path, section in sections(department):
        if section != department.network or path == ("network",):  # the teams' copies
            for key, text in _warnings(section, today):
                yield (*path, key), text


def _warnings(section: Section, today: date) -> Iterator[tuple[str, str]]:
    """The warnings about one section: each one's key and text."""
    match section:
        case Cluster(vm_size=name) | Instance(vm_size=name):
            size = vm_sizes.find(name)
            if size and size.retired and size.retired <= today + _RETIRING:
                when = "was retired" if size.retired <= today else "will be retired"
                yield (
                    "vmSize",
                    f"{size.name} {when} on {size.retired}: Azure starts no such node from then on. "
                    f"Take {size.successor} instead.",
                )
        case Datastore(name=name) | DataDatastore(name=name) if "-" in name:
            yield (
                "name",
                f"'{name}' has hyphens, which Microsoft's page of naming rules leaves out. Users report refusals. "
                f"Take '{name.replace('-', '_')}'.",
            )
        case Network(mode="public", allowed_ips=(_, *_)):
            yield (
                "allowedIps",
                "clusters have addresses that are not in the list, so their jobs do not reach "
                "storage. Take mode 'managed'.",
            )
        case Member(until=date() as until) if until <= today + _SOON:
            yield "until", f"the access of {section.name} ends on {until}."
        case Secret(expires=expires) if expires <= today + _EXPIRING:
            when = "expired" if expires <= today else "expires"
            yield "rotated", f"the secret {when} on {expires}. Set 'rotated' to {today} to make a new one."
