"""One run of a job: code, inputs, environment, process, outputs; its states and its end."""

import asyncio
import contextlib
import logging
import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sandbox.azure.arm.core import Body
from sandbox.azure.ml import runs
from sandbox.azure.ml.access import AccessError, Place, open_place
from sandbox.azure.ml.assets import by_asset_id
from sandbox.azure.ml.command import interpolate
from sandbox.azure.ml.computes import seconds
from sandbox.azure.ml.identities import compute_identity, workspace_identity
from sandbox.azure.ml.networks import node_network
from sandbox.azure.ml.runner import process, variables
from sandbox.azure.ml.runner.data import DataError, fetch_file, fetch_folder, inside, upload_folder
from sandbox.azure.ml.runner.environment import BuildError, Environments
from sandbox.azure.ml.runner.identity import SUBMITTER, IdentityEndpoint
from sandbox.azure.ml.runner.log import NAME as LOG_NAME
from sandbox.azure.ml.runner.log import Log
from sandbox.azure.ml.runner.outcome import Outcome
from sandbox.azure.ml.runner.specification import SpecificationError, specification
from sandbox.azure.ml.scope import Scope
from sandbox.azure.ml.uris import AddressError, Location, artifacts, locate, long_uri, output_uri
from sandbox.azure.storage.errors import StorageError
from sandbox.azure.tokens import Caller

SHORTEST = 1.5  # seconds from submission to the end: azure-ai-ml's `stream` shows nothing of a run that ended before it
TAIL = 2000  # bytes of the log in a failed job's error
FILE_TYPES = {"uri_file"}
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


