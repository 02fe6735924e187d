"""Every page, with what a team has: wide and narrow, light and dark, for screen readers, and without JavaScript."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.azure.activity import asked
from tests.azure.client import Client, unique
from tests.azure.ml import harness
from tests.conftest import Sandbox
from tests.studio.axe import fetch, violations
from tests.studio.pages import Person
from tools.browser import Browser

PAGES = (
    "/jobs", "/model/list", "/data", "/environments", "/component/list", "/endpoints", "/schedules", "/", "/activity",
    "/clock",
)  # fmt: skip
COUNT = """
window.faults = [];
addEventListener("securitypolicyviolation", one => faults.push(`${one.violatedDirective} ${one.blockedURI}`));
addEventListener("error", one => faults.push(one.message));
"""
UNBROKEN = "one_long_word" * 15
SQUEEZED = """
[...document.querySelectorAll("main :is(td, th, dt, dd, p, li, label)")].filter(one => {
  const text = document.createRange();
  text.selectNodeContents(one);
  const box = text.getBoundingClientRect();
  return box.width < 60 && box.height > 90;
}).map(one => one.outerHTML.slice(0, 200))
"""
"""Texts that have room for a few letters in a line."""
RUN_TABS = ("overview", "log", "metrics", "files", "definition")


@pytest.fixture(scope="module")
def paths(azure: Client) -> list[str]:
    """The pages of a team with a run, a model and data."""
    team = harness.team(azure)
    wsid = f"wsid={team.id}"

    def mlflow(path: str, body: object) -> dict[str, dict[str, dict[str, str]]]:
        answer = team.plane("POST", "mlflow/v1.0", f"/api/2.0/mlflow{path}", body)
        assert answer.status_code == 200, answer.text
        found: dict[str, dict[str, dict[str, str]]] = answer.json()
        return found

    experiment = mlflow("/experiments/create", {"name": unique("looks") + UNBROKEN})["experiment_id"]
    runs = []
    for name in ("a run", UNBROKEN):
        runs.append(mlflow("/runs/create", {"experiment_id": experiment, "run_name": name})["run"]["info"]["run_id"])
        metrics = [{"key": "auc", "value": 0.5 + step / 100, "step": step, "timestamp": 1} for step in range(20)]
        metrics.append({"key": UNBROKEN, "value": 1, "step": 0, "timestamp": 1})
        params = [{"key": "kind", "value": name}, {"key": UNBROKEN, "value": "1"}]
        mlflow("/runs/log-batch", {"run_id": runs[-1], "metrics": metrics, "params": params})
    tags = {"stage": "raw", UNBROKEN: UNBROKEN}
    own = {"dataType": "uri_folder", "dataUri": "azureml://datastores/lake/paths/x/", "tags": tags}
    assert team.arm("PUT", "/data/purchases/versions/1", {"properties": own}).ok
    pages = [f"{path}?{wsid}" for path in PAGES]
    pages += [f"/runs/{runs[0]}?{wsid}&tab={tab}" for tab in RUN_TABS]
    pages += [f"/runs/compare?{wsid}&run={runs[0]}&run={runs[1]}", f"/data/purchases/1/details?{wsid}"]
    refused = Client(azure.sandbox, "lead").send("GET", f"https://management.azure.com{team.id}?api-version=2024-10-01")
    assert refused.status_code == 403
    told = asked(azure.sandbox, text=team.id, outcome="refused")[-1]
    pages += [f"/platform?group={team.group}", f"/platform/resource?id={team.id}", f"/activity/{told['number']}?{wsid}"]
    return [*pages, f"/runs/none?{wsid}", f"/jobs?{wsid}&find={quote('no such')}"]


@pytest.fixture(scope="module")
def person(browser: Browser, shared_sandbox: Sandbox) -> Person:
    return Person(browser, shared_sandbox)


@pytest.fixture
def sized(person: Person) -> Iterator[Person]:
    """The person, whose window is as before afterwards."""
    yield person
    person.browser.call("Emulation.clearDeviceMetricsOverride")
    person.browser.call("Emulation.setEmulatedMedia", features=[])


def look(person: Person, width: int, mode: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": mode}]
    person.browser.call("Emulation.setEmulatedMedia", features=features)
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    person.browser.call("Emulation.setDeviceMetricsOverride", **size)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_axe_finds_nothing_serious(sized: Person, paths: list[str], mode: str) -> None:
    script = fetch()
    if script is None:
        pytest.skip("axe-core is not there: it needs npm and its registry once")
    look(sized, 1280 if mode == "light" else 400, mode)
    found = {}
    for path in paths:
        sized.go(path)
        if serious := violations(sized.browser, script):
            found[path.partition("?")[0] + path.rpartition("&")[2]] = serious
    assert found == {}


@pytest.mark.parametrize("width", [400, 1440, 3840])
def test_nothing_is_wider_than_the_window_or_squeezed(sized: Person, paths: list[str], width: int) -> None:
    look(sized, width, "light")
    for path in paths:
        sized.go(path)
        assert sized.browser.evaluate("document.documentElement.scrollWidth") <= width, path
        assert sized.browser.evaluate(SQUEEZED) == [], path


def test_a_chart_s_letters_can_be_read_in_a_narrow_window(sized: Person, paths: list[str]) -> None:
    look(sized, 400, "light")
    sized.browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        sized.go(next(path for path in paths if "tab=metrics" in path))
        height = "document.querySelector('.chart .grid text').getBoundingClientRect().height"
        assert sized.browser.evaluate(height) >= 10
    finally:
        sized.browser.call("Emulation.setScriptExecutionDisabled", value=False)


def test_a_narrow_window_shows_where_one_is(sized: Person) -> None:
    look(sized, 400, "light")
    sized.go("/clock")
    sized.wait("document.querySelector('.side [aria-current]').getBoundingClientRect().right <= 400")


def test_a_page_is_whole_without_javascript(sized: Person, paths: list[str]) -> None:
    sized.browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        path = next(path for path in paths if "tab=metrics" in path)
        sized.browser.call("Page.navigate", url=sized.origin + path)
        sized.wait("document.querySelectorAll('svg path.line').length === 1")
        assert "0.69" in sized.text()
    finally:
        sized.browser.call("Emulation.setScriptExecutionDisabled", value=False)


def test_the_browser_reports_no_fault(browser: Browser, shared_sandbox: Sandbox, paths: list[str]) -> None:
    """No page breaks its own policy, and no script fails."""
    person = Person(browser, shared_sandbox)
    added = browser.call("Page.addScriptToEvaluateOnNewDocument", source=COUNT)
    try:
        for path in paths:
            person.go(path)
            assert browser.evaluate("window.faults") == [], path
    finally:
        browser.call("Page.removeScriptToEvaluateOnNewDocument", identifier=added["identifier"])
