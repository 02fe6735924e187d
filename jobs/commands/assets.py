"""Lists of registered assets: models, data, environments, components."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jobs import names
from terminal import print_json, print_table

if TYPE_CHECKING:
    from jobs.workspace import Workspace

_ANONYMOUS = "CliV2Anonymous"  # what azure-ai-ml calls the environment of a job that names none


def print_assets(workspace: Workspace, kind: str, name: str | None, as_json: bool) -> None:
    """Print the assets of a kind, or all versions of the one of that name."""
    if name:
        print_versions(workspace, kind, name, as_json)
    else:
        print_latest(workspace, kind, as_json)


def print_latest(workspace: Workspace, kind: str, as_json: bool) -> None:
    """Print the assets of a kind (`models`, `data`, `environments`), each with its latest version."""
    found = [_latest(one) for one in workspace.resources.list(kind) if not one["name"].startswith(_ANONYMOUS)]
    names.remember(workspace.team.workspace, kind, (one["name"] for one in found))
    if as_json:
        print_json(found)
    elif not found:
        print(f"no {kind} yet")
    else:
        rows = [(one["name"], one["latest"], one["description"], one["created"]) for one in found]
        print_table(("NAME", "LATEST", "DESCRIPTION", "CREATED"), rows)


def print_versions(workspace: Workspace, kind: str, name: str, as_json: bool) -> None:
    """Print all versions of an asset, newest first.

    Raises:
        JobError: There is no such asset.
    """
    found = [_version(one) for one in workspace.resources.list(kind, name, "versions")]
    if not found:
        raise workspace.missing(kind, name)
    if as_json:
        print_json(found)
    else:
        source = "PATH" if kind == "data" else "RUN"
        rows = [(one["version"], one["description"], one["created"], one[source.lower()]) for one in found]
        print_table(("VERSION", "DESCRIPTION", "CREATED", source), rows)


def _latest(asset: dict[str, Any]) -> dict[str, str]:
    own = asset["properties"]
    return {
        "name": asset["name"],
        "latest": str(own.get("latestVersion") or ""),
        "description": own.get("description") or "",
        "created": _when(asset),
    }


def _version(asset: dict[str, Any]) -> dict[str, Any]:
    own = asset["properties"]
    properties = own.get("properties") or {}
    return {
        "version": asset["name"],
        "description": own.get("description") or "",
        "created": _when(asset),
        "tags": own.get("tags") or {},
        "properties": properties,
        "run": properties.get("run", ""),
        "path": own.get("dataUri") or own.get("modelUri") or "",
    }


def _when(asset: dict[str, Any]) -> str:
    return str((asset.get("systemData") or {}).get("createdAt") or "").partition(".")[0]
