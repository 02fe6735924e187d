"""The department that checks look at, and helpers that several checks need."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from settings.department import Department
from settings.problems import KEY, Path, Problem, show, written
from settings.resolve import Resolved
from settings.team import Team
from settings.types import Section, key_of


@dataclass(frozen=True)
class Subject:
    """A department to check.

    Attributes:
        department: Its settings; what is wrong by itself is blank.
        resolved: Where the values come from.
        wrong: Where a value is wrong by itself, and every path above: what follows from it is no problem of its own.
        today: Day on which access that is to end has ended.
    """

    department: Department
    resolved: Resolved
    wrong: Collection[Path]
    today: date

    def teams(self) -> Iterator[tuple[Path, Team]]:
        """The teams, each with its path."""
        for i, team in enumerate(self.department.teams):
            yield ("teams", i), team

    def is_wrong(self, path: Path) -> bool:
        """Whether a problem is known at a path or below it."""
        return self.resolved.origin(path) in self.wrong

    def key(self, path: Path) -> str:
        """The key that decides a value, as people write it."""
        return written(self.resolved.origin(path))


def sections(value: object, path: Path = ()) -> Iterator[tuple[Path, Section]]:
    """Every section of the settings, with where it is."""
    if isinstance(value, tuple):
        for i, entry in enumerate(value):
            yield from sections(entry, (*path, i))
    if isinstance(value, Section):
        yield path, value
        for name, field in type(value).model_fields.items():
            yield from sections(getattr(value, name), (*path, key_of(name, field)))


def duplicates(named: Iterable[tuple[Path, str | None]], rule: str) -> Iterator[Problem]:
    """A problem for each name or id that is taken, in any letter case.

    Args:
        named: Names with their paths; one that is empty or None is no name.
        rule: The sentence that says what must be distinct.
    """
    first: dict[str, Path] = {}
    for path, name in named:
        if name and (other := first.setdefault(name.lower(), path)) != path:
            yield Problem(path, f"{show(name)} is taken by {written(other).removeprefix(f'{KEY}.')}. {rule}")
