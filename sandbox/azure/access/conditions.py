"""Conditions of role assignments: attribute-based access control (ABAC), version 2.0.

Sources: learn.microsoft.com/azure/role-based-access-control/conditions-format, and for the attributes of storage and of
role assignments learn.microsoft.com/azure/storage/blobs/storage-auth-abac-attributes and
learn.microsoft.com/azure/role-based-access-control/conditions-authorization-actions-attributes.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sandbox.azure import clock

CONTAINERS = "Microsoft.Storage/storageAccounts/blobServices/containers"
ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"
KNOWN = {
    "resource": frozenset(
        name.lower()
        for name in (
            "Microsoft.Storage/storageAccounts:name",
            "Microsoft.Storage/storageAccounts:isHnsEnabled",
            f"{CONTAINERS}:name",
            f"{CONTAINERS}/blobs:path",
            f"{ASSIGNMENTS}:RoleDefinitionId",
            f"{ASSIGNMENTS}:PrincipalId",
            f"{ASSIGNMENTS}:PrincipalType",
        )
    ),
    "request": frozenset(
        name.lower()
        for name in (
            f"{CONTAINERS}/blobs:prefix",
            f"{ASSIGNMENTS}:RoleDefinitionId",
            f"{ASSIGNMENTS}:PrincipalId",
            f"{ASSIGNMENTS}:PrincipalType",
        )
    ),
    "environment": frozenset({"utcnow"}),
}
"""The attributes that can be evaluated, in lower case, by source."""


class ConditionError(ValueError):
    """A condition that cannot be read, or asks for an attribute that is not emulated; the message says which."""


@dataclass(frozen=True)
class Attempt:
    """The operation that a caller tries, as conditions look at it.

    Attributes:
        action: The action or data action.
        suboperation: Such as `Blob.List`; empty for none.
        resource: Attributes of the resource by lowercased name.
        request: Attributes of the request by lowercased name.
    """

    action: str
    suboperation: str = ""
    resource: Mapping[str, Any] = field(default_factory=dict)
    request: Mapping[str, Any] = field(default_factory=dict)


Condition = Callable[[Attempt], bool]
Value = Callable[[Attempt], Any]

_TOKEN = re.compile(
    r"\s*(?:(?P<attribute>@(?P<source>\w+)\[(?P<name>[^\]]+)\])"
    r"|(?P<text>'(?:[^'\\]|\\.|'')*')"
    r"|(?P<guid>[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})"
    r"|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<word>[A-Za-z][\w:]*)"
    r"|(?P<sign>&&|\|\||[!(){},]))",
)


def _matches_text(compare: Callable[[str, str], bool], *, fold: bool = False) -> Callable[[Any, Any], bool]:
    def matches(value: Any, wanted: Any) -> bool:
        if not isinstance(value, str) or not isinstance(wanted, str):
            return False
        return compare(value.lower(), wanted.lower()) if fold else compare(value, wanted)

    return matches


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def matches(value: Any, wanted: Any) -> bool:
        try:
            return compare(value, wanted)
        except TypeError:
            return False

    return matches


def _timed(compare: Callable[[datetime, datetime], bool]) -> Callable[[Any, Any], bool]:
    def matches(value: Any, wanted: Any) -> bool:
        try:
            return compare(_time(value), _time(wanted))
        except ValueError:
            return False

    return matches


def _time(value: Any) -> datetime:
    time = datetime.fromisoformat(str(value))
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _like(value: str, pattern: str) -> bool:
    """Whether text matches a pattern in which `*` stands for any characters and `?` for one."""
    parts = {"*": ".*", "?": "."}
    return re.fullmatch("".join(parts.get(sign, re.escape(sign)) for sign in pattern), value, re.DOTALL) is not None


_COMPARED: dict[str, Callable[[str, str], bool]] = {
    "Equals": lambda value, wanted: value == wanted,
    "StartsWith": lambda value, wanted: value.startswith(wanted),
    "Like": _like,
}
_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": lambda value, wanted: bool(value == wanted),
    "LessThan": lambda value, wanted: bool(value < wanted),
    "LessThanEquals": lambda value, wanted: bool(value <= wanted),
    "GreaterThan": lambda value, wanted: bool(value > wanted),
    "GreaterThanEquals": lambda value, wanted: bool(value >= wanted),
}


def _negated(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda value, wanted: value is not None and not compare(value, wanted)


def _operators() -> dict[str, Callable[[Any, Any], bool]]:
    """Comparisons by lowercased name."""
    table: dict[str, Callable[[Any, Any], bool]] = {}
    for name, compare in _COMPARED.items():
        for suffix, fold in (("", False), ("IgnoreCase", True)):
            table[f"String{name}{suffix}"] = _matches_text(compare, fold=fold)
            table[f"StringNot{name}{suffix}"] = _negated(_matches_text(compare, fold=fold))
    for name, order in _ORDERS.items():
        table[f"Numeric{name}"] = _ordered(order)
        table[f"DateTime{name}"] = _timed(order)
    for kind in ("Numeric", "DateTime"):
        table[f"{kind}NotEquals"] = _negated(table[f"{kind}Equals"])
    table["BoolEquals"] = _ordered(_ORDERS["Equals"])
    table["BoolNotEquals"] = _negated(table["BoolEquals"])
    table["GuidEquals"] = _matches_text(_COMPARED["Equals"], fold=True)
    table["GuidNotEquals"] = _negated(table["GuidEquals"])
    return {name.lower(): compare for name, compare in table.items()}


OPERATORS = _operators()
Meets = Callable[[Any, Any], bool]
_QUANTIFIERS: dict[str, Callable[[list[Any], list[Any], Meets], bool]] = {
    "foranyofanyvalues": lambda values, wanted, meets: any(meets(value, text) for value in values for text in wanted),
    "forallofanyvalues": lambda values, wanted, meets: all(
        any(meets(value, text) for text in wanted) for value in values
    ),
    "foranyofallvalues": lambda values, wanted, meets: any(
        all(meets(value, text) for text in wanted) for value in values
    ),
    "forallofallvalues": lambda values, wanted, meets: all(meets(value, text) for value in values for text in wanted),
}


@lru_cache(maxsize=1024)
def compile_condition(text: str) -> Condition:
    """The condition as a function.

    Raises:
        ConditionError: It is not understood.
    """
    reader = _Reader(text)
    condition = reader.either()
    reader.end()
    return condition


class _Reader:
    """Reads a condition: `OR` over `AND` over `!`, with expressions and groups inside."""

    def __init__(self, text: str) -> None:
        self._tokens: list[re.Match[str]] = []
        at, text = 0, text.rstrip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise ConditionError(f"the condition is not understood at character {at + 1}: '{text[at : at + 30]}'")
            self._tokens.append(match)
            at = match.end()
        self._next = 0

    def either(self) -> Condition:
        """Terms joined by `OR`."""
        terms = [self._both()]
        while self._takes("or", "||"):
            terms.append(self._both())
        return terms[0] if len(terms) == 1 else lambda attempt: any(term(attempt) for term in terms)

    def _both(self) -> Condition:
        terms = [self._inverted()]
        while self._takes("and", "&&"):
            terms.append(self._inverted())
        return terms[0] if len(terms) == 1 else lambda attempt: all(term(attempt) for term in terms)

    def _inverted(self) -> Condition:
        if self._takes("!", "not"):
            inner = self._inverted()
            return lambda attempt: not inner(attempt)
        return self._single()

    def _single(self) -> Condition:
        if self._takes("("):
            inner = self.either()
            self._require(")")
            return inner
        word = self._peek().lower()
        if word in ("actionmatches", "suboperationmatches"):
            return self._function(word)
        if self._takes("exists", "notexists"):
            value = self._attribute()
            return (
                (lambda attempt: value(attempt) is not None)
                if word == "exists"
                else (lambda attempt: value(attempt) is None)
            )
        return self._comparison()

    def _function(self, word: str) -> Condition:
        """`ActionMatches{'...'}`, where `*` stands for any characters, and `SubOperationMatches{'...'}`."""
        self._next += 1
        self._require("{")
        wanted = str(self._literal()).lower()
        self._require("}")
        if word == "actionmatches":
            return lambda attempt: _like(attempt.action.lower(), wanted)
        return lambda attempt: attempt.suboperation.lower() == wanted

    def _comparison(self) -> Condition:
        left = self._operand()
        name = self._word().lower()
        quantifier, _, operator = name.rpartition(":")
        compare = OPERATORS.get(operator)
        if compare is None or (quantifier and quantifier not in _QUANTIFIERS):
            raise ConditionError(f"the operator '{name}' of the condition is unknown")
        right = self._operand()
        if not quantifier:
            return lambda attempt: compare(left(attempt), right(attempt))
        joined = _QUANTIFIERS[quantifier]

        def joined_values(attempt: Attempt) -> bool:
            values = _listed(left(attempt))
            return bool(values) and joined(values, _listed(right(attempt)), compare)

        return joined_values

    def _operand(self) -> Value:
        if self._peek().startswith("@"):
            return self._attribute()
        if self._takes("{"):
            values = [self._literal()]
            while self._takes(","):
                values.append(self._literal())
            self._require("}")
            return lambda attempt: values
        value = self._literal()
        return lambda attempt: value

    def _attribute(self) -> Value:
        token = self._token()
        if token["attribute"] is None:
            raise ConditionError(
                f"the condition has '{token[0].strip()}' where an attribute such as @Resource[…] belongs"
            )
        source, name = token["source"].lower(), token["name"].strip().lower()
        if name not in KNOWN.get(source, ()):
            raise ConditionError(f"the sandbox does not emulate the attribute {token['attribute']} of conditions")
        if source == "environment":
            return lambda attempt: clock.now().isoformat()
        return lambda attempt: (attempt.resource if source == "resource" else attempt.request).get(name)

    def _literal(self) -> Any:
        token = self._token()
        if token["text"] is not None:
            return re.sub(r"\\(.)|''", lambda match: match[1] or "'", token["text"][1:-1])
        if token["guid"] is not None:  # lists of ids are often written without quotes
            return token["guid"]
        if token["number"] is not None:
            return float(token["number"])
        words = {"true": True, "false": False}
        word = str(token["word"]).lower()
        if word not in words:
            raise ConditionError(f"the condition has '{token[0].strip()}' where a value belongs")
        return words[word]

    def _word(self) -> str:
        token = self._token()
        if token["word"] is None:
            raise ConditionError(f"the condition has '{token[0].strip()}' where an operator belongs")
        return token["word"]

    def _token(self) -> re.Match[str]:
        if self._next == len(self._tokens):
            raise ConditionError("the condition ends too early")
        self._next += 1
        return self._tokens[self._next - 1]

    def _peek(self) -> str:
        return self._tokens[self._next][0].strip() if self._next < len(self._tokens) else ""

    def _takes(self, *signs: str) -> bool:
        taken = self._peek().lower() in signs
        self._next += taken
        return taken

    def _require(self, sign: str) -> None:
        if not self._takes(sign):
            raise ConditionError(f"the condition lacks '{sign}' before '{self._peek() or 'its end'}'")

    def end(self) -> None:
        """Requires that nothing follows."""
        if self._next < len(self._tokens):
            raise ConditionError(f"the condition goes on after its end, with '{self._peek()}'")


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
