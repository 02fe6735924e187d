"""MLflow's filter language and orders, for experiments, runs and registered models.

`metrics.auc > 0.8 and params.kind = 'tree' and tags."my tag" LIKE '%x%'`; no `or`, as MLflow has none.
Source: mlflow.org/docs/latest/ml/search/search-runs.
"""

import re
from collections.abc import Callable
from typing import Any

from sandbox.azure.arm.core import Body
from sandbox.azure.front.errors import AzureError

Field = Callable[[Body, str, str], Any]
"""Looks a value up by the kind and key of an identifier; None where it is absent."""

_TOKEN = re.compile(
    r"""\s*(?:(?P<op><=|>=|!=|=|<|>|\b(?:NOT\s+)?(?:LIKE|ILIKE|IN)\b|\bIS\s+NOT\s+NULL\b|\bIS\s+NULL\b)
    |(?P<and>\bAND\b)|(?P<list>\([^)]*\))|(?P<number>[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?(?![\w.]))
    |(?P<string>'[^']*'|"[^"]*"(?!\s*(?:[<>=!]|LIKE|ILIKE|IN\b)))
    |(?P<name>(?:\w+\.)?(?:`[^`]+`|"[^"]+"|[\w.]+)))""",
    re.VERBOSE | re.IGNORECASE,
)
ALIASES = {
    "metric": "metrics",
    "param": "params",
    "parameter": "params",
    "parameters": "params",
    "tag": "tags",
    "attribute": "attributes",
    "attr": "attributes",
    "run": "attributes",
}
KINDS = ("metrics", "params", "tags", "attributes")
_TEXTS = {"=", "!=", "LIKE", "ILIKE"}
_NUMBERS = {"=", "!=", "<", "<=", ">", ">="}
_NULLS = {"IS NULL", "IS NOT NULL"}
_LISTS = {"IN", "NOT IN"}
_RUN_TIMES = {"start_time", "end_time", "created", "Created"}
_RUN_TEXTS = {"run_id", "run_name", "run name", "Run name", "Run Name", "status", "artifact_uri", "user_id"}


def _invalid(text: str) -> AzureError:
    return AzureError(400, "INVALID_PARAMETER_VALUE", text)


def _pairs(found: list[Body]) -> dict[str, Any]:
    return {one["key"]: one["value"] for one in found}


RUN_NAMES = {"run name": "run_name", "Run name": "run_name", "created": "start_time", "Created": "start_time"}


def RUN(run: Body, kind: str, key: str) -> Any:  # noqa: N802 # used like a constant
    """A run's values."""
    if kind == "attributes":
        return run["info"].get(RUN_NAMES.get(key, key))
    return _pairs(run["data"][kind]).get(key)


def EXPERIMENT(experiment: Body, kind: str, key: str) -> Any:  # noqa: N802
    """An experiment's values."""
    return _pairs(experiment["tags"]).get(key) if kind == "tags" else experiment.get(key)


def REGISTERED(model: Body, kind: str, key: str) -> Any:  # noqa: N802
    """A registered model's or version's values."""
    return _pairs(model.get("tags", [])).get(key) if kind == "tags" else model.get(key)


def select(found: list[Body], text: str, field: Field) -> list[Body]:
    """What a filter lets through.

    Raises:
        AzureError: 400 for a filter that is not valid.
    """
    clauses = _parse(text)
    for clause in clauses:
        _check(clause, field)
    return [one for one in found if all(_holds(one, clause, field) for clause in clauses)]


def kinds(text: str) -> list[str]:
    """What the clauses of a filter are about: attributes, tags, metrics, params.

    Raises:
        AzureError: 400 for a filter that is not valid.
    """
    return [kind for kind, *_ in _parse(text)]


def order(found: list[Body], by: list[str], field: Field) -> None:
    """Sorts in place; what lacks a value comes last.

    Raises:
        AzureError: 400 for an order that is not valid.
    """
    for text in reversed(by):
        parts = re.fullmatch(r"\s*(.+?)(?:\s+(ASC|DESC))?\s*", text, re.IGNORECASE)
        if parts is None:
            raise _invalid(f"Invalid order_by clause '{text}'.")
        kind, key = _identifier(parts[1])
        descending = (parts[2] or "ASC").upper() == "DESC"
        present = [one for one in found if _number(field(one, kind, key)) is not None]
        absent = [one for one in found if _number(field(one, kind, key)) is None]
        present.sort(key=lambda one: _sortable(field(one, kind, key)), reverse=descending)  # used at once
        found[:] = [*present, *absent]


