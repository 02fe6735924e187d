"""The pages: a module for each subject, listed in the navigation's order.

A module has `PAGE`, with its addresses and their functions. A function asks the local Azure and gives a `View`: data,
and the template that shows it.
"""

from __future__ import annotations

from typing import Protocol

from sandbox.studio.pages import activity, clock, endpoints, home, schedules
from sandbox.studio.visit import Page


class _Module(Protocol):
    PAGE: Page


MODULES: tuple[_Module, ...] = (home, activity, clock, endpoints, schedules)
PAGES: tuple[Page, ...] = tuple(module.PAGE for module in MODULES)
