"""What clients asked of the local Azure: who, what, by which right, and what a refused caller lacks."""

from __future__ import annotations

import shlex
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from sandbox.ask import STUDIO, ask
from sandbox.studio.visit import Done, Missing, Page, Route, View, Visit, whole_number

FILTERS = ("who", "host", "method", "status", "outcome", "text")
RESOURCE_WORDS = 4  # of an id: `providers`, a namespace, a type and a name
MOST = 300  # requests that a page is made of
OWNER = "owner"


def _asked(visit: Visit, **query: Any) -> dict[str, Any]:
    given = {name: value for name, value in query.items() if value not in (None, "")}
    return ask(visit.directory, "GET", f"/activity?{urlencode({'principal': visit.azure.object_id, **given})}")


def show(visit: Visit) -> View:
    """The last requests, the newest first."""
    own = {} if visit.query.get("studio") else {"notClient": STUDIO}
    told = _asked(visit, limit=MOST, **own, **{name: visit.query.get(name) for name in FILTERS})
    data = {**told, "requests": [shown(one) for one in told["requests"][::-1]]}
    rows: list[dict[str, Any]] = []
    for one in data["requests"]:  # polls that follow one another are one row
        if rows and all(rows[-1][name] == one[name] for name in ("who", "method", "host", "path", "status")):
            rows[-1]["times"] += 1
        else:
            rows.append({**one, "times": 1})
    zone = datetime.now().astimezone().tzname()
    return View(
        "activity.html.j2", "Activity", data, {"rows": rows, "may_switch": visit.persona == OWNER, "zone": zone}
    )


def show_one(visit: Visit) -> View:
    """One request with all that is known of it."""
    named = visit.path["number"]
    number = whole_number(named) or 0
    found = _asked(visit, since=number - 1, limit=1)["requests"] if number else []
    if not found or found[0]["number"] != number:
        raise Missing(f"There is no request {named}: it is no longer kept, or is none that '{visit.persona}' may see.")
    one = found[0]
    title = f"{one['method']} {short(one['path']) or one['host']}"
    return View("activity_request.html.j2", title, {"request": one}, {"remedy": _remedy(one)})


def _remedy(request: dict[str, Any]) -> str:
    """The command that gives a refused caller the narrowest role; quoted, since a path may hold a shell's words."""
    missing = request["missing"]
    if not missing or not missing["roles"]:
        return ""
    who = request["who"]["objectId"] or "OBJECT-ID"
    scope = _assignable(missing["scope"], made=request["method"] == "PUT")
    words = ["--role", missing["roles"][0], "--assignee", who, "--scope", scope]
    return shlex.join(["az", "role", "assignment", "create", *words])


def _assignable(scope: str, *, made: bool) -> str:
    """Where a role can be given for a scope: at the resource that it lies in; above what is only to be made."""
    words = scope.split("/")
    lowered = [word.lower() for word in words]
    if "providers" not in lowered:
        return "/".join(words[:-2]) if made else scope
    at = lowered.index("providers")
    inside = len(words) > at + RESOURCE_WORDS
    return "/".join(words[: at + RESOURCE_WORDS] if inside or not made else words[:at])


def switch(visit: Visit) -> Done:
    """Keeps bodies from now on, or no longer; for the owner alone."""
    if visit.persona != OWNER:
        raise Missing("Only the owner's studio keeps bodies, or stops keeping them.")
    ask(visit.directory, "POST", "/activity/bodies", {"on": visit.form.get("on") == "true"})
    return Done(visit.link("/activity"))


def shown(request: dict[str, Any]) -> dict[str, Any]:
    """A request with its path shortened, and its time as this machine has it."""
    local = datetime.fromisoformat(request["time"]).astimezone()
    return {**request, "short": short(request["path"]) or request["host"], "local": f"{local:%Y-%m-%d %H:%M:%S}"}


def short(path: str) -> str:
    """The end of a path that tells what it is about: what follows the workspace, or the last provider's name."""
    words = path.strip("/").split("/")
    kept = words
    for word, skipped in (("providers", 2), ("workspaces", 2)):
        lowered = [one.lower() for one in kept]
        if word in lowered and len(lowered) > lowered.index(word) + skipped:
            at = len(lowered) - 1 - lowered[::-1].index(word)
            kept = kept[at + skipped :] or kept
    kept = kept[-4:]
    return "/".join(("…", *kept) if len(kept) < len(words) else kept)


PAGE = Page(
    "Activity",
    "/activity",
    (
        Route("/activity", show),
        Route("/activity/bodies", switch, "POST"),
        Route("/activity/{number}", show_one),
    ),
    group="Platform",
)
