"""Pipelines under faults: lost nodes, answers that never came, and a kill."""

from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from tests.azure.client import Client
from tests.azure.ml import harness
from tests.azure.ml.harness import Team, cluster
from tests.azure.ml.pipelines import FOLDER, arm_component, children, failures
from tests.azure.ml.waiting import below, details, ended
from tests.conftest import Sandbox
from tests.faults.kills import Killed, grid, pipelines, sweeps
from tests.faults.sweep import clear, plan, struck


def submit(team: Team, name: str, component: str) -> requests.Response:
    """Two steps, the second after the first; sent again until there is an answer, as clients do."""
    after = {"job_input_type": "literal", "value": "${{parent.jobs.a.outputs.out}}"}
    jobs = {
        "a": {"name": "a", "type": "command", "componentId": component},
        "b": {"name": "b", "type": "command", "componentId": component, "inputs": {"before": after}},
    }
    body = {"jobType": "Pipeline", "jobs": jobs, "computeId": f"{team.id}/computes/cpu"}
    for _ in range(5):
        try:
            answer = team.arm("PUT", f"/jobs/{name}", {"properties": body}, "2024-01-01-preview")
        except requests.ConnectionError:
            continue
        if answer.ok:
            return answer
    raise AssertionError("no answer came")


def test_lost_nodes_and_lost_answers(sandbox: Sandbox, tmp_path: Path) -> None:
    """Each step loses its node once; the submission's answer is lost, and the second one changes nothing."""
    team = harness.team(Client(sandbox))
    team.arm("PUT", "/computes/cpu", cluster(team.needs, most=2))
    line = f"echo >> {tmp_path}/$AZUREML_RUN_ID; [ $(wc -l < {tmp_path}/$AZUREML_RUN_ID) -ge 2 ] || sleep 600"
    inputs = {"before": {"type": "uri_folder", "optional": True}}
    component = arm_component(team, f"{line}; echo x > ${{{{outputs.out}}}}/x", inputs=inputs, outputs={"out": FOLDER})
    plan(sandbox, 1, "preemption,count=3,seconds=0.3", "reset-after,method=PUT,path=*/jobs/one,count=1")
    assert submit(team, "one", component).status_code == 200
    assert ended(team, "one") == "Completed", failures(team, "one")
    assert sorted(struck(sandbox)) == [*["preemption"] * 3, "reset-after"]
    clear(sandbox)
    found = children(team, "one")
    assert set(found) == {"a", "b"}
    for step in found.values():
        assert "preempted" in details(team, step["runId"])["warnings"][0]["message"]
        assert len((tmp_path / step["runId"]).read_text()) >= 2


@pytest.mark.parametrize("work", [pipelines, sweeps])
def test_a_kill_loses_nothing_and_repeats_no_success(work: Callable[[Path, int], Killed], tmp_path: Path) -> None:
    """One of the soak's kills; the others are `make soak`'s."""
    assert not work(tmp_path, 3).lost


def test_a_trial_that_loses_its_node_begins_again(sandbox: Sandbox, tmp_path: Path) -> None:
    team = harness.team(Client(sandbox))
    line = f"echo >> {tmp_path}/$AZUREML_RUN_ID; [ $(wc -l < {tmp_path}/$AZUREML_RUN_ID) -ge 2 ] || sleep 600"
    properties = grid(team, [1, 2], line)
    plan(sandbox, 1, "preemption,count=3,seconds=1")
    assert team.arm("PUT", "/jobs/one", {"properties": properties}, "2024-01-01-preview").status_code == 201
    assert ended(team, "one") == "Completed"
    found = below(team, "one")
    assert [one["status"] for one in found] == ["Completed"] * 2
    assert all("preempted" in one["warnings"][0]["message"] for one in found)
