"""SIGKILL of the engine in the dev stack's up, update and destroy: the documented recovery ends where no kill leads to.

What `make test` has is a fixed sample of real kills, one upon the other. `make soak` enumerates every provider call
(before and after it) and every write of the state (before, in the middle of a line, after): what SIGKILL leaves is what
the files hold at that moment, so one run, copied at each of its points, shows what a kill at each would leave. Points
that leave the same are recovered from once. `SOAK_POINTS` says how many of them a run takes at most.
"""

import copy
import json
import os
import random
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.program import points
from tests.program.harness import stack_file
from tests.program.stack import KEY
from tests.program.zygote import Zygote

POINTS = int(os.environ.get("SOAK_POINTS", "100000"))
KILLS = 4  # of each operation in the sample
OPERATIONS = ("up", "update", "destroy")
FURTHEST = {"up": 180, "update": 180, "destroy": 80}  # points that a kill of the sample lets pass
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

    def resources(self) -> list[dict[str, Any]]:
        """The state's resources, secrets in clear."""
        exported = json.loads(self.succeed("stack", "export", "--show-secrets"))
        found: list[dict[str, Any]] = exported["deployment"].get("resources", [])
        return found

    def azure(self) -> Counter[str]:
        """All that Azure holds, without what differs from run to run."""
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
    """What an operation leaves that nobody disturbs."""

    state: Counter[str]
    azure: Counter[str]
    ids: dict[str, str]

    @classmethod
    def of(cls, site: Site) -> "Wanted":
        """What is there."""
        resources = site.resources()
        ids = {r["urn"]: r["id"] for r in resources if r["custom"]}
        return cls(Counter(_masked(_resource(r)) for r in resources), site.azure(), ids)

    def compare(self, site: Site, what: str) -> None:
        """Hold a site to it."""
        now = Wanted.of(site)
        for name, wanted, found in (("state", self.state, now.state), ("azure", self.azure, now.azure)):
            differs = [*(f"- {one}" for one in wanted - found), *(f"+ {one}" for one in found - wanted)]
            assert not differs, f"{what}: {name} is not as undisturbed (-):\n" + "\n".join(differs)


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    with Zygote() as started:
        yield started


@pytest.fixture(scope="module")
def life(zygote: Zygote, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Wanted]:
    """An undisturbed life of the stack."""
    found: dict[str, Wanted] = {}
    with Site(zygote, tmp_path_factory.mktemp("life") / ".sandbox") as site:
        for operation in OPERATIONS:
            assert site.operate(operation) == 0, (site.directory / "said.txt").read_text()
            found[operation] = Wanted.of(site)
    return found


@pytest.mark.timeout(900)  # twelve recoveries: a busy machine takes its time
def test_killed_again_and_again(zygote: Zygote, life: dict[str, Wanted], tmp_path: Path) -> None:
    """Twelve real kills, each recovered from as docs/engine.md tells, each before the operation has come to its end."""
    chance = random.Random(1)
    with Site(zygote, tmp_path / ".sandbox") as site:
        for operation in OPERATIONS:
            for _ in range(KILLS):
                number = chance.randrange(20, FURTHEST[operation])
                assert site.operate(operation, kill=number) == -9, f"{operation} has fewer points than {number}"
                site.recover(life["up"].ids | life["update"].ids)
            assert site.operate(operation) == 0, (site.directory / "said.txt").read_text()
            life[operation].compare(site, operation)


@pytest.mark.soak
@pytest.mark.timeout(4 * 3600)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_point(operation: str, zygote: Zygote, life: dict[str, Wanted], tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    with Site(zygote, tmp_path / ".sandbox") as site:
        for before in OPERATIONS[: OPERATIONS.index(operation)]:
            assert site.operate(before) == 0
        assert site.operate(operation, record=str(kept)) == 0
    every = [json.loads(line) for line in (kept / "points.jsonl").read_text().splitlines()]
    distinct = sorted({point["same as"] for point in every})
    chosen = distinct[:: max(len(distinct) // POINTS, 1)]
    ids = life["up"].ids | life["update"].ids
    places = {f"{point['number']:04}": point["place"] for point in every}

    def recovered(names: list[str]) -> list[str]:
        failures = []
        with Zygote() as own:
            for name in names:
                try:
                    with Site(own, kept / name) as site:
                        site.recover(ids)
                        assert site.operate(operation) == 0, (site.directory / "said.txt").read_text()
                        life[operation].compare(site, places[name])
                except AssertionError as e:
                    failures.append(f"point {name}, {places[name]}: {str(e)[:2000]}")
                shutil.rmtree(kept / name)
        return failures

    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        shares = [chosen[n::workers] for n in range(workers)]
        failures = [failure for share in pool.map(recovered, shares) for failure in share]
    print(f"{operation}: {len(every)} points, {len(distinct)} that differ, {len(chosen)} recovered from,", end=" ")
    print(f"{len(failures)} failed", *failures, sep="\n")
    assert not failures
    assert len(every) > 200
