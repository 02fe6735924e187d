"""Schedules, by the unmodified client and by plain requests, in a sandbox whose clock is moved forward."""

import json
import os
import signal
import subprocess
import sys
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.azure.client import READER, Client, unique, user_id
from tests.azure.clock import clock
from tests.azure.ml import harness
from tests.azure.ml.harness import Team, bare_environment, command_job
from tests.azure.ml.waiting import ended, log_text, until
from tests.conftest import ROOT, Sandbox

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

API = "2023-06-01-preview"


@pytest.fixture(scope="module")
def team(moving: Sandbox) -> Team:
    made = harness.team(Client(moving))
    bare_environment(made)  # by its name in one test
    return made


@pytest.fixture
def ml(team: Team, moving: Sandbox, monkeypatch: pytest.MonkeyPatch) -> "MLClient":
    moving.sign_in(monkeypatch, "scientist")
    return harness.ml_client(team)


def body(trigger: dict[str, Any], job: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"properties": {"trigger": trigger, "action": {"actionType": "CreateJob", "jobDefinition": job}, **more}}


def put(team: Team, name: str, sent: dict[str, Any]) -> dict[str, Any]:
    """Puts a schedule and waits; gives it as it is shown then."""
    made = team.arm("PUT", f"/schedules/{name}", sent, api=API)
    assert made.status_code == 201, made.text
    assert harness.outcome(team.azure, made)["status"] == "Succeeded"
    found: dict[str, Any] = team.arm("GET", f"/schedules/{name}", api=API).json()
    return found


def jobs_of(team: Team, name: str) -> list[dict[str, Any]]:
    """The jobs that a schedule has submitted, the first at first."""
    found = team.arm("GET", "/jobs", scheduled="true", scheduleId=name).json()["value"]
    return sorted(found, key=lambda job: job["systemData"]["createdAt"])


def off(team: Team, name: str) -> None:
    """Disables a schedule, so that later tests do not see its jobs."""
    shown = team.arm("GET", f"/schedules/{name}", api=API).json()["properties"]
    put(team, name, {"properties": {**shown, "isEnabled": False}})


def test_a_schedule_submits_its_job_at_each_time_in_order_and_once(team: Team, moving: Sandbox) -> None:
    name = unique("daily")
    shown = put(
        team,
        name,
        body(
            {"triggerType": "Cron", "expression": "0 6 * * *", "startTime": "2026-01-01T00:00:00"},
            command_job(team, "echo at work"),
        ),
    )
    before = datetime.fromisoformat(clock(moving)["now"])
    told = clock(moving, "advance", "5d")
    assert told["done"]["schedule"] == 5
    again = clock(moving, "advance", "1s")
    assert again["done"].get("schedule", 0) == 0
    off(team, name)
    jobs = jobs_of(team, name)
    first = before.replace(hour=6, minute=0, second=0, microsecond=0)
    first += timedelta(days=1) if first <= before else timedelta()
    expected = [first + timedelta(days=day) for day in range(5)]
    assert [job["properties"]["displayName"] for job in jobs] == [f"{name}-{one:%Y%m%dT060000Z}" for one in expected]
    assert [datetime.fromisoformat(job["systemData"]["createdAt"]) for job in jobs] == expected
    assert {job["properties"]["properties"]["azureml.genericTriggerName"] for job in jobs} == {name}
    assert all(job["name"].startswith(f"{name}-") for job in jobs)
    assert shown["properties"]["provisioningState"] == "Succeeded"
    assert ended(team, jobs[-1]["name"]) == "Completed"
    assert "at work" in log_text(team, jobs[-1]["name"])


def test_a_schedule_without_a_start_begins_at_the_next_minute(team: Team, moving: Sandbox) -> None:
    name = unique("atonce")
    now = datetime.fromisoformat(clock(moving)["now"])
    trigger = {"triggerType": "Cron", "expression": "0 0 * * 0", "timeZone": "Tokyo Standard Time"}
    shown = put(team, name, body(trigger, command_job(team)))
    start = datetime.fromisoformat(shown["properties"]["trigger"]["startTime"])
    assert 0 <= (start - timedelta(hours=9) - now.replace(tzinfo=None)).total_seconds() <= 90
    clock(moving, "advance", "2m")
    assert [job["properties"]["displayName"] for job in jobs_of(team, name)] == [
        f"{name}-{start - timedelta(hours=9):%Y%m%dT%H%M%SZ}"
    ]
    off(team, name)


