"""What goes by the sandbox's clock, in a sandbox of its own."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from tests.azure.client import ARM, Client, error, unique
from tests.azure.clock import clock, now
from tests.azure.ml import harness
from tests.azure.ml.harness import Team, put
from tests.azure.ml.waiting import ended, until
from tests.conftest import Sandbox


@pytest.fixture(scope="module")
def azure(moving: Sandbox) -> Client:
    return Client(moving)


@pytest.fixture(scope="module")
def team(azure: Client) -> Team:
    return harness.team(azure)


def test_the_clock_moves_forward_and_stays_so_until_a_reset(sandbox: Sandbox) -> None:
    before = datetime.now(UTC)
    clock(sandbox, "advance", "31d")
    clock(sandbox, "advance", "1d12h30m")
    ahead = timedelta(days=32, hours=12, minutes=30)
    sandbox.stop()
    sandbox.start()
    assert ahead <= now(sandbox) - before <= ahead + timedelta(minutes=5)
    assert sandbox.command("reset").returncode == 0
    assert clock(sandbox)["aheadSeconds"] == 0


@pytest.mark.parametrize(("time", "code"), [("soon", 2), ("", 2), ("-1d", 2), ("0d", 1), ("99999d", 1)])
def test_times_that_are_refused(moving: Sandbox, time: str, code: int) -> None:
    done = moving.command("clock", "advance", "--", time)
    assert (done.returncode, "Traceback" in done.stderr, bool(done.stderr)) == (code, False, True)


def test_only_the_owner_of_the_folder_can_move_the_clock(moving: Sandbox, azure: Client) -> None:
    assert (moving.directory / "control.sock").stat().st_mode & 0o777 == 0o600
    port = json.loads((moving.directory / "sandbox.json").read_text())["port"]
    assert azure.session.post(f"http://127.0.0.1:{port}/clock/advance", json={"seconds": 1}).status_code == 404
    assert azure.session.get(f"http://127.0.0.1:{port}/clock").status_code == 404


def test_tokens_go_by_the_machines_time(moving: Sandbox, azure: Client) -> None:
    clock(moving, "advance", "1d")
    token = azure.sign_in().json()["access_token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["iat"] - 300 <= datetime.now(UTC).timestamp() <= claims["exp"]
    old = Client(moving)
    old.token(ARM)
    clock(moving, "advance", "30d")
    assert old.arm("GET", "resourceGroups").status_code == 200


def test_a_vault_is_kept_for_its_retention(moving: Sandbox, azure: Client) -> None:
    vault = f"{azure.group()}/providers/Microsoft.KeyVault/vaults/{unique('kv')}"
    body = {
        "location": harness.REGION,
        "properties": {
            "tenantId": azure.tenant,
            "sku": {"family": "A", "name": "standard"},
            "enableRbacAuthorization": True,
            "softDeleteRetentionInDays": 7,
        },
    }
    put(azure, vault, body)
    assert azure.arm("DELETE", vault, api="2024-11-01").status_code == 200
    clock(moving, "advance", "6d")
    assert error(azure.arm("PUT", vault, body, api="2024-11-01")) == (409, "ConflictError")
    clock(moving, "advance", "1d")
    assert azure.arm("PUT", vault, body, api="2024-11-01").status_code == 200


def test_a_workspaces_name_is_free_after_its_retention(moving: Sandbox, team: Team) -> None:
    azure, path = team.azure, team.needs.workspace_id(unique("ws"))
    put(azure, path, team.needs.body())
    assert azure.arm("DELETE", path, api=harness.ML_API).status_code == 202
    clock(moving, "advance", "13d")
    refused = azure.arm("PUT", path, team.needs.body(), api=harness.ML_API)
    assert "Soft-deleted workspace exists" in refused.text
    clock(moving, "advance", "1d")
    assert azure.arm("PUT", path, team.needs.body(), api=harness.ML_API).status_code in (201, 202)


def test_a_secret_of_the_directory_expires(moving: Sandbox, azure: Client) -> None:
    application = azure.graph("POST", "/applications", {"displayName": unique("app")}).json()
    azure.graph("POST", "/servicePrincipals", {"appId": application["appId"]})
    end = now(moving) + timedelta(days=10)
    asked = {"passwordCredential": {"displayName": "short", "endDateTime": end.isoformat()}}
    secret = azure.graph("POST", f"/applications/{application['id']}/addPassword", asked).json()["secretText"]
    client = Client(moving, credentials={"client_id": application["appId"], "client_secret": secret})
    assert client.sign_in().status_code == 200
    clock(moving, "advance", "11d")
    refused = client.sign_in()
    assert (refused.status_code, "AADSTS7000222" in refused.text) == (401, True), refused.text


def test_a_budget_begins_in_the_current_month(moving: Sandbox, azure: Client) -> None:
    past = now(moving).replace(day=1)
    clock(moving, "advance", "62d")
    body = {
        "properties": {
            "category": "Cost",
            "amount": 10,
            "timeGrain": "Monthly",
            "timePeriod": {"startDate": f"{past:%Y-%m-%d}T00:00:00Z"},
            "notifications": {},
        }
    }
    path = f"/subscriptions/{moving.subscription}/providers/Microsoft.Consumption/budgets/{unique('b')}"
    assert azure.arm("PUT", path, body, api="2023-11-01").status_code == 400
    body["properties"]["timePeriod"] = {"startDate": f"{now(moving):%Y-%m}-01T00:00:00Z"}
    assert azure.arm("PUT", path, body, api="2023-11-01").status_code in (200, 201)


def test_idle_nodes_go(moving: Sandbox, team: Team) -> None:
    put(team.azure, f"{team.id}/computes/slow", harness.cluster(team.needs, idle="PT1H"))
    name = unique("job")
    job = harness.command_job(team, computeId=f"{team.id}/computes/slow")
    assert team.arm("PUT", f"/jobs/{name}", {"properties": job}).status_code == 201
    assert ended(team, name) == "Completed"

    def nodes() -> list[Any]:
        found: list[Any] = team.arm("POST", "/computes/slow/listNodes").json()["nodes"]
        return found

    until(lambda: [one["nodeState"] for one in nodes()] == ["idle"], "an idle node")
    clock(moving, "advance", "50m")
    assert len(nodes()) == 1
    clock(moving, "advance", "20m")
    until(lambda: not nodes(), "a cluster without nodes")


def instance(team: Team, name: str, **properties: Any) -> None:
    inner = {"vmSize": "STANDARD_DS3_V2", **properties}
    body = {"location": harness.REGION, "properties": {"computeType": "ComputeInstance", "properties": inner}}
    put(team.azure, f"{team.id}/computes/{name}", body)


def state(team: Team, name: str) -> tuple[str, str]:
    """An instance's state and what brought it there."""
    inner = team.arm("GET", f"/computes/{name}").json()["properties"]["properties"]
    return inner["state"], inner["lastOperation"]["operationTrigger"]