def _check(clause: tuple[str, str, str, Any], field: Field) -> None:
    """Refuses a comparison that MLflow has not for this kind of value, or a value of another type."""
    kind, key, operator, value = clause
    if kind == "attributes" and field is not RUN:  # what the other entities have is not listed here
        return
    if kind == "metrics" or (kind == "attributes" and key in _RUN_TIMES):
        allowed, of_type = _NUMBERS, isinstance(value, float)
    elif kind == "attributes":
        allowed, of_type = _TEXTS | (_LISTS if key == "run_id" else set()), isinstance(value, str | list)
        if key not in _RUN_TEXTS:
            raise _invalid(
                f"Invalid attribute key '{key}' specified. Valid keys are {sorted(_RUN_TEXTS | _RUN_TIMES)}."
            )
    else:
        allowed, of_type = _TEXTS | _NULLS, isinstance(value, str) or operator in _NULLS
    if operator not in allowed:
        raise _invalid(f"Invalid comparator '{operator}' for '{kind}.{key}', not one of {sorted(allowed)}.")
    if not of_type:
        raise _invalid(f"Invalid value {value!r} for '{kind}.{key}'; metrics and times take numbers, all else texts.")


def _sortable(value: Any) -> tuple[int, Any]:
    number = _number(value)
    return (0, number) if isinstance(number, float) else (1, str(value))


def _number(value: Any) -> Any:
    """MLflow's JSON has NaN and infinities by name."""
    if value in ("NaN", "Infinity", "-Infinity") or isinstance(value, int | float):
        number = float(value)
        return None if number != number else number  # noqa: PLR0124 # NaN sorts as absent
    return value


def _identifier(text: str) -> tuple[str, str]:
    kind, dot, key = text.partition(".")
    if not dot:
        return "attributes", text.strip('`"')
    named = ALIASES.get(kind, kind)
    if named not in KINDS:
        raise _invalid(f"Invalid entity type '{kind}'. Valid values are {', '.join(KINDS)}.")
    return named, key.strip('`"')


def _parse(text: str) -> list[tuple[str, str, str, Any]]:
    """Clauses: kind, key, operator, value."""
    tokens, at = list[tuple[str, str]](), 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise _invalid(f"Invalid filter '{text}' at '{text[at:]}'.")
        tokens.append((found.lastgroup, found[found.lastgroup]))
        at = found.end()
    clauses = list[tuple[str, str, str, Any]]()
    while tokens:
        if clauses and tokens.pop(0)[0] != "and":
            raise _invalid(f"Invalid filter '{text}': clauses are joined by AND.")
        clauses.append(_clause(text, tokens))
    return clauses


def _clause(text: str, tokens: list[tuple[str, str]]) -> tuple[str, str, str, Any]:
    if len(tokens) < 2 or tokens[0][0] not in ("name", "string") or tokens[1][0] != "op":  # noqa: PLR2004
        raise _invalid(f"Invalid filter '{text}': a clause is a name, a comparison and a value.")
    kind, key = _identifier(tokens.pop(0)[1])
    operator = re.sub(r"\s+", " ", tokens.pop(0)[1].upper())
    if operator.endswith("NULL"):
        return kind, key, operator, None
    if not tokens:
        raise _invalid(f"Invalid filter '{text}': '{key}' is compared with nothing.")
    what, raw = tokens.pop(0)
    if operator.endswith("IN"):
        values = re.findall(r"'([^']*)'|\"([^\"]*)\"", raw)
        return kind, key, operator, [one or other for one, other in values]
    if what == "number":
        return kind, key, operator, float(raw)
    if what == "string":
        return kind, key, operator, raw[1:-1]
    raise _invalid(f"Invalid filter '{text}': '{raw}' is no value; strings stand in quotes.")


def _holds(one: Body, clause: tuple[str, str, str, Any], field: Field) -> bool:
    kind, key, operator, wanted = clause
    value = field(one, kind, key)
    if operator == "IS NULL":
        return value is None
    if operator == "IS NOT NULL":
        return value is not None
    if value is None:
        return False
    if operator.endswith("IN"):
        return (str(value) in wanted) != operator.startswith("NOT")
    if "LIKE" in operator:
        pattern = re.escape(str(wanted)).replace("%", ".*").replace("_", ".")
        flags = re.IGNORECASE if operator.endswith("ILIKE") else 0
        return bool(re.fullmatch(pattern, str(value), flags | re.DOTALL)) != operator.startswith("NOT")
    return _compare(operator, value, wanted)


def _compare(operator: str, value: Any, wanted: Any) -> bool:
    if isinstance(wanted, float):
        try:
            value = float(value)
        except ValueError:
            return False
    else:
        value = str(value)
    return bool(
        {
            "=": value == wanted,
            "!=": value != wanted,
            "<": value < wanted,
            "<=": value <= wanted,
            ">": value > wanted,
            ">=": value >= wanted,
        }[operator]
    )
