"""Search spaces: the expressions that a hyperparameter's values are drawn from.

Source: learn.microsoft.com/azure/machine-learning/reference-yaml-job-sweep and how-to-tune-hyperparameters.
"""

import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

CHOICE, RANDINT = "choice", "randint"
PARTS = {
    CHOICE: ("values",),
    RANDINT: ("upper",),
    "uniform": ("min_value", "max_value"),
    "quniform": ("min_value", "max_value", "q"),
    "loguniform": ("min_value", "max_value"),
    "qloguniform": ("min_value", "max_value", "q"),
    "normal": ("mu", "sigma"),
    "qnormal": ("mu", "sigma", "q"),
    "lognormal": ("mu", "sigma"),
    "qlognormal": ("mu", "sigma", "q"),
}
"""The arguments of each expression, by their names in a pipeline's node; a standalone sweep has them in this order."""
LARGEST_LOG = math.log(1e300)  # the exponents beyond it would give no number


class SpaceError(ValueError):
    """An expression that cannot be drawn from; the message says why."""


@dataclass(frozen=True)
class Expression:
    """What a hyperparameter's values are drawn from.

    Attributes:
        kind: A key of `PARTS`.
        arguments: In the order of `PARTS`.
    """

    kind: str
    arguments: tuple[Any, ...]

    def value(self, unit: float, base: float = math.e) -> Any:
        """The value at a place of the distribution.

        Args:
            unit: From 0 to below 1: the share of the distribution that lies below the value.
            base: The base of logarithmic expressions.
        """
        if self.kind == CHOICE:
            values = self.arguments[0]
            return _drawn(values[int(unit * len(values))], unit * len(values) % 1, base)
        if self.kind == RANDINT:
            return int(unit * self.arguments[0])
        first, second = (float(one) for one in self.arguments[:2])
        found = first + (second - first) * unit if "uniform" in self.kind else _normal(first, second, unit)
        if "log" in self.kind:
            found = base ** min(found, LARGEST_LOG / math.log(base)) if base > 1 else base**found
        return _rounded(found, self.arguments[2]) if self.kind.startswith("q") else found


@dataclass(frozen=True)
class Tried:
    """A trial that was begun.

    Attributes:
        values: Its hyperparameters.
        score: The best value of the primary metric; None for none so far.
    """

    values: Mapping[str, Any]
    score: float | None


def _normal(mu: float, sigma: float, unit: float) -> float:
    inside = min(max(unit, 1e-12), 1 - 1e-12)  # the ends are infinitely far
    return NormalDist(mu, sigma).inv_cdf(inside) if sigma else mu


def _rounded(value: float, step: float) -> float:
    """The multiple of the step that is nearest: a whole number where the step is one."""
    found = round(value / step) * step
    return int(found) if float(step).is_integer() else found


def _drawn(value: Any, unit: float, base: float) -> Any:
    """A choice; one that is an object has expressions of its own, all drawn at the same place."""
    if not isinstance(value, Mapping):
        return value
    return {name: parse(name, one).value(unit, base) if _is_expression(one) else one for name, one in value.items()}


def _is_expression(value: Any) -> bool:
    return isinstance(value, Sequence) and len(value) == len(("kind", "arguments")) and value[0] in PARTS


def parse(name: str, given: Any) -> Expression:
    """An expression as a standalone sweep has it: `["uniform", [0.1, 0.9]]`.

    Args:
        name: The hyperparameter, for messages.
        given: What was sent.

    Raises:
        SpaceError: It is none.
    """
    kind = given[0] if isinstance(given, Sequence) and not isinstance(given, str) and given else None
    if kind not in PARTS:
        raise SpaceError(f"The hyperparameter '{name}' needs an expression: one of {', '.join(PARTS)}.")
    arguments = given[1] if len(given) > 1 else None
    if not isinstance(arguments, Sequence) or isinstance(arguments, str) or len(arguments) != len(PARTS[kind]):
        raise SpaceError(f"'{kind}' of '{name}' needs {', '.join(PARTS[kind])}.")
    found = Expression(kind, tuple(arguments))
    _check(name, found)
    return found


def from_node(name: str, given: Any) -> list[Any]:
    """An expression of a pipeline's node, `{"type": "uniform", "min_value": …}`, as a standalone sweep has it.

    Raises:
        SpaceError: It is none.
    """
    kind = given.get("type") if isinstance(given, Mapping) else None
    if not isinstance(given, Mapping) or kind not in PARTS:
        raise SpaceError(f"The hyperparameter '{name}' needs an expression: one of {', '.join(PARTS)}.")
    missing = [part for part in PARTS[kind] if given.get(part) is None]
    if missing:
        raise SpaceError(f"'{kind}' of '{name}' needs {', '.join(missing)}.")
    return [kind, [number(given[part]) for part in PARTS[kind]]]


def number(given: Any) -> Any:
    """A number that a binding made a text of, as a number; anything else as it is."""
    if not isinstance(given, str):
        return given
    try:
        return json.loads(given)
    except ValueError:
        return given


def _check(name: str, expression: Expression) -> None:
    kind, arguments = expression.kind, expression.arguments
    if kind == CHOICE:
        if not isinstance(arguments[0], Sequence) or isinstance(arguments[0], str) or not arguments[0]:
            raise SpaceError(f"'choice' of '{name}' needs at least one value.")
        for one in arguments[0]:
            _check_choice(name, one)
        return
    for part, one in zip(PARTS[kind], arguments, strict=True):
        if not isinstance(one, int | float) or isinstance(one, bool) or not math.isfinite(one):
            raise SpaceError(f"'{part}' of '{name}' must be a number, not {one!r}.")
    if kind == RANDINT and (not isinstance(arguments[0], int) or arguments[0] < 1):
        raise SpaceError(f"'upper' of '{name}' must be a whole number from 1 on, not {arguments[0]}.")
    if "uniform" in kind and arguments[0] > arguments[1]:
        raise SpaceError(f"'min_value' of '{name}' is greater than its 'max_value'.")
    if "normal" in kind and arguments[1] < 0:
        raise SpaceError(f"'sigma' of '{name}' must not be negative.")
    if kind.startswith("q") and arguments[2] <= 0:
        raise SpaceError(f"'q' of '{name}' must be greater than 0.")


def _check_choice(name: str, value: Any) -> None:
    if isinstance(value, Mapping):
        for inner, one in value.items():
            if _is_expression(one):
                parse(f"{name}.{inner}", one)
    elif not isinstance(value, str | int | float):
        raise SpaceError(f"A choice of '{name}' must be a number, a text, a truth value or an object, not {value!r}.")


def size(space: Mapping[str, Expression]) -> int | None:
    """How many samples there are; None where a hyperparameter is not discrete."""
    counts = [len(one.arguments[0]) if one.kind == CHOICE else 0 for one in space.values()]
    return math.prod(counts) if all(counts) else None


def grid(space: Mapping[str, Expression]) -> Iterator[dict[str, Any]]:
    """All samples of a space of choices: the last hyperparameter changes fastest."""
    for values in itertools.product(*(one.arguments[0] for one in space.values())):
        yield dict(zip(space, values, strict=True))


def text_of(value: Any) -> str:
    """A value in a command line: numbers and objects as JSON has them, but truth values as Python has them."""
    if isinstance(value, bool | str):
        return str(value)
    return json.dumps(value)
