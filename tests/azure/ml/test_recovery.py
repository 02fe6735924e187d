"""A sandbox that ends while jobs run: nothing is left behind, nothing that was acknowledged is forgotten."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sandbox.azure.ml.runner.process import kill_orphans, start_time
from tests.azure.client import Client
from tests.azure.ml import harness
from tests.azure.ml.harness import Team
from tests.azure.ml.waiting import details, ended, log_text, status, until
from tests.conftest import Sandbox
from tests.faults.sweep import plan, struck


def submit(team: Team, name: str, command: str, compute: str = "cpu") -> None:
    properties = harness.command_job(team, command, computeId=f"{team.id}/computes/{compute}")
    made = team.arm("PUT", f"/jobs/{name}", {"properties": properties})
    assert made.status_code == 201, made.text


def alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret among the variables of whoever starts the sandbox."""
    monkeypatch.setenv("OWNERS_TOKEN", "MARKED-SECRET")


@pytest.fixture
def running(planted: None, sandbox: Sandbox) -> tuple[Sandbox, Team, int]:
    """A sandbox with a job that runs, one that waits for its node, and the pid of the first one's child."""
    team = harness.team(Client(sandbox))
    submit(team, "first", "env; sleep 600 & echo child $!; wait")
    line = until(lambda: [one for one in log_text(team, "first").splitlines() if one.startswith("child")], "the log")
    submit(team, "second", "echo after all")
    assert status(team, "second") == "Queued"
    return sandbox, team, int(line[0].split()[1])


def test_a_killed_sandbox_marks_lost_runs_ends_orphans_and_goes_on(running: tuple[Sandbox, Team, int]) -> None:
    sandbox, team, child = running
    pid = sandbox.pid
    os.kill(pid, signal.SIGKILL)
    until(lambda: not alive(pid), "the end of the sandbox")
    assert alive(child)  # as after a crash
    sandbox.start()
    team = team.by(Client(sandbox))
    until(lambda: not alive(child), "the end of the orphan")
    assert status(team, "first") == "Failed"
    assert "sandbox was stopped" in details(team, "first")["error"]["error"]["message"]
    assert ended(team, "second") == "Completed"
    assert "after all" in log_text(team, "second")


def test_a_stopped_sandbox_leaves_no_process(running: tuple[Sandbox, Team, int]) -> None:
    sandbox, team, child = running
    assert "AZUREML_RUN_ID=first" in log_text(team, "first") and "MARKED" not in log_text(team, "first")
    begun = time.monotonic()
    sandbox.stop()
    assert not alive(child)
    assert time.monotonic() - begun < 15
    sandbox.start()
    team = team.by(Client(sandbox))
    assert status(team, "first") == "Failed"
    assert ended(team, "second") == "Completed"


def test_a_number_that_is_anothers_by_now_is_left_alone() -> None:
    """A process with the recorded number that started at another time, and a group that is no session of its own."""
    other = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        kill_orphans(other.pid, "another start")
        assert other.poll() is None
        kill_orphans(other.pid, start_time(other.pid))
        assert other.wait(10) == -signal.SIGKILL
    finally:
        other.kill()
    left = subprocess.Popen(["bash", "-c", "sleep 60 & echo $!"], process_group=0, stdout=subprocess.PIPE, text=True)
    started = start_time(left.pid)
    assert left.stdout is not None
    child = int(left.stdout.readline())
    left.wait(10)
    try:
        kill_orphans(left.pid, started)
        assert alive(child)
    finally:
        os.kill(child, signal.SIGKILL)


def test_no_command_begins_before_its_process_is_remembered(tmp_path: Path) -> None:
    """A sandbox that is killed between a process's start and its record leaves nothing that runs."""
    script = f"""
import asyncio, os, pathlib, signal, sys
from sandbox.azure.ml.runner import process

def die(pid, started):
    print(pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(process.start(
    ["bash", "-c", "touch {tmp_path}/ran; sleep 600"], cwd=pathlib.Path({str(tmp_path)!r}),
    environment=dict(os.environ), output=None, known=die,
))
"""
    killed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    child = int(killed.stdout)
    until(lambda: not alive(child), "the end of what was not remembered")
    assert not (tmp_path / "ran").exists()


def test_a_run_whose_node_is_lost_begins_again_with_what_it_had_written(sandbox: Sandbox) -> None:
    team = harness.team(Client(sandbox))
    plan(sandbox, 1, "preemption,count=1,seconds=0.5")
    command = "ls outputs | wc -l | sed s/^/found:/; touch outputs/$RANDOM; ls outputs/* | wc -l; trap '' TERM"
    submit(team, "first", f"{command}; [ $(ls outputs | wc -l) = 2 ] || sleep 600")
    assert ended(team, "first") == "Completed"
    assert log_text(team, "first").splitlines()[-2:] == ["found:1", "2"]  # of the second time only
    assert [one["message"].split(":")[0] for one in details(team, "first")["warnings"]] == [
        "Low priority compute preemption warning"
    ]
    assert struck(sandbox) == ["preemption"]
    nodes = team.arm("POST", "/computes/cpu/listNodes").json()["nodes"]
    assert len(nodes) == 1  # the lost one is gone


def test_a_run_that_is_being_cancelled_does_not_begin_again(sandbox: Sandbox) -> None:
    team = harness.team(Client(sandbox))
    plan(sandbox, 1, "preemption,seconds=0")
    submit(team, "first", "sleep 600")
    until(lambda: details(team, "first")["warnings"], "the first loss of a node")
    assert team.arm("POST", "/jobs/first/cancel").status_code == 200
    assert ended(team, "first") == "Canceled"


def test_a_dedicated_node_is_not_lost(sandbox: Sandbox) -> None:
    team = harness.team(Client(sandbox))
    body = harness.cluster(team.needs, vmPriority="Dedicated")
    harness.put(team.azure, f"{team.id}/computes/own", body)
    plan(sandbox, 1, "preemption,seconds=0")
    submit(team, "first", "sleep 1", compute="own")
    assert ended(team, "first") == "Completed"
    assert not struck(sandbox)
