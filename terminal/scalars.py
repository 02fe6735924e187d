"""YAML's scalars as the real `pulumi` reads them: those of Go's yaml.v3, neither quite YAML 1.1's nor 1.2's.

So a stack file means the same to `python -m department check`, to the embedded engine and to the real command line:
`yes` and `12:30` are text, `1e3` and `0o17` are numbers, and a day without quotes is Go's text of a moment.

Sources: resolve.go of gopkg.in/yaml.v3 3.0.1, sdk/go/common/resource/config/object.go of github.com/pulumi/pulumi.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import yaml

_TAG = "tag:yaml.org,2002:"
_NULLS = ("", "~", "null", "Null", "NULL")
_TRUE, _FALSE = ("true", "True", "TRUE"), ("false", "False", "FALSE")
_INFINITE = {sign + word: float(f"{sign}inf") for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF")}
_SPECIAL = {**_INFINITE, **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan)}
_INTEGER = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|([1-9][0-9]*|0))")
_BASES = (16, 2, 8, 10)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_FRACTION = re.compile(r"\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+)?")
_MOMENT = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})"
    r"(?:[Tt ](\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,](\d{1,9})\d*)?(Z|[-+](?:[01]\d|2[0-4]):(?:[0-5]\d|60))?)?"
)
_LARGEST = 2**64 - 1  # an integer of Go; larger ones are floats
_SMALLEST = -(2**63)
_SMALLEST_WRITTEN_OUT = 1e-6
_WRITTEN_OUT = 1e21  # below it, Go writes a whole float with all its digits and without a point


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc] # libyaml: twenty times as fast
    """A safe loader with Go's scalars, which refuses a key that stands twice in a mapping."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 # as in PyYAML's own class

    def resolve(self, kind: type, value: Any, implicit: Any) -> str:
        """The tag of a node; a plain scalar's is its value's in Go."""
        if kind is yaml.ScalarNode and implicit[0]:
            return _TAG + ("merge" if value == "<<" else _kind(value))
        return str(super().resolve(kind, value, implicit))

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """The mapping, each key of which stands once; keys are text, as JSON has them."""
        lines: dict[str, int] = {}
        for index, (key, value) in enumerate(node.value):
            if not isinstance(key, yaml.ScalarNode) or key.tag == _TAG + "merge":
                continue
            name, mark = _key(self.construct_object(key)), key.start_mark
            if name in lines:
                text = f"mapping key {name!r} already defined at line {lines[name]}"
                raise yaml.constructor.ConstructorError(None, None, text, mark)
            lines[name] = mark.line + 1
            node.value[index] = (yaml.ScalarNode(_TAG + "str", name, mark, key.end_mark), value)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        return mapping


def _key(value: Any) -> str:
    """A key's text, as Go prints the value."""
    if value is None or isinstance(value, bool):
        return "<nil>" if value is None else str(value).lower()
    return str(value)


def _kind(text: str) -> str:
    if text in _NULLS:
        return "null"
    if text in (*_TRUE, *_FALSE):
        return "bool"
    if _moment(text) is not None:
        return "timestamp"
    number = _number(text)
    return "str" if number is None else "int" if isinstance(number, int) else "float"


def _number(text: str) -> int | float | None:
    if text in _SPECIAL:
        return _SPECIAL[text]
    if not text or text[0] not in "+-.0123456789":
        return None
    if text[0] == "." and not _FRACTION.fullmatch(text):
        return None
    plain = text.replace("_", "")
    if integer := _INTEGER.fullmatch(plain):
        digits, base = next((d, b) for d, b in zip(integer.groups()[1:], _BASES, strict=True) if d is not None)
        whole_number = int(digits, base) * (-1 if integer[1] == "-" else 1)
        return whole_number if _SMALLEST <= whole_number <= _LARGEST else float(whole_number)
    if not _FLOAT.fullmatch(plain) or math.isinf(value := float(plain)):
        return None
    return value


def text(number: float) -> str:
    """A number as Go writes it into JSON: an exponent only below 1e-6 and from 1e21 on.

    Raises:
        ValueError: it is infinite or no number, which JSON has not.
    """
    if not math.isfinite(number):
        raise ValueError(f"{number} is no number of JSON")
    number = whole(number) if isinstance(number, float) else number
    if isinstance(number, int) or not 0 < abs(number) < _WRITTEN_OUT or abs(number) < _SMALLEST_WRITTEN_OUT:
        return re.sub(r"e([-+])0(\d)$", r"e\1\2", repr(number))
    return format(Decimal(repr(number)), "f")


def whole(value: float) -> int | float:
    """A float as Go writes it into JSON: a whole one up to 21 digits has no point, and zeros behind its 17 digits."""
    if math.isfinite(value) and value == int(value) and abs(value) < _WRITTEN_OUT:
        return int(Decimal(repr(value)))
    return value


def _moment(text: str) -> str | None:
    """The text that Go makes of a day or a time, such as `2026-11-20 00:00:00 +0000 UTC`; None for other text."""
    match = _MOMENT.fullmatch(text)
    if match is None:
        return None
    *parts, fraction, zone = match.groups()
    if parts[3] is not None and (zone is None) != (" " in text):
        return None  # Go reads a zone behind `T` only, and there it must be
    year, month, day, hour, minute, second = (int(part or 0) for part in parts)
    try:
        at = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    decimals = f".{fraction}".rstrip("0").rstrip(".") if fraction else ""
    offset = "+0000" if zone in (None, "Z", "-00:00") else str(zone).replace(":", "")
    return f"{at.year:04}-{at:%m-%d %H:%M:%S}{decimals} {offset} {'UTC' if offset == '+0000' else offset}"


def _null(_loader: Any, _node: Any) -> None:
    return None


def _bool(_loader: Any, node: Any) -> bool:
    if node.value not in (*_TRUE, *_FALSE):
        raise ValueError(f"{node.value!r} is neither true nor false")
    return node.value in _TRUE


def _numeric(_loader: Any, node: Any) -> int | float:
    number = _number(node.value)
    if number is None:
        raise ValueError(f"{node.value!r} is no number")
    return whole(number) if isinstance(number, float) else number


def _timestamp(_loader: Any, node: Any) -> str:
    text = _moment(node.value)
    if text is None:
        raise ValueError(f"{node.value!r} is no day or time")
    return text


for _name, _construct in (
    ("null", _null),
    ("bool", _bool),
    ("int", _numeric),
    ("float", _numeric),
    ("timestamp", _timestamp),
    ("merge", lambda _loader, node: node.value),  # `<<` where it is no key
):
    Loader.add_constructor(_TAG + _name, _construct)
