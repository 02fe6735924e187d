"""What a data scientist does with runs, models and data, on a stack that is up: processes, and the library."""

import csv
import io
import json
import subprocess
from pathlib import Path

import pytest

from tests.jobs.platform import CONDA, Platform

SCRIPT = """\
import json, pathlib, sys, time, urllib.request, os
import mlflow_free as log
log.metrics("loss", [3.0, 2.0, float(sys.argv[1])])
log.parameter("depth", sys.argv[1])
out = pathlib.Path(sys.argv[2]); out.mkdir(parents=True, exist_ok=True)
(out / "model.txt").write_text(sys.argv[1])
kept = pathlib.Path(sys.argv[3]); kept.mkdir(parents=True, exist_ok=True)
state = kept / "state.txt"
print("went on from", state.read_text() if state.exists() else "nothing")
state.write_text(sys.argv[1])
"""
# The REST calls of MLflow, so that the environment needs no package.
LOG = """\
import json, os, time, urllib.request

def post(path, **body):
    base = os.environ["MLFLOW_TRACKING_URI"].split("?")[0].replace("azureml://", "https://")
    head = {"Authorization": "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"], "Content-Type": "application/json"}
    data = json.dumps({"run_id": os.environ["MLFLOW_RUN_ID"], **body}).encode()
    urllib.request.urlopen(urllib.request.Request(base + "/api/2.0/mlflow/runs/" + path, data, head)).read()

def metrics(key, values):
    for step, value in enumerate(values):
        post("log-metric", key=key, value=value, step=step, timestamp=int(time.time() * 1000))

def parameter(key, value):
    post("log-parameter", key=key, value=value)
"""
JOB = """\
type: command
display_name: training
experiment_name: lab
command: python train.py ${{inputs.depth}} ${{outputs.model}} ${{outputs.checkpoints}}
code: src
environment: {image: "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04", conda_file: conda.yml}
compute: cheapest
inputs: {depth: 1}
outputs: {model: {type: uri_folder}, checkpoints: {type: uri_folder}}
"""
PIPELINE = """\
type: pipeline
display_name: two
settings: {default_compute: cheapest}
jobs:
  first: {type: command, command: echo said by first, environment: &e {image: i, conda_file: conda.yml}}
  second: {type: command, command: echo said by second, environment: *e}
"""


@pytest.fixture(scope="module")
def job(platform: Platform) -> Path:
    """The folder of a job that logs a curve, writes a model, and goes on from its checkpoints."""
    folder = platform.folder / "lab"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "train.py").write_text(SCRIPT)
    (folder / "src" / "mlflow_free.py").write_text(LOG)
    (folder / "conda.yml").write_text(CONDA)
    (folder / "job.yml").write_text(JOB)
    return folder


@pytest.fixture(scope="module")
def trained(platform: Platform, job: Path) -> str:
    """The name of a run that has completed, and whose model is registered."""
    done = platform.jobs("submit", str(job), "--register", "lab", "--json")
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["name"])


def succeeded(done: subprocess.CompletedProcess[str]) -> str:
    """What a command printed that must succeed."""
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_list_is_filtered(platform: Platform, trained: str) -> None:
    def listed(*words: str) -> list[str]:
        return [run["name"] for run in json.loads(succeeded(platform.jobs("ps", *words, "--json")))]

    assert trained in listed("--experiment", "lab", "--status", "completed", "--tag", "team=bluegranit")
    assert trained not in listed("--status", "Failed")
    assert trained not in listed("--tag", "team=other")


def test_metrics_as_table_values_and_curve(platform: Platform, trained: str) -> None:
    table = succeeded(platform.jobs("metrics", trained)).split()
    assert table[-5:] == ["loss", "1", "1", "3", "3"]
    rows = list(csv.DictReader(io.StringIO(succeeded(platform.jobs("metrics", trained, "loss", "--csv")))))
    assert [(row["step"], row["value"]) for row in rows] == [("0", "3.0"), ("1", "2.0"), ("2", "1.0")]
    words = ("-m", "jobs", "metrics", trained, "loss", "--plot", "--stack", "dev")
    plot = succeeded(platform.python(*words, COLUMNS="50"))
    assert "(loss)" in plot
    assert "(step)" in plot
    assert max(map(len, plot.splitlines())) in range(40, 51), "as wide as the terminal"
    refused = platform.jobs("metrics", trained, "lost")
    assert (refused.returncode, "its metrics: loss" in refused.stderr) == (1, True)


