"""Who gets which role on a file system, and for which of its folders."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from catalogue.conditions import inside, outside
from catalogue.roles import BLOB_DATA_CONTRIBUTOR, BLOB_DATA_READER
from components.data.stores import Access
from components.identity.principals import Principal, unique


@dataclass(frozen=True)
class Grant:
    """A role of one principal on a file system.

    Attributes:
        purpose: Last part of the assignment's name: empty for writers, `.read` for readers.
        role: GUID of the role.
        principal: Who has it.
        condition: The folders that it covers, as Azure writes it; None for all.
    """

    purpose: str
    role: str
    principal: Principal
    condition: str | None


def grants(
    system: str, contributors: Sequence[Principal], restricted: Mapping[str, Access], feeds: Sequence[Principal]
) -> Iterator[Grant]:
    """The roles on a file system: one of each kind for a principal, since Azure takes no second assignment of it.

    Args:
        system: The file system.
        contributors: Who reads and writes it where it is not restricted.
        restricted: File systems and folders with those who reach them, as `AdlsDatastoreArgs` has them.
        feeds: Who writes all of it, whatever is restricted.
    """
    whole = restricted.get(system, Access(writers=contributors))
    folders = {
        place.removeprefix(f"{system}/"): access
        for place, access in restricted.items()
        if place.startswith(f"{system}/")
    }
    writers = {folder: access.writers for folder, access in folders.items()}
    for principal, condition in _covered([*whole.writers, *feeds], writers, {feed.name for feed in feeds}):
        yield Grant("", BLOB_DATA_CONTRIBUTOR, principal, condition)
    readers = {folder: access.readers for folder, access in folders.items()}
    for principal, condition in _covered(whole.readers, readers, set()):
        yield Grant(".read", BLOB_DATA_READER, principal, condition)


def _covered(
    people: Sequence[Principal], folders: Mapping[str, Sequence[Principal]], everywhere: set[str]
) -> Iterator[tuple[Principal, str | None]]:
    """Each principal with the condition of its role: what is outside of all folders but its own, or its own alone."""
    names = {person.name for person in people}
    for principal in unique([*people, *(admitted for those in folders.values() for admitted in those)]):
        own = [folder for folder, those in folders.items() if principal.name in {one.name for one in those}]
        if principal.name in everywhere:
            yield principal, None
        elif principal.name in names:
            yield principal, outside([folder for folder in folders if folder not in own])
        else:
            yield principal, inside(own)
