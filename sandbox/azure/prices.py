"""prices.azure.com, the Azure Retail Prices API: public, without sign-in, in pages.

The meters have the real ones' form and traps (Windows, spot, Cloud Services and replaced meters beside the wanted
one); the amounts are invented by a rule, which a header says. Sizes that Azure has retired for good have no meters.
Source: learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices.
"""

import uuid
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import urlencode

from starlette.responses import JSONResponse, Response

from sandbox.azure.arm.regions import REGIONS
from sandbox.azure.front.errors import ServiceError
from sandbox.azure.front.request import Request
from sandbox.azure.front.service import Service
from sandbox.azure.ml.sizes import Size, sizes
from sandbox.azure.odata import FilterError, Term, parse_filter

Item = dict[str, Any]
URL = "https://prices.azure.com/api/retail/prices"
SERVICE = "Virtual Machines"
PAGE = 1000  # the most records of a page
RETIRED = ("standardNCFamily", "standardNCSv2Family", "standardNDSFamily", "standardNVFamily")


class Meter(NamedTuple):
    """A meter; the dollars a unit are invented."""

    service: str
    product: str
    sku: str
    name: str
    unit: str
    price: float


SERVICES = (
    Meter("Container Registry", "Container Registry", "Basic", "Basic Registry Unit", "1/Day", 0.2),
    Meter("Container Registry", "Container Registry", "Standard", "Standard Registry Unit", "1/Day", 0.7),
    Meter("Container Registry", "Container Registry", "Premium", "Premium Registry Unit", "1/Day", 1.7),
    Meter("Virtual Network", "Virtual Network Private Link", "Standard", "Standard Private Endpoint", "1 Hour", 0.02),
    Meter("Virtual Network", "IP Addresses", "Standard", "Standard IPv4 Static Public IP", "1 Hour", 0.006),
    Meter("NAT Gateway", "NAT Gateway", "Standard", "Standard Gateway", "1 Hour", 0.05),
    Meter("Azure Firewall", "Azure Firewall", "Standard", "Standard Deployment", "1 Hour", 1.5),
    Meter("Azure Firewall", "Azure Firewall", "Basic", "Basic Deployment", "1 Hour", 0.4),
    Meter("Log Analytics", "Log Analytics", "Analytics Logs", "Analytics Logs Data Ingestion", "1 GB", 2.5),
    Meter("Log Analytics", "Log Analytics", "Analytics Logs", "Analytics Logs Data Retention", "1 GB/Month", 0.2),
    Meter("Key Vault", "Key Vault", "Standard", "Operations", "10K", 0.04),
    Meter("Storage", "General Block Blob v2", "Hot LRS", "Hot LRS Data Stored", "1 GB/Month", 0.03),
    Meter("Storage", "General Block Blob v2", "Hot ZRS", "Hot ZRS Data Stored", "1 GB/Month", 0.04),
    Meter("Storage", "Premium SSD Managed Disks", "P10 LRS", "P10 LRS Disk", "1/Month", 20.0),
)
WORLDWIDE = (Meter("Azure DNS", "Azure DNS", "Private", "Private Zone", "1", 0.6),)
_VCPU, _GPU = 0.05, 0.9  # dollars an hour, invented
_LOW_PRIORITY, _SPOT, _WINDOWS = 0.2, 0.15, 1.5  # of the dedicated price; the last two invented


class Prices(Service[Request]):
    """Answers for prices.azure.com."""

    request_type = Request

    async def answer(self, request: Request) -> Response:
        """The meters that `$filter` names, from `$skip` on."""
        if request.path != "/api/retail/prices" or request.method != "GET":
            raise ServiceError(404, "NotFound", f"The sandbox does not emulate {request.method} {request.path}.")
        return _prices(request.query)


def _prices(query: dict[str, str]) -> Response:
    try:
        terms = parse_filter(query.get("$filter", ""))
        skip = int(query.get("$skip", "0"))
    except (FilterError, ValueError) as error:
        return JSONResponse({"Error": {"Code": "BadRequest", "Message": str(error)}}, 400)
    meters = [
        item
        for item in _meters(_wanted(terms, "armRegionName"), _wanted(terms, "serviceName"))
        if all(_holds(term, item) for term in terms)
    ]
    rest = meters[skip + PAGE :]
    link = f"{URL}?{urlencode({**query, '$skip': skip + PAGE})}"
    return JSONResponse(
        {
            "BillingCurrency": "USD",
            "CustomerEntityId": "Default",
            "CustomerEntityType": "Retail",
            "Items": meters[skip : skip + PAGE],
            "NextPageLink": link if rest else None,
            "Count": len(meters[skip : skip + PAGE]),
        },
        headers={"X-Invented-By": "sandbox"},
    )