def test_retry_goes_on_from_the_checkpoints(platform: Platform, trained: str) -> None:
    again = json.loads(succeeded(platform.jobs("retry", trained, "--json")))["name"]
    assert "went on from 1" in succeeded(platform.jobs("logs", "-f", again))
    assert json.loads(succeeded(platform.jobs("show", again, "--json")))["tags"]["retry_of"] == trained


def test_two_runs_are_compared_down_to_their_code(platform: Platform, job: Path, trained: str) -> None:
    script = job / "src" / "train.py"
    script.write_text(SCRIPT.replace("went on from", "goes on from"))
    other = json.loads(succeeded(platform.jobs("submit", str(job), "--set", "inputs.depth=2", "--wait", "--json")))
    shown = succeeded(platform.jobs("compare", trained, other["name"], "--code"))
    rows = {tuple(line.split()) for line in shown.splitlines()}
    assert {("parameter", "depth", "1", "2"), ("loss", "1", "2")} <= rows
    assert '+print("goes on from"' in shown
    assert "experiment" not in shown, "what is the same is left out"


FULL = """import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (4, 4))
sys.argv[0] = "jobs"
runpy.run_module("jobs", run_name="__main__", alter_sys=True)
"""


def test_a_download_is_whole_or_not_there(platform: Platform, trained: str, tmp_path: Path) -> None:
    """A disk that is full after 4 bytes, a file where a folder is needed, and the same once more."""
    words = ("download", trained, "--stack", "dev", "--to")
    full = platform.python("-c", FULL, *words, str(tmp_path / "full"))
    assert (full.returncode, full.stderr) == (1, f"error: {tmp_path}/full: File too large\n")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("mine")
    refused = platform.python("-m", "jobs", *words, str(tmp_path / "file"))
    assert (refused.returncode, refused.stderr) == (1, f"error: {tmp_path}/file: File exists\n")
    for _ in range(2):
        assert succeeded(platform.python("-m", "jobs", *words, str(tmp_path))) == f"{tmp_path}/{trained}\n"
    found = {path.name: path.read_text() for path in (tmp_path / trained).rglob("*") if path.is_file()}
    assert (found["model.txt"], "went on from" in found["std_log.txt"]) == ("1", True)
    assert {path.name for path in tmp_path.iterdir()} == {trained, "file"}


def test_download_and_lineage(platform: Platform, trained: str, tmp_path: Path) -> None:
    succeeded(platform.jobs("download", trained, "--output", "model", "--to", str(tmp_path)))
    assert [file.read_text() for file in tmp_path.rglob("model.txt")] == ["1"]
    lines = [line.strip() for line in succeeded(platform.jobs("lineage", "lab")).splitlines()]
    assert lines[:2] == ["model lab:1", f"run {trained}"]
    assert any(line.startswith("code ") for line in lines)
    assert any(line.startswith("environment ") for line in lines)


def test_models_are_listed_compared_and_downloaded(platform: Platform, trained: str, tmp_path: Path) -> None:
    assert [one["name"] for one in json.loads(succeeded(platform.jobs("models", "ls", "--json")))] == ["lab"]
    assert "lab:1" in succeeded(platform.jobs("models", "compare", "lab", "lab:1"))
    succeeded(platform.jobs("models", "download", "lab", "--to", str(tmp_path)))
    assert [file.read_text() for file in tmp_path.rglob("model.txt")] == ["1"]
    unknown = platform.jobs("models", "download", "none")
    assert (unknown.returncode, "has no model 'none'" in unknown.stderr) == (1, True)
    alone = platform.jobs("models", "promote", "lab")
    assert (alone.returncode, "has no registry of models" in alone.stderr) == (1, True)


