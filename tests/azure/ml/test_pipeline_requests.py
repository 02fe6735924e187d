"""Pipelines by plain requests: what is answered, what is refused, who may, and what a killed sandbox goes on with."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.azure.client import Client, error, unique
from tests.azure.ml import harness
from tests.azure.ml.harness import Team, cluster
from tests.azure.ml.pipelines import FOLDER, arm_component, arm_pipeline, children, failures
from tests.azure.ml.test_recovery import alive
from tests.azure.ml.waiting import details, ended, log_text, status, until
from tests.conftest import Sandbox

LITERAL = "literal"


def literal(value: str) -> dict[str, str]:
    return {"job_input_type": LITERAL, "value": value}


@pytest.fixture(scope="module")
def maker(team: Team) -> str:
    """A component with an optional input, an input and an output."""
    return arm_component(
        team,
        "echo ${{inputs.word}} $[[${{inputs.more}}]] > ${{outputs.out}}/word",
        inputs={"word": {"type": "string"}, "more": {"type": "string", "optional": True}},
        outputs={"out": FOLDER},
    )


@pytest.fixture(scope="module")
def reader(team: Team) -> str:
    """A component that reads a folder."""
    return arm_component(team, "cat ${{inputs.data}}/word", inputs={"data": FOLDER})


class TestAnswer:
    def test_what_a_put_answers(self, team: Team, maker: str) -> None:
        node = {"componentId": maker, "inputs": {"word": literal("${{parent.inputs.word}}")}, "_source": "DSL"}
        inputs = {
            "word": {"jobInputType": "literal", "value": "a"},
            "data": {"jobInputType": "uri_folder", "uri": "azureml://datastores/lake/paths/x/"},
        }
        outputs = {"y": {"jobOutputType": "uri_folder"}}
        made = arm_pipeline(team, {"a": node}, inputs=inputs, outputs=outputs, settings={"_source": "DSL"})
        assert made.status_code == 201
        job = made.json()["properties"]
        assert (job["status"], job["properties"], job["jobType"]) == ("NotStarted", {}, "Pipeline")
        assert job["jobs"]["a"] == {"name": "a", "type": "command", **node}
        assert job["settings"] == {"_source": "DSL"}
        assert job["inputs"]["data"]["mode"] == "ReadOnlyMount"
        assert job["outputs"]["y"]["mode"] == "ReadWriteMount"
        shown = team.arm("GET", f"/jobs/{made.json()['name']}").json()["properties"]
        ended(team, made.json()["name"])
        assert shown["jobs"] == job["jobs"]

    def test_properties_while_it_runs(self, team: Team, maker: str) -> None:
        name = arm_pipeline(team, {"a": {"componentId": maker, "inputs": {"word": literal("x")}}}).json()["name"]
        ended(team, name)
        properties = team.arm("GET", f"/jobs/{name}").json()["properties"]["properties"]
        stages = json.loads(properties.pop("azureml.pipelines.stages"))
        assert stages["Initialization"] is None and set(stages["Execution"]) == {"StartTime", "EndTime", "Status"}
        assert properties == {
            "azureml.DevPlatv2": "true",
            "azureml.DatasetAccessMode": "Asset",
            "azureml.runsource": "azureml.PipelineRun",
            "runSource": "MFE",
            "runType": "HTTP",
            "azureml.parameters": "{}",
            "azureml.continue_on_step_failure": "True",
            "azureml.continue_on_failed_optional_input": "True",
            "azureml.enforceRerun": "False",
            "azureml.defaultComputeName": "cpu",
            "azureml.defaultDataStoreName": "workspaceblobstore",
            "azureml.pipelineComponent": "pipelinerun",
        }


class TestRefusals:
    @pytest.fixture
    def node(self, maker: str) -> dict[str, Any]:
        return {"componentId": maker, "inputs": {"word": literal("x")}}

    def refused(self, answer: Any, target: str) -> None:
        assert error(answer) == (400, "UserError"), answer.text
        assert answer.json()["error"]["target"] == f"properties.{target}", answer.text

    def test_no_nodes(self, team: Team) -> None:
        self.refused(arm_pipeline(team, {}), "jobs")

    @pytest.mark.parametrize(
        ("changes", "target"),
        [
            ({"componentId": None}, "jobs.a.componentId"),
            ({"componentId": "/x/components/none/versions/1"}, "jobs.a.componentId"),
            ({"componentId": "azureml://registries/r/components/c/versions/1"}, "jobs.a.componentId"),
            ({"type": "pipeline"}, "jobs.a.type"),
            ({"inputs": {}}, "jobs.a.inputs.word"),
            ({"inputs": {"word": literal("x"), "other": literal("y")}}, "jobs.a.inputs.other"),
            ({"inputs": {"word": literal("${{parent.inputs.none}}")}}, "jobs.a"),
            ({"inputs": {"word": literal("${{parent.jobs.none.outputs.out}}")}}, "jobs.a"),
            ({"environment_variables": {"A": "${{parent.jobs.a.outputs.none}}"}}, "jobs.a"),
            ({"inputs": {"word": literal("${{parent.jobs.a.outputs.out}}")}}, "jobs"),
            ({"outputs": {"none": {"mode": "Upload"}}}, "jobs.a.outputs.none"),
            ({"outputs": {"out": {"value": "${{parent.outputs.none}}", "type": LITERAL}}}, "jobs.a.outputs.out"),
            ({"computeId": "none"}, "computeId"),
        ],
        ids=str,
    )
    def test_what_is_wrong_is_named(
        self, team: Team, node: dict[str, Any], changes: dict[str, Any], target: str
    ) -> None:
        self.refused(arm_pipeline(team, {"a": node | changes}), target)

    @pytest.mark.parametrize("kind", ["automl", "spark"])
    def test_node_types_that_are_not_emulated(self, team: Team, node: dict[str, Any], kind: str) -> None:
        answer = arm_pipeline(team, {"a": node | {"type": kind}})
        self.refused(answer, "jobs.a.type")
        assert f"'{kind}'" in answer.json()["error"]["message"]

    @pytest.mark.parametrize(
        ("changes", "target"),
        [
            ({"search_space": {}}, "inputs.word"),
            ({"search_space": {"word": {"type": "uniform", "min_value": 1}}}, "search_space.word"),
            ({"search_space": {"none": {"type": "randint", "upper": 3}}}, "inputs.none"),
            ({"objective": {"goal": "maximize"}}, "objective"),
            ({"trial": {}}, "componentId"),
        ],
    )
    def test_a_sweep(self, team: Team, maker: str, changes: dict[str, Any], target: str) -> None:
        node = {
            "type": "sweep",
            "trial": {"componentId": maker},
            "search_space": {"word": {"type": "choice", "values": ["a"]}},
            "objective": {"goal": "maximize", "primary_metric": "score"},
            **changes,
        }
        self.refused(arm_pipeline(team, {"a": node}), f"jobs.a.{target}")

    def test_a_circle(self, team: Team, maker: str) -> None:
        jobs = {
            one: {"componentId": maker, "inputs": {"word": literal(f"${{{{parent.jobs.{other}.outputs.out}}}}")}}
            for one, other in (("a", "b"), ("b", "c"), ("c", "a"))
        }
        answer = arm_pipeline(team, jobs)
        self.refused(answer, "jobs")
        assert "→" in answer.json()["error"]["message"]

    def test_within_a_nested_pipeline(self, team: Team, node: dict[str, Any]) -> None:
        inner = {"name": "a", "type": "command", **node, "inputs": {}}
        nested = arm_component(team, "", type="pipeline", jobs={"a": inner}, environment=None, command=None)
        self.refused(arm_pipeline(team, {"n": {"componentId": nested, "type": "pipeline"}}), "jobs.a.inputs.word")

    def test_an_unknown_compute(self, team: Team, node: dict[str, Any]) -> None:
        answer = arm_pipeline(team, {"a": node}, computeId="none")
        assert answer.json()["error"]["message"] == "Unknown compute target 'none'."
        inner = {one["type"]: one["info"]["value"] for one in answer.json()["error"]["additionalInfo"]}["InnerError"]
        assert inner["innerError"]["code"] == "UnknownTargetType"

    def test_the_graph_does_not_change(self, team: Team, node: dict[str, Any]) -> None:
        made = arm_pipeline(team, {"a": node})
        name, properties = made.json()["name"], made.json()["properties"]
        changed = {**properties, "settings": {"force_rerun": True}}
        assert error(team.arm("PUT", f"/jobs/{name}", {"properties": changed})) == (400, "UserError")
        again = team.arm("PUT", f"/jobs/{name}", {"properties": {**properties, "tags": {"a": "b"}}})
        assert (again.status_code, again.json()["properties"]["tags"]) == (200, {"a": "b"})


class TestRights:
    def test_who_may_submit_read_and_cancel(self, team: Team, lead: Client, maker: str) -> None:
        node = {"componentId": maker, "inputs": {"word": literal("x")}}
        scientist = team.by(Client(team.azure.sandbox, "scientist"))
        made = arm_pipeline(scientist, {"a": node})
        assert made.status_code == 201
        name = made.json()["name"]
        stranger = team.by(lead)
        for answer, action in (
            (arm_pipeline(stranger, {"a": node}), "jobs/write"),
            (stranger.arm("GET", f"/jobs/{name}"), "jobs/read"),
            (stranger.arm("POST", f"/jobs/{name}/cancel"), "jobs/cancel/action"),
            (stranger.arm("DELETE", f"/jobs/{name}"), "jobs/delete"),
            (stranger.plane("GET", "history/v1.0", f"/runs/{name}/children"), "experiments/runs/read"),
        ):
            assert error(answer) == (403, "AuthorizationFailed")
            assert f"Microsoft.MachineLearningServices/workspaces/{action}" in answer.json()["error"]["message"]
        assert scientist.plane("GET", "history/v1.0", f"/runs/{name}/children").status_code == 200
        assert scientist.arm("POST", f"/jobs/{name}/cancel").status_code in (200, 202)
        ended(team, name)

    def test_steps_read_data_as_their_compute(self, team: Team, azure: Client, reader: str) -> None:
        """A compute without a role on the lake: the step fails with the reason, unless the node runs as the user."""
        poor = harness.identity(azure, team.needs.group)
        body = cluster(team.needs)
        body["identity"]["userAssignedIdentities"] = {poor["id"]: {}}
        assert team.arm("PUT", "/computes/poorer", body).status_code in (200, 201)
        data = {"uri": "azureml://datastores/lake/paths/rights/", "job_input_type": "uri_folder"}
        node = {"componentId": reader, "inputs": {"data": data}, "computeId": f"{team.id}/computes/poorer"}
        name = arm_pipeline(team, {"a": node}).json()["name"]
        assert ended(team, name) == "Failed"
        step = children(team, name)["a"]
        assert "AuthorizationPermissionMismatch" in step["error"]["error"]["message"]
        scientist = team.by(Client(team.azure.sandbox, "scientist"))
        as_user = {**node, "identity": {"type": "user_identity"}}
        other = arm_pipeline(scientist, {"a": as_user}).json()["name"]
        assert ended(team, other) == "Failed"  # it may read, and there is nothing
        assert "does not exist or is empty" in children(team, other)["a"]["error"]["error"]["message"]


def test_inputs_of_a_step_are_in_its_command(team: Team, maker: str, reader: str) -> None:
    """Optional inputs: given by the pipeline, bound to a pipeline input that is not given, left out."""
    inputs = {"word": {"jobInputType": "literal", "value": "w"}}
    jobs = {
        "given": {"componentId": maker, "inputs": {"word": literal("pre-${{parent.inputs.word}}-post")}},
        "read": {"componentId": reader, "inputs": {"data": literal("${{parent.jobs.given.outputs.out}}")}},
    }
    name = arm_pipeline(team, jobs, inputs=inputs).json()["name"]
    assert ended(team, name) == "Completed", failures(team, name)
    assert log_text(team, children(team, name)["read"]["runId"]).split()[-1] == "pre-w-post"


def test_an_instance_is_a_target(team: Team, maker: str) -> None:
    name = unique("ci")
    body = {
        "location": harness.REGION,
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {team.needs.nodes["id"]: {}}},
        "properties": {"computeType": "ComputeInstance", "properties": {"vmSize": "STANDARD_DS1_V2"}},
    }
    assert team.arm("PUT", f"/computes/{name}", body).status_code == 201
    until(
        lambda: team.arm("GET", f"/computes/{name}").json()["properties"]["properties"]["state"] == "Running", "the VM"
    )
    node = {"componentId": maker, "inputs": {"word": literal("x")}, "computeId": f"{team.id}/computes/{name}"}
    done = arm_pipeline(team, {"a": node}).json()["name"]
    assert ended(team, done) == "Completed", failures(team, done)
    scientist = team.by(Client(team.azure.sandbox, "scientist"))
    refused = arm_pipeline(scientist, {"a": node})
    assert error(refused) == (400, "UserError") and "assigned to somebody else" in refused.json()["error"]["message"]
    team.arm("POST", f"/computes/{name}/stop")
    waiting = arm_pipeline(team, {"a": node}).json()["name"]
    until(lambda: "a" in children(team, waiting), "the step")
    assert children(team, waiting)["a"]["status"] == "Queued"
    team.arm("POST", f"/computes/{name}/start")
    assert ended(team, waiting) == "Completed"
    team.arm("DELETE", f"/computes/{name}", underlyingResourceAction="Delete")


class TestKill:
    """A sandbox that is killed while a pipeline runs: the next one goes on, and nothing runs twice that was done."""

    def pipeline(self, team: Team, folder: Path) -> str:
        """`first` and `second` count their runs; `second` waits for a file; `third` takes the output of both."""

        def counted(name: str, more: str) -> str:
            line = f"echo run >> {folder}/{name}; {more}; echo {name} > ${{{{outputs.out}}}}/word"
            return arm_component(team, line, outputs={"out": FOLDER})

        first = counted("first", "true")
        second = counted(
            "second", f"sleep 600 & echo $! > {folder}/child; until [ -e {folder}/go ]; do sleep 0.1; done"
        )
        third = arm_component(team, "cat ${{inputs.a}}/word ${{inputs.b}}/word", inputs={"a": FOLDER, "b": FOLDER})
        inputs = {
            "a": literal("${{parent.jobs.first.outputs.out}}"),
            "b": literal("${{parent.jobs.second.outputs.out}}"),
        }
        nodes: dict[str, dict[str, Any]] = {
            "first": {"componentId": first},
            "second": {"componentId": second},
            "third": {"componentId": third, "inputs": inputs},
        }
        inner = {name: {"name": name, "type": "command", **node} for name, node in nodes.items()}
        nested = arm_component(team, "", type="pipeline", jobs=inner, environment=None, command=None)
        made = arm_pipeline(team, {"nested": {"componentId": nested, "type": "pipeline"}})
        assert made.status_code == 201, made.text
        return str(made.json()["name"])

    @pytest.mark.parametrize("kill", [True, False], ids=["killed", "stopped"])
    def test_it_goes_on(self, sandbox: Sandbox, tmp_path: Path, kill: bool) -> None:
        team = harness.team(Client(sandbox))
        team.arm("PUT", "/computes/cpu", cluster(team.needs, most=2))
        name = self.pipeline(team, tmp_path)
        until(lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text().strip(), "the second step")
        nested = children(team, name)["nested"]["runId"]
        until(lambda: children(team, nested)["first"]["status"] == "Completed", "the first step")
        child = int((tmp_path / "child").read_text())
        if kill:
            pid = sandbox.pid
            os.kill(pid, signal.SIGKILL)
            until(lambda: not alive(pid), "the end of the sandbox")
        else:
            sandbox.stop()
            assert not alive(child)
        sandbox.start()
        team = team.by(Client(sandbox))
        until(lambda: not alive(child), "the end of the orphan")
        (tmp_path / "go").touch()
        assert ended(team, name) == "Completed", failures(team, nested)
        assert (tmp_path / "first").read_text().split() == ["run"]
        assert (tmp_path / "second").read_text().split() == ["run", "run"]
        found = children(team, nested)
        assert set(found) == {"first", "second", "third"}
        assert "begins again" in details(team, found["second"]["runId"])["warnings"][0]["message"]
        assert log_text(team, found["third"]["runId"]).split()[-2:] == ["first", "second"]

    def test_a_cancel_is_not_forgotten(self, sandbox: Sandbox, tmp_path: Path) -> None:
        team = harness.team(Client(sandbox))
        name = self.pipeline(team, tmp_path)
        until(lambda: status(team, name) == "Running", "the pipeline")
        pid = sandbox.pid
        assert team.arm("POST", f"/jobs/{name}/cancel").status_code in (200, 202)
        os.kill(pid, signal.SIGKILL)
        until(lambda: not alive(pid), "the end of the sandbox")
        sandbox.start()
        team = team.by(Client(sandbox))
        assert ended(team, name) == "Canceled"
