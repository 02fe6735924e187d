"""Models behind an address, and jobs at given times: `python -m jobs deploy`, `invoke` and `schedule` on a stack."""

import json
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.jobs.platform import CONDA, JOB, Platform
from tests.jobs.test_runs import succeeded

SCORE = """\
import json, os, pathlib

def init():
    global word
    word = next(pathlib.Path(os.environ["AZUREML_MODEL_DIR"]).rglob("word.txt")).read_text()
    if word == "broken":
        raise ValueError("this model cannot be loaded")

def run(body):
    if word == "rude":
        raise ValueError("no answer from me")
    return {"word": word, "sent": json.loads(body)}
"""
DEPLOYMENT = """\
name: any
endpoint_name: any
model: azureml:word@latest
code_configuration: {code: score, scoring_script: score.py}
environment: {image: i, conda_file: conda.yml}
instance_type: Standard_DS3_v2
instance_count: 1
"""


@pytest.fixture(scope="module")
def folder(platform: Platform) -> Path:
    """A deployment of the model `word`, which answers with the word that it was registered with."""
    folder = platform.folder / "serving"
    (folder / "score").mkdir(parents=True)
    (folder / "score" / "score.py").write_text(SCORE)
    (folder / "conda.yml").write_text(CONDA)
    (folder / "deployment.yml").write_text(DEPLOYMENT)
    (folder / "request.json").write_text('{"a": 1}')
    return folder


def register(platform: Platform, folder: Path, word: str) -> tuple[str, ...]:
    """Write a model of this word, and return the command that registers it."""
    model = folder / word
    model.mkdir()
    (model / "word.txt").write_text(word)
    return ("models", "register", "word", str(model))


BY_KEY = """
from azure.ai.ml.entities import ManagedOnlineEndpoint
from jobs import team
endpoint = ManagedOnlineEndpoint(name="words", auth_mode="key")  # `deploy` itself makes endpoints of callers' tokens
team("dev").client.online_endpoints.begin_create_or_update(endpoint).result()
"""


def test_blue_green_from_first_release_to_rollback(platform: Platform, folder: Path) -> None:
    succeeded(platform.python("-c", BY_KEY))
    request = str(folder / "request.json")
    create = ("deploy", "create", "words", str(folder), "--smoke", request)
    commands = {
        "first": register(platform, folder, "one"),
        "blue": create,
        "asked": ("invoke", "words", request),
        "second": register(platform, folder, "two"),
        "green": (*create, "--traffic", "10"),
        "green asked": ("invoke", "words", request, "--deployment", "green"),
        "third": create,
        "back": ("deploy", "rollback", "words"),
        "on": ("deploy", "promote", "words", "green"),
        "lineage": ("lineage", "words"),
        "broken": register(platform, folder, "broken"),
        "broken deployed": create,
        "rude": register(platform, folder, "rude"),
        "rude deployed": create,
        "left": ("deploy", "ls", "--json"),
        "nothing before": ("deploy", "rollback", "words"),
        "deleted": ("deploy", "delete", "words"),
        "none": ("deploy", "ls"),
    }
    done = dict(zip(commands, platform.session(*commands.values()), strict=True))
    failed = {name: one.stderr for name, one in done.items() if one.returncode}
    assert set(failed) == {"third", "broken deployed", "rude deployed", "nothing before"}, failed
    assert "traffic of words: blue 100 %" in done["blue"].stdout
    assert json.loads(done["asked"].stdout) == {"word": "one", "sent": {"a": 1}}
    assert "traffic of words: blue 90 %, green 10 %" in done["green"].stdout
    assert json.loads(done["green asked"].stdout)["word"] == "two"
    assert "both deployments of words have traffic" in failed["third"]
    assert "blue 100 %" in done["back"].stdout
    assert "green 100 %" in done["on"].stdout
    assert "deployment green (100 % of the traffic)\n    model word:2" in done["lineage"].stdout
    for name, reason in (("broken deployed", "this model cannot be loaded"), ("rude deployed", "words answered")):
        assert "blue of words failed, and traffic is as before" in failed[name]
        assert reason in failed[name]
    left = {one["deployment"]: one["traffic"] for one in json.loads(done["left"].stdout)}
    assert left == {"green": 100}
    assert "none to go back to" in failed["nothing before"]
    assert done["none"].stdout == "no endpoints yet\n"


