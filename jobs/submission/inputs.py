"""The input files that lie beside a job's file: uploaded to their place in the lake before the job is sent."""

from __future__ import annotations

from collections.abc import Iterator
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
    for _, step in steps(job):
        for given in dict(getattr(step, "inputs", None) or {}).values():
            address = ADDRESS.fullmatch(path_of(given) or "")
            if not address or not is_own(team, address["workspace"]):
                continue
            datastore, path = address["datastore"], address["path"]
            local = folder / PurePosixPath(path).name
            if local.is_file() and datastore in team.datastores and team.datastores[datastore].type == LAKE:
                yield LocalInput(local, datastore, path)


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
