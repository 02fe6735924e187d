"""Runs as they go: their state, their log, their end."""

import contextlib
import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.azure.ml.harness import Team

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

DEADLINE = 60.0
ENDED = {"Completed", "Failed", "Canceled"}


def until(check: Callable[[], Any], what: str, log: Callable[[], str] = str) -> Any:
    """Waits until the check gives something."""
    end = time.monotonic() + DEADLINE
    while not (found := check()):
        assert time.monotonic() < end, f"{what} did not come; {log()}"
        time.sleep(0.05)
    return found


def status(team: Team, name: str) -> str:
    return str(team.arm("GET", f"/jobs/{name}").json()["properties"]["status"])


def ended(team: Team, name: str) -> str:
    """The state in which a run ended."""
    return str(
        until(lambda: (now := status(team, name)) in ENDED and now, f"the end of {name}", team.azure.sandbox.log)
    )


def details(team: Team, name: str) -> dict[str, Any]:
    found: dict[str, Any] = team.plane("GET", "history/v1.0", f"/runs/{name}/details").json()
    return found


def below(team: Team, name: str) -> list[dict[str, Any]]:
    """The runs below a run: a pipeline's steps, a sweep's trials."""
    found: list[dict[str, Any]] = team.plane("GET", "history/v1.0", f"/runs/{name}/children").json()["value"]
    return found


def log_text(team: Team, name: str) -> str:
    url = details(team, name)["logFiles"].get("user_logs/std_log.txt")
    return team.azure.session.get(url).text if url else ""


class _Listener(io.StringIO):
    """Keeps what a client prints, and makes a file once it shows a run's log."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file

    def write(self, text: str) -> int:
        if "Streaming user_logs/std_log.txt" in text:
            self._file.touch()
        return super().write(text)


def streamed(ml: "MLClient", name: str, heard: Path) -> str:
    """What the client shows of a run that waits for the file `heard`: it has not ended before somebody listens."""
    listener = _Listener(heard)
    with contextlib.redirect_stdout(listener):
        ml.jobs.stream(name)
    return listener.getvalue()
