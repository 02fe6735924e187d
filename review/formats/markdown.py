"""One comment of a pull request, which its hidden marker finds again."""

from collections.abc import Iterator
from typing import Final

from review.formats import view
from review.formats.templating import render
from review.report import Report

MARKER: Final = "<!-- azureml-platform-review -->"
LIMIT: Final = 65_000
"""Characters of a comment: GitHub refuses 65,536 and more."""


def markdown(report: Report, limit: int = LIMIT) -> str:
    """The comment, with the marker first and always shorter than the limit.

    Where all would be too much, tables are cut, then the sections of stacks, then the summary; the last line says so.
    """
    for rows, stacks in _cuts(len(report.stacks)):
        text = render("comment.md.j2", marker=MARKER, report=report, stacks=view.stacks(report), rows=rows, most=stacks)
        if len(text) < limit:
            return text
    raise AssertionError("a comment without any stack is too long")


def _cuts(stacks: int) -> Iterator[tuple[int, int]]:
    """Rows of each table and stacks that are shown, ever fewer."""
    yield from ((rows, stacks) for rows in (1000, 200, 50, 20, 10, 5, 0))
    while stacks:
        stacks //= 2
        yield 0, stacks
