"""A run's files: a list, text to read here, anything as a download or in a frame of its own without scripts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

from sandbox.studio.history import History
from sandbox.studio.visit import Missing, Visit

SHOWN = {
    ".txt": "text/plain", ".log": "text/plain", ".json": "text/plain", ".yml": "text/plain", ".yaml": "text/plain",
    ".csv": "text/plain", ".md": "text/plain", ".py": "text/plain", ".html": "text/html", ".htm": "text/html",
    ".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif",
    ".pdf": "application/pdf",
}  # fmt: skip
"""What a browser shows of itself, by the end of the name."""
POLICY = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""Of a file that somebody's job wrote: an origin of its own, without scripts, forms or addresses."""


def listed(history: History, run: str) -> list[dict[str, Any]]:
    """The files by path, and whether a browser can show them."""
    return [{**asdict(one), "shown": _kind(one.path) is not None} for one in history.artifacts(run)]


def show(visit: Visit) -> Response:
    """One file: a download, or with `show` in the browser."""
    path = visit.query.get("path", "")
    if not path:
        raise Missing("The address names no file: it needs a 'path'.")
    address = History(visit.azure, visit.workspace).artifact(visit.path["run"], path)
    headers, parts = visit.azure.stream(address)
    return served(path, parts, headers.get("Content-Length"), is_shown=bool(visit.query.get("show")))


def served(path: str, parts: Iterable[bytes], length: str | None, *, is_shown: bool) -> Response:
    """A file that somebody's job wrote: a download, or in the browser without any rights."""
    kind = _kind(path) if is_shown else None
    name = quote(PurePosixPath(path).name, safe="")
    headers = {
        "Content-Security-Policy": POLICY,
        "Content-Type": f"{kind}; charset=utf-8" if kind else "application/octet-stream",
        "Content-Disposition": f"{'inline' if kind else 'attachment'}; filename*=UTF-8''{name}",
    }
    return StreamingResponse(parts, headers=headers | ({"Content-Length": length} if length else {}))


def _kind(path: str) -> str | None:
    return SHOWN.get(PurePosixPath(path).suffix.lower())
