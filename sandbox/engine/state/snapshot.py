"""The state while an update runs, kept in a journal so that saving takes time in the number of changes.

Every change is a line appended to the stack's journal before (`begin`) and after (`end`) its provider call; at the
end the journal is folded into the stack file. Who finds a journal, left by an engine that was killed, replays it over
the file: what had begun and not ended is then a pending operation, as in a file that Pulumi left.
"""

import contextlib
import hashlib
import json
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self, TextIO

from sandbox.engine.errors import EngineError
from sandbox.engine.state.backend import Stack
from sandbox.engine.state.checkpoint import Checkpoint, Codec, salt_of
from sandbox.engine.state.resources import Resource, make_urn, name_of, type_of
from sandbox.engine.state.secrets import Secrets
from sandbox.engine.values import Map


def load(stack: Stack, salt: str | None = None) -> tuple[Checkpoint, Secrets]:
    """The stack's state, a journal that an interrupted engine left included.

    Args:
        stack: where the state is.
        salt: the salt of Pulumi.<stack>.yaml, with which secrets are encrypted from now on; else the state's own.

    Raises:
        EngineError: the state cannot be read, or its secrets cannot be decrypted.
    """
    stored, lines = stack.read(), _journal_lines(stack)
    own_salt = salt_of(stored) or (lines[0].get("salt") if lines else None)
    old = Secrets(own_salt)
    codec = Codec(old)
    checkpoint = codec.load_deployment(stored)
    if lines:
        checkpoint = SnapshotManager(checkpoint).replay(lines[1:], codec).checkpoint()
    checkpoint.salt = salt or own_salt
    return checkpoint, old if checkpoint.salt == own_salt else Secrets(salt)


def adopt(stored: Map, salt: str | None) -> tuple[Checkpoint, Secrets]:
    """The state that an exported deployment holds, and with what its secrets are to be encrypted here.

    Raises:
        EngineError: it is no deployment, or its secrets cannot be decrypted.
    """
    own_salt = salt_of(stored)
    old = Secrets(own_salt)
    checkpoint = Codec(old).load_deployment(stored)
    checkpoint.salt = salt or own_salt
    return checkpoint, old if checkpoint.salt == own_salt else Secrets(salt)


def _journal_lines(stack: Stack) -> list[Map]:
    """The journal's whole lines; none if the stack file holds them already."""
    try:
        text = stack.journal.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    whole = text.splitlines()[: text.count("\n")]  # the last one was being written when the engine was killed
    lines: list[Map] = [json.loads(line) for line in whole]
    return lines if lines and lines[0].get("base") == _fingerprint(stack.file) else []


