"""The input files that lie beside a job's file: uploaded to their place in the lake before the job is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path, PurePosixPath
from typing import Any

from contract import TeamOutput
from jobs.errors import JobError, explain
from jobs.lake import LAKE, upload
from jobs.submission.fit import ADDRESS, is_own, path_of, steps
from jobs.workspace import Workspace


@dataclass(frozen=True)
class LocalInput:
    """A file beside the job's file, and its place in a data lake."""

    file: Path
    datastore: str
    path: str


def beside(team: TeamOutput, job: Any, folder: Path) -> list[LocalInput]:
    """Find the inputs that lie in the folder under the last name of their path in a data lake of the team.

    What lies in another workspace's datastore is left alone.
    """
    return list(dict.fromkeys(_beside(team, job, folder)))


def _beside(team: TeamOutput, job: Any, folder: Path) -> Iterator[LocalInput]:
    for _, given in _data(job):
        address = ADDRESS.fullmatch(path_of(given) or "")
        if not address or not is_own(team, address["workspace"]):
            continue
        datastore, path = address["datastore"], address["path"]
        local = folder / PurePosixPath(path).name
        if local.is_file() and datastore in team.datastores and team.datastores[datastore].type == LAKE:
            yield LocalInput(local, datastore, path)


def read_from(job: Any, places: Mapping[str, Path]) -> None:
    """Let inputs be read from local files and folders, which azure-ai-ml uploads with the job.

    Args:
        job: The job, which is changed.
        places: By an input's name, such as `data`, or `train.data` for a step's own.

    Raises:
        JobError: There is no such file, or no such input of data.
    """
    known = {name: given for name, given in _data(job) if path_of(given) is not None}
    for name, path in places.items():
        if name not in known:
            raise JobError(f"--input {name}: the job has no such input of data; it has: {', '.join(known) or 'none'}")
        if not path.exists():
            raise JobError(f"--input {name}: {path}: no such file or folder")
        given = getattr(known[name], "_data", known[name])
        if (given.type == "uri_file") != path.is_file():
            raise JobError(f"--input {name}: {path} is a {'file' if path.is_file() else 'folder'}, not a {given.type}")
        given.path = str(path.absolute())


def refuse_absent(job: Any, brought: Sequence[LocalInput]) -> None:
    """Refuse a job that is to run on this machine, where an input or environment is in the team's workspace only.

    Args:
        job: The job.
        brought: The inputs whose files are uploaded with it.

    Raises:
        JobError: It names each of them.
    """
    there = {(one.datastore, one.path) for one in brought}
    absent = []
    for name, given in _data(job):
        path = path_of(given) or ""
        address = ADDRESS.fullmatch(path)
        if address is None and not path.startswith("azureml:"):
            continue
        if address is None or (address["datastore"], address["path"]) not in there:
            absent.append(f"input {name} is not on this machine: {path}\n  --input {name}=PATH gives a copy of it")
    for name, step in steps(job):
        environment = getattr(step, "environment", None)
        if isinstance(environment, str) and not environment.startswith("azureml://registries/"):
            absent.append(
                f"environment {environment} of {name or 'the job'} is not on this machine: "
                "write its image and conda_file in the job"
            )
    if absent:
        raise JobError("\n".join(absent))


def _data(job: Any) -> Iterator[tuple[str, Any]]:
    """Yield every input of a job and its steps with its name."""
    for name, step in steps(job):
        for key, given in dict(getattr(step, "inputs", None) or {}).items():
            yield ".".join(filter(None, (name, key))), given


def bring(workspace: Workspace, given: LocalInput) -> bool:
    """Upload an input's file, unless the lake has the same content.

    Returns:
        Whether it was uploaded.

    Raises:
        JobError: The lake refused it; the message says which role is needed.
    """
    from azure.core.exceptions import HttpResponseError  # noqa: PLC0415 - slow to import

    store = workspace.team.datastores[given.datastore]
    try:
        return upload(given.file, store, given.path, workspace.credential)
    except HttpResponseError as error:
        message = f"{given.file.name} cannot be uploaded to {given.datastore}/{given.path}: {explain(error)}"
        if error.status_code == HTTPStatus.FORBIDDEN:
            message += (
                f"\n  who submits needs the role Storage Blob Data Contributor on file system {store.container} of "
                f"account {store.account}: the team's leads and data scientists have it, so ask to be made one"
            )
        raise JobError(message) from error
