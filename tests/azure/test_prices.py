"""prices.azure.com: the retail prices' form, filters and pages."""

from typing import Any

import requests

from tests.azure.client import Client

URL = "https://prices.azure.com/api/retail/prices"
FILTER = "serviceName eq 'Virtual Machines' and priceType eq 'Consumption' and armRegionName eq 'eastus2'"


def ask(azure: Client, url: str = URL, **query: str) -> requests.Response:
    return azure.session.get(url, params=query)


def test_pages_follow_one_another_without_a_token(azure: Client) -> None:
    found: list[dict[str, Any]] = []
    page = ask(azure, **{"$filter": FILTER}).json()
    assert page["Count"] == 1000
    while True:
        found += page["Items"]
        if page["NextPageLink"] is None:
            break
        page = ask(azure, page["NextPageLink"]).json()
    assert len(found) == len({item["meterId"] for item in found}) > 1000
    assert {item["type"] for item in found} == {"Consumption"}
    mine = [item for item in found if item["armSkuName"].lower() == "standard_ds3_v2"]
    assert {"Virtual Machines DSv2 Series", "Virtual Machines DSv2 Series Windows"} < {i["productName"] for i in mine}
    assert {item["skuName"] for item in mine} == {"DS3 v2", "DS3 v2 Spot", "DS3 v2 Low Priority"}
    assert not [item for item in found if item["armSkuName"].lower() == "standard_nv6"]


def test_values_compare_with_case_and_an_unknown_region_has_none(azure: Client) -> None:
    assert ask(azure, **{"$filter": FILTER.replace("Virtual", "virtual")}).json()["Items"] == []
    assert ask(azure, **{"$filter": FILTER.replace("eastus2", "nowhere")}).json()["Items"] == []


def test_a_filter_that_is_none_is_refused(azure: Client) -> None:
    assert ask(azure, **{"$filter": "x"}).status_code == 400