def _fingerprint(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else ""


class SnapshotManager:
    """The resources that were there, those made since, and the operations under way."""

    def __init__(self, base: Checkpoint) -> None:
        self._base = list(base.resources)
        self._pending = [(op, r) for op, r in base.pending if op == "creating"]  # the others end with the next update
        self._others = base.others
        self._news: list[Resource] = []
        self._done: set[Resource] = set()
        self._operations: dict[Resource, str] = {}
        self._numbers = {resource: n for n, resource in enumerate(self._base)}
        self._journal: TextIO | None = None
        self._lock = threading.Lock()
        self._stack: Stack | None = None
        self._codec: Codec | None = None
        self._broken = False
        self.changed = False

    def open(self, stack: Stack, codec: Codec) -> Self:
        """Begin to write the journal of an update."""
        self._stack, self._codec = stack, codec
        try:
            stack.journal.parent.mkdir(parents=True, exist_ok=True)
            self._journal = stack.journal.open("w", encoding="utf-8")
        except OSError as e:
            raise EngineError(f"the state's journal {stack.journal} cannot be written: {e.strerror}") from e
        self._log({"base": _fingerprint(stack.file), "salt": codec.secrets.salt})
        return self

    def begin(self, operation: str, resource: Resource) -> None:
        """Note that an operation (`creating`, `updating`, …) starts; on disk when this returns."""
        with self._lock:
            self._operations[resource] = operation
            self._log({"begin": operation, "at": self._number(resource), "resource": self._dump(resource)}, flush=True)

    def end(self, ended: Resource | None = None, done: Iterable[Resource] = (), new: Resource | None = None) -> None:
        """Note an operation's end: what is gone from the state with it and what is new."""
        with self._lock:
            done = list(done)
            entry: Map = {"done": [self._number(r) for r in done]}
            if ended is not None and self._operations.pop(ended, ""):
                entry["end"] = self._number(ended)
            same = new is not None and len(done) == 1 and "end" not in entry and done[0].matches(new)
            self._done.update(done)
            if new is not None:
                self._news.append(new)
                entry["new"] = self._number(new)
                if not same:
                    entry["resource"] = self._dump(new)
            self._log(entry, flush=not same)

    def set(self, resource: Resource) -> None:
        """Note that a resource that is in the state has changed in place."""
        with self._lock:
            self._log({"set": self._number(resource), "resource": self._dump(resource)}, flush=True)

    def rebase(self, resources: list[Resource]) -> None:
        """Note what a refresh has made of the state."""
        with self._lock:
            self._base = resources
            for resource in resources:
                self._number(resource)
            self._log({"rebase": [[self._number(r), self._dump(r)] for r in resources]}, flush=True)

    def checkpoint(self) -> Checkpoint:
        """The state as it is now."""
        with self._lock:
            remaining = [r for r in [*self._news, *self._base] if r not in self._done]
            pending = [(op, r) for r, op in self._operations.items()]
            return Checkpoint(_follow_aliases(remaining), pending + self._pending, others=self._others)

    def close(self) -> None:
        """Fold the journal into the stack file."""
        if not self._journal or not self._stack or not self._codec:
            return
        with contextlib.suppress(OSError):  # told already
            self._journal.close()
        self._journal = None
        if self.changed:
            checkpoint = self.checkpoint()
            checkpoint.salt = self._codec.secrets.salt
            self._stack.write(self._codec.dump_deployment(checkpoint))
        else:
            self._stack.journal.unlink(missing_ok=True)

    def replay(self, lines: list[Map], codec: Codec) -> Self:
        """Apply the changes that a journal records."""
        resources: dict[int, Resource] = dict(enumerate(self._base))
        for line in lines:
            resource = codec.load(line["resource"]) if "resource" in line else None
            if "begin" in line and resource:
                self._operations[resources.setdefault(line["at"], resource)] = line["begin"]
            elif "set" in line and resource:
                _overwrite(resources[line["set"]], resource)
            elif "rebase" in line:
                resources |= {n: codec.load(stored) for n, stored in line["rebase"]}
                self._base = [resources[n] for n, _ in line["rebase"]]
            else:
                self._replay_end(line, resource, resources)
        return self

    def _replay_end(self, line: Map, resource: Resource | None, resources: dict[int, Resource]) -> None:
        done = [resources[n] for n in line["done"]]
        if "end" in line:
            self._operations.pop(resources[line["end"]])
        self._done.update(done)
        if "new" in line:
            resources[line["new"]] = resource or done[0].copy()
            self._news.append(resources[line["new"]])

    def _number(self, resource: Resource) -> int:
        return self._numbers.setdefault(resource, len(self._numbers))

    def _dump(self, resource: Resource) -> Any:
        return self._codec.dump(resource) if self._codec else None

    def _log(self, entry: Map, flush: bool = False) -> None:
        self.changed = self.changed or flush
        if not self._journal or self._broken:
            return
        try:
            self._journal.write(json.dumps(entry, ensure_ascii=False) + "\n")
            if flush:
                self._journal.flush()
        except OSError as e:
            self._broken = True  # what follows a line that is cut off could not be read
            raise EngineError(f"the state's journal {self._journal.name} cannot be written: {e.strerror}") from e


def _overwrite(resource: Resource, with_: Resource) -> None:
    for name in Resource.__slots__:
        setattr(resource, name, getattr(with_, name))


def _follow_aliases(resources: list[Resource]) -> list[Resource]:
    """The resources and their references under the new URNs that aliases give (children's, too); no aliases left."""
    renamed: dict[str, str] = {}
    for resource in resources:
        renamed |= dict.fromkeys(resource.aliases, resource.urn)
        parent = renamed.get(resource.parent)
        if parent:
            stack, project = resource.urn.removeprefix("urn:pulumi:").split("::")[:2]
            renamed[resource.urn] = make_urn(stack, project, parent, type_of(resource.urn), name_of(resource.urn))
    if not renamed:
        return resources

    def new(urn: str) -> str:
        return renamed.get(urn, urn)

    renamed_resources = []
    for resource in resources:
        r = resource.copy()
        provider, _, provider_id = r.provider.rpartition("::")
        r.provider = f"{new(provider)}::{provider_id}" if provider else ""
        r.urn, r.parent, r.deleted_with, r.aliases = new(r.urn), new(r.parent), new(r.deleted_with), []
        r.dependencies = [new(d) for d in r.dependencies]
        r.property_dependencies = {k: [new(d) for d in urns] for k, urns in r.property_dependencies.items()}
        renamed_resources.append(r)
    return renamed_resources
