"""`$filter` as Azure's services take it: terms joined with `and`.

A term compares (`name eq 'x'`, `securityEnabled eq true`, `id in ('a','b')`), matches (`startswith(name,'x')`,
`substringof('x', name)`), looks into a list (`tags/any(t:t eq 'x')`) or is a bare function (`atScope()`,
`assignedTo('x')`).
Source: docs.oasis-open.org/odata/odata/v4.01, part 2, 5.1.1.
"""

import re
from dataclasses import dataclass
from typing import Any

_STRING = r"'(?:[^']|'')*'"
_LITERAL = rf"(?:{_STRING}|[\w:.+-]+)"
_TERM = re.compile(
    rf"\s*(?:(?P<field>[\w/@.]+)\s+(?P<compare>eq|ne)\s+(?P<literal>{_LITERAL})"
    rf"|(?P<of>[\w/]+)\s+in\s*\(\s*(?P<items>{_LITERAL}(?:\s*,\s*{_LITERAL})*)\s*\)"
    rf"|(?P<match>startswith|endswith)\(\s*(?P<whole>[\w/]+)\s*,\s*(?P<part>{_STRING})\s*\)"
    rf"|substringof\(\s*(?P<inner>{_STRING})\s*,\s*(?P<outer>[\w/]+)\s*\)"
    rf"|(?P<call>\w+)\(\s*(?P<argument>{_STRING})?\s*\))\s*",
    re.IGNORECASE,
)
_ANY = re.compile(r"\s*(?P<list>[\w/]+)/any\(\s*(?P<name>\w+)\s*:\s*", re.IGNORECASE)
_CLOSED = re.compile(r"\s*\)\s*")
_AND = re.compile(r"and\b", re.IGNORECASE)
_WORDS = {"true": True, "false": False, "null": None}


class FilterError(ValueError):
    """A filter that cannot be read; the message lists what can."""


@dataclass(frozen=True)
class Term:
    """One condition.

    Attributes:
        operator: `eq`, `ne`, `in`, `startswith`, `endswith`, `substringof`, or a bare function's lowercased name.
        field: The compared field, as written; empty for a bare function.
        value: What it is compared with: text, True, False, None, or a tuple of them for `in`.
    """

    operator: str
    field: str
    value: Any

    def holds(self, value: Any) -> bool:
        """Whether a field's value meets the condition; of a list, whether any does. Text compares without case."""
        if isinstance(value, list):
            some = any(self._meets(_folded(item)) for item in value)
            return some if self.operator != "ne" else all(self._meets(_folded(item)) for item in value)
        return self._meets(_folded(value))

    def _meets(self, value: Any) -> bool:
        wanted = _folded(self.value)
        match self.operator:
            case "eq":
                return bool(value == wanted)
            case "ne":
                return bool(value != wanted)
            case "in":
                return value in wanted
            case "startswith":
                return isinstance(value, str) and value.startswith(wanted)
            case "endswith":
                return isinstance(value, str) and value.endswith(wanted)
            case _:
                return isinstance(value, str) and wanted in value


def parse_filter(text: str) -> list[Term]:
    """The terms of a filter; none for an empty one.

    Raises:
        FilterError: It is not understood.
    """
    terms, at = [], 0
    while at < len(text):
        term, at = _next_term(text, at)
        terms.append(term)
        if at == len(text):
            break
        joined = _AND.match(text, at)
        if joined is None or joined.end() == len(text):
            raise FilterError(f"'{text}' is not understood at character {at + 1}: terms are joined with 'and'")
        at = joined.end()
    return terms


def _next_term(text: str, at: int) -> tuple[Term, int]:
    """The term that begins at a place, and where it ends."""
    inside = _ANY.match(text, at)
    match = _TERM.match(text, inside.end() if inside else at)
    if match is None:
        raise FilterError(f"'{text}' is not understood at character {at + 1}")
    term = _term(match)
    if inside is None:
        return term, match.end()
    # A field that is a list meets a condition where any of its members does: `any` asks for just that.
    closed = _CLOSED.match(text, match.end())
    name, _, rest = term.field.partition("/")
    if closed is None or name != inside["name"] or rest:
        raise FilterError(f"'{text}' is not understood at character {at + 1}: write 'LIST/any(x:x eq ...)'")
    return Term(term.operator, inside["list"], term.value), closed.end()


def _term(match: re.Match[str]) -> Term:
    if match["field"]:
        return Term(match["compare"].lower(), match["field"], _value(match["literal"]))
    if match["of"]:
        return Term("in", match["of"], tuple(_value(literal) for literal in re.findall(_LITERAL, match["items"])))
    if match["match"]:
        return Term(match["match"].lower(), match["whole"], _value(match["part"]))
    if match["outer"]:
        return Term("substringof", match["outer"], _value(match["inner"]))
    return Term(match["call"].lower(), "", _value(match["argument"] or "''"))


def _value(literal: str) -> Any:
    if literal.startswith("'"):
        return literal[1:-1].replace("''", "'")
    return _WORDS.get(literal.lower(), literal)


def _folded(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_folded(item) for item in value)
    return value.lower() if isinstance(value, str) else value
