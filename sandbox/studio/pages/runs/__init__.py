"""Runs: the list, a run, what it logged, its children, comparing, and what can be done with it."""

from __future__ import annotations

from sandbox.studio.pages.runs import artifacts, change, compare, listing, logs, run
from sandbox.studio.visit import Page, Route

PAGE = Page(
    "Runs",
    "/jobs",
    (
        Route("/jobs", listing.show),
        Route("/experiments", listing.show),
        Route("/runs/compare", compare.show),
        Route("/runs/{run}", run.show),
        Route("/runs/{run}/log", logs.show),
        Route("/runs/{run}/artifact", artifacts.show),
        Route("/runs/{run}/cancel", change.cancel, "POST"),
        Route("/runs/{run}/retry", change.retry, "POST"),
    ),
    group="Workspace",
)
