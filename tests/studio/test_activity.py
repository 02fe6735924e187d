"""The page of activity: what was asked, by which right, and what a refused caller lacks."""

import re
import shlex
from html import unescape
from urllib.parse import quote

import pytest

from tests.azure.client import READER, Client, unique
from tests.azure.ml.harness import SCIENTIST
from tests.conftest import Sandbox
from tests.studio.pages import Person
from tests.studio.visitor import Visitor
from tools.browser import Browser

SCRIPT = "<script>window.hurt=1</script><img src=x onerror=window.hurt=1>"


@pytest.fixture(scope="module")
def scientist(shared_sandbox: Sandbox) -> Client:
    return Client(shared_sandbox, "scientist")


def test_a_refused_request_shows_the_missing_role_and_how_to_give_it(
    browser: Browser, shared_sandbox: Sandbox, azure: Client, scientist: Client
) -> None:
    person = Person(browser, shared_sandbox)
    group = azure.group()
    person.go(f"/activity?outcome=refused&text={group}")
    job = f"{group}/providers/Microsoft.MachineLearningServices/workspaces/w/jobs/{unique('job')}"
    scientist.arm("PUT", job, {"properties": {}}, api="2025-12-01")
    person.wait_for_text("no workspaces/jobs/write")  # the page is live
    assert "user2@site.com" in person.text()
    person.press("tr.refused a")
    shown = person.text()
    assert "lacks the action Microsoft.MachineLearningServices/workspaces/jobs/write" in shown
    workspace = job.partition("/jobs/")[0]
    # The narrowest role, which may be one that another test of this sandbox defined.
    assert re.search(rf"--role '[^']+' --assignee {SCIENTIST} --scope {workspace}", shown)


def test_what_the_page_lists_can_be_had_as_json_and_filtered(owner_visit: Visitor, azure: Client) -> None:
    group = azure.group()
    found = owner_visit.json(f"/activity?text={group}&method=PUT")
    assert [(one["method"], one["path"], one["assignment"]["role"]) for one in found["requests"]] == [
        ("PUT", group, "Owner")
    ]
    number = found["requests"][0]["number"]
    assert owner_visit.json(f"/activity/{number}")["request"]["number"] == number


def test_polls_that_follow_one_another_are_one_row(owner_visit: Visitor, azure: Client) -> None:
    name = unique("polled")
    for _ in range(5):
        azure.arm("GET", f"resourceGroups/{name}")
    page = owner_visit.get(f"/activity?text={name}").data.decode()
    assert page.count(f'title="/subscriptions/{azure.sandbox.subscription}/resourceGroups/{name}"') == 1
    assert "× 5" in page


def test_the_studio_s_own_requests_are_shown_only_when_asked_for(owner_visit: Visitor) -> None:
    owner_visit.get("/")
    assert not [one for one in owner_visit.json("/activity")["requests"] if one["client"] == "sandbox-studio"]
    assert [one for one in owner_visit.json("/activity?studio=1")["requests"] if one["client"] == "sandbox-studio"]


def test_a_scientist_sees_what_the_scientist_may_read(
    owner_visit: Visitor, scientist_visit: Visitor, azure: Client
) -> None:
    seen, unseen = azure.group(), azure.group()
    azure.assign(seen, SCIENTIST, READER)
    for visit, count in ((owner_visit, 1), (scientist_visit, 0)):
        assert len(visit.json(f"/activity?text={unseen}")["requests"]) == count
    found = scientist_visit.json(f"/activity?text={seen}")["requests"]
    assert found
    hidden = owner_visit.json(f"/activity?text={unseen}")["requests"][0]["number"]
    assert scientist_visit.get(f"/activity/{hidden}").status == 404


def test_bodies_are_the_owner_s_to_switch(owner_visit: Visitor, scientist_visit: Visitor, azure: Client) -> None:
    assert scientist_visit.post("/activity/bodies", "on=true").status == 404
    assert "Keep bodies" not in scientist_visit.get("/activity").data.decode()
    assert owner_visit.post("/activity/bodies", "on=true").status == 303
    name = unique("rg")
    azure.arm("PUT", f"resourceGroups/{name}", {"location": "eastus2", "tags": {"password": "hushhush", "a": SCRIPT}})
    number = owner_visit.json(f"/activity?text={name}")["requests"][0]["number"]
    assert owner_visit.post("/activity/bodies", "on=false").status == 303
    page = owner_visit.get(f"/activity/{number}").data.decode()
    assert "hushhush" not in page
    assert SCRIPT not in page


def test_script_in_a_client_s_texts_is_text(browser: Browser, shared_sandbox: Sandbox, azure: Client) -> None:
    name = unique("x")
    headers = {"User-Agent": SCRIPT}
    azure.send(
        "GET",
        f"https://management.azure.com/subscriptions/{name}{quote(SCRIPT)}?api-version=2022-12-01&$filter={quote(SCRIPT)}",
        headers=headers,
    )
    person = Person(browser, shared_sandbox)
    person.go(f"/activity?text={name}&who={quote(SCRIPT)}")
    person.go(f"/activity?text={name}")
    assert name in person.text()
    person.press("table.activity a")
    assert "<script>" in person.text()
    assert person.browser.evaluate("window.hurt") is None
    assert not person.browser.evaluate("document.querySelectorAll('main script, main img').length")


def test_a_path_with_a_shell_s_words_is_quoted_in_the_command(owner_visit: Visitor, scientist: Client) -> None:
    words = "$(touch hurt);`id`'\""
    scientist.arm("GET", f"/subscriptions/{scientist.sandbox.subscription}/resourceGroups/{quote(words, safe='')}")
    one = next(one for one in owner_visit.json("/activity?outcome=refused")["requests"] if "touch" in one["scope"])
    page = unescape(owner_visit.get(f"/activity/{one['number']}").data.decode())
    command = page.partition("<pre>")[2].partition("</pre>")[0]
    assert shlex.split(command)[-2:] == ["--scope", one["scope"]]
    assert words in one["scope"]


@pytest.mark.parametrize("number", ["0", "-1", "x", "9" * 15, "9" * 5000, "%2e%2e", "1%2f..%2f..", "1;2"])
def test_numbers_that_lead_nowhere(owner_visit: Visitor, number: str) -> None:
    assert owner_visit.get(f"/activity/{number}").status == 404


def test_a_filter_that_is_refused_is_told(owner_visit: Visitor) -> None:
    answer = owner_visit.get("/activity?outcome=none")
    assert answer.status == 400
    assert "&#39;outcome&#39; must be one of" in answer.data.decode()


def test_a_flood_leaves_the_page_quick_and_whole(owner_visit: Visitor, azure: Client) -> None:
    name = unique("flood")
    for number in range(301):
        azure.session.get(f"https://prices.azure.com/{name}/{number}")
    found = owner_visit.json(f"/activity?text={name}")
    assert len(found["requests"]) == 300
    assert found["requests"][0]["path"].endswith("/300")
