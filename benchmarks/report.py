"""Writes a result into docs/benchmarks, with the machine and the day it is of."""

import os
import platform
import resource
import sys
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a file, it knows only its own folder

from terminal import write_whole

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "benchmarks"


def write(name: str, title: str, words: str, lines: list[str]) -> None:
    """Replace `docs/benchmarks/NAME.md`.

    Args:
        name: of the page.
        title: its heading.
        words: what was measured and how it is measured again.
        lines: the result, in Markdown.
    """
    where = f"{date.today()}, {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    target = FOLDER / f"{name}.md"
    write_whole(target, "\n".join([f"# {title}", "", words, f"Last result: {where}.", "", *lines, ""]))


def peak_memory() -> float:
    """The most memory that this process has had, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