def test_data_is_pushed_listed_and_registered(platform: Platform, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.csv").write_text("1,2")
    said = succeeded(platform.jobs("data", "push", str(tmp_path / "in"), "MLData/pushed", "--register", "pushed"))
    assert "registered data pushed, version 1" in said
    again = succeeded(platform.jobs("data", "push", str(tmp_path / "in"), "MLData/pushed"))
    assert "a.csv is already MLData/pushed/a.csv" in again
    listed = json.loads(succeeded(platform.jobs("data", "ls", "MLData/pushed", "--json")))
    assert [(one["path"], one["size"]) for one in listed] == [("pushed/a.csv", 3)]
    assert "pushed" in succeeded(platform.jobs("data", "assets"))


def test_a_pipeline_is_followed_through_its_steps(platform: Platform, tmp_path: Path) -> None:
    (tmp_path / "job.yml").write_text(PIPELINE)
    (tmp_path / "conda.yml").write_text(CONDA)
    said = succeeded(platform.jobs("submit", str(tmp_path), "--stream"))
    assert {"said by first", "said by second"} <= set(said.splitlines())
    parent = next(line.split()[1] for line in said.splitlines() if line.startswith("run "))
    steps = json.loads(succeeded(platform.jobs("ps", "--parent", parent, "--json")))
    assert {one["display_name"] for one in steps} == {"first", "second"}
    for words, code in ((), 0), (("roc_auc",), 1):
        asked = platform.jobs("metrics", parent, *words)
        assert asked.returncode == code
        assert f"python -m jobs metrics {steps[0]['name']}  # {steps[0]['display_name']}" in asked.stdout + asked.stderr


def test_what_was_used_by_whom(platform: Platform, trained: str, tmp_path: Path) -> None:
    # Steps of its own: what is reused from another test's pipeline uses no node.
    (tmp_path / "job.yml").write_text(PIPELINE.replace("two", "paid").replace("said by", "paid for"))
    (tmp_path / "conda.yml").write_text(CONDA)
    wait = ("submit", str(tmp_path), "--set", "experiment_name=paid", "--wait", "--json")
    done = platform.session(
        wait, ("cost", "--json"), ("cost",), ("cost", "--to", "2020-01-01"), ("cost", "--from", "yesterday")
    )
    steps, told, shown, before, wrong = done
    assert steps.returncode == 0, steps.stderr
    used = {one["what"]: one for one in json.loads(told.stdout)["runs"]}
    assert used["paid"]["count"] == 2, "its steps, not the pipeline"
    (cluster,) = used["paid"]["hours"]
    hourly = used["paid"]["cost"] / used["paid"]["nodeHours"]
    stack = platform.sandbox.command("pulumi", "stack", "output", "-s", "dev", "--json").stdout
    assert hourly == pytest.approx(json.loads(stack)["teams"]["bluegranit"]["clusters"][cluster]["price"]["hourly"])
    assert "lab" in used
    assert "without idle nodes" in shown.stdout
    assert before.stdout.startswith("nothing was used")
    assert (wrong.returncode, wrong.stderr) == (2, "error: --from yesterday: write a day as 2026-11-01\n")


LIBRARY = """\
from jobs import team
from jobs.errors import JobError

t = team("dev", "bluegranit")
run = t.run({run!r})
print(run.status, run.values("loss")[0].value, "<table>" in run._repr_html_())
print([one.name for one in t.runs(experiment="lab", most=50)].count(run.name))
try:
    t.submit("nowhere")
except JobError as error:
    print(error)
"""


def test_the_library_does_the_same(platform: Platform, trained: str) -> None:
    done = platform.python("-c", LIBRARY.format(run=trained))
    first, second, third = succeeded(done).splitlines()
    assert (first, second) == ("Completed 3.0 True", "1")
    assert third.startswith("'nowhere' is no example")
