"""Files and data assets: into the team's datastores, out of them, and registered under a name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contract import DatastoreOutput
from jobs.defaults import DataType
from jobs.errors import JobError
from jobs.lake import LAKE, opened, upload
from jobs.quiet import quietly
from jobs.submission.fit import ADDRESS, is_own
from jobs.workspace import Workspace

if TYPE_CHECKING:
    from azure.storage.filedatalake import FileSystemClient


@dataclass(frozen=True)
class Place:
    """A place in one of the team's datastores: its name, the datastore, and a path without a leading slash."""

    name: str
    datastore: DatastoreOutput
    path: str

    @property
    def address(self) -> str:
        """The place as an input or output of a job names it."""
        return f"azureml://datastores/{self.name}/paths/{self.path}"


@dataclass(frozen=True)
class Entry:
    """A file or folder of a datastore: its path, its size in bytes (0 for a folder), and when it was changed."""

    path: str
    size: int
    changed: str
    folder: bool


def place(workspace: Workspace, text: str) -> Place:
    """Read a place: `DATASTORE`, `DATASTORE/PATH`, or its address, `azureml://…`.

    Raises:
        JobError: The team has no such datastore, or it is none whose files can be reached from here.
    """
    address = ADDRESS.fullmatch(text)
    if address and not is_own(workspace.team, address["workspace"]):
        raise JobError(f"{text} is a place of another workspace than {workspace.team.workspace}")
    name, _, path = f"{address['datastore']}/{address['path']}".partition("/") if address else text.partition("/")
    stores = workspace.team.datastores
    if name not in stores:
        raise JobError(f"{workspace.team.workspace} has no datastore '{name}'; its datastores: {_names(workspace)}")
    if stores[name].type != LAKE:
        raise JobError(f"datastore {name} is of kind {stores[name].type}; files go to and from a data lake ({LAKE})")
    return Place(name, stores[name], path.strip("/"))


def _names(workspace: Workspace) -> str:
    return ", ".join(sorted(workspace.team.datastores)) or "none"


def push(workspace: Workspace, source: Path, to: Place, say: Callable[[str], None]) -> int:
    """Upload a file, or every file below a folder; files that the lake has already are left alone.

    Args:
        workspace: The team's workspace.
        source: A file, which gets the place's path (or its own name below a path that ends the datastore's name only),
            or a folder, whose files go below the place's path.
        to: Where to.
        say: Gets a line for each file.

    Returns:
        How many files were uploaded.

    Raises:
        JobError: The source does not exist.
        HttpResponseError: The lake refused it.
    """
    if not source.exists():
        raise JobError(f"{source}: no such file or folder")
    done = 0
    for file, path in _targets(source, to.path):
        new = upload(file, to.datastore, path, workspace.credential)
        say(f"{file} {'uploaded to' if new else 'is already'} {to.name}/{path}")
        done += new
    return done


def _targets(source: Path, path: str) -> Iterator[tuple[Path, str]]:
    if source.is_file():
        yield source, path or source.name
        return
    for file in sorted(source.rglob("*")):
        if file.is_file() and not any(part.startswith(".") for part in file.relative_to(source).parts):
            yield file, "/".join(filter(None, (path, file.relative_to(source).as_posix())))


def entries(workspace: Workspace, where: Place) -> list[Entry]:
    """List the files and folders right below a place.

    Raises:
        JobError: There is no such folder.
        HttpResponseError: The lake refused it.
    """
    from azure.core.exceptions import ResourceNotFoundError  # noqa: PLC0415

    with opened(where.datastore, workspace.credential) as files:
        try:
            return _entries(files, where.path)
        except ResourceNotFoundError:
            raise JobError(f"{where.name} has no folder '{where.path}'") from None


def _entries(files: FileSystemClient, path: str) -> list[Entry]:
    return [
        Entry(
            path=one.name,
            size=0 if one.is_directory else int(one.content_length or 0),
            changed=one.last_modified.isoformat(timespec="seconds") if one.last_modified else "",
            folder=bool(one.is_directory),
        )
        for one in files.get_paths(path or None, recursive=False)
    ]


def register(
    workspace: Workspace,
    name: str,
    path: str,
    kind: DataType | None,
    *,
    version: str | None = None,
    description: str = "",
) -> Any:
    """Register a data asset.

    Args:
        workspace: The team's workspace.
        name: Name of the asset.
        path: `azureml://…`, or a local file or folder, which is uploaded.
        kind: Its type; None: `uri_file` for a local file, else `uri_folder`.
        version: Its version; the next one if None.
        description: What it is, for people.

    Returns:
        azure-ai-ml's asset.

    Raises:
        JobError: There is no such file or folder.
    """
    local = Path(path)
    if "://" not in path and not local.exists():
        raise JobError(f"{path}: no such file or folder")
    from azure.ai.ml.entities import Data  # noqa: PLC0415

    kind = kind or ("uri_file" if "://" not in path and local.is_file() else "uri_folder")
    asset = Data(name=name, path=path, type=kind, version=version, description=description or None)
    return quietly(lambda: workspace.client.data.create_or_update(asset))
