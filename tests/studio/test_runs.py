"""The pages of runs, over what clients have really logged and submitted."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest

from tests.azure.client import READER, Client, unique, user_id
from tests.azure.ml import harness
from tests.azure.ml.harness import Team, bare_environment, command_job
from tests.azure.ml.waiting import ended
from tests.conftest import Sandbox
from tests.studio.axe import fetch, violations
from tests.studio.pages import Person
from tests.studio.visitor import Visitor
from tools.browser import Browser

HOSTILE = "<script>document.title='taken'</script><img src=x onerror=document.title='taken'>\"'>{{7*7}}"


@dataclass
class Data:
    """A team with an experiment and runs that an MLflow client would have made.

    Attributes:
        team: The team.
        experiment: The experiment's id.
        runs: Ids by name.
    """

    team: Team
    experiment: str
    runs: dict[str, str]

    def mlflow(self, path: str, body: Any) -> Any:
        """A request to the MLflow server."""
        answer = self.team.plane("POST", "mlflow/v1.0", f"/api/2.0/mlflow{path}", body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def log(self, name: str, values: dict[str, list[Any]], parent: str = "", **params: str) -> str:
        """A run that has ended, with metrics by step."""
        tags = [{"key": "mlflow.parentRunId", "value": parent}] if parent else []
        body = {"experiment_id": self.experiment, "run_name": name, "tags": tags}
        run = str(self.mlflow("/runs/create", body)["run"]["info"]["run_id"])
        metrics = [
            {"key": key, "value": value, "step": step, "timestamp": 1_000_000 + step}
            for key, given in values.items()
            for step, value in enumerate(given)
        ]
        given = [{"key": key, "value": value} for key, value in params.items()]
        self.mlflow("/runs/log-batch", {"run_id": run, "metrics": metrics, "params": given})
        self.mlflow("/runs/update", {"run_id": run, "status": "FINISHED"})
        self.runs[name] = run
        return run

    @property
    def wsid(self) -> str:
        """The query that names the workspace."""
        return f"wsid={self.team.id}"

    def page(self, name: str, **query: str) -> str:
        """The path of a run's page."""
        more = "".join(f"&{key}={quote(value)}" for key, value in query.items())
        return f"/runs/{self.runs.get(name, name)}?{self.wsid}{more}"


@pytest.fixture(scope="module")
def data(azure: Client) -> Data:
    team = harness.team(azure)
    found = Data(team, "", {})
    found.experiment = found.mlflow("/experiments/create", {"name": unique("churn")})["experiment_id"]
    found.log("baseline", {"auc": [0.5, 0.9, 0.7], "loss": [3.0]}, kind="linear")
    found.log("forest", {"auc": [0.6, 0.8]}, kind="tree")
    above = found.log("search", {})
    middle = found.log("trial", {}, above)
    found.log("deeper", {}, middle)
    found.log(HOSTILE, {HOSTILE[:40].replace("<", "").replace(">", "").replace("'", "").replace("=", ""): [1, 2]})
    return found


@pytest.fixture(scope="module")
def person(browser: Browser, shared_sandbox: Sandbox) -> Person:
    return Person(browser, shared_sandbox)


def names(visitor: Visitor, data: Data, query: str = "") -> list[str]:
    return [one["name"] for one in visitor.json(f"/jobs?{data.wsid}{query}")["runs"]]


def test_the_list_has_the_runs_by_filter_and_order(owner_visit: Visitor, data: Data) -> None:
    listed = names(owner_visit, data)
    assert {"baseline", "forest", "search", HOSTILE} == set(listed) - {
        "diverged"
    }  # nested ones are reached through their parent
    assert names(owner_visit, data, "&find=fore") == ["forest"]
    assert names(owner_visit, data, "&find=" + quote("metrics.auc < 0.8 and params.kind = 'linear'")) == ["baseline"]
    assert names(owner_visit, data, "&sort=-metrics.auc")[:2] == ["forest", "baseline"]
    assert names(owner_visit, data, "&sort=metrics.auc")[:2] == ["baseline", "forest"]
    assert names(owner_visit, data, "&state=Failed") == []
    assert "deeper" in names(owner_visit, data, "&find=deep")
    assert names(owner_visit, data, f"&experiment={data.experiment}&find='") == [HOSTILE]


def test_a_condition_that_is_not_valid_is_told(owner_visit: Visitor, data: Data) -> None:
    answer = owner_visit.get(f"/jobs?{data.wsid}&find=" + quote("metrics.auc >"))
    assert answer.status == 400
    assert b"Invalid" in answer.data


