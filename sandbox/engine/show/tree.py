"""A tree that lives on the terminal while an operation runs."""

from collections import Counter
from collections.abc import Container, Iterable, Iterator

from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from sandbox.engine.show.display import Display, Row
from sandbox.engine.show.words import COLORS, display_name


class Tree(Display):
    """A tree that lives while the operation runs, cut to what fits the screen, and stays in full at the end."""

    _FRAME = 6  # lines of heading and footing around the rows

    def begin(self) -> None:
        """See Display."""
        super().begin()
        self._live: Live | None = Live(
            console=self.console,
            get_renderable=self._render,
            refresh_per_second=8,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()

    def close(self) -> None:
        """See Display."""
        if self._live:
            live, self._live = self._live, None
            live.stop()
            self.merges_replacements = True
            for row in self.rows.values():
                if not row.ended and not row.step.res.custom:  # a component that tells no outputs never ends
                    row.ended = row.begun
            self.console.print(self._table(self._tree(self.rows, self._wanted(self.rows))))
            self.print()

    def say(self, text: str) -> None:
        """See Display."""
        self.console.print(text)

    def _render(self) -> Group:
        rows = dict(self.rows)
        wanted = self._wanted(rows)
        room = max(self.console.size.height - self._FRAME, 5)
        footing = []
        if len(wanted) > room:
            busy = sum(not rows[urn].ended or rows[urn].failed for urn in wanted)
            text = f"     … {len(wanted)} rows in all: {len(wanted) - busy} done, {busy} under way or failed"
            footing = [Text(text, style="dim")]
            wanted = self._fitting(rows, wanted, room)
        last = [d[-1] for d in list(self._diagnostics.values()) if d[-1].severity in ("error", "warning")]
        footing += [
            Text(
                f"     {d.severity}: {d.message.strip().splitlines()[0]}",
                style="red" if d.severity == "error" else "yellow",
            )
            for d in last[-3:]
        ]
        return Group(self._table(self._tree(rows, wanted)), *footing)

    def _table(self, rows: Iterable[tuple[str, Row]]) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_edge=False)
        for title in ("    ", "Type", "Name", "Plan" if self.planning else "Status", "Info"):
            table.add_column(title, no_wrap=True, overflow="ellipsis", header_style="bold blue")
        for branch, row in rows:
            color = "red" if row.failed else COLORS[self.prefix(row)[0]]
            cells = (
                f" {self.prefix(row)}",
                branch + display_name(row.step.res.type),
                row.step.res.name,
                self.status(row),
                self._info(row),
            )
            table.add_row(*(Text(cell, style=color if n in (0, 3) else "") for n, cell in enumerate(cells)))
        return table

    def _info(self, row: Row) -> str:
        severities = Counter(d.severity for d in self._diagnostics.get(row.step.urn, ()))
        counts = [f"{n} {s}{'s' * (n != 1)}" for s, n in severities.items() if s in ("error", "warning")]
        return "; ".join(filter(None, [self.info(row), *counts]))

    def _wanted(self, rows: dict[str, Row]) -> set[str]:
        """The rows that are worth a line, and all that these are under."""
        wanted: set[str] = set()
        for row in rows.values():
            if self.visible(row):
                wanted.update(_upwards(rows, row.step.urn, wanted))
        return wanted

    def _fitting(self, rows: dict[str, Row], wanted: set[str], room: int) -> set[str]:
        """As many rows as there is room for, each with all that it is under: what failed, what runs, the latest."""

        def rank(urn: str) -> tuple[bool, bool, bool]:
            return not rows[urn].failed, bool(rows[urn].ended), not rows[urn].step.res.custom

        fitting: set[str] = set()
        for urn in sorted((urn for urn in reversed(rows) if urn in wanted), key=rank):
            more = _upwards(rows, urn, fitting)
            if len(fitting) + len(more) <= room:
                fitting.update(more)
        return fitting

    def _tree(self, rows: dict[str, Row], wanted: set[str]) -> Iterator[tuple[str, Row]]:
        """The wanted rows in tree order, each with its branch."""
        children: dict[str, list[str]] = {}
        for urn, row in rows.items():
            if urn in wanted:
                parent = row.step.res.parent
                children.setdefault(parent if parent in wanted else "", []).append(urn)

        def walk(urn: str, indent: str) -> Iterator[tuple[str, Row]]:
            below = children.get(urn, [])
            for n, child in enumerate(below):
                last = n == len(below) - 1
                yield f"{indent}{'└─ ' if last else '├─ '}", rows[child]
                yield from walk(child, f"{indent}{'   ' if last else '│  '}")

        for top in children.get("", []):
            yield "", rows[top]
            yield from walk(top, "")


def _upwards(rows: dict[str, Row], urn: str, known: Container[str]) -> list[str]:
    """The row and those that it is under, up to one that is known."""
    path: list[str] = []
    while urn in rows and urn not in known and urn not in path:
        path.append(urn)
        urn = rows[urn].step.res.parent
    return path
