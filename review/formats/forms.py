"""The forms by name."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from review.formats.document import to_json
from review.formats.html import html
from review.formats.markdown import markdown
from review.formats.sarif import sarif
from review.formats.text import text
from review.report import Report
from terminal import write_whole

FORMS: Final[Mapping[str, Callable[[Report], str]]] = {
    "text": text,
    "json": to_json,
    "markdown": markdown,
    "html": html,
    "sarif": lambda report: json.dumps(sarif(report), indent=1) + "\n",
}
_SUFFIXES: Final = {"json": "json", "markdown": "md", "html": "html", "sarif": "sarif"}


def write_all(report: Report, folder: Path) -> None:
    """Write every form but the terminal's into a folder, as `review.md` and so on."""
    for form, suffix in _SUFFIXES.items():
        write_whole(folder / f"review.{suffix}", FORMS[form](report))