@pytest.mark.parametrize("start", ["9" * 5000, "-1", "x", "%D9%A3"])
def test_a_start_that_is_no_number_is_the_first_row(owner_visit: Visitor, data: Data, start: str) -> None:
    assert owner_visit.json(f"/jobs?{data.wsid}&from={start}")["from"] == 0


def test_metrics_have_last_lowest_highest_and_the_value_at_a_step(owner_visit: Visitor, data: Data) -> None:
    shown = owner_visit.json(data.page("baseline", tab="metrics", step="1"))
    curve = next(one for one in shown["curves"] if one["name"] == "auc")
    assert (curve["last"], curve["at"]) == (0.7, 0.9)
    assert curve["lowest"] == {"value": 0.5, "step": 0}
    assert curve["highest"] == {"value": 0.9, "step": 1}
    page = owner_visit.get(data.page("baseline", tab="metrics")).data.decode()
    assert page.count('<path class="line') == 1  # a metric of one value has no curve


def test_a_metric_that_is_no_number_is_shown(owner_visit: Visitor, data: Data) -> None:
    data.log("diverged", {"loss": [1.0, "NaN", "Infinity"]})
    shown = owner_visit.json(data.page("diverged", tab="metrics"))
    assert (shown["metrics"]["loss"], shown["curves"][0]["highest"]["value"]) == ("inf", 1.0)
    assert owner_visit.get(data.page("diverged", tab="metrics")).status == 200
    assert (
        owner_visit.get(f"/runs/compare?{data.wsid}&run={data.runs['diverged']}&run={data.runs['baseline']}").status
        == 200
    )
    assert "diverged" in names(owner_visit, data)


def test_runs_are_compared(owner_visit: Visitor, data: Data) -> None:
    chosen = "&".join(f"run={data.runs[name]}" for name in ("baseline", "forest"))
    shown = owner_visit.json(f"/runs/compare?{data.wsid}&{chosen}")
    assert shown["parameters"] == [{"name": "kind", "values": ["linear", "tree"], "differs": True}]
    assert {"name": "auc", "values": [0.7, 0.8], "differs": True} in shown["metrics"]
    assert {"name": "loss", "values": [3.0, None], "differs": True} in shown["metrics"]
    assert owner_visit.get(f"/runs/compare?{data.wsid}&run=one").status == 404


def test_nested_runs_lead_down_and_up(owner_visit: Visitor, data: Data) -> None:
    assert [one["name"] for one in owner_visit.json(data.page("search"))["children"]] == ["trial"]
    assert [one["name"] for one in owner_visit.json(data.page("trial"))["children"]] == ["deeper"]
    page = owner_visit.get(data.page("deeper")).data.decode()
    crumbs = page.partition('class="crumbs"')[2].partition("</p>")[0]
    assert crumbs.index(data.runs["search"]) < crumbs.index(data.runs["trial"])


@pytest.mark.parametrize("run", ["no-such-run", "%2e%2e%2fx", "x%00y", "a'b", "%0d%0aSet-Cookie:x=1"])
def test_a_run_that_is_not_there(owner_visit: Visitor, data: Data, run: str) -> None:
    answer = owner_visit.get(f"/runs/{run}?{data.wsid}")
    assert answer.status in (400, 404), answer.data
    assert "Traceback" not in answer.data.decode()
    assert "x" not in answer.headers.get("Set-Cookie", "")


def test_a_run_s_curve_is_drawn(person: Person, data: Data) -> None:
    person.go(f"/jobs?{data.wsid}")
    person.wait("[...document.links].some(one => one.text === 'baseline')")
    person.browser.evaluate("[...document.links].find(one => one.text === 'baseline').id = 'baseline'")
    person.press("#baseline")
    person.press(".tabs a[href*='tab=metrics']")
    person.wait("document.querySelectorAll('.chart .uplot canvas').length === 1")
    assert person.browser.evaluate(
        "(c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data].some(v => v))"
        "(document.querySelector('canvas'))"
    )


def test_a_long_list_comes_as_it_is_scrolled_to(person: Person, data: Data) -> None:
    experiment = data.mlflow("/experiments/create", {"name": unique("long")})["experiment_id"]
    for number in range(150):
        data.mlflow(
            "/runs/create", {"experiment_id": experiment, "run_name": f"run-{number}", "start_time": number + 1}
        )
    person.go(f"/jobs?{data.wsid}&experiment={experiment}&sort=started")
    assert person.browser.evaluate("document.querySelectorAll('td.name').length") == 100
    person.browser.evaluate("scrollTo(0, document.body.scrollHeight)")
    person.wait("document.querySelectorAll('td.name').length === 150")
    person.wait_for_text("run-149")


