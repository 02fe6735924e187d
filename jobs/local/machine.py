"""The sandbox that runs local jobs: started and stopped by its command, empty at each start."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from contract import TeamOutput
from jobs import cache
from jobs.errors import JobError
from jobs.outputs import in_sandbox

_USER = "local@example.com"
_ENDING = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def machine(team: TeamOutput) -> Iterator[None]:
    """Start an empty sandbox with the team's subscription, and make this process its client until the block ends.

    A second local run of the same workspace at the same time shares the sandbox. The last one stops it.

    Raises:
        JobError: There is no sandbox beside this package, or it does not start.
    """
    if find_spec("sandbox") is None:
        raise JobError("--local needs the sandbox, which is in the project's checkout: run it there")
    folder = cache.directory() / "local" / team.workspace
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "users").open("w") as users, _ended_by_signals():
        alone = _lock(users, fcntl.LOCK_EX)
        fcntl.flock(users, fcntl.LOCK_EX)
        shell = _Shell(folder, team)
        try:
            if alone:
                shell.run("reset")
            shell.run("start", "--port", "0")
            variables = json.loads(shell.run("env", "--json"))
            fcntl.flock(users, fcntl.LOCK_SH)
            with _variables(variables):
                yield
        finally:
            if _lock(users, fcntl.LOCK_EX):
                shell.run("stop")


def _lock(file: IO[str], kind: int) -> bool:
    """Return whether the lock was free."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class _Shell:
    """Commands of the sandbox in a folder."""

    def __init__(self, folder: Path, team: TeamOutput) -> None:
        self._environment = {
            **_outside(),
            "SANDBOX_DIR": str(folder / "sandbox"),
            "SANDBOX_SEED": str(_seed(folder, team)),
        }

    def run(self, *words: str) -> str:
        done = subprocess.run(  # noqa: S603 - our own module
            [sys.executable, "-m", "sandbox", *words],
            env=self._environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode != 0:
            raise JobError(f"this machine cannot run the job: {done.stderr.strip().removeprefix('error: ')}")
        return done.stdout


def _outside() -> dict[str, str]:
    """Return this process's variables without those that lead into a sandbox, as packages come from outside."""
    if not in_sandbox():
        return dict(os.environ)
    trusted = os.environ["SSL_CERT_FILE"]
    return {
        name: value
        for name, value in os.environ.items()
        if value != trusted and not name.lower().endswith("_proxy") and not name.startswith(("AZURE_", "ARM_"))
    }


def _seed(folder: Path, team: TeamOutput) -> Path:
    """Write the tenant: the team's subscription, whose owner is the one user, with room for any cluster."""
    file = folder / "seed.yaml"
    seed: dict[str, Any] = {
        "tenantId": "00000000-0000-4000-8000-000000000000",
        "domain": _USER.partition("@")[2],
        "subscriptions": [{"id": team.subscription_id, "name": "local"}],
        "users": [{"userPrincipalName": _USER, "displayName": "You"}],
        "groups": [],
        "roleAssignments": [{"user": _USER, "role": "Owner"}],
        "directoryAdministrators": [_USER],
        "personas": {"owner": _USER},
        "quotas": {"default": {"dedicated": 100_000, "lowPriority": 100_000}},
        "runner": {"environmentMismatch": "warn"},
    }
    file.write_text(json.dumps(seed), encoding="utf-8")  # JSON is YAML
    return file


@contextmanager
def _variables(own: dict[str, str]) -> Iterator[None]:
    """Set variables of this process until the block ends."""
    before = dict(os.environ)
    os.environ.update(own)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let the signals that end a process end the block as Ctrl-C does, so that no sandbox is left behind."""

    def end(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, end) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
