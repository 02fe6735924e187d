"""What a long run has found, kept as it comes: a run that was stopped goes on where it was."""

import json
import os
import subprocess
import time
from typing import Any

from tests.program.harness import ROOT

FOLDER = ROOT / ".soak"


class Results:
    """A file with a line for each result."""

    def __init__(self, name: str) -> None:
        self._file = FOLDER / name
        FOLDER.mkdir(exist_ok=True)

    def all(self) -> list[dict[str, Any]]:
        """In the order in which they came."""
        if not self._file.exists():
            return []
        return [json.loads(line) for line in self._file.read_text(encoding="utf-8").splitlines()]

    def keep(self, key: str, result: dict[str, Any]) -> dict[str, Any]:
        """Add a result, and say when, under which load and with which code it came."""
        at = {"key": key, "at": time.strftime("%Y-%m-%d %H:%M"), "load": round(os.getloadavg()[0], 1), "code": _code()}
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps({**at, **result}) + "\n")
        return {**at, **result}


def when(results: list[dict[str, Any]]) -> str:
    """When results came, under which load and with which code: a sentence."""
    if not results:
        return "None yet."
    times, loads = sorted(one["at"] for one in results), sorted(one["load"] for one in results)
    codes = ", ".join(dict.fromkeys(one["code"] for one in results))
    hours = sum(one["seconds"] for one in results) / 3600
    return (
        f"{times[0]} to {times[-1]}, {hours:.1f} h of work, on a machine whose load was {loads[0]} to "
        f"{loads[-1]}, half of the time above {loads[len(loads) // 2]}. Code: {codes}."
    )


def _code() -> str:
    done = subprocess.run(
        ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()
