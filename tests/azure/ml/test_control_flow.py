"""Branches, loops and data transfers in pipelines: which steps run, and what they put out."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from tests.azure.client import error, unique
from tests.azure.ml.harness import Team
from tests.azure.ml.pipelines import FOLDER, arm_component, arm_pipeline, children, failures, run
from tests.azure.ml.test_pipeline_requests import literal
from tests.azure.ml.waiting import ended, log_text

TELL = """
import json, os
from urllib.request import Request, urlopen

scope, run = os.environ["AZUREML_WORKSPACE_SCOPE"], os.environ["AZUREML_RUN_ID"]
address = os.environ["AZUREML_SERVICE_ENDPOINT"] + f"/history/v1.0{scope}/runs/{run}"
body = {"properties": {"azureml.pipeline.control": json.dumps({"yes": True})}}
headers = {"Authorization": "Bearer " + os.environ["AZUREML_RUN_TOKEN"], "Content-Type": "application/json"}
urlopen(Request(address, json.dumps(body).encode(), headers, method="PATCH"))
"""
Arguments = dict[str, Any]
NUMBER = {"type": "integer"}


@pytest.fixture(scope="module")
def decide(team: Team) -> str:
    """Writes a truth value."""
    return arm_component(
        team,
        "echo ${{inputs.word}} > ${{outputs.yes}}",
        inputs={"word": {"type": "string"}},
        outputs={"yes": {"type": "boolean", "is_control": True}},
    )


@pytest.fixture(scope="module")
def count(team: Team) -> str:
    """Adds one, and says whether the number is below three."""
    return arm_component(
        team,
        "n=$((${{inputs.n}} + 1)); echo $n > ${{outputs.n}}; [ $n -lt 3 ] && echo True > ${{outputs.less}} || "
        "echo False > ${{outputs.less}}; echo $n > ${{outputs.out}}/n",
        inputs={"n": NUMBER},
        outputs={"n": NUMBER, "less": {"type": "boolean"}, "out": FOLDER},
    )


@pytest.fixture(scope="module")
def say(team: Team) -> str:
    """Prints a word."""
    return arm_component(team, "echo ${{inputs.word}}", inputs={"word": {"type": "string"}})


def step(component: str, **inputs: str) -> Arguments:
    return {"componentId": component, "inputs": {name: literal(value) for name, value in inputs.items()}}


def completed(team: Team, jobs: Arguments, **more: Any) -> dict[str, dict[str, Any]]:
    """The runs of the nodes of a pipeline that completed."""
    made = arm_pipeline(team, jobs, **more)
    assert made.ok, made.text
    name = made.json()["name"]
    assert ended(team, name) == "Completed", failures(team, name)
    return children(team, name)


def printed(team: Team, step_run: dict[str, Any]) -> str:
    """What a step's script has printed: its log without the sandbox's own lines."""
    lines = log_text(team, step_run["runId"]).splitlines()
    return "\n".join(one for one in lines if not one.startswith(("Environment ", "Warning: ")))


def branch(condition: Any, **blocks: Any) -> Arguments:
    named = {name: f"${{{{parent.jobs.{one}}}}}" for name, one in blocks.items()}
    return {"type": "if_else", "condition": condition, **named}


class TestBranches:
    @pytest.mark.parametrize(("word", "taken"), [("True", "a"), ("False", "b")])
    def test_a_steps_value_decides(self, team: Team, decide: str, say: str, word: str, taken: str) -> None:
        jobs = {
            "decide": step(decide, word=word),
            "a": step(say, word="x"),
            "b": step(say, word="y"),
            "if": branch("${{parent.jobs.decide.outputs.yes}}", true_block="a", false_block="b"),
        }
        assert set(completed(team, jobs)) == {"decide", taken}

    def test_what_needs_a_node_that_is_not_taken_is_not_taken(self, team: Team, count: str, say: str) -> None:
        jobs = {
            "a": step(count, n="1"),
            "after": step(say, word="${{parent.jobs.a.outputs.n}}"),
            "other": step(say, word="x"),
            "if": branch(False, true_block="a"),
        }
        assert set(completed(team, jobs)) == {"other"}

    def test_a_condition_without_a_value_fails_its_nodes(self, team: Team, say: str) -> None:
        silent = arm_component(team, "true", outputs={"yes": {"type": "boolean"}})
        jobs = {
            "silent": {"componentId": silent},
            "a": step(say, word="x"),
            "if": branch("${{parent.jobs.silent.outputs.yes}}", true_block="a"),
        }
        name = arm_pipeline(team, jobs).json()["name"]
        assert ended(team, name) == "Failed"
        assert "has no value" in children(team, name)["a"]["error"]["error"]["message"]

    def test_a_value_told_to_run_history(self, team: Team, say: str) -> None:
        """As mldesigner's components tell it: a property of the run, and no file."""
        tell = f"python -c '{TELL}'"
        component = arm_component(team, tell, outputs={"yes": {"type": "boolean"}})
        jobs = {
            "tell": {"componentId": component},
            "a": step(say, word="x"),
            "if": branch("${{parent.jobs.tell.outputs.yes}}", true_block="a"),
        }
        assert set(completed(team, jobs)) == {"tell", "a"}

    @pytest.mark.parametrize(
        "node",
        [
            branch("${{parent.inputs.x}}", true_block="a"),
            branch("perhaps", true_block="a"),
            branch(True, true_block="none"),
            {"type": "parallel_for", "body": "${{parent.jobs.a}}", "items": "[1]"},
            {"type": "parallel_for", "body": "${{parent.jobs.a}}", "items": "[]"},
            {"type": "parallel_for", "body": "${{parent.jobs.a}}", "items": "{"},
            {"type": "do_while", "body": "${{parent.jobs.none}}"},
            {"type": "do_while", "body": "${{parent.jobs.a}}", "limits": {"max_iteration_count": 1001}},
        ],
        ids=str,
    )
    def test_what_is_wrong_is_named(self, team: Team, say: str, node: Arguments) -> None:
        answer = arm_pipeline(team, {"a": step(say, word="x"), "flow": node})
        assert error(answer) == (400, "UserError")
        assert "'flow'" in answer.json()["error"]["message"]


