"""Changes and replacements: azure-native's rules, pure.

Old inputs are compared with new inputs, never with the cloud. Path parts and the type's force-new properties replace.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from sandbox.providers.resources import Described
from sandbox.providers.values import Properties, same

CREATE_FIRST = "__createBeforeDelete"  # input kept by Check for names it made at random: their replacement goes first
_RESOURCE_ID = re.compile(r"/subscriptions/[^/]+/resourcegroups/[^/]+/providers/.+", re.IGNORECASE)


@dataclass
class Difference:
    """The outcome.

    Attributes:
        details: Kind by property path, in the names of Pulumi's PropertyDiff: `ADD`, `DELETE`, `UPDATE`, each maybe
            with `_REPLACE`.
        changed: The top-level properties that count as changes.
        replacing: The paths that force replacement.
        delete_first: Whether a replacement must delete the old resource before it creates the new one.
        inherited: Paths where the old value came from the state, not from the inputs.
    """

    details: dict[str, str] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)
    replacing: list[str] = field(default_factory=list)
    delete_first: bool = False
    inherited: frozenset[str] = frozenset()


def difference(described: Described, old: Properties, new: Properties, state: Properties) -> Difference:
    """Compares plain inputs.

    Args:
        described: The type.
        old: The inputs in the state.
        new: The inputs that Check returned.
        state: The outputs in the state, for what the inputs then did not say.
    """
    inherited = frozenset({"azureApiVersion"} if "azureApiVersion" in state and "azureApiVersion" not in old else ())
    before = {**{name: state[name] for name in inherited}, **old}
    compared = _Comparison(described)
    compared.objects(before, new, "", "")
    result = Difference(compared.details, inherited=inherited)
    for path, kind in compared.details.items():
        if _counts(described, path, kind, old, new):
            if kind == "ADD_REPLACE" and path in new and path in state and same(new[path], state[path]):
                result.details[path] = "ADD"  # set to what the resource has anyway
            elif kind.endswith("_REPLACE"):
                result.replacing.append(path)
            top = re.split(r"[.\[]", path, maxsplit=1)[0] or path
            if top not in result.changed:
                result.changed.append(top)
    flag = old.get(CREATE_FIRST)
    result.delete_first = not flag if isinstance(flag, bool) else bool(result.replacing)
    return result


def _counts(described: Described, path: str, kind: str, old: Properties, new: Properties) -> bool:
    """An input added with the value that the specification defaults to is no change."""
    added = kind == "ADD" and path not in old and path in described.defaults
    return not (added and same(new.get(path), described.defaults[path]))


class _Comparison:
    """Collects details. A path is kept twice: as shown (`a[0].b`) and as the rules name it (`a[].b`)."""

    def __init__(self, described: Described) -> None:
        self.details: dict[str, str] = {}
        self._replaces = described.type.replaces | set(described.type.path_inputs)
        self._sets = described.type.sets

    def objects(self, old: Properties, new: Properties, shown: str, rule: str) -> None:
        for key in sorted(old.keys() | new.keys()):
            if key.startswith("__"):
                continue
            path, name = _join(shown, key), f"{rule}.{key}" if rule else key
            if key not in new:
                self._note(path, name, "DELETE")
            elif key not in old:
                self._note(path, name, "ADD")
            elif rule or not _equal_by_name(key, old[key], new[key]):
                self._values(old[key], new[key], path, name)

    def _note(self, path: str, name: str, kind: str) -> None:
        self.details[path] = f"{kind}_REPLACE" if name in self._replaces else kind

    def _values(self, old: Any, new: Any, path: str, name: str) -> None:
        if isinstance(old, dict) and isinstance(new, dict):
            self._object(old, new, path, name)
        elif isinstance(old, list) and isinstance(new, list):
            self._lists(old, new, path, name)
        elif not _equal(old, new):
            self._note(path, name, "UPDATE")

    def _object(self, old: Properties, new: Properties, path: str, name: str) -> None:
        known = set(self.details)
        self.objects(old, new, path, name)
        inside = [update for update in self.details if update not in known]
        if inside and name in self._replaces:
            updates = [update for update in inside if self.details[update] == "UPDATE"]
            for update in updates or [path]:  # a child that only comes or goes replaces by its parent
                self.details[update] = "UPDATE_REPLACE"

    def _lists(self, old: list[Any], new: list[Any], path: str, name: str) -> None:
        pairs = _paired(old, new, self._sets.get(name.replace("[]", "")))
        for before, after in pairs:
            if after is None:
                self.details[f"{path}[{before}]"] = "DELETE"
            elif before is None:
                self.details[f"{path}[{after}]"] = "ADD"
            else:
                self._values(old[before], new[after], f"{path}[{after}]", name + "[]")


def _join(path: str, key: str) -> str:
    if "." in key or "[" in key:
        return f'{path}.["{key}"]' if path else f'["{key}"]'
    return f"{path}.{key}" if path else key


def _paired(old: list[Any], new: list[Any], keys: tuple[str, ...] | None) -> list[tuple[int | None, int | None]]:
    """Which elements correspond: by their identifying properties in a set, by position elsewhere."""
    before, after = _identified(old, keys), _identified(new, keys)
    if before is None or after is None:
        length = max(len(old), len(new))
        return [(i if i < len(old) else None, i if i < len(new) else None) for i in range(length)]
    pairs: list[tuple[int | None, int | None]] = [(before.get(key), index) for key, index in after.items()]
    return pairs + [(index, None) for key, index in before.items() if key not in after]


def _identified(items: list[Any], keys: tuple[str, ...] | None) -> dict[str, int] | None:
    """Index by identity; None where the elements do not all have one of their own, so that order counts."""
    if keys is None or not all(isinstance(item, dict) and any(key in item for key in keys) for item in items):
        return None
    by_identity = {
        _folded(json.dumps([item.get(key) for key in keys], sort_keys=True)): i for i, item in enumerate(items)
    }
    return by_identity if len(by_identity) == len(items) else None


def _folded(text: str) -> str:
    return text.lower() if _RESOURCE_ID.search(text) else text


def _equal(old: Any, new: Any) -> bool:
    """Resource ids are equal whatever their case."""
    if isinstance(old, str) and isinstance(new, str):
        return old == new or bool(
            _RESOURCE_ID.fullmatch(old) and _RESOURCE_ID.fullmatch(new) and old.lower() == new.lower()
        )
    return same(old, new)


def _equal_by_name(key: str, old: Any, new: Any) -> bool:
    """Top-level locations are equal without case and spaces, resource groups' names without case."""
    if not isinstance(old, str) or not isinstance(new, str):
        return False
    if key == "location":
        return old.replace(" ", "").lower() == new.replace(" ", "").lower()
    return key == "resourceGroupName" and old.lower() == new.lower()
