"""The outputs are a promise: what was readable stays readable, and another project's stack reads them."""

import contextlib
import copy
import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from sandbox import pulumi
from tests.conftest import Sandbox
from tests.program.contract import CURRENT, PROMISED, breaks, check
from tests.program.harness import ROOT, stack_file
from tests.program.stack import Stack

SCHEMA = json.loads(PROMISED.read_text())
TEAM = "outputs.teams.*"


def test_todays_outputs_keep_the_promise() -> None:
    found = breaks(SCHEMA, json.loads(CURRENT.read_text()))
    assert found == [], "mend contract/, or raise CONTRACT, promise it in a file of its own, and teach jobs"


def team(schema: Any) -> Any:
    return schema["$defs"]["TeamOutput"]


def cluster(schema: Any) -> Any:
    return schema["$defs"]["ClusterOutput"]["properties"]


CHANGES: dict[str, tuple[Callable[[Any], Any], list[str]]] = {
    "a key goes": (lambda s: team(s)["properties"].pop("workspace"), [f"{TEAM}.workspace: is gone"]),
    "a key is renamed": (
        lambda s: cluster(s).update(size=cluster(s).pop("vmSize")),
        [f"{TEAM}.clusters.*.vmSize: is gone"],
    ),
    "a type changes": (
        lambda s: cluster(s)["maxNodes"].update(type="string"),
        [f"{TEAM}.clusters.*.maxNodes: was integer, is string"],
    ),
    "null comes in": (
        lambda s: team(s)["properties"].update(location={"anyOf": [{"type": "string"}, {"type": "null"}]}),
        [f"{TEAM}.location: was string, is null or string"],
    ),
    "a mapping becomes a list": (
        lambda s: team(s)["properties"].update(clusters={"type": "array", "items": {"type": "string"}}),
        [f"{TEAM}.clusters: was object, is array"],
    ),
    "what it maps to changes": (
        lambda s: team(s)["properties"]["clusters"].update(additionalProperties={"type": "string"}),
        [f"{TEAM}.clusters.*: was object, is string"],
    ),
    "a required key becomes optional": (
        lambda s: team(s)["required"].remove("trackingUri"),
        [f"{TEAM}.trackingUri: was always there, and now need not be"],
    ),
    "an optional key becomes required": (
        lambda s: team(s)["required"].append("automation"),
        [f"{TEAM}.automation: is required, and stacks that are up do not have it"],
    ),
    "a new key is required": (
        lambda s: (team(s)["properties"].update(color={"type": "string"}), team(s)["required"].append("color")),
        [f"{TEAM}.color: is new and required; stacks that are up do not have it"],
    ),
    "a new choice": (
        lambda s: cluster(s)["priority"]["enum"].append("spot"),
        [f"{TEAM}.clusters.*.priority: may be spot, which nobody expects"],
    ),
    "any choice": (
        lambda s: cluster(s)["priority"].pop("enum"),
        [f"{TEAM}.clusters.*.priority: may be anything, which nobody expects"],
    ),
    "another contract": (
        lambda s: s["properties"]["contract"].update(const=2),
        ["outputs.contract: may be 2, which nobody expects"],
    ),
    # what nobody trips over
    "a new optional key": (lambda s: team(s)["properties"].update(color={"type": "string"}), []),
    "other words": (lambda s: team(s)["properties"]["location"].update(description="Where it is."), []),
    "a choice less": (lambda s: cluster(s)["priority"]["enum"].pop(), []),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_would_break_a_reader_is_found(change: str) -> None:
    edit, expected = CHANGES[change]
    changed = copy.deepcopy(SCHEMA)
    edit(changed)
    assert breaks(SCHEMA, changed) == expected


class Consumer:
    """The example's stack in the sandbox, where the department's is."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self._sandbox, self._file = sandbox, folder / "Pulumi.dev.yaml"
        self._file.write_text((ROOT / "examples" / "consumer" / "Pulumi.dev.yaml").read_text())

    def run(self, *words: str) -> tuple[int, str]:
        output, before = io.StringIO(), dict(os.environ)
        at = ["-C", str(ROOT / "examples" / "consumer"), "-s", "dev"]
        if words[0] != "stack":
            at += ["--config-file", str(self._file)]
        try:
            with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
                return pulumi.run(self._sandbox.directory, [*words, *at]), output.getvalue()
        finally:
            os.environ.clear()
            os.environ.update(before)

    def reads(self, old: str, new: str) -> None:
        self._file.write_text(self._file.read_text().replace(old, new))

    def outputs(self) -> Any:
        code, text = self.run("stack", "output", "--json")
        assert code == 0, text
        return json.loads(text)


@pytest.fixture(scope="module")
def department(module_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(module_sandbox, tmp_path_factory.mktemp("stack"))
    done = stack.up(stack_file("dev"))
    assert done.code == 0, done.text
    yield stack


def test_another_projects_stack_reads_the_outputs(department: Stack, tmp_path: Path) -> None:
    consumer = Consumer(department.sandbox, tmp_path)
    code, text = consumer.run("up", "--yes")
    assert code == 0, text
    told = department.outputs()["teams"]["bluegranit"]
    read = consumer.outputs()
    assert read["trackingUri"] == told["trackingUri"]
    assert read["clusters"] == sorted(told["clusters"])
    changed = stack_file("dev")
    changed["teams"][0]["clusters"].append({"name": "large", "vmSize": "STANDARD_DS3_V2", "maxNodes": 2})
    assert department.up(changed).code == 0
    assert consumer.run("up", "--yes")[0] == 0
    assert "large" in consumer.outputs()["clusters"]
    code, text = consumer.run("destroy", "--yes")
    assert code == 0, text


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("azureml-platform/dev", "azureml-platform/prod", 'unknown stack "organization/azureml-platform/prod"'),
        ("team: bluegranit", "team: redgranit", "no team 'redgranit'; its teams: bluegranit"),
    ],
)
def test_who_reads_what_is_not_there_is_told(department: Stack, tmp_path: Path, old: str, new: str, said: str) -> None:
    consumer = Consumer(department.sandbox, tmp_path)
    consumer.reads(old, new)
    code, text = consumer.run("preview")
    assert code == 1
    assert said in text
    assert "Traceback" not in text


def test_outputs_that_do_not_fit_are_refused(department: Stack) -> None:
    outputs = department.outputs()
    check(outputs)
    del outputs["teams"]["bluegranit"]["workspace"]
    with pytest.raises(jsonschema.ValidationError, match="'workspace' is a required property"):
        check(outputs)
