"""A real `pulumi` with the stand-ins as its plugins does what the embedded engine does, and they share their states."""

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import Sandbox
from tests.real_pulumi.stacks import EMBEDDED, REAL, TOKEN, Operation, Stack, copy_project, digests

pytestmark = [
    pytest.mark.skipif(shutil.which("pulumi") is None, reason="no `pulumi` on PATH: the real engine is not tested"),
    pytest.mark.timeout(1200),  # the real one takes half a minute where the embedded one takes two seconds
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The program's folder, in which nothing that a test runs may change a file."""
    folder = copy_project(tmp_path_factory.mktemp("real") / "project")
    before = digests(folder)
    yield folder
    assert digests(folder) == before


@dataclass(frozen=True)
class Made:
    """A stack that the real engine has made, in a sandbox of its own, and how."""

    stack: Stack
    operation: Operation


@pytest.fixture(scope="module")
def made(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """For tests that leave its resources as they are."""
    sandbox = Sandbox(tmp_path_factory.mktemp("made") / ".sandbox")
    sandbox.start()
    stack = Stack(sandbox, project, REAL)
    try:
        yield Made(stack, stack.operate("up"))
    finally:
        sandbox.stop()


def test_makes_and_destroys_as_the_embedded_engine_does(sandbox: Sandbox, project: Path, made: Made) -> None:
    embedded = Stack(sandbox, project, EMBEDDED)
    real = embedded.under(REAL)
    assert real.operate("preview") == embedded.operate("preview")
    assert embedded.operate("up") == made.operation
    assert made.operation.changes["create"] > 40
    assert embedded.state() == made.stack.state()
    assert embedded.outputs() == made.stack.outputs()
    exported = embedded.export()
    assert real.operate("destroy").changes == {"delete": made.operation.changes["create"]}
    assert real.state() == {}
    assert exported["deployment"]["manifest"]["version"] == real.export()["deployment"]["manifest"]["version"]


@pytest.mark.parametrize("operation", ["preview", "up", "refresh"])
def test_finds_nothing_to_change_in_what_it_made(made: Made, operation: str) -> None:
    before = made.stack.state()
    assert set(made.stack.operate(operation).changes) == {"same"}
    assert made.stack.state() == before


@pytest.mark.parametrize(("maker", "heir"), [(REAL, EMBEDDED), (EMBEDDED, REAL)])
def test_the_other_goes_on_with_an_exported_state(made: Made, maker: str, heir: str, tmp_path: Path) -> None:
    by_maker, by_heir = made.stack.under(maker), made.stack.under(heir)
    by_maker.operate("up")
    before, exported = by_maker.state(), tmp_path / "state.json"
    exported.write_text(json.dumps(by_maker.export()))
    assert TOKEN not in exported.read_text()
    made.stack.lose_state()
    by_heir.run("stack", "import", "--file", str(exported))
    assert by_heir.state() == before
    assert by_heir.outputs()["token"] == TOKEN
    assert set(by_heir.operate("up", "--expect-no-changes").changes) == {"same"}
    assert set(by_heir.operate("refresh", "--expect-no-changes").changes) == {"same"}


def test_one_goes_on_in_the_folder_where_the_other_stopped(made: Made) -> None:
    for engine in (EMBEDDED, REAL, EMBEDDED):
        stack = made.stack.under(engine)
        assert set(stack.operate("up", "--expect-no-changes").changes) == {"same"}
        assert stack.outputs()["token"] == TOKEN


def test_a_stack_made_by_hand_leaves_the_stack_file_as_it_is(sandbox: Sandbox, project: Path) -> None:
    stack = Stack(sandbox, project, REAL)
    before = digests(project)
    stack.run("stack", "init")
    assert stack.state() == {}
    assert digests(project) == before


def test_a_mandatory_violation_stops_both(sandbox: Sandbox, project: Path, tmp_path: Path) -> None:
    stack_file = tmp_path / "Pulumi.dev.yaml"
    text = (project / "Pulumi.dev.yaml").read_text()
    assert "STANDARD_DS3_V2" in text
    stack_file.write_text(text.replace("STANDARD_DS3_V2", "STANDARD_M128S"))
    wrong = stack_file.read_text()
    violations = {}
    for engine in (REAL, EMBEDDED):
        stack = Stack(sandbox, project, engine)
        log = tmp_path / f"{engine}.json"
        done = stack.command("preview", "--config-file", str(stack_file), "--event-log", str(log), *stack.policies)
        assert done.returncode != 0
        events = [json.loads(line) for line in log.read_text().splitlines()]
        told = [event["policyEvent"] for event in events if "policyEvent" in event]
        fields = ("policyName", "policyPackName", "policyPackVersion", "resourceUrn", "enforcementLevel", "message")
        violations[engine] = [[p[field].strip() for field in fields] for p in told]
    assert violations[REAL]
    assert sorted(violations[REAL]) == sorted(violations[EMBEDDED])
    assert stack_file.read_text() == wrong


def test_an_interrupted_update_ends_in_order(sandbox: Sandbox, project: Path, tmp_path: Path) -> None:
    """Ctrl+C reaches the command and pulumi alike: pulumi finishes what it has begun, and the next update goes on."""
    stack, log = Stack(sandbox, project, REAL), tmp_path / "events.json"
    process = stack.begin("up", "--yes", "--skip-preview", "--event-log", str(log))
    deadline = time.monotonic() + 60
    while not (log.exists() and '"create","urn' in log.read_text().replace(" ", "")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(60) != 0
    assert not stack.export()["deployment"].get("pending_operations")
    assert stack.operate("up").changes["create"] > 0
    assert set(stack.operate("preview").changes) == {"same"}
