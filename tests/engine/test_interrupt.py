"""Ctrl-C, on a process of its own: once, what has begun ends; twice, all ends at once; either way one can go on."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.cloud import PROGRAM, Cloud
from tests.engine.stage import Stage

ENGINE = """
import os, signal, sys, time
from pathlib import Path
from sandbox.engine import main
from sandbox.engine.show import lines
from tests.engine.cloud import Cloud

work = Path(sys.argv[1])

if os.environ.get("AGAIN"):  # the second comes as soon as the first is told
    say = lines.Lines.say
    def again(self, text):
        say(self, text)
        os.kill(os.getpid(), signal.SIGINT)
    lines.Lines.say = again

def hook(when, method):
    if (when, method) == ("before", "Create") and os.environ.get("REFUSE"):
        raise RuntimeError("not now")
    if (when, method) == ("before", "Create") and not (work / "go").exists():
        (work / "in create").touch()
        while not (work / "go").exists():
            time.sleep(0.01)

sys.exit(main(sys.argv[2:], {"cloud": lambda: Cloud(work / "cloud", hook)}))
"""
BOXES = "a = Box('a')\nb = Box('b', of=a.made)\nBox('c', of=b.made)\npulumi.export('a', a.made)\n"


class Running:
    """An `up` that waits in its first create until `go` is there (REFUSE: every create fails)."""

    def __init__(self, work: Path, program: str = BOXES, **variables: str) -> None:
        self.work = work
        (work / "cloud").mkdir()
        self.stage = Stage(work, lambda: Cloud(work / "cloud"), package="cloud")
        self.stage.program(PROGRAM)
        self.stage.configure("dev")
        self.process = subprocess.Popen(
            [sys.executable, "-c", ENGINE, str(work), "up", "-s", "dev", "-C", str(self.stage.project), "--yes", "-f"],
            env={**os.environ, **self.stage.env, "CLOUD_PROGRAM": program, **variables},
            cwd=Path(__file__).parents[2],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.wait_for((work / "in create").exists)

    @staticmethod
    def wait_for(condition: object) -> None:
        assert callable(condition)
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def interrupt(self, said: str, stream: str = "stdout") -> str:
        """Send Ctrl-C and wait until the engine has said something."""
        self.process.send_signal(signal.SIGINT)
        text = ""
        in_vain = threading.Timer(60, self.process.kill)
        in_vain.start()
        while said not in text:
            line = getattr(self.process, stream).readline()
            assert line, f"the engine ended without saying {said!r}: {text}"
            text += line
        in_vain.cancel()
        return text

    def finish(self) -> str:
        out, err = self.process.communicate(timeout=60)
        return str(out + err)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    started = Running(tmp_path)
    yield started
    if started.process.poll() is None:
        started.process.kill()
        started.process.communicate()


def test_once_what_has_begun_ends(running: Running) -> None:
    assert "run the same command again" in running.interrupt("^C received; cancelling")
    (running.work / "go").touch()
    text = running.finish()
    assert running.process.returncode == 1, text
    assert "error: update canceled" in text
    assert "Traceback" not in text
    assert [f.stem for f in (running.work / "cloud").iterdir()] == ["a"], "what had begun was done, nothing else"
    state = running.stage.export()
    assert [r["id"] for r in state["resources"] if r["type"] == "cloud:index:Box"] == ["a"]
    assert "pending_operations" not in state
    go_on(running)


def test_twice_all_ends_at_once(running: Running) -> None:
    running.interrupt("^C received; cancelling")
    running.interrupt("terminating at once", "stderr")
    running.process.wait(timeout=30)
    assert running.process.returncode == 130
    pending = running.stage.export()["pending_operations"]
    assert [(p["type"], p["resource"]["inputs"]["name"]) for p in pending] == [("creating", "a")]
    (running.work / "go").touch()
    cleared = running.stage.pulumi("refresh", "-s", "dev", "--yes", "-f", "--clear-pending-creates")
    assert cleared.code == 0, "the lock is gone"
    go_on(running)


def test_twice_even_while_the_first_is_being_told(tmp_path: Path) -> None:
    running = Running(tmp_path, AGAIN="yes")
    try:
        running.interrupt("terminating at once", "stderr")
        assert running.process.wait(timeout=30) == 130
    finally:
        running.process.kill()
        running.process.communicate()


WAITING = """
import asyncio
from pathlib import Path

async def wait(args):
    Path("../in create").touch()
    await asyncio.sleep({seconds})
    return True

hooks = pulumi.ResourceHookBinding(on_error=[pulumi.ErrorHook("wait", wait)])
Box("a", pulumi.ResourceOptions(hooks=hooks))
"""


@pytest.mark.parametrize("seconds", [3600, 2])
def test_once_nothing_is_repeated_any_more(tmp_path: Path, seconds: int) -> None:
    """Neither is the answer of an error hook waited for, nor is its word taken after the interrupt."""
    running = Running(tmp_path, WAITING.format(seconds=seconds), REFUSE="yes")
    try:
        running.interrupt("^C received; cancelling")
        text = running.finish()
    finally:
        running.process.kill()
        running.process.communicate()
    assert running.process.returncode == 1, text
    assert "error: cloud: exception calling Create: RuntimeError: not now" in text
    assert "retrying" not in text.partition("^C received")[2]
    assert "Traceback" not in text
    state = running.stage.export()
    assert "pending_operations" not in state
    assert not [r for r in state["resources"] if r["type"] == "cloud:index:Box"]
    go_on(running)


def go_on(running: Running) -> None:
    done = running.stage.pulumi("up", "-s", "dev", "--yes", "-f", env={"CLOUD_PROGRAM": BOXES})
    assert done.code == 0, done.out
    assert sorted(f.stem for f in (running.work / "cloud").iterdir()) == ["a", "b", "c"]
    assert json.loads(running.stage.pulumi("outputs", "--json", "-s", "dev").out) == {"a": "made a"}
