"""A sandbox with the dev stack, killed in its operations, recovered, and compared with one that nobody disturbs."""

import copy
import json
import re
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.program import points
from tests.program.harness import stack_file
from tests.program.stack import KEY
from tests.program.zygote import Zygote

OPERATIONS = ("up", "update", "destroy")
RANDOM = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|0x[0-9A-F]{10,}|\d{4}-\d\d-\d\dT[0-9:.]+(?:Z|\+00:00)|\d\d\d\d-\d\d-\d\d|\b17\d{8}(?:\.\d+)?\b|\b[0-9a-f]{32}\b|gAAAA[\w-]+|[\w+/]{40,}={1,2}"
)
"""What is another one in each sandbox: ids, times, keys."""


def changed(department: Any) -> Any:
    """The department with something updated, made, deleted, and replaced."""
    department = copy.deepcopy(department)
    team = department["teams"][0]
    first, second, _ = team["clusters"]
    first["maxNodes"] = 3
    second["vmSize"] = "STANDARD_DS3_V2"
    team["clusters"] = [first, second, {**first, "name": "another-cluster"}]
    team["dataScientists"] = ["user2@site.com", "admin1@site.com"]
    return department


@dataclass
class Site:
    """A sandbox's folder with the dev stack's state, and the zygote that runs both."""

    zygote: Zygote
    directory: Path
    port: int = 0
    pid: int = 0

    def __enter__(self) -> "Site":
        self.directory.mkdir(parents=True, exist_ok=True)
        self.directory.chmod(0o700)
        found = self.zygote.sandbox(self.directory)
        self.port, self.pid = found["port"], found["pid"]
        return self

    def __exit__(self, *_: object) -> None:
        self.zygote.stop(self.pid)

    def operate(self, operation: str, **options: Any) -> int:
        """Carry out an operation; its exit code."""
        department = stack_file("dev") if operation == "up" else changed(stack_file("dev"))
        file = self.directory / "Pulumi.dev.yaml"
        file.write_text(yaml.safe_dump({"config": {KEY: department}}))
        command = "destroy" if operation == "destroy" else "up"
        return self.run(command, "--yes", "--skip-preview", "--parallel=1", "--config-file", str(file), **options)[0]

    def complete(self, operation: str, **options: Any) -> None:
        """Carry out an operation that has to succeed."""
        assert self.operate(operation, **options) == 0, (self.directory / "said.txt").read_text()

    def run(self, *words: str, **options: Any) -> tuple[int, str]:
        return self.zygote.pulumi(self.directory, self.port, *words, "--stack", "dev", **options)

    def succeed(self, *words: str) -> str:
        code, said = self.run(*words)
        assert code == 0, said
        return said

    def recover(self, ids: dict[str, str]) -> None:
        """What docs/engine.md tells to do after a crash, up to the next run of what was interrupted.

        Args:
            ids: URN -> id of what the operation makes, as a user finds it in Azure.
        """
        folder = self.directory / "pulumi/.pulumi"
        if not any(folder.rglob("dev.*")) and not any(folder.rglob("locks/**/*.json")):
            return  # killed before anything was written
        self.succeed("cancel", "--yes")
        if not any(folder.rglob("dev.*")):
            return  # killed before the stack was made
        words = []
        exported = json.loads(self.succeed("stack", "export"))["deployment"]
        known = {(r["urn"], r.get("id")) for r in exported.get("resources", ()) if not r.get("pendingReplacement")}
        there = {line.split("\t")[1] for line in points.azure(self.directory).splitlines()}
        for resource in (p["resource"] for p in exported.get("pending_operations", ()) if p["type"] == "creating"):
            urn, id_ = resource["urn"], _id(resource, ids)
            if (urn, id_) not in known and _keys(id_) & there:
                words += ["--import-pending-creates", urn, id_]
        self.succeed("refresh", "--yes", "--skip-preview", "--clear-pending-creates", *words)

    def deployment(self) -> dict[str, Any]:
        """The state, secrets in clear."""
        found: dict[str, Any] = json.loads(self.succeed("stack", "export", "--show-secrets"))["deployment"]
        return found

    def files(self) -> Counter[str]:
        """The files of the state's backend: no lock and no journal may stay."""
        folder = self.directory / "pulumi/.pulumi"
        files = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
        return Counter(str(file) for file in files if file.suffix != ".tmp")  # of a write that was cut short; unread

    def azure(self) -> Counter[str]:
        """All that Azure holds, without what differs from run to run.

        Raises:
            AssertionError: The database is corrupt.
        """
        with closing(sqlite3.connect(self.directory / "azure.db")) as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        rows = [line.split("\t") for line in points.azure(self.directory).splitlines()]
        texts = (f"{kind} {key} {_in_order(json.loads(body))}" for kind, key, body in rows)
        return Counter(_masked(text) for text in texts if not text.split()[0].lower().endswith("operation"))


