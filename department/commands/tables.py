"""Tables on a terminal or in a file."""

from rich.console import Console
from rich.table import Table

_WIDEST = 1000


def print_table(table: Table) -> None:
    """Print a table as wide as it needs: a cut name or number says nothing, a wrapped line still does."""
    needed = Console(width=_WIDEST).measure(table).maximum
    Console(width=max(needed, Console().width), soft_wrap=True).print(table)