def test_what_is_not_there_is_said(platform: Platform, folder: Path) -> None:
    request = str(folder / "request.json")
    cases = {
        ("invoke", "nowhere", request): "has no endpoint 'nowhere'",
        ("invoke", "nowhere", "none.json"): "none.json: No such file",
        ("deploy", "create", "x-endpoint", "nothing:1"): "has no model 'nothing:1'",
        ("schedule", "pause", "nothing"): "has no schedule 'nothing'",
        ("deploy", "create", "a_b", "highspenders"): "cannot be made: The name for an endpoint must start",
        ("deploy", "create", "a-b", "highspenders", "--smoke", "README.md"): "README.md: is not JSON",
        ("ps", "--parent", "nowhere"): "has no run 'nowhere'",
        ("ps", "--schedule", "nothing"): "has no schedule 'nothing'",
        ("deploy", "create", "x-endpoint", "./nothing"): "./nothing: no such file or folder",
        ("batch", "create", "x-endpoint", "nothing/batch.yml"): "nothing/batch.yml: no such file or folder",
        ("models", "register", "m", "./nothing"): "./nothing: no such file or folder",
        ("data", "register", "d", "nothing.csv"): "nothing.csv: no such file or folder",
        ("models", "ls", "nothing"): "has no model 'nothing'; `python -m jobs models ls` lists them",
        ("data", "assets", "nothing", "--json"): "has no data asset 'nothing'",
        ("environments", "nothing"): "has no environment 'nothing'",
        ("show", "latest~999"): "so none is latest~999",
    }
    for words, one in zip(cases, platform.session(*cases), strict=True):
        assert (one.returncode, cases[words] in one.stderr) == (1, True), (words, one.stderr)


def test_a_schedule_from_creation_to_deletion(platform: Platform, folder: Path) -> None:
    (folder / "src").mkdir()
    (folder / "src" / "hello.py").write_text("print('hello')")
    (folder / "job.yml").write_text(JOB.format(name="nightly", command="python hello.py"))
    when = ("--every", "week", "--on", "monday", "--at", "06:30", "--time-zone", "W. Europe Standard Time")
    created, listed, triggered, paused, resumed, deleted = platform.session(
        ("schedule", "create", "nightly", str(folder), *when),
        ("schedule", "ls", "--json"),
        ("schedule", "trigger", "nightly"),
        ("schedule", "pause", "nightly"),
        ("schedule", "resume", "nightly"),
        ("schedule", "delete", "nightly"),
    )
    told = (
        "schedule nightly is on: every 1 week on Monday at 06:30, W. Europe Standard Time; its first run is at the next"
    )
    assert created.stdout.startswith(told), created.stderr
    (found,) = json.loads(listed.stdout)
    start = datetime.fromisoformat(found.pop("start")).replace(tzinfo=ZoneInfo("Europe/Berlin"))
    assert start < datetime.now(UTC), "in the past, so that no run comes before the first Monday"
    assert found == {
        "name": "nightly",
        "enabled": True,
        "when": "every 1 week on Monday at 06:30",
        "timeZone": "W. Europe Standard Time",
    }
    assert (paused.stdout, resumed.stdout) == ("schedule nightly is off\n", "schedule nightly is on\n")
    assert deleted.stdout == "schedule nightly is deleted\n"
    assert "hello" in succeeded(platform.jobs("logs", "-f", triggered.stdout.split()[1]))


