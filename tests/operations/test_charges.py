"""What a department costs: against calculations by hand, and against what the program really registers.

The calculations take Microsoft's public conditions and the amounts of the sources that the tables name.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from catalogue.meters import METERS, read_service_prices
from catalogue.prices import TableError
from operations.costs.charges import ZERO, Charge
from operations.costs.planned import expected_hours
from operations.costs.report import Report, read_price_book, report
from operations.costs.resources import charges
from settings import Department, parse_department
from tests.conftest import ROOT
from tests.program.harness import run_program, stack_file

DAYS = 730 / 24
BASIC, STANDARD, PREMIUM = (5 / 30 * DAYS, 20 / 30 * DAYS, 50 / 30 * DAYS)  # a registry: 5, 20 and 50 for 30 days
ENDPOINT, ZONE = 7.30, 0.50  # a private endpoint's 730 hours; a private DNS zone
BALANCER = 0.33 * DAYS
FIREWALL, SMALL_FIREWALL = 912.50, 0.395 * 730
KEPT = {"LRS": 100 * 1064.96 / 51200, "ZRS": 100 * 1331.20 / 51200}  # 100 GB in a storage account
VAULT, VAULT_BUSY = 0.03, 0.30
LOGS, LOGS_BUSY = 2.30, 23.00  # 1 and 10 GB in the United States
LOGS_EUROPE, LOGS_EUROPE_BUSY = 2.99, 29.90
DISK = 19.71
DS3, D13, E8DS = 0.229, 0.598, 0.576  # an hour in eastus2 on 2026-06-18: karpenter-provider-azure


def department(name: str) -> Any:
    """A department by the place of its settings."""
    if name in ("dev", "prod"):
        return stack_file(name)
    content = json.loads(json.dumps(yaml.safe_load((ROOT / "tests" / name).read_text()), default=str))
    return content["config"]["azureml-platform:department"] if "config" in content else content


def reported(settings: Any) -> Report:
    return report(parsed(settings), read_price_book())


def parsed(settings: Any) -> Department:
    return parse_department(settings, "Pulumi.test.yaml")


PROFILE = {
    "code": "bgmr", "environment": "dev", "region": "eastus2", "regionAbbreviation": "e2",
    "subscriptionId": "8b41ca0c-0c5a-4c01-b49b-5bb8d329cc27", "admin": "user@domain.com",
}  # fmt: skip
MANAGED: dict[str, Any] = {
    **PROFILE,
    "teams": [
        {
            "name": "one",
            "network": {
                "mode": "managed",
                "outboundAccess": "approved",
                "outbound": [{"name": "packages", "host": "pypi.org"}],
            },
        }
    ],
}
WITHOUT_HOST = {
    **PROFILE,
    "teams": [
        {
            "name": "one",
            "network": {
                "mode": "managed",
                "outboundAccess": "approved",
                "outbound": [{"name": "logs", "serviceTag": "AzureMonitor"}],
            },
        }
    ],
}


@dataclass(frozen=True)
class Sum:
    floor: float
    likely: float
    worst: float


def by_hand() -> Mapping[str, tuple[Any, Sum]]:
    public = 3 * KEPT["LRS"] + BASIC
    dev = public + 3 * BALANCER
    prod = (3 * KEPT["ZRS"] + PREMIUM + 10 * ENDPOINT + 9 * ZONE) * 2 + 3 * BALANCER
    kept_logs = (90 - 31) / (365 / 12) * 0.1  # a GB's retention beyond the 31 days that are included
    managed = 2 * KEPT["LRS"] + PREMIUM + (5 + 1) * ENDPOINT  # what Azure ML makes by itself, and one to the data
    notes = 2 * KEPT["LRS"] + BASIC + DISK + BALANCER
    return {
        "dev: NV6 is retired and has no price": (
            stack_file("dev"),
            Sum(
                dev + VAULT + LOGS,
                dev + VAULT_BUSY + LOGS_BUSY + 160 * (DS3 + 2 * D13),
                dev + VAULT_BUSY + LOGS_BUSY + 730 * (DS3 + 2 * D13),
            ),
        ),
        "prod: private": (
            stack_file("prod"),
            Sum(
                prod + 2 * (VAULT + LOGS + kept_logs),
                prod + 2 * (VAULT_BUSY + LOGS_BUSY + 10 * kept_logs) + 160 * (4 * DS3 + 2 * D13 + 2 * E8DS),
                prod + 2 * (VAULT_BUSY + LOGS_BUSY + 10 * kept_logs) + 730 * (4 * DS3 + 2 * D13 + 2 * E8DS),
            ),
        ),
        "a managed network with a rule for a host": (
            MANAGED,
            Sum(
                managed + FIREWALL + VAULT + LOGS,
                managed + FIREWALL + VAULT_BUSY + LOGS_BUSY,
                managed + FIREWALL + VAULT_BUSY + LOGS_BUSY,
            ),
        ),
        "a managed network without one": (
            WITHOUT_HOST,
            Sum(managed + VAULT + LOGS, managed + VAULT_BUSY + LOGS_BUSY, managed + VAULT_BUSY + LOGS_BUSY),
        ),
        "an instance that is on for 40 hours": (
            {
                **PROFILE,
                "teams": [
                    {
                        "name": "one",
                        "instances": [
                            {
                                "name": "notes",
                                "user": "user1@site.com",
                                "vmSize": "STANDARD_DS3_V2",
                                "expectedHours": 40,
                            }
                        ],
                    }
                ],
            },
            Sum(
                notes + VAULT + LOGS,
                notes + VAULT_BUSY + LOGS_BUSY + 40 * DS3,
                notes + VAULT_BUSY + LOGS_BUSY + 730 * DS3,
            ),
        ),
    }


@pytest.mark.parametrize(("settings", "expected"), by_hand().values(), ids=by_hand())
def test_the_sums_are_those_of_a_calculation_by_hand(settings: Any, expected: Sum) -> None:
    found = reported(settings).total
    near = [pytest.approx(amount, abs=0.05) for amount in (expected.floor, expected.likely, expected.worst)]
    assert [float(found.floor), float(found.likely), float(found.worst)] == near


def test_the_basic_firewall_costs_less_and_needs_a_host_too() -> None:
    network = {**MANAGED["teams"][0]["network"], "basicFirewall": True}
    small = reported({**MANAGED, "teams": [{"name": "one", "network": network}]}).total.floor
    difference = float(reported(MANAGED).total.floor - small)
    assert difference == pytest.approx(FIREWALL - SMALL_FIREWALL)


def test_a_price_of_another_region_is_marked_and_one_that_is_not_known_is_no_zero() -> None:
    listed = reported({**MANAGED, "region": "westeurope"}).charges
    [logs] = [charge for charge in listed if charge.what == METERS["log-ingestion"].title]
    [firewall] = [charge for charge in listed if "Firewall" in charge.what]
    assert (logs.price, logs.price_of, logs.as_of) == (Decimal("2.99"), "", date(2024, 8, 30))
    assert (firewall.price, firewall.price_of) == (Decimal("1.25"), "eastus")
    with_key = {**PROFILE, "keyVault": {"purgeProtection": True}, "teams": [{"name": "one", "customerKey": {}}]}
    unpriced = reported(with_key).unpriced
    assert {charge.what for charge in unpriced} == {METERS["cosmos-db"].title, METERS["search"].title}
    assert all(charge.amount is None for charge in unpriced)


@pytest.mark.parametrize(
    "name",
    [
        "prod",
        "program/stacks/Pulumi.private.yaml",
        "proof/stacks/networks.yaml",
        "proof/stacks/wide.yaml",
        "proof/stacks/existing.yaml",
    ],
)
def test_the_report_charges_what_the_program_registers(name: str) -> None:
    @dataclass(frozen=True)
    class Resource:
        type: str
        name: str
        team: str | None
        inputs: Mapping[str, Any]

    def comparable(listed: tuple[Charge, ...]) -> Counter[tuple[Any, ...]]:
        return Counter((one.type, one.name, one.what, one.units, one.price, one.price_of) for one in listed)

    settings = department(name)
    known = parsed(settings)
    book, planned = read_price_book(), reported(settings)
    registered = [Resource(one.type, one.name, None, one.inputs) for one in run_program(settings).resources]
    real = charges(registered, known.region, book, expected_hours(known))
    assert comparable(real) == comparable(planned.charges)
    assert sum((amount.worst for amount in planned.teams.values()), ZERO) == pytest.approx(planned.total.worst)


def test_a_broken_table_of_services_names_its_file(tmp_path: Path) -> None:
    table = tmp_path / "services.csv"
    for text in ("meter,region,price,asOf,source\nunheard,eastus,1,2026-01-01,x\n", "meter\nx\n"):
        table.write_text(text)
        with pytest.raises(TableError, match=r"services\.csv"):
            read_service_prices(table)
