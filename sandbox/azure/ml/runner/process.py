"""A job's processes: one group, so that all of it ends, and recognised again after the sandbox was killed."""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

GRACE = 5.0  # seconds between TERM and KILL
POLL = 0.05  # seconds between looks at a group that is ending


async def start(
    command: Sequence[str], *, cwd: Path, environment: Mapping[str, str], output: Any
) -> asyncio.subprocess.Process:
    """Starts a command as the leader of a new session and group, with both its outputs in one file.

    Raises:
        OSError: It cannot be started.
    """
    return await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env=dict(environment),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
    )


async def end(process: asyncio.subprocess.Process, grace: float = GRACE) -> None:
    """Ends the whole group: TERM, and KILL after the grace for what is still there. The process is waited for."""
    signal_group(process.pid, signal.SIGTERM)
    waiting = asyncio.ensure_future(process.wait())
    deadline = asyncio.get_running_loop().time() + grace
    while _alive(process.pid) and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(POLL)
    signal_group(process.pid, signal.SIGKILL)
    await waiting


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
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[19]
    except OSError:
        if Path("/proc/self").exists():
            return ""
    found = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S603, S607 # macOS; a number alone goes in
    return found.stdout.strip()


def kill_orphans(pid: int, started: str) -> None:
    """Ends the group that a killed sandbox left behind, unless the number is another process's by now."""
    now = start_time(pid)
    if now in ("", started):
        # Where the leader is gone its number is not given away while the group lives.
        signal_group(pid, signal.SIGKILL)
