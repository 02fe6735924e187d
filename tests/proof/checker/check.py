"""Holds a request or a response to its model; pure."""

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.proof.checker.kinds import Kind, Property, concrete, properties

FORMATS: Mapping[str, re.Pattern[str]] = {
    "time": re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?"),
    "duration": re.compile(r"P(?=.)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?"),
}
RANGES: Mapping[str, Callable[[float, float], bool]] = {
    "minimum": operator.ge,
    "maximum": operator.le,
    "minimum_ex": operator.gt,
    "maximum_ex": operator.lt,
    "multiple": lambda value, step: value % step == 0,
}
SCALARS: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "time": (str,),
    "duration": (str,),
}


@dataclass(frozen=True)
class Finding:
    """Something that a model does not allow.

    Attributes:
        at: The property's path in the body, or the name of a part of the URL.
        rule: `unknown`, `type`, `format`, `enum`, `required`, `read-only`, `constant`, `pattern`, `length`, `range`,
            `name` for a part of the URL, or `status` for the response's.
        text: What is there and what is allowed.
        model: The model that does not know an unknown property.
    """

    at: str
    rule: str
    text: str
    model: str = ""


def names(limits: Mapping[str, Mapping[str, Any]], parts: Mapping[str, str]) -> Iterator[Finding]:
    """Parts of the URL that break the operation's limits."""
    for name, value in parts.items():
        for one in _limits(name, value, limits.get(name, {})):
            yield Finding(name, "name", one.text)


def request(model: Any, body: Any) -> list[Finding]:
    """What is wrong with a request's body."""
    return list(_model(model, body, "", sent=True))


def response(model: Any, body: Any) -> list[Finding]:
    """What is wrong with a response's body."""
    return list(_model(model, body, "", sent=False))


def _model(model: Any, body: Any, at: str, *, sent: bool) -> Iterator[Finding]:
    if not isinstance(body, dict):
        yield Finding(at, "type", f"{_shown(body)} is no object")
        return
    model, unknown = concrete(model, body)
    if unknown:
        yield Finding(_join(at, unknown), "enum", f"{_shown(body[unknown])} names no {model.__name__}")
    known = properties(model)
    for one in known:
        if one.path:
            yield from _property(one, body, at, sent=sent)
    if all(one.path for one in known):
        yield from _unknown(body, [one.path for one in known], at, model.__name__)


def _unknown(body: Any, paths: list[tuple[str, ...]], at: str, model: str) -> Iterator[Finding]:
    for key, value in body.items():
        inside = [path[1:] for path in paths if path[0] == key]
        if not inside:
            near = next((path[0] for path in paths if path[0].lower() == key.lower()), "")
            hint = f", but '{near}'" if near else ""
            yield Finding(_join(at, key), "unknown", f"{model} has no such property{hint}", model)
        elif all(inside) and isinstance(value, dict):
            yield from _unknown(value, inside, _join(at, key), model)


def _property(rule: Property, body: Any, at: str, *, sent: bool) -> Iterator[Finding]:
    value, present = body, True
    for key in rule.path:
        at = _join(at, key)
        present = isinstance(value, dict) and key in value
        if not present:
            break
        value = value[key]
    if not present or value is None:
        if rule.required and not (sent and rule.read_only):
            yield Finding(at, "required", "must be there")
        return
    if sent and rule.read_only and value not in ({}, []):
        yield Finding(at, "read-only", f"{_shown(value)} is sent, which only the service sets")
    if rule.constant is not None and value != rule.constant:
        yield Finding(at, "constant", f"{_shown(value)} is not {_shown(rule.constant)}")
    yield from _value(rule.kind, value, at, sent=sent)
    yield from _limits(at, value, rule.limits)


def _value(kind: Kind, value: Any, at: str, *, sent: bool) -> Iterator[Finding]:
    if kind.name == "any" or value is None:
        return
    if kind.name == "model":
        yield from _model(kind.model, value, at, sent=sent)
    elif kind.name in ("list", "map"):
        wanted = list if kind.name == "list" else dict
        if not isinstance(value, wanted):
            yield Finding(at, "type", f"{_shown(value)} is no {kind.name}")
            return
        for key, item in enumerate(value) if isinstance(value, list) else value.items():
            assert kind.item is not None
            yield from _value(kind.item, item, f"{at}[{key}]", sent=sent)
    else:
        yield from _scalar(kind, value, at)


def _scalar(kind: Kind, value: Any, at: str) -> Iterator[Finding]:
    allowed = SCALARS[kind.name]
    if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
        yield Finding(at, "type", f"{_shown(value)} is no {kind.name}")
    elif kind.values and value not in kind.values:
        yield Finding(at, "enum", f"{_shown(value)} is none of {', '.join(kind.values)}")
    elif kind.name in FORMATS and not FORMATS[kind.name].fullmatch(str(value)):
        yield Finding(at, "format", f"{_shown(value)} is no {kind.name} in ISO 8601")


def _limits(at: str, value: Any, limits: Mapping[str, Any]) -> Iterator[Finding]:
    if "pattern" in limits and isinstance(value, str) and not re.search(limits["pattern"], value):
        yield Finding(at, "pattern", f"{_shown(value)} does not match {limits['pattern']}")
    if isinstance(value, str):
        least, most = limits.get("min_length", 0), limits.get("max_length", len(value))
        if not least <= len(value) <= most:
            yield Finding(at, "length", f"{_shown(value)} has {len(value)} characters, not {least} to {most}")
    elif isinstance(value, int | float):
        for name, holds in RANGES.items():
            if name in limits and not holds(value, limits[name]):
                yield Finding(at, "range", f"{value} breaks {name} {limits[name]}")


def _join(at: str, key: str) -> str:
    return f"{at}.{key}" if at else key


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 100 else text[:97] + "..."
