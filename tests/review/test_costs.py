"""The cost difference of a change."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

from operations.costs.planned import planned
from review.costs.compare import compare
from review.model import Resource, Side
from settings import parse_department
from tests.program.harness import stack_file


def side(settings: Any) -> Side:
    """What a department's program would register, as far as it is paid for."""
    department = parse_department(settings, "Pulumi.test.yaml")
    resources = (
        Resource(f"urn::{one.type}::{one.name}", one.type, one.name, one.inputs, {}, one.team)
        for one in planned(department)
    )
    return Side(tuple(resources), department.region)


def edited(stack: str, **team: Any) -> Any:
    settings = json.loads(json.dumps(stack_file(stack)))
    settings["teams"][0].update(team)
    return settings


def test_a_larger_cluster_costs_more_at_worst_and_nothing_while_idle() -> None:
    clusters = [
        {"name": "train-cpu", "vmSize": "STANDARD_DS3_V2", "maxNodes": 6},
        stack_file("prod")["teams"][0]["clusters"][1],
    ]
    found = compare(side(stack_file("prod")), side(edited("prod", clusters=clusters)))
    assert found.difference.floor == 0
    assert found.difference.worst == 2 * 730 * Decimal("0.229")
    assert found.difference.likely == 2 * 160 * Decimal("0.229")
    [resource] = found.resources
    assert (resource.name, resource.team) == ("bluegranit-train-cpu", "bluegranit")
    assert {team.team: team.difference.worst for team in found.teams} == {
        "bluegranit": found.difference.worst,
        "forecast": 0,
    }
    hours = {"bluegranit-train-cpu": 10}
    fewer = compare(side(stack_file("prod")), side(edited("prod", clusters=clusters)), hours_after=hours)
    assert fewer.difference.likely == (6 * 10 - 4 * 160) * Decimal("0.229")


def test_a_new_and_a_deleted_team_are_told_with_all_that_they_cost() -> None:
    prod, alone = side(stack_file("prod")), {**stack_file("prod")}
    alone["teams"] = alone["teams"][:1]
    less = compare(prod, side(alone))
    assert less.difference.floor < 0 and {one.team for one in less.resources} == {"forecast"}
    assert all(not one.after for one in less.resources)
    assert compare(side(alone), prod).difference.floor == -less.difference.floor
    assert compare(Side(), prod).before.worst == 0


def test_a_price_that_is_not_known_is_listed() -> None:
    found = compare(side(stack_file("prod")), side(stack_file("dev")))
    assert [charge.name for charge in found.unpriced_after] == ["bluegranit-nv6-gpucluster"]
    assert found.unpriced_before == ()
    assert any("160 hours" in note for note in found.notes)
    assert all(charge.price_of for charge in found.approximate)


def test_what_is_not_known_before_a_deployment_breaks_nothing() -> None:
    prod = side(stack_file("prod"))
    unknown = tuple(replace(one, inputs=dict.fromkeys(one.inputs)) for one in prod.resources)
    assert compare(prod, Side(unknown, "eastus2")).after.floor > 0
