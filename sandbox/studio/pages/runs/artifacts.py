"""A run's files: a list, text to read here, anything as a download or in a frame of its own without scripts."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from starlette.responses import Response

from sandbox.studio.downloads import browser_kind, served
from sandbox.studio.history import History
from sandbox.studio.visit import Missing, Visit


def listed(history: History, run: str) -> list[dict[str, Any]]:
    """The files by path, and whether a browser can show them."""
    found = history.artifacts(run)
    return [{**asdict(one), "name": one.path, "shown": browser_kind(one.path) is not None} for one in found]


def show(visit: Visit) -> Response:
    """One file: a download, or with `show` in the browser."""
    path = visit.query.get("path", "")
    if not path:
        raise Missing("The address names no file: it needs a 'path'.")
    address = History(visit).artifact(visit.path["run"], path)
    return served(path, *visit.azure.stream(address), is_shown=bool(visit.query.get("show")))
