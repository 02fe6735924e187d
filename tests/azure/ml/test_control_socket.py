"""What the control socket tells of nodes, their processes, the queue and timers, beside what Azure's requests show."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from sandbox.ask import ask
from tests.azure.client import Client, unique, user_id
from tests.azure.clock import clock
from tests.azure.ml import harness
from tests.azure.ml.harness import Team, bare_environment, command_job
from tests.azure.ml.test_schedules import body, off, put
from tests.azure.ml.waiting import ended, until
from tests.conftest import Sandbox

STRANGER = user_id("admin1@site.com")


def told(sandbox: Sandbox, what: str, principal: str = "") -> list[dict[str, Any]]:
    """What the socket lists, for a principal."""
    found: list[dict[str, Any]] = ask(sandbox.directory, "GET", f"/{what}?principal={principal}")[
        what.rpartition("/")[2]
    ]
    return found


@pytest.fixture
def running(team: Team, shared_sandbox: Sandbox) -> Iterator[tuple[str, str]]:
    """A run on a cluster's only node, and one that waits for it."""
    cluster, names = unique("c"), (unique("job"), unique("job"))
    harness.put(team.azure, f"{team.id}/computes/{cluster}", harness.cluster(team.needs))
    job = command_job(team, "sleep 600", computeId=f"{team.id}/computes/{cluster}")
    for name in names:
        assert team.arm("PUT", f"/jobs/{name}", {"properties": job}).status_code == 201
    until(
        lambda: [one for one in told(shared_sandbox, "nodes") if one["run"] == names[0] and one["processes"]],
        "a process",
    )
    yield names
    for name in names:
        team.arm("POST", f"/jobs/{name}/cancel")
        assert ended(team, name) == "Canceled"


def test_nodes_have_their_processes_and_the_queue_its_runs(
    shared_sandbox: Sandbox, team: Team, running: tuple[str, str]
) -> None:
    first, second = running
    node = next(one for one in told(shared_sandbox, "nodes") if one["run"] == first)
    assert node["state"] in ("preparing", "running")
    assert node["processes"][0]["processes"] >= 1
    assert node["processes"][0]["residentBytes"] > 0
    states = {one["run"]: one["state"] for one in ask(shared_sandbox.directory, "GET", "/queue")["runs"]}
    assert (states[first], states[second]) == ("running", "waiting")
    assert not told(shared_sandbox, "nodes", STRANGER)
    assert not ask(shared_sandbox.directory, "GET", f"/queue?principal={STRANGER}")["runs"]
    assert told(shared_sandbox, "nodes", harness.SCIENTIST)


def test_timers_that_are_due_are_told_in_their_order(moving: Sandbox) -> None:
    team = harness.team(Client(moving))
    bare_environment(team)
    now = datetime.fromisoformat(clock(moving)["now"])
    names = {unique("later"): 5, unique("sooner"): 2}
    for name, hours in names.items():
        start = f"{now + timedelta(hours=hours):%Y-%m-%dT%H:%M:%S}"
        trigger = {
            "triggerType": "Recurrence",
            "frequency": "Week",
            "interval": 1,
            "startTime": start,
            "timeZone": "UTC",
        }
        put(team, name, body(trigger, command_job(team)))
    own = [one for one in told(moving, "clock/timers") if one["key"].startswith(team.id.lower())]
    assert ["sooner" in one["key"] for one in own] == [True, False]
    assert datetime.fromisoformat(own[0]["due"]) - now < timedelta(hours=2, minutes=1)
    assert told(moving, "clock/timers", harness.SCIENTIST)
    assert not [one for one in told(moving, "clock/timers", STRANGER) if one["key"].startswith(team.id.lower())]
    for name in names:
        off(team, name)
