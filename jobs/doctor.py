"""What stands between a person and a run: sign-in, workspace, rights, clusters, datastores. Each with what to do."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from contract import DatastoreOutput
from jobs.errors import JobError, explain
from jobs.history import SCOPE
from jobs.lake import LAKE, opened
from jobs.workspace import Workspace


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Attributes:
        check: What was looked at.
        fine: Whether it is as it should be.
        said: What was found; where it is not fine, also what to do.
    """

    check: str
    fine: bool
    said: str


def examine(workspace: Workspace) -> Iterator[Finding]:
    """Check one thing after the other; without a sign-in or a workspace the rest is left out."""
    for check, look in (("sign-in", _sign_in), ("workspace", _workspace)):
        finding = _tried(check, lambda look=look: look(workspace))  # type: ignore[misc]
        yield finding
        if not finding.fine:
            return
    yield _tried("rights", lambda: _rights(workspace))
    for name in sorted(workspace.team.clusters):
        yield _tried(f"cluster {name}", lambda name=name: _cluster(workspace, name))  # type: ignore[misc]
    for name, store in sorted(workspace.team.datastores.items()):
        if store.type == LAKE:
            yield _tried(f"datastore {name}", lambda store=store: _datastore(workspace, store))  # type: ignore[misc]


def _tried(check: str, look: Callable[[], str]) -> Finding:
    """Turn a look's answer, or its failure, into a finding."""
    from azure.core.exceptions import AzureError  # noqa: PLC0415

    try:
        return Finding(check, fine=True, said=look())
    except JobError as error:
        return Finding(check, fine=False, said=str(error))
    except AzureError as error:
        return Finding(check, fine=False, said=explain(error))


def _sign_in(workspace: Workspace) -> str:
    token = workspace.credential.get_token(SCOPE).token
    body = token.split(".")[1] if token.count(".") else ""
    try:
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except ValueError:
        return "signed in"  # a token that only Azure can read
    return f"as {claims.get('upn') or claims.get('appid') or claims.get('oid')}"


def _workspace(workspace: Workspace) -> str:
    found = workspace.resources.get()
    if found is None:
        raise JobError(
            f"there is no workspace {workspace.team.workspace}, or you may not see it: ask the team's lead for a role, "
            "and look whether the outputs are of this stack"
        )
    return f"{workspace.team.workspace} in {found['location']}"


def _rights(workspace: Workspace) -> str:
    """Read what only a role of the team may read."""
    from azure.core.exceptions import HttpResponseError  # noqa: PLC0415

    try:
        next(iter(workspace.resources.list("jobs")), None)
    except HttpResponseError as error:
        role = workspace.team.roles.data_scientist.name
        raise JobError(
            f"you may not read runs: {explain(error)}; ask to be made a data scientist (role {role})"
        ) from None
    return "you may read runs"


def _cluster(workspace: Workspace, name: str) -> str:
    found = workspace.resources.get("computes", name)
    if found is None:
        raise JobError("it is not there: bring the stack up again, or look whether the outputs are of this stack")
    own = found["properties"]
    state = own.get("provisioningState")
    if state != "Succeeded":
        errors = [one.get("error", {}).get("message", "") for one in own.get("provisioningErrors") or ()]
        raise JobError(f"its state is {state}: {' '.join(errors) or 'wait, or ask the platform team'}")
    inner = own.get("properties") or {}
    nodes = inner.get("nodeStateCounts") or {}
    most = (inner.get("scaleSettings") or {}).get("maxNodeCount")
    problems = [one.get("error", {}).get("message", "") for one in inner.get("errors") or ()]
    if problems:
        raise JobError(f"{inner.get('currentNodeCount', 0)} of {most} nodes: {' '.join(problems)}")
    return f"{inner.get('currentNodeCount', 0)} of {most} nodes are up, {nodes.get('runningNodeCount', 0)} of them busy"


def _datastore(workspace: Workspace, store: DatastoreOutput) -> str:
    """Read the file system's root, and write and delete a file of a name that nobody uses."""
    with opened(store, workspace.credential) as files:
        with _needing(store, "read", "Reader"):
            next(iter(files.get_paths(recursive=False, max_results=1)), None)
        with _needing(store, "write", "Contributor"):
            file = files.get_file_client(f".doctor-{secrets.token_hex(8)}")
            file.create_file()
            file.delete_file()
    return "you may read and write it"


@contextmanager
def _needing(store: DatastoreOutput, task: str, role: str) -> Iterator[None]:
    """Turn a refusal into a JobError that names the role that the task needs."""
    from azure.core.exceptions import HttpResponseError  # noqa: PLC0415

    try:
        yield
    except HttpResponseError as error:
        needed = f"Storage Blob Data {role} on file system {store.container} of account {store.account}"
        raise JobError(f"you may not {task} it: {explain(error)}; needed is the role {needed}") from None
