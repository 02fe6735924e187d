"""Models, data, environments and components: what there is, its versions, and where each comes from and goes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from sandbox.studio.assets import PAGES as ADDRESSES
from sandbox.studio.azure import Refused
from sandbox.studio.datastores import MOST, Place, place
from sandbox.studio.downloads import browser_kind, served
from sandbox.studio.lineage import maker, run_link, users
from sandbox.studio.visit import Missing, Page, Route, View, Visit, whole_number

SHOWN = {
    "models": ("modelType", "modelUri"),
    "data": ("dataType", "dataUri"),
    "environments": ("image", "osType", "environmentType"),
    "components": (),
}
"""Properties that a version's page shows before its JSON, by kind."""
ROWS = 100  # assets that come at once; more as they are scrolled to
FILES = {"models": "modelUri", "data": "dataUri"}
"""The property that says where a version's files are, by kind."""


@dataclass(frozen=True)
class Kind:
    """A kind of asset.

    Attributes:
        plural: Its segment in ids.
        title: In the navigation.
        path: The list's address.
        empty: What to do where there is none.
    """

    plural: str
    title: str
    path: str
    empty: str

    def page(self) -> Page:
        """Its pages."""
        one = ADDRESSES[self.plural]
        files = (Route(f"{one}/file", self.download),) if self.plural in FILES else ()
        return Page(self.title, self.path, (Route(self.path, self.list), Route(one, self.show), *files), "Workspace")

    def list(self, visit: Visit) -> View:
        """The assets of the workspace with their latest versions, which Azure tells of one asset at a time."""
        found = [*visit.azure.listed(f"{visit.workspace.id}/{self.plural}")]
        found.sort(key=lambda one: str(_created(one)), reverse=True)
        start = whole_number(visit.query["from"]) or 0
        containers = found[start : start + ROWS]
        versions = visit.azure.all(lambda one: self._versions(visit, one["name"]), containers)
        rows = [
            {
                "name": one["name"],
                "description": one["properties"].get("description"),
                "versions": len(found),
                "latest": found[0]["name"],
                "created": _created(found[0]),
                "tags": found[0]["properties"].get("tags") or {},
            }
            for one, found in zip(containers, versions, strict=True)
            if found
        ]
        rows.sort(key=lambda one: str(one["created"]), reverse=True)
        data = {"assets": rows, "total": len(found), "from": start}
        more = start + ROWS if start + ROWS < len(found) else None
        return View("assets.html.j2", self.title, data, {"kind": self, "address": self.address, "more": more})

    def address(self, name: str, version: str) -> str:
        """The path of a version's page."""
        return ADDRESSES[self.plural].format(name=name, version=version)

    def _versions(self, visit: Visit, name: str) -> Any:
        """The versions, the newest first."""
        path = f"{visit.workspace.id}/{self.plural}/{quote(name, safe='')}/versions"
        return sorted(visit.azure.listed(path), key=lambda one: str(_created(one)), reverse=True)

    def show(self, visit: Visit) -> View:
        """A version."""
        name, version, body = visit.path["name"], visit.path["version"], self._version(visit)
        own = body["properties"]
        made = maker(own)
        files, refused = _files(visit, self.plural, own)
        data = {
            "name": name,
            "assetVersion": version,
            "created": _created(body),
            "createdBy": (body.get("systemData") or {}).get("createdBy"),
            "description": own.get("description"),
            "tags": own.get("tags") or {},
            "facts": {one: own[one] for one in SHOWN[self.plural] if own.get(one)},
            "versions": [one["name"] for one in self._versions(visit, name)],
            "madeBy": vars(run_link(made)) if made else None,
            "usedBy": users(visit.azure, visit.workspace, self.plural, name, version),
            "files": files,
            "filesRefused": refused,
            "resource": body,
        }
        return View("asset.html.j2", f"{name}:{version}", data, {"kind": self, "most_files": MOST})

    def download(self, visit: Visit) -> Response:
        """One file of a version: a download, or with `show` in the browser."""
        at = _place(visit, self.plural, self._version(visit)["properties"])
        if at is None:
            raise Missing("The version has no files in a datastore of its workspace.")
        path = visit.query["path"]
        return served(path or at.path, *at.stream(visit.azure, path), is_shown=bool(visit.query["show"]))

    def _version(self, visit: Visit) -> Any:
        name, version = quote(visit.path["name"], safe=""), quote(visit.path["version"], safe="")
        return visit.azure.arm(f"{visit.workspace.id}/{self.plural}/{name}/versions/{version}")


def _place(visit: Visit, plural: str, own: Mapping[str, Any]) -> Place | None:
    address = own.get(FILES.get(plural, ""))
    return place(visit.azure, visit.workspace, address) if address else None


def _files(visit: Visit, plural: str, own: Mapping[str, Any]) -> tuple[list[dict[str, Any]], str]:
    """The files of a version, and why the persona may not see them."""
    try:
        at = _place(visit, plural, own)
        found = at.files(visit.azure) if at else []
    except Refused as refused:
        return [], refused.message
    last = PurePosixPath(at.path).name if at else ""
    named = [(one, one.path or last) for one in found]
    return [{**asdict(one), "name": name, "shown": browser_kind(name) is not None} for one, name in named], ""


def _created(body: dict[str, Any]) -> str | None:
    found = (body.get("systemData") or {}).get("createdAt")
    return str(found) if found else None


KINDS = (
    Kind("models", "Models", "/model/list", "Register one: python -m jobs submit … --register NAME"),
    Kind("data", "Data", "/data", "Register some: python -m jobs data register …"),
    Kind("environments", "Environments", "/environments", "Jobs make them as they are submitted."),
    Kind("components", "Components", "/component/list", "Pipelines make them as they are submitted."),
)
PAGES = tuple(kind.page() for kind in KINDS)
