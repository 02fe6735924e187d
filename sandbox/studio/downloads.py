"""A file that somebody's job or client wrote: a download, or in the browser in a frame of its own without scripts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

SHOWN = {
    ".txt": "text/plain", ".log": "text/plain", ".json": "text/plain", ".yml": "text/plain", ".yaml": "text/plain",
    ".csv": "text/plain", ".md": "text/plain", ".py": "text/plain", ".html": "text/html", ".htm": "text/html",
    ".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif",
    ".pdf": "application/pdf",
}  # fmt: skip
"""What a browser shows of itself, by the end of the name."""
POLICY = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""Of a file that somebody's job wrote: an origin of its own, without scripts, forms or addresses."""


def served(path: str, got: Mapping[str, str], parts: Iterable[bytes], *, is_shown: bool) -> Response:
    """The answer that gives a file.

    Args:
        path: The file's, whose end tells what it is.
        got: The headers with which the storage gave it.
        parts: Its content.
        is_shown: Whether the browser shall show it, if it can; else it is a download.
    """
    kind = browser_kind(path) if is_shown else None
    name = quote(PurePosixPath(path).name, safe="")
    headers = {
        "Content-Security-Policy": POLICY,
        "Content-Type": f"{kind}; charset=utf-8" if kind else "application/octet-stream",
        "Content-Disposition": f"{'inline' if kind else 'attachment'}; filename*=UTF-8''{name}",
    }
    length = got.get("Content-Length")
    return StreamingResponse(parts, headers=headers | ({"Content-Length": length} if length else {}))


def browser_kind(path: str) -> str | None:
    """The type by which a browser shows a file of itself; None for what it can only download."""
    return SHOWN.get(PurePosixPath(path).suffix.lower())