class TestLoops:
    def test_do_while(self, team: Team, count: str, say: str) -> None:
        """Each round gets what the one before put out; what comes after gets the last round's."""
        jobs = {
            "count": step(count, n="0"),
            "loop": {
                "type": "do_while",
                "body": "${{parent.jobs.count}}",
                "condition": "less",
                "mapping": {"n": ["n"]},
                "limits": {"max_iteration_count": 9},
            },
            "after": step(say, word="${{parent.jobs.count.outputs.n}}"),
        }
        found = completed(team, jobs)
        assert set(found) == {"count-1", "count-2", "count-3", "after"}
        assert printed(team, found["after"]) == "3"

    def test_do_while_ends_at_its_limit(self, team: Team, count: str) -> None:
        loop = {
            "type": "do_while",
            "body": "${{parent.jobs.count}}",
            "mapping": {},
            "limits": {"max_iteration_count": 2},
        }
        assert set(completed(team, {"count": step(count, n="0"), "loop": loop})) == {"count-1", "count-2"}

    @pytest.mark.parametrize("items", ['[{"n": 1}, {"n": 5}]', "${{parent.inputs.items}}"])
    def test_parallel_for(self, team: Team, count: str, say: str, items: str) -> None:
        """A round an item; values are gathered as a list, and folders as a table of their addresses."""
        table = arm_component(team, "cat ${{inputs.table}}/MLTable", inputs={"table": {"type": "mltable"}})
        jobs = {
            "count": {"componentId": count},
            "each": {"type": "parallel_for", "body": "${{parent.jobs.count}}", "items": items},
            "after": step(say, word="'${{parent.jobs.each.outputs.n}}'"),
            "read": step(table, table="${{parent.jobs.each.outputs.out}}"),
        }
        inputs = {"items": {"jobInputType": "literal", "value": '{"1": {"n": 1}, "2": {"n": 5}}'}}
        found = completed(team, jobs, inputs=inputs)
        assert set(found) == {"count-1", "count-2", "each", "after", "read"}
        assert json.loads(printed(team, found["after"])) == ["2", "6"]
        paths = yaml.safe_load(printed(team, found["read"]))["paths"]
        assert [f"/{found[f'count-{one}']['runId']}/out" in paths[one - 1]["folder"] for one in (1, 2)] == [True, True]


