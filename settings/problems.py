"""Problems that keep a stack file from being used: each has a key, the value, and what is allowed."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

KEY = "azureml-platform:department"
Path = tuple[str | int, ...]
"""The place of a value below `KEY`: keys of mappings, and positions in lists from 0."""

_LONGEST_VALUE = 200  # ids of Azure are longer than names
_PLAIN = re.compile(r"[\w-]{1,80}")  # what a terminal shows as it is


@dataclass(frozen=True)
class Problem:
    """One thing that keeps a stack file from being used.

    Attributes:
        path: Where it is below `azureml-platform:department`.
        message: The value, what is wrong with it and what is allowed.
    """

    path: Path
    message: str

    @property
    def key(self) -> str:
        """The path as people write it: `azureml-platform:department.teams[0].name`."""
        return written(self.path)


class SettingsError(Exception):
    """The settings cannot be used; its text has one line for each problem, with file and key."""

    def __init__(self, file: str, problems: Iterable[Problem]) -> None:
        self.file = file
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{file}: {problem.key}: {problem.message}" for problem in self.problems))


def written(path: Path) -> str:
    """A path as people write it: `azureml-platform:department.teams[0].name`."""
    return KEY + "".join(
        f".{part}" if isinstance(part, str) and _PLAIN.fullmatch(part) else f"[{show(part)}]" for part in path
    )


def show(value: object) -> str:
    """A value as a message shows it: short, and of a mapping or list only that it is one."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case Mapping():
            return "a mapping"
        case list() | tuple():
            return "a list"
        case str():
            return repr(value if len(value) <= _LONGEST_VALUE else value[:_LONGEST_VALUE] + "…")
        case _:
            return str(value)[:_LONGEST_VALUE]
