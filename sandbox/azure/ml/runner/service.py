"""The runner's loop: gives queued runs to what carries them, stops what is to be cancelled, lets idle nodes go."""

import asyncio
import contextlib
import hashlib
import logging
import shutil
from collections.abc import Callable
from typing import Any

from sandbox.azure.access.tokens import Caller
from sandbox.azure.arm.core import Body
from sandbox.azure.cloud import Cloud
from sandbox.azure.front.errors import AzureError
from sandbox.azure.ml import runs
from sandbox.azure.ml.jobs.transfer import JOB_TYPE
from sandbox.azure.ml.jobs.work import GRAPH, SEARCH, request_cancel
from sandbox.azure.ml.runner.attempt import Attempt, Tools
from sandbox.azure.ml.runner.environment import Environments, sweep
from sandbox.azure.ml.runner.graph import GraphRun
from sandbox.azure.ml.runner.identity import IdentityEndpoint
from sandbox.azure.ml.runner.nodes import Nodes
from sandbox.azure.ml.runner.outcome import Outcome
from sandbox.azure.ml.runner.queue import LOST, PREEMPTED, Queue, interrupted
from sandbox.azure.ml.runner.recovery import recover
from sandbox.azure.ml.runner.registering import register_outputs
from sandbox.azure.ml.runner.search import SearchRun
from sandbox.azure.ml.runner.serving import Serving
from sandbox.azure.ml.runner.transfer import Transfer
from sandbox.azure.ml.scope import Scope
from sandbox.azure.ml.serverless import QuotaError, is_serverless
from sandbox.azure.ml.serverless import compute as serverless
from sandbox.azure.ml.wakeup import wake_runner, wakeup_event

TICK = 1.0  # seconds between looks for idle nodes
SETTING = "environmentMismatch"
NOBODY = Caller("", "")
PARENTS: dict[str, type[GraphRun | SearchRun]] = {GRAPH: GraphRun, SEARCH: SearchRun}
"""What carries out the runs that begin others, by carrier."""
FAILED = Outcome("Failed", "SystemError", "The sandbox failed; its log has the cause.")