def _wanted(terms: list[Term], field: str) -> str | None:
    return next((str(term.value) for term in terms if term.field == field and term.operator == "eq"), None)


def _holds(term: Term, item: Item) -> bool:
    """`priceType` is the field `type`. Values compare with case, as since the API's version 2023-01-01-preview."""
    value = item.get("type" if term.field == "priceType" else term.field)
    return term.holds(value) and (term.operator != "eq" or value == term.value)


@cache
def _meters(region: str | None, service: str | None) -> tuple[Item, ...]:
    """The meters of a region and a service, or of all."""
    regions = REGIONS if region is None else [name for name in REGIONS if name == region]
    found = [item for name in regions for meter in SERVICES for item in _of_service(name, meter)]
    if region is None:
        found += [item for meter in WORLDWIDE for item in _of_service("Zone 1", meter)]
    if service in (None, SERVICE):
        found += [item for name in regions for size in sizes().values() for item in _of(size, name)]
    return tuple(found)


def _of_service(region: str, meter: Meter) -> Iterator[Item]:
    """A meter of another service, with one that counts from the future on; logs have a first tier that is free."""
    if meter.name.endswith("Data Ingestion"):
        yield _item(region, meter._replace(price=0.0))
        yield _item(region, meter, tier=5.0)
    else:
        yield _item(region, meter)
    yield _item(region, meter._replace(price=meter.price * 2), start="2099-01-01T00:00:00Z")


def _of(size: Size, region: str) -> Iterator[Item]:
    if size.family in RETIRED:
        return
    words = size.name.removeprefix("STANDARD_").replace("_V", " v").replace("_", " ")
    series = f"Virtual Machines {size.family.removeprefix('standard').removesuffix('Family').strip()} Series"
    base = round(size.vcpus * _VCPU + size.gpus * _GPU, 4)
    now, before = "2026-03-01T00:00:00Z", "2021-01-01T00:00:00Z"
    meters = [
        (words, series, base, "Consumption", now),
        (words, series, round(base * 1.1, 4), "Consumption", before),  # replaced
        (words, f"{series} Windows", round(base * _WINDOWS, 4), "Consumption", now),
        (words, f"{series} Cloud Services", round(base * _WINDOWS, 4), "Consumption", now),  # they run Windows
        (words, series, round(base * 0.9, 4), "DevTestConsumption", now),
        (words, series, round(base * 5000), "Reservation", now),
        (f"{words} Spot", series, round(base * _SPOT, 4), "Consumption", now),
    ]
    if size.low_priority:
        low = round(base * _LOW_PRIORITY, 4)
        meters.append((f"{words} Low Priority", series, low, "Consumption", now))
        meters.append((f"{words} Low Priority", f"{series} Windows", round(low * 2, 4), "Consumption", now))
    for sku, product, price, kind, start in meters:
        meter = Meter(SERVICE, product, sku, sku, "1 Hour", price)
        yield _item(region, meter, kind=kind, start=start, arm_sku="Standard_" + words.replace(" ", "_"))


def _item(
    region: str,
    meter: Meter,
    *,
    kind: str = "Consumption",
    start: str = "2021-01-01T00:00:00Z",
    tier: float = 0.0,
    arm_sku: str = "",
) -> Item:
    return {
        "currencyCode": "USD",
        "tierMinimumUnits": tier,
        "retailPrice": meter.price,
        "unitPrice": meter.price,
        "armRegionName": region,
        "location": REGIONS.get(region, region),
        "effectiveStartDate": start,
        "meterId": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{region} {meter} {kind} {start} {tier}")),
        "meterName": meter.name,
        "productName": meter.product,
        "skuName": meter.sku,
        "serviceName": meter.service,
        "serviceFamily": "Compute" if meter.service == SERVICE else "Networking",
        "unitOfMeasure": meter.unit,
        "type": kind,
        "isPrimaryMeterRegion": True,
        "armSkuName": arm_sku,
    }
