"""A sweep's trials: their hyperparameters, the primary metric, and which is best."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from markupsafe import Markup

from sandbox.studio import charts
from sandbox.studio.history import History

TAG = "hyperparameters"
"""The tag of a trial's run that has its values as JSON."""


@dataclass(frozen=True)
class Trial:
    """A trial.

    Attributes:
        run: Its run.
        name: What people call the run.
        state: The run's state.
        seconds: How long it took.
        values: Its hyperparameters.
        result: The primary metric's last value; None before there is one.
    """

    run: str
    name: str
    state: str
    seconds: float | None
    values: Mapping[str, Any]
    result: float | None


def read(history: History, definition: Mapping[str, Any], experiment: str, sweep: str) -> list[Trial]:
    """The trials of a sweep, in the order of their beginning."""
    metric = definition["objective"]["primaryMetric"]
    found = history.search([experiment], f"tags.`mlflow.parentRunId` = '{sweep}'", "attributes.start_time ASC")
    return [
        Trial(one.id, one.name, one.state, one.seconds, _values(one.tags.get(TAG)), one.metrics.get(metric))
        for one in found
    ]


def _values(text: str | None) -> dict[str, Any]:
    try:
        read = json.loads(text or "{}")
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def ordered(trials: Sequence[Trial], sort: str) -> list[Trial]:
    """The trials by a column, such as `-result`, `seconds` or `params.lr`; last those that have no number there."""
    kind, _, name = sort.removeprefix("-").partition(".")

    def value(trial: Trial) -> float | None:
        found = (
            trial.values.get(name) if kind == "params" else {"result": trial.result, "seconds": trial.seconds}.get(kind)
        )
        return float(found) if isinstance(found, int | float) and math.isfinite(found) else None

    valued = [(value(one), one) for one in trials]
    known = [(number, one) for number, one in valued if number is not None]
    known.sort(key=itemgetter(0), reverse=sort.startswith("-"))
    return [one for _, one in known] + [one for number, one in valued if number is None]


def names(trials: Sequence[Trial]) -> list[str]:
    """The hyperparameters that any trial has."""
    return list(dict.fromkeys(name for one in trials for name in one.values))


def best(trials: Sequence[Trial], definition: Mapping[str, Any]) -> str | None:
    """The run of the best trial, by the sweep's goal."""
    done = [one for one in trials if one.result is not None]
    choose = max if definition["objective"]["goal"].lower() == "maximize" else min
    return choose(done, key=lambda one: one.result or 0.0).run if done else None


def charts_of(trials: Sequence[Trial], definition: Mapping[str, Any]) -> dict[str, Markup]:
    """A scatter of the primary metric for each hyperparameter that is a number."""
    metric = definition["objective"]["primaryMetric"]
    drawn = {}
    for name in names(trials):
        points = [
            (float(one.values[name]), one.result)
            for one in trials
            if one.result is not None and isinstance(one.values.get(name), int | float)
        ]
        if points:
            drawn[name] = charts.scatter([charts.Series(metric, points)], x=name, y=metric)
    return drawn
