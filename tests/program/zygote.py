"""Forks sandboxes and engines from a process that has all of them imported, so that each starts in no time.

A test asks by lines of JSON on standard input, and gets an answer for each; what is forked is a process of its own, and
is killed as one.
"""

import asyncio
import contextlib
import gc
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sandbox.daemon import Daemon
from sandbox.engine import main as engine
from sandbox.environment import persona_environment
from sandbox.process import COLLECT_EVERY
from sandbox.providers import http
from sandbox.providers.azure_native import AzureNative
from sandbox.providers.azuread import AzureAD
from tests.program import points

ROOT = Path(__file__).resolve().parents[2]


class Zygote:
    """The process, as the test has it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.program.zygote"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        assert self._process.stdin
        with self._process:
            self._process.stdin.close()

    def sandbox(self, directory: Path) -> dict[str, Any]:
        """Start a sandbox; its `pid` and `port`."""
        return self._ask(kind="sandbox", directory=str(directory))

    def stop(self, pid: int) -> None:
        """Kill a sandbox."""
        self._ask(kind="stop", pid=pid)

    def pulumi(self, directory: Path, port: int, *words: str, **options: Any) -> tuple[int, str]:
        """Run an engine's command: exit code (minus the signal that killed it) and all it printed."""
        found = self._ask(kind="pulumi", directory=str(directory), port=port, words=words, options=options)
        return found["code"], (directory / "said.txt").read_text()

    def _ask(self, **asked: Any) -> dict[str, Any]:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the zygote has ended"
        found: dict[str, Any] = json.loads(answer)
        return found


class _Ready:
    """What the daemon tells that it serves."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def tell(self, text: str) -> None:
        os.write(self._handle, text.encode())
        os.close(self._handle)


def _fork(child: Callable[[], int]) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        code = child()
    finally:
        os._exit(code)


def _sandbox(directory: Path) -> dict[str, Any]:
    reading, writing = os.pipe()

    def serve() -> int:
        log = os.open(directory / "log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        asyncio.run(Daemon(directory, [0]).run(_Ready(writing)))  # type: ignore[arg-type]
        return 0

    pid = _fork(serve)
    os.close(writing)
    told = os.read(reading, 100)
    os.close(reading)
    assert told == b"ready", (directory / "log.txt").read_text()
    return {"pid": pid, "port": json.loads((directory / "sandbox.json").read_bytes())["port"]}


def _pulumi(directory: Path, port: int, words: Sequence[str], options: Mapping[str, Any]) -> dict[str, Any]:
    def run() -> int:
        os.environ.update(persona_environment(directory, port, "owner"))
        home = directory / "pulumi"
        os.environ.update(PULUMI_BACKEND_URL=home.as_uri(), PULUMI_HOME=str(home), PULUMI_CONFIG_PASSPHRASE="x")
        http.Client.wait = _no_wait  # type: ignore[assignment, method-assign]
        points.pass_by(directory, **options)
        with (
            (directory / "said.txt").open("w") as said,
            contextlib.redirect_stdout(said),
            contextlib.redirect_stderr(said),
        ):
            return engine(words, {"azure-native": AzureNative, "azuread": AzureAD})

    _, status = os.waitpid(_fork(run), 0)
    return {"code": os.waitstatus_to_exitcode(status)}


def _no_wait(client: http.Client, _seconds: float, wait: Callable[..., None] = http.Client.wait) -> None:
    """The sandbox has done at once what Azure asks to wait a second for: looks whether it is cancelled, no more."""
    wait(client, 0)


def _stop(pid: int) -> dict[str, Any]:
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    return {}


def main() -> None:
    import department.build  # noqa: PLC0415 (imported for the programs to come)
    import department.configuration  # noqa: F401, PLC0415

    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_EVERY)
    running: set[int] = set()
    for line in sys.stdin:
        asked = json.loads(line)
        match asked["kind"]:
            case "sandbox":
                found = _sandbox(Path(asked["directory"]))
                running.add(found["pid"])
            case "stop":
                found = _stop(asked["pid"])
                running.discard(asked["pid"])
            case _:
                found = _pulumi(Path(asked["directory"]), asked["port"], asked["words"], asked["options"])
        print(json.dumps(found), flush=True)
    for pid in running:  # whoever asked has gone
        _stop(pid)


if __name__ == "__main__":
    main()
