"""A job's file fitted to the team: short forms, clusters, datastores, cost, tags. Nothing is sent."""

import copy
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from jobs.errors import JobError
from jobs.outputs import parse
from jobs.submission.submit import Prepared, prepare
from jobs.workspace import Workspace
from tests.jobs.conftest import OUTPUTS
from tests.jobs.test_cli import run, saved

COMMAND = """\
type: command
command: python x.py ${{inputs.data}}
environment: azureml:e:1
inputs:
  data: {type: uri_file, datastore: MLData, path: a/b.csv}
compute: cheapest
limits: {timeout: 7200}
resources: {instance_count: 2}
"""
COLON = "azureml://datastores/MLData/paths/a 00:00.csv"
SWEEP = """\
type: sweep
trial: {command: "python x.py ${{search_space.a}}", environment: azureml:e:1}
search_space: {a: {type: choice, values: [1, 2]}}
objective: {goal: maximize, primary_metric: acc}
sampling_algorithm: random
limits: {max_total_trials: 10, max_concurrent_trials: 4, timeout: 36000, trial_timeout: 600}
compute: ds13-v2-2ndclust
"""
PIPELINE = """\
type: pipeline
settings: {default_compute: cheapest, default_datastore: MLData}
inputs:
  data: {type: uri_file, datastore: MLData, path: a.csv}
jobs:
  prepare:
    type: command
    command: echo ${{inputs.data}}
    environment: azureml:e:1
    inputs: {data: "${{parent.inputs.data}}"}
    limits: {timeout: 3600}
  train:
    type: command
    command: echo
    environment: azureml:e:1
    compute: ds13-v2-2ndclust
    limits: {timeout: 1800}
"""
PYTHON = """\
from azure.ai.ml import command

def job():
    return command(command="echo", environment="azureml:e:1", compute="cheapest")
"""


@pytest.fixture
def workspace() -> Workspace:
    """The team's workspace, with prices of 0.10 and 0.40 $ an hour; nobody is signed in."""
    outputs: dict[str, Any] = copy.deepcopy(OUTPUTS)
    team = outputs["teams"]["bluegranit"]
    team["tags"] = {"department": "bgmr", "Project": "x"}
    team["clusters"]["ds3-v2-cluster"]["maxNodes"] = 4
    for name, price in (("ds3-v2-cluster", 0.1), ("ds13-v2-2ndclust", 0.4)):
        team["clusters"][name]["price"] = {"hourly": price, "asOf": "2026-11-01"}
    read = parse(json.dumps(outputs), "test")
    return Workspace(read, read.team_name(None))


def prepared(
    workspace: Workspace, folder: Path, text: str, *changes: str, cluster: str | None = None, name: str = "job.yml"
) -> Prepared:
    """Prepare a job with this text."""
    (folder / name).write_text(text)
    return prepare(workspace, folder / name, cluster, changes)


def test_a_command_runs_on_the_cheapest_cluster_and_reads_a_datastore_by_name(
    workspace: Workspace, tmp_path: Path
) -> None:
    made = prepared(workspace, tmp_path, COMMAND)
    job: Any = made.job
    assert job.compute == "ds3-v2-cluster"
    assert job.inputs["data"].path == "azureml://datastores/MLData/paths/a/b.csv"
    assert made.estimate.worst == pytest.approx(2 * 2 * 0.1)


def test_a_sweep_costs_its_trials_and_no_more_than_its_nodes(workspace: Workspace, tmp_path: Path) -> None:
    made = prepared(workspace, tmp_path, SWEEP)
    (step,) = made.estimate.steps
    assert (step.nodes, step.seconds) == (2, 3000), "10 trials of 600 s, two at once on two nodes"
    assert made.estimate.worst == pytest.approx(2 * 0.4 * 3000 / 3600)


def test_a_pipelines_steps_are_fitted_and_priced_one_by_one(workspace: Workspace, tmp_path: Path) -> None:
    made = prepared(workspace, tmp_path, PIPELINE)
    job: Any = made.job
    assert job.settings.default_compute == "ds3-v2-cluster"
    steps = {step.name: (step.cluster, step.worst) for step in made.estimate.steps}
    assert steps == {"prepare": ("ds3-v2-cluster", 0.1), "train": ("ds13-v2-2ndclust", 0.2)}
    assert made.estimate.worst == pytest.approx(0.3)


def test_a_cluster_for_all_of_a_pipeline(workspace: Workspace, tmp_path: Path) -> None:
    made = prepared(workspace, tmp_path, PIPELINE, cluster="ds13-v2-2ndclust")
    assert {step.cluster for step in made.estimate.steps} == {"ds13-v2-2ndclust"}


def test_without_a_time_limit_there_is_no_worst_cost(workspace: Workspace, tmp_path: Path) -> None:
    made = prepared(workspace, tmp_path, COMMAND.replace("limits: {timeout: 7200}\n", ""))
    assert made.estimate.worst is None
    assert made.estimate.open_ended == ["the job: no limits.timeout, so it costs 0.20 $ an hour until it ends"]


def test_set_changes_a_key(workspace: Workspace, tmp_path: Path) -> None:
    made = prepared(workspace, tmp_path, COMMAND, "limits.timeout=3600", "resources.instance_count=1", "tags.why=trial")
    assert made.estimate.worst == pytest.approx(0.1)
    assert (made.job.tags or {})["why"] == "trial"


