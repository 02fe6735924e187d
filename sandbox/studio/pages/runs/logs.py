"""A run's logs: the end of the chosen one, and what comes after it while the run lasts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import HTMLResponse, Response

from sandbox.studio.azure import Refused
from sandbox.studio.downloads import served
from sandbox.studio.history import ENDED, History
from sandbox.studio.render import page
from sandbox.studio.visit import Missing, Visit, whole_number

END = 256 * 1024  # bytes of a log that the page begins with
FIRST = ("user_logs/std_log.txt", "logs/azureml/executionlogs.txt")
NOTHING_NEW, NOTHING, STOP = 416, 204, 286  # htmx stops to ask after 286


def read(visit: Visit, files: Mapping[str, str]) -> dict[str, Any]:
    """What the page shows: the names of the logs, and the end of the chosen one."""
    names = sorted(files)
    first = next((one for one in FIRST if one in files), names[0] if names else "")
    chosen = visit.query.get("file", first)
    if not names:
        return {"file": "", "text": "", "next": 0, "cut": 0}
    if chosen not in files:
        raise Missing(f"The run has no log named '{chosen}'; it has {', '.join(names)}.")
    size = _size(visit, files[chosen])
    start = max(0, size - END)
    text, after = _part(visit, files[chosen], start)
    return {"file": chosen, "text": text, "next": after, "cut": start}


def show(visit: Visit) -> Response:
    """What a log has from a byte on: with `from`, as a part of the page; without it, the whole as a text file."""
    details = History(visit).details(visit.path["run"])
    name = visit.query.get("file", "")
    if name not in details["logFiles"]:
        raise Missing(f"The run has no log named '{name}'.")
    address = details["logFiles"][name]
    start = whole_number(visit.query["from"])
    if start is None:
        return served(name, *visit.azure.stream(address), is_shown=True)
    text, after = _part(visit, address, start)
    ended = details["status"] in ENDED
    if not text:
        return Response(status_code=STOP if ended else NOTHING)
    shown = page("log.html.j2", visit=visit, run=visit.path["run"], file=name, text=text, next=after, ended=False)
    return HTMLResponse(shown)


def _size(visit: Visit, address: str) -> int:
    """A log's size in bytes."""
    try:
        head = visit.azure.fetch(address, {"x-ms-range": "bytes=0-0"})
    except Refused as refused:
        if refused.status != NOTHING_NEW:
            raise
        return 0
    return int(head.headers.get("Content-Range", "/0").rpartition("/")[2])


def _part(visit: Visit, address: str, start: int) -> tuple[str, int]:
    """The text from a byte on, up to the last whole line if there is one; and where it ends."""
    try:
        data = visit.azure.fetch(address, {"x-ms-range": f"bytes={start}-"}).data
    except Refused as refused:
        if refused.status != NOTHING_NEW:
            raise
        return "", start
    whole = data[: data.rfind(b"\n") + 1] or data
    return whole.decode(errors="replace"), start + len(whole)
