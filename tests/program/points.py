"""The places of an engine's run in which it can be killed: every provider call, every write of the state."""

import hashlib
import json
import os
import shutil
import signal
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import terminal
from sandbox.engine.carry_out.providers.instance import Provider
from sandbox.engine.state import snapshot
from sandbox.engine.state.backend import Stack
from sandbox.engine.state.resources import name_of


def pass_by(directory: Path, kill: int = -1, record: str = "") -> None:
    """Let this process be killed at the point of this number, or keep what a kill at each point would leave."""
    point = _Recorder(directory, Path(record)) if record else _Point(kill) if kill >= 0 else None
    if point:
        _watch(point)


class _Point:
    """Counts the points, and kills at one."""

    def __init__(self, kill: int) -> None:
        self.number = 0
        self._kill = kill

    def __call__(self, place: str) -> None:
        if self.number == self._kill:
            os.kill(os.getpid(), signal.SIGKILL)
        self.number += 1


class _Recorder(_Point):
    """Copies the state and Azure as a kill at the point would leave them: SIGKILL keeps what is in the files."""

    def __init__(self, directory: Path, kept: Path) -> None:
        super().__init__(-1)
        self._directory, self._kept = directory, kept
        self._known: dict[str, str] = {}

    def __call__(self, place: str) -> None:
        found = hashlib.sha256(azure(self._directory).encode())
        folder = self._directory / "pulumi" / ".pulumi"
        for file in sorted(p for p in folder.rglob("*") if p.is_file()):
            found.update(str(file).encode() + file.read_bytes())
        name = self._known.setdefault(found.hexdigest(), f"{self.number:04}")
        if name == f"{self.number:04}":
            copy(self._directory, self._kept / name)
        with (self._kept / "points.jsonl").open("a") as log:
            log.write(json.dumps({"number": self.number, "place": place, "same as": name}) + "\n")
        self.number += 1


def copy(directory: Path, to: Path) -> None:
    """Copy a sandbox's folder that is in use."""
    shutil.copytree(directory, to, ignore=shutil.ignore_patterns("azure.db*", "sandbox.json", "*.txt", "lock"))
    with closing(sqlite3.connect(directory / "azure.db")) as live, closing(sqlite3.connect(to / "azure.db")) as kept:
        live.backup(kept)


def azure(directory: Path) -> str:
    """All that the sandbox's Azure holds."""
    with closing(sqlite3.connect(directory / "azure.db")) as db:
        return "\n".join("\t".join(row) for row in db.execute("SELECT kind, key, body FROM documents"))


def _says(entry: dict[str, Any]) -> str:
    """What a line of the journal notes, and of what, in the words of its keys."""
    of = name_of(entry["resource"]["urn"]) if "resource" in entry else ""
    return " ".join(filter(None, (next(iter(entry)), str(entry.get("begin", "")), of)))


def _watch(point: _Point) -> None:
    call, log, write, unlock = (
        Provider.call, snapshot.SnapshotManager._log, terminal.write_whole, Stack.unlock,
    )  # fmt: skip

    one_at_a_time = threading.RLock()

    def called(self: Provider, method: str, request: Any) -> Any:
        with one_at_a_time:
            urn = getattr(request, "urn", "")
            of = name_of(urn) if urn else getattr(request, "tok", "")
            point(f"before {method} {of}".rstrip())
            found = call(self, method, request)
            point(f"after {method} {of}".rstrip())
            return found

    def logged(self: snapshot.SnapshotManager, entry: dict[str, Any], flush: bool = False) -> None:
        with one_at_a_time:
            line = f"the line {_says(entry)}"
            point(f"before {line}")
            assert self._journal
            begun = json.dumps(entry)[: len(json.dumps(entry)) // 2]
            self._journal.write(begun)  # a line that is only begun …
            self._journal.flush()
            point(f"in {line}")
            self._journal.seek(self._journal.tell() - len(begun))  # … and then, if all goes on, whole
            self._journal.truncate()
            log(self, entry, flush)

    def written(target: Path, content: str | bytes, *, private: bool = False) -> None:
        with one_at_a_time:
            point(f"before {target.suffix}")
            begun = target.with_name(f".{target.name}.{os.getpid()}.part")  # as the write does it
            target.parent.mkdir(parents=True, exist_ok=True)
            begun.write_text(str(content)[: len(content) // 2])
            point(f"in {target.suffix}")
            begun.unlink()
            write(target, content, private=private)
            point(f"after {target.suffix}")

    def unlocked(self: Stack) -> None:
        with one_at_a_time:
            point("before unlock")
            unlock(self)

    Provider.call = called  # type: ignore[method-assign]
    snapshot.SnapshotManager._log = logged  # type: ignore[method-assign]
    terminal.write_whole = written
    Stack.unlock = unlocked  # type: ignore[method-assign]
