"""What a platform pays for beside VMs: the meters, and their prices in the dated table `service_prices.csv`."""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from catalogue.prices import TableError

TABLE = Path(__file__).with_name("service_prices.csv")
EVERYWHERE = "*"
"""In place of a region: the price is the same everywhere."""
HOURS = 730
"""Hours of a month, as Azure's price calculator counts."""

Unit = Literal["hour", "day", "month", "GB", "10,000 operations"]
UNITS_A_MONTH: Mapping[Unit, Decimal] = MappingProxyType(
    {"hour": Decimal(HOURS), "day": Decimal(HOURS) / 24, "month": Decimal(1)}
)
"""Units of what is paid for by time."""


@dataclass(frozen=True)
class Meter:
    """Something that Azure charges for.

    Attributes:
        title: What it is, in words.
        unit: What a price is for.
        service: Service in the Azure Retail Prices API (`serviceName`); empty for what the API has no own meter for.
        name: Its name there (`meterName`).
        sku: Its tier there (`skuName`); empty for any.
        product: Its product there (`productName`); empty for any.
    """

    title: str
    unit: Unit
    service: str = ""
    name: str = ""
    sku: str = ""
    product: str = ""


METERS: Mapping[str, Meter] = MappingProxyType(
    {
        "registry-basic": Meter(
            "Container registry, Basic tier", "day", "Container Registry", "Basic Registry Unit", "Basic"
        ),
        "registry-standard": Meter(
            "Container registry, Standard tier", "day", "Container Registry", "Standard Registry Unit", "Standard"
        ),
        "registry-premium": Meter(
            "Container registry, Premium tier", "day", "Container Registry", "Premium Registry Unit", "Premium"
        ),
        "private-endpoint": Meter("Private endpoint", "hour", "Virtual Network", "Standard Private Endpoint"),
        "private-dns-zone": Meter("Private DNS zone", "month", "Azure DNS", "Private Zone", "Private"),
        "nat-gateway": Meter("NAT gateway", "hour", "NAT Gateway", "Standard Gateway"),
        "public-ip": Meter(
            "Public address", "hour", "Virtual Network", "Standard IPv4 Static Public IP", "Standard", "IP Addresses"
        ),
        "firewall-standard": Meter(
            "Azure Firewall, Standard tier", "hour", "Azure Firewall", "Standard Deployment", "Standard"
        ),
        "firewall-basic": Meter("Azure Firewall, Basic tier", "hour", "Azure Firewall", "Basic Deployment", "Basic"),
        "log-ingestion": Meter("Logs collected", "GB", "Log Analytics", "Analytics Logs Data Ingestion"),
        "log-retention": Meter("Logs kept for longer", "GB", "Log Analytics", "Analytics Logs Data Retention"),
        "key-vault-operations": Meter(
            "Key vault operations", "10,000 operations", "Key Vault", "Operations", "Standard"
        ),
        "storage-lrs": Meter(
            "Data kept, LRS", "GB", "Storage", "Hot LRS Data Stored", "Hot LRS", "General Block Blob v2"
        ),
        "storage-zrs": Meter(
            "Data kept, ZRS", "GB", "Storage", "Hot ZRS Data Stored", "Hot ZRS", "General Block Blob v2"
        ),
        "storage-grs": Meter(
            "Data kept, GRS", "GB", "Storage", "Hot GRS Data Stored", "Hot GRS", "General Block Blob v2"
        ),
        "disk-p10": Meter("Disk P10", "month", "Storage", "P10 LRS Disk", "P10 LRS", "Premium SSD Managed Disks"),
        "load-balancer": Meter("Load balancer for compute", "day"),
        "cosmos-db": Meter("Azure Cosmos DB for a workspace's metadata", "month"),
        "search": Meter("Azure AI Search for a workspace's metadata", "month"),
    }
)
"""The meters that a platform can meet, by the word that the table has for each.

Names are those of the Azure Retail Prices API, as infracost's source filters by them. How Azure ML charges its load
balancers is on learn.microsoft.com/azure/machine-learning/concept-plan-manage-cost only.
"""


@dataclass(frozen=True)
class ServicePrice:
    """The price of a meter.

    Attributes:
        price: US dollars a unit.
        region: Region whose price it is.
        as_of: Day of the price.
        source: Where it comes from.
    """

    price: Decimal
    region: str
    as_of: date
    source: str


@dataclass(frozen=True)
class ServicePrices:
    """A table of prices.

    Attributes:
        rows: The prices by meter, in the file's order.
        head: The file's comment, which names the sources.
    """

    rows: Mapping[str, tuple[ServicePrice, ...]]
    head: str = ""

    def find(self, meter: str, region: str) -> ServicePrice | None:
        """The price of a meter in a region; that of another region where its own is not known, or None."""
        prices = self.rows.get(meter, ())
        own = next((price for price in prices if price.region in (region, EVERYWHERE)), None)
        return own or next(iter(prices), None)

    def merged(self, region: str, prices: Mapping[str, Decimal], as_of: date, source: str) -> "ServicePrices":
        """The table with prices of a region in place of its older ones."""
        rows = dict(self.rows)
        for meter, price in prices.items():
            others = tuple(row for row in rows.get(meter, ()) if row.region != region)
            rows[meter] = (*others, ServicePrice(price, region, as_of, source))
        return ServicePrices(rows, self.head)


_COLUMNS = ("meter", "region", "price", "asOf", "source")


def read_service_prices(table: Path = TABLE) -> ServicePrices:
    """The prices of a table.

    Raises:
        TableError: If the file cannot be read or is no such table.
    """
    try:
        lines = table.read_text(encoding="utf-8").splitlines(keepends=True)
        rows: dict[str, list[ServicePrice]] = {}
        for row in csv.DictReader(line for line in lines if not line.startswith("#")):
            price = ServicePrice(Decimal(row["price"]), row["region"], date.fromisoformat(row["asOf"]), row["source"])
            rows.setdefault(_known(row["meter"]), []).append(price)
    except OSError as error:
        raise TableError(f"{table}: cannot read the prices: {error.strerror}") from None
    except (ArithmeticError, KeyError, TypeError, UnicodeError, ValueError, csv.Error) as error:
        raise TableError(f"{table}: is no table of prices of services ({error!r}); restore it.") from None
    head = "".join(line for line in lines if line.startswith("#"))
    return ServicePrices({meter: tuple(prices) for meter, prices in rows.items()}, head)


def service_prices_text(prices: ServicePrices) -> str:
    """A table as text, in the order of `METERS`."""
    text = io.StringIO()
    text.write(prices.head)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(_lines(prices))
    return text.getvalue()


def _lines(prices: ServicePrices) -> Iterable[tuple[object, ...]]:
    for meter in METERS:
        for row in prices.rows.get(meter, ()):
            yield meter, row.region, f"{row.price.normalize():f}", row.as_of, row.source


def _known(meter: str) -> str:
    if meter not in METERS:
        raise ValueError(f"no meter is called {meter!r}")
    return meter
