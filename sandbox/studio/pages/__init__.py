"""The pages: a module for each subject, listed in the navigation's order.

A module has a `PAGE`, or several, with its addresses and their functions. A function asks the local Azure and gives a
`View`: data, and the template that shows it.
"""

from __future__ import annotations

from sandbox.studio.pages import activity, assets, clock, endpoints, home, platform, runs, schedules
from sandbox.studio.visit import Page

PAGES: tuple[Page, ...] = (
    runs.PAGE,
    *assets.PAGES,
    endpoints.PAGE,
    schedules.PAGE,
    home.PAGE,
    platform.PAGE,
    activity.PAGE,
    clock.PAGE,
)
