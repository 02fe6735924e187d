"""How runs are printed: a list, and side by side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from math import isfinite
from typing import TYPE_CHECKING, Any

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


def facts(runs: list[Run]) -> Iterator[tuple[str, list[str]]]:
    """Yield the title of each row and its value for each run; empty text where a run has none."""
    yield "run", [run.name for run in runs]
    yield "name", [run.display_name for run in runs]
    yield "kind", [run.kind for run in runs]
    yield "status", [run.status for run in runs]
    yield "cluster", [run.cluster for run in runs]
    yield "created", [run.created for run in runs]
    yield "by", [run.created_by for run in runs]
    yield "seconds", ["" if run.seconds is None else f"{run.seconds:.1f}" for run in runs]
    yield "best trial", [run.best for run in runs]
    yield "error", [run.error or "" for run in runs]
    for name in sorted(set().union(*(run.parameters for run in runs))):
        yield f"parameter {name}", [run.parameters.get(name, "") for run in runs]
    for name in sorted(set().union(*(run.metrics for run in runs))):
        yield name, [f"{run.metrics[name]:.6g}" if name in run.metrics else "" for run in runs]
