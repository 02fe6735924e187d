"""Gives queued jobs to the nodes of their clusters, brings nodes up on demand and takes idle ones down."""

import asyncio
import contextlib
import hashlib
import logging
import shutil
from collections.abc import Callable
from typing import Any

from sandbox.azure.arm.core import Body
from sandbox.azure.cloud import Cloud
from sandbox.azure.ml import jobs, runs
from sandbox.azure.ml.bell import bell
from sandbox.azure.ml.computes import NODES, seconds
from sandbox.azure.ml.locations import vcpus_in_use
from sandbox.azure.ml.runner import process
from sandbox.azure.ml.runner.attempt import Attempt, Tools
from sandbox.azure.ml.runner.environment import Environments, sweep
from sandbox.azure.ml.runner.identity import IdentityEndpoint
from sandbox.azure.ml.scope import Scope
from sandbox.azure.ml.sizes import DEDICATED, LOW_PRIORITY, quota, sizes
from sandbox.azure.tokens import Caller

LOST = "The sandbox was stopped while the job ran, so the run is lost: submit it again."
TICK = 1.0  # seconds between looks for idle nodes
SETTING = "environmentMismatch"


class Runner:
    """Carries the jobs of one local Azure out.

    Args:
        cloud: It.
        preempts: Asked when a job starts on a low-priority node: after how many seconds the node is lost; None: not.
    """

    def __init__(self, cloud: Cloud, preempts: Callable[[], float | None] = lambda: None) -> None:
        self._cloud, self._store, self._preempts = cloud, cloud.store, preempts
        self._tasks: dict[str, tuple[asyncio.Task[None], Attempt]] = {}
        self._loop: asyncio.Task[None] | None = None
        settings = cloud.seed.get("runner") or {}
        environments = Environments(cloud.directory / "environments", cloud.client_environment)
        self._tools = Tools(environments, IdentityEndpoint(cloud), settings.get(SETTING) == "refuse")

    async def start(self) -> None:
        """Marks lost runs, ends what they left behind, and goes on with the queue."""
        sweep(self._cloud.directory / "environments")
        for key, work in list(self._store.items(jobs.WORK)):
            if "pid" in work:
                process.kill_orphans(work["pid"], work["started"])
            if work.get("taken"):
                self._fail(key, work, "SystemError", LOST)
        for key, _ in list(self._store.items(NODES)):
            self._store.delete(NODES, key)
        await asyncio.to_thread(shutil.rmtree, self._cloud.directory / "runs", ignore_errors=True)
        await self._tools.identities.start()
        self._loop = asyncio.create_task(self._serve())

    async def stop(self) -> None:
        """Ends all running jobs, which are lost; queued ones stay."""
        if self._loop is not None:
            self._loop.cancel()
        for task, attempt in self._tasks.values():
            attempt.stopped_because = LOST
            task.cancel()
        await asyncio.gather(*(task for task, _ in self._tasks.values()), return_exceptions=True)
        self._tools.identities.stop()

    def _fail(self, key: str, work: Body, code: str, message: str) -> None:
        error = {"error": {"code": code, "message": message, "details": []}}
        with self._store.transaction():
            runs.update_run(
                self._cloud, work["workspace"], work["run"], status="Failed", endTimeUtc=runs.now(), error=error
            )
            self._store.delete(jobs.WORK, key)

    async def _serve(self) -> None:
        event = bell(self._store)
        while True:
            event.clear()
            try:
                self._schedule()
                self._scale_down()
            except Exception:
                logging.exception("the runner failed; it goes on")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK):
                    await event.wait()

    def _schedule(self) -> None:
        """Starts what can start, in the order of submission; stops what is to be cancelled."""
        queue = sorted(self._store.items(jobs.WORK), key=lambda item: item[1]["submitted"])
        for key, work in queue:
            running = self._tasks.get(key)
            if running is not None:
                self._check_running(work, *running)
            elif work.get("taken"):  # its end could not be told, on a full disk for one; it does not run twice
                self._fail(key, work, "SystemError", LOST)
            elif work["cancel"]:
                self._drop(key, work)
            else:
                self._start_or_fail(key, work)

    def _check_running(self, work: Body, task: asyncio.Task[None], attempt: Attempt) -> None:
        """Stops a job that is to be cancelled, or whose compute went away under it."""
        if task.cancelling():
            return
        if self._store.get("resource", work["compute"].lower()) is None:
            attempt.stopped_because = f"The compute '{work['compute'].rsplit('/', 1)[-1]}' was deleted."
            task.cancel()
        elif work["cancel"]:
            task.cancel()

    def _start_or_fail(self, key: str, work: Body) -> None:
        """A job that the runner cannot handle must not hold up the others."""
        try:
            self._try_start(key, work)
        except Exception:
            logging.exception("run %s cannot be started", work["run"])
            self._fail(key, work, "SystemError", "The sandbox failed; its log has the cause.")

    def _drop(self, key: str, work: Body) -> None:
        """A job that was cancelled before it began."""
        with self._store.transaction():
            runs.update_run(self._cloud, work["workspace"], work["run"], status="Canceled", endTimeUtc=runs.now())
            self._store.delete(jobs.WORK, key)

    def _try_start(self, key: str, work: Body) -> None:
        compute = self._store.get("resource", work["compute"].lower())
        workspace = self._store.get("resource", work["workspace"].lower())
        job = self._store.get(runs.JOB, f"{work['workspace']}/jobs/{work['run']}".lower())
        if workspace is None or job is None:
            self._store.delete(jobs.WORK, key)
            return
        if compute is None:
            self._fail(key, work, "UserError", f"The compute '{work['compute']}' was deleted.")
            return
        node = self._node(compute)
        if node is None:
            return
        submitter = Caller(job["submitter"]["objectId"], job["submitter"]["clientId"])
        self._begin(key, Scope(self._cloud, submitter, workspace), job, compute, node)

    def _begin(self, key: str, scope: Scope, job: Body, compute: Body, node: str) -> None:
        name = job["name"]
        self._set_node(compute, node, "preparing", name)
        self._change_work(key, taken=True)

        def started(pid: int, time: str) -> None:
            self._set_node(compute, node, "running", name)
            self._change_work(key, pid=pid, started=time)
            self._preempt_later(compute, key)

        # a name as people know it, and enough of a hash to tell the same name in two workspaces apart
        place = hashlib.sha256(key.encode()).hexdigest()[:8]
        folder = self._cloud.directory / "runs" / f"{name[:100]}-{place}"
        attempt = Attempt(scope, job, compute, folder=folder, tools=self._tools, started=started)
        task = asyncio.create_task(attempt.run())
        self._tasks[key] = (task, attempt)
        task.add_done_callback(lambda _: self._finished(key, compute, node))

    def _preempt_later(self, compute: Body, key: str) -> None:
        low = compute["properties"]["properties"]["vmPriority"] == "LowPriority"
        after = self._preempts() if low else None
        if after is None:
            return
        task, attempt = self._tasks[key]

        def lose() -> None:
            if not task.done() and not task.cancelling():
                attempt.preempted = True
                task.cancel()

        asyncio.get_running_loop().call_later(after, lose)

    def _change_work(self, key: str, **changes: Any) -> None:
        work = self._store.get(jobs.WORK, key)
        if work is not None:
            self._store.put(jobs.WORK, key, {**work, **changes})

    def _finished(self, key: str, compute: Body, node: str) -> None:
        _, attempt = self._tasks.pop(key)
        if attempt.preempted:
            self._store.delete(NODES, _node_key(compute, node))
        elif self._store.get(NODES, _node_key(compute, node)) is not None:
            self._set_node(compute, node, "idle", None)
        bell(self._store).set()

    def _node(self, compute: Body) -> str | None:
        """An idle node of the cluster, or a new one where the cluster's maximum and the quota allow it."""
        nodes = list(self._store.list(NODES, compute["id"].lower() + "/"))
        idle = next((node for node in nodes if node["state"] == "idle"), None)
        if idle is not None:
            return str(idle["id"])
        inner = compute["properties"]["properties"]
        if len(nodes) >= inner["scaleSettings"]["maxNodeCount"]:
            return None
        size = sizes()[inner["vmSize"]]
        family = LOW_PRIORITY if inner["vmPriority"] == "LowPriority" else size.family
        used = vcpus_in_use(self._cloud, compute["location"])
        totals = (family,) if family == LOW_PRIORITY else (family, DEDICATED)
        if any(used[one] + size.vcpus > quota(self._cloud, compute["location"], one) for one in totals):
            return None
        taken = {node["id"] for node in nodes}
        name = next(f"tvmps_{number:08x}_d" for number in range(len(nodes) + 1) if f"tvmps_{number:08x}_d" not in taken)
        body = {
            "id": name,
            "compute": compute["id"],
            "location": compute["location"],
            "quota": family,
            "vcpus": size.vcpus,
            "state": "preparing",
            "since": runs.now(),
            "runId": None,
        }
        self._store.put(NODES, _node_key(compute, name), body)
        return name

    def _set_node(self, compute: Body, node: str, state: str, run: str | None) -> None:
        key = _node_key(compute, node)
        body = self._store.get(NODES, key)
        if body is not None:
            self._store.put(NODES, key, {**body, "state": state, "since": runs.now(), "runId": run})

    def _scale_down(self) -> None:
        """Takes nodes away that were idle for their cluster's time, down to its least number."""
        now = runs.millis(runs.now())
        by_compute: dict[str, list[tuple[str, Body]]] = {}
        for key, node in self._store.items(NODES):
            by_compute.setdefault(node["compute"], []).append((key, node))
        for compute_id, nodes in by_compute.items():
            compute = self._store.get("resource", compute_id.lower())
            scale: dict[str, Any] = (compute or {"properties": {"properties": {"scaleSettings": {}}}})["properties"][
                "properties"
            ]["scaleSettings"]
            spare = len(nodes) - scale.get("minNodeCount", 0)
            patience = seconds(scale.get("nodeIdleTimeBeforeScaleDown", "PT0S")) * 1000
            for key, node in nodes:
                if spare > 0 and node["state"] == "idle" and now - runs.millis(node["since"]) >= patience:
                    self._store.delete(NODES, key)
                    spare -= 1


def _node_key(compute: Body, node: str) -> str:
    return f"{compute['id']}/{node}".lower()
