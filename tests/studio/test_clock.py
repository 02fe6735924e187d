"""The pages of the clock and of schedules, in a sandbox of their own, whose clock is moved."""

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from components.identity.roles import DATA_SCIENTIST
from tests.azure.client import Client, unique, user_id
from tests.azure.clock import now
from tests.azure.ml import harness
from tests.azure.ml.harness import Team, command_job
from tests.azure.ml.test_schedules import body, put
from tests.azure.ml.waiting import until
from tests.conftest import Sandbox, started
from tests.studio.pages import Person
from tests.studio.visitor import Visitor
from tools.browser import Browser


@pytest.fixture(scope="module")
def moving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with started(tmp_path_factory.mktemp("clock") / ".sandbox") as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def team(moving: Sandbox) -> Team:
    return harness.team(Client(moving))


@pytest.fixture(scope="module")
def visit(moving: Sandbox) -> Visitor:
    return Visitor.of(moving)


@pytest.fixture
def schedule(moving: Sandbox, team: Team) -> str:
    """A schedule that submits a job each day at noon."""
    name = unique("noon")
    trigger = {
        "triggerType": "Recurrence",
        "frequency": "Day",
        "interval": 1,
        "startTime": "2024-01-01T00:00:00",
        "schedule": {"hours": [12], "minutes": [0]},
        "timeZone": "UTC",
    }
    put(team, name, body(trigger, command_job(team, displayName="<b>noon</b>")))
    return name


def test_the_clock_is_advanced_and_a_schedule_fires(
    browser: Browser, moving: Sandbox, team: Team, schedule: str
) -> None:
    person = Person(browser, moving, "scientist")
    person.go(f"/schedules?wsid={team.id}")
    assert "every day at 12:00" in person.text()
    assert "12:00:00" in person.text()
    person.press("main .actions a.button")
    assert schedule in person.text()
    before = now(moving)
    person.fill("input[name=by]", "1d")
    person.press("form.row label + button")
    person.wait_for_text("Carried out: schedule, 1.")
    assert now(moving) - before >= timedelta(days=1)
    person.press("td[data-label=Of] a")
    person.wait_for_text("<b>noon</b>")
    person.press("main .actions button")  # disables it
    person.wait_for_text("Disabled")
    person.go("/clock")
    assert schedule not in person.text()


def test_the_clock_goes_to_what_is_due_next(visit: Visitor, schedule: str, team: Team) -> None:
    due = visit.json("/clock")["timers"][0]
    assert due["key"] == f"{team.id}/schedules/{schedule}".lower()
    answer = visit.post("/clock?format=json", "by=next")
    assert answer.json()["done"] == {"schedule": 1}
    assert datetime.fromisoformat(answer.json()["now"]) - datetime.fromisoformat(due["due"]) < timedelta(minutes=1)
    jobs = until(lambda: visit.json(f"/schedules/{schedule}?wsid={team.id}")["jobs"], "the schedule's job")
    assert jobs[0]["name"].startswith(schedule)
    assert visit.post(f"/schedules/{schedule}/enabled?wsid={team.id}", "enabled=false").status == 303


def test_a_run_lasts_as_long_as_the_sandbox_s_clock_says(visit: Visitor, moving: Sandbox, team: Team) -> None:
    def mlflow(path: str, **body: str | int) -> Any:
        return team.plane("POST", "mlflow/v1.0", f"/api/2.0/mlflow{path}", body).json()

    experiment = mlflow("/experiments/create", name=unique("long"))["experiment_id"]
    begun = int(now(moving).timestamp() * 1000)
    run = mlflow("/runs/create", experiment_id=experiment, start_time=begun)["run"]["info"]["run_id"]
    assert visit.post("/clock", "by=1h").status == 200
    (listed,) = visit.json(f"/jobs?wsid={team.id}&experiment={experiment}")["runs"]
    assert 3600 <= listed["seconds"] < 3700
    assert 3600 <= visit.json(f"/runs/{run}?wsid={team.id}")["run"]["seconds"] < 3700


@pytest.mark.parametrize("by", ["", "soon", "-1d", "0s", "999999d", "1d;2d", "%00", "1e9"])
def test_times_that_are_refused(visit: Visitor, moving: Sandbox, by: str) -> None:
    before = now(moving)
    answer = visit.post("/clock", f"by={by}")
    assert answer.status == 400
    assert 'role="alert"' in answer.data.decode()
    assert now(moving) - before < timedelta(minutes=1)


def test_another_team_s_schedules_and_times_stay_unseen(moving: Sandbox, schedule: str, team: Team) -> None:
    lead = Visitor.of(moving, "lead")
    assert lead.get(f"/schedules?wsid={team.id}").status == 404
    assert lead.json("/clock")["timers"] == []


def test_who_may_read_a_schedule_sees_its_next_time(moving: Sandbox, schedule: str, team: Team) -> None:
    """A team's own role: it has no right to the activity log."""
    group = team.id.partition("/providers/")[0]
    role = str(uuid.uuid4())
    definition = {
        "roleName": unique("role"),
        "permissions": [{"actions": list(DATA_SCIENTIST.actions), "notActions": list(DATA_SCIENTIST.not_actions)}],
        "assignableScopes": [group],
    }
    path = f"{group}/providers/Microsoft.Authorization/roleDefinitions/{role}"
    made = team.azure.arm("PUT", path, {"properties": definition}, api="2022-04-01")
    assert made.status_code == 201, made.text
    with harness.granted(team.azure, group, user_id("admin1@site.com"), role):
        lead = Visitor.of(moving, "lead")
        timer = next(one for one in lead.json("/clock")["timers"] if one["key"].endswith(f"/{schedule}"))
        assert lead.json(f"/schedules/{schedule}?wsid={team.id}")["schedule"]["next"] == timer["due"]


@pytest.mark.parametrize("name", ["nowhere", "..%2f..%2fx", "a%00b", "x%3Fapi-version=1"])
def test_names_that_lead_nowhere(visit: Visitor, team: Team, name: str) -> None:
    assert visit.get(f"/schedules/{name}?wsid={team.id}").status in (400, 404)
