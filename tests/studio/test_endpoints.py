"""The page of an endpoint: its traffic, its log, and the box that sends a request."""

import json
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from tests.azure.client import Client, unique
from tests.azure.ml import harness, serving
from tests.azure.ml.harness import Team
from tests.conftest import Sandbox
from tests.studio.pages import Person
from tests.studio.visitor import Visitor
from tools.browser import Browser

ECHO = """
import json
def init():
    print("the server begins", flush=True)
def run(body):
    return {"sent": json.loads(body)}
"""
SCRIPT = "</pre><script>window.hurt=1</script>"


@pytest.fixture(scope="module")
def team(shared_sandbox: Sandbox) -> Team:
    return harness.team(Client(shared_sandbox))


@pytest.fixture(scope="module")
def served(team: Team) -> serving.Endpoint:
    """An endpoint with `blue` for all of its traffic."""
    made = serving.endpoint(team)
    place = f"{serving.uploaded(team, {'model/words.txt': 'hello'})}/model"
    model = serving.registered(team, "models", {"modelUri": place, "modelType": "custom_model"})
    done = made.served("blue", ECHO, environmentId=serving.environment(team), model=model)
    assert done["status"] == "Succeeded", (done, made.logs("blue"))
    made.traffic(blue=100)
    return made


def page(endpoint: serving.Endpoint, what: str = "detail", **query: str) -> str:
    return f"/endpoints/realtime/{endpoint.name}/{what}?{urlencode({'wsid': endpoint.team.id, **query})}"


def test_a_request_is_sent_from_the_page_and_traffic_set(
    browser: Browser, shared_sandbox: Sandbox, served: serving.Endpoint
) -> None:
    person = Person(browser, shared_sandbox, "scientist")
    person.go(f"/endpoints?wsid={served.team.id}")
    assert "blue 100 %" in person.text()
    person.press("td.name a")
    person.wait_for_text("the server begins")
    person.fill("textarea", json.dumps({"word": SCRIPT}))
    person.press("button.primary")
    shown = person.text()
    assert "answered by blue" in shown
    assert SCRIPT in shown
    assert person.browser.evaluate("window.hurt") is None
    person.wait_for_text("POST score")  # among the last requests
    person.fill("input.share", "0")
    person.press("form table + p button")
    assert served.get()["properties"]["traffic"] == {}
    person.fill("input.share", "100")
    person.press("form table + p button")
    assert served.get()["properties"]["traffic"] == {"blue": 100}


def test_what_the_page_lists_can_be_had_as_json(scientist_visit: Visitor, served: serving.Endpoint) -> None:
    found = scientist_visit.json(page(served))
    assert [(one["name"], one["traffic"], one["instances"]) for one in found["deployments"]] == [("blue", 100, 1)]
    assert "the server begins" in found["log"]["content"]
    shown = scientist_visit.get(page(served)).data.decode()
    name, version = found["deployments"][0]["model"].split("/")[-3::2]
    assert f'<a href="/model/{name}:{version}/details?wsid={served.team.id}">{name}:{version}</a>' in shown
    answer = scientist_visit.post(page(served, format="json"), f"body={quote('{}')}&deployment=blue").json()
    assert (answer["sent"]["status"], json.loads(answer["sent"]["body"])) == (200, {"sent": {}})


def test_its_instances_cost_what_their_size_costs(scientist_visit: Visitor, served: serving.Endpoint) -> None:
    found = scientist_visit.json(f"/platform?group={served.team.group}")["teams"][0]["resources"]
    cost = next(one["cost"] for one in found if one["id"] == served.get("/deployments/blue")["id"])
    assert cost == {"monthly": 73.0, "words": "$0.10 an hour"}


@pytest.mark.parametrize(
    ("form", "status"),
    [("body=%7B%7D&deployment=nobody", 404), ("body=no+json", 424)],
)
def test_requests_that_fail_are_shown(
    scientist_visit: Visitor, served: serving.Endpoint, form: str, status: int
) -> None:
    answer = scientist_visit.post(page(served, format="json"), form)
    assert (answer.status, answer.json()["sent"]["status"]) == (200, status)


@pytest.mark.parametrize("name", ["%0d%0aHost:+x", "a%20b", "..%2Fx", "%C3%A4%00"])
def test_names_of_deployments_that_none_has(scientist_visit: Visitor, served: serving.Endpoint, name: str) -> None:
    assert scientist_visit.post(page(served), f"body=%7B%7D&deployment={name}").status == 404


@pytest.mark.parametrize("share", ["-1", "101", "x", "", "1e2", "%F0%9D%9F%99", "9" * 5000])
def test_shares_that_are_refused(scientist_visit: Visitor, served: serving.Endpoint, share: str) -> None:
    assert scientist_visit.post(page(served, "traffic"), f"share:blue={share}").status == 400


def test_who_may_not_see_the_workspace_sends_nothing(visitors: Any, served: serving.Endpoint) -> None:
    lead: Visitor = visitors("lead")
    assert lead.get(page(served)).status == 404
    assert lead.post(page(served), "body=%7B%7D").status == 404


@pytest.mark.parametrize(
    "path", ["/endpoints/other/x/detail", "/endpoints/realtime/nowhere/detail", "/endpoints/realtime/..%2fx/detail"]
)
def test_endpoints_that_are_not_there(scientist_visit: Visitor, team: Team, path: str) -> None:
    assert scientist_visit.get(f"/endpoints/{path}/detail?wsid={team.id}").status == 404


def test_a_batch_endpoint_is_shown_and_asked(scientist_visit: Visitor, team: Team) -> None:
    name = unique("b")
    body = {"location": harness.REGION, "properties": {"authMode": "AADToken"}}
    assert serving.outcome(team, team.arm("PUT", f"/batchEndpoints/{name}", body))["status"] == "Succeeded"
    path = f"/endpoints/batch/{name}/detail?{urlencode({'wsid': team.id})}"
    assert scientist_visit.json(path)["endpoint"]["traffic"] == {}
    answer = scientist_visit.post(f"{path}&format=json", f"body={quote('{}')}").json()
    assert answer["sent"]["status"] == 400
    assert "has no default deployment" in answer["sent"]["body"]
    assert name in scientist_visit.get(f"/endpoints?{urlencode({'wsid': team.id})}").data.decode()
