"""Keeps the servers of online deployments as they are wanted: starts, replaces, scales and ends them.

The documents of what is wanted outlive a sandbox, so that the next one serves the same again.
"""

import asyncio
import contextlib
import logging
import shutil
from typing import Any

from sandbox.azure.arm.core import Body
from sandbox.azure.cloud import Cloud
from sandbox.azure.ml import mfeoperations
from sandbox.azure.ml.durations import seconds
from sandbox.azure.ml.endpoints.online import logs
from sandbox.azure.ml.endpoints.online.live import board
from sandbox.azure.ml.endpoints.online.served import KIND
from sandbox.azure.ml.runner import process
from sandbox.azure.ml.runner.attempt import Tools
from sandbox.azure.ml.runner.deploy import Deploy, DeployError, workers
from sandbox.azure.ml.runner.server import Server

PATIENCE = 180.0  # seconds that a replaced server has for its requests: the longest a request may take
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds before a server that ended is started again


class Serving:
    """All deployments of one local Azure.

    Args:
        cloud: It.
        tools: What environments and identities are made with.
    """

    def __init__(self, cloud: Cloud, tools: Tools) -> None:
        self._cloud, self._tools = cloud, tools
        self._carried: dict[str, tuple[_Deployment, asyncio.Task[None]]] = {}

    def start(self) -> None:
        """Ends what a killed sandbox left."""
        for key, wanted in list(self._cloud.store.items(KIND)):
            for pid, started in wanted.pop("processes", ()):
                process.kill_orphans(pid, started)
            self._cloud.store.put(KIND, key, wanted)

    def look(self) -> None:
        """Begins to carry what is new, ends what is gone, and lets the others look at what is wanted of them."""
        wanted = dict(self._cloud.store.items(KIND))
        for key, document in wanted.items():
            if key not in self._carried:
                deployment = _Deployment(self._cloud, self._tools, key, document["deployment"])
                self._carried[key] = (deployment, asyncio.create_task(deployment.run()))
        for key in list(self._carried):
            deployment, task = self._carried[key]
            deployment.look(wanted.get(key))
            if key not in wanted:
                task.cancel()
                del self._carried[key]

    async def stop(self) -> None:
        """Ends all servers."""
        for _, task in self._carried.values():
            task.cancel()
        await asyncio.gather(*(task for _, task in self._carried.values()), return_exceptions=True)


