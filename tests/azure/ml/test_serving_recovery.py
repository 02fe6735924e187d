"""A sandbox that ends while deployments serve: nothing serves without it, and the next one serves the same again."""

import os
import signal
from pathlib import Path

import pytest

from tests.azure.client import Client
from tests.azure.ml import harness, serving
from tests.azure.ml.serving import ECHO, Endpoint, outcome
from tests.azure.ml.waiting import until
from tests.conftest import Sandbox


@pytest.fixture
def served(sandbox: Sandbox) -> Endpoint:
    """An endpoint with a deployment that has all the traffic."""
    team = harness.team(Client(sandbox))
    made = serving.endpoint(team)
    assert made.served("blue", ECHO, environmentId=serving.environment(team))["status"] == "Succeeded"
    made.traffic(blue=100)
    return made


def again(made: Endpoint) -> Endpoint:
    """The same endpoint, in a sandbox that was started anew."""
    made.team.azure.sandbox.start()
    return Endpoint(made.team.by(Client(made.team.azure.sandbox)), made.name)


def group_of(pid: int) -> list[int]:
    """The processes of a worker's group: the server's and all workers'."""
    own = os.getpgid(pid)
    found = [int(path.name) for path in Path("/proc").glob("[0-9]*")]
    return [one for one in found if _group(one) == own]


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0


def ended(group: list[int]) -> bool:
    return not any(Path(f"/proc/{pid}").exists() for pid in group)


def test_no_server_outlives_its_sandbox_and_the_next_one_starts_it(served: Endpoint) -> None:
    """After a kill, after a stop, and where the server itself dies."""
    sandbox = served.team.azure.sandbox
    key, group = served.key(), group_of(served.score({}).json()["pid"])
    assert len(group) > 1
    (socket,) = (sandbox.directory / "serving").glob("*/*/run/s")
    assert socket.parent.stat().st_mode & 0o777 == 0o700
    properties = served.get("/deployments/blue")["properties"]
    given = {name: properties[name] for name in ("codeConfiguration", "environmentId")}
    accepted = served.deploy("green", **given)
    assert accepted.status_code == 201
    os.kill(sandbox.pid, signal.SIGKILL)
    until(lambda: ended(group), "the end of the servers")

    served = again(served)
    answer = served.score({"a": 1}, secret=key)
    assert (answer.status_code, answer.json()["sent"]) == (200, {"a": 1})
    # what was acknowledged before the kill is carried out after it
    assert outcome(served.team, accepted)["status"] == "Succeeded"
    assert served.get("/deployments/green")["properties"]["provisioningState"] == "Succeeded"

    group = group_of(served.score({}).json()["pid"])
    os.killpg(os.getpgid(group[0]), signal.SIGKILL)
    until(lambda: ended(group), "the end of the server")
    group = group_of(served.score({}).json()["pid"])
    assert "it is started again" in served.logs("blue")

    sandbox.stop()
    assert ended(group)
    assert again(served).score({}).status_code == 200
