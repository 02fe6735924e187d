"""The output of commands: JSON for programs, tables for people."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

_WIDEST = 1000


def print_json(value: Any) -> None:
    """Print a JSON document on standard output."""
    print(json.dumps(value, indent=2))


def print_table(table: Table | Sequence[str], rows: Iterable[Sequence[str]] = ()) -> None:
    """Print a table as wide as it needs: a wrapped line can still be read, a cut name or number cannot.

    Args:
        table: A table of rich, or the column titles of a plain one.
        rows: The rows of a plain table, each with one text for each column.
    """
    from rich.console import Console  # noqa: PLC0415 - takes longer to load than most commands run
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    if not isinstance(table, Table):
        titles, table = table, Table(box=None, pad_edge=False)
        for title in titles:
            table.add_column(title, no_wrap=True)
        for row in rows:
            table.add_row(*map(Text, row))  # a Text, since a name may have square brackets, which are markup in a str
    needed = Console(width=_WIDEST).measure(table).maximum
    console = Console(width=max(needed, Console().width), soft_wrap=True)
    with console.capture() as captured:
        console.print(table)
    print("\n".join(line.rstrip() for line in captured.get().splitlines()))
