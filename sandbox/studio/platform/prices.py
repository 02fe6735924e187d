"""What a resource costs, by the Azure Retail Prices API, which anybody may ask.

Source: learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices. In the sandbox the amounts are
invented.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sandbox.studio.azure import Azure
from sandbox.studio.render import dollars

URL = "https://prices.azure.com/api/retail/prices"
HOURS, DAYS = 730, 365 / 12
"""Of a month, as Azure's price calculator counts."""
BY_USE = {
    "microsoft.storage/storageaccounts": ("Storage", "Data Stored"),
    "microsoft.keyvault/vaults": ("Key Vault", "Operations"),
    "microsoft.operationalinsights/workspaces": ("Log Analytics", "Data Ingestion"),
}
"""The service, and a word of the meter, of what is paid for by use."""


class Book:
    """Prices in dollars, each asked for once.

    Args:
        azure: Asks.
    """

    def __init__(self, azure: Azure) -> None:
        self._azure = azure
        self.meters = cache(self._meters)

    def _meters(self, region: str, field: str, value: str) -> list[dict[str, Any]]:
        """The meters that count now, pay as you go."""
        wanted = f"armRegionName eq '{region}' and {field} eq '{value}' and priceType eq 'Consumption'"
        found = self._azure.send("GET", URL, headers={"Authorization": ""}, **{"$filter": wanted}).json()["Items"]
        now = datetime.now(UTC).isoformat()
        counting = [one for one in found if one["effectiveStartDate"] <= now]
        return sorted(counting, key=lambda one: str(one["effectiveStartDate"]), reverse=True)

    def node(self, region: str, size: str, *, low: bool = False) -> float | None:
        """Dollars an hour of a node under Linux; None where no price is known.

        Args:
            region: Such as `eastus2`.
            size: In any letter case.
            low: Whether it is a low-priority node.
        """
        name = "Standard_" + size[len("Standard_") :].replace("_V", "_v")
        meters = self.meters(region, "armSkuName", name)
        plain = [
            one
            for one in meters
            if one["productName"].endswith("Series")
            and "Spot" not in one["skuName"]
            and one["skuName"].endswith("Low Priority") == low
        ]
        return float(plain[0]["retailPrice"]) if plain else None

    def cost(self, body: Mapping[str, Any]) -> dict[str, Any] | None:
        """What a resource costs: dollars a month where that is fixed, and in words; None where it is free."""
        kind, region = str(body["type"]).lower(), str(body.get("location") or "")
        sku = str((body.get("sku") or {}).get("name") or "")
        if kind == "microsoft.containerregistry/registries":
            return self._fixed(region, "Container Registry", f"{sku} Registry Unit", DAYS)
        if kind == "microsoft.network/privateendpoints":
            return self._fixed(region, "Virtual Network", "Standard Private Endpoint", HOURS)
        if kind.endswith("/onlineendpoints/deployments"):
            return self._serving(region, body)
        if kind in BY_USE:
            return self._by_use(region, *BY_USE[kind], sku.rpartition("_")[2])
        return None

    def _fixed(self, region: str, service: str, meter: str, units: float) -> dict[str, Any] | None:
        found = next((one for one in self.meters(region, "serviceName", service) if one["meterName"] == meter), None)
        if found is None:
            return None
        return {
            "monthly": round(found["retailPrice"] * units, 2),
            "words": f"{dollars(found['retailPrice'])} {_unit(found)}",
        }

    def _serving(self, region: str, body: Mapping[str, Any]) -> dict[str, Any] | None:
        """A deployment's instances, which run all the time."""
        price = self.node(region, str(body["properties"].get("instanceType")).replace("STANDARD", "Standard"))
        if price is None:
            return None
        count = (body.get("sku") or {}).get("capacity") or 1
        words = f"{dollars(price)} an hour" + (f" for each of {count} instances" if count > 1 else "")
        return {"monthly": round(price * count * HOURS, 2), "words": words}

    def _by_use(self, region: str, service: str, word: str, redundancy: str) -> dict[str, Any] | None:
        meters = [one for one in self.meters(region, "serviceName", service) if word in one["meterName"]]
        fitting = [one for one in meters if redundancy and redundancy in one["skuName"]] or meters
        found = next((one for one in fitting if one["retailPrice"]), None)
        return found and {"monthly": None, "words": f"by use: {dollars(found['retailPrice'])} {_unit(found)}"}


def _unit(meter: Mapping[str, Any]) -> str:
    """A meter's unit in words: `1/Day`, `1 GB/Month`, `10K`."""
    words = {"1/Day": "a day", "1 Hour": "an hour", "1 GB/Month": "a GB and month", "1 GB": "a GB", "10K": "for 10,000"}
    unit = str(meter["unitOfMeasure"])
    return words.get(unit, unit)
