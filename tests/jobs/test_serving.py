"""Models behind an address, and jobs at given times: `python -m jobs deploy`, `invoke` and `schedule` on a stack."""

import json
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.jobs.test_runs import succeeded
from tests.jobs.test_submit import CONDA, JOB, Platform, platform

__all__ = ["platform"]  # a fixture

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
code_configuration: {{code: score, scoring_script: score.py}}
environment: {{image: i, conda_file: {conda}}}
instance_type: Standard_DS3_v2
instance_count: 1
"""


@pytest.fixture(scope="module")
def folder(platform: Platform) -> Path:
    """A deployment of the model `word`, which answers with the word that it was registered with."""
    folder = platform.folder / "serving"
    (folder / "score").mkdir(parents=True)
    (folder / "score" / "score.py").write_text(SCORE)
    conda = ROOT / "tests" / "azure" / "ml" / "environments" / "serving.yml"
    (folder / "serving.yml").write_text(conda.read_text())
    (folder / "deployment.yml").write_text(DEPLOYMENT.format(conda="serving.yml"))
    (folder / "request.json").write_text('{"a": 1}')
    return folder


def register(platform: Platform, folder: Path, word: str) -> None:
    """Register a version of the model."""
    (folder / "word").mkdir(exist_ok=True)
    (folder / "word" / "word.txt").write_text(word)
    succeeded(platform.jobs("models", "register", "word", str(folder / "word")))


def traffic(platform: Platform) -> dict[str, int]:
    """The traffic of each deployment."""
    return {one["deployment"]: one["traffic"] for one in json.loads(succeeded(platform.jobs("deploy", "ls", "--json")))}


def test_blue_green_from_first_release_to_rollback(platform: Platform, folder: Path) -> None:
    request = str(folder / "request.json")
    create = ("deploy", "create", "words", str(folder), "--smoke", request)
    register(platform, folder, "one")
    assert "traffic of words: blue 100 %" in succeeded(platform.jobs(*create))
    assert json.loads(succeeded(platform.jobs("invoke", "words", request))) == {"word": "one", "sent": {"a": 1}}

    register(platform, folder, "two")
    said = succeeded(platform.jobs(*create, "--traffic", "10"))
    assert "traffic of words: blue 90 %, green 10 %" in said
    new = succeeded(platform.jobs("invoke", "words", request, "--deployment", "green"))
    assert json.loads(new)["word"] == "two"
    both = platform.jobs(*create)
    assert (both.returncode, "both deployments of words have traffic" in both.stderr) == (1, True)

    assert "blue 100 %" in succeeded(platform.jobs("deploy", "rollback", "words"))
    assert "green 100 %" in succeeded(platform.jobs("deploy", "promote", "words", "green"))
    lineage = succeeded(platform.jobs("lineage", "words"))
    assert "deployment green (100 % of the traffic)\n    model word:2" in lineage

    for word, reason in (("broken", "this model cannot be loaded"), ("rude", "words answered")):
        register(platform, folder, word)
        failed = platform.jobs(*create)
        assert failed.returncode == 1
        assert "blue of words failed, and traffic is as before" in failed.stderr
        assert reason in failed.stderr
        assert traffic(platform) == {"green": 100}
    gone = platform.jobs("deploy", "rollback", "words")
    assert (gone.returncode, "none to go back to" in gone.stderr) == (1, True)
    succeeded(platform.jobs("deploy", "delete", "words"))
    assert succeeded(platform.jobs("deploy", "ls")) == "no endpoints yet\n"


def test_what_is_not_there_is_said(platform: Platform, folder: Path) -> None:
    request = str(folder / "request.json")
    for words, said in (
        (("invoke", "nowhere", request), "has no endpoint 'nowhere'"),
        (("invoke", "nowhere", "none.json"), "none.json: No such file"),
        (("deploy", "create", "x-endpoint", "nothing:1"), "has no model 'nothing:1'"),
        (("schedule", "pause", "nothing"), "has no schedule 'nothing'"),
        (("schedule", "create", "x", "highspenders"), "say when: either --cron"),
        (("schedule", "create", "x", "highspenders", "--every", "year"), "--every year: must be one of minute"),
        (("schedule", "create", "x", "highspenders", "--every", "day", "--at", "6"), "a time is written HH:MM"),
    ):
        done = platform.jobs(*words)
        assert (done.returncode, said in done.stderr) == (1, True), (words, done.stderr)


def test_a_schedule_from_creation_to_deletion(platform: Platform, folder: Path) -> None:
    (folder / "src").mkdir()
    (folder / "src" / "hello.py").write_text("print('hello')")
    (folder / "conda.yml").write_text(CONDA)
    (folder / "job.yml").write_text(JOB.format(name="nightly", command="python hello.py"))
    when = ("--every", "week", "--on", "monday", "--at", "06:30", "--time-zone", "W. Europe Standard Time")
    assert succeeded(platform.jobs("schedule", "create", "nightly", str(folder), *when)) == "schedule nightly is on\n"
    (listed,) = json.loads(succeeded(platform.jobs("schedule", "ls", "--json")))
    assert listed == {
        "name": "nightly",
        "enabled": True,
        "when": "every 1 week on Monday at 06:30",
        "timeZone": "W. Europe Standard Time",
    }
    run = succeeded(platform.jobs("schedule", "trigger", "nightly")).split()[1]
    assert "hello" in succeeded(platform.jobs("logs", "-f", run))
    assert succeeded(platform.jobs("schedule", "pause", "nightly")) == "schedule nightly is off\n"
    assert succeeded(platform.jobs("schedule", "resume", "nightly")) == "schedule nightly is on\n"
    assert succeeded(platform.jobs("schedule", "delete", "nightly")) == "schedule nightly is deleted\n"
