"""Azure Policy's rules: conditions over a resource, and the expressions in them.

What is understood is all that the built-in definitions for Azure Machine Learning need, and some more; anything else is
refused when a definition is made, so that no rule seems to hold that is not evaluated.
Sources: learn.microsoft.com/azure/governance/policy/concepts/definition-structure-policy-rule and
.../definition-structure-alias.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

Json = Any
_TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+)|(?P<name>[A-Za-z]\w*)|(?P<mark>[()\[\],.]))")


class RuleError(ValueError):
    """A rule that is not valid, or that the sandbox does not evaluate; the message has the part."""


@dataclass
class Request:
    """The resource and the parameters that a rule looks at.

    Attributes:
        resource: The resource of the request: `id`, `name`, `type`, and the body sent.
        group: The resource group; empty above groups.
        parameters: The assignment's, with the definition's defaults.
        api_version: Of the request.
        evaluated: The conditions that were looked at, in Azure's words.
    """

    resource: Mapping[str, Json]
    group: Mapping[str, Json]
    parameters: Mapping[str, Json]
    api_version: str
    evaluated: list[dict[str, Json]] = field(default_factory=list)
    current: dict[str, Json] = field(default_factory=dict)  # elements of the counts that we are in, by name

    def element(self, name: str, value: Json) -> "Request":
        """The same request, at one element of a `count`."""
        inside = {**self.current, name.lower(): value, "": value}
        return Request(self.resource, self.group, self.parameters, self.api_version, self.evaluated, inside)


# ---- expressions


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, at = [], 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise RuleError(f"the expression '{text}' is not understood at character {at + 1}")
        tokens.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return tokens


class _Expression:
    """A template expression, `[...]`, taken apart once and computed for each request."""

    def __init__(self, text: str) -> None:
        self._text, self._left = text, _tokens(text)
        self._compute = self._term()
        if self._left:
            raise RuleError(f"the expression '{text}' has something after its end")

    def __call__(self, request: Request) -> Json:
        return self._compute(request)

    def _take(self, *marks: str) -> tuple[str, str]:
        if not self._left or (marks and self._left[0][1] not in marks):
            raise RuleError(f"the expression '{self._text}' is not understood: {' or '.join(marks)} is missing")
        return self._left.pop(0)

    def _term(self) -> Callable[[Request], Json]:
        kind, word = self._take()
        if kind == "text":
            value = _constant(word[1:-1].replace("''", "'"))
        elif kind == "number":
            value = _constant(int(word))
        elif kind == "name":
            value = self._call(word)
        else:
            raise RuleError(f"the expression '{self._text}' is not understood at '{word}'")
        while self._left and self._left[0][1] in (".", "["):
            value = self._part(value)
        return value

    def _call(self, name: str) -> Callable[[Request], Json]:
        function = _FUNCTIONS.get(name.lower())
        if function is None:
            raise RuleError(f"the sandbox does not evaluate the function '{name}' of '{self._text}'")
        self._take("(")
        arguments = []
        while self._left and self._left[0][1] != ")":
            arguments.append(self._term())
            if self._left and self._left[0][1] == ",":
                self._take(",")
        self._take(")")
        return lambda request: function(request, *(argument(request) for argument in arguments))

    def _part(self, whole: Callable[[Request], Json]) -> Callable[[Request], Json]:
        if self._take(".", "[")[1] == ".":
            name = self._take()[1]
            return lambda request: _get(whole(request), name)
        index = self._term()
        self._take("]")
        return lambda request: _get(whole(request), index(request))


def _constant(value: Json) -> Callable[[Request], Json]:
    return lambda request: value


def _get(whole: Json, part: Json) -> Json:
    if isinstance(whole, list) and isinstance(part, int):
        return whole[part] if -len(whole) <= part < len(whole) else None
    if not isinstance(whole, Mapping):
        return None
    wanted = str(part).lower()
    return next((value for name, value in whole.items() if str(name).lower() == wanted), None)


def _contains_range(request: Request, outer: Json, inner: Json) -> bool:
    try:
        wide, narrow = (ipaddress.ip_network(str(part), strict=False) for part in (outer, inner))
        return wide.version == narrow.version and narrow.subnet_of(wide)  # type: ignore[arg-type] # same version
    except ValueError:
        return False


_FUNCTIONS: dict[str, Callable[..., Json]] = {
    "parameters": lambda request, name: _get(request.parameters, name),
    "current": lambda request, name="": _current(request, name),
    "requestcontext": lambda request: {"apiVersion": request.api_version},
    "resourcegroup": lambda request: request.group,
    "concat": lambda request, *parts: "".join(str(part) for part in parts),
    "empty": lambda request, value: value in (None, "", [], {}),
    "length": lambda request, value: len(value or ""),
    "tolower": lambda request, value: str(value).lower(),
    "toupper": lambda request, value: str(value).upper(),
    "padleft": lambda request, value, width, fill=" ": str(value).rjust(width, fill),
    "split": lambda request, value, mark: str(value).split(mark),
    "first": lambda request, value: value[0] if value else None,
    "last": lambda request, value: value[-1] if value else None,
    "contains": lambda request, whole, part: part in (whole or ()),
    "equals": lambda request, value, other: _same(value, other),
    "not": lambda request, value: not value,
    "and": lambda request, *values: all(values),
    "or": lambda request, *values: any(values),
    "if": lambda request, condition, value, other: value if condition else other,
    "iprangecontains": _contains_range,
}


def _value(given: Json) -> Callable[[Request], Json]:
    """A literal, or an expression: text in brackets, where two open a literal bracket."""
    if isinstance(given, str) and given.startswith("[[") and given.endswith("]"):
        return _constant(given[1:])
    if isinstance(given, str) and given.startswith("[") and given.endswith("]"):
        return _Expression(given[1:-1])
    if isinstance(given, list):
        items = [_value(item) for item in given]
        return lambda request: [item(request) for item in items]
    return _constant(given)


# ---- fields


def _field(request: Request, name: str) -> Json:
    """A field of the resource: its own, a tag, or by alias; None where it is absent; a list for `[*]`."""
    resource, lower = request.resource, name.lower()
    tag = re.fullmatch(r"tags(?:\.|\[)'?(.+?)'?\]?", name, re.IGNORECASE)
    if tag is not None:
        return _get(resource.get("tags"), tag[1])
    if lower in ("id", "name", "type", "location", "kind", "tags"):
        return resource.get(lower)
    if lower in ("fullname", "identity.type"):
        return resource["name"] if lower == "fullname" else _get(resource.get("identity"), "type")
    for counted, element in request.current.items():
        if counted and (lower == counted or lower.startswith(f"{counted}.")):
            return _path(element, lower[len(counted) + 1 :])
    kind = f"{resource['type']}/".lower()
    return _alias(resource, lower.removeprefix(kind)) if lower.startswith(kind) else None


def _alias(resource: Mapping[str, Json], path: str) -> Json:
    """The value at an alias's path: at the top, in `properties`, or for computes in `properties.properties`."""
    properties = _get(resource, "properties")
    for root in (properties, _get(properties, "properties"), resource):
        if _get(root, re.split(r"[.\[]", path)[0]) is not None:
            return _path(root, path)
    return [] if "[*]" in path else None


