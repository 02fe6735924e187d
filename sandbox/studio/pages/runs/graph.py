"""A pipeline's graph: its steps in columns by what they wait for, with states, reuse and times."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup

from sandbox.studio import charts
from sandbox.studio.history import REUSED
from sandbox.studio.render import STATES, moment, span

BINDING = re.compile(r"\$\{\{\s*parent\.jobs\.([^.}\s]+)\.")
WIDTH, HEIGHT, GAP_X, GAP_Y, PAD = 190, 46, 56, 16, 8
LETTERS = 24  # of a name that fit in a box


@dataclass(frozen=True)
class Step:
    """A step.

    Attributes:
        name: Its name in the pipeline.
        run: Its run; empty before there is one.
        state: Its run's state.
        after: The steps that it waits for.
        start: Seconds from the pipeline's first step to its start; None before.
        seconds: How long it took, or has been taking so far.
        reuses: The run whose result it takes over; None for none.
        column: How many steps are before it at most.
    """

    name: str
    run: str
    state: str
    after: list[str]
    start: float | None
    seconds: float | None
    reuses: str | None
    column: int


@dataclass(frozen=True)
class Graph:
    """A pipeline: its steps by column, and the seconds from the first start to the last end."""

    steps: list[Step]
    seconds: float


def read(definition: Mapping[str, Any], children: Sequence[Mapping[str, Any]], now: datetime | None) -> Graph:
    """The graph of a pipeline's definition with its steps' runs.

    A run belongs to the step whose name, or display name, is its own display name.

    Args:
        definition: The pipeline's.
        children: The records of its runs.
        now: Until when a step that runs has taken; None where the pipeline has ended.
    """
    jobs = definition.get("jobs") or {}
    after = {name: sorted(set(BINDING.findall(repr(given))) & jobs.keys() - {name}) for name, given in jobs.items()}
    runs = {one["displayName"]: {**one, "endTimeUtc": one.get("endTimeUtc") or now} for one in children}
    starts = [
        start for one in children if (start := moment(one.get("startTimeUtc"))) and not one["properties"].get(REUSED)
    ]
    first = min(starts, default=None)
    columns: dict[str, int] = {}

    def column(name: str, above: tuple[str, ...] = ()) -> int:
        if name not in columns:
            before = [one for one in after[name] if one not in above]
            columns[name] = 1 + max((column(one, (*above, name)) for one in before), default=-1)
        return columns[name]

    steps = [
        _step(
            name, runs.get(given.get("display_name") or name) or runs.get(name) or {}, after[name], first, column(name)
        )
        for name, given in jobs.items()
    ]
    steps.sort(key=lambda one: one.column)
    return Graph(
        steps, max(((one.start or 0) + (one.seconds or 0) for one in steps if one.start is not None), default=0)
    )


def _step(name: str, run: Mapping[str, Any], after: list[str], first: datetime | None, column: int) -> Step:
    reuses = (run.get("properties") or {}).get(REUSED)
    start, until = moment(run.get("startTimeUtc")), moment(run.get("endTimeUtc"))
    timed = start is not None and first is not None and not reuses
    return Step(
        name,
        run.get("runId", ""),
        run.get("status", "NotStarted"),
        after,
        (start - first).total_seconds() if timed and start and first else None,
        max(0.0, (until - start).total_seconds()) if timed and until and start else None,
        reuses,
        column,
    )


def bars(graph: Graph) -> dict[str, Markup]:
    """A bar of time for each step that has begun, by name."""
    return {
        one.name: charts.bar(
            charts.Bar(one.name, one.start, one.seconds or 0, STATES.get(one.state, "off")), graph.seconds
        )
        for one in graph.steps
        if one.start is not None
    }


def draw(graph: Graph, link: Callable[[str], str]) -> Markup:
    """The graph as a drawing whose boxes are links to the steps' runs."""
    rows: dict[int, int] = {}
    places: dict[str, tuple[int, int]] = {}
    for one in graph.steps:
        row = rows.get(one.column, 0)
        rows[one.column] = row + 1
        places[one.name] = PAD + one.column * (WIDTH + GAP_X), PAD + row * (HEIGHT + GAP_Y)
    width = 2 * PAD + max((x for x, _ in places.values()), default=0) + WIDTH
    height = 2 * PAD + max((y for _, y in places.values()), default=0) + HEIGHT
    edges = Markup("").join(
        _edge(places[before], places[one.name]) for one in graph.steps for before in one.after if before in places
    )
    boxes = Markup("").join(_box(one, places[one.name], link) for one in graph.steps)
    return Markup(
        '<svg class="graph" width="{w}" height="{h}" viewBox="0 0 {w} {h}" role="group" aria-label="The steps">'
        "{}{}</svg>"
    ).format(edges, boxes, w=width, h=height)


def _edge(start: tuple[int, int], end: tuple[int, int]) -> Markup:
    x1, y1, x2, y2 = start[0] + WIDTH, start[1] + HEIGHT // 2, end[0], end[1] + HEIGHT // 2
    turn = x2 - GAP_X  # up to the last gap it stays in its own row, and so beside the other boxes
    middle = (turn + x2) // 2
    return Markup('<path class="edge" d="M{} {}H{}C{} {} {} {} {} {}"/>').format(
        x1, y1, turn, middle, y1, middle, y2, x2, y2
    )


def _box(step: Step, place: tuple[int, int], link: Callable[[str], str]) -> Markup:
    name = step.name if len(step.name) <= LETTERS else step.name[: LETTERS - 1] + "…"
    told = f"{step.state}, reused" if step.reuses else step.state
    if step.seconds is not None:
        told += f" · {span(step.seconds)}"
    box = Markup(
        '<rect x="{x}" y="{y}" width="{}" height="{}" rx="5"/>'
        '<rect class="mark" x="{x}" y="{y}" width="4" height="{}" rx="2"/>'
        '<text x="{}" y="{}">{}</text><text class="told" x="{}" y="{}">{}</text>'
    ).format(
        WIDTH,
        HEIGHT,
        HEIGHT,
        place[0] + 14,
        place[1] + 19,
        name,
        place[0] + 14,
        place[1] + 36,
        told,
        x=place[0],
        y=place[1],
    )
    kind = f"{STATES.get(step.state, 'off')}{' reused' if step.reuses else ''}"
    if not step.run:
        return Markup('<g class="step {}">{}</g>').format(kind, box)
    return Markup('<a class="step {}" href="{}"><title>{}: {}</title>{}</a>').format(
        kind, link(f"/runs/{step.run}"), step.name, told, box
    )
