"""A stack's state: the resources, Pulumi's checkpoint (version 3), and Pulumi's file backend that keeps it.

The layout is the file backend's own: `.pulumi/meta.yaml`, `.pulumi/stacks/<project>/<stack>.json`,
`.pulumi/locks/organization/<project>/<stack>/<id>.json`. While an update runs, its changes are appended to
`.pulumi/stacks/<project>/<stack>.journal` (see `snapshot`), so that saving takes time in the number of changes.
"""

import contextlib
import getpass
import hashlib
import json
import os
import socket
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox.engine.errors import EngineError
from sandbox.engine.secrets import Secrets
from sandbox.engine.values import SECRET, SIG, Map

VERSION = "v3.259.0"  # the engine that the behaviour is taken from; its name in the manifest decides what can read it
ORGANIZATION = "organization"  # the file backend knows one organization only, of this name


@dataclass(eq=False, slots=True)
class Resource:
    """One resource as the checkpoint has it (Pulumi's `ResourceV3`); values are on the wire's form, secrets marked."""

    urn: str
    type: str
    custom: bool = False
    delete: bool = False
    id: str = ""
    inputs: Map = field(default_factory=dict)
    outputs: Map = field(default_factory=dict)
    parent: str = ""
    protect: bool = False
    external: bool = False
    dependencies: list[str] = field(default_factory=list)
    init_errors: list[str] = field(default_factory=list)
    provider: str = ""
    property_dependencies: dict[str, list[str]] = field(default_factory=dict)
    pending_replacement: bool = False
    additional_secret_outputs: list[str] = field(default_factory=list)
    aliases: list[str] = field(default_factory=list)
    custom_timeouts: dict[str, float] = field(default_factory=dict)
    import_id: str = ""
    retain_on_delete: bool = False
    deleted_with: str = ""
    created: str = ""
    modified: str = ""
    ignore_changes: list[str] = field(default_factory=list)
    replace_on_changes: list[str] = field(default_factory=list)
    hooks: dict[str, list[str]] = field(default_factory=dict)  # kind (`OnError`, …) -> names of hooks
    others: Map = field(default_factory=dict)  # what the engine does not use, kept as it was read

    @property
    def name(self) -> str:
        """The resource's name in the program."""
        return name_of(self.urn)

    @property
    def is_provider(self) -> bool:
        """Whether the resource is a provider."""
        return is_provider_type(self.type)

    @property
    def is_stack(self) -> bool:
        """Whether the resource is the stack itself."""
        return self.type == STACK_TYPE

    def copy(self) -> "Resource":
        """A copy whose own attributes can be set; values are shared."""
        return replace(self)

    def references(self, with_parent: bool = True) -> Iterator[str]:
        """The URNs of all that the resource depends on, its provider's included."""
        if with_parent and self.parent:
            yield self.parent
        if self.provider:
            yield self.provider.rpartition("::")[0]
        if self.deleted_with:
            yield self.deleted_with
        yield from self.dependencies
        for urns in self.property_dependencies.values():
            yield from urns

    def matches(self, other: "Resource") -> bool:
        """Whether both would be stored alike but for their times."""
        return all(getattr(self, name) == getattr(other, name) for name in _COMPARED)


STACK_TYPE = "pulumi:pulumi:Stack"
_STORED = {  # in the order in which Pulumi writes them
    "urn": "urn",
    "custom": "custom",
    "delete": "delete",
    "id": "id",
    "type": "type",
    "inputs": "inputs",
    "outputs": "outputs",
    "parent": "parent",
    "protect": "protect",
    "external": "external",
    "dependencies": "dependencies",
    "init_errors": "initErrors",
    "provider": "provider",
    "property_dependencies": "propertyDependencies",
    "pending_replacement": "pendingReplacement",
    "additional_secret_outputs": "additionalSecretOutputs",
    "aliases": "aliases",
    "custom_timeouts": "customTimeouts",
    "import_id": "importID",
    "retain_on_delete": "retainOnDelete",
    "deleted_with": "deletedWith",
    "created": "created",
    "modified": "modified",
    "ignore_changes": "ignoreChanges",
    "replace_on_changes": "replaceOnChanges",
    "hooks": "resourceHooks",
}
_COMPARED = [f.name for f in fields(Resource) if f.name not in ("created", "modified")]
_ALWAYS = {"urn", "custom", "type"}


