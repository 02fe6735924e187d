"""Today's prices from the Azure Retail Prices API: public, without an account or a key.

Source: learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices. Which meters are those of other
services follows infracost (internal/providers/terraform/azure and internal/resources/azure). Which are a Linux node's
follows what Microsoft's ga4gh-tes (PriceApiClient.cs, " Low Priority") and skypilot (fetch_azure.py, Windows and Cloud
Services) do. A low-priority node of Azure ML is billed by the size's "Low Priority" meter, not by its spot meter: Azure
ML's own model tells the two apart (EstimatedVMPrice.vmTier: Standard, LowPriority, Spot).
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from catalogue import vm_sizes
from catalogue.meters import EVERYWHERE, METERS, Meter, Unit
from catalogue.prices import Priority, RegionPrices

HOST = "prices.azure.com"
_URL = f"https://{HOST}/api/retail/prices"
_TIMEOUT_SECONDS = 60
_ATTEMPTS = 5
_OTHER_PRODUCTS = (" win", "cloud services", "cloudservices", "dedicated host")  # " Win" is also " Windows"
_INVENTED = "X-Invented-By"
_LOW_PRIORITY = "low priority"
_CONSUMPTION = "priceType eq 'Consumption'"
_WORLDWIDE = ("", "Global", "Zone 1")
_API_UNITS: Mapping[Unit, tuple[str, ...]] = {
    "hour": ("1 Hour",),
    "day": ("1/Day", "1 Day"),
    "month": ("1/Month", "1 Month", "1"),
    "GB": ("1 GB", "1 GB/Month"),
    "10,000 operations": ("10K",),
}
"""How the API writes the units."""

Key = tuple[str, Priority]


class PricesUnavailableError(Exception):
    """The prices could not be read; the text says why and what to do."""


def read_region(region: str, today: date, *, invented: bool = False) -> RegionPrices:
    """The prices of the known sizes in a region; empty where Azure has none there.

    Args:
        region: Azure's name of it.
        today: From when the prices are.
        invented: Take the sandbox's as well, which it marks by a header.

    Raises:
        PricesUnavailableError: If the API does not answer, or not with prices that are wanted.
    """
    wanted = f"serviceName eq 'Virtual Machines' and {_CONSUMPTION} and armRegionName eq '{region}'"
    try:
        return RegionPrices(today, _cheapest_current(_items(wanted, invented)))
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise PricesUnavailableError(f"{HOST} answered in a form that is not known ({error!r}).") from None


def read_services(regions: Collection[str], *, invented: bool = False) -> Mapping[str, Mapping[str, Decimal]]:
    """The prices of the meters of `catalogue.meters`, by region; a region or meter without a price is not there.

    What has one price everywhere is under `EVERYWHERE`.

    Args:
        regions: Azure's names of the regions that are wanted.
        invented: As in `read_region`.

    Raises:
        PricesUnavailableError: As `read_region`.
    """
    found: dict[str, dict[str, Decimal]] = {}
    for key, meter in METERS.items():
        if meter.service:
            try:
                prices = _by_region(_items(_filter_of(meter), invented), meter)
            except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
                raise PricesUnavailableError(f"{HOST} answered in a form that is not known ({error!r}).") from None
            for region in prices.keys() & {*regions, EVERYWHERE}:
                found.setdefault(region, {})[key] = prices[region]
    return found


def _filter_of(meter: Meter) -> str:
    fields = {"serviceName": meter.service, "skuName": meter.sku, "productName": meter.product}
    return " and ".join([*(f"{name} eq '{value}'" for name, value in fields.items() if value), _CONSUMPTION])


def _by_region(items: Iterator[Mapping[str, Any]], meter: Meter) -> Mapping[str, Decimal]:
    """The price of a meter that counts today in each region; of the first tier that costs something."""
    now = datetime.now(UTC)
    best: dict[str, tuple[Decimal, datetime, Decimal]] = {}
    for item in items:
        price, since = item["retailPrice"], datetime.fromisoformat(item["effectiveStartDate"])
        if price <= 0 or since > now or not _is_meter(item, meter):
            continue
        region = EVERYWHERE if item["armRegionName"] in _WORLDWIDE else item["armRegionName"]
        rank = -item["tierMinimumUnits"], since, price
        best[region] = max(best.get(region, rank), rank)
    return {region: price for region, (_, _, price) in best.items()}


def _is_meter(item: Mapping[str, Any], meter: Meter) -> bool:
    """Whether an item of the API is a meter in US dollars for its unit."""
    return (
        item["type"] == "Consumption"
        and item["currencyCode"] == "USD"
        and item["unitOfMeasure"] in _API_UNITS[meter.unit]
        and item["meterName"] == meter.name
    )


def _items(wanted: str, invented: bool) -> Iterator[Mapping[str, Any]]:
    """All meters that a filter names, page by page."""
    import requests  # noqa: PLC0415 - a second's import, not needed for a report
    from requests.adapters import HTTPAdapter  # noqa: PLC0415
    from urllib3 import Retry  # noqa: PLC0415

    session = requests.Session()
    busy = Retry(
        _ATTEMPTS, connect=0, backoff_factor=1, status_forcelist=(429, 500, 502, 503, 504), raise_on_status=False
    )
    session.mount("https://", HTTPAdapter(max_retries=busy))
    page, query, seen = _URL, {"$filter": wanted}, set[str]()
    while page:
        if urlsplit(page).hostname != HOST or page in seen:
            raise PricesUnavailableError(f"{HOST} names a next page that is none: {page}")
        seen.add(page)
        try:
            answer = session.get(page, params=query, timeout=_TIMEOUT_SECONDS)
        except requests.RequestException as error:
            raise PricesUnavailableError(
                f"{HOST} does not answer; are you online? The prices are left as they were. ({error})"
            ) from None
        if not answer.ok:
            raise PricesUnavailableError(
                f"{HOST} answers with status {answer.status_code}: {answer.text[:200]} Try again later."
            )
        if _INVENTED in answer.headers and not invented:
            raise PricesUnavailableError(
                f"In this shell the sandbox answers for {HOST}; its prices are invented, so none for the project's own "
                "table. Refresh in a shell without the sandbox's environment, or keep them apart with --table CSV."
            )
        body = answer.json(parse_float=Decimal, parse_int=Decimal)
        yield from body["Items"]
        page, query = body.get("NextPageLink") or "", {}


def _cheapest_current(items: Iterator[Mapping[str, Any]]) -> Mapping[Key, Decimal]:
    """The price of each known size and priority: of its meters the one that counts today.

    A replaced meter stays listed, with an older effective date; one of the future is no price yet. Of two that
    count from the same day the dearer one is taken, since the report is a ceiling.
    """
    now = datetime.now(UTC)
    best: dict[Key, tuple[datetime, Decimal]] = {}
    for item in items:
        size = vm_sizes.find(item["armSkuName"] or "")
        price, since = item["retailPrice"], datetime.fromisoformat(item["effectiveStartDate"])
        if size is None or not _linux_hour(item) or price <= 0 or since > now:
            continue
        low = _LOW_PRIORITY in item["skuName"].lower()
        key: Key = (size.name, "lowPriority" if low else "dedicated")
        best[key] = max(best.get(key, (since, price)), (since, price))
    return {key: price for key, (_, price) in best.items()}


def _linux_hour(item: Mapping[str, Any]) -> bool:
    """Whether a meter is an hour of a Linux machine that is not spot."""
    product = item["productName"].lower()
    return (
        item["type"] == "Consumption"
        and item["unitOfMeasure"] == "1 Hour"
        and item["currencyCode"] == "USD"
        and "spot" not in item["skuName"].lower()
        and not any(other in product for other in _OTHER_PRODUCTS)
    )
