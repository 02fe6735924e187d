"""Charts as SVG without scripts, each with a table; `static/studio.js` makes the lines interactive.

No `style` attribute is used, since the pages' policy forbids it: places and lengths are attributes, looks are classes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

WIDTH, HEIGHT = 720, 240
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 10, 28
TICKS = 5
COLOURS = 6  # that the style sheet has, as classes `series-0` to `series-5`
MANY_SIZES = 100  # times that the largest value is the smallest, from where on an axis is logarithmic
MOST = 500  # buckets of points that a drawn line has; each gives its lowest and its highest


@dataclass(frozen=True)
class Series:
    """A line, or the dots of a scatter.

    Attributes:
        name: In the legend.
        points: Pairs of x and y, by rising x; a y that is no number is a gap.
    """

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class _Frame:
    """Turns values into places."""

    low_x: float
    high_x: float
    low_y: float
    high_y: float
    is_log: bool = False

    def x(self, value: float) -> float:
        value = math.log10(value) if self.is_log else value
        return round(LEFT + (value - self.low_x) / (self.high_x - self.low_x) * (WIDTH - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        return round(HEIGHT - BOTTOM - (value - self.low_y) / (self.high_y - self.low_y) * (HEIGHT - TOP - BOTTOM), 1)

    def ticks_x(self) -> list[float]:
        """Round values of the horizontal axis; powers of ten on a logarithmic one."""
        if not self.is_log:
            return _ticks(self.low_x, self.high_x)
        return [10.0**power for power in range(math.ceil(self.low_x), math.floor(self.high_x) + 1)]


def lines(series: Sequence[Series], *, x: str, y: str) -> Markup:
    """A line chart.

    Args:
        series: The lines.
        x: What the horizontal axis has.
        y: What the chart shows, for those who do not see it too.
    """
    drawn = [_kept(one) for one in series]
    frame = _frame([point for points in drawn for point in points])
    paths = Markup("").join(
        Markup('<path class="line series-{}" d="{}"/>').format(index % COLOURS, _path(frame, points))
        if len(points) > 1
        else _dots(frame, points, index)
        for index, points in enumerate(drawn)
    )
    return _figure(frame, paths, series, x, y, interactive=True)


def scatter(series: Sequence[Series], *, x: str, y: str) -> Markup:
    """A scatter chart, one dot a point; its horizontal axis is logarithmic where the values are of many sizes."""
    drawn = [[point for point in one.points if _finite(point)] for one in series]
    points = [point for points in drawn for point in points]
    values = [x for x, _ in points]
    is_log = bool(values) and min(values) > 0 and max(values) / min(values) >= MANY_SIZES
    frame = replace(_frame([(math.log10(x), y) for x, y in points]), is_log=True) if is_log else _frame(points)
    dots = Markup("").join(_dots(frame, points, index) for index, points in enumerate(drawn))
    return _figure(frame, dots, series, x, y, interactive=False)


def _finite(point: tuple[float, float]) -> bool:
    return math.isfinite(point[0]) and math.isfinite(point[1])


def _kept(series: Series) -> list[tuple[float, float]]:
    """The points to draw: of many, the lowest and the highest of each bucket, so that no peak is lost."""
    points = [point for point in series.points if _finite(point)]
    if len(points) <= 2 * MOST:
        return points
    kept = []
    for index in range(MOST):
        part = points[index * len(points) // MOST : (index + 1) * len(points) // MOST]
        kept += sorted({min(part, key=lambda one: one[1]), max(part, key=lambda one: one[1])})
    return kept


def _frame(points: Sequence[tuple[float, float]]) -> _Frame:
    if not points:
        return _Frame(0, 1, 0, 1)
    x, y = [one[0] for one in points], [one[1] for one in points]
    return _Frame(*_widened(min(x), max(x), 0), *_widened(min(y), max(y), 0.05))


def _widened(low: float, high: float, share: float) -> tuple[float, float]:
    room = (high - low) * share if high > low else (abs(low) * 0.1 or 1)
    return low - room, high + room


def _ticks(low: float, high: float) -> list[float]:
    """Round values within a range."""
    raw = (high - low) / TICKS
    power = 10 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw)
    first = math.ceil(low / step)
    return [index * step for index in range(first, first + TICKS + 2) if index * step <= high]


def _path(frame: _Frame, points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{frame.x(x)} {frame.y(y)}" for x, y in points)


def _dots(frame: _Frame, points: Sequence[tuple[float, float]], index: int) -> Markup:
    return Markup("").join(
        Markup('<circle class="dot series-{}" cx="{}" cy="{}" r="3.5"><title>{:.6g}, {:.6g}</title></circle>').format(
            index % COLOURS, frame.x(x), frame.y(y), x, y
        )
        for x, y in points
    )


def _figure(frame: _Frame, drawn: Markup, series: Sequence[Series], x: str, y: str, *, interactive: bool) -> Markup:
    grid = Markup("").join(
        Markup('<line x1="{}" x2="{}" y1="{}" y2="{}"/><text x="{}" y="{}" class="y">{:.6g}</text>').format(
            LEFT, WIDTH - RIGHT, frame.y(value), frame.y(value), LEFT - 6, frame.y(value) + 4, value
        )
        for value in _ticks(frame.low_y, frame.high_y)
    ) + Markup("").join(
        Markup('<text x="{}" y="{}" class="x">{:.6g}</text>').format(frame.x(value), HEIGHT - 10, value)
        for value in frame.ticks_x()
    )
    legend = Markup("").join(
        Markup('<li class="series-{}">{}</li>').format(index % COLOURS, one.name) for index, one in enumerate(series)
    )
    data = json.dumps({"x": x, "series": [_json(one) for one in series]}, separators=(",", ":")) if interactive else ""
    return Markup(
        '<figure class="chart" {}><svg viewBox="0 0 {} {}" role="img" aria-label="{}">'
        '<g class="grid">{}</g>{}</svg>{}<figcaption><span>{}</span></figcaption></figure>'
    ).format(
        Markup('data-chart="{}"').format(data) if data else "",
        WIDTH,
        HEIGHT,
        f"{y} by {x}; the table has the values",
        grid,
        drawn,
        Markup('<ul class="legend">{}</ul>').format(legend) if len(series) > 1 else "",
        x,
    )


def _json(series: Series) -> dict[str, object]:
    return {
        "name": series.name,
        "x": [x for x, _ in series.points],
        "y": [y if math.isfinite(y) else None for _, y in series.points],
    }


@dataclass(frozen=True)
class Bar:
    """A row of a time chart.

    Attributes:
        name: What ran.
        start: Seconds from the chart's beginning.
        length: Seconds.
        kind: How it is drawn: `good`, `bad`, `live`, `wait` or `off`.
    """

    name: str
    start: float
    length: float
    kind: str


def bar(one: Bar, whole: float) -> Markup:
    """One row of a time chart, as wide as its cell.

    Args:
        one: The row.
        whole: Seconds that the chart's width stands for.
    """
    scale = 100 / whole if whole > 0 else 0
    return Markup(
        '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="{}" x="{:.2f}" width="{:.2f}" y="1" height="8" rx="1"/></svg>'
    ).format(one.kind, one.start * scale, max(one.length * scale, 0.5))


def share(part: float, whole: float, kind: str = "live") -> Markup:
    """A part of a whole as a bar, such as cores of a quota."""
    return bar(Bar("", 0, part, kind if part else "none"), whole)
