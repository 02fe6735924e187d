"""What is allowed but deserves a look: it is told at every preview, and by `python -m department check`."""

from collections.abc import Iterator
from datetime import date, timedelta

from pydantic import BaseModel

from catalogue import vm_sizes
from settings.model import Cluster, Department, Instance, Member, Network, Secret
from settings.problems import Path, Problem

_EXPIRING = timedelta(days=30)
_SOON = timedelta(days=14)
_RETIRING = timedelta(days=365)


def warnings(department: Department, today: date) -> list[str]:
    """One line for each VM size that is or will soon be retired, each access that ends and each secret that expires."""
    return [
        f"{Problem((*path, key), '').key}: {text}"
        for path, part in _parts(department, ())
        for key, text in _warnings(part, today)
    ]


def _parts(value: object, path: Path) -> Iterator[tuple[Path, BaseModel]]:
    """Every part of the settings, with where it is."""
    if isinstance(value, tuple):
        for i, entry in enumerate(value):
            yield from _parts(entry, (*path, i))
    if isinstance(value, BaseModel):
        yield path, value
        for name, field in type(value).model_fields.items():
            yield from _parts(getattr(value, name), (*path, field.alias or name))


def _warnings(part: BaseModel, today: date) -> Iterator[tuple[str, str]]:
    """What deserves a look in one part: its key and the text."""
    match part:
        case Cluster(vm_size=name) | Instance(vm_size=name):
            size = vm_sizes.find(name)
            if size and size.retired and size.retired <= today + _RETIRING:
                when = "was retired" if size.retired <= today else "will be retired"
                yield (
                    "vmSize",
                    f"{size.name} {when} on {size.retired}: Azure starts no such node from then on. "
                    f"Take {size.successor} instead.",
                )
        case Network(mode="public", allowed_ips=(_, *_)):
            yield (
                "allowedIps",
                "clusters have addresses that are not in the list, so their jobs do not reach "
                "storage. Take mode 'managed'.",
            )
        case Member(until=date() as until) if until <= today + _SOON:
            yield "until", f"the access of {part.user or part.group} ends on {until}."
        case Secret(expires=expires) if expires <= today + _EXPIRING:
            when = "expired" if expires <= today else "expires"
            yield "rotated", f"the secret {when} on {expires}. Set 'rotated' to {today} to make a new one."
