"""The process that serves one revision of a deployment, on a Unix socket in a folder that only this user can enter."""

import asyncio
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sandbox.azure.ml.endpoints.online.live import Live
from sandbox.azure.ml.runner import process

LAUNCH = Path(__file__).parent / "inside" / "launch.py"
SOCKET = "s"
LONGEST = 100  # bytes of a socket's path; systems allow a few more
PROBE = b"GET / HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\n\r\n"
POLL = 0.05  # seconds between looks at a server that starts
GRACE = 10.0  # seconds from TERM to KILL, when its requests have ended


class Server:
    """One process, with its workers.

    Args:
        revision: What it serves.
        folder: Its folder, mode 0700; the socket lies there.
        workers: How many requests it handles at a time.
    """

    def __init__(self, revision: str, folder: Path, workers: int) -> None:
        self.revision, self._folder, self.workers = revision, folder, workers
        path = folder / SOCKET
        self._directory: int | None = None
        if len(os.fsencode(path)) > LONGEST and Path("/proc/self/fd").exists():
            self._directory = os.open(folder, os.O_RDONLY)
            path = Path(f"/proc/self/fd/{self._directory}/{SOCKET}")
        self.live = Live(str(path))
        self._process: asyncio.subprocess.Process | None = None
        self.at_end: Callable[[], None] = lambda: None
        """What else ends with it."""
        self.ended: asyncio.Future[int] | None = None
        """Done, with the exit code, once the process has ended."""

    async def start(
        self, python: Path, cwd: Path, environment: Mapping[str, str], log: Any, started: Callable[[int, str], None]
    ) -> None:
        """Starts it.

        Args:
            python: The environment's interpreter.
            cwd: Where.
            environment: All its variables.
            log: The file for its output.
            started: Remembers its pid and start time before it does anything.

        Raises:
            OSError: It cannot be started.
        """
        self._process = await asyncio.create_subprocess_exec(
            str(python),
            str(LAUNCH),
            self.live.address,
            str(self.workers),
            cwd=cwd,
            env=dict(environment),
            stdin=asyncio.subprocess.PIPE,  # kept open: its end ends the server, however the sandbox ends
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=() if self._directory is None else (self._directory,),
        )
        self.ended = asyncio.ensure_future(self._process.wait())
        await process.begin(self._process, started)

    async def ready(self, seconds: float) -> bool:
        """Whether it answers within so long, as its readiness probe asks.

        Raises:
            ProcessLookupError: It has ended.
        """
        deadline = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < deadline:
            if self.ended is None or self.ended.done():
                raise ProcessLookupError
            if await self.answers(deadline - asyncio.get_running_loop().time()):
                return True
            await asyncio.sleep(POLL)
        return False

    async def answers(self, seconds: float) -> bool:
        """Whether a probe is answered with 200 in time; until its script has begun, the server is silent."""
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                reader, writer = await asyncio.open_unix_connection(self.live.address)
                try:
                    writer.write(PROBE)
                    return b" 200 " in await reader.readline()
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return False

    def scale(self, workers: int) -> None:
        """Adds workers, or takes some away, without a pause."""
        number = signal.SIGTTIN if workers > self.workers else signal.SIGTTOU
        for _ in range(abs(workers - self.workers)):
            if self._process is not None and self._process.returncode is None:
                self._process.send_signal(number)
        self.workers = workers

    async def kill(self) -> None:
        """Ends it at once."""
        if self._process is not None:
            process.signal_group(self._process.pid, signal.SIGKILL)
            await self._process.wait()

    async def stop(self, patience: float) -> None:
        """Ends it, after its requests if they end in time."""
        await self.live.drained(patience)
        if self._process is not None:
            await process.end(self._process, GRACE)
            if self._process.stdin is not None:
                self._process.stdin.close()
        if self._directory is not None:
            os.close(self._directory)
            self._directory = None
        self.at_end()
