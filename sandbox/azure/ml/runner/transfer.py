"""A data transfer: a step that copies data from its inputs to its output, as a run without a process."""

import asyncio
import json
import shutil
from pathlib import Path

import yaml

from sandbox.azure.arm.core import Body
from sandbox.azure.ml import runs
from sandbox.azure.ml.access import Place
from sandbox.azure.ml.pipelines.transfer import CONFLICT, COPY, GATHER
from sandbox.azure.ml.runner.attempt import Attempt, FailedError
from sandbox.azure.ml.runner.exchange import Exchange
from sandbox.azure.ml.runner.log import Log

OUTSIDE = (
    "The task '{}' needs a database or a file system outside, which the sandbox does not reach: put the data into a "
    "datastore, and take it from there as an input."
)


class Transfer(Attempt):
    """Carries a data transfer out."""

    async def _steps(self, logs: list[Log], artifact_place: Place) -> None:
        del artifact_place
        properties = self._job["properties"]
        if properties["task"] not in (COPY, GATHER):
            raise FailedError("UserError", OUTSIDE.format(properties["task"]))
        exchange = Exchange(self._scope, self._job, self._folder, self._data_identity(), self._network)
        inputs, outputs = await exchange.inputs(), await exchange.outputs(mounts=False)
        self._update(status="Running", startTimeUtc=runs.now())
        if properties["task"] == GATHER:
            _gather(properties, inputs, outputs)
        else:
            taken = exchange.taken() if properties["dataCopyMode"] == CONFLICT else None
            (target,) = outputs.values()
            await asyncio.to_thread(_merge, [Path(one) for one in inputs.values()], Path(target), taken)
        self._update(status="Finalizing")
        await exchange.send(logs[0])


def _merge(sources: list[Path], target: Path, taken: set[str] | None) -> None:
    """Copies files, and what is in folders, into one; where `taken` is given no file may be there twice."""
    for source in sources:
        for file in [source] if source.is_file() else sorted(one for one in source.rglob("*") if one.is_file()):
            name = file.name if source.is_file() else file.relative_to(source).as_posix()
            into = target / name if target.is_dir() else target
            if taken is not None:
                if name in taken:
                    raise FailedError("UserError", f"'{name}' is there already, and data_copy_mode is {CONFLICT}.")
                taken.add(name)
            into.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, into)


def _gather(properties: Body, inputs: dict[str, str], outputs: dict[str, str]) -> None:
    """What all rounds put out: values as a JSON list, files and folders as a table of their addresses."""
    for name, path in outputs.items():
        own = {one: value for one, value in inputs.items() if one.rpartition("_")[0] == name}
        if properties["outputs"][name].get("isValue"):
            Path(path).write_text(json.dumps(list(own.values())), encoding="utf-8")
            continue
        paths = [
            {"file" if properties["inputs"][one]["jobInputType"] == "uri_file" else "folder": value}
            for one, value in own.items()
        ]
        (Path(path) / "MLTable").write_text(yaml.safe_dump({"paths": paths}, sort_keys=False), encoding="utf-8")