def test_an_idle_instance_is_stopped(moving: Sandbox, team: Team) -> None:
    name = unique("ci")[:20]
    instance(team, name, idleTimeBeforeShutdown="PT30M")
    clock(moving, "advance", "20m")
    assert state(team, name)[0] == "Running"
    clock(moving, "advance", "11m")
    assert state(team, name) == ("Stopped", "IdleShutdown")
    assert team.arm("POST", f"/computes/{name}/start").status_code == 202
    clock(moving, "advance", "31m")
    assert state(team, name) == ("Stopped", "IdleShutdown")


def test_an_instance_starts_and_stops_by_its_schedules(moving: Sandbox, team: Team) -> None:
    name = unique("ci")[:20]
    times = [
        {"action": "Stop", "triggerType": "Cron", "cron": {"expression": "0 18 * * *", "timeZone": "UTC"}},
        {
            "action": "Start",
            "triggerType": "Recurrence",
            "recurrence": {"frequency": "Day", "interval": 1, "schedule": {"hours": [8], "minutes": [0]}},
        },
    ]
    to_noon = (timedelta(hours=36) - timedelta(hours=now(moving).hour, minutes=now(moving).minute)) // timedelta(
        minutes=1
    )
    clock(moving, "advance", f"{to_noon}m")
    instance(team, name, schedules={"computeStartStop": times})
    shown = team.arm("GET", f"/computes/{name}").json()["properties"]["properties"]["schedules"]["computeStartStop"]
    assert [(one["action"], one["status"]) for one in shown] == [("Stop", "Enabled"), ("Start", "Enabled")]
    clock(moving, "advance", "7h")
    assert state(team, name) == ("Stopped", "Schedule")
    clock(moving, "advance", "14h")
    assert state(team, name) == ("Running", "Schedule")
    clock(moving, "advance", "10d")
    assert state(team, name) == ("Running", "Schedule")
