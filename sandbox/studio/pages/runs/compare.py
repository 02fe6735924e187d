"""Runs side by side: parameters, metrics, files, and the curves of the metrics that they share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.studio import charts
from sandbox.studio.history import Artifact, History, Run
from sandbox.studio.visit import Missing, View, Visit

MOST = 6  # runs, as many as the charts have colours
CURVES = 8
FEWEST = 2


def show(visit: Visit) -> View:
    """The runs that the address names, each as `run`."""
    history = History(visit)
    wanted = list(dict.fromkeys(visit.request.query_params.getlist("run")))[:MOST]
    if len(wanted) < FEWEST:
        raise Missing("Choose two runs or more in the list of runs, up to six, and compare them then.")
    runs: list[Run] = visit.azure.all(history.logged, wanted)
    files: list[list[Artifact]] = visit.azure.all(history.artifacts, wanted)
    shared = [name for name in _keys([one.metrics for one in runs]) if sum(name in one.metrics for one in runs) > 1]
    data: dict[str, Any] = {
        "runs": [
            {"runId": one.id, "name": one.name, "state": one.state, "started": one.started, "seconds": one.seconds}
            for one in runs
        ],
        "parameters": _rows([one.parameters for one in runs]),
        "metrics": _rows([one.metrics for one in runs]),
        "artifacts": _rows([{each.path: each.size for each in one} for one in files]),
    }
    return View("compare.html.j2", "Compare", data, {"curves": _curves(history, runs, shared[:CURVES])})


def _keys(given: Sequence[Mapping[str, Any]]) -> list[str]:
    return sorted({name for one in given for name in one})


def _rows(given: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """By name: the value of each run, and whether they differ."""
    rows = []
    for name in _keys(given):
        values = [one.get(name) for one in given]
        rows.append({"name": name, "values": values, "differs": any(value != values[0] for value in values)})
    return rows


def _curves(history: History, runs: Sequence[Run], names: Sequence[str]) -> dict[str, Any]:
    """A chart of each metric that has more than a point in any of the runs."""
    asked = [(name, one) for name in names for one in runs if name in one.metrics]
    found = history.azure.all(lambda pair: history.points(pair[1].id, pair[0]), asked)
    drawn = {}
    for name in names:
        lines = [
            charts.Series(one.name, [(point.step, point.value) for point in points])
            for (metric, one), points in zip(asked, found, strict=True)
            if metric == name
        ]
        if any(len(one.points) > 1 for one in lines):
            drawn[name] = charts.lines(lines, x="step", y=name)
    return drawn
