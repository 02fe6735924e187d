"""What a sandbox that begins does about the runs that an earlier one was carrying out."""

from sandbox.azure.ml.runner import process
from sandbox.azure.ml.runner.queue import Queue, interrupted


def recover(queue: Queue) -> None:
    """Ends the processes that are left; the runs that they belonged to are lost, or begin again."""
    for key, work in queue.items():
        for pid, started in work.get("processes", ()):
            process.kill_orphans(pid, started)
        if work.get("taken"):
            queue.end(key, interrupted(work))
