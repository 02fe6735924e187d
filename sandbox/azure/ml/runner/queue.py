"""The runs that wait for the runner or are carried by it, in the order of their submission.

The documents survive the sandbox: what was submitted is carried out by the next one. A run's end and the end of its
document are one transaction.
"""

from typing import Any

from sandbox.azure.arm.core import Body
from sandbox.azure.cloud import Cloud
from sandbox.azure.ml import runs
from sandbox.azure.ml.jobs.work import WORK
from sandbox.azure.ml.runner.outcome import Outcome

LOST = Outcome(
    "Failed", "SystemError", "The sandbox was stopped while the job ran, so the run is lost: submit it again."
)
STEP_LOST = Outcome("Failed", message="The sandbox was stopped while the step ran. The step begins again.", again=True)
PREEMPTED = Outcome(
    "Failed",
    message="Low priority compute preemption warning: a node has been preempted. The job begins again.",
    again=True,
)
CARRIED = ("taken", "processes")  # what a document has only while its run is carried


def interrupted(work: Body) -> Outcome:
    """What becomes of a run that a sandbox carried as it ended: a job is lost, a pipeline's step begins again."""
    return STEP_LOST if "parent" in work else LOST


class Queue:
    """The queue of one local Azure."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud, self._store = cloud, cloud.store

    def items(self) -> list[tuple[str, Body]]:
        """Keys and documents, the first submitted first."""
        return sorted(self._store.items(WORK), key=lambda item: item[1]["submitted"])

    def get(self, key: str) -> Body | None:
        """A run's document; None where the run has ended."""
        return self._store.get(WORK, key)

    def change(self, key: str, **changes: Any) -> None:
        """Changes a document that is still there."""
        work = self._store.get(WORK, key)
        if work is not None:
            self._store.put(WORK, key, {**work, **changes})

    def forget(self, key: str) -> None:
        """Drops what no run belongs to any more."""
        self._store.delete(WORK, key)

    def end(self, key: str, outcome: Outcome) -> None:
        """A run has ended, or begins again where its node was lost and nobody cancels it."""
        work = self._store.get(WORK, key)
        if work is None:
            return
        if outcome.again and not work["cancel"]:
            self._again(key, work, outcome.message)
            return
        status = "Canceled" if outcome.again else outcome.status
        with self._store.transaction():
            error = None if outcome.again else outcome.error()
            self._update(work, status=status, endTimeUtc=runs.now(), error=error)
            self._store.delete(WORK, key)

    def _again(self, key: str, work: Body, warning: str) -> None:
        run = self._store.get(runs.RUN, key) or {"warnings": []}
        kept = {name: value for name, value in work.items() if name not in CARRIED}
        warned = {"source": "AmlCompute", "message": warning}
        with self._store.transaction():
            self._update(work, status="Queued", startTimeUtc=None, warnings=[*run["warnings"], warned])
            self._store.put(WORK, key, kept)

    def _update(self, work: Body, **changes: Any) -> None:
        runs.update_run(self._cloud, work["workspace"], work["run"], **changes)
