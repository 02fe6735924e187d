"""Brings one revision of a deployment up: its model, its code, its environment, and the server.

Sources: learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-online-endpoints for the codes of failures,
how-to-deploy-mlflow-models-online-endpoints for models without code.
"""

import asyncio
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from sandbox.azure import clock
from sandbox.azure.access.tokens import Caller
from sandbox.azure.arm.core import Body
from sandbox.azure.cloud import Cloud
from sandbox.azure.ml.access import AccessError, open_place
from sandbox.azure.ml.assets import by_asset_id, environment_of
from sandbox.azure.ml.durations import seconds
from sandbox.azure.ml.endpoints.online.logs import FILES, INITIALIZER, SERVER
from sandbox.azure.ml.environments.errors import SpecificationError
from sandbox.azure.ml.environments.specification import Specification, parse
from sandbox.azure.ml.identities import compute_identity, workspace_identity
from sandbox.azure.ml.names import workspace_id
from sandbox.azure.ml.networks import OFF, mode_of
from sandbox.azure.ml.runner.asked import asked_for
from sandbox.azure.ml.runner.attempt import Tools
from sandbox.azure.ml.runner.data import DataError, fetch_file, fetch_folder
from sandbox.azure.ml.runner.environment import BuildError
from sandbox.azure.ml.runner.server import Server
from sandbox.azure.ml.runner.variables import Place, base
from sandbox.azure.ml.scope import Scope
from sandbox.azure.ml.sizes import sizes
from sandbox.azure.ml.uris import AddressError, Location, locate_asset
from sandbox.azure.storage.errors import StorageError

GUIDE = "Please see troubleshooting guide, available here: https://aka.ms/oe-tsg"
PACKAGE = "azureml-inference-server-http"
MLFLOW_SCRIPT = Path(__file__).parent / "inside" / "mlflow_score.py"
WORKERS = "WORKER_COUNT"
MOST_WORKERS = 8  # of a deployment, as all of them share this machine
UNREADABLE = (AccessError, AddressError, DataError, StorageError)