def test_hostile_text_is_text(person: Person, data: Data) -> None:
    for path in (f"/jobs?{data.wsid}", *(data.page(HOSTILE, tab=tab) for tab in ("overview", "metrics", "definition"))):
        person.go(path)
        person.wait_for_text("<script>document.title='taken'</script>")
        assert person.browser.evaluate("document.title") != "taken"
        assert person.browser.evaluate("document.querySelectorAll('main img, main script').length") == 0
        assert "49" not in person.browser.evaluate("document.querySelector('h1').innerText").replace(HOSTILE, "")


def test_a_pipeline_is_followed_to_its_end(person: Person, data: Data) -> None:
    team = data.team
    spec = {"type": "command", "is_deterministic": False, "environment": f"azureml:{bare_environment(team)}"}
    component = unique("step")
    body = {
        "componentSpec": {
            "name": component,
            "version": "1",
            "command": "echo words of the step",
            "outputs": {"made": {"type": "uri_folder"}},
            **spec,
        }
    }
    made = team.arm("PUT", f"/components/{component}/versions/1", {"properties": body})
    assert made.ok, made.text
    step = {"type": "command", "componentId": made.json()["id"], "computeId": f"{team.id}/computes/cpu"}
    jobs = {
        "first": step,
        "second": {**step, "environment_variables": {"AFTER": "${{parent.jobs.first.outputs.made}}"}},
    }
    name = unique("pipe")
    sent = team.arm(
        "PUT", f"/jobs/{name}", {"properties": {"jobType": "Pipeline", "displayName": "the line", "jobs": jobs}}
    )
    assert sent.ok, sent.text
    person.go(f"/runs/{name}?{data.wsid}")
    assert person.browser.evaluate("document.querySelectorAll('.graph .step').length") == 2
    # Nobody loads the page again: it follows by itself.
    person.wait(
        "document.querySelectorAll('.graph .step.good').length === 2 && !document.querySelector('#live[hx-get]')"
    )
    assert person.browser.evaluate("document.querySelectorAll('td .bar rect.good').length") == 2
    if script := fetch():
        assert violations(person.browser, script) == []
    person.browser.evaluate(
        "document.querySelector('.graph a.step').dispatchEvent(new MouseEvent('click', {bubbles: true}))"
    )
    person.wait("location.pathname !== '/runs/" + name + "'")


def test_a_log_is_read_and_an_artifact_has_no_rights(owner_visit: Visitor, data: Data) -> None:
    name = unique("job")
    page = "<script>parent.document.title='taken'</script>"
    command = f'echo words in the log; mkdir -p outputs; echo "{page}" > outputs/page.html'
    sent = data.team.arm("PUT", f"/jobs/{name}", {"properties": command_job(data.team, command)})
    assert sent.ok, sent.text
    assert ended(data.team, name) == "Completed"
    log = owner_visit.get(f"/runs/{name}?{data.wsid}&tab=log").data.decode()
    assert "words in the log" in log
    assert "hx-get" not in log.partition("<pre")[2]
    part = owner_visit.get(f"/runs/{name}/log?{data.wsid}&file=user_logs/std_log.txt")
    assert part.headers["Content-Type"].startswith("text/plain")
    files = {one["path"]: one["shown"] for one in owner_visit.json(f"/runs/{name}?{data.wsid}&tab=files")["artifacts"]}
    assert files["outputs/page.html"] is True
    file = f"/runs/{name}/artifact?{data.wsid}&path=outputs/page.html"
    listed = owner_visit.get(f"/runs/{name}?{data.wsid}&tab=files").data.decode()
    assert f'href="{file.replace("&", "&amp;")}&amp;show=1"' in listed
    downloaded, shown = owner_visit.get(file), owner_visit.get(f"{file}&show=1")
    assert downloaded.headers["Content-Disposition"].startswith("attachment")
    assert page in shown.data.decode()
    assert shown.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    for path in ("../../../etc/passwd", "outputs/../page.html", "/etc/passwd", "outputs/none"):
        assert owner_visit.get(f"/runs/{name}/artifact?{data.wsid}&path={quote(path)}").status in (400, 404)
    retried = owner_visit.post(f"/runs/{name}/retry?{data.wsid}")
    assert retried.status == 303, retried.data
    again = retried.headers["Location"].partition("?")[0].rpartition("/")[2]
    assert ended(data.team, again) == "Completed"
    assert owner_visit.json(f"/runs/{again}?{data.wsid}")["run"]["tags"]["retry_of"] == name


