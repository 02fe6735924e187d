"""A run's metrics: a table, all values, a plot, CSV."""

from __future__ import annotations

import csv
import shutil
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.commands.options import OutputsOption, ReadRunArgument, StackOption, TeamOption, connect
from jobs.errors import JobError
from terminal import JsonOption, print_json, print_table

if TYPE_CHECKING:
    from jobs.history import MetricValue, RunHistory

_WIDEST, _NARROWEST, _HEIGHT = 70, 10, 15
_SCALE = 23  # columns beside a plot: its numbers, and the name of its axis


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    app.command()(metrics)


def metrics(
    run: ReadRunArgument,
    names: Annotated[list[str] | None, typer.Argument(metavar="[METRIC]...", help="Only these metrics.")] = None,
    *,
    plot: Annotated[bool, typer.Option("--plot", help="Draw each metric over its steps.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print every value: run, metric, step, time, value.")] = False,
    as_json: JsonOption = False,
    stack: StackOption = None,
    outputs: OutputsOption = None,
    team: TeamOption = None,
) -> None:
    """Show a run's metrics: last, least and greatest value, or with --plot their curves."""
    from jobs.runs import named  # noqa: PLC0415 - loads the outputs' model

    workspace = connect(stack, outputs, team)
    run, history = named(workspace, run), workspace.history
    logged, _ = history.logged(run)
    missing = sorted(set(names or ()) - set(logged))
    if missing:
        known = ", ".join(sorted(logged)) or f"none{_steps(history, run)}"
        raise JobError(f"run {run} has no metric '{missing[0]}'; its metrics: {known}")
    values = {name: history.values(run, name) for name in names or sorted(logged)}
    if as_json:
        print_json({name: [_point(value) for value in series] for name, series in values.items()})
    elif as_csv:
        _print_csv(run, values)
    elif not values:
        print(f"run {run} logged no metrics{_steps(history, run)}")
    elif plot:
        for name, series in values.items():
            _plot(name, series)
    else:
        print_table(("METRIC", "LAST", "LEAST", "GREATEST", "STEPS"), [_row(*item) for item in values.items()])


def _steps(history: RunHistory, run: str) -> str:
    """Return the commands that show the metrics of a run's steps, where it has any."""
    steps = [f"\n  python -m jobs metrics {one['runId']}  # {one.get('displayName')}" for one in history.children(run)]
    return "".join(("; its steps may have:", *steps)) if steps else ""


def _point(value: MetricValue) -> dict[str, object]:
    return {"step": value.step, "time": _time(value), "value": value.value}


def _time(value: MetricValue) -> str:
    return datetime.fromtimestamp(value.milliseconds / 1000, UTC).isoformat(timespec="milliseconds")


def _row(name: str, series: list[MetricValue]) -> tuple[str, ...]:
    numbers = [value.value for value in series]
    return (name, *(f"{number:.6g}" for number in (numbers[-1], min(numbers), max(numbers))), str(len(numbers)))


def _print_csv(run: str, values: dict[str, list[MetricValue]]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("run", "metric", "step", "time", "value"))
    for name, series in values.items():
        writer.writerows((run, name, value.step, _time(value), value.value) for value in series)


def _plot(name: str, series: list[MetricValue]) -> None:
    """Draw a metric over its steps; one that never changes its step, over the order of its values."""
    import plotille  # noqa: PLC0415 - only a plot needs it

    steps = [value.step for value in series]
    across = steps if len(set(steps)) == len(steps) else list(range(len(steps)))
    numbers = [value.value for value in series]
    if len(series) == 1:
        print(f"\n{name}: {numbers[0]:.6g}, one value only")
        return
    width = max(_NARROWEST, min(_WIDEST, shutil.get_terminal_size().columns - _SCALE))
    print()
    print(plotille.plot(across, numbers, width, _HEIGHT, X_label="step", Y_label=name, origin=False))
