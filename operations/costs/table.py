"""Writing a table of prices."""

from pathlib import Path

from catalogue.prices import TABLE, Prices, TableError, prices_text
from terminal import write_whole


def write_prices(prices: Prices, table: Path = TABLE) -> None:
    """Write a table of prices.

    Raises:
        TableError: If the file cannot be written; it is then as it was.
    """
    try:
        write_whole(table, prices_text(prices))
    except OSError as error:
        raise TableError(f"{table}: cannot write the prices: {error.strerror}") from None
