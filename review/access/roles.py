"""Role definitions: what each allows."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import catalogue

_BUILT_IN = Path(catalogue.__file__).with_name("role_definitions.json")


@dataclass(frozen=True)
class Role:
    """A role.

    Attributes:
        name: Its name.
        actions: Patterns of management operations that it allows.
        not_actions: Those taken out again; no deny, another role can grant them.
        data_actions: The same for operations on data.
        not_data_actions: Those taken out again.
    """

    name: str
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()

    def allows(self, action: str, *, data: bool) -> bool:
        """Whether the role alone allows an operation."""
        granted, taken = (self.data_actions, self.not_data_actions) if data else (self.actions, self.not_actions)
        return _any_matches(granted, action) and not _any_matches(taken, action)


def _any_matches(patterns: Iterable[str], action: str) -> bool:
    return any(_pattern(pattern).fullmatch(action) for pattern in patterns)


@cache
def _pattern(text: str) -> re.Pattern[str]:
    """An operation's pattern, in which `*` stands for any text, also for slashes; letter case does not matter."""
    return re.compile(".*".join(map(re.escape, text.split("*"))), re.IGNORECASE)


@cache
def built_in() -> Mapping[str, Role]:
    """Azure's built-in roles that are known here, by GUID."""
    definitions = json.loads(_BUILT_IN.read_text(encoding="utf-8"))["roles"]
    return {guid: role_from(one["name"], [one]) for guid, one in definitions.items()}


def role_from(name: str, permissions: Any) -> Role:
    """A role from the list of permissions of its definition, in Azure's names."""
    fields = ("actions", "notActions", "dataActions", "notDataActions")
    found: dict[str, list[str]] = {field: [] for field in fields}
    for one in permissions if isinstance(permissions, list | tuple) else ():
        for field in fields:
            values = one.get(field) if isinstance(one, Mapping) else None
            found[field] += [value for value in values or () if isinstance(value, str)]
    return Role(name, *(tuple(found[field]) for field in fields))
