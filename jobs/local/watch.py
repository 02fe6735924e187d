"""Waiting until a file of a job changes."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jobs.submission.fit import steps

POLL_SECONDS = 0.5
_LEFT_OUT = ("__pycache__",)

State = dict[Path, tuple[int, int]]


def places(source: Path, job: Any) -> list[Path]:
    """Return what a change of makes another job: the folder of its file, and the code of its steps."""
    folder = source.absolute().parent
    found = [folder]
    for _, step in steps(job):
        component = getattr(step, "component", None)
        code = getattr(step, "code", None) or getattr(component, "code", None)
        if isinstance(code, str | Path) and "://" not in str(code) and not str(code).startswith("azureml:"):
            found.append((folder / code).resolve())
    return [one for one in dict.fromkeys(found) if one.exists()]


def state(where: Iterable[Path], without: Path) -> State:
    """Return size and time of each file at these places, without hidden ones and those below a folder of results."""
    found: State = {}
    for place in where:
        for file in [place] if place.is_file() else place.rglob("*"):
            inner = file.relative_to(place).parts
            if any(part.startswith(".") or part in _LEFT_OUT for part in inner) or file.is_relative_to(without):
                continue
            try:
                if file.is_file():
                    told = file.stat()
                    found[file] = (told.st_mtime_ns, told.st_size)
            except OSError:
                continue  # it is being replaced; the next look sees it
    return found


def wait(where: Iterable[Path], without: Path, before: State) -> Path:
    """Wait until the files differ from `before`, which may hold more places; returns one that does."""
    while True:
        now = state(where, without)
        changed = [file for file in {*before, *now} if before.get(file) != now.get(file)]
        if changed:
            return min(changed)
        time.sleep(POLL_SECONDS)
