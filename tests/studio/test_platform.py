"""The page of the platform: a team's resources, their costs, who may do what, and computes."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from tests.azure.client import READER, Client, error, unique, user_id
from tests.azure.ml import harness
from tests.azure.ml.harness import SCIENTIST, Team, command_job
from tests.azure.ml.waiting import ended, until
from tests.conftest import Sandbox
from tests.studio.pages import Person
from tests.studio.visitor import Visitor
from tools.browser import Browser

SCRIPT = "<script>window.hurt=1</script>"


@pytest.fixture(scope="module")
def team(shared_sandbox: Sandbox) -> Team:
    made = harness.team(Client(shared_sandbox))
    tags = {"team": f"{SCRIPT}{made.group}", "department": '"><img src=x onerror=window.hurt=1>'}
    tagged = made.azure.arm("PUT", made.needs.group, {"location": harness.REGION, "tags": tags})
    assert tagged.status_code == 200, tagged.text
    return made


@pytest.fixture
def instance(team: Team) -> str:
    """A compute instance's id."""
    made = f"{team.id}/computes/{unique('ci')[:20]}"
    inner = {"computeType": "ComputeInstance", "properties": {"vmSize": "STANDARD_DS3_V2"}}
    harness.put(team.azure, made, {"location": harness.REGION, "properties": inner})
    return made


def shown(visit: Visitor, team: Team) -> dict[str, Any]:
    """What the page has of a team."""
    found: dict[str, Any] = visit.json(f"/platform?group={team.group}")["teams"][0]
    return found


def test_a_team_s_resources_know_what_they_use_and_cost(owner_visit: Visitor, team: Team) -> None:
    found = shown(owner_visit, team)
    by_id = {one["id"].lower(): one for one in found["resources"]}
    workspace = by_id[team.id.lower()]
    for used in (*team.needs.ids.values(), team.needs.lake["id"], team.needs.identity["id"]):
        assert used.lower() in workspace["uses"]
        assert used.lower() in by_id
    assert team.id.lower() in by_id[f"{team.id}/computes/cpu".lower()]["uses"]
    registry = by_id[team.needs.ids["containerRegistry"].lower()]
    assert registry["cost"]["monthly"] == found["monthly"] == round(0.7 * 365 / 12, 2)
    assert by_id[team.needs.lake["id"].lower()]["cost"]["words"] == "by use: $0.03 a GB and month"
    page = owner_visit.get(f"/platform?group={team.group}").data.decode()
    assert page.count('<path class="edge"') >= 8
    assert SCRIPT not in page
    assert "<img" not in page


def test_clusters_show_nodes_queue_quota_and_processes(owner_visit: Visitor, team: Team) -> None:
    cluster, names = unique("c"), (unique("job"), unique("job"))
    harness.put(team.azure, f"{team.id}/computes/{cluster}", harness.cluster(team.needs))
    job = command_job(team, "sleep 600", computeId=f"{team.id}/computes/{cluster}")
    for name in names:
        assert team.arm("PUT", f"/jobs/{name}", {"properties": job}).status_code == 201

    def busy() -> Any:
        found = next(one for one in shown(owner_visit, team)["computes"] if one["name"] == cluster)
        return found["running"] and found["processes"] and found["processes"][0]["processes"] and found

    found = until(busy, "a node with a process")
    for name in names:
        team.arm("POST", f"/jobs/{name}/cancel")
    assert (found["nodes"], found["maximum"], found["waiting"]) == (1, 1, 1)
    assert found["processes"][0]["run"] == names[0]
    assert found["processes"][0]["processes"][0]["residentBytes"] > 0
    assert found["quota"]["used"] >= 4
    assert found["quota"]["limit"] == 100
    assert (found["hourly"], found["hourlyNow"], found["monthlyMost"]) == (0.04, 0.04, 29.2)
    assert {ended(team, name) for name in names} == {"Canceled"}


def test_an_instance_is_stopped_and_started_from_the_page(
    browser: Browser, shared_sandbox: Sandbox, team: Team, instance: str
) -> None:
    person = Person(browser, shared_sandbox, "scientist")
    name = instance.rpartition("/")[2]
    person.go(f"/platform?group={team.group}")
    assert "Running" in person.text()
    for action, state in (("stop", "Stopped"), ("start", "Running")):
        person.go(f"/platform?group={team.group}")
        person.press(f"input[value='{instance}'] + button[value={action}]")
        inner = team.arm("GET", f"/computes/{name}").json()["properties"]["properties"]
        assert inner["state"] == state
    assert person.browser.evaluate("window.hurt") is None