class _Deployment:
    """One deployment: what serves it now, and what is to."""

    def __init__(self, cloud: Cloud, tools: Tools, key: str, deployment_id: str) -> None:
        self._cloud, self._tools, self._key = cloud, tools, key
        self._folder = logs.folder(cloud, deployment_id)
        self._board = board(cloud.store)
        self._server: Server | None = None
        self._retiring: dict[asyncio.Task[None], Server] = {}
        self._pause = FIRST_PAUSE
        self._changed = asyncio.Event()
        self._known: Body = {}

    def look(self, wanted: Body | None) -> None:
        """Wakes it where what is wanted has changed."""
        if wanted != self._known:
            self._known = wanted or {}
            self._changed.set()

    async def run(self) -> None:
        """Until it is cancelled: the deployment is gone, or the sandbox ends."""
        try:
            while True:
                self._changed.clear()
                wanted = self._wanted()
                if wanted is not None:
                    await self._follow(wanted)
                await self._next()
        except asyncio.CancelledError:
            raise
        except Exception:
            logging.exception("the deployment %s is served no longer", self._key)
        finally:
            await asyncio.shield(self._end())

    def _wanted(self) -> Body | None:
        return self._cloud.store.get(KIND, self._key)

    async def _follow(self, wanted: Body) -> None:
        """Makes what is there what is wanted."""
        deployment = self._cloud.store.get("resource", self._key)
        if deployment is not None and self._server is not None and self._server.revision == wanted["revision"]:
            self._server.scale(workers(deployment))
            self._settle(wanted)
        elif wanted.get("failed") != wanted["revision"]:
            await self._replace(wanted)

    async def _replace(self, wanted: Body) -> None:
        """A new server takes the requests once it is ready; the old one ends after those that it has."""
        try:
            deploy = Deploy(self._cloud, self._tools, wanted, folder=self._folder, started=self._started)
            server = await deploy.run()
        except DeployError as error:
            self._settle(wanted, error)
            return
        except Exception:
            logging.exception("the deployment %s cannot be served", self._key)
            self._settle(wanted, DeployError("InternalServerError", "The sandbox failed; its log has the cause."))
            return
        old, self._server = self._server, server
        self._board.put(self._key, server.live)
        self._settle(wanted)
        if old is not None:
            self._retire(old, PATIENCE)

    def _started(self, pid: int, time: str) -> None:
        wanted = self._wanted()
        if wanted is not None:
            kept = [one for one in wanted.get("processes", ()) if process.start_time(one[0]) == one[1]]
            self._cloud.store.put(KIND, self._key, {**wanted, "processes": [*kept, [pid, time]]})

    def _settle(self, wanted: Body, failure: DeployError | None = None) -> None:
        """Ends the operation that waits for this revision, and says how it went."""
        store, now = self._cloud.store, self._wanted()
        if now is None or now["revision"] != wanted["revision"] or not (now["operation"] or failure):
            return
        deployment = store.get("resource", self._key)
        with store.transaction():
            if deployment is not None:
                deployment["properties"]["provisioningState"] = "Failed" if failure else "Succeeded"
                store.put("resource", self._key, deployment)
            if now["operation"]:
                mfeoperations.end(store, now["operation"], failure.body() if failure else None)
            failed: dict[str, Any] = {"failed": now["revision"]} if failure else {}
            store.put(KIND, self._key, {**now, "operation": None, **failed})

    async def _next(self) -> None:
        """Waits for a change, or for the server's own end, after which it is started again."""
        live = asyncio.create_task(self._probe())
        try:
            await self._change_or_end()
        finally:
            live.cancel()

    async def _probe(self) -> None:
        """Ends a server whose liveness probe fails too often, as the service restarts such a container."""
        failures = 0
        while (deployment := self._cloud.store.get("resource", self._key)) is not None and self._server is not None:
            probe = deployment["properties"]["livenessProbe"]
            await asyncio.sleep(seconds(probe["period"]))
            logs.trim(self._folder)
            failures = 0 if await self._server.answers(seconds(probe["timeout"])) else failures + 1
            if failures >= probe["failureThreshold"]:
                self._tell(f"The liveness probe failed {failures} times: the server is ended.")
                await self._server.kill()
                return

    def _tell(self, text: str) -> None:
        """Adds a line to the server's log."""
        with contextlib.suppress(OSError), (self._folder / logs.FILES[logs.SERVER]).open("a") as log:
            log.write(f"{text}\n")

    async def _change_or_end(self) -> None:
        change: asyncio.Future[Any] = asyncio.ensure_future(self._changed.wait())
        ended = self._server.ended if self._server is not None else None
        waiting: set[asyncio.Future[Any]] = {change} if ended is None else {change, ended}
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            change.cancel()
        if self._server is None or ended is None or not ended.done():
            return
        self._board.drop(self._key)
        await self._server.stop(0)
        self._server = None
        self._tell(f"The server ended with {ended.result()}: it is started again in {self._pause:g} seconds.")
        await asyncio.sleep(self._pause)
        self._pause = min(LONGEST_PAUSE, self._pause * 2)

    def _retire(self, server: Server, patience: float) -> None:
        task = asyncio.create_task(self._dismiss(server, patience))
        self._retiring[task] = server
        task.add_done_callback(self._retiring.pop)

    async def _dismiss(self, server: Server, patience: float) -> None:
        await server.stop(patience)
        await asyncio.to_thread(shutil.rmtree, self._folder / server.revision, ignore_errors=True)

    async def _end(self) -> None:
        """The servers end, and the files go with a deployment that is gone."""
        self._board.drop(self._key)
        gone = self._wanted() is None
        for name in logs.FILES.values() if gone else ():
            (self._folder / name).unlink(missing_ok=True)
        for task, server in list(self._retiring.items()):
            task.cancel()
            await server.stop(0)
        if self._server is not None:
            await self._server.stop(PATIENCE if gone else 0)
        if gone and self._wanted() is None:  # else one of the same name is there by now
            await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)