BATCH_SCORE = """\
import os, pathlib

def init():
    global word
    (path,) = pathlib.Path(os.environ["AZUREML_MODEL_DIR"]).rglob("word.txt")
    word = path.read_text()

def run(mini_batch):
    return [f"{pathlib.Path(one).name} {word} {pathlib.Path(one).read_text()}" for one in mini_batch]
"""
BATCH = """\
name: first
endpoint_name: any
type: model
model: azureml:batched@latest
code_configuration: {code: score, scoring_script: score.py}
environment: {image: i, conda_file: conda.yml}
compute: cheapest
settings: {mini_batch_size: 2}
"""
COMPONENT = """\
name: counted
type: pipeline
inputs:
  data: {type: uri_folder}
  word: {type: string}
outputs:
  out: {type: uri_folder}
jobs:
  count:
    type: command
    command: mkdir -p ${{outputs.out}} && echo $(ls ${{inputs.data}} | wc -l) ${{inputs.word}} > ${{outputs.out}}/n.txt
    environment: {image: i, conda_file: conda.yml}
    inputs: {data: "${{parent.inputs.data}}", word: "${{parent.inputs.word}}"}
    outputs: {out: "${{parent.outputs.out}}"}
"""


def test_a_batch_endpoint_of_a_model_and_of_a_pipeline(platform: Platform, tmp_path: Path) -> None:
    (tmp_path / "score").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "model").mkdir()
    for number in range(3):
        (tmp_path / "data" / f"{number}.txt").write_text(str(number))
    (tmp_path / "model" / "word.txt").write_text("one")
    (tmp_path / "score" / "score.py").write_text(BATCH_SCORE)
    (tmp_path / "conda.yml").write_text(CONDA)
    (tmp_path / "batch.yml").write_text(BATCH)
    (tmp_path / "component.yml").write_text(COMPONENT)
    data, to = str(tmp_path / "data"), str(tmp_path / "predictions")
    commands = {
        "model": ("models", "register", "batched", str(tmp_path / "model")),
        "pushed": ("data", "push", data, "MLData/scored"),
        "too early": ("batch", "invoke", "numbers", data),
        "create": ("batch", "create", "numbers", str(tmp_path)),
        "invoke": ("batch", "invoke", "numbers", "MLData/scored", "--to", to, "--json"),
        "nothing there": ("batch", "invoke", "numbers", "MLData/lost"),
        "no data": ("batch", "invoke", "numbers"),
        "pipeline": ("batch", "create", "numbers", str(tmp_path / "component.yml"), "--cluster", "cheapest"),
        "counted": ("batch", "invoke", "numbers", data, "--input", "word=hi", "--to", to, "--json"),
        "unknown": ("batch", "invoke", "numbers", data, "--input", "words=hi"),
        "ls": ("batch", "ls", "--json"),
        "jobs": ("batch", "jobs", "numbers", "--json"),
        "not batched": ("batch", "create", "numbers", "batched:1"),
        "deleted": ("batch", "delete", "numbers"),
    }
    done = dict(zip(commands, platform.session(*commands.values()), strict=True))
    failed = {name: one.stderr for name, one in done.items() if one.returncode}
    said = {
        "too early": "bgmrbluegranite2devws has no batch endpoint 'numbers'; `python -m jobs batch ls` lists them",
        "nothing there": "MLData has no file or folder 'lost'",
        "no data": "give the data: DATASTORE/PATH, a local path or azureml:NAME:VERSION; it is data (uri_folder)",
        "unknown": "numbers has no input 'words'; it takes data (uri_folder), word (string)",
        "not batched": "model batched:1 is a custom_model: it needs a scoring script",
    }
    assert set(failed) == set(said), failed
    assert all(failed[name].startswith(f"error: {text}") for name, text in said.items()), failed
    scored = json.loads(done["invoke"].stdout)
    rows = sorted((tmp_path / "predictions" / scored["name"] / "predictions.csv").read_text().splitlines())
    assert rows == ["0.txt one 0", "1.txt one 1", "2.txt one 2"]
    counted = json.loads(done["counted"].stdout)
    (found,) = (tmp_path / "predictions" / counted["name"]).rglob("n.txt")
    assert found.read_text().split() == ["3", "hi"]
    served = {one["deployment"]: (one["default"], one["serves"]) for one in json.loads(done["ls"].stdout)}
    assert served["first"] == (False, "batched:1")
    assert served["counted"][0]
    assert [one["deployment"] for one in json.loads(done["jobs"].stdout)] == ["counted", "first"]