def test_a_running_job_is_followed_and_cancelled(person: Person, data: Data) -> None:
    name = unique("job")
    command = "echo first words; while true; do sleep 1; done"
    sent = data.team.arm("PUT", f"/jobs/{name}", {"properties": command_job(data.team, command)})
    assert sent.ok, sent.text
    person.go(f"/runs/{name}?{data.wsid}&tab=log")
    person.wait_for_text("first words")
    person.press("button.danger")
    person.wait("!!document.querySelector('dl .state')")
    person.wait_for_text("Canceled")


def test_another_team_s_scientist_sees_nothing_and_cancels_nothing(
    azure: Client, visitors: Callable[[str], Visitor], data: Data
) -> None:
    lead = visitors("lead")  # without any role here
    name = unique("job")
    sent = data.team.arm("PUT", f"/jobs/{name}", {"properties": command_job(data.team, "sleep 600")})
    assert sent.ok, sent.text
    assert data.team.workspace["name"] not in {one["name"] for one in lead.json("/")["workspaces"]}
    for path in (f"/jobs?{data.wsid}", f"/runs/{name}?{data.wsid}", data.page("baseline", tab="metrics")):
        answer = lead.get(path)
        assert answer.status == 404
        assert "no role assignment shows it" in answer.data.decode()
    assert lead.post(f"/runs/{name}/cancel?{data.wsid}").status == 404
    # One who may read the runs and nothing more is refused by Azure, whose sentence names the action.
    with harness.granted(azure, data.team.id, user_id("admin1@site.com"), READER):
        refused = lead.post(f"/runs/{name}/cancel?{data.wsid}")
        assert refused.status == 403
        assert "Microsoft.MachineLearningServices/workspaces/jobs/cancel/action" in refused.data.decode()
    assert data.team.arm("POST", f"/jobs/{name}/cancel").ok


def test_a_sweep_has_its_trials_and_the_best(owner_visit: Visitor, data: Data) -> None:
    team, name = data.team, unique("sweep")
    line = (
        "python -c \"import json, os, urllib.request as u; b = json.dumps({'run_id': os.environ['MLFLOW_RUN_ID'], "
        "'key': 'auc', 'value': ${{search_space.lr}}, 'step': 0, 'timestamp': 1}).encode(); "
        "u.urlopen(u.Request(os.environ['MLFLOW_TRACKING_URI'] + '/api/2.0/mlflow/runs/log-metric', b, "
        "{'Authorization': 'Bearer ' + os.environ['MLFLOW_TRACKING_TOKEN'], 'Content-Type': 'application/json'}))\""
    )
    properties = {
        "jobType": "Sweep",
        "computeId": f"{team.id}/computes/cpu",
        "searchSpace": {"lr": ["choice", [[0.001, 0.5]]]},
        "samplingAlgorithm": {"samplingAlgorithmType": "Grid"},
        "limits": {"jobLimitsType": "Sweep", "maxTotalTrials": 2, "maxConcurrentTrials": 1, "timeout": "PT5M"},
        "objective": {"goal": "maximize", "primaryMetric": "auc"},
        "trial": {"command": line, "environmentId": bare_environment(team), "environmentVariables": {}},
        "inputs": {},
        "outputs": {},
    }
    sent = team.arm("PUT", f"/jobs/{name}", {"properties": properties})
    assert sent.ok, sent.text
    assert ended(team, name) == "Completed"
    trials = {one["values"]["lr"]: one["result"] for one in owner_visit.json(f"/runs/{name}?{data.wsid}")["trials"]}
    assert trials == {0.001: 0.001, 0.5: 0.5}
    page = owner_visit.get(f"/runs/{name}?{data.wsid}").data.decode()
    assert page.count('<circle class="dot') == 2
    assert re.findall(r'class="x">([^<]+)<', page) == ["0.001", "0.01", "0.1"]  # sizes that differ: a logarithmic axis
    for sort, first in (("-result", 0.5), ("result", 0.001), ("-params.lr", 0.5), ("params.lr", 0.001)):
        rows = owner_visit.json(f"/runs/{name}?{data.wsid}&sort={sort}")["trials"]
        assert rows[0]["values"]["lr"] == first
    one, other = (row["run"] for row in rows)
    assert f'form="compare" name="run" value="{one}"' in page
    compared = owner_visit.get(f"/runs/compare?{data.wsid}&run={one}&run={other}")
    assert compared.status == 200
    best = page.partition('<tr class="best">')[2].partition("</tr>")[0]
    assert "0.5" in best