def _id(resource: dict[str, Any], ids: dict[str, str]) -> str:
    """The id that a pending create has in Azure, if it has been carried out."""
    inputs = resource.get("inputs", {})
    if resource["type"].endswith(":RoleAssignment"):  # its name comes from its principal's id, which is random
        return f"{inputs['scope']}/providers/Microsoft.Authorization/roleAssignments/{inputs['roleAssignmentName']}"
    return ids.get(resource["urn"], "")


def _keys(id_: str) -> set[str]:
    """Under what Azure's store may know a resource of this id."""
    parts = id_.lower().split("/")
    keys = {id_.lower()}
    if "roledefinitions" in parts:
        keys.add(parts[-1])
    if "containers" in parts and parts[-2] == "containers":
        keys |= {f"{parts[8]}/{parts[-1]}"}
    return keys


def _in_order(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _resource(resource: dict[str, Any]) -> str:
    kept = {k: v for k, v in resource.items() if k not in ("created", "modified") and v not in ({}, [], None)}
    kept["dependencies"] = sorted(kept.get("dependencies", ()))
    edges = kept.get("propertyDependencies", {})
    kept["propertyDependencies"] = {k: sorted(v) for k, v in edges.items() if v}  # a refresh drops the empty ones
    return _in_order(kept)


def _masked(text: str) -> str:
    return RANDOM.sub("<random>", text)


@dataclass(frozen=True)
class Wanted:
    """What an operation leaves that nobody disturbs.

    Attributes:
        state: The state's resources, and its pending operations: none.
        azure: All that Azure holds.
        files: The names of the backend's files.
        ids: URN -> id.
    """

    state: Counter[str]
    azure: Counter[str]
    files: Counter[str]
    ids: dict[str, str]

    @classmethod
    def of(cls, site: Site) -> "Wanted":
        """What is there."""
        deployment = site.deployment()
        resources = deployment.get("resources", [])
        ids = {r["urn"]: r["id"] for r in resources if r["custom"]}
        state = Counter(_masked(_resource(r)) for r in resources)
        pending = Counter(f"pending {_in_order(one)}" for one in deployment.get("pending_operations", ()))
        return cls(state + pending, site.azure(), site.files(), ids)

    def compare(self, site: Site, what: str) -> None:
        """Hold a site to it."""
        now = Wanted.of(site)
        for name in ("state", "azure", "files"):
            wanted, found = getattr(self, name), getattr(now, name)
            differs = [*(f"- {one}" for one in wanted - found), *(f"+ {one}" for one in found - wanted)]
            assert not differs, f"{what}: {name} is not as undisturbed (-):\n" + "\n".join(differs)


def undisturbed(zygote: Zygote, directory: Path) -> dict[str, Wanted]:
    """What each operation leaves in a life of the stack without a kill."""
    found: dict[str, Wanted] = {}
    with Site(zygote, directory) as site:
        for operation in OPERATIONS:
            site.complete(operation)
            found[operation] = Wanted.of(site)
    return found
