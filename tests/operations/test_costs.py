"""Prices: the shipped table, the report, and the refresh from prices.azure.com as the sandbox serves it."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalogue import meters, vm_sizes
from catalogue.meters import METERS, read_service_prices
from catalogue.prices import TABLE, Prices, Priority, RegionPrices, TableError, read_prices
from department.__main__ import main
from operations.costs.retail import PricesUnavailableError, read_region
from operations.costs.table import write_prices
from tests.conftest import ROOT, Sandbox

DEV, PROD = str(ROOT / "Pulumi.dev.yaml"), str(ROOT / "Pulumi.prod.yaml")


def command(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "department", "costs", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def told(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return Path(shutil.copy(TABLE, tmp_path / "prices.csv"))


def compute_of(one: Any) -> list[Any]:
    return [entry for entry in one["charges"] if entry["unit"] == "hour" and "STANDARD_" in entry["what"]]


@pytest.fixture
def services(tmp_path: Path) -> Path:
    return Path(shutil.copy(meters.TABLE, tmp_path / "services.csv"))


def test_production_has_a_floor_that_is_not_zero_a_likely_sum_and_a_ceiling() -> None:
    [one] = told(command(PROD, "--json"))["reports"]
    assert (one["region"], one["asOf"], one["sumsAreLowerBounds"]) == ("eastus2", "2026-06-18", False)
    assert 200 < one["monthlyFloor"] < one["monthlyLikely"] < one["monthlyCeiling"]
    [train] = [entry for entry in compute_of(one) if entry["name"] == "bluegranit-train-cpu"]
    assert (train["what"], train["price"], train["monthlyFloor"]) == ("4 × STANDARD_DS3_V2", 0.229, 0)
    assert train["monthlyCeiling"] == pytest.approx(730 * 4 * 0.229)
    for key in ("monthlyFloor", "monthlyLikely", "monthlyCeiling"):
        assert one[key] == pytest.approx(sum(entry[key] for entry in one["charges"]))
        assert one[key] == pytest.approx(sum(team[key] for team in one["teams"]))
    assert all(entry["source"] and entry["asOf"] for entry in one["charges"])


def test_a_price_that_is_not_known_is_told_and_never_counted_as_zero() -> None:
    text = command(DEV).stdout
    assert re.search(r"STANDARD_NV6, low priority +no price known +no price known", text)
    assert "at least 1,104.97" in text
    assert "No price known: bluegranit-nv6-gpucluster (1 × STANDARD_NV6, low priority). The sums are lower" in text
    [one] = told(command(DEV, "--json"))["reports"]
    assert one["sumsAreLowerBounds"] is True
    assert [entry["monthlyCeiling"] for entry in compute_of(one)] == [
        pytest.approx(167.17),
        pytest.approx(873.08),
        None,
    ]
    assert [entry["priceOf"] for entry in compute_of(one)] == [
        "STANDARD_DS3_V2, dedicated",
        "STANDARD_D13_V2, dedicated",
        "",
    ]


def test_refresh_takes_the_linux_meters_that_count_today(shared_sandbox: Sandbox, table: Path) -> None:
    done = told(command(DEV, "--refresh", "--json", "--table", str(table), **shared_sandbox.environment()))
    [refreshed] = done["refreshed"]
    assert (refreshed["region"], refreshed["asOf"]) == ("eastus2", date.today().isoformat())
    assert refreshed["changed"]["STANDARD_DS3_V2"] == [0.229, 0.2]  # neither Windows', Cloud Services' nor the old
    assert "STANDARD_DS3_V2 low priority" in refreshed["new"]
    assert "STANDARD_A1_V2" in refreshed["gone"]  # the sandbox has no such size
    [one] = done["reports"]
    assert [entry["price"] for entry in compute_of(one)] == [0.04, 0.08, None]  # not the spot price, nor 0
    assert not any(entry["priceOf"] for entry in compute_of(one))
    after, before = read_prices(table), read_prices()
    assert len(after.regions["eastus2"].hourly) > 250  # more than a page of meters
    assert {n: p for n, p in after.regions.items() if n != "eastus2"} == {
        n: p for n, p in before.regions.items() if n != "eastus2"
    }
    assert after.head == before.head


def test_refresh_reads_the_meters_of_services(shared_sandbox: Sandbox, services: Path) -> None:
    variables = shared_sandbox.environment()
    done = told(command(DEV, "--refresh", "--json", "--services", str(services), **variables))
    assert {one["region"] for one in done["refreshed"]} == {"services in eastus2", "services everywhere"}
    prices = {entry["what"]: entry for entry in done["reports"][0]["charges"]}
    logs = prices[METERS["log-ingestion"].title]
    assert (logs["price"], logs["priceOf"], logs["asOf"]) == (2.5, "", date.today().isoformat())  # not the free tier
    assert prices[METERS["registry-basic"].title]["price"] == 0.2  # not that of 2099
    assert prices[METERS["storage-lrs"].title]["source"] == "prices.azure.com"
    after = read_service_prices(services)
    kept = after.find("log-ingestion", "westeurope")
    assert kept and kept.source.startswith("infracost")
    asked = {meter for meter, entry in METERS.items() if entry.service} - {"storage-grs"}  # the sandbox has no such one
    assert all((row := after.find(meter, "eastus2")) and row.region in ("eastus2", "*") for meter in asked)
    assert after.head == read_service_prices().head


def test_refresh_says_what_changed(shared_sandbox: Sandbox, table: Path) -> None:
    environment = shared_sandbox.environment()
    text = command(DEV, "--refresh", "--table", str(table), **environment).stdout
    assert f"eastus2 (2026-06-18 → {date.today()}): " in text
    assert "  STANDARD_DS3_V2: 0.229 → 0.2\n" in text and "  STANDARD_A1_V2: 0.043 → not known\n" in text
    again = command(DEV, "--refresh", "--table", str(table), **environment).stdout
    assert ": 0 new, 0 changed, 0 gone, " in again


def test_offline_nothing_is_written_and_the_message_says_so(table: Path) -> None:
    before = table.read_bytes()
    done = command(DEV, "--refresh", "--table", str(table), HTTPS_PROXY="http://127.0.0.1:9")
    assert done.returncode == 1
    assert "prices.azure.com does not answer; are you online?" in done.stderr and "Traceback" not in done.stderr
    assert table.read_bytes() == before


def test_the_sandboxs_prices_do_not_get_into_the_projects_own_table(shared_sandbox: Sandbox) -> None:
    before = TABLE.read_bytes()
    try:
        done = command(
            DEV, "--refresh", "--table", "components/../catalogue/vm_prices.csv", **shared_sandbox.environment()
        )
        assert done.returncode == 1
        assert "the sandbox answers for prices.azure.com" in done.stderr and "--table CSV" in done.stderr
        assert TABLE.read_bytes() == before
    finally:
        TABLE.write_bytes(before)


def test_wrong_usage_and_wrong_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["costs"]) == 2
    assert main(["costs", str(tmp_path / "Pulumi.none.yaml")]) == 1
    assert "cannot read the file" in capsys.readouterr().err
    broken = tmp_path / "prices.csv"
    for text in ("", "size,priority,eastus\n", "size,priority,eastus\nasOf,,2026-01-01\nX,cheap,1\n", "a\nb\n"):
        broken.write_text(text)
        assert main(["costs", DEV, "--table", str(broken)]) == 1
        assert str(broken) in capsys.readouterr().err, text


ITEM = {
    "armSkuName": "Standard_DS3_v2",
    "skuName": "DS3 v2",
    "productName": "Virtual Machines DSv2 Series",
    "type": "Consumption",
    "unitOfMeasure": "1 Hour",
    "currencyCode": "USD",
    "retailPrice": 0.3,
    "effectiveStartDate": "2026-01-01T00:00:00Z",
}


def answers(monkeypatch: pytest.MonkeyPatch, *bodies: Any) -> None:
    """What the API answers, one body after the other: for answers that the sandbox does not give."""
    import requests  # noqa: PLC0415

    left = list(bodies)

    def get(*_: Any, **__: Any) -> requests.Response:
        answer = requests.Response()
        answer.status_code = 200
        answer._content = json.dumps(left.pop(0)).encode()
        return answer

    monkeypatch.setattr(requests.Session, "get", get)


def prices_of(monkeypatch: pytest.MonkeyPatch, *items: Any) -> dict[tuple[str, Priority], Decimal]:
    answers(monkeypatch, {"Items": items, "NextPageLink": None})
    return dict(read_region("eastus2", date.today()).hourly)


@pytest.mark.parametrize(
    "other",
    [
        {"productName": "Virtual Machines NCCadsv5 Srs Win"},
        {"productName": "Virtual Machines DSv2 Series CloudServices"},
        {"skuName": "DS3 v2 Spot"},
        {"type": "DevTestConsumption"},
        {"unitOfMeasure": "1/Month"},
        {"currencyCode": "EUR"},
        {"retailPrice": 0},
        {"armSkuName": "Standard_Unheard_v9"},
        {"armSkuName": ""},
        {"effectiveStartDate": "2099-01-01T00:00:00Z"},
    ],
)
def test_what_is_no_price_of_a_linux_hour_today_is_left_out(
    monkeypatch: pytest.MonkeyPatch, other: dict[str, Any]
) -> None:
    assert prices_of(monkeypatch, ITEM | {"retailPrice": 0.5} | other) == {}
    assert prices_of(monkeypatch, ITEM) == {("STANDARD_DS3_V2", "dedicated"): Decimal("0.3")}


def test_of_two_meters_the_newer_and_then_the_dearer_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    newer = ITEM | {"retailPrice": 0.2, "effectiveStartDate": "2026-02-01T00:00:00Z"}
    assert prices_of(monkeypatch, ITEM, newer) == prices_of(monkeypatch, newer, ITEM)
    assert prices_of(monkeypatch, ITEM, newer) == {("STANDARD_DS3_V2", "dedicated"): Decimal("0.2")}
    assert prices_of(monkeypatch, newer, newer | {"retailPrice": 0.21}).popitem()[1] == Decimal("0.21")


@pytest.mark.parametrize("link", ["https://evil.example/x", "https://prices.azure.com/1", "file:///etc/passwd"])
def test_a_page_that_leads_elsewhere_or_round_is_not_followed(monkeypatch: pytest.MonkeyPatch, link: str) -> None:
    answers(monkeypatch, *[{"Items": [], "NextPageLink": link}] * 2)
    with pytest.raises(PricesUnavailableError, match="next page that is none"):
        read_region("eastus2", date.today())


@pytest.mark.parametrize("body", [{}, [], {"Items": None}, {"Items": [{"armSkuName": "x"}]}, {"Items": [7]}])
def test_an_answer_of_another_form_is_an_error(monkeypatch: pytest.MonkeyPatch, body: Any) -> None:
    answers(monkeypatch, body)
    with pytest.raises(PricesUnavailableError):
        read_region("eastus2", date.today())


def test_the_shipped_table_knows_all_sizes_but_the_long_retired() -> None:
    prices = read_prices()
    known = {size for region in prices.regions.values() for size, _ in region.hourly}
    assert known <= set(vm_sizes.known())
    for name in vm_sizes.known().keys() - known:
        retired = vm_sizes.known()[name].retired
        assert retired and retired < datetime.now(UTC).date()


def test_no_shipped_price_is_that_of_windows() -> None:
    """In a series of AMD sizes an hour's price grows with the vCPUs; Windows would add about half to one of them."""
    by_series: dict[tuple[str, str], list[float]] = defaultdict(list)
    for name, region in read_prices().regions.items():
        for (size, _), price in region.hourly.items():
            if re.fullmatch(r"STANDARD_D\d+(AD|A)S_V\d", size):
                by_series[name, re.sub(r"\d+", "", size, count=1)].append(float(price) / vm_sizes.known()[size].vcpus)
    assert len(by_series) > 100
    assert all(max(prices) < min(prices) * 1.1 for prices in by_series.values())


amounts = st.decimals(min_value="0.0001", max_value="999", places=4)
regions = st.dictionaries(
    st.sampled_from(["eastus", "eastus2", "westeurope"]),
    st.builds(
        RegionPrices,
        st.dates(date(2020, 1, 1)),
        st.dictionaries(
            st.tuples(st.sampled_from(sorted(vm_sizes.known())), st.sampled_from(["dedicated", "lowPriority"])), amounts
        ),
    ),
    min_size=1,
)


@settings(max_examples=40)
@given(found=regions)
def test_a_written_table_is_read_as_it_was(tmp_path_factory: pytest.TempPathFactory, found: Any) -> None:
    table = tmp_path_factory.mktemp("table") / "prices.csv"
    prices = Prices(found, "# a head\n")
    write_prices(prices, table)
    assert read_prices(table) == prices


def test_a_table_that_cannot_be_written_stays(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="cannot write"):
        write_prices(read_prices(), tmp_path)
