"""Starts all processes of a job and waits for them: one that fails, a time limit or a cancel ends them all."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.azure.ml.runner import process
from sandbox.azure.ml.runner.log import Log


@dataclass(frozen=True)
class Command:
    """One process to start.

    Attributes:
        words: What to run.
        folder: Where.
        environment: All its variables.
        log: Where its output goes.
    """

    words: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    log: Log


@dataclass(frozen=True)
class Ended:
    """How the processes ended.

    Attributes:
        code: The exit code of the first that failed, else 0.
        index: Which it was.
    """

    code: int
    index: int


async def run(
    commands: Sequence[Command],
    *,
    limit: float | None,
    started: Callable[[int, str], None],
    running: Callable[[], None],
    grace: Callable[[], float],
) -> Ended:
    """Runs the commands side by side until all have succeeded, or one has not.

    Args:
        commands: The first is the job's own.
        limit: Seconds until they are stopped; None for no limit.
        started: Told of each process, with pid and start time, before it does anything.
        running: Told once all have begun.
        grace: Seconds between TERM and KILL when they are cancelled.

    Raises:
        OSError: One cannot be started.
        TimeoutError: They took longer than the limit; they are ended.
    """
    processes: list[asyncio.subprocess.Process] = []
    ending = process.GRACE
    try:
        for one in commands:
            begun = await process.start(
                one.words, cwd=one.folder, environment=one.environment, output=one.log.file, known=started
            )
            processes.append(begun)
        running()
        async with asyncio.timeout(limit):
            return await _wait(processes)
    except asyncio.CancelledError:
        ending = grace()
        raise
    finally:
        await asyncio.gather(*(_end(one, ending) for one in processes))


async def _wait(processes: Sequence[asyncio.subprocess.Process]) -> Ended:
    waiting = {asyncio.ensure_future(one.wait()): index for index, one in enumerate(processes)}
    try:
        while waiting:
            done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            failed = sorted((waiting.pop(task), task.result()) for task in done)
            for index, code in failed:
                if code != 0:
                    return Ended(code, index)
    finally:
        for task in waiting:
            task.cancel()
    return Ended(0, 0)


async def _end(started: asyncio.subprocess.Process, grace: float) -> None:
    """Ends what is left of a process's group: what an ended command left in the background has a moment to finish."""
    if started.returncode is not None:
        await process.end_rest(started.pid)
    else:
        await process.end(started, grace)
