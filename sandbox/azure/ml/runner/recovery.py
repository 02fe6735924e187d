"""What a sandbox that begins does about the runs that an earlier one was carrying out."""

from sandbox.azure.ml.runner import process
from sandbox.azure.ml.runner.outcome import Outcome
from sandbox.azure.ml.runner.queue import LOST, Queue


def recover(queue: Queue) -> None:
    """Ends the processes that are left, and the runs that they belonged to; the others stay in the queue."""
    for key, work in queue.items():
        for pid, started in work.get("processes", ()):
            process.kill_orphans(pid, started)
        if work.get("taken"):
            queue.end(key, Outcome("Failed", "SystemError", LOST))
