"""What is told of runs, side by side: on the terminal and in a notebook."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobs.runs import Run


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
    yield "waits for", [run.waits_for or "" for run in runs]
    yield "error", [run.error or "" for run in runs]
    for name in sorted(set().union(*(run.parameters for run in runs))):
        yield f"parameter {name}", [run.parameters.get(name, "") for run in runs]
    for name in sorted(set().union(*(run.metrics for run in runs))):
        yield name, [f"{run.metrics[name]:.6g}" if name in run.metrics else "" for run in runs]


def as_html(runs: list[Run]) -> str:
    """Return a table with a column a run, whose name leads to its page in the studio; what no run has is left out."""
    heads = "".join(f"<th>{_link(run)}</th>" for run in runs)
    rows = "".join(
        f"<tr><th>{escape(title)}</th>{''.join(f'<td>{escape(value)}</td>' for value in values)}</tr>"
        for title, values in facts(runs)
        if title != "run" and any(values)
    )
    return f"<table><tr><th></th>{heads}</tr>{rows}</table>"


def _link(run: Run) -> str:
    return f'<a href="{escape(run.url)}">{escape(run.name)}</a>' if run.url else escape(run.name)
