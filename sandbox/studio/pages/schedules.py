"""A workspace's schedules: when each submits its next job, and the jobs that it has submitted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.studio.azure import API, quoted
from sandbox.studio.pages.clock import timers
from sandbox.studio.visit import Done, Page, Route, View, Visit

MOST_JOBS = 50


def _below(visit: Visit, name: str = "") -> str:
    return f"{visit.workspace.id}/schedules" + (f"/{name}" if name else "")


def _due(visit: Visit) -> Mapping[str, str]:
    """The next times, by the schedule's id in lower case."""
    return {one["key"]: one["due"] for one in timers(visit)}


def show(visit: Visit) -> View:
    """All schedules, those that are due next first."""
    due = _due(visit)
    found = visit.azure.listed(_below(visit), listViewType="All")
    schedules = sorted((_read(visit, one, due) for one in found), key=lambda one: (one["next"] or "~", one["name"]))
    return View("schedules.html.j2", "Schedules", {"schedules": schedules})


def show_one(visit: Visit) -> View:
    """A schedule, and the last jobs that it submitted."""
    name = visit.path["name"]
    body = visit.azure.arm(_below(visit, name))
    listed = visit.azure.arm(f"{visit.workspace.id}/jobs", scheduled="true", scheduleId=name)["value"]
    jobs = sorted(
        (
            {
                "name": one["name"],
                "displayName": one["properties"].get("displayName"),
                "status": one["properties"]["status"],
                "createdAt": one["systemData"]["createdAt"],
            }
            for one in listed
        ),
        key=lambda one: str(one["createdAt"]),
        reverse=True,
    )[:MOST_JOBS]
    data = {"schedule": _read(visit, body, _due(visit)), "jobs": jobs, "resource": body}
    return View("schedule.html.j2", name, data)


def switch(visit: Visit) -> Done:
    """Enables or disables a schedule, as the SDK does: it is put again with the other state."""
    name = visit.path["name"]
    body = visit.azure.arm(_below(visit, name))
    properties = {**body["properties"], "isEnabled": visit.form.get("enabled") == "true"}
    address = f"{visit.workspace.arm}/schedules/{quoted(name)}"
    visit.azure.send("PUT", address, {"properties": properties}, api_version=API)
    return Done(visit.link(f"/schedules/{name}"))


def _read(visit: Visit, body: dict[str, Any], due: Mapping[str, str]) -> dict[str, Any]:
    own = body["properties"]
    return {
        "name": body["name"],
        "displayName": own.get("displayName"),
        "enabled": own["isEnabled"],
        "state": own.get("provisioningState"),
        "trigger": rhythm(own["trigger"]),
        "timeZone": own["trigger"].get("timeZone"),
        "action": _action(own["action"]),
        "next": due.get(_below(visit, body["name"]).lower()),
    }


def rhythm(trigger: Mapping[str, Any]) -> str:
    """When a trigger fires, in words; a cron expression as it is."""
    if trigger["triggerType"] == "Cron":
        return f"cron {trigger['expression']}"
    unit, every = trigger["frequency"].lower(), trigger["interval"]
    words = [f"every {unit}" if every == 1 else f"every {every} {unit}s"]
    pattern = trigger.get("schedule") or {}
    if days := pattern.get("weekDays"):
        words.append("on " + ", ".join(days))
    if days := pattern.get("monthDays"):
        words.append("on day " + ", ".join(map(str, days)))
    times = [f"{hour}:{minute:02}" for hour in pattern.get("hours") or () for minute in pattern.get("minutes") or (0,)]
    return " ".join([*words, *(["at " + ", ".join(times)] if times else [])])


def _action(action: Mapping[str, Any]) -> str:
    job = action.get("jobDefinition") or {}
    kind = str(job.get("jobType") or action.get("actionType") or "").lower()
    return f"{kind} {job.get('displayName') or job.get('experimentName') or ''}".strip()


PAGE = Page(
    "Schedules",
    "/schedules",
    (
        Route("/schedules", show),
        Route("/schedules/{name}", show_one),
        Route("/schedules/{name}/enabled", switch, "POST"),
    ),
    group="Workspace",
)