class Runner:
    """Carries the jobs of one local Azure out.

    Args:
        cloud: It.
        preempts: Asked when a job starts on a low-priority node: after how many seconds the node is lost; None: not.
    """

    def __init__(self, cloud: Cloud, preempts: Callable[[], float | None] = lambda: None) -> None:
        self._cloud, self._store, self._preempts = cloud, cloud.store, preempts
        self._queue, self._nodes = Queue(cloud), Nodes(cloud)
        self._tasks: dict[str, tuple[asyncio.Task[None], Attempt]] = {}
        self._parents: dict[str, GraphRun | SearchRun] = {}
        self._loop: asyncio.Task[None] | None = None
        settings = cloud.seed.get("runner") or {}
        environments = Environments(cloud.directory / "environments", cloud.client_environment)
        self._tools = Tools(environments, IdentityEndpoint(cloud), settings.get(SETTING) == "refuse")
        self._serving = Serving(cloud, self._tools)

    async def start(self) -> None:
        """Recovers from an earlier sandbox's end, and goes on with the queue."""
        sweep(self._cloud.directory / "environments")
        recover(self._queue)
        self._nodes.forget_all()
        await asyncio.to_thread(shutil.rmtree, self._cloud.directory / "runs", ignore_errors=True)
        await self._tools.identities.start()
        self._serving.start()
        self._loop = asyncio.create_task(self._serve())

    async def stop(self) -> None:
        """Ends all running jobs, which are lost; queued ones stay."""
        if self._loop is not None:
            self._loop.cancel()
        for key, (task, attempt) in self._tasks.items():
            attempt.stopped = interrupted(self._queue.get(key) or {})
            task.cancel()
        await asyncio.gather(self._serving.stop(), *(task for task, _ in self._tasks.values()), return_exceptions=True)
        self._tools.identities.stop()

    async def _serve(self) -> None:
        event = wakeup_event(self._store)
        while True:
            event.clear()
            try:
                self._schedule()
                self._serving.look()
                self._nodes.scale_down()
            except Exception:
                logging.exception("the runner failed; it goes on")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK):
                    await event.wait()
            await asyncio.sleep(0)  # an event that is set already gives nobody else a turn

    def _schedule(self) -> None:
        """Starts what can start, in the order of submission; stops what is to be cancelled."""
        full: set[str] = set()  # computes without a node for the first in their line
        for key, work in self._queue.items():
            running = self._tasks.get(key)
            if work["carrier"] in PARENTS:
                self._advance(key, work)
            elif running is not None:
                self._check_running(work, *running)
            elif work.get("taken"):  # its end could not be told, on a full disk for one; it does not run twice
                self._queue.end(key, LOST)
            elif work["cancel"]:
                self._queue.end(key, Outcome("Canceled"))
            elif work["compute"] not in full and not self._start_or_fail(key, work):
                full.add(work["compute"])

    def _check_running(self, work: Body, task: asyncio.Task[None], attempt: Attempt) -> None:
        """Stops a job that is to be cancelled, or whose compute went away under it."""
        if task.cancelling():
            return
        gone = self._gone(work["compute"])
        if gone:
            attempt.stopped = Outcome("Failed", "SystemError", gone)
        if gone or work["cancel"]:
            task.cancel()

    def _gone(self, compute_id: str | None) -> str:
        """Why a compute carries no job any more; empty where it does."""
        if is_serverless(compute_id):
            return ""
        compute = self._store.get("resource", str(compute_id).lower())
        if compute is None:
            return f"The compute '{str(compute_id).rsplit('/', 1)[-1]}' was deleted."
        if compute["properties"]["properties"].get("state") == "Stopped":
            return f"The compute instance '{compute['name']}' was stopped."
        return ""

    def _advance(self, key: str, work: Body) -> None:
        """Takes a pipeline or a sweep further. One that the runner cannot handle must not hold up the others."""
        try:
            outcome = self._further(key, work)
        except AzureError as error:
            outcome = Outcome("Failed", "UserError", error.message)
        except Exception:
            logging.exception("the run %s failed", work["run"])
            outcome = FAILED
        if outcome is not None:
            self._parents.pop(key, None)
            self._end_parent(key, work, outcome)
            wake_runner(self._store)

    def _further(self, key: str, work: Body) -> Outcome | None:
        if key not in self._parents:
            found = self._job(key, work)
            if found is None:
                return None
            self._parents[key] = PARENTS[work["carrier"]](*found)
        return self._parents[key].advance(cancel=work["cancel"])

    def _end_parent(self, key: str, work: Body, outcome: Outcome) -> None:
        """Ends a pipeline, whose outputs its steps have registered, or a sweep; what it left running is cancelled."""
        found = self._job(key, work)
        if found is None:
            return
        for child in found[0].list(runs.CHILD, work["run"]):
            request_cancel(found[0], child["run"])
        if work["carrier"] == SEARCH:
            self._end(key, *found, outcome)
        else:
            self._queue.end(key, outcome)

    def _job(self, key: str, work: Body) -> tuple[Scope, Body] | None:
        """The workspace, with the submitter as caller, and the definition of a run; None for one that is gone."""
        workspace = self._store.get("resource", work["workspace"].lower())
        job = workspace and runs.definition(Scope(self._cloud, NOBODY, workspace), work["run"])
        if workspace is None or job is None:
            self._queue.forget(key)
            return None
        submitter = Caller(job["submitter"]["objectId"], job["submitter"]["clientId"])
        return Scope(self._cloud, submitter, workspace), job

    def _start_or_fail(self, key: str, work: Body) -> bool:
        """Whether the run is out of the queue. One that the runner cannot handle must not hold up the others."""
        try:
            return self._start(key, work)
        except Exception:
            logging.exception("run %s cannot be started", work["run"])
            self._queue.end(key, FAILED)
            return True

    def _start(self, key: str, work: Body) -> bool:
        found = self._job(key, work)
        if found is None:
            return True
        scope, job = found
        try:
            compute = self._compute(scope, job)
        except QuotaError as error:
            self._queue.end(key, Outcome("Failed", "UserError", str(error)))
            return True
        if compute is None:
            self._queue.end(key, Outcome("Failed", "UserError", f"The compute '{work['compute']}' was deleted."))
            return True
        nodes = self._nodes.take(compute, work["run"], job["properties"]["resources"]["instanceCount"])
        if nodes is None:
            return False
        self._begin(key, scope, job, compute, nodes)
        return True

    def _compute(self, scope: Scope, job: Body) -> Body | None:
        compute_id = job["properties"]["computeId"]
        if is_serverless(compute_id):
            return serverless(self._cloud, scope.workspace, job["properties"])
        return self._store.get("resource", compute_id.lower())

    def _begin(self, key: str, scope: Scope, job: Body, compute: Body, nodes: list[str]) -> None:
        name = job["name"]
        processes: list[list[Any]] = []
        self._queue.change(key, taken=True)

        def started(pid: int, time: str) -> None:
            processes.append([pid, time])
            self._queue.change(key, processes=processes)
            if len(processes) == 1:
                for node in nodes:
                    self._nodes.set(compute, node, "running", name)
                self._preempt_later(compute, key)

        kind = Transfer if job["properties"].get("jobType") == JOB_TYPE else Attempt
        attempt = kind(
            scope,
            job,
            compute,
            folder=self._cloud.directory / "runs" / _folder_name(key, name),
            tools=self._tools,
            started=started,
            ended=lambda outcome: self._end(key, scope, job, outcome),
        )
        task = asyncio.create_task(attempt.run())
        self._tasks[key] = (task, attempt)
        task.add_done_callback(lambda _: self._finished(key, compute, nodes))

    def _end(self, key: str, scope: Scope, job: Body, outcome: Outcome) -> None:
        """A job's end and the assets that its outputs become are one transaction."""
        try:
            with self._store.transaction():
                if outcome.status == "Completed":
                    register_outputs(scope, job)
                self._queue.end(key, outcome)
        except AzureError as error:
            self._queue.end(key, Outcome("Failed", "UserError", f"An output cannot be registered: {error.message}"))

    def _preempt_later(self, compute: Body, key: str) -> None:
        low = compute["properties"]["properties"].get("vmPriority") == "LowPriority"
        after = self._preempts() if low else None
        if after is None:
            return
        task, attempt = self._tasks[key]

        def lose() -> None:
            if not task.done() and not task.cancelling():
                attempt.stopped = PREEMPTED
                task.cancel()

        asyncio.get_running_loop().call_later(after, lose)

    def _finished(self, key: str, compute: Body, nodes: list[str]) -> None:
        _, attempt = self._tasks.pop(key)
        self._nodes.release(compute, nodes, lost=attempt.stopped.again)
        wake_runner(self._store)


def _folder_name(key: str, run: str) -> str:
    """A name as people know it, and enough of a hash to tell the same name in two workspaces apart."""
    return f"{run[:100]}-{hashlib.sha256(key.encode()).hexdigest()[:8]}"
