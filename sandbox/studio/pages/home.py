"""The first page: the workspaces that the persona sees."""

from __future__ import annotations

from dataclasses import asdict

from sandbox.studio.visit import Page, Route, View, Visit


def show(visit: Visit) -> View:
    """The workspaces."""
    return View("home.html.j2", "Workspaces", {"workspaces": [asdict(one) for one in visit.workspaces]})


PAGE = Page("Workspaces", "/", (Route("/", show),), group="Platform")
