"""Bodies with every property that a resource type's inputs or outputs have, as the provider would send or read them."""

from collections.abc import Iterator
from typing import Any

from sandbox.providers import convert
from sandbox.providers.resources import Described, Shape, shape

SUBSCRIPTION = "8b41ca0c-0c5a-4c01-b49b-5bb8d329cc27"
SCOPE = f"subscriptions/{SUBSCRIPTION}/resourceGroups/group"
_SCALARS: dict[str, Any] = {"string": "text", "boolean": True, "integer": 1, "number": 1}
_DEEPEST = 4


def path(described: Described) -> str:
    """An id of the type, of names that are allowed wherever names are."""
    names = {name: SCOPE if name in ("scope", "resourceUri") else "name1" for name in described.type.path_inputs}
    return convert.resource_id(described, names, SUBSCRIPTION)


def requests(described: Described) -> Iterator[Any]:
    """Bodies of PUTs: one with everything, then one for each further member of a union."""
    for inputs in _objects(described.body, ()):
        yield convert.request_body(described, inputs)


def responses(described: Described) -> Iterator[Any]:
    """Bodies of answers from which the provider reads every output."""
    for outputs in _objects(described.outputs, ()):
        yield _wire(described.outputs, outputs)


def _objects(form: Shape, inside: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    choices: dict[str, list[Any]] = {}
    for name, part in form.parts.items():
        found = [form.constants[name]] if name in form.constants else list(_values(part.type, inside))
        if found:
            choices[name] = found
    first = {name: found[0] for name, found in choices.items()}
    yield first
    for name, found in choices.items():
        for other in found[1:]:
            yield {**first, name: other}


def _values(kind: str, inside: tuple[str, ...]) -> Iterator[Any]:
    if kind.startswith("[]"):
        yield from ([item] for item in _values(kind[2:], inside))
    elif kind.startswith("{}"):
        yield from ({"key": item} for item in _values(kind[2:], inside))
    elif kind[0].isupper():
        for name in kind.split("|"):
            if name not in inside and len(inside) < _DEEPEST:
                yield from _objects(shape(name), (*inside, name))
    elif kind in _SCALARS:
        yield _SCALARS[kind]


def _wire(form: Shape, values: dict[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for name, value in values.items():
        part = form.parts[name]
        target = body
        for container in part.containers:
            target = target.setdefault(container, {})
        target[part.wire] = _wire_value(part.type, value)
    return body


def _wire_value(kind: str, value: Any) -> Any:
    if kind.startswith(("[]", "{}")):
        if isinstance(value, list):
            return [_wire_value(kind[2:], item) for item in value]
        return {key: _wire_value(kind[2:], item) for key, item in value.items()}
    if isinstance(value, dict):
        members = (shape(name) for name in kind.split("|"))
        fitting = (one for one in members if set(value) <= set(one.parts) and _fits(one, value))
        return _wire(next(fitting), value)
    return value


def _fits(form: Shape, value: dict[str, Any]) -> bool:
    return all(value.get(name) == constant for name, constant in form.constants.items())