def test_a_schedule_ends_and_one_that_is_off_submits_nothing(team: Team, moving: Sandbox) -> None:
    ending, silent = unique("ending"), unique("silent")
    now = datetime.fromisoformat(clock(moving)["now"])
    trigger = {"triggerType": "Recurrence", "frequency": "Hour", "interval": 1, "startTime": f"{now:%Y-%m-%dT%H:%M:%S}"}
    end = now + timedelta(hours=3, minutes=30)
    put(team, ending, body({**trigger, "endTime": f"{end:%Y-%m-%dT%H:%M:%S}"}, command_job(team)))
    put(team, silent, body(trigger, command_job(team), isEnabled=False))
    clock(moving, "advance", "1d")
    assert (len(jobs_of(team, ending)), len(jobs_of(team, silent))) == (3, 0)
    enabled, disabled, every = (
        {one["name"] for one in team.arm("GET", "/schedules", api=API, **view).json()["value"]} & {ending, silent}
        for view in ({}, {"listViewType": "DisabledOnly"}, {"listViewType": "All"})
    )
    assert (enabled, disabled, every) == ({ending}, {silent}, {ending, silent})
    off(team, ending)


def test_a_sandbox_killed_while_the_clock_moves_repeats_nothing_and_leaves_nothing_out(sandbox: Sandbox) -> None:
    team = harness.team(Client(sandbox))
    trigger = {"triggerType": "Recurrence", "frequency": "Hour", "interval": 1, "startTime": "2026-01-01T00:00:00"}
    put(team, "hourly", body(trigger, command_job(team, "sleep 600")))
    words = [sys.executable, "-m", "sandbox", "clock", "advance", "20d"]
    environment = {**os.environ, "SANDBOX_DIR": str(sandbox.directory)}
    moving = subprocess.Popen(words, env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    until(lambda: len(jobs_of(team, "hourly")) > 20, "the first jobs")
    os.kill(sandbox.pid, signal.SIGKILL)
    moving.communicate()
    sandbox.start()
    team = team.by(Client(sandbox))
    clock(sandbox, "advance", "1s")
    assert clock(sandbox)["aheadSeconds"] == 20 * 24 * 3600 + 1
    names = [job["properties"]["displayName"] for job in jobs_of(team, "hourly")]
    first = datetime.strptime(names[0], "hourly-%Y%m%dT%H%M%SZ")
    assert names == [f"hourly-{first + timedelta(hours=hour):%Y%m%dT%H%M%SZ}" for hour in range(len(names))]
    assert len(names) >= 20 * 24


def test_the_client_makes_enables_triggers_and_deletes_a_schedule(ml: "MLClient", team: Team, moving: Sandbox) -> None:
    from azure.ai.ml import Input, command, dsl  # noqa: PLC0415 # slow to import
    from azure.ai.ml.entities import JobSchedule, RecurrencePattern, RecurrenceTrigger  # noqa: PLC0415

    say = command(
        command="echo ${{inputs.text}}",
        inputs={"text": Input(type="string")},
        environment=ml.environments.get("none", "1"),
        compute="cpu",
    )

    @dsl.pipeline(default_compute="cpu")  # type: ignore[call-overload, untyped-decorator]
    def told(text: str, when: str) -> None:
        say(text=text)
        say(text=when)

    name = unique("client")
    schedule = JobSchedule(
        name=name,
        trigger=RecurrenceTrigger(
            frequency="week",
            interval=1,
            schedule=RecurrencePattern(hours=10, minutes=[0, 30], week_days=["monday", "thursday"]),
            start_time="2022-05-10T10:15:00",
            time_zone="W. Europe Standard Time",
        ),
        create_job=told(text="by ${{name}}", when="at ${{creation_context.trigger_time}}"),
        display_name="twice a week",
    )
    made = ml.schedules.begin_create_or_update(schedule).result()
    assert (made.is_enabled, made.provisioning_state, made.trigger.frequency) == (True, "Succeeded", "week")
    assert made.trigger.schedule.week_days == ["Monday", "Thursday"]
    assert name in [one.name for one in ml.schedules.list()]

    result = ml.schedules.trigger(name, schedule_time="2024-02-19T00:00:00")
    job = ml.jobs.get(result.job_name)
    assert job.display_name == f"{name}-20240219T000000Z"
    assert ended(team, job.name) == "Completed"
    told_properties = ml.jobs.get(job.name).properties
    assert told_properties["runSource"] == "Schedule"
    assert json.loads(told_properties["azureml.parameters"]) == {
        "text": f"by {job.name}",
        "when": "at 2024-02-19T00:00:00Z",
    }

    assert clock(moving, "advance", "7d")["done"]["schedule"] == 4
    assert len(list(ml.jobs.list(scheduled_job_name=name))) == 5
    assert ml.schedules.begin_disable(name).result().is_enabled is False
    assert clock(moving, "advance", "7d")["done"].get("schedule", 0) == 0
    assert ml.schedules.begin_enable(name).result().is_enabled is True
    with pytest.raises(Exception, match="Cannot delete an active trigger"):
        ml.schedules.begin_delete(name).result()
    ml.schedules.begin_disable(name).result()
    ml.schedules.begin_delete(name).result()
    with pytest.raises(Exception, match=f"Resource Trigger {name} not found"):
        ml.schedules.get(name)


def test_a_schedule_of_an_existing_job_takes_what_it_says_over_it(team: Team, moving: Sandbox) -> None:
    from tests.azure.ml.pipelines import arm_component  # noqa: PLC0415 # imports the client

    declared = {"inputs": {"x": {"type": "string"}}}
    component = arm_component(team, "echo ${{inputs.x}}", **declared)
    node = {
        "type": "command",
        "componentId": component,
        "inputs": {"x": {"job_input_type": "literal", "value": "${{parent.inputs.x}}"}},
    }
    pipeline = {
        "jobType": "Pipeline",
        "inputs": {
            "x": {"jobInputType": "literal", "value": "once"},
            "y": {"jobInputType": "literal", "value": "kept"},
        },
        "jobs": {"a": node},
        "settings": {"default_compute": f"{team.id}/computes/cpu"},
    }
    source = unique("source")
    assert team.arm("PUT", f"/jobs/{source}", {"properties": pipeline}).status_code == 201
    name = unique("again")
    definition = {
        "jobType": "Pipeline",
        "sourceJobId": f"{team.id}/jobs/{source}",
        "inputs": {"x": {"jobInputType": "literal", "value": "later"}},
    }
    shown = put(team, name, body({"triggerType": "Cron", "expression": "0 0 1 1 *"}, definition, isEnabled=False))
    assert shown["properties"]["action"]["jobDefinition"]["sourceJobId"] == definition["sourceJobId"]
    sent = team.arm(
        "POST", f"/schedules/{name}/trigger", {"scheduleTime": "2024-02-19T00:00:00"}, api="2024-01-01-preview"
    )
    assert (sent.status_code, sent.json()["scheduleActionType"]) == (200, "CreateJob")
    job = sent.json()["submissionId"]
    assert ended(team, job) == "Completed"
    properties = team.arm("GET", f"/jobs/{job}").json()["properties"]["properties"]
    assert json.loads(properties["azureml.parameters"]) == {"x": "later", "y": "kept"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"trigger": {"triggerType": "Sometimes"}}, "Cron and Recurrence"),
        ({"trigger": {"triggerType": "Cron", "expression": "* * *"}}, "five fields"),
        ({"action": {"actionType": "CreateMonitor", "monitorDefinition": {}}}, "CreateJob"),
        ({"action": {"actionType": "CreateJob", "jobDefinition": {"jobType": "Spark"}}}, "Spark"),
    ],
)
def test_what_is_refused(team: Team, change: dict[str, Any], message: str) -> None:
    sent = body({"triggerType": "Cron", "expression": "0 0 * * *"}, command_job(team))
    answer = team.arm("PUT", f"/schedules/{unique('no')}", {"properties": {**sent["properties"], **change}}, api=API)
    assert answer.status_code == 400
    assert message in answer.json()["error"]["message"]


def test_rights(team: Team, moving: Sandbox) -> None:
    """Who may read, and who may write: each operation needs its action of the documented list."""
    name = unique("rights")
    sent = body({"triggerType": "Cron", "expression": "0 0 * * *"}, command_job(team), isEnabled=False)
    put(team, name, sent)
    reader = team.by(Client(moving, "lead"))
    calls: list[tuple[str, str, Any, str]] = [
        ("GET", "/schedules", None, "read"),
        ("GET", f"/schedules/{name}", None, "read"),
        ("PUT", f"/schedules/{name}", sent, "write"),
        ("POST", f"/schedules/{name}/trigger", {}, "write"),
        ("DELETE", f"/schedules/{name}", None, "delete"),
    ]
    for method, path, sends, right in calls:
        refused = reader.arm(method, path, sends, api=API)
        assert (refused.status_code, f"schedules/{right}" in refused.text) == (403, True), refused.text
    with harness.granted(team.azure, team.id, user_id("admin1@site.com"), READER):
        may = [reader.arm(method, path, sends, api=API).ok for method, path, sends, _ in calls]
    assert may == [True, True, False, False, False]
