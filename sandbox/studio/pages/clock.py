"""The sandbox's clock: what time it is in the local Azure, what is due, and how to move it forward."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sandbox.ask import ask
from sandbox.control import SandboxError
from sandbox.durations import duration, not_a_time, read_seconds
from sandbox.studio.visit import Page, Route, View, Visit

STEPS = ("1h", "1d", "7d", "31d")


def timers(visit: Visit) -> list[dict[str, Any]]:
    """What is due and the persona may see, the next first."""
    told = ask(visit.directory, "GET", f"/clock/timers?principal={visit.azure.object_id}")
    found: list[dict[str, Any]] = told["timers"]
    return found


def show(visit: Visit, done: dict[str, int] | None = None, problem: str = "") -> View:
    """The clock."""
    clock = ask(visit.directory, "GET", "/clock")
    now = datetime.fromisoformat(clock["now"])
    due = [
        {**one, "in": duration(max((datetime.fromisoformat(one["due"]) - now).total_seconds(), 0))}
        for one in timers(visit)
    ]
    data = {
        "now": clock["now"], "real": clock["real"], "aheadSeconds": clock["aheadSeconds"], "timers": due, "done": done,
    }  # fmt: skip
    extra = {"steps": STEPS, "problem": problem, "ahead": duration(clock["aheadSeconds"])}
    return View("clock.html.j2", "Clock", data, extra, status=400 if problem else 200)


def advance(visit: Visit) -> View:
    """Moves the clock forward; the answer tells what was carried out."""
    asked = visit.form.get("by", "")
    if asked == "next":
        upcoming = timers(visit)
        seconds: float | None = _until(upcoming[0]["due"], visit) if upcoming else None
    else:
        seconds = read_seconds(asked)
    if seconds is None:
        return show(visit, problem="Nothing is due." if asked == "next" else not_a_time(asked))
    try:
        told = ask(visit.directory, "POST", "/clock/advance", {"seconds": seconds})
    except SandboxError as error:
        return show(visit, problem=f"{error}.")
    return show(visit, done=told["done"])


def _until(due: str, visit: Visit) -> float:
    """Seconds from now to a time that is due."""
    now = ask(visit.directory, "GET", "/clock")["now"]
    return max((datetime.fromisoformat(due) - datetime.fromisoformat(now)).total_seconds(), 1.0)


PAGE = Page("Clock", "/clock", (Route("/clock", show), Route("/clock", advance, "POST")), group="Platform")
