"""The runner's queue as it is stored: a document for each run that has not ended.

A document has the run's `workspace` and `run`, what `carrier` carries it out, when it was `submitted`, and whether it
is to `cancel`; a process has its `compute` and its number of `nodes` as well, a pipeline's step the `parent` run.
"""

from sandbox.azure.arm.core import Body, user_name
from sandbox.azure.ml import runs
from sandbox.azure.ml.names import WORKSPACES
from sandbox.azure.ml.scope import Scope
from sandbox.azure.ml.wakeup import wake_runner

WORK = "mlWork"
PROCESS, GRAPH, SEARCH = "process", "graph", "search"
"""The carriers: of one command on nodes, of a pipeline's steps, and of a sweep's trials."""


def document(scope: Scope, name: str, properties: Body, submitter: Body) -> Body:
    """What is stored of a job, a pipeline's step or a sweep's trial."""
    return {
        "id": f"{scope.id}/jobs/{name}",
        "name": name,
        "type": f"{WORKSPACES}/jobs",
        "properties": properties,
        "submitter": submitter,
        "systemData": {
            "createdAt": runs.now(),
            "createdBy": user_name(scope.cloud, submitter["objectId"]) or submitter["clientId"],
            "createdByType": "User",
        },
    }


def submit(scope: Scope, run: str, carrier: str, **more: object) -> None:
    """Queues a run; the runner wakes once the current transaction is committed."""
    work: Body = {
        "workspace": scope.id,
        "run": run,
        "carrier": carrier,
        "submitted": runs.now(),
        "cancel": False,
        **more,
    }
    scope.put(WORK, work, run)
    scope.cloud.store.after_commit(lambda: wake_runner(scope.cloud.store))


def pending(scope: Scope, run: str) -> bool:
    """Whether a run has not ended."""
    return scope.get(WORK, run) is not None


def request_cancel(scope: Scope, run: str) -> None:
    """Marks a run's work as to be cancelled; a run that has ended stays as it is."""
    work = scope.get(WORK, run)
    if work is None or work["cancel"]:
        return
    with scope.cloud.store.transaction():
        scope.put(WORK, {**work, "cancel": True}, run)
        runs.update_run(scope.cloud, scope.id, run, status="CancelRequested")
    wake_runner(scope.cloud.store)
