"""What a run found: the report, and the rows of docs/fidelity that are no longer assumed."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.generate import ROOT
from tools.verify.resources import VerifyError

_ASSUMED = re.compile(r"\*{0,2}assumed\*{0,2}")


@dataclass(frozen=True)
class Result:
    """A test's outcome, as `tests/azure_verified/conftest.py` writes it.

    Attributes:
        test: Its name.
        page: Page of docs/fidelity whose row it is about.
        row: How the row begins; empty if the test is about no single row.
        outcome: passed, failed or skipped.
        text: What differed, or why it was skipped.
    """

    test: str
    page: str
    row: str
    outcome: str
    text: str


def read(path: Path) -> list[Result]:
    """Read the results, one JSON object a line; none if no test has ended."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    read_lines: list[dict[str, Any]] = [json.loads(line) for line in lines]
    return [Result(**line) for line in read_lines]


def find_row(text: str, row: str) -> int:
    """Return the index of the line of a page that is a table row beginning so.

    Raises:
        VerifyError: No row, or more than one, begins so.
    """
    found = [number for number, line in enumerate(text.splitlines()) if line.startswith(f"| {row}")]
    if len(found) != 1:
        raise VerifyError(f"{len(found)} rows begin with '{row}': correct the test's mark or the page")
    return found[0]


def verify_rows(folder: Path, results: list[Result], *, where: str) -> list[str]:
    """Turn *assumed* into *verified* in the source of each row whose tests all passed.

    Args:
        folder: Where the pages are; docs/fidelity or a copy.
        results: All results of the run.
        where: Day and region, such as `2026-11-29, eastus2`.

    Returns:
        The changed rows, as `page: row`.
    """
    changed = []
    passed = {(one.page, one.row) for one in results if one.row and one.outcome == "passed"}
    failed = {(one.page, one.row) for one in results if one.row and one.outcome != "passed"}
    for page, row in sorted(passed - failed):
        path = folder / page
        lines = path.read_text(encoding="utf-8").splitlines()
        number = find_row("\n".join(lines), row)
        behaviour, separator, source = lines[number].removesuffix(" |").rpartition(" | ")
        verified = _ASSUMED.sub(f"**verified** ({where})", source)
        if verified != source:
            lines[number] = f"{behaviour}{separator}{verified} |"
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
            changed.append(f"{page}: {row}")
    return changed


def markdown(results: list[Result], removed: list[str], changed: list[str], *, where: str, real: bool) -> str:
    """Return the report, for a person and for an issue."""
    lines = [
        f"# Verified against {'Azure' if real else 'the sandbox, which proves nothing about Azure'}",
        "",
        where,
        "",
    ]
    lines += ["| Test | Row | Outcome |", "|---|---|---|"]
    lines += [f"| {one.test} | {one.page}: {one.row or '–'} | {one.outcome} |" for one in results]
    differed = [one for one in results if one.outcome == "failed"]
    lines += ["", "## What differed", ""]
    for one in differed:
        lines += [f"### {one.test}", "", "```", one.text, "```", ""]
    lines += [] if differed else ["Nothing.", ""]
    lines += ["## Rows that are verified now", "", *[f"- {row}" for row in changed or ["none"]], ""]
    return "\n".join([*lines, "## What was removed", "", *[f"- {line}" for line in removed or ["nothing"]], ""])


PAGES = ROOT / "docs" / "fidelity"
