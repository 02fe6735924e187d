"""What was made from what: models, data, environments and components, and the runs and deployments that use them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote

from sandbox.studio.assets import PAGES, run_of
from sandbox.studio.azure import Azure, Refused
from sandbox.studio.workspaces import Workspace


@dataclass(frozen=True)
class Link:
    """A thing at the other end.

    Attributes:
        kind: `run`, `deployment`, or an asset's kind such as `models`.
        name: What is shown.
        path: Its page in the studio, without the workspace.
    """

    kind: str
    name: str
    path: str


def run_link(run: str, name: str = "") -> Link:
    """A run."""
    return Link("run", name or run, f"/runs/{run}")


def maker(own: Mapping[str, Any]) -> str | None:
    """The run that made a version: as the service says, as `jobs` keeps it, or as the address of the files does."""
    kept = (own.get("properties") or {}).get("run")
    return own.get("jobName") or kept or run_of(own.get("modelUri") or own.get("dataUri"))


def users(azure: Azure, workspace: Workspace, kind: str, name: str, version: str) -> list[dict[str, str]]:
    """The runs and deployments whose definition names a version, and for a run's child its parent.

    A list without those that the persona may not read.
    """
    wanted = f"/{kind}/{name}/versions/{version}".lower()
    short = f"azureml:{name}:{version}".lower()
    found = [
        run_link(one["name"], one["properties"].get("displayName") or "")
        for one in _jobs(azure, workspace)
        if _names(one["properties"], wanted, short)
    ]
    if kind in ("models", "environments"):
        found += [one for body, one in _deployments(azure, workspace) if _names(body, wanted, short)]
    return [asdict(one) for one in found]


def models_of(azure: Azure, workspace: Workspace, run: str) -> list[dict[str, str]]:
    """The registered models that a run made."""
    found = []
    for container in _or_none(azure, f"{workspace.id}/models"):
        for one in _or_none(azure, f"{workspace.id}/models/{quote(container['name'], safe='')}/versions"):
            if maker(one["properties"]) == run:
                name, version = container["name"], one["name"]
                found.append(Link("models", f"{name}:{version}", PAGES["models"].format(name=name, version=version)))
    return [asdict(one) for one in found]


def _jobs(azure: Azure, workspace: Workspace) -> list[Any]:
    return _or_none(azure, f"{workspace.id}/jobs")


def _deployments(azure: Azure, workspace: Workspace) -> list[tuple[Any, Link]]:
    found = []
    for kind, page in (("onlineEndpoints", "realtime"), ("batchEndpoints", "batch")):
        for endpoint in _or_none(azure, f"{workspace.id}/{kind}"):
            name = endpoint["name"]
            for one in _or_none(azure, f"{workspace.id}/{kind}/{quote(name, safe='')}/deployments"):
                link = Link("deployment", f"{name}, {one['name']}", f"/endpoints/{page}/{name}/detail")
                found.append((one["properties"], link))
    return found


def _or_none(azure: Azure, path: str) -> list[Any]:
    """A list; empty where the persona may not read it: the rest of the page is shown then."""
    try:
        return [*azure.listed(path)]
    except Refused as refused:
        if refused.status not in (403, 404):
            raise
        return []


def _names(body: Any, wanted: str, short: str) -> bool:
    """Whether any text of a definition is an id or short name."""
    if isinstance(body, dict):
        return any(_names(one, wanted, short) for one in body.values())
    if isinstance(body, list):
        return any(_names(one, wanted, short) for one in body)
    text = body.lower() if isinstance(body, str) else ""
    return text.endswith(wanted) or text == short or (text.startswith("{") and _names(_read(text), wanted, short))


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
