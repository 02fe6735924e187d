"""File systems, containers, shares and the datastores that stand for them."""

from collections.abc import Iterator, Sequence

from catalogue.conditions import LONGEST, outside_of_account
from settings.checks.existing import in_subscription
from settings.checks.subject import Subject, duplicates
from settings.data import RESERVED_DATASTORES, Lake
from settings.problems import KEY, Path, Problem, show, written
from settings.spelling import did_you_mean
from settings.team import Team
from settings.types import PRODUCTION


def problems(subject: Subject) -> Iterator[Problem]:
    """Problems of lakes, containers, shares and datastores."""
    for at, team in subject.teams():
        if team.lake:
            yield from _lake_problems(subject, (*at, "lake"), team.lake)
        if team.data:
            shares = enumerate(team.data.shares)
            yield from duplicates(
                (((*at, "data", "shares", i, "name"), share.name) for i, share in shares), "Shares have distinct names."
            )
        yield from _datastore_problems(subject, at, team)


def _lake_problems(subject: Subject, path: Path, lake: Lake) -> Iterator[Problem]:
    yield from duplicates(
        (((*path, "fileSystems", i), name) for i, name in enumerate(lake.file_systems)),
        "File systems of a lake have distinct names.",
    )
    yield from duplicates(
        (((*path, "lifecycle", i, "name"), rule.name) for i, rule in enumerate(lake.lifecycle)),
        "Rules have distinct names.",
    )
    yield from _restricted_problems(path, lake)
    yield from duplicates(
        (((*path, "feeds", i, "name"), feed.name) for i, feed in enumerate(lake.feeds)), "Feeds have distinct names."
    )
    named: list[tuple[Path, str]] = [
        ((*path, "restricted", i, "fileSystem"), one.file_system) for i, one in enumerate(lake.restricted)
    ]
    for i, feed in enumerate(lake.feeds):
        named += [((*path, "feeds", i, "fileSystems", j), name) for j, name in enumerate(feed.file_systems)]
    for where, name in named:
        if name and name not in lake.file_systems:
            known = ", ".join(lake.file_systems)
            yield Problem(where, f"{show(name)} is no file system of the lake, which has: {known}.")
    for i, rule in enumerate(lake.lifecycle):
        if rule.archive_after_days is not None and subject.department.environment == PRODUCTION:
            yield Problem(
                (*path, "lifecycle", i, "archiveAfterDays"),
                "Azure has no archive tier for storage replicated across zones, as production's is; leave it out.",
            )
    if lake.account_id is None:
        return
    if not in_subscription(subject, lake.account_id):
        shown = show(subject.department.subscription_id)
        yield Problem((*path, "accountId"), f"{show(lake.account_id)} is not in the department's subscription {shown}.")
    for key, name in (("softDeleteDays", "soft_delete_days"), ("lifecycle", "lifecycle")):
        if getattr(lake, name) != Lake.model_fields[name].default:
            yield Problem(
                (*path, key), "is set on the account itself, as accountId names one that exists; leave it out."
            )


def _restricted_problems(path: Path, lake: Lake) -> Iterator[Problem]:
    """Each file system and folder once, no folder in another one, and no more than a condition holds."""
    places: dict[str, Path] = {}
    for i, one in enumerate(lake.restricted):
        where = (*path, "restricted", i, "folder" if one.folder else "fileSystem")
        other = next((place for place in places if one.folder and _overlap(place, one.place)), None)
        if one.place in places or other:
            known = written(places[other or one.place]).removeprefix(f"{KEY}.")
            yield Problem(
                where,
                f"{show(one.folder or one.file_system)} is restricted by {known}. "
                "A file system or folder is restricted once, and no folder lies in another one.",
            )
        places.setdefault(one.place, where)
    condition = outside_of_account("x" * 24, lake.restricted_file_systems, lake.restricted_folders) or ""
    if len(condition) > LONGEST:
        yield Problem(
            (*path, "restricted"),
            f"makes a condition of {len(condition)} characters, and Azure takes {LONGEST}. "
            "Restrict whole file systems, or a folder above several.",
        )


def _overlap(place: str, other: str) -> bool:
    """Whether of two different folders one lies in the other."""
    return "/" in place and (other.startswith(f"{place}/") or place.startswith(f"{other}/"))


def _datastore_problems(subject: Subject, at: Path, team: Team) -> Iterator[Problem]:
    """Distinct names in the workspace, each of something that is there."""
    stores = list(_datastores(team))
    for path, name, _, _, _ in stores:
        if name.lower() in RESERVED_DATASTORES:
            yield Problem((*at, *path, "name"), f"{show(name)} is in every workspace from the start.")
    for path, _, key, what, known in stores:
        part, places = path[0], f"{key}s"
        if what not in known and not subject.is_wrong((*at, part, places)):
            hint = did_you_mean(what, known, otherwise=" Add it there.")
            yield Problem((*at, *path, key), f"{show(what)} is not in {part}.{places}.{hint}")
    yield from duplicates(
        (((*at, *path, "name"), name) for path, name, *_ in stores), "Datastores have distinct names."
    )


def _datastores(team: Team) -> Iterator[tuple[Path, str, str, str, Sequence[str]]]:
    """Path and name of each datastore; the key that says what it stands for, its value, and those that are there."""
    if team.lake:
        for i, store in enumerate(team.lake.datastores):
            yield ("lake", "datastores", i), store.name, "fileSystem", store.file_system, team.lake.file_systems
    if team.data:
        shares = [share.name for share in team.data.shares]
        for i, other in enumerate(team.data.datastores):
            path = ("data", "datastores", i)
            if other.container is not None:
                yield path, other.name, "container", other.container, team.data.containers
            elif other.share is not None:
                yield path, other.name, "share", other.share, shares
