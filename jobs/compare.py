"""What differs between runs: state, parameters, metrics, code, environment and artifacts."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from jobs.errors import explain
from jobs.resources import asset_name, last_part
from jobs.runs import Run, show
from jobs.workspace import Workspace

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

_COMPARED_BYTES = 200_000  # of a file of code; a longer one is only said to differ


@dataclass(frozen=True)
class Compared:
    """A run with all that is compared.

    Attributes:
        run: The run with its metrics and parameters.
        environment: The environment's name and version, or what its definition says.
        code: The id of its code; empty for a run without code.
        artifacts: Path and size in bytes of each file that it left.
    """

    run: Run
    environment: str
    code: str
    artifacts: dict[str, int]


def read(workspace: Workspace, names: Sequence[str]) -> list[Compared]:
    """Read runs.

    Raises:
        JobError: There is no such run.
    """
    return [_read(workspace, name) for name in names]


def _read(workspace: Workspace, name: str) -> Compared:
    run = show(workspace, name)
    own = (workspace.resources.get("jobs", name) or {}).get("properties") or {}
    trial = own.get("trial") or own
    artifacts = {one.path: one.size for one in workspace.history.artifacts(name)}
    return Compared(run, last_part(asset_name(trial.get("environmentId"))), str(trial.get("codeId") or ""), artifacts)


def code_difference(workspace: Workspace, one: Compared, other: Compared) -> list[str]:
    """Return the difference of two runs' code as lines of a unified diff.

    A file that is longer than 200 KB or no text is named only. Where the code may not be read, one line says why.
    """
    from azure.core.exceptions import AzureError  # noqa: PLC0415 - slow to import

    if one.code.lower() == other.code.lower():
        return []
    try:
        old, new = _files(workspace, one), _files(workspace, other)
    except AzureError as error:
        return [f"the code differs, and cannot be read: {explain(error)}"]
    lines: list[str] = []
    for path in sorted({*old, *new}):
        before, after = old.get(path), new.get(path)
        if before != after:
            lines += _difference(path, one.run.name, other.run.name, before, after)
    return lines


def _difference(path: str, one: str, other: str, before: bytes | None, after: bytes | None) -> list[str]:
    if max(len(before or b""), len(after or b"")) > _COMPARED_BYTES:
        return [f"{path}: differs"]
    try:
        old, new = (before or b"").decode(), (after or b"").decode()
    except UnicodeDecodeError:
        return [f"{path}: differs"]
    found = difflib.unified_diff(old.splitlines(), new.splitlines(), f"{one}/{path}", f"{other}/{path}", lineterm="")
    return list(found)


def _files(workspace: Workspace, compared: Compared) -> dict[str, bytes]:
    """Read the files of a run's code: their paths below its folder, and their content."""
    from azure.storage.blob import ContainerClient  # noqa: PLC0415 - slow to import

    if not compared.code:
        return {}
    *_, name, _, version = compared.code.split("/")
    asset = workspace.resources.get("codes", name, "versions", version) or {"properties": {"codeUri": ""}}
    address = urlsplit(asset["properties"]["codeUri"])
    container, _, folder = address.path.lstrip("/").partition("/")
    account = f"{address.scheme}://{address.netloc}"
    with ContainerClient(account, container, credential=workspace.credential) as client:
        return dict(_content(client, f"{folder.rstrip('/')}/"))


def _content(client: ContainerClient, prefix: str) -> list[tuple[str, bytes]]:
    return [
        (blob.name.removeprefix(prefix), client.download_blob(blob.name).readall())
        for blob in client.list_blobs(name_starts_with=prefix)
        if not (blob.metadata or {}).get("hdi_isfolder")
    ]
