"""Starting, finding, stopping and resetting the background process, from any shell.

The process holds a lock on `lock` for its life, which the system frees however it dies; `sandbox.json` says where it
listens, and counts only while the lock is held.
"""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOCK, STATE = "lock", "sandbox.json"
DEFAULT_PORT = 27615
START_SECONDS, STOP_SECONDS, STATUS_SECONDS = 60.0, 30.0, 5.0
KEPT_BY_RESET = ("environments",)
CONNECTION_VARIABLES = (
    "HTTPS_PROXY",
    "https_proxy",
    "NO_PROXY",
    "no_proxy",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
)


class SandboxError(Exception):
    """A failure that the message explains to the user, with what to do."""


@dataclass(frozen=True)
class Running:
    """A running sandbox.

    Attributes:
        pid: Its process.
        port: Where it listens on 127.0.0.1.
        started: Seconds since 1970.
    """

    pid: int
    port: int
    started: float


def sandbox_directory() -> Path:
    """`$SANDBOX_DIR`, or `.sandbox` in the current folder."""
    return Path(os.environ.get("SANDBOX_DIR") or ".sandbox").absolute()


def find(directory: Path) -> Running | None:
    """The sandbox that serves the folder. A `sandbox.json` that a killed one left does not count."""
    if not _locked(directory):
        return None
    try:
        state = json.loads((directory / STATE).read_bytes())
    except (OSError, ValueError):
        return None  # it is just starting, or ending
    return Running(**state)


def require(directory: Path) -> Running:
    """The sandbox that serves the folder.

    Raises:
        SandboxError: None does.
    """
    running = find(directory)
    if running is None:
        raise SandboxError(f"no sandbox is running in {directory}: start it with `python -m sandbox start`")
    return running


def start(directory: Path, port: int, or_any: bool = False) -> tuple[Running, bool]:
    """Starts the sandbox and waits until it answers; tells whether it was started now or ran already.

    Args:
        directory: The sandbox's folder, which is made if need be.
        port: Where it listens on 127.0.0.1; 0 takes any free port.
        or_any: Whether it may take any free port if this one is taken.

    Raises:
        SandboxError: It cannot start.
    """
    _make_directory(directory)
    running = find(directory)
    if running is not None:
        return running, False
    told = _launch(directory, port, or_any)
    if told.startswith("error "):
        raise SandboxError(told.removeprefix("error "))
    if not told.startswith(("ready", "running")):
        raise SandboxError(f"the sandbox ended while it started; {directory / 'log.txt'} has the reason")
    _wait(lambda: find(directory) is not None, START_SECONDS, "the sandbox did not start in time")
    running = require(directory)
    status(running)
    return running, told.startswith("ready")


def _make_directory(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)
    except OSError as error:
        raise SandboxError(
            f"{directory} cannot be used ({error.strerror}): make it writable, or say another folder with SANDBOX_DIR"
        ) from error


def _launch(directory: Path, port: int, or_any: bool) -> str:
    """Starts the process in a session of its own; gives the one message that it tells."""
    reading, writing = os.pipe()
    ports = [str(port), "0"] if or_any else [str(port)]
    command = [sys.executable, "-m", "sandbox.daemon", str(directory), ",".join(ports), str(writing)]
    try:
        with (directory / "log.txt").open("ab") as log:
            subprocess.Popen(  # noqa: S603 # our own module
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(writing,),
                start_new_session=True,
                cwd=Path(__file__).parent.parent,
                # The sandbox is no client of itself, also where it is started from a client's shell.
                env={name: value for name, value in os.environ.items() if name not in client_variables(directory)},
            )
    except OSError as error:
        raise SandboxError(f"{directory} cannot be used: {error}") from error
    finally:
        os.close(writing)
    with os.fdopen(reading) as pipe:
        return pipe.read()


def client_variables(directory: Path) -> dict[str, str]:
    """Those variables of this process that `python -m sandbox env` put there; none in a shell without them."""
    if not os.environ.get("SSL_CERT_FILE", "").startswith(f"{directory}{os.sep}"):
        return {}
    return {
        name: value
        for name, value in os.environ.items()
        if name in CONNECTION_VARIABLES or name.startswith(("AZURE_", "ARM_"))
    }


def status(running: Running) -> dict[str, Any]:
    """The sandbox's own status: port, process, memory and resources.

    Raises:
        SandboxError: The sandbox does not answer.
    """
    return _ask(running, "/status")


def find_network(running: Running, name: str) -> str:
    """The id of the virtual network of this name or id in the sandbox.

    Raises:
        SandboxError: There is no such network, or more than one, or the sandbox does not answer.
    """
    told = _ask(running, f"/network?name={urllib.parse.quote(name, safe='')}")
    if "error" in told:
        raise SandboxError(told["error"])
    return str(told["id"])


def _ask(running: Running, path: str) -> dict[str, Any]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{running.port}{path}", timeout=STATUS_SECONDS) as answer:
            told: dict[str, Any] = json.load(answer)
    except (OSError, ValueError) as error:
        raise SandboxError(
            f"the sandbox (process {running.pid}) does not answer on port {running.port}: {error}; "
            "`python -m sandbox stop` and start it again"
        ) from error
    return told


def stop(directory: Path) -> bool:
    """Ends the sandbox and waits for its end; tells whether there was one.

    Raises:
        SandboxError: The sandbox does not end.
    """
    if not _locked(directory):
        return False
    _wait(lambda: find(directory) is not None or not _locked(directory), START_SECONDS, "the sandbox is still starting")
    running = find(directory)
    if running is None:
        return False
    _signal(running.pid, signal.SIGTERM)
    try:
        _wait(lambda: not _locked(directory), STOP_SECONDS, "")
    except SandboxError:
        _signal(running.pid, signal.SIGKILL)
        _wait(lambda: not _locked(directory), STOP_SECONDS, f"process {running.pid} does not end")
    return True


def reset(directory: Path) -> Running | None:
    """Deletes all but the jobs' environments; a sandbox that ran is started again, on its port.

    Raises:
        SandboxError: The sandbox does not stop or start, or a file cannot be deleted.
    """
    running = find(directory)
    stop(directory)
    if not directory.exists():
        return None
    try:
        for path in directory.iterdir():
            if path.name in KEPT_BY_RESET or path.name == LOCK:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    except OSError as error:
        raise SandboxError(f"{error.filename} cannot be deleted: {error.strerror}") from error
    return None if running is None else start(directory, running.port)[0]


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _locked(directory: Path) -> bool:
    """Whether a process holds the folder's lock."""
    try:
        handle = os.open(directory / LOCK, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(handle)


def _wait(condition: Callable[[], bool], seconds: float, message: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise SandboxError(message)
        time.sleep(0.02)
