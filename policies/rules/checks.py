"""Checks that many rules share, and the words of their messages."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.model import Check, Outcome, Problem, Settings
from policies.resources import Graph, Resource
from policies.values import UnknownValueError

_MOST: Final = 12  # values in a message


def must_be(path: str, wanted: Any, *, absent_is: Any = None) -> Check:
    """A check that an input has a value.

    Args:
        path: Dotted path of the input.
        wanted: The value; a text in any letter case, as Azure takes it.
        absent_is: What Azure takes an absent input for; None if for something that is wrong.
    """

    def check(resource: Resource, _settings: Settings, _graph: Graph) -> Outcome:
        value = resource.get(path)
        if not alike(absent_is if value is None else value, wanted):
            yield Problem(f"{path} is {show(value)}, it must be {show(wanted)}", path)

    return check


def not_public(path: str) -> Check:
    """A check that an input, a resource's public network access, lets nobody in."""

    def check(resource: Resource, _settings: Settings, _graph: Graph) -> Outcome:
        value = resource.get(path)
        if not closed(value):
            yield Problem(f"{path} is {show(value)}, it must be 'Disabled'", path)

    return check


def closed(access: Any) -> bool:
    """Whether a value of publicNetworkAccess admits nobody: disabled, or left to a network security perimeter."""
    return alike(access, "Disabled") or alike(access, "SecuredByPerimeter")


def present(path: str, *kinds: str) -> Check:
    """A check that an input is set.

    Args:
        path: The input, which is not nested.
        kinds: Types of resource that give it: a value that comes from one of them is set, though it is not known yet.
    """

    def check(resource: Resource, _settings: Settings, graph: Graph) -> Outcome:
        try:
            value = resource.get(path)
        except UnknownValueError:
            if graph.sources(resource, path, *kinds):
                return
            raise
        if not value:
            yield Problem(f"{path} is {show(value)}, it must be set", path)

    return check


def alike(value: Any, wanted: Any) -> bool:
    """Whether a value is the wanted one. A text is compared in any letter case; 1 is not true."""
    if isinstance(value, str) and isinstance(wanted, str):
        return value.casefold() == wanted.casefold()
    return type(value) is type(wanted) and bool(value == wanted)


def show(value: Any) -> str:
    """A value as messages show it."""
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    return repr(value) if isinstance(value, str) else str(value)


def number(resource: Resource, path: str) -> float | None:
    """A number among the inputs; None where there is none, or something else."""
    value = resource.get(path)
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def listed(values: Any) -> str:
    """Values as a message lists them, not too many."""
    named = [str(value) for value in values]
    return ", ".join(named[:_MOST]) + (f" and {len(named) - _MOST} more" if len(named) > _MOST else "")


def tag(resource: Resource, name: str) -> str | None:
    """A tag's value, None where there is no such tag. Tag names have no letter case in Azure."""
    tags = resource.get("tags")
    if not isinstance(tags, Mapping):
        return None
    key = next((key for key in tags if key.casefold() == name.casefold()), None)
    value = None if key is None else resource.get(f"tags.{key}")
    return value if isinstance(value, str) else None


def texts(value: Any) -> Iterator[str]:
    """The texts of a list; nothing where there is none."""
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, str))
