"""prices.azure.com, the Azure Retail Prices API: public, without sign-in, in pages.

The meters have the real ones' form and traps (Windows, spot, Cloud Services and replaced meters beside the wanted
one); the amounts are invented by a rule, which a header says. Sizes that Azure has retired for good have no meters.
Source: learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices.
"""

import uuid
from collections.abc import Iterator
from functools import cache
from typing import Any
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
    meters = [item for item in _meters(_region(terms)) if all(_holds(term, item) for term in terms)]
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


def _region(terms: list[Term]) -> str | None:
    return next((str(term.value) for term in terms if term.field == "armRegionName" and term.operator == "eq"), None)


def _holds(term: Term, item: Item) -> bool:
    """`priceType` is the field `type`. Values compare with case, as since the API's version 2023-01-01-preview."""
    value = item.get("type" if term.field == "priceType" else term.field)
    return term.holds(value) and (term.operator != "eq" or value == term.value)


@cache
def _meters(region: str | None) -> tuple[Item, ...]:
    """The meters of a region, or of all."""
    regions = REGIONS if region is None else [name for name in REGIONS if name == region]
    return tuple(item for name in regions for size in sizes().values() for item in _of(size, name))


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
        yield {
            "currencyCode": "USD",
            "tierMinimumUnits": 0.0,
            "retailPrice": price,
            "unitPrice": price,
            "armRegionName": region,
            "location": REGIONS[region],
            "effectiveStartDate": start,
            "meterId": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{region} {product} {sku} {kind} {start}")),
            "meterName": sku,
            "productName": product,
            "skuName": sku,
            "serviceName": SERVICE,
            "serviceFamily": "Compute",
            "unitOfMeasure": "1 Hour",
            "type": kind,
            "isPrimaryMeterRegion": True,
            "armSkuName": "Standard_" + words.replace(" ", "_"),
        }
