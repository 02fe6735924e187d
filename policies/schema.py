"""Checks a configuration against the JSON schemas of the rules' settings, with messages that say what to write.

Only the words that the settings use. The pack is served from a folder that may have nothing but Pulumi's SDK beside it.
"""

import math
import re
from collections.abc import Iterator, Mapping
from datetime import date
from difflib import get_close_matches
from typing import Any, Final

_TYPES: Mapping[str, tuple[type | tuple[type, ...], str]] = {
    "string": (str, "a text"),
    "boolean": (bool, "true or false"),
    "array": (list, "a list"),
    "object": (dict, "an object"),
    "integer": ((int, float), "a whole number"),
    "number": ((int, float), "a number"),
}


_LONGEST: Final = 80  # value in a message
_SOME: Final = 8  # keys in a message


def problems(value: Any, schema: Mapping[str, Any], where: str) -> Iterator[str]:
    """The problems of a value, one sentence each.

    Args:
        value: The value.
        schema: Its JSON schema.
        where: The value's name in the messages.
    """
    wanted, words = _TYPES[schema["type"]]
    number = schema["type"] in ("integer", "number")
    if not isinstance(value, wanted) or (number and isinstance(value, bool)):
        yield f"{where} must be {words}, it is {_show(value)}"
    elif isinstance(value, (int, float)) and number:
        yield from _number(value, schema, where, words)
    elif isinstance(value, str):
        yield from _text(value, schema, where)
    elif isinstance(value, list):
        if len(value) < schema.get("minItems", 0):
            yield f"{where} must not be empty"
        for index, item in enumerate(value):
            yield from problems(item, schema["items"], f"{where}[{index}]")
    elif isinstance(value, dict):
        yield from _object(value, schema, where)


def _number(value: float, schema: Mapping[str, Any], where: str, words: str) -> Iterator[str]:
    whole = math.isfinite(value) and int(value) == value
    if not math.isfinite(value) or (schema["type"] == "integer" and not whole):
        yield f"{where} must be {words}, it is {_show(value)}"
    elif value < schema.get("minimum", -math.inf):
        yield f"{where} must be {words} of at least {schema['minimum']}, it is {_show(value)}"


def _text(value: str, schema: Mapping[str, Any], where: str) -> Iterator[str]:
    allowed = schema.get("enum")
    if allowed and value not in allowed:
        yield f"{where} is {_show(value)}, allowed are {', '.join(allowed)}"
    elif "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{where} is {_show(value)}, it must match {schema['pattern']}"
    elif schema.get("format") == "regex" and (fault := _pattern_fault(value)):
        yield f"{where} is {_show(value)}, which is no regular expression: {fault}"
    elif schema.get("format") == "date" and not _is_date(value):
        yield f"{where} is {_show(value)}, it must be a date such as 2027-03-31"
    elif len(value.strip()) < schema.get("minLength", 0):
        yield f"{where} must have at least {schema['minLength']} characters, it is {_show(value)}"


def _object(value: Mapping[str, Any], schema: Mapping[str, Any], where: str) -> Iterator[str]:
    own: Mapping[str, Any] = schema.get("properties", {})
    rest = schema.get("additionalProperties", False)
    for key in value:
        yield from _key(key, schema.get("propertyNames", {}), where)
    for key in schema.get("required", ()):
        if key not in value:
            yield f"{where} must have '{key}'"
    for key, item in value.items():
        inner = own.get(key, rest)
        if inner is False:
            yield f"{where} has no key '{key}'{nearest(key, own)}; it may have {', '.join(own)}"
        else:
            yield from problems(item, inner, f"{where}.{key}")


def _key(key: str, schema: Mapping[str, Any], where: str) -> Iterator[str]:
    allowed = schema.get("enum")
    if allowed and key not in allowed:
        hint = nearest(key, allowed) or f"; it may have {', '.join(allowed[:_SOME])}, …"
        yield f"{where} has no key '{key}'{hint}"
    elif "pattern" in schema and not re.search(schema["pattern"], key):
        yield f"{where} has the key {_show(key)}, which must match {schema['pattern']}"


def nearest(name: str, among: Any) -> str:
    """A hint at the name that was probably meant; empty if no name is near."""
    found = get_close_matches(name, list(among), n=1, cutoff=0.5)
    return f" (did you mean '{found[0]}'?)" if found else ""


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _pattern_fault(text: str) -> str | None:
    try:
        re.compile(text)
    except re.error as error:
        return str(error)
    return None


def _show(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
