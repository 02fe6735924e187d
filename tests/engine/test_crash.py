"""SIGKILL at every provider call and every write of the state: what was pending is told, and the recovery converges."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox.engine import snapshot, state
from tests.engine.cloud import PROGRAM, Cloud
from tests.engine.stage import Stage

BEFORE = """
a = Box("a", size=1)
b = Box("b", of=a.made, kind="x")
c = Box("c", of=b.made)
gone = Box("gone", of=a.made)
pulumi.export("c", c.made)
"""
AFTER = """
a = Box("a", size=2)
b = Box("b", of=a.made, kind="y")
c = Box("c", of=b.made, more=pulumi.Output.secret("s"))
d = Box("d", of=c.made)
pulumi.export("d", d.made)
"""


class Point:
    """Kills its own process at the n-th place that it passes."""

    def __init__(self, number: int, passed: Path) -> None:
        self.left = number
        self.passed = passed

    def __call__(self, *_place: str) -> None:
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1


class Site:
    """A project on the small cloud."""

    def __init__(self, work: Path) -> None:
        work.mkdir()
        self.cloud = work / "cloud"
        self.cloud.mkdir()
        self.hook: Callable[..., None] = lambda *_: None
        self.stage = Stage(work, lambda: Cloud(self.cloud, self.hook), package="cloud")
        self.stage.program(PROGRAM)
        self.stage.configure("dev")

    def run(self, program: str, *words: str) -> Any:
        return self.stage.pulumi(*words, "-s", "dev", env={"CLOUD_PROGRAM": program})

    def up(self, program: str) -> Any:
        return self.run(program, "up", "--yes", "--skip-preview", "--parallel=1")

    def contents(self) -> dict[str, Any]:
        return {f.stem: json.loads(f.read_text()) for f in sorted(self.cloud.iterdir())}

    def state(self) -> list[dict[str, Any]]:
        """The resources in the state without what differs from run to run."""
        found = []
        for r in self.stage.export().get("resources", []):
            keep = {k: v for k, v in r.items() if k not in ("created", "modified", "provider", "dependencies")}
            keep["dependencies"] = sorted(r.get("dependencies", ()))
            found.append(keep | ({"id": "-"} if r["type"].startswith("pulumi:providers") else {}))
        return sorted(found, key=lambda r: str(r["urn"]))

    def killed(self, program: str, *words: str, point: Callable[..., None], writes: bool) -> bool:
        """Run a command in a child that is killed at a point; False if it never came there."""
        pid = os.fork()
        if pid == 0:
            os.setsid()
            code = 1
            try:
                if writes:
                    self._kill_in_writes(point)
                else:
                    self.hook = point
                code = self.run(program, *words).code
            finally:
                os._exit(code)
        _, status = os.waitpid(pid, 0)
        if os.waitstatus_to_exitcode(status) == 0:
            return False
        assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
        return True

    @staticmethod
    def _kill_in_writes(point: Callable[..., None]) -> None:
        log, write = snapshot.SnapshotManager._log, state.write_atomically

        def logged(self: snapshot.SnapshotManager, entry: dict[str, Any], flush: bool = False) -> None:
            point()
            assert self._journal
            self._journal.write(json.dumps(entry)[: len(json.dumps(entry)) // 2])  # a line that is only begun …
            self._journal.flush()
            point()
            self._journal.seek(self._journal.tell() - len(json.dumps(entry)) // 2)  # … and then, if all goes on, whole
            log(self, entry, flush=True)

        def written(path: Path, text: str) -> None:
            point()
            write(path, text)
            point()

        snapshot.SnapshotManager._log = logged  # type: ignore[method-assign]
        state.write_atomically = written

    def recover(self, program: str, *words: str) -> None:
        """What docs/engine.md tells to do after a crash."""
        assert self.run(program, "cancel", "--yes").code == 0
        pending = self.stage.export().get("pending_operations", [])
        creates = [p["resource"] for p in pending if p["type"] == "creating"]
        known = []
        for resource in creates:
            name = resource.get("inputs", {}).get("name")
            if name in self.contents() and name not in self.known():
                known += ["--import-pending-creates", resource["urn"], name]
        done = self.run(program, "refresh", "--yes", "--skip-preview", "--clear-pending-creates", *known)
        assert done.code == 0, done.out + done.err
        done = self.run(program, *words)
        assert done.code == 0, done.out + done.err
        assert "pending operations" not in done.out

    def known(self) -> set[str]:
        """The ids that the state has, without those that were deleted for a replacement."""
        resources = self.stage.export().get("resources", [])
        return {r["id"] for r in resources if r["custom"] and not r.get("pendingReplacement")}


UP = ("up", "--yes", "--skip-preview", "--parallel=1")
DESTROY = ("destroy", "--yes", "--skip-preview", "--parallel=1")


@pytest.mark.parametrize("writes", [False, True], ids=["provider calls", "state writes"])
@pytest.mark.parametrize("case", ["up", "update", "destroy"])
def test_kill_and_recover_at_every_point(case: str, writes: bool, tmp_path: Path) -> None:
    program, words = {"up": (BEFORE, UP), "update": (AFTER, UP), "destroy": (BEFORE, DESTROY)}[case]
    wanted = Site(tmp_path / "wanted")
    prepare(wanted, case)
    assert wanted.run(program, *words).code == 0
    number = 0
    while True:
        site = Site(tmp_path / f"site{number}")
        prepare(site, case)
        if not site.killed(program, *words, point=Point(number, tmp_path), writes=writes):
            break
        site.recover(program, *words)
        assert site.contents() == wanted.contents(), f"killed at point {number}"
        assert site.state() == wanted.state(), f"killed at point {number}"
        again = site.run(program, "preview", "--json")
        if case != "destroy":
            assert set(json.loads(again.out)["changeSummary"]) == {"same"}
        number += 1
    assert number >= 8, "the run has more points than that"


def prepare(site: Site, case: str) -> None:
    assert site.run("", "stack", "init").code == 0
    if case != "up":
        assert site.up(BEFORE).code == 0


def test_what_was_pending_is_told(tmp_path: Path) -> None:
    site = Site(tmp_path / "site")

    def kill_in_create(when: str, method: str) -> None:
        if (when, method) == ("after", "Create"):
            os.kill(os.getpid(), signal.SIGKILL)

    assert site.killed(BEFORE, *UP, point=kill_in_create, writes=False)
    locked = site.up(BEFORE)
    assert locked.code == 1
    assert "the stack is currently locked by 1 lock(s)" in locked.err
    assert "no longer runs, so the lock is stale" in locked.err
    assert site.run(BEFORE, "cancel", "--yes").code == 0
    told = site.up(BEFORE)
    assert told.code == 1
    assert "urn:pulumi:dev::traces::cloud:index:Box::a, interrupted while creating" in told.out
    assert "cannot create a: it exists already" in told.out
    wrong = site.run(BEFORE, "refresh", "--yes", "-f", "--import-pending-creates", "urn:nonsense", "x")
    assert wrong.code == 1
    assert "did not correspond to a pending create; pending are: urn:pulumi:dev" in wrong.err
