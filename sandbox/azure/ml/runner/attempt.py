"""One run of a job: code, inputs, environment, process, outputs; its states and its end."""

import asyncio
import contextlib
import logging
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sandbox.azure.access.tokens import Caller
from sandbox.azure.arm.core import Body
from sandbox.azure.ml import runs
from sandbox.azure.ml.access import AccessError, Place, open_place
from sandbox.azure.ml.assets import by_asset_id, environment_of
from sandbox.azure.ml.command import interpolate
from sandbox.azure.ml.durations import seconds
from sandbox.azure.ml.environments.errors import SpecificationError
from sandbox.azure.ml.identities import compute_identity, workspace_identity
from sandbox.azure.ml.jobs.present import interactive
from sandbox.azure.ml.networks import node_network
from sandbox.azure.ml.runner import launch, mpi, process, variables
from sandbox.azure.ml.runner.asked import asked_for
from sandbox.azure.ml.runner.data import DataError, fetch_folder, upload_folder
from sandbox.azure.ml.runner.environment import BuildError, Environments
from sandbox.azure.ml.runner.exchange import Exchange, ExchangeError
from sandbox.azure.ml.runner.identity import SUBMITTER, IdentityEndpoint
from sandbox.azure.ml.runner.log import Log
from sandbox.azure.ml.runner.outcome import Outcome, early_by
from sandbox.azure.ml.runner.ranks import MPI, ranks
from sandbox.azure.ml.scope import Scope
from sandbox.azure.ml.serverless import MANAGED, is_serverless
from sandbox.azure.ml.sizes import sizes
from sandbox.azure.ml.uris import AddressError, artifacts, locate_asset
from sandbox.azure.storage.errors import StorageError

TAIL = 2000  # bytes of the log in a failed job's error
REFUSALS = (AccessError, AddressError, DataError, ExchangeError, StorageError)
INSTALLS = re.compile(r"\b(pip[\d.]*|conda|mamba) install\b")
UPLOADED = ("outputs", "logs")  # folders beside the code that become the run's artifacts


class FailedError(Exception):
    """The run ends early, as failed or cancelled: with Azure ML's error code and a message for its author."""

    def __init__(self, code: str, message: str, status: str = "Failed") -> None:
        super().__init__(message)
        self.code, self.status = code, status


@dataclass(frozen=True)
class Tools:
    """What all runs share.

    Attributes:
        environments: Builds and keeps environments.
        identities: Gives tokens to jobs.
        refuse: Whether an environment that differs from what was asked for is refused rather than warned about.
    """

    environments: Environments
    identities: IdentityEndpoint
    refuse: bool

    def accept(self, differences: Iterable[str], warn: Callable[[str], None]) -> None:
        """Warns of what an environment has not as it was asked for.

        Raises:
            SpecificationError: Such environments are refused.
        """
        for one in differences:
            if self.refuse:
                raise SpecificationError(f"The environment is refused: {one} (runner.environmentMismatch: refuse).")
            warn(f"Warning: {one}.")