def is_provider_type(type_: str) -> bool:
    """Whether a type token is a provider's."""
    return type_.startswith("pulumi:providers:")


def name_of(urn: str) -> str:
    """The name at a URN's end."""
    return urn.split("::", 3)[3]


def type_of(urn: str) -> str:
    """The type token in a URN, without the parents'."""
    return urn.split("::", 3)[2].rpartition("$")[2]


def make_urn(stack: str, project: str, parent: str, type_: str, name: str) -> str:
    """The URN of a resource: a parent's type goes before the own one, unless the parent is the stack."""
    parents = parent.split("::", 3)[2] if parent else ""
    prefix = f"{parents}$" if parents and parents != STACK_TYPE else ""
    return f"urn:pulumi:{stack}::{project}::{prefix}{type_}::{name}"


def now() -> str:
    """The time as the state holds it."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


@dataclass
class Checkpoint:
    """All that a stack file holds."""

    resources: list[Resource] = field(default_factory=list)
    pending: list[tuple[str, Resource]] = field(default_factory=list)  # what was under way, e.g. ("creating", resource)
    salt: str | None = None
    others: Map = field(default_factory=dict)  # metadata, snippets, extensions: kept as they were read


class Codec:
    """Turns resources into the checkpoint's JSON and back, secrets encrypted (or, `show_secrets`, in clear)."""

    def __init__(self, secrets: Secrets, show_secrets: bool = False) -> None:
        self.secrets = secrets
        self._show = show_secrets

    def dump(self, resource: Resource) -> Map:
        """The resource as the checkpoint has it."""
        found: Map = {}
        for name, key in _STORED.items():
            value = getattr(resource, name)
            if value or name in _ALWAYS:
                found[key] = (
                    self._dump(value, f"{resource.urn}.{key}")
                    if key in ("inputs", "outputs")
                    else value
                    if key != "customTimeouts"
                    else self.numbers(value)
                )
        return {**found, **resource.others}

    def _dump(self, value: Any, where: str) -> Any:
        if isinstance(value, dict):
            if value.get(SIG) == SECRET:
                text = json.dumps(self._dump(value["value"], where), ensure_ascii=False, separators=(",", ":"))
                return (
                    {SIG: SECRET, "plaintext": text}
                    if self._show
                    else {SIG: SECRET, "ciphertext": self.secrets.encrypt(text, where)}
                )
            return {key: self._dump(inner, f"{where}.{key}") for key, inner in value.items()}
        if isinstance(value, list):
            return [self._dump(inner, f"{where}[{i}]") for i, inner in enumerate(value)]
        return int(value) if isinstance(value, float) and value.is_integer() else value

    @classmethod
    def numbers(cls, value: Any) -> Any:
        """The value with whole numbers as such, as Go writes them."""
        if isinstance(value, dict):
            return {key: cls.numbers(inner) for key, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return [cls.numbers(inner) for inner in value]
        return int(value) if isinstance(value, float) and value.is_integer() else value

    def load(self, stored: Map) -> Resource:
        """The resource that the checkpoint has.

        Raises:
            EngineError: a secret of it cannot be decrypted.
        """
        others = {key: value for key, value in stored.items() if key not in _STORED.values()}
        known = {name: stored[key] for name, key in _STORED.items() if stored.get(key) is not None}
        for key in ("inputs", "outputs"):
            if key in known:
                known[key] = self._load(known[key], f"{known['urn']}.{key}")
        return Resource(**known, others=others)

    def _load(self, value: Any, where: str) -> Any:
        if isinstance(value, dict):
            if value.get(SIG) == SECRET:
                text = value["plaintext"] if "plaintext" in value else self.secrets.decrypt(value["ciphertext"], where)
                return {SIG: SECRET, "value": self._load(json.loads(text), where)}
            return {key: self._load(inner, f"{where}.{key}") for key, inner in value.items()}
        if isinstance(value, list):
            return [self._load(inner, f"{where}[{i}]") for i, inner in enumerate(value)]
        return float(value) if isinstance(value, int) and not isinstance(value, bool) else value

    def dump_deployment(self, checkpoint: Checkpoint) -> Map:
        """The checkpoint as Pulumi's `DeploymentV3`."""
        magic = hashlib.sha256(VERSION.encode()).hexdigest()
        found: Map = {"manifest": {"time": now(), "magic": magic, "version": VERSION}}
        if checkpoint.salt:
            found["secrets_providers"] = {"type": "passphrase", "state": {"salt": checkpoint.salt}}
        if checkpoint.resources:
            found["resources"] = [self.dump(r) for r in checkpoint.resources]
        if checkpoint.pending:
            found["pending_operations"] = [{"resource": self.dump(r), "type": op} for op, r in checkpoint.pending]
        return {**found, "metadata": {}, **checkpoint.others}

    def load_deployment(self, stored: Map) -> Checkpoint:
        """The checkpoint that a `DeploymentV3` holds.

        Raises:
            EngineError: it is not one, or a secret of it cannot be decrypted.
        """
        try:
            return Checkpoint(
                resources=[self.load(r) for r in stored.get("resources") or ()],
                pending=[(p["type"], self.load(p["resource"])) for p in stored.get("pending_operations") or ()],
                salt=salt_of(stored),
                others={k: v for k, v in stored.items() if k in ("metadata", "snippets", "extensions")},
            )
        except (KeyError, TypeError, AttributeError) as e:
            raise EngineError(f"the state is not a Pulumi deployment of version 3: {e!r}") from e


def version_of(deployment: Map) -> Map:
    """The version that a deployment is stored under: 4, with the feature named, if resources have hooks, else 3."""
    pending = (operation["resource"] for operation in deployment.get("pending_operations", ()))
    hooks = any("resourceHooks" in resource for resource in (*deployment.get("resources", ()), *pending))
    return {"version": 4, "features": ["hooks"]} if hooks else {"version": 3}


def refuse_version(stored: Map, what: str) -> None:
    """Refuse a state of another version than 3 and 4, or with features that are not known here.

    Raises:
        EngineError: it is of such a kind.
    """
    if stored.get("version") not in {3, 4}:
        raise EngineError(f"{what} has version {stored.get('version')}; only 3 and 4 are supported")
    unknown = sorted({str(feature) for feature in stored.get("features") or ()} - {"hooks"})
    if unknown:
        raise EngineError(f"{what} uses {', '.join(unknown)}, which the embedded engine does not support")


def salt_of(deployment: Map) -> str | None:
    """The salt that a deployment's secrets were encrypted with, if it has secrets.

    Raises:
        EngineError: its secrets are kept by a service.
    """
    provider = deployment.get("secrets_providers") or {}
    if provider and provider.get("type") != "passphrase":
        raise EngineError(
            f"the state's secrets are kept by {provider.get('type')!r}; the embedded engine knows "
            "passphrases only: change it with `pulumi stack change-secrets-provider passphrase`"
        )
    return provider["state"]["salt"] if provider else None


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as e:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise EngineError(f"{path} cannot be written: {e.strerror}") from e


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
            write_atomically(self._meta, "version: 1\n")
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
        write_atomically(self.file, text + "\n")
        self.journal.unlink(missing_ok=True)

    def remove(self) -> None:
        """Forget the stack; its journal first, which says nothing without the file."""
        self.journal.unlink(missing_ok=True)
        self.file.unlink(missing_ok=True)

    def lock(self) -> None:
        """Take the stack for this process.

        Raises:
            EngineError: another one has it.
        """
        self._refuse_locked()
        owner = {
            "pid": os.getpid(),
            "username": getpass.getuser(),
            "hostname": socket.gethostname(),
            "timestamp": now(),
        }
        write_atomically(self._lock, json.dumps(owner))
        try:
            self._refuse_locked()
        except EngineError:
            self.unlock()
            raise

    def unlock(self) -> None:
        """Give the stack free."""
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
