"""How runs are printed: a list, and side by side."""

from __future__ import annotations

from dataclasses import asdict
from math import isfinite
from typing import TYPE_CHECKING, Any

from jobs.facts import facts
from terminal import print_table

if TYPE_CHECKING:
    from jobs.runs import Run


def as_json(run: Run) -> dict[str, Any]:
    """Return a run for JSON, which has no NaN: a metric that is not finite becomes null."""
    metrics = {name: value if isfinite(value) else None for name, value in run.metrics.items()}
    return asdict(run) | {"seconds": run.seconds, "metrics": metrics}


def print_list(runs: list[Run]) -> None:
    """Print a line a run."""
    titles = ("RUN", "NAME", "EXPERIMENT", "STATUS", "CLUSTER", "CREATED", "BY")
    rows = [
        (run.name, run.display_name, run.experiment, run.status, run.cluster, run.created, run.created_by)
        for run in runs
    ]
    print_table(titles, rows)


def print_side_by_side(runs: list[Run]) -> None:
    """Print runs as columns: their facts, then every parameter and metric that any of them has."""
    (titles, *rows) = [(title, *values) for title, values in facts(runs) if any(values)]
    print_table(titles, rows)