class Attempt:
    """Carries one job out.

    Args:
        scope: The workspace, with the job's submitter as caller.
        job: The job's document.
        compute: Its cluster.
        folder: The run's folder, made by this.
        tools: What all runs share.
        started: Told of each process, with its pid and start time, before it does anything.
        ended: Told how the run ended, before its folder goes.
    """

    def __init__(
        self,
        scope: Scope,
        job: Body,
        compute: Body,
        *,
        folder: Path,
        tools: Tools,
        started: Callable[[int, str], None],
        ended: Callable[[Outcome], None],
    ) -> None:
        self._scope, self._job, self._compute, self._folder = scope, job, compute, folder
        self._tools, self._started, self._ended = tools, started, ended
        self._name: str = job["name"]
        distribution, nodes = job["properties"]["distribution"], job["properties"]["resources"]["instanceCount"]
        self._ranks = ranks(distribution, nodes)
        self._node_folders = [folder / f"node{number}" for number in range(nodes)]
        self._network = node_network(scope.workspace, compute)
        self._of_image: Mapping[str, str] = {}  # variables that the environment's image has
        self.stopped = Outcome("Canceled")
        """How the run ends when its task is cancelled: set before that where no user cancels it."""

    async def run(self) -> None:
        """Runs the job to its end; its run has the outcome, and storage what is kept of it."""
        try:
            self._ended(await self._outcome())
        finally:
            await asyncio.shield(asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True))

    async def _outcome(self) -> Outcome:
        try:
            await self._run()
        except asyncio.CancelledError:
            return self.stopped
        except FailedError as error:
            return Outcome(error.status, error.code, str(error))
        except REFUSALS as error:
            return Outcome("Failed", "UserError", str(error))
        except OSError as error:
            return Outcome("Failed", "SystemError", f"The sandbox's folder cannot be written: {error}")
        except Exception:
            logging.exception("run %s failed", self._name)
            return Outcome("Failed", "SystemError", "The sandbox failed; its log has the cause.")
        return Outcome("Completed")

    async def _run(self) -> None:
        self._update(status="Preparing")
        try:
            await self._logged()
        except (FailedError, *REFUSALS):
            await self._linger()
            raise
        await self._linger()

    async def _linger(self) -> None:
        await asyncio.sleep(early_by(self._scope, self._name, self._job["systemData"]["createdAt"]))

    async def _logged(self) -> None:
        self._make_folders()
        place = open_place(
            self._scope, artifacts(self._scope, self._name), workspace_identity(self._scope), self._network
        )
        async with contextlib.AsyncExitStack() as stack:
            logs = [
                await stack.enter_async_context(Log(self._folder / "logs" / rank.log, place, rank.log))
                for rank in self._ranks
            ]
            try:
                await self._steps(logs, place)
            except asyncio.CancelledError:
                logs[0].write(f"Run {self._name} was stopped. {self.stopped.message}".rstrip())
                raise
            except FailedError as error:
                logs[0].write(f"Error: {str(error).partition(' Error: ')[0]}")
                raise
            except REFUSALS as error:
                logs[0].write(f"Error: {error}")
                raise

    async def _steps(self, logs: list[Log], artifact_place: Place) -> None:
        environment = await self._environment(logs[0])
        await self._code()
        await self._earlier(artifact_place)
        exchange = Exchange(self._scope, self._job, self._folder, self._data_identity(), self._network)
        for warning in exchange.warnings():
            logs[0].write(f"Warning: {warning}")
        if INSTALLS.search(self._job["properties"]["command"]):
            logs[0].write("Warning: jobs reach no package index here. Put packages into the job's environment.")
        inputs, outputs = await exchange.inputs(), await exchange.outputs()
        secret = self._tools.identities.admit(self._identity_for)
        try:
            await self._processes(logs, environment, inputs, outputs, secret)
        except BaseException:
            await asyncio.shield(exchange.keep(logs[0]))
            raise
        finally:
            self._tools.identities.dismiss(secret)
            await asyncio.shield(self._artifacts(logs[0], artifact_place))
        self._update(status="Finalizing")
        await exchange.send(logs[0])

    def _make_folders(self) -> None:
        """The run's folder, empty: what an earlier sandbox left of the same run goes."""
        if self._folder.exists():
            shutil.rmtree(self._folder)
        for name in ("inputs", "outputs"):
            (self._folder / name).mkdir(mode=0o700, parents=True)
        for node in self._node_folders:
            for name in ("wd/outputs", "wd/logs", "home", "tmp"):
                (node / name).mkdir(mode=0o700, parents=True)
            authority = self._scope.cloud.client_environment.get("SSL_CERT_FILE", "")
            (node / "home" / ".wgetrc").write_text(f"ca_certificate = {authority}\n")  # wget knows no variable for it

    async def _environment(self, log: Log) -> Path:
        version = environment_of(self._scope, self._job["properties"]["environmentId"])
        if version is None:
            raise FailedError("UserError", "The job's environment was deleted.")
        try:
            wanted = await asked_for(self._scope, version, self._folder / "context", self._network)
            path, differs = await self._tools.environments.get(wanted, log.write)
            self._of_image = wanted.variables
            self._tools.accept([*differs, *self._missing()], log.write)
        except (SpecificationError, BuildError) as error:
            raise FailedError("UserError", str(error)) from error
        for name, one in interactive(self._job).items():
            log.write(f"Warning: the service '{name}' is not there: {one['errorMessage']}")
        return path

    def _missing(self) -> list[str]:
        """What the node has in Azure and not here."""
        size = sizes().get(str(self._compute["properties"]["properties"].get("vmSize")).upper())
        if size is None or not size.gpus:
            return []
        return [f"the {size.gpus} GPU(s) of {size.name} are not there: the job runs on CPU"]

    async def _code(self) -> None:
        """The code lies in a folder of its own on each node."""
        code = self._job["properties"]["codeId"]
        if not code:
            return
        version = by_asset_id(self._scope, code)
        if version is None:
            raise FailedError("UserError", "The job's code was deleted.")
        location = locate_asset(self._scope, version)
        place = open_place(self._scope, location, workspace_identity(self._scope), self._network)
        for node in self._node_folders:
            await fetch_folder(place, node / "wd")

    async def _earlier(self, artifacts: Place) -> None:
        """What a run that lost its node had written to `./outputs` and `./logs` is there again."""
        if not (self._scope.get(runs.RUN, self._name) or {}).get("warnings"):
            return
        for node in self._node_folders:
            for name in UPLOADED:
                with contextlib.suppress(DataError):  # it had written nothing there
                    await fetch_folder(_below(artifacts, name), node / "wd" / name)

    async def _processes(
        self, logs: list[Log], environment: Path, inputs: dict[str, str], outputs: dict[str, str], secret: str
    ) -> None:
        properties = self._job["properties"]
        run = self._scope.get(runs.RUN, self._name) or {}
        line = interpolate(properties["command"], inputs, outputs, _literals(properties["inputs"]))
        identity = self._tools.identities.variables(secret, self._identity_for(""), on_behalf=self._on_behalf)
        commands = []
        for rank, log in zip(self._ranks, logs, strict=True):
            node = self._node_folders[rank.node]
            place = variables.Place(environment, node / "home", node / "tmp")
            seen = {
                **self._of_image,
                **variables.variables(self._scope, run, self._scope.caller, place, self._network),
                **identity,
                **rank.variables,
                **{f"AZURE_ML_INPUT_{name}": value for name, value in inputs.items()},
                **{f"AZURE_ML_OUTPUT_{name}": value for name, value in outputs.items()},
                **properties["environmentVariables"],
            }
            commands.append(launch.Command(["bash", "-c", line], node / "wd", seen, log))
        if (properties["distribution"] or {}).get("distributionType") == MPI:
            mpirun = mpi.launcher(commands)
            if mpirun:
                commands = [mpi.together(commands, mpirun)]
            else:
                logs[0].write("Note: mpirun is not there; each process is started with Open MPI's variables.")
        limit = (properties["limits"] or {}).get("timeout")
        try:
            ended = await launch.run(
                commands,
                limit=seconds(limit) if limit else None,
                started=self._started,
                running=lambda: self._update(status="Running", startTimeUtc=runs.now()),
                grace=lambda: 0 if self.stopped.again else process.GRACE,
            )
        except TimeoutError as error:
            raise FailedError("UserError", f"The job was stopped at its time limit of {limit}.", "Canceled") from error
        if ended.code != 0:
            raise FailedError(
                "UserError",
                f"Execution failed. User process 'bash' exited with status code {ended.code}. Please check log file "
                f"'{self._ranks[ended.index].log}' for error details. Error: {logs[ended.index].tail(TAIL)}",
            )

    async def _artifacts(self, log: Log, place: Place) -> None:
        """`./outputs` and `./logs` of all nodes become the run's artifacts, also of a run that failed."""
        for node in self._node_folders:
            for name in UPLOADED:
                if (node / "wd" / name).is_dir():
                    await upload_folder(node / "wd" / name, _below(place, name), log.write)

    @property
    def _on_behalf(self) -> bool:
        """Whether data is read as the submitter: where the job says so, and on serverless compute by default."""
        kind = (self._job["properties"]["identity"] or {}).get("identityType")
        return kind == "UserIdentity" or (is_serverless(self._compute["id"]) and kind != MANAGED)

    def _data_identity(self) -> Caller | None:
        """Who reads and writes a datastore without credentials: the submitter if the job says so, else the compute."""
        if self._on_behalf:
            return self._scope.caller
        return self._identity_for((self._job["properties"]["identity"] or {}).get("clientId") or "")

    def _identity_for(self, client_id: str) -> Caller | None:
        if client_id == SUBMITTER:
            return self._scope.caller if self._on_behalf else None
        return compute_identity(self._scope, self._compute, client_id)

    def _update(self, **changes: Any) -> None:
        runs.update_run(self._scope.cloud, self._scope.id, self._name, **changes)


def _below(place: Place, name: str) -> Place:
    return replace(place, path=f"{place.path}/{name}")


def _literals(given: dict[str, Any]) -> set[str]:
    return {name for name, one in given.items() if one["jobInputType"] == "literal"}
