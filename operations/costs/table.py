"""Writing the tables of prices."""

from pathlib import Path

from catalogue import meters
from catalogue.meters import ServicePrices, service_prices_text
from catalogue.prices import TABLE, Prices, TableError, prices_text
from terminal import write_whole


def write_prices(prices: Prices, table: Path = TABLE) -> None:
    """Write a table of prices of VMs.

    Raises:
        TableError: If the file cannot be written; it is then as it was.
    """
    _write(prices_text(prices), table)


def write_service_prices(prices: ServicePrices, table: Path = meters.TABLE) -> None:
    """Write a table of prices of services.

    Raises:
        TableError: As `write_prices`.
    """
    _write(service_prices_text(prices), table)


def _write(text: str, table: Path) -> None:
    try:
        write_whole(table, text)
    except OSError as error:
        raise TableError(f"{table}: cannot write the prices: {error.strerror}") from None
