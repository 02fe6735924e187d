"""What a property may be, read from either form of Microsoft's generated models.

msrest's models have `_attribute_map` and `_validation`; newer ones, made from TypeSpec, have `rest_field`s whose
visibility tells what only the service sets and what is fixed at creation.
"""

import datetime
import enum
import importlib
import re
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Union

SIMPLE = {
    "str": "string",
    "bool": "boolean",
    "int": "integer",
    "long": "integer",
    "float": "number",
    "iso-8601": "time",
    "rfc-1123": "time",
    "date": "time",
    "unix-time": "integer",
    "duration": "duration",
    "time": "string",
    "bytearray": "string",
    "base64": "string",
    "decimal": "number",
}
TIMES: Mapping[Any, str] = {datetime.datetime: "time", datetime.date: "time", datetime.timedelta: "duration"}
LIMITS = ("pattern", "min_length", "max_length", "minimum", "maximum", "minimum_ex", "maximum_ex", "multiple")
READ_ONLY = ({"read"}, {"read", "query"})


@dataclass(frozen=True)
class Kind:
    """A type: `string`, `boolean`, `integer`, `number`, `time`, `duration`, `any`, `list`, `map`, `model`.

    Attributes:
        name: Which of these.
        item: Of a list or map, its items' type.
        values: Of a string, the values that are known; empty where any is allowed.
        model: Of a model, its class.
    """

    name: str
    item: "Kind | None" = None
    values: tuple[str, ...] = ()
    model: Any = None


@dataclass(frozen=True)
class Property:
    """A property of a model.

    Attributes:
        path: Its keys on the wire, outermost first; none where it takes all keys that the model does not name.
        kind: Its type.
        required: Whether a request must have it.
        read_only: Whether only the service sets it.
        create_only: Whether an update cannot change it.
        constant: The one value that it has.
        limits: msrest's names of limits and their values.
    """

    path: tuple[str, ...]
    kind: Kind
    required: bool = False
    read_only: bool = False
    create_only: bool = False
    constant: Any = None
    limits: Mapping[str, Any] = field(default_factory=dict)


def concrete(model: Any, body: Mapping[str, Any]) -> tuple[Any, str]:
    """The subclass that a body's discriminators name; with the discriminator whose value is unknown, if one is."""
    named = False
    while found := _discriminator(model):
        key, subtypes = found
        value = str(body.get(key))
        if key not in body or value not in subtypes:  # a subclass with subclasses of its own may be meant itself
            return model, "" if named or key not in body else key
        model, named = subtypes[value], True
    return model, ""


def _discriminator(model: Any) -> tuple[str, Mapping[str, Any]] | None:
    """The property that names a model's subclasses, and these by its values."""
    for attribute, names in model.__dict__.get("_subtype_map", {}).items():
        module = _module(model)
        return model._attribute_map[attribute]["key"], {
            str(getattr(value, "value", value)): getattr(module, name) for value, name in names.items()
        }
    if mapping := model.__dict__.get("__mapping__"):
        key = next(name for name, one in _rest_fields(model).values() if one._is_discriminator)
        return key, {str(getattr(value, "value", value)): subtype for value, subtype in mapping.items()}
    return None


@cache
def properties(model: Any) -> tuple[Property, ...]:
    """All properties of a model, those of its bases included."""
    if _rest_fields(model):
        return tuple(_typespec(model))
    return tuple(_msrest(model, name, entry) for name, entry in model._attribute_map.items())


def _module(model: Any) -> Any:
    return importlib.import_module(model.__module__.rsplit(".", 1)[0])


def _msrest(model: Any, name: str, entry: Mapping[str, str]) -> Property:
    rules = model._validation.get(name, {})
    key = entry["key"]
    return Property(
        path=tuple(part.replace("\\.", ".") for part in re.split(r"(?<!\\)\.", key)) if key else (),
        kind=_named(model, entry["type"], _enumeration(model, name)),
        required=bool(rules.get("required")),
        read_only=bool(rules.get("readonly")),
        constant=getattr(model, name, None) if rules.get("constant") else None,
        limits={limit: rules[limit] for limit in LIMITS if limit in rules},
    )


def _named(model: Any, name: str, values: tuple[str, ...]) -> Kind:
    if name.startswith("["):
        return Kind("list", _named(model, name[1:-1], values))
    if name.startswith("{"):
        return Kind("map", _named(model, name[1:-1], values))
    if name in SIMPLE:
        return Kind(SIMPLE[name], values=values)
    found = getattr(_module(model), name, None)
    if found is None or not hasattr(found, "_attribute_map"):
        return Kind("any") if found is None else Kind("string", values=tuple(str(one.value) for one in found))
    return Kind("model", model=found)


def _enumeration(model: Any, name: str) -> tuple[str, ...]:
    """The values of the enumeration that the documentation of a property names; its type says only `str`."""
    for base in model.__mro__:
        told = re.search(rf":vartype {name}:\s+(.*?)(?=\n\s+:ivar|\n\s*\Z|\n\n)", base.__doc__ or "", re.DOTALL)
        named = re.search(r"str\s+or\s+~[\w.]+\.models\.(\w+)", told[1]) if told else None
        if named:
            return tuple(str(one.value) for one in getattr(_module(model), named[1]))
    return ()


@cache
def _rest_fields(model: Any) -> dict[str, tuple[str, Any]]:
    """Wire names and fields of a model from TypeSpec, by attribute; none for one of msrest's."""
    return {
        attribute: (one._rest_name_input or attribute, one)
        for base in reversed(model.__mro__)
        for attribute, one in base.__dict__.items()
        if hasattr(one, "_rest_name_input")
    }


def _typespec(model: Any) -> "typing.Iterator[Property]":
    module = _module(model)
    hints: dict[str, Any] = {}
    for base in reversed(model.__mro__):
        if "__annotations__" in base.__dict__:
            scope = {**vars(importlib.import_module(base.__module__)), "_models": module}
            hints |= {
                name: typing.get_type_hints(type("One", (), {"__annotations__": {name: hint}}), scope)[name]
                for name, hint in base.__annotations__.items()
                if name in _rest_fields(model)
            }
    for attribute, (name, rest) in _rest_fields(model).items():
        seen, hint = set(rest._visibility or ()), hints[attribute]
        yield Property(
            path=(name,),
            kind=_typed(hint),
            required=type(None) not in typing.get_args(hint) and seen not in READ_ONLY,
            read_only=seen in READ_ONLY,
            create_only=bool(seen) and "create" in seen and "update" not in seen,
        )


def _typed(hint: Any) -> Kind:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        members = [one for one in arguments if one is not type(None)]
        return _typed(next(filter(_is_enumeration, members), members[0]))
    if origin is list:
        return Kind("list", _typed(arguments[0]))
    if origin is dict:
        return Kind("map", _typed(arguments[1]))
    if origin is typing.Literal or _is_enumeration(hint):
        choices = arguments or tuple(hint)
        return Kind("string", values=tuple(str(getattr(one, "value", one)) for one in choices))
    if isinstance(hint, type) and _rest_fields(hint):
        return Kind("model", model=hint)
    return Kind(TIMES.get(hint) or SIMPLE.get(getattr(hint, "__name__", ""), "any"))


def _is_enumeration(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, enum.Enum)