class Attempt:
    """Carries one job out.

    Args:
        scope: The workspace, with the job's submitter as caller.
        job: The job's document.
        compute: Its cluster.
        folder: The run's folder, made by this.
        tools: What all runs share.
        started: Told when the job's process runs, with its pid and start time.
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
        self._wd = folder / "wd"
        self._network = node_network(scope.workspace, compute)
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
        except (AccessError, AddressError, DataError, StorageError) as error:
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
        except (FailedError, AccessError, AddressError, DataError, StorageError):
            await self._linger()
            raise
        await self._linger()

    async def _linger(self) -> None:
        age = (runs.millis(runs.now()) - runs.millis(self._job["systemData"]["createdAt"])) / 1000
        await asyncio.sleep(max(0.0, SHORTEST - age))

    async def _logged(self) -> None:
        self._make_folders()
        place = open_place(
            self._scope, artifacts(self._scope, self._name), workspace_identity(self._scope), self._network
        )
        async with Log(self._folder / "std_log.txt", place) as log:
            try:
                await self._steps(log, place)
            except asyncio.CancelledError:
                log.write(f"Run {self._name} was stopped. {self.stopped.message}".rstrip())
                raise
            except FailedError as error:
                log.write(f"Error: {str(error).partition(' Error: ')[0]}")
                raise
            except (AccessError, AddressError, DataError, StorageError) as error:
                log.write(f"Error: {error}")
                raise

    async def _steps(self, log: Log, artifact_place: Place) -> None:
        environment = await self._environment(log)
        await self._code()
        await self._earlier(artifact_place)
        inputs = await self._inputs()
        outputs, written = self._outputs()
        secret = self._tools.identities.admit(self._identity_for)
        try:
            await self._process(log, environment, inputs, outputs, secret)
        finally:
            self._tools.identities.dismiss(secret)
            await asyncio.shield(self._artifacts(log, artifact_place))
        self._update(status="Finalizing")
        for name, place in written.items():
            await upload_folder(self._folder / "outputs" / name, place, log.write)

    def _make_folders(self) -> None:
        """The run's folder, empty: what an earlier sandbox left of the same run goes."""
        if self._folder.exists():
            shutil.rmtree(self._folder)
        for name in ("wd/outputs", "wd/logs", "inputs", "outputs", "home", "tmp"):
            (self._folder / name).mkdir(mode=0o700, parents=True)

    async def _environment(self, log: Log) -> Path:
        version = by_asset_id(self._scope, self._job["properties"]["environmentId"])
        if version is None:
            raise FailedError("UserError", "The job's environment was deleted.")
        try:
            wanted = specification(version["properties"])
            path, differs = await self._tools.environments.get(wanted, log.write)
        except (SpecificationError, BuildError) as error:
            raise FailedError("UserError", str(error)) from error
        for one in differs:
            if self._tools.refuse:
                raise FailedError(
                    "UserError", f"The environment is refused: {one} (runner.environmentMismatch: refuse)."
                )
            log.write(f"Warning: {one}.")
        return path

    async def _code(self) -> None:
        code = self._job["properties"]["codeId"]
        if not code:
            return
        version = by_asset_id(self._scope, code)
        if version is None:
            raise FailedError("UserError", "The job's code was deleted.")
        location = locate(self._scope, version["properties"]["codeUri"])
        await fetch_folder(open_place(self._scope, location, workspace_identity(self._scope), self._network), self._wd)

    async def _earlier(self, artifacts: Place) -> None:
        """What a run that lost its node had written to `./outputs` and `./logs` is there again."""
        if not (self._scope.get(runs.RUN, self._name) or {}).get("warnings"):
            return
        for name in UPLOADED:
            with contextlib.suppress(DataError):  # it had written nothing there
                await fetch_folder(_below(artifacts, name), self._wd / name)

    async def _inputs(self) -> dict[str, str]:
        """Values for the command: literals, and local paths of fetched data."""
        found = {}
        for name, given in self._job["properties"]["inputs"].items():
            if given["jobInputType"] == "literal":
                found[name] = str(given["value"])
            elif given["mode"] == "Direct":
                found[name] = given["uri"]
            else:
                found[name] = str(await self._fetch(name, given))
        return found

    async def _fetch(self, name: str, given: dict[str, Any]) -> Path:
        location = locate(self._scope, given["uri"])
        folder = self._folder / "inputs" / name
        try:
            place = open_place(self._scope, location, self._data_identity(), self._network)
            if given["jobInputType"] in FILE_TYPES:
                path = await fetch_file(place, folder)
            else:
                await fetch_folder(place, folder)
                path = folder
        except (AccessError, DataError) as error:
            raise FailedError("UserError", f"Input '{name}': {error}") from error
        if given["mode"] == "ReadOnlyMount":
            for one in [path, *path.rglob("*")]:
                if one.is_file():
                    one.chmod(0o444)
        self._record("inputs", name, given["jobInputType"], long_uri(self._scope, location))
        return path

    def _outputs(self) -> tuple[dict[str, str], dict[str, Place]]:
        """Values for the command, and where each output goes; access is checked before the job runs."""
        values, places = {}, {}
        for name, given in self._job["properties"]["outputs"].items():
            address = output_uri(self._job, name)
            if given["mode"] == "Direct":
                values[name] = address
                continue
            location = locate(self._scope, address)
            folder = self._folder / "outputs" / name
            is_file = given["jobOutputType"] in FILE_TYPES
            file = location.path.rsplit("/", 1)[-1] if is_file and not address.endswith("/") else name
            target = inside(folder, file) if is_file else folder
            folder.mkdir(parents=True, exist_ok=True)
            where = location if not is_file or address.endswith("/") else _parent(location)
            try:
                places[name] = open_place(self._scope, where, self._data_identity(), self._network)
            except AccessError as error:
                raise FailedError("UserError", f"Output '{name}': {error}") from error
            values[name] = str(target)
            self._record("outputs", name, given["jobOutputType"], long_uri(self._scope, location))
        return values, places

    def _record(self, side: str, name: str, kind: str, uri: str) -> None:
        """Tells run history of data that went in or out."""
        run = self._scope.get(runs.RUN, self._name) or {side: {}}
        asset = f"azureml://jobs/{self._name}/{side}/{name}"
        self._update(**{side: {**run[side], name: {"assetId": asset, "type": kind, "uri": uri}}})

    async def _process(
        self, log: Log, environment: Path, inputs: dict[str, str], outputs: dict[str, str], secret: str
    ) -> None:
        properties = self._job["properties"]
        run = self._scope.get(runs.RUN, self._name) or {}
        place = variables.Place(environment, self._folder / "home", self._folder / "tmp")
        default = self._identity_for("")
        seen = {
            **variables.variables(self._scope, run, self._scope.caller, place, self._network),
            **self._tools.identities.variables(secret, default, on_behalf=self._on_behalf),
            **{f"AZURE_ML_INPUT_{name}": value for name, value in inputs.items()},
            **{f"AZURE_ML_OUTPUT_{name}": value for name, value in outputs.items()},
            **properties["environmentVariables"],
        }
        command = interpolate(properties["command"], _quoted(properties["inputs"], inputs), _quoted({}, outputs))
        started = await process.start(
            ["bash", "-c", command], cwd=self._wd, environment=seen, output=log.file, known=self._started
        )
        self._update(status="Running", startTimeUtc=runs.now())
        limit = (properties["limits"] or {}).get("timeout")
        try:
            async with asyncio.timeout(seconds(limit) if limit else None):
                code = await started.wait()
        except TimeoutError as error:
            await process.end(started)
            raise FailedError("UserError", f"The job was stopped at its time limit of {limit}.", "Canceled") from error
        except asyncio.CancelledError:
            await process.end(started, 0 if self.stopped.again else process.GRACE)
            raise
        process.signal_group(started.pid, 9)  # what the command left in the background ends with it
        if code != 0:
            raise FailedError(
                "UserError",
                f"Execution failed. User process 'bash' exited with status code {code}. Please check log file "
                f"'{LOG_NAME}' for error details. Error: {log.tail(TAIL)}",
            )

    async def _artifacts(self, log: Log, place: Place) -> None:
        """`./outputs` and `./logs` become the run's artifacts, also of a run that failed."""
        for name in UPLOADED:
            if (self._wd / name).is_dir():
                await upload_folder(self._wd / name, _below(place, name), log.write)

    @property
    def _on_behalf(self) -> bool:
        return ((self._job["properties"]["identity"] or {}).get("identityType") or "") == "UserIdentity"

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


def _parent(location: Location) -> Location:
    return replace(location, path=location.path.rpartition("/")[0])


def _quoted(given: dict[str, Any], values: dict[str, str]) -> dict[str, str]:
    """Local paths are quoted for the shell; literals go in as they are, as Azure ML does it."""
    return {
        name: value if given.get(name, {}).get("jobInputType") == "literal" else shlex.quote(value)
        for name, value in values.items()
    }
