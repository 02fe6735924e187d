"""The outputs' contract, read as its writer means it, and refused with the key that is wrong."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import StackOutputs
from jobs.errors import JobError
from jobs.outputs import Outputs, parse, read_file, read_stack
from tests.jobs.conftest import OUTPUTS

NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=16)
WORDS = st.text(max_size=20)
MINUTES = st.integers(0, 10_000)


@st.composite
def teams(draw: st.DrawFn) -> dict[str, Any]:
    """A team's outputs, with addresses that belong together."""
    subscription, group, workspace = str(draw(st.uuids())), draw(NAMES), draw(NAMES)
    resource = (
        f"/subscriptions/{subscription}/resourceGroups/{group}"
        f"/providers/Microsoft.MachineLearningServices/workspaces/{workspace}"
    )
    base = f"azureml://subscriptions/{subscription}/resourcegroups/{group}/workspaces/{workspace}"
    cluster = st.fixed_dictionaries(
        {
            "vmSize": WORDS,
            "maxNodes": MINUTES,
            "priority": st.sampled_from(["dedicated", "lowPriority"]),
            "idleMinutes": MINUTES,
        }
    )
    kinds = st.sampled_from(["AzureDataLakeGen2", "AzureBlob", "AzureFile"])
    return {
        "subscriptionId": subscription,
        "resourceGroup": group,
        "workspace": workspace,
        "location": draw(WORDS),
        "studioUrl": draw(WORDS),
        "trackingUri": f"azureml://region.api.azureml.ms/mlflow/v1.0{resource}",
        "clusters": draw(st.dictionaries(NAMES, cluster, max_size=3)),
        "datastores": {
            name: {
                "type": draw(kinds),
                "account": draw(WORDS),
                "container": draw(WORDS),
                "uri": f"{base}/datastores/{name}/paths/",
            }
            for name in draw(st.lists(NAMES, max_size=3, unique=True))
        },
        "roles": {"teamLead": {"name": "", "id": ""}, "dataScientist": {"name": "", "id": ""}},
    }


DEPARTMENTS = st.fixed_dictionaries(
    {
        "code": WORDS,
        "environment": st.sampled_from(["res", "dev", "pro"]),
        "region": WORDS,
        "subscriptionId": WORDS,
        "owner": WORDS,
        "costCenter": WORDS,
    }
)
STACKS = st.fixed_dictionaries(
    {
        "contract": st.just(1),
        "department": DEPARTMENTS,
        "teams": st.dictionaries(NAMES, teams(), max_size=3),
    }
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


def leaves(value: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every path to a value in nested objects, but for roles, which jobs does not read."""
    if not isinstance(value, dict):
        return [path]
    return [leaf for key, inner in value.items() if key != "roles" for leaf in leaves(inner, (*path, key))]


@given(STACKS)
def test_reads_what_the_stack_writes(stack: dict[str, Any]) -> None:
    written = StackOutputs.model_validate(stack).model_dump(mode="json", by_alias=True)
    read = parse(json.dumps(written), "stack").model_dump(mode="json", by_alias=True)
    assert read == written


@given(st.sampled_from(leaves(OUTPUTS)), JSON.filter(lambda value: not isinstance(value, (str, int))))
def test_a_wrong_value_is_named_by_its_key(path: tuple[str, ...], value: Any) -> None:
    changed = json.loads(json.dumps(OUTPUTS))
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    with pytest.raises(JobError, match=path[-1]):
        parse(json.dumps(changed), "stack")


@given(st.sampled_from(leaves(OUTPUTS)))
def test_a_missing_key_is_named(path: tuple[str, ...]) -> None:
    changed = json.loads(json.dumps(OUTPUTS))
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    with pytest.raises(JobError, match=path[-1]):
        parse(json.dumps(changed), "stack")


@given(JSON.map(json.dumps) | st.text())
def test_anything_else_is_refused_in_words(text: str) -> None:
    with pytest.raises(JobError, match=r"^somewhere: "):
        parse(text, "somewhere")


def test_keys_of_a_later_stack_are_ignored(outputs: dict[str, Any]) -> None:
    outputs["teams"]["bluegranit"]["endpoints"] = {"scoring": {}}
    assert parse(json.dumps(outputs), "stack").team("bluegranit").workspace == "bgmrbluegranite2devws"


@pytest.mark.parametrize("key", ["workspace", "resourceGroup", "subscriptionId"])
def test_addresses_of_another_workspace_are_refused(outputs: dict[str, Any], key: str) -> None:
    outputs["teams"]["bluegranit"][key] = "another"
    with pytest.raises(JobError, match=r"teams\.bluegranit: trackingUri is not that of workspace"):
        parse(json.dumps(outputs), "stack")


def test_a_datastore_of_another_workspace_is_refused(outputs: dict[str, Any]) -> None:
    datastore = outputs["teams"]["bluegranit"]["datastores"]["MLData"]
    datastore["uri"] = datastore["uri"].replace("bgmrbluegranite2devws", "another")
    with pytest.raises(JobError, match=r"datastores\.MLData\.uri should be .*bgmrbluegranite2devws"):
        parse(json.dumps(outputs), "stack")


def test_the_only_team_needs_no_name(outputs: dict[str, Any]) -> None:
    one = parse(json.dumps(outputs), "stack")
    assert one.team(None) == one.team("bluegranit")
    outputs["teams"]["second"] = outputs["teams"]["bluegranit"]
    with pytest.raises(JobError, match=r"--team is needed.*bluegranit, second"):
        parse(json.dumps(outputs), "stack").team(None)


@pytest.mark.parametrize(("stack", "environment"), [("dev", "dev"), ("prod", "pro"), ("bgmr-res-eastus2", "res")])
def test_a_file_is_accepted_for_its_own_stack_only(
    outputs: dict[str, Any], tmp_path: Path, stack: str, environment: str
) -> None:
    file = tmp_path / "outputs.json"
    outputs["department"]["environment"] = environment
    file.write_text(json.dumps(outputs))
    assert read_file(file, stack) == read_file(file)
    with pytest.raises(JobError, match=f"environment {environment}, not of stack test"):
        read_file(file, "test")


def answer_as_pulumi(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a `pulumi` on PATH: the real one cannot be installed here, and all that is asked of it is one command."""
    pulumi = folder / "pulumi"
    pulumi.write_text(f'#!/bin/sh\n[ "$*" = "stack output --json -s dev" ] || exit 9\n{script}\n')
    pulumi.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_asks_the_pulumi_on_path(outputs: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "outputs.json").write_text(json.dumps(outputs))
    answer_as_pulumi(tmp_path, monkeypatch, f"cat {tmp_path}/outputs.json")
    assert read_stack("dev") == Outputs.model_validate(outputs)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo \"error: no stack named 'dev' found\" >&2; exit 255", "stack dev: no stack named 'dev' found\n  bring"),
        ("echo '{}'", "stack dev has no outputs yet"),
        ('echo \'{"bucket": "x"}\'', "stack dev: has no key 'contract'"),
        ("echo '{\"contract\": 2}'", "stack dev: is of contract 2, and this version of jobs reads contract 1"),
    ],
)
def test_says_why_a_stack_has_no_outputs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, message: str
) -> None:
    answer_as_pulumi(tmp_path, monkeypatch, script)
    with pytest.raises(JobError) as failure:
        read_stack("dev")
    assert message in str(failure.value)