def _path(root: Json, path: str) -> Json:
    if not path:
        return root
    head, _, rest = path.partition(".")
    if head.endswith("[*]"):
        items = _get(root, head[:-3]) or []
        return [_path(item, rest) for item in items] if isinstance(items, list) else []
    return _path(_get(root, head), rest)


def _current(request: Request, name: str) -> Json:
    return request.current[name.lower()] if name.lower() in request.current else _field(request, name)


_FUNCTIONS["field"] = _field


# ---- conditions


def _text(value: Json) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _same(value: Json, other: Json) -> bool:
    """Without case; `true` and "true" are the same, and what is absent is equal to nothing."""
    if value is None or other is None:
        return value is other
    return _text(value).lower() == _text(other).lower()


def _ordered(value: Json, other: Json, order: Callable[[Any, Any], bool]) -> bool:
    if isinstance(value, int | float) and isinstance(other, int | float):
        return order(value, other)
    if isinstance(value, str) and isinstance(other, str):
        return order(value.lower(), other.lower())
    return False


def _like(value: Json, pattern: Json) -> bool:
    head, star, tail = _text(pattern).lower().partition("*")
    text = _text(value).lower() if value is not None else ""
    return text == head if not star else len(text) >= len(head + tail) and text.startswith(head) and text.endswith(tail)


