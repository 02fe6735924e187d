"""A stack's state: the resources, Pulumi's checkpoint (version 3), and Pulumi's file backend that keeps it.

The layout is the file backend's own: `.pulumi/meta.yaml`, `.pulumi/stacks/<project>/<stack>.json`,
`.pulumi/locks/organization/<project>/<stack>/<id>.json`. While an update runs, its changes are appended to
`.pulumi/stacks/<project>/<stack>.journal` (see `snapshot`), so that saving takes time in the number of changes.
"""

import getpass
import json
import os
import socket
import uuid
from pathlib import Path

from sandbox.engine.errors import EngineError
from sandbox.engine.state.checkpoint import refuse_version, version_of
from sandbox.engine.state.files import write_file
from sandbox.engine.state.resources import now
from sandbox.engine.values import Map

ORGANIZATION = "organization"  # the file backend knows one organization only, of this name


class Backend:
    """Pulumi's file backend at PULUMI_BACKEND_URL (`file://…`; the home directory if it is not set)."""

    def __init__(self, url: str) -> None:
        """Opens the backend, and makes it where it is new.

        Raises:
            EngineError: the URL is not a file's.
        """
        if not url.startswith("file://"):
            raise EngineError(
                f"the backend {url!r} is not supported: the embedded engine keeps state in files; set PULUMI_BACKEND_URL=file:///absolute/directory"
            )
        self.root = Path(url.removeprefix("file://")).expanduser().absolute() / ".pulumi"

    def stack(self, project: str, name: str) -> "Stack":
        """A stack of a project, whether it exists or not."""
        return Stack(self, project, name)

    def stacks(self, project: str) -> list[str]:
        """The names of a project's stacks."""
        return sorted(f.stem for f in (self.root / "stacks" / project).glob("*.json"))


class Stack:
    """One stack's files in the backend."""

    def __init__(self, backend: Backend, project: str, name: str) -> None:
        self.project, self.name = project, name
        self._meta = backend.root / "meta.yaml"
        self.file = backend.root / "stacks" / project / f"{name}.json"
        self.journal = self.file.with_suffix(".journal")
        self.locks = backend.root / "locks" / ORGANIZATION / project / name
        self._lock = self.locks / f"{uuid.uuid4()}.json"

    @property
    def full_name(self) -> str:
        """The name by which a StackReference finds the stack."""
        return f"{ORGANIZATION}/{self.project}/{self.name}"

    def exists(self) -> bool:
        """Whether the stack has been made, or an engine was interrupted while it made it."""
        return self.file.exists() or self.journal.exists() or any(self.locks.glob("*.json"))

    def read(self) -> Map:
        """The deployment that the stack file holds; empty for a stack that has none yet.

        Raises:
            EngineError: the file cannot be read.
        """
        try:
            stored = json.loads(self.file.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as e:
            raise EngineError(f"the stack file {self.file} cannot be read: {e}") from e
        refuse_version(stored, f"the stack file {self.file}")
        return stored["checkpoint"].get("latest") or {}

    def write(self, deployment: Map | None) -> None:
        """Store a deployment (None: a stack that has none yet), then drop the journal that it holds.

        One line a resource: as readable in a diff as Pulumi's own, and a third of the time to write.

        Raises:
            EngineError: the file cannot be written.
        """
        if not self._meta.exists():
            write_file(self._meta, "version: 1\n")
        checkpoint: Map = {"stack": self.full_name}
        if deployment is not None:
            lists = {k: deployment[k] for k in ("resources", "pending_operations") if k in deployment}
            checkpoint["latest"] = {**deployment, **{k: f"<{k}>" for k in lists}}
            text = json.dumps({**version_of(deployment), "checkpoint": checkpoint}, indent=4)
            for key, items in lists.items():
                lines = ",\n            ".join(json.dumps(item, ensure_ascii=False) for item in items)
                text = text.replace(f'"<{key}>"', f"[\n            {lines}\n        ]", 1)
        else:
            text = json.dumps({"version": 3, "checkpoint": checkpoint}, indent=4)
        write_file(self.file, text + "\n")
        self.journal.unlink(missing_ok=True)

    def remove(self) -> None:
        """Forget the stack; its journal first, which says nothing without the file."""
        self.journal.unlink(missing_ok=True)
        self.file.unlink(missing_ok=True)

    def lock(self) -> None:
        """Take the stack for this process.

        Raises:
            EngineError: Another process has the stack.
        """
        self._refuse_locked()
        owner = {
            "pid": os.getpid(),
            "username": getpass.getuser(),
            "hostname": socket.gethostname(),
            "timestamp": now(),
        }
        write_file(self._lock, json.dumps(owner))
        try:
            self._refuse_locked()
        except EngineError:
            self.unlock()
            raise

    def unlock(self) -> None:
        """Release the stack's lock."""
        self._lock.unlink(missing_ok=True)

    def cancel(self) -> int:
        """Drop every lock; returns how many there were."""
        locks = list(self.locks.glob("*.json"))
        for lock in locks:
            lock.unlink(missing_ok=True)
        return len(locks)

    def _refuse_locked(self) -> None:
        others = [lock for lock in self.locks.glob("*.json") if lock != self._lock]
        if others:
            raise EngineError(
                f"the stack is currently locked by {len(others)} lock(s). Either wait for the other process(es) "
                f"to end or delete the lock file with `pulumi cancel`.{''.join(map(_describe, others))}"
            )


def _describe(lock: Path) -> str:
    try:
        owner = json.loads(lock.read_bytes())
        gone = owner["hostname"] == socket.gethostname() and not _runs(owner["pid"])
        stale = "; that process no longer runs, so the lock is stale: `pulumi cancel` is safe" if gone else ""
        who = f"created by {owner['username']}@{owner['hostname']} (pid {owner['pid']}) at {owner['timestamp']}{stale}"
    except (OSError, ValueError, KeyError):
        who = "unreadable"
    return f"\n  file://{lock}: {who}"


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
