"""What a shell completes: names from a file that earlier commands left, in a process that loads no client."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.names import FILE, recall, remember, select
from terminal.completion import VARIABLE
from tests.conftest import ROOT
from tests.jobs.conftest import OUTPUTS
from tests.jobs.test_cli import run, saved

RUNS = ["brave_knee_1", "brave_neck_2", "calm_toe_3"]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache after commands on the default stack: runs, a model, clusters and datastores of its workspace."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    select(None, None, None, "ws")
    remember("ws", "runs", RUNS)
    remember("ws", "models", ["highspenders"])
    remember("ws", "clusters", ["ds3-v2-cluster", "gpu"])
    remember("ws", "datastores", ["MLData/"])
    remember("ws", "onlineEndpoints", ["scores"])
    return tmp_path / "cache" / "azureml-jobs"


def completed(*words: str, cwd: Path = ROOT) -> list[str]:
    """What the shell offers for the last word."""
    own = {
        VARIABLE: "complete_bash",
        "COMP_WORDS": "\n".join(("program", *words)),
        "COMP_CWORD": str(len(words)),
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, "-m", "jobs"], cwd=cwd, env={**os.environ, **own}, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("logs", "brave"), RUNS[:2]),
        (("compare", "calm_toe_3", "b"), RUNS[:2]),
        (("show", "--stack", "prod", "b"), []),
        (("submit", "x", "--cluster", ""), ["ds3-v2-cluster", "gpu", "cheapest"]),
        (("models", "download", "high"), ["highspenders"]),
        (("data", "ls", "ML"), ["MLData/"]),
        (("deploy", "promote", "s"), ["scores"]),
        (("models", "register", "m", "calm"), RUNS[2:]),
        (("ps", "--parent", "calm"), RUNS[2:]),
        (("ps", "--status", "C"), ["CancelRequested", "Completed", "Canceled"]),
        (("schedule", "create", "x", "y", "--every", "m"), ["minute", "month"]),
        (("env", "--format", "c"), ["config.json"]),
        (("can",), ["cancel"]),
    ],
)
def test_names_are_completed(words: tuple[str, ...], offered: list[str]) -> None:
    assert completed(*words) == offered


def test_files_and_examples_are_completed(tmp_path: Path) -> None:
    for name in ("job.yml", "job.txt", ".hidden.yml"):
        (tmp_path / name).touch()
    (tmp_path / "jobs2").mkdir()
    assert completed("submit", "jo", cwd=tmp_path) == ["job.yml", "jobs2/"]
    assert completed("submit", f"{tmp_path}/") == [f"{tmp_path}/cache/", f"{tmp_path}/job.yml", f"{tmp_path}/jobs2/"]
    assert completed("submit", "high") == ["highspenders"]


def test_completion_is_quick() -> None:
    """Processor time, as the machine may be busy; the least of three, since the first reads files from the disk."""
    taken = []
    for _ in range(3):
        before = os.times()
        completed("logs", "brave")
        after = os.times()
        taken.append(after.children_user + after.children_system - before.children_user - before.children_system)
    assert min(taken) < 0.5, taken


def test_a_command_leaves_its_names_for_the_owner_alone(cache: Path, tmp_path: Path) -> None:
    file = saved(tmp_path, OUTPUTS)
    run("ps", "--outputs", file)  # which ends without a sign-in, after the outputs were read
    assert recall(None, Path(file), None, "clusters") == ["ds3-v2-cluster", "ds13-v2-2ndclust"]
    assert (cache.stat().st_mode & 0o777, (cache / FILE).stat().st_mode & 0o777) == (0o700, 0o600)
    known = json.loads((cache / FILE).read_text())
    assert set(known) == {"selected", "workspaces"}


@pytest.mark.parametrize("content", ["{", "[]", '{"selected": {}}'])
def test_a_file_that_is_broken_is_no_fault(cache: Path, content: str) -> None:
    (cache / FILE).write_text(content)
    assert completed("logs", "brave") == []
    remember("ws", "runs", ["new"])
    assert json.loads((cache / FILE).read_text())["workspaces"]["ws"]["runs"] == ["new"]


def test_only_the_latest_names_are_kept() -> None:
    remember("ws", "runs", (f"run_{number}" for number in range(500)))
    assert len(recall(None, None, None, "runs")) == 200
    for number in range(200):
        select(f"stack_{number}", None, None, f"ws_{number}", clusters=["c"])
    assert recall("stack_0", None, None, "clusters") == ["c"]
    assert recall(None, None, None, "runs") == [], "of the workspace that was not used for longest"