def _contains(value: Json, other: Json) -> bool:
    if isinstance(value, list):
        return any(_same(item, other) for item in value)
    return value is not None and _text(other).lower() in _text(value).lower()


_OPERATORS: dict[str, Callable[[Json, Json], bool]] = {
    "equals": _same,
    "in": lambda value, other: any(_same(value, item) for item in other or ()),
    "like": _like,
    "contains": _contains,
    "containskey": lambda value, other: _get(value, other) is not None,
    "greater": lambda value, other: _ordered(value, other, lambda a, b: a > b),
    "greaterorequals": lambda value, other: _ordered(value, other, lambda a, b: a >= b),
    "less": lambda value, other: _ordered(value, other, lambda a, b: a < b),
    "lessorequals": lambda value, other: _ordered(value, other, lambda a, b: a <= b),
    "exists": lambda value, other: (value not in (None, [])) == (_text(other).lower() == "true"),
}
_NEGATED = {f"not{name}": name for name in ("equals", "in", "like", "contains", "containskey")}

Condition = Callable[[Request], bool]


def compile_condition(given: Json) -> Condition:
    """A condition of a rule: `allOf`, `anyOf`, `not`, or a field, value or count with an operator.

    Raises:
        RuleError: It is not valid, or not evaluated by the sandbox.
    """
    if not isinstance(given, Mapping):
        raise RuleError(f"a condition must be an object, not '{given}'")
    parts = {name.lower(): value for name, value in given.items()}
    for name, combine in (("allof", all), ("anyof", any)):
        if name in parts:
            if not isinstance(parts[name], list):
                raise RuleError(f"'{name}' must be a list of conditions")
            inner = [compile_condition(part) for part in parts[name]]
            return partial(_combined, combine, inner)
    if "not" in parts:
        negated = compile_condition(parts["not"])
        return lambda request: not negated(request)
    return _leaf(parts)


def _combined(combine: Callable[[Iterable[bool]], bool], inner: list[Condition], request: Request) -> bool:
    return combine(condition(request) for condition in inner)


def _leaf(parts: Mapping[str, Json]) -> Condition:
    operators = [name for name in parts if name in _OPERATORS or name in _NEGATED]
    subjects = [name for name in parts if name in ("field", "value", "count")]
    if len(operators) != 1 or len(subjects) != 1:
        raise RuleError(f"the condition '{dict(parts)}' needs one of field, value, count, and one operator it knows")
    operator, subject = operators[0], subjects[0]
    compare, negate = _OPERATORS[_NEGATED.get(operator, operator)], operator in _NEGATED
    left, right = _subject(subject, parts[subject]), _value(parts[operator])

    def holds(request: Request) -> bool:
        actual, wanted = left(request), right(request)
        # A field with [*] is a list, of which every element must meet the condition.
        every = (
            subject == "field" and "[*]" in str(parts[subject]) and isinstance(actual, list) and operator != "exists"
        )
        result = all(compare(item, wanted) != negate for item in actual) if every else compare(actual, wanted) != negate
        request.evaluated.append(
            {
                "result": str(result),
                "expression": str(parts[subject]),
                "expressionKind": subject.capitalize(),
                "expressionValue": actual,
                "targetValue": wanted,
                "operator": operator,
            }
        )
        return result

    return holds


def _subject(kind: str, given: Json) -> Callable[[Request], Json]:
    if kind == "value":
        return _value(given)
    if kind == "field":
        name = _value(given)
        return lambda request: _field(request, str(name(request)))
    if not isinstance(given, Mapping):
        raise RuleError(f"'count' must be an object, not '{given}'")
    where = compile_condition(given["where"]) if "where" in given else None
    if "field" in given:
        counted = str(given["field"])
        return lambda request: _count(request, counted, _field(request, counted), where)
    values = _value(given.get("value"))
    return lambda request: _count(request, str(given.get("name", "")), values(request), where)


def _count(request: Request, name: str, values: Json, where: Condition | None) -> int:
    items = values if isinstance(values, list) else []
    return sum(1 for item in items if where is None or where(request.element(name, item)))
