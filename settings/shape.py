"""The problems that the types find, in plain words: wrong values, missing keys and unknown keys."""

from collections.abc import Iterable, Iterator, Sequence

from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from catalogue import vm_sizes
from catalogue.regions import REGIONS
from settings.department import Department
from settings.problems import Path, Problem, show
from settings.resolve import Resolved
from settings.spelling import did_you_mean
from settings.types import Section, is_resolved, key_of, section_in

_TYPES = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "date_type": "a day such as 2027-01-31",
    "date_parsing": "a day such as 2027-01-31",
    "date_from_datetime_parsing": "a day such as 2027-01-31",
    "tuple_type": "a list",
    "model_type": "a mapping of keys",
    "dict_type": "a mapping of keys",
    "model_attributes_type": "a mapping of keys",
}


def shape_problems(errors: Sequence[ErrorDetails], resolved: Resolved) -> Iterator[Problem]:
    """The problems behind the types' errors.

    Args:
        errors: The errors that pydantic found.
        resolved: The settings that pydantic was given.
    """
    holders = {details["loc"][:length] for details in errors for length in range(len(details["loc"]))}
    for details in errors:
        path, kind = tuple(details["loc"]), details["type"]
        if kind == "too_short" and path in holders:
            continue  # pydantic counts only the entries that are right
        field = _field_at(path)
        if resolved.origin(path) != path or (kind == "missing" and field and is_resolved(field)):
            continue  # the key that decides has the problem
        if path[-1:] == ("user",) and isinstance(_value_at(resolved.raw, path[:-1]), str):
            path = path[:-1]  # a name alone, which Member has put into a mapping
        yield Problem(path, _printable(_message(path, kind, details["input"], details["msg"])))


def _printable(text: str) -> str:
    """The text with what a terminal would carry out spelled out."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


def _value_at(raw: object, path: Path) -> object:
    for part in path:
        raw = raw[part]  # type: ignore[index] # a path of this value
    return raw


def _message(path: Path, kind: str, value: object, said: str) -> str:
    if kind == "extra_forbidden":
        return unknown_key(str(path[-1]), _keys(_section_at(path[:-1])))
    if kind == "own":
        return said
    field = _field_at(path)
    allowed = f" {field.description}" if field and field.description else ""
    return f"{_complaint(kind, value, said)}{allowed}"


def _complaint(kind: str, value: object, said: str) -> str:
    """The first half of a message: what is wrong with the value. What is allowed follows."""
    match kind:
        case "missing":
            return "is missing."
        case "too_short":
            return "is empty."
        case "vm_size":
            return f"{show(value)} {said}{did_you_mean(str(value).upper(), vm_sizes.known(), cutoff=0.7)}"
        case "region":
            return f"{show(value)} {said}{did_you_mean(str(value), REGIONS)}"
        case _ if kind in _TYPES:
            return f"expected {_TYPES[kind]}, found {show(value)}."
    length = f" ({len(value)} characters)" if isinstance(value, str) else ""
    return f"{show(value)}{length} is not allowed."


def unknown_key(key: str, known: Iterable[str]) -> str:
    """The message for an unknown key, with the nearest known one."""
    names = sorted(known)
    return f"unknown key.{did_you_mean(key, names, otherwise=' Remove it.')} Known keys here: {', '.join(names)}."


def _keys(section: type[Section] | None) -> list[str]:
    return [key_of(name, field) for name, field in section.model_fields.items()] if section else []


def _field_at(path: Path) -> FieldInfo | None:
    """The field that a path leads to; for an entry of a list, the list's."""
    while path and isinstance(path[-1], int):
        path = path[:-1]
    section = _section_at(path[:-1])
    return _field(section, path[-1]) if path and section else None


def _section_at(path: Path) -> type[Section] | None:
    section: type[Section] | None = Department
    for part in path:
        if isinstance(part, str) and section is not None:
            field = _field(section, part)
            section = section_in(field.annotation) if field else None
    return section


def _field(section: type[Section], key: str | int) -> FieldInfo | None:
    return next((field for name, field in section.model_fields.items() if key in (key_of(name, field), name)), None)