class DeployError(Exception):
    """A deployment cannot be served: with the service's code, and a message for its author."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message

    def body(self) -> Body:
        """The error as an operation shows it."""
        return {"error": {"code": self.code, "message": self.message, "details": []}}


def workers(deployment: Body) -> int:
    """How many requests its server handles at a time: WORKER_COUNT an instance, within what one machine can do."""
    asked = str(deployment["properties"]["environmentVariables"].get(WORKERS) or "1")
    each = int(asked) if asked.isdecimal() and int(asked) else 1
    return min(MOST_WORKERS, each * int(deployment["sku"]["capacity"]))


class Deploy:
    """Makes the server of one revision.

    Args:
        cloud: The local Azure.
        tools: What environments and identities are made with.
        wanted: The document of what is wanted.
        folder: The deployment's folder, for its logs and revisions.
        started: Remembers a process's pid and start time before it does anything.
    """

    def __init__(
        self, cloud: Cloud, tools: Tools, wanted: Body, *, folder: Path, started: Callable[[int, str], None]
    ) -> None:
        self._cloud, self._tools, self._folder, self._revision = cloud, tools, folder, wanted["revision"]
        self._started, key = started, wanted["deployment"].lower()
        deployment, endpoint, workspace = (
            cloud.store.get("resource", one) for one in (key, key.rsplit("/", 2)[0], workspace_id(key))
        )
        if deployment is None or endpoint is None or workspace is None:
            raise DeployError("ResourceNotFound", "The deployment was deleted.")
        self._deployment, self._properties = deployment, deployment["properties"]
        self._scope = Scope(cloud, Caller(wanted["by"]["objectId"], wanted["by"]["clientId"]), workspace)
        self._endpoint = endpoint
        self._network = str(workspace["id"]).lower() if mode_of(workspace) != OFF else ""
        self._own = folder / self._revision
        self._of_image: Mapping[str, str] = {}  # variables that the environment's image has

    def _find(self, client_id: str) -> Caller | None:
        return compute_identity(self._scope, self._endpoint, client_id)

    async def run(self) -> Server:
        """The server, ready for requests.

        Raises:
            DeployError: It cannot be served.
        """
        try:
            await self._make_folders()
            with self._log(SERVER) as log:
                try:
                    return await self._serve(log)
                except DeployError as error:
                    _say(log, f"Error: {error.message}")
                    raise
        except OSError as error:
            raise DeployError("InternalServerError", f"The sandbox's folder cannot be written: {error}") from error

    async def _make_folders(self) -> None:
        if self._own.exists():
            await asyncio.to_thread(shutil.rmtree, self._own)
        for name in ("code", "home", "tmp", "run"):
            (self._own / name).mkdir(mode=0o700, parents=True)
        self._folder.chmod(0o700)

    def _log(self, kind: str) -> BinaryIO:
        """A container's log, opened to add to it."""
        return (self._folder / FILES[kind]).open("ab", buffering=0)

    async def _serve(self, log: BinaryIO) -> Server:
        with self._log(INITIALIZER) as told:
            model = await self._fetch(told)
        environment = await self._environment(log, model)
        if self._properties["codeConfiguration"] is None:
            shutil.copyfile(MLFLOW_SCRIPT, self._own / "code" / MLFLOW_SCRIPT.name)
        return await self._start(log, environment, model)

    async def _fetch(self, log: BinaryIO) -> Path | None:
        """Model and code, with the endpoint's identity; gives the model's folder."""
        model, code = self._properties["model"], self._properties["codeConfiguration"]
        folder = None
        try:
            if model:
                version = by_asset_id(self._scope, model)
                if version is None:
                    raise DeployError(
                        "BadArgument", f"Unable to download user model. {GUIDE}#unable-to-download-user-model"
                    )
                folder = self._own / "azureml-models" / version["id"].split("/")[-3] / version["name"]
                _say(log, f"Downloading model {version['properties']['modelUri']}")
                await self._copy(locate_asset(self._scope, version), folder, named=True)
            if code:
                version = by_asset_id(self._scope, code["codeId"])
                if version is None:
                    raise DeployError("BadArgument", f"The code '{code['codeId']}' was deleted.")
                _say(log, f"Downloading code {version['properties']['codeUri']}")
                await self._copy(locate_asset(self._scope, version), self._own / "code", named=False)
        except UNREADABLE as error:
            _say(log, f"Error: {error}")
            text = f"Unable to download user model or code. Check the logs of the container StorageInitializer. {GUIDE}"
            raise DeployError("BadArgument", f"{text}#unable-to-download-user-model") from error
        _say(log, "Download completed")
        return folder

    async def _copy(self, location: Location, folder: Path, *, named: bool) -> None:
        """A file, or a folder's files; those of a model lie in a folder of that name."""
        identity = self._find("") or workspace_identity(self._scope)
        place = open_place(self._scope, location, identity, self._network)
        folder.mkdir(parents=True, exist_ok=True)
        if place.file() is not None:
            await fetch_file(place, folder)
        else:
            await fetch_folder(place, folder / location.path.rsplit("/", 1)[-1] if named else folder)

    async def _environment(self, log: BinaryIO, model: Path | None) -> Path:
        """The environment, with Microsoft's inference server where it can have that."""
        try:
            wanted = await self._wanted(model)
            path, differs = await self._built(wanted, log)
            self._of_image = wanted.variables
            self._tools.accept([*differs, *self._missing()], lambda text: _say(log, text))
        except (SpecificationError, BuildError, *UNREADABLE) as error:
            raise DeployError("ImageBuildFailure", f"{error}") from error
        return path

    def _missing(self) -> list[str]:
        """What the deployment has in Azure and not here."""
        size, found = sizes()[self._properties["instanceType"]], []
        if size.gpus:
            found.append(f"the {size.gpus} GPU(s) of {size.name} are not there: the server runs on CPU")
        if self._properties["dataCollector"]:
            found.append("requests are not collected as data: the sandbox has no data collector")
        if self._deployment["sku"]["capacity"] > workers(self._deployment):
            found.append(f"{MOST_WORKERS} workers stand for all instances")
        return found

    async def _wanted(self, model: Path | None) -> Specification:
        environment = self._properties["environmentId"]
        version = environment_of(self._scope, environment) if environment else None
        if environment and version is None:
            raise SpecificationError("the environment was deleted")
        if version is not None:
            return await asked_for(self._scope, version, self._own / "context", self._network)
        return await asyncio.to_thread(_of_model, model)

    async def _built(self, wanted: Specification, log: BinaryIO) -> tuple[Path, list[str]]:
        with_server = replace(
            wanted,
            requirements=(*wanted.requirements, PACKAGE),
            instead=tuple((*one, PACKAGE) for one in wanted.instead),
        )
        say = lambda text: _say(log, text)  # noqa: E731 # passed on twice
        try:
            return await self._tools.environments.get(with_server, say)
        except BuildError as error:
            _say(log, f"The environment cannot have {PACKAGE}: {error}")
            return await self._tools.environments.get(wanted, say)

    async def _start(self, log: BinaryIO, environment: Path, model: Path | None) -> Server:
        server = Server(self._revision, self._own / "run", workers(self._deployment))
        secret = self._tools.identities.admit(self._find)
        server.at_end = lambda: self._tools.identities.dismiss(secret)
        try:
            seen = self._variables(environment, model, secret)
            await server.start(environment / "bin" / "python", self._own / "code", seen, log, self._started)
            await self._until_ready(server)
        except BaseException:
            await asyncio.shield(server.stop(0))
            raise
        return server

    async def _until_ready(self, server: Server) -> None:
        probe = self._properties["readinessProbe"]
        longest = seconds(probe["initialDelay"]) + probe["failureThreshold"] * seconds(probe["period"])
        crashed = "User container has crashed or terminated"
        try:
            if await server.ready(longest):
                return
            problem = f"The readiness probe failed for {longest:g} seconds"
        except ProcessLookupError:
            problem = crashed
        raise DeployError("ResourceNotReady", f"{problem}. {GUIDE}#error-resourcenotready")

    def _variables(self, environment: Path, model: Path | None, secret: str) -> dict[str, str]:
        place = Place(environment, self._own / "home", self._own / "tmp")
        code = self._properties["codeConfiguration"]
        own = {"AML_APP_ROOT": str(self._own / "code"), "AZUREML_ENTRY_SCRIPT": MLFLOW_SCRIPT.name}
        if code:
            own["AZUREML_ENTRY_SCRIPT"] = code["scoringScript"]
        if model is not None:
            own["AZUREML_MODEL_DIR"] = str(model)
            own["SANDBOX_MLFLOW_MODEL"] = str(next((one for one in model.iterdir() if one.is_dir()), model))
        given = self._properties["environmentVariables"]
        return {
            **self._of_image,
            **base(self._scope, place, self._network),
            **self._tools.identities.variables(secret, self._find(""), on_behalf=False),
            **{name: value for name, value in given.items() if not name.startswith("AML_APP_INSIGHTS_")},
            **own,
        }


def _say(log: BinaryIO, text: str) -> None:
    log.write(f"{clock.now():%Y-%m-%d %H:%M:%S} {text}\n".encode())


def _of_model(model: Path | None) -> Specification:
    """What an MLflow model asks for."""
    folder = next(iter(sorted((model or Path()).rglob("MLmodel"))), None)
    if folder is None:
        raise SpecificationError("the model has no file MLmodel, so it is no MLflow model")
    for name in ("conda.yaml", "requirements.txt"):
        path = folder.parent / name
        if path.exists():
            found = parse(path.read_text(encoding="utf-8-sig"))
            names = [one for one in found.requirements if one.lower().startswith("mlflow")]
            return found if names else replace(found, requirements=(*found.requirements, "mlflow"))
    raise SpecificationError("the MLflow model has no conda.yaml and no requirements.txt")