def test_a_python_file_returns_a_job(workspace: Workspace, tmp_path: Path) -> None:
    made = prepared(workspace, tmp_path, PYTHON, name="job.py")
    assert made.job.type == "command"
    assert made.estimate.steps[0].cluster == "ds3-v2-cluster"


def test_a_run_is_tagged_with_team_and_commit(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "job.yml").write_text(COMMAND)
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b.c"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        subprocess.run([*git, *words], check=True)
    clean = prepare(workspace, tmp_path / "job.yml", None).job.tags or {}
    assert (clean["department"], clean["team"], clean["owner"], clean["costCenter"], clean["Project"]) == (
        "bgmr",
        "bluegranit",
        "user@domain.com",
        "bgmr",
        "x",
    )
    assert (len(clean["git_commit"]), clean["git_dirty"]) == (40, "false")
    (tmp_path / "job.yml").write_text(COMMAND + "\n")
    assert (prepare(workspace, tmp_path / "job.yml", None).job.tags or {})["git_dirty"] == "true"


@pytest.mark.parametrize(
    ("text", "changes", "said"),
    [
        (COMMAND.replace("MLData", "Lake"), (), "inputs.data: bgmrbluegranite2devws has no datastore 'Lake'; its "),
        (COMMAND.replace("cheapest", "{target: x}"), (), "job.yml:6: compute: write the name of a cluster"),
        (COMMAND.replace("datastore: MLData, path: a/b.csv", ""), (), "job.yml:5: inputs.data: an input of data needs"),
        (
            COMMAND.replace("datastore: MLData, path: a/b.csv", f'path: "{COLON}"'),
            (),
            "job.yml:5: inputs.data.path: azure-ai-ml takes no colon in azureml://datastores/…; write abfss://",
        ),
        (COMMAND, ("limits",), "--set limits: write path.to.key=value"),
        (COMMAND, ("command.x=1",), "--set command.x=1: command in "),
        (
            COMMAND.replace("{inputs.data}", "{inputs.date}"),
            (),
            "job.yml:2: command: there is no 'date' among its inputs",
        ),
        (
            PIPELINE.replace("command: echo\n", "command: echo ${{outputs.out}}\n"),
            (),
            "job.yml:14: jobs.train.command: there is no 'out' among its outputs; it has: none",
        ),
        (COMMAND, ("inputs.date=1",), "has no input 'date'; it has: data"),
        (PIPELINE.replace("MLData}\n", "Lake}\n", 1), (), "settings.default_datastore: "),
        (PIPELINE.replace("compute: ds13-v2-2ndclust", "compute: gpu"), (), "has no cluster 'gpu'"),
        (
            PIPELINE.replace("{timeout: 3600}", "{timeout: long}"),
            (),
            "job.yml:11: jobs: prepare: limits: timeout: Value",
        ),
        ("type: automl\ntask: x\n", (), "job.yml"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(
    workspace: Workspace, tmp_path: Path, text: str, changes: tuple[str, ...], said: str
) -> None:
    with pytest.raises(JobError) as raised:
        prepared(workspace, tmp_path, text, *changes)
    assert said in str(raised.value)
    assert "Missing data" not in str(raised.value), "of another kind of step"


def test_an_input_is_read_from_a_local_file(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "job.yml").write_text(COMMAND)
    (tmp_path / "other.csv").write_text("1")
    made: Any = prepare(workspace, tmp_path / "job.yml", None, (), {"data": tmp_path / "other.csv"}).job
    assert made.inputs["data"].path == str(tmp_path / "other.csv")


@pytest.mark.parametrize(
    ("name", "file", "said"),
    [
        ("other", "job.yml", "--input other: the job has no such input of data; it has: data"),
        ("data", "none.csv", "none.csv: no such file or folder"),
        ("data", ".", " is a folder, not a uri_file"),
    ],
)
def test_an_input_that_cannot_be_given(workspace: Workspace, tmp_path: Path, name: str, file: str, said: str) -> None:
    (tmp_path / "job.yml").write_text(COMMAND)
    with pytest.raises(JobError) as raised:
        prepare(workspace, tmp_path / "job.yml", None, (), {name: tmp_path / file})
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\n", "has no job; call it 'job'"),
        ("def job():\n    return 1 / 0\n", "line 2: ZeroDivisionError: division by zero"),
        ("def job(:\n", "SyntaxError"),
    ],
)
def test_a_wrong_python_file(workspace: Workspace, tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(JobError) as raised:
        prepared(workspace, tmp_path, text, name="job.py")
    assert said in str(raised.value)


def test_above_the_teams_limit_nothing_is_sent_without_a_yes(tmp_path: Path) -> None:
    outputs: dict[str, Any] = copy.deepcopy(OUTPUTS)
    outputs["teams"]["bluegranit"]["spending"] = {"perJob": 1.0}
    (tmp_path / "job.yml").write_text(COMMAND.replace("cheapest", "ds3-v2-cluster"))
    done = run("submit", str(tmp_path), "--outputs", saved(tmp_path, outputs))
    assert done.returncode == 1
    assert "the limit of team bluegranit for a job is 1.00 $, and the job: no price of ds3-v2-cluster" in done.stderr
    shown = run("submit", str(tmp_path), "--outputs", saved(tmp_path, outputs), "--dry-run", "--json")
    assert json.loads(shown.stdout)["limit"] == 1.0
