"""A department's stack under either engine, by `python -m sandbox pulumi`, in a project folder of its own."""

import collections
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from tests.conftest import ROOT, Sandbox

REAL, EMBEDDED = "real", "embedded"
PROGRAM = ("catalogue", "settings", "contract", "components", "department", "operations")
PROJECT = ("Pulumi.yaml", "Pulumi.dev.yaml", "__main__.py", "policies", *PROGRAM)
GUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
TIME = re.compile(r"20\d\d-\d\d-\d\dT[\d:.]+(?:Z|\+00:00)")
ETAG = re.compile(r"0x[0-9A-F]{10,}")
WRITTEN_AT = ("created", "modified", "sourcePosition", "stackTrace")
# A secret that only the state holds, so that each engine must read what the other has encrypted.
TOKEN = "open sesame"
SECRET_EXPORT = f'\nimport pulumi\n\npulumi.export("token", pulumi.Output.secret("{TOKEN}"))\n'


def copy_project(folder: Path) -> Path:
    """The program, its stack file and its policies, with the environment that the tests run in."""
    for name in PROJECT:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            folder.mkdir(exist_ok=True)
            shutil.copy(source, folder / name)
    with (folder / "__main__.py").open("a", encoding="utf-8") as program:
        program.write(SECRET_EXPORT)
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


def digests(folder: Path) -> dict[str, str]:
    """Every file of a project but compiled Python and the environment, by its content."""
    paths = (p for p in folder.rglob("*") if p.is_file() and not {"__pycache__", ".venv"} & set(p.parts))
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in paths}


@dataclass(frozen=True)
class Operation:
    """What an operation did.

    Attributes:
        steps: How often each (event, operation, URN) was told.
        changes: How many resources had each operation.
    """

    steps: collections.Counter[tuple[str, str, str]]
    changes: dict[str, int]


@dataclass(frozen=True)
class Stack:
    """The `dev` stack of a project, in one sandbox, under one engine."""

    sandbox: Sandbox
    project: Path
    engine: str
    policies: ClassVar = ("--policy-pack", "policies", "--policy-pack-config", "policies/merged/dev.json")

    def under(self, engine: str) -> "Stack":
        """The same stack under another engine."""
        return Stack(self.sandbox, self.project, engine)

    def run(self, *words: str) -> str:
        """Runs `python -m sandbox pulumi WORDS`; gives what it printed on standard output."""
        done = self.command(*words)
        assert done.returncode == 0, f"{self.engine}: pulumi {' '.join(words)}\n{done.stdout}{done.stderr}"
        return done.stdout

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The same, whatever its exit code."""
        return self.sandbox.command("pulumi", *words, "--stack", "dev", cwd=self.project, **self._variables())

    def begin(self, *words: str) -> subprocess.Popen[bytes]:
        """Begins the same, as a group of processes that leads itself."""
        command = [sys.executable, "-m", "sandbox", "pulumi", *words, "--stack", "dev"]
        sandbox = {"SANDBOX_DIR": str(self.sandbox.directory), "PYTHONPATH": str(ROOT)}
        environment = {**os.environ, **sandbox, **self._variables()}
        quiet = subprocess.DEVNULL
        return subprocess.Popen(
            command, cwd=self.project, env=environment, stdout=quiet, stderr=quiet, start_new_session=True
        )

    def _variables(self) -> dict[str, str]:
        debug = {"PULUMI_DEBUG_COMMANDS": "true"}  # the real command line hides --event-log
        return {**debug, "SANDBOX_ENGINE": EMBEDDED if self.engine == EMBEDDED else ""}

    def operate(self, operation: str, *words: str) -> Operation:
        """Runs an operation; an up or preview with the policy pack."""
        log = self.sandbox.directory.parent / "events.json"
        log.unlink(missing_ok=True)
        flags = [] if operation == "preview" else ["--yes", "--skip-preview"]
        packs = self.policies if operation in ("preview", "up") else ()
        self.run(operation, *flags, *packs, *words, "--event-log", str(log))
        return _operation(json.loads(line) for line in log.read_text().splitlines())

    def export(self) -> dict[str, Any]:
        """The state as `stack export` gives it, secrets encrypted."""
        found: dict[str, Any] = json.loads(self.run("stack", "export"))
        return found

    def outputs(self) -> dict[str, Any]:
        """All outputs, secrets in clear."""
        found: dict[str, Any] = json.loads(self.run("stack", "output", "--json", "--show-secrets"))
        return found

    def state(self) -> dict[str, Any]:
        """The state's shape: resources by URN, without what is another one at each run (random ids and times)."""
        deployment = json.loads(self.run("stack", "export", "--show-secrets"))["deployment"]
        return {r["urn"]: _resource(r) for r in deployment.get("resources") or ()}

    def lose_state(self) -> None:
        """What a new machine has: neither state nor the copy of the stack file, but the passphrase."""
        for name in (".pulumi", "stacks"):
            shutil.rmtree(self.sandbox.directory / "pulumi" / name, ignore_errors=True)


def _operation(events: Iterator[dict[str, Any]]) -> Operation:
    steps: collections.Counter[tuple[str, str, str]] = collections.Counter()
    changes: dict[str, int] = {}
    for event in events:
        for kind in ("resourcePreEvent", "resOutputsEvent", "resOpFailedEvent"):
            if kind in event:
                meta = event[kind]["metadata"]
                steps[kind, meta["op"], meta["urn"]] += 1
        changes = event.get("summaryEvent", {}).get("resourceChanges", changes)
    return Operation(steps, changes)


def _resource(resource: dict[str, Any]) -> Any:
    kept = {k: v for k, v in resource.items() if k not in WRITTEN_AT and v not in ({}, [], None)}
    kept["dependencies"] = sorted(kept.get("dependencies", ()))
    # A refresh drops the properties that depend on nothing; the engine's traces hold it to that.
    edges = kept.get("propertyDependencies", {})
    kept["propertyDependencies"] = {k: sorted(v) for k, v in edges.items() if v}
    return json.loads(ETAG.sub("<etag>", TIME.sub("<time>", GUID.sub("<guid>", json.dumps(kept)))))
