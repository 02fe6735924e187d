"""The departments' resources by team, who may do what with each, and their clusters and instances."""

from __future__ import annotations

import re
from typing import Any

from sandbox.studio.azure import API, ARM, Refused, quoted
from sandbox.studio.charts import share
from sandbox.studio.platform import access, graph
from sandbox.studio.platform.computes import Computes
from sandbox.studio.platform.prices import Book
from sandbox.studio.platform.teams import Teams, api_of
from sandbox.studio.visit import Done, Missing, Page, Route, View, Visit
from sandbox.studio.workspaces import WORKSPACES

ID = re.compile(r"/subscriptions(/(?!\.{1,2}/)[^/?#\\\x00-\x1f]+)+(?<!/\.)(?<!/\.\.)", re.IGNORECASE)
INSTANCE = re.compile(
    rf"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/{WORKSPACES}/[^/]+/computes/[^/]+", re.IGNORECASE
)
AT_ONCE = 6  # teams on a page: each takes some twenty requests
POWER = ("start", "stop", "restart")


def show(visit: Visit) -> View:
    """The teams that the persona sees; of many, one at a time."""
    book = Book(visit.azure)
    reader = Teams(visit.azure, Computes(visit.azure, visit.directory, book), book)
    groups = reader.groups()
    wanted = visit.query.get("group") or (groups[0]["group"] if len(groups) > AT_ONCE else "")
    teams = [reader.read(one) for one in groups if wanted in ("", one["group"])]
    extra = {
        "wanted": wanted,
        "drawings": {one["id"]: graph.drawn(one["resources"], lambda key: _link(visit, key)) for one in teams},
        "bars": {
            compute["id"]: share(compute["nodes"], compute["maximum"] or 1)
            for team in teams
            for compute in team["computes"]
            if "maximum" in compute
        },
    }
    return View("platform.html.j2", "Platform", {"groups": groups, "teams": teams}, extra)


def _link(visit: Visit, resource_id: str) -> str:
    return visit.link("/platform/resource", id=resource_id)


def show_resource(visit: Visit) -> View:
    """A resource: its JSON, and who may do what with it."""
    resource_id = _id(visit.query.get("id", ""), ID)
    body = visit.azure.arm(resource_id, api=api_of(resource_id))
    data = {
        "resource": body,
        "kind": graph.title(str(body.get("type") or "")),
        **_access(visit, resource_id),
        "cost": Book(visit.azure).cost(body) if body.get("type") else None,
    }
    return View("resource.html.j2", str(body.get("name") or resource_id.rpartition("/")[2]), data)


def _access(visit: Visit, resource_id: str) -> dict[str, Any]:
    """Who may do what there, or why the persona may not know; nothing of a role assignment itself."""
    if access.AUTHORIZATION.lower() in resource_id.lower():
        return {"assignments": [], "refused": ""}
    try:
        return {"assignments": access.assignments(visit.azure, resource_id), "refused": ""}
    except Refused as refused:
        return {"assignments": [], "refused": refused.message}


def power(visit: Visit) -> Done:
    """Starts, stops or restarts an instance; Azure decides whether the persona may."""
    action = visit.form.get("action", "")
    if action not in POWER:
        raise Missing(f"An instance takes {', '.join(POWER)}, not '{action}'.")
    address = f"{ARM}{quoted(_id(visit.form.get('id', ''), INSTANCE))}/{action}"
    visit.azure.send("POST", address, api_version=API)
    return Done(visit.link("/platform"))


def _id(text: str, pattern: re.Pattern[str]) -> str:
    if not pattern.fullmatch(text):
        raise Missing(f"'{text}' is no id of a resource here.")
    return text


PAGE = Page(
    "Platform",
    "/platform",
    (
        Route("/platform", show),
        Route("/platform/resource", show_resource),
        Route("/platform/power", power, "POST"),
    ),
    group="Platform",
)
