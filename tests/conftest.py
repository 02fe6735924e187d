"""A running sandbox for any test, reached as a user reaches it: the command, the environment it prints, HTTPS."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tools.browser import Browser, program

ROOT = Path(__file__).parent.parent
SUBSCRIPTION = "8b41ca0c-0c5a-4c01-b49b-5bb8d329cc27"

# A machine that is busy with other tests is no fault: each test's own time limit holds.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


@dataclass
class Sandbox:
    """The sandbox of one folder, by its command line.

    Attributes:
        directory: Its SANDBOX_DIR.
        subscription: The seed's subscription.
    """

    directory: Path
    subscription: str = SUBSCRIPTION
    _environments: dict[str, dict[str, str]] = field(default_factory=dict)

    def command(self, *words: str, cwd: Path = ROOT, **variables: str) -> subprocess.CompletedProcess[str]:
        """Runs `python -m sandbox WORDS` as from a user's shell, with more variables."""
        environment = {**os.environ, "SANDBOX_DIR": str(self.directory), "PYTHONPATH": str(ROOT), **variables}
        return subprocess.run(
            [sys.executable, "-m", "sandbox", *words],
            env=environment,
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=280,  # below a test's own: a busy machine takes its time
            check=False,
        )

    def start(self) -> None:
        """Starts it on a free port."""
        done = self.command("start", "--port", "0")
        assert done.returncode == 0, done.stderr + self.log()
        self._environments.clear()

    def stop(self) -> None:
        """Stops it."""
        done = self.command("stop")
        assert done.returncode == 0, done.stderr

    def log(self) -> str:
        """What the background process has logged."""
        path = self.directory / "log.txt"
        return path.read_text() if path.exists() else ""

    @property
    def pid(self) -> int:
        """Its background process."""
        return int(json.loads((self.directory / "sandbox.json").read_bytes())["pid"])

    def environment(self, persona: str = "owner") -> dict[str, str]:
        """The variables that `env --persona` exports."""
        if persona not in self._environments:
            done = self.command("env", "--persona", persona)
            assert done.returncode == 0, done.stderr
            words = [shlex.split(line)[1] for line in done.stdout.splitlines()]
            self._environments[persona] = dict(word.split("=", 1) for word in words)
        return self._environments[persona]

    def sign_in(self, patch: pytest.MonkeyPatch, persona: str = "owner") -> None:
        """Makes this process a client of the sandbox, as a persona, until the patch is undone."""
        for name, value in self.environment(persona).items():
            patch.setenv(name, value)


@contextmanager
def started(directory: Path) -> Iterator[Sandbox]:
    """A new sandbox, until the block ends."""
    sandbox = Sandbox(directory)
    sandbox.start()
    try:
        yield sandbox
    finally:
        sandbox.stop()


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox of the test's own, empty."""
    with started(tmp_path / ".sandbox") as new:
        yield new


@pytest.fixture
def signed_in(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """A sandbox of the test's own, as whose owner this process signs in."""
    sandbox.sign_in(monkeypatch)
    return sandbox


@pytest.fixture(scope="session")
def shared_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One sandbox for all tests of a worker: use names of your own in it, and no `reset`."""
    with started(tmp_path_factory.mktemp("shared") / ".sandbox") as new:
        yield new


@pytest.fixture
def as_persona(shared_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes this process a client of the shared sandbox: `as_persona("scientist")` sets the variables."""

    def become(persona: str) -> None:
        shared_sandbox.sign_in(monkeypatch, persona)

    return become


@pytest.fixture
def owner(as_persona: Callable[[str], None]) -> None:
    """This process signs in as the owner."""
    as_persona("owner")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    found = program()
    if found is None and os.environ.get("CI"):
        pytest.fail("no chromium and no google-chrome on PATH, which .ci/run installs")
    if found is None:
        pytest.skip("no chromium and no google-chrome on PATH: .ci/run installs one")
    with Browser(found) as opened:
        yield opened