def test_buttons_are_those_that_the_persona_may_press(
    visitors: Callable[[str], Visitor], team: Team, instance: str
) -> None:
    lead = visitors("lead")
    with harness.granted(team.azure, team.needs.group, user_id("admin1@site.com"), READER):
        found = next(one for one in shown(lead, team)["computes"] if one["id"] == instance)
        assert found["actions"] == []
        form = urlencode({"id": instance, "action": "stop"})
        refused = lead.post("/platform/power", form)
        assert refused.status == 403
        assert b"computes/stop/action" in refused.data
    assert team.group not in [one["group"] for one in lead.json("/platform")["groups"]]


def test_who_may_do_what_and_by_which_assignment(owner_visit: Visitor, scientist_visit: Visitor, team: Team) -> None:
    path = f"/platform/resource?{urlencode({'id': team.id})}"
    found = owner_visit.json(path)
    assert found["resource"]["id"] == team.id
    mine = next(one for one in found["assignments"] if one["persona"])
    assert (mine["principal"], mine["role"]) == ("user@domain.com", "Owner")
    theirs = {one["role"]: one for one in found["assignments"] if one["principalId"] == SCIENTIST}
    scientist = theirs["AzureML Data Scientist"]
    assert scientist["scope"].lower() == team.needs.group.lower()
    assert "Microsoft.MachineLearningServices/workspaces/*/action" in scientist["permissions"][0]["actions"]
    seen = scientist_visit.json(path)
    assert any(one["persona"] for one in seen["assignments"]), seen["refused"]
    assignment = owner_visit.json(f"/platform/resource?{urlencode({'id': mine['id']})}")
    assert assignment["resource"]["properties"]["principalId"] == mine["principalId"]


def test_a_group_s_members_are_named(owner_visit: Visitor, team: Team) -> None:
    group = user_id("bluegranit-data-scientists")
    with harness.granted(team.azure, team.id, group, READER, "Group"):
        found = owner_visit.json(f"/platform/resource?{urlencode({'id': team.id})}")["assignments"]
    assert next(one for one in found if one["principalId"] == group)["members"] == ["user1@site.com", "user2@site.com"]


def test_nothing_of_another_team_is_seen(visitors: Callable[[str], Visitor], team: Team) -> None:
    lead = visitors("lead")
    assert team.group not in lead.get("/platform").data.decode()
    refused = lead.get(f"/platform/resource?{urlencode({'id': team.id})}")
    assert refused.status == 403
    assert b"friendlyName" not in refused.data


@pytest.mark.parametrize(
    "resource_id",
    ["", "/", "x", "//evil/", "https://evil/subscriptions/a"]
    + [f"/subscriptions/{end}" for end in ("..", "../../x", "a?b=c", "a#b", "a/", "a\r\nb", "a\\..\\b", "./a")],
)
def test_ids_that_lead_nowhere(owner_visit: Visitor, resource_id: str) -> None:
    assert owner_visit.get(f"/platform/resource?id={quote(resource_id, safe='')}").status == 404
    assert owner_visit.post("/platform/power", f"action=stop&id={quote(resource_id, safe='')}").status == 404


@pytest.mark.parametrize("action", ["", "delete", "listKeys", "stop/../delete"])
def test_actions_that_no_button_has(owner_visit: Visitor, instance: str, action: str) -> None:
    assert owner_visit.post("/platform/power", urlencode({"id": instance, "action": action})).status == 404


def test_permissions_are_those_of_the_callers_roles(team: Team, shared_sandbox: Sandbox) -> None:
    path = "/providers/Microsoft.Authorization/permissions"
    scientist = Client(shared_sandbox, "scientist").arm("GET", team.id + path, api="2022-04-01")
    actions = [one["actions"] for one in scientist.json()["value"]]
    assert ["*/read"] in actions
    assert any("Microsoft.MachineLearningServices/workspaces/*/action" in one for one in actions)
    assert ["*"] not in actions
    owner = team.azure.arm("GET", team.needs.group + path, api="2022-04-01").json()["value"]
    assert [one["actions"] for one in owner] == [["*"]]
    refused = Client(shared_sandbox, "lead").arm("GET", team.id + path, api="2022-04-01")
    assert error(refused) == (403, "AuthorizationFailed")
