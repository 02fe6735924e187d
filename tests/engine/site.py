"""A project on the small cloud, and engines in processes of their own that are killed at a chosen point."""

import json
import multiprocessing
import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import terminal
from sandbox.engine.state import snapshot
from sandbox.engine.state.secrets import Secrets
from tests.engine.cloud import PROGRAM, Cloud
from tests.engine.stage import PASSPHRASE, SALT, Stage, environment, load

# A fork of this process would copy locks that its other threads hold; the fork server has no other threads.
forks = multiprocessing.get_context("forkserver")
forks.set_forkserver_preload(["tests.engine.site"])
with environment({"PULUMI_CONFIG_PASSPHRASE": PASSPHRASE}):
    Secrets(SALT).unlock()  # so that no child has to derive the key


def run_apart(target: Callable[..., None], *args: Any) -> int:
    """Run a function in a child; its exit code, or minus the signal that killed it."""
    child = forks.Process(target=target, args=args, daemon=True)
    child.start()
    child.join(60)
    if child.exitcode is None:
        child.kill()
        raise AssertionError("the child hangs")
    return child.exitcode


class Point:
    """Kills its own process at the n-th place that it passes, or at the n-th of one kind (as `after Create`)."""

    def __init__(self, number: int, kind: str = "") -> None:
        self.left = number
        self.kind = kind

    def __call__(self, *place: str) -> None:
        if self.kind not in ("", " ".join(place)):
            return
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1


class Site:
    """A project on the small cloud."""

    def __init__(self, work: Path) -> None:
        work.mkdir(exist_ok=True)
        self.work = work
        self.cloud = work / "cloud"
        self.cloud.mkdir(exist_ok=True)
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

    def killed(self, program: str, *words: str, point: "Point", writes: bool) -> bool:
        """Run a command in a child that is killed at a point; False if it never came there."""
        code = run_apart(_run, self.work, program, words, point, writes)
        assert code in (0, -signal.SIGKILL)
        return code != 0

    def recover(self, program: str, *words: str) -> None:
        """What docs/engine.md tells to do after a crash."""
        assert self.run(program, "cancel", "--yes").code == 0
        pending = self.stage.export().get("pending_operations", [])
        creates = [p["resource"] for p in pending if p["type"] == "creating"]
        known = []
        for create in creates:
            name = create.get("inputs", {}).get("name")
            if name in self.contents() and name not in self.known():
                known += ["--import-pending-creates", create["urn"], name]
        done = self.run(program, "refresh", "--yes", "--skip-preview", "--clear-pending-creates", *known)
        assert done.code == 0, done.out + done.err
        done = self.run(program, *words)
        assert done.code == 0, done.out + done.err
        assert "pending operations" not in done.out

    def known(self) -> set[str]:
        """The ids that the state has, without those that were deleted for a replacement."""
        resources = self.stage.export().get("resources", [])
        return {r["id"] for r in resources if r["custom"] and not r.get("pendingReplacement")}


def _run(work: Path, program: str, words: tuple[str, ...], point: Point, writes: bool) -> None:
    site = Site(work)
    if writes:
        _kill_in_writes(point)
    else:
        site.hook = point
    os._exit(site.run(program, *words).code)


def _kill_in_writes(point: Point) -> None:
    log, write = snapshot.SnapshotManager._log, terminal.write_whole

    def logged(self: snapshot.SnapshotManager, entry: dict[str, Any], flush: bool = False) -> None:
        point()
        assert self._journal
        begun = json.dumps(entry)[: len(json.dumps(entry)) // 2]
        self._journal.write(begun)  # a line that is only begun …
        self._journal.flush()
        point()
        self._journal.seek(self._journal.tell() - len(begun))  # … and then, if all goes on, whole
        log(self, entry, flush=True)

    def written(target: Path, content: str | bytes, *, private: bool = False) -> None:
        point()
        write(target, content, private=private)
        point()

    snapshot.SnapshotManager._log = logged  # type: ignore[method-assign]
    terminal.write_whole = written


def up_on_a_full_disk(work: Path, program: str, said: Path) -> None:
    """Run an update whose files may not grow beyond 1500 bytes."""
    site = Site(work)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))
    done = site.up(program)
    said.write_text((done.out + done.err)[-1400:])
    os._exit(done.code)


def up_and_wait(work: Path, root: Path, words: tuple[str, ...], env: dict[str, str]) -> None:
    """Run a command of a trace's scenario, in a process group of its own."""
    os.setsid()
    Stage(work, load(root / "provider.py", "provider").Provider).pulumi(*words, env=env)
