"""Make a Dask cluster of a job's nodes, and run a script on it.

    python nodes.py python SCRIPT ARGUMENTS…

Azure ML runs this line on each node. Each starts a worker. The first also starts the scheduler and then the script,
whose `dask.distributed.Client()` finds the scheduler by DASK_SCHEDULER_ADDRESS. When the script has ended,
it ends the workers. Outside of a job the script runs alone: Client() then starts processes on one machine.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from asyncio.subprocess import Process

from distributed import Scheduler

WAITS = "120"  # seconds that a worker waits for the scheduler


async def start_worker(address: str) -> Process:
    """Start a worker that ends with the scheduler; `dask worker` takes the node's cores and memory."""
    words = [address, "--no-nanny", "--no-dashboard", "--death-timeout", WAITS, "--local-directory", tempfile.mkdtemp()]
    return await asyncio.create_subprocess_exec(sys.executable, "-m", "distributed.cli.dask_worker", *words)


async def lead(host: str, port: int, command: list[str]) -> int:
    """Run the scheduler, a worker, and the command; returns the command's exit code."""
    async with Scheduler(host=host, port=port, dashboard_address=":0") as scheduler:
        worker = await start_worker(scheduler.address)
        script = await asyncio.create_subprocess_exec(
            *command, env={**os.environ, "DASK_SCHEDULER_ADDRESS": scheduler.address}
        )
        code = await script.wait()
        await scheduler.retire_workers(list(scheduler.workers), close_workers=True, remove=True)
        await worker.wait()
    return code


async def follow(host: str, port: int) -> int:
    """Run a worker until the scheduler ends it; returns its exit code."""
    return await (await start_worker(f"tcp://{host}:{port}")).wait()


def main() -> int:
    """Do this node's part."""
    command = sys.argv[1:]
    if not command:
        sys.exit(__doc__)
    if "MASTER_ADDR" not in os.environ:
        return subprocess.run(command, check=False).returncode  # noqa: S603 - the command of whoever calls
    host, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    return asyncio.run(lead(host, port, command) if os.environ["RANK"] == "0" else follow(host, port))


if __name__ == "__main__":
    sys.exit(main())
