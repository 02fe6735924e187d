"""A job's inputs and outputs: fetched before it runs, sent off after it; run history is told of each."""

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from sandbox.azure.access.tokens import Caller
from sandbox.azure.arm.core import Body
from sandbox.azure.ml import runs
from sandbox.azure.ml.access import AccessError, Place, open_place, outside
from sandbox.azure.ml.assetkinds import MODEL_TYPES
from sandbox.azure.ml.runner.data import (
    DataError,
    copy_placed,
    fetch_file,
    fetch_folder,
    inside,
    names_below,
    upload_folder,
)
from sandbox.azure.ml.runner.log import Log
from sandbox.azure.ml.scope import Scope
from sandbox.azure.ml.uris import FILE, AddressError, Location, locate, long_uri, output_uri
from sandbox.azure.storage import accounts
from sandbox.azure.storage.public import placed

MOUNTED = "ReadWriteMount"


class ExchangeError(Exception):
    """An input or output cannot be moved; the message names it."""


class Exchange:
    """The data of one run.

    Args:
        scope: The workspace.
        job: The job's document.
        folder: The run's folder.
        identity: Who reads and writes a datastore without credentials.
        network: The network of its nodes.
    """

    def __init__(self, scope: Scope, job: Body, folder: Path, identity: Caller | None, network: str) -> None:
        self._scope, self._job, self._folder = scope, job, folder
        self._identity, self._network = identity, network
        self._places: dict[str, Place] = {}
        self._there: dict[str, dict[Path, tuple[int, int]]] = {}

    async def inputs(self) -> dict[str, str]:
        """Values for the command: literals, addresses, and local paths of fetched data.

        Raises:
            ExchangeError, AddressError: With the reason.
        """
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
        is_file = given["jobInputType"] == FILE
        try:
            of_model = given["jobInputType"] in MODEL_TYPES
            path = await self._copy(location, folder, is_file=is_file, of_model=of_model)
        except (AccessError, DataError) as error:
            raise ExchangeError(f"Input '{name}': {error}") from error
        if given["mode"] == "ReadOnlyMount":
            for one in [path, *path.rglob("*")]:
                if one.is_file():
                    one.chmod(0o444)
        self._record("inputs", name, given["jobInputType"], long_uri(self._scope, location))
        return path

    async def _copy(self, location: Location, folder: Path, *, is_file: bool, of_model: bool) -> Path:
        """Copies an input into its folder: from its account, else from what stands for a public container."""
        public = self._public(location)
        if public is not None:
            return await asyncio.to_thread(copy_placed, public, folder, is_file=is_file)
        place = open_place(self._scope, location, self._identity, self._network)
        if is_file or (of_model and place.file() is not None):
            return await fetch_file(place, folder)
        await fetch_folder(place, folder)
        return folder

    def _public(self, location: Location) -> Path | None:
        """What stands for a location outside this Azure; None for one inside, and where nothing stands for it."""
        if accounts.find(self._scope.cloud, location.account) is not None:
            return None
        return placed(self._scope.cloud.directory, location.account, location.container, location.path)

    def warnings(self) -> Iterator[str]:
        """What scripts cannot read of inputs whose address they get: what lies outside this Azure and is not placed."""
        for name, given in self._job["properties"]["inputs"].items():
            if given.get("mode") != "Direct" or given["jobInputType"] == "literal":
                continue
            try:
                location = locate(self._scope, given["uri"])
            except AddressError:
                continue
            if accounts.find(self._scope.cloud, location.account) is not None:
                continue
            if self._public(location) is None:
                yield f"Input '{name}': {outside(location)}"
            elif "." in location.account:
                yield f"Input '{name}': a script does not reach '{location.address}'. The modes mount and download do."

    async def outputs(self, *, mounts: bool = True) -> dict[str, str]:
        """Values for the command; access is checked before the job runs.

        Args:
            mounts: Whether a mounted output shows what its place has already.

        Raises:
            ExchangeError, AddressError: With the reason.
        """
        values = {}
        for name, given in self._job["properties"]["outputs"].items():
            address = output_uri(self._job, name)
            if given["mode"] == "Direct":
                values[name] = address
                continue
            location = locate(self._scope, address)
            folder = self._folder / "outputs" / name
            is_file = given["jobOutputType"] == FILE
            if is_file and address.endswith("/"):
                location = location.joined(name)
            target = inside(folder, PurePosixPath(location.path).name) if is_file else folder
            folder.mkdir(parents=True, exist_ok=True)
            where = _parent(location) if is_file else location
            try:
                self._places[name] = open_place(self._scope, where, self._identity, self._network)
            except AccessError as error:
                raise ExchangeError(f"Output '{name}': {error}") from error
            if mounts and given["mode"] == MOUNTED and not is_file:
                await self._mount(name, folder)
            values[name] = str(target)
            self._record("outputs", name, given["jobOutputType"], long_uri(self._scope, location))
        return values

    def taken(self) -> set[str]:
        """The files that lie at the places of the outputs already, by their paths there."""
        return {name for place in self._places.values() for name in names_below(place)}

    async def _mount(self, name: str, folder: Path) -> None:
        """Fills a mounted output's folder with what its place has; only what the job changes is sent back."""
        with contextlib.suppress(AccessError, DataError):  # there is nothing, or it may only be written
            await fetch_folder(self._places[name], folder)
        self._there[name] = {path: _state(path) for path in folder.rglob("*")}

    async def send(self, log: Log) -> None:
        """Uploads the outputs of a job that completed.

        Raises:
            AccessError, DataError: With the reason.
        """
        for name in self._places:
            if self._job["properties"]["outputs"][name].get("isValue"):
                self._record_value(name)
            await self._send(name, log)

    async def keep(self, log: Log) -> None:
        """Uploads what a job that did not complete wrote to mounted outputs: on Azure those files are in the lake."""
        with contextlib.suppress(AccessError, DataError):  # what is told is the job's own end
            for name in self._there:
                await self._send(name, log)

    async def _send(self, name: str, log: Log) -> None:
        folder, there = self._folder / "outputs" / name, self._there.get(name, {})
        changed = [path for path in sorted(folder.rglob("*")) if there.get(path) != _state(path)]
        await upload_folder(folder, self._places[name], log.write, only=changed)

    def _record_value(self, name: str) -> None:
        """An output that is a value for other steps is what its file has."""
        for file in (self._folder / "outputs" / name).iterdir():
            record = self._recorded("outputs").get(name, {})
            value = file.read_text(encoding="utf-8", errors="replace").strip()
            self._record("outputs", name, record["type"], record["uri"], value=value)

    def _recorded(self, side: str) -> Body:
        found: Body = (self._scope.get(runs.RUN, self._job["name"]) or {side: {}})[side]
        return found

    def _record(self, side: str, name: str, kind: str, uri: str, **more: str) -> None:
        """Tells run history of data that went in or out."""
        run_id = self._job["name"]
        run = {side: self._recorded(side)}
        record = {"assetId": f"azureml://jobs/{run_id}/{side}/{name}", "type": kind, "uri": uri, **more}
        runs.update_run(self._scope.cloud, self._scope.id, run_id, **{side: {**run[side], name: record}})


def _state(path: Path) -> tuple[int, int]:
    """What changes when a file is written: its time and its size."""
    found = path.lstat()
    return found.st_mtime_ns, found.st_size


def _parent(location: Location) -> Location:
    return replace(location, path=location.path.rpartition("/")[0])
