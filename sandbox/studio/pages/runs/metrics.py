"""A run's metrics: curves, and of each the value at a step, the lowest, the highest and the last."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from sandbox.studio import charts
from sandbox.studio.history import History, Point


def read(
    history: History, run: str, names: Sequence[str], step: str | None
) -> tuple[list[dict[str, Any]], dict[str, Markup]]:
    """What the page lists of each metric, and its chart by name.

    Args:
        history: Of the workspace.
        run: The run.
        names: The metrics.
        step: The step whose values are shown, too; None for none.
    """
    found = history.azure.all(lambda name: history.points(run, name), names)
    listed, drawn = [], {}
    for name, points in zip(names, found, strict=True):
        listed.append(_summary(name, points, step))
        if len(points) > 1:
            drawn[name] = charts.lines([charts.Series(name, _line(points))], x=_axis(points), y=name)
    return listed, drawn


def _line(points: Sequence[Point]) -> list[tuple[float, float]]:
    """By step; where all have the same step, by seconds from the first on."""
    if _axis(points) == "step":
        return [(one.step, one.value) for one in points]
    first = points[0].time
    return [((one.time - first) / 1000, one.value) for one in points]


def _axis(points: Sequence[Point]) -> str:
    return "step" if points[0].step != points[-1].step else "seconds"


def _summary(name: str, points: Sequence[Point], step: str | None) -> dict[str, Any]:
    finite = [one for one in points if math.isfinite(one.value)]
    low = min(finite, key=lambda one: one.value, default=None)
    high = max(finite, key=lambda one: one.value, default=None)
    at = [one.value for one in points if step is not None and str(one.step) == step]
    return {
        "name": name,
        "points": points,
        "last": _plain(points[-1].value) if points else None,
        "lowest": low and {"value": low.value, "step": low.step},
        "highest": high and {"value": high.value, "step": high.step},
        "at": _plain(at[-1]) if at else None,
    }


def _plain(value: float) -> float | str:
    """A number as JSON has it; what JSON has not, as a word."""
    return value if math.isfinite(value) else str(value)
