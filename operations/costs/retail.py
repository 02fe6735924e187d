"""Today's prices from the Azure Retail Prices API: public, without an account or a key.

Source: learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices. Which meters are a Linux node's
follows what Microsoft's ga4gh-tes (PriceApiClient.cs, " Low Priority") and skypilot (fetch_azure.py, Windows and Cloud
Services) do. A low-priority node of Azure ML is billed by the size's "Low Priority" meter, not by its spot meter: Azure
ML's own model tells the two apart (EstimatedVMPrice.vmTier: Standard, LowPriority, Spot).
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from catalogue import vm_sizes
from catalogue.prices import Priority, RegionPrices

HOST = "prices.azure.com"
_URL = f"https://{HOST}/api/retail/prices"
_TIMEOUT_SECONDS = 60
_ATTEMPTS = 5
_OTHER_PRODUCTS = (" win", "cloud services", "cloudservices", "dedicated host")  # " Win" is also " Windows"
_INVENTED = "X-Invented-By"
_LOW_PRIORITY = "low priority"

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
    try:
        return RegionPrices(today, _cheapest_current(_items(region, invented)))
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise PricesUnavailableError(f"{HOST} answered in a form that is not known ({error!r}).") from None


def _items(region: str, invented: bool) -> Iterator[Mapping[str, Any]]:
    """All meters of virtual machines in a region, page by page."""
    import requests  # noqa: PLC0415 - a second's import, not needed for a report
    from requests.adapters import HTTPAdapter  # noqa: PLC0415
    from urllib3 import Retry  # noqa: PLC0415

    session = requests.Session()
    busy = Retry(
        _ATTEMPTS, connect=0, backoff_factor=1, status_forcelist=(429, 500, 502, 503, 504), raise_on_status=False
    )
    session.mount("https://", HTTPAdapter(max_retries=busy))
    wanted = f"serviceName eq 'Virtual Machines' and priceType eq 'Consumption' and armRegionName eq '{region}'"
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