class TestTransfer:
    @pytest.fixture(scope="class")
    def move(self, team: Team) -> Callable[..., str]:
        """Makes components that copy folders, two if no others are named."""

        def made(mode: str, folders: str = "ab") -> str:
            return arm_component(
                team,
                "",
                type="data_transfer",
                task="copy_data",
                data_copy_mode=mode,
                inputs=dict.fromkeys(folders, FOLDER),
                outputs={"out": FOLDER},
                environment=None,
                command=None,
            )

        return made

    @pytest.fixture(scope="class")
    def write(self, team: Team) -> str:
        return arm_component(
            team,
            "mkdir ${{outputs.out}}/sub; echo ${{inputs.word}} > ${{outputs.out}}/same; echo x > "
            "${{outputs.out}}/sub/${{inputs.word}}",
            inputs={"word": {"type": "string"}},
            outputs={"out": FOLDER},
        )

    def jobs(self, write: str, component: str, **out: str) -> Arguments:
        return {
            "one": step(write, word="one"),
            "two": step(write, word="two"),
            "move": {
                "type": "data_transfer",
                "task": "copy_data",
                "outputs": {"out": {"job_output_type": "uri_folder", **out}} if out else {},
                **step(component, a="${{parent.jobs.one.outputs.out}}", b="${{parent.jobs.two.outputs.out}}"),
            },
        }

    def test_merge(self, team: Team, write: str, move: Callable[..., str]) -> None:
        reader = arm_component(team, "cd ${{inputs.data}}; cat same; ls sub", inputs={"data": FOLDER})
        jobs = self.jobs(write, move("merge_with_overwrite"))
        jobs["read"] = step(reader, data="${{parent.jobs.move.outputs.out}}")
        found = completed(team, jobs)
        assert printed(team, found["read"]).split() == ["two", "one", "two"]
        assert run(team, found["move"]["runId"])["status"] == "Completed"

    def test_a_conflict_fails(self, team: Team, write: str, move: Callable[..., str]) -> None:
        name = arm_pipeline(team, self.jobs(write, move("fail_if_conflict"))).json()["name"]
        assert ended(team, name) == "Failed"
        assert "'same' is there already" in children(team, name)["move"]["error"]["error"]["message"]

    def test_a_conflict_with_what_lies_there(self, team: Team, write: str, move: Callable[..., str]) -> None:
        place = f"azureml://datastores/workspaceblobstore/paths/{unique('moved')}/"
        node = {
            "type": "data_transfer",
            "outputs": {"out": {"job_output_type": "uri_folder", "uri": place}},
            **step(move("fail_if_conflict", "a"), a="${{parent.jobs.one.outputs.out}}"),
        }
        jobs = {"one": step(write, word="one"), "move": node}
        completed(team, jobs)
        name = arm_pipeline(team, jobs).json()["name"]
        assert ended(team, name) == "Failed"
        assert "is there already" in children(team, name)["move"]["error"]["error"]["message"]

    def test_what_lies_outside_fails_with_what_to_do_instead(self, team: Team) -> None:
        node = {
            "type": "data_transfer",
            "task": "import_data",
            "componentId": "azureml://registries/azureml/components/import_data_database/versions/0.0.1",
            "source": {"type": "database", "connection": "azureml:none", "query": "select 1"},
        }
        name = arm_pipeline(team, {"a": node}).json()["name"]
        assert ended(team, name) == "Failed"
        message = children(team, name)["a"]["error"]["error"]["message"]
        assert "import_data" in message and "datastore" in message
