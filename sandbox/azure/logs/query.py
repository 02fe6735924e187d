"""The part of the Kusto query language that the sandbox answers; anything else is refused by its name.

`TABLE | where C == V [and …] | project A, B | order by C [asc|desc] | top N by C | take N | count |
summarize count() by C`. Values are texts in quotes, numbers, `true`, `false`, `ago(1h)` and `datetime(…)`.
Source: learn.microsoft.com/kusto/query.
"""

import operator
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sandbox.azure import clock
from sandbox.azure.logs.records import TABLES, Row

ANSWERED = "where, project, order by, sort by, top, take, limit, count and summarize count() by"
_COMPARED = re.compile(r"(\w+)\s*(==|!=|>=|<=|>|<|=~|contains|startswith)\s*(.+)", re.DOTALL)
_SPAN = re.compile(r"ago\((\d+)\s*([smhd])\)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_WORDS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
    "=~": lambda found, wanted: str(found).lower() == str(wanted).lower(),
    "contains": lambda found, wanted: str(wanted).lower() in str(found).lower(),
    "startswith": lambda found, wanted: str(found).lower().startswith(str(wanted).lower()),
}


class QueryError(Exception):
    """A query that the sandbox does not answer; the message names what it is."""


@dataclass
class Result:
    """A table.

    Attributes:
        columns: Its columns' types by name.
        rows: Its rows.
    """

    columns: dict[str, str]
    rows: list[Row]


def answer(text: str, read: Callable[[str], Iterable[Row]]) -> Result:
    """The answer to a query.

    Args:
        text: The query.
        read: Gives a table's rows.

    Raises:
        QueryError: It is not answered.
    """
    lines = [line for line in text.splitlines() if not line.strip().startswith("//")]
    table, *steps = (part.strip() for part in _split("\n".join(lines).strip().rstrip(";"), r"\|"))
    if table not in TABLES:
        raise QueryError(f"The sandbox has no table '{table}', only {', '.join(TABLES)}.")
    result = Result(dict(TABLES[table]), list(read(table)))
    for step in steps:
        word, _, rest = step.partition(" ")
        known = _STEPS.get(word.lower())
        if known is None:
            raise QueryError(f"The sandbox does not answer the operator '{word}', only {ANSWERED}.")
        result = known(result, rest.strip())
    return result


def _split(text: str, separator: str) -> list[str]:
    """The parts between matches of a separator's pattern that stand in no quotes."""
    return re.split(rf"{separator}(?=(?:[^'\"]|'[^']*'|\"[^\"]*\")*$)", text)


def _column(result: Result, name: str) -> str:
    if name not in result.columns:
        raise QueryError(f"There is no column '{name}', only {', '.join(result.columns)}.")
    return name


def _value(text: str) -> Any:
    text = text.strip()
    span = _SPAN.fullmatch(text)
    if span is not None:
        return (clock.now() - timedelta(**{_UNITS[span[2]]: int(span[1])})).isoformat()
    if re.fullmatch(r"'[^']*'|\"[^\"]*\"", text):
        return text[1:-1]
    if text in ("true", "false"):
        return text == "true"
    if moment := re.fullmatch(r"datetime\(([^)]*)\)", text):
        return moment[1].strip("'\"")
    if re.fullmatch(r"-?\d+(\.\d+)?", text):
        return float(text)
    raise QueryError(
        f"The sandbox does not read '{text}': values are texts in quotes, numbers, true, false and ago(1h)."
    )


def _where(result: Result, text: str) -> Result:
    rows = result.rows
    for part in _split(text, r"\s+and\s+"):
        found = _COMPARED.fullmatch(part.strip())
        if found is None:
            raise QueryError(f"The sandbox does not answer the condition '{part}': it compares a column with a value.")
        name, compare, value = _column(result, found[1]), _WORDS[found[2]], _value(found[3])
        try:
            rows = [row for row in rows if row[name] is not None and compare(row[name], value)]
        except TypeError as error:
            raise QueryError(f"'{name}' is of type {result.columns[name]}: it cannot be compared so.") from error
    return Result(result.columns, rows)


def _project(result: Result, text: str) -> Result:
    names = [_column(result, name.strip()) for name in text.split(",")]
    return Result({name: result.columns[name] for name in names}, result.rows)


def _order(result: Result, text: str) -> Result:
    found = re.fullmatch(r"(?:by\s+)(\w+)(?:\s+(asc|desc))?", text)
    if found is None:
        raise QueryError(f"The sandbox does not answer 'order {text}': it orders by one column.")
    name = _column(result, found[1])
    rows = sorted(result.rows, key=lambda row: (row[name] is not None, row[name]), reverse=found[2] != "asc")
    return Result(result.columns, rows)


def _top(result: Result, text: str) -> Result:
    number, _, rest = text.partition(" ")
    return _take(_order(result, rest.strip()), number)


def _take(result: Result, text: str) -> Result:
    if not text.isdecimal():
        raise QueryError(f"'{text}' is no number of rows.")
    return Result(result.columns, result.rows[: int(text)])


def _count(result: Result, text: str) -> Result:
    del text
    return Result({"Count": "long"}, [{"Count": len(result.rows)}])


def _summarize(result: Result, text: str) -> Result:
    found = re.fullmatch(r"count\(\)\s+by\s+(\w+)", text)
    if found is None:
        raise QueryError(f"The sandbox does not answer 'summarize {text}', only summarize count() by a column.")
    name = _column(result, found[1])
    counted = Counter(row[name] for row in result.rows)
    rows = [{name: value, "count_": number} for value, number in counted.items()]
    return Result({name: result.columns[name], "count_": "long"}, rows)


_STEPS: dict[str, Callable[[Result, str], Result]] = {
    "where": _where,
    "project": _project,
    "order": _order,
    "sort": _order,
    "top": _top,
    "take": _take,
    "limit": _take,
    "count": _count,
    "summarize": _summarize,
}
