"""A team and a cluster that are renamed: what a preview tells in the sandbox, and what an update keeps."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Sandbox
from tests.program.harness import Registered, run_program, stack_file
from tests.program.stack import Stack
from tests.proof.stacks import WIDE


def department(name: str, **team: Any) -> Any:
    """A small department with one team."""
    raw = deepcopy(stack_file("dev"))
    raw["code"] = "ren"
    raw["teams"][0]["clusters"] = raw["teams"][0]["clusters"][:1]
    raw["teams"][0] |= {"name": name, **team}
    return raw


def ids(stack: Stack) -> set[str]:
    """The Azure ids in the state."""
    return {one["id"] for one in stack.resources() if one["type"].startswith("azure-native:") and one.get("id")}


@pytest.mark.parametrize("custom", [{}, {"customName": "rename-kept"}], ids=["usual names", "customName"])
def test_a_renamed_team_is_recognised_and_kept(sandbox: Sandbox, tmp_path: Path, custom: dict[str, str]) -> None:
    stack = Stack(sandbox, tmp_path, "dev", under_policy=False)
    old = "byname" if not custom else "bycustom"
    assert (done := stack.up(department(old, **custom))).code == 0, done.text
    before = ids(stack)
    preview = stack.preview(department("planning", **custom))
    if custom:
        assert preview.code != 0
        assert f"The team 'planning' has the names on Azure that the team '{old}' has" in preview.text
    else:
        assert preview.code == 0, preview.text
        assert f"The team '{old}' is gone from the settings, and 'planning' is new." in preview.text
        assert f"'ren-{old}-eastus2-dev' with its workspace, data, models and secrets" in preview.text
    assert f"formerName: {old}" in preview.text
    kept = department("planning", formerName=old, **custom)
    done = stack.preview(kept)
    assert done.code == 0, done.text
    assert "is gone from the settings" not in done.text
    done = stack.up(kept)
    assert done.code == 0, done.text
    assert {step.split()[0] for step in done.steps} <= {"update", "same"}, sorted(done.steps)
    assert ids(stack) == before
    assert stack.up(kept).steps == frozenset()
    assert (done := stack.destroy(kept)).code == 0, done.text


def test_a_renamed_cluster_is_told(sandbox: Sandbox, tmp_path: Path) -> None:
    stack = Stack(sandbox, tmp_path, "dev", under_policy=False)
    first = department("clusters")
    assert (done := stack.up(first)).code == 0, done.text
    renamed = deepcopy(first)
    renamed["teams"][0]["clusters"][0]["name"] = "cpu-cluster-large"
    done = stack.preview(renamed)
    assert done.code == 0, done.text
    said = "clusters: the compute 'ds3-v2-cluster' is gone from the settings, and 'cpu-cluster-large' with its VM size"
    assert said in done.text
    assert (done := stack.destroy(first)).code == 0, done.text


def _former(resource: Registered) -> set[tuple[str, str]]:
    """Type and name of what a resource can be in the state."""
    aliases = {alias.spec.name for alias in resource.request.aliases if alias.HasField("spec")}
    return {(resource.type, name) for name in (resource.name, *aliases)}


def _names_on_azure(resource: Registered) -> dict[str, Any]:
    """The inputs that are names; an assignment's is made from ids, which the harness makes from names in Pulumi."""
    return {
        key: value
        for key, value in resource.inputs.items()
        if key.lower().endswith("name") and key != "roleAssignmentName" and isinstance(value, str)
    }


def test_every_resource_of_a_renamed_team_is_found_again_under_its_former_name() -> None:
    before = json.loads(json.dumps(WIDE, default=str))
    after = deepcopy(before)
    after["teams"][0] |= {"name": "planning", "formerName": before["teams"][0]["name"]}
    state = {(one.type, one.name): one for one in run_program(before).resources}
    for resource in run_program(after).resources:
        found = [state.pop(key) for key in _former(resource) if key in state]
        assert len(found) == 1, (resource.type, resource.name)
        assert _names_on_azure(resource) == _names_on_azure(found[0]), resource.name
    assert state == {}
