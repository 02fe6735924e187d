"""Where stacks are previewed: Azure by the user's own command, or a sandbox for one review.

The sandbox is made for the people and resources that the stack files name, and is gone afterwards. Its engine and
providers are the reviewer's. A revision's program runs in processes of its own, which get none of the user's variables
but the way to programs and the language: no credential, no home folder, no state.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from review.revisions import UsageError
from review.stackfile import existing, people
from settings import Department

REVIEWER = Path(__file__).resolve().parent.parent
"""The folder of the rooms that this review runs from."""
_KEPT = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
_OBJECT_ID = 36  # characters of a UUID, which no user principal name is


@dataclass(frozen=True)
class Done:
    """How a command ended.

    Attributes:
        code: Its exit code.
        out: What it printed.
        err: What it said on standard error.
    """

    code: int
    out: str
    err: str


class Commands:
    """Commands that run beside this process, and end with it."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[str]] = set()
        self._ended = False

    def run(self, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> Done:
        """Run one and wait for it. It is in a session of its own: Ctrl-C reaches it by `end` alone.

        Raises:
            KeyboardInterrupt: The commands were ended.
        """
        if self._ended:
            raise KeyboardInterrupt
        with subprocess.Popen(  # noqa: S603 # our own commands, no shell
            command,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, errors="replace", cwd=folder, env=dict(environment), start_new_session=True,
        ) as process:  # fmt: skip
            self._running.add(process)
            if self._ended:  # meanwhile
                self.end()
            try:
                out, err = process.communicate()
            except KeyboardInterrupt:
                _kill(process)
                raise
            finally:
                self._running.discard(process)
        return Done(process.returncode, out, err)

    def end(self) -> None:
        """Kill what still runs, with all that it started, and start nothing more."""
        self._ended = True
        for process in list(self._running):
            _kill(process)


def _kill(process: "subprocess.Popen[str]") -> None:
    """Kill a command with all that it started in its session."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


class LivePulumi:
    """The user's own `pulumi`, with the user's own credentials, backend and state.

    Raises:
        UsageError: There is none.
    """

    live = True

    def __init__(self) -> None:
        self._commands = Commands()
        self._pulumi = shutil.which("pulumi")
        if self._pulumi is None:
            raise UsageError("--live runs pulumi, which is not on PATH: install Pulumi, or leave --live out")

    def pulumi(self, *words: str) -> Done:
        """Run a command."""
        return self._commands.run([str(self._pulumi), *words], os.environ, Path.cwd())

    def end(self) -> None:
        """End the commands that still run."""
        self._commands.end()


class ThrowawaySandbox:
    """A sandbox in a folder of its own, from `with` to the end of it."""

    live = False

    def __init__(self, folder: Path, departments: Sequence[Department]) -> None:
        """Describe it.

        Args:
            folder: A folder that is there and goes with the review.
            departments: What the stacks are at both revisions.
        """
        self._existing, self._commands = existing(departments), Commands()
        seed = folder / "seed.yaml"
        seed.write_text(yaml.safe_dump(_seed(departments, self._existing)), encoding="utf-8")
        (folder / "home").mkdir()
        self._environment = {
            **{name: os.environ[name] for name in _KEPT if name in os.environ},
            "HOME": str(folder / "home"),
            "PYTHONPATH": str(REVIEWER),
            "SANDBOX_DIR": str(folder / "sandbox"),
            "SANDBOX_ENGINE": "embedded",
            "SANDBOX_SEED": str(seed),
        }

    def __enter__(self) -> Self:
        try:
            with ThreadPoolExecutor(1) as beside:  # an interrupt waits: what has half begun cannot be stopped
                done = beside.submit(self._sandbox, "start", "--port", "0").result()
        except KeyboardInterrupt:
            self.__exit__(None, None, None)
            raise
        if done.code:
            self._sandbox("stop")
            raise UsageError(f"the throw-away sandbox cannot start: {done.err.strip().removeprefix('error: ')}")
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self.end()
        self._sandbox("stop", by=Commands())  # those that were ended start nothing more, also in a thread left behind

    def pulumi(self, *words: str) -> Done:
        """Run a command of Pulumi's."""
        return self._sandbox("pulumi", *words)

    def end(self) -> None:
        """End the commands that still run."""
        self._commands.end()

    def furnish(self) -> list[str]:
        """Make what the departments use and do not make; a line for each that cannot be made."""
        if not self._existing:
            return []
        environment = {**self._environment, **json.loads(self._sandbox("env", "--json").out)}
        command = [sys.executable, "-m", "review.existing", json.dumps(self._existing)]
        return self._commands.run(command, environment, REVIEWER).err.splitlines()

    def _sandbox(self, *words: str, by: Commands | None = None) -> Done:
        return (by or self._commands).run([sys.executable, "-m", "sandbox", *words], self._environment, REVIEWER)


def _seed(departments: Sequence[Department], used: Iterable[str]) -> dict[str, Any]:
    """The shipped tenant, with the users and groups that departments name, their subscriptions, and those of ids."""
    shipped = REVIEWER / "sandbox" / "azure" / "seed.yaml"
    seed: dict[str, Any] = yaml.safe_load(shipped.read_text(encoding="utf-8"))
    users, groups = people(departments)
    known = {user["userPrincipalName"] for user in seed["users"]} | {group["displayName"] for group in seed["groups"]}
    seed["users"] += [{"userPrincipalName": one, "displayName": one, **_id(one)} for one in sorted(users - known)]
    seed["groups"] += [{"displayName": one, "members": [], **_id(one)} for one in sorted(groups - known)]
    own = {one["id"] for one in seed["subscriptions"]}
    asked = {department.subscription_id for department in departments} | {id_.split("/")[2] for id_ in used}
    seed["subscriptions"] += [{"id": one, "name": one} for one in sorted(asked - own)]
    return seed


def _id(name: str) -> dict[str, str]:
    plain = len(name) == _OBJECT_ID and "@" not in name and name.count("-") == 4  # noqa: PLR2004 # hyphens of a UUID
    return {"objectId": name} if plain else {}
