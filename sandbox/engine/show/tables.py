"""Tables of the command line, as Pulumi prints them: no frame, two blanks between columns."""

import io
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

_WIDEST = 1_000_000


def lines(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table, each column as wide as its widest cell: a cell is never cut."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="")
    for title in titles:
        table.add_column(title, no_wrap=True)
    for row in rows:
        table.add_row(*(cell.replace("[", r"\[") for cell in row))
    text = io.StringIO()
    Console(file=text, width=_WIDEST, no_color=True, highlight=False).print(table, soft_wrap=True)
    return [line.rstrip() for line in text.getvalue().splitlines()]
