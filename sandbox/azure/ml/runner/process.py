"""A job's processes: one group, so that all of it ends, and recognised again after the sandbox was killed."""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

GRACE = 5.0  # seconds between TERM and KILL
LEFT = 1.0  # seconds that a command's background processes have after its end
POLL = 0.05  # seconds between looks at a group that is ending
GATE = 'read -r word && [ "$word" = go ] && exec "$@" < /dev/null'
"""Waits for the word and becomes the command. Where the sandbox ends before it says so, its pipe does, and so this."""


async def start(
    command: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    output: Any,
    known: Callable[[int, str], None] = lambda pid, started: None,
) -> asyncio.subprocess.Process:
    """Starts a command as the leader of a new session and group, with both its outputs in one file.

    Args:
        command: What to run.
        cwd: Where.
        environment: All its variables.
        output: The file.
        known: Remembers its pid and start time. The command begins when this has returned, so that none ever runs which
            a later sandbox would not find.

    Raises:
        OSError: It cannot be started.
    """
    process = await asyncio.create_subprocess_exec(
        "bash",
        "-c",
        GATE,
        "bash",
        *command,
        cwd=cwd,
        env=dict(environment),
        stdin=asyncio.subprocess.PIPE,
        stdout=output,
        stderr=output,
        start_new_session=True,
    )
    assert process.stdin is not None  # noqa: S101 # asked for
    try:
        await begin(process, known)
    finally:
        process.stdin.close()
    return process


async def begin(process: asyncio.subprocess.Process, known: Callable[[int, str], None]) -> None:
    """Says the word to a process that waits for it, once its pid and start time are remembered."""
    assert process.stdin is not None  # noqa: S101 # else it could not wait
    known(process.pid, start_time(process.pid))
    process.stdin.write(b"go\n")
    with contextlib.suppress(ConnectionError):
        await process.stdin.drain()


async def end(process: asyncio.subprocess.Process, grace: float = GRACE) -> None:
    """Ends the whole group: TERM, and KILL after the grace for what is still there. The process is waited for."""
    signal_group(process.pid, signal.SIGTERM)
    waiting = asyncio.ensure_future(process.wait())
    await end_rest(process.pid, grace)
    await waiting


async def end_rest(group: int, grace: float = LEFT) -> None:
    """Waits for the rest of a group, and kills what is still there after the grace."""
    deadline = asyncio.get_running_loop().time() + grace
    while _alive(group) and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(POLL)
    signal_group(group, signal.SIGKILL)


def signal_group(group: int, number: int) -> None:
    """Sends a signal to all of a group, if there is any of it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # macOS says so of a group of zombies
        return False
    return True


def start_time(pid: int) -> str:
    """When a process started, in the system's own words; empty where there is none. With the pid it names one."""
    try:
        return f"{_boot()} {_stat(pid)[19]}"
    except (OSError, IndexError):
        if Path("/proc/self").exists():
            return ""
    command = ["ps", "-o", "lstart=", "-p", str(pid)]  # macOS
    found = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (only a number goes in)
    return found.stdout.strip()


def kill_orphans(pid: int, started: str) -> None:
    """Ends the group that a killed sandbox left behind, unless the number is another group's by now."""
    now = start_time(pid)
    if (now and now == started) or (not now and started.startswith(_boot()) and _is_own_session(pid)):
        signal_group(pid, signal.SIGKILL)


def _boot() -> str:
    """Names this start of the machine, as process numbers begin anew with each."""
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text(encoding="ascii").strip() if path.exists() else "-"


def _stat(pid: int) -> list[str]:
    """A process's state, as the kernel lists it after the name: state, parent, group, session, ..."""
    text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    return text.rpartition(")")[2].split()


def _is_own_session(group: int) -> bool:
    """Whether what is left of a group without its leader is a session of its own, as jobs' groups are."""
    for path in Path("/proc").glob("[0-9]*"):
        try:
            _, _, its_group, session, *_ = _stat(int(path.name))
        except (OSError, ValueError):  # it ended meanwhile
            continue
        if its_group == str(group):
            return session == str(group)
    return False
