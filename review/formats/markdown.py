"""One comment of a pull request, which its hidden marker finds again."""

from typing import Final

from review.formats import view
from review.formats.templating import render
from review.report import Report

MARKER: Final = "<!-- azureml-platform-review -->"
LIMIT: Final = 65_000
"""Characters of a comment: GitHub refuses 65,536 and more."""
_ROWS: Final = (5, 10, 20, 50, 200, 1000)


def markdown(report: Report, limit: int = LIMIT) -> str:
    """The comment, with the marker first and always shorter than the limit.

    Where all would be too much, tables are cut, then the sections of stacks, then the summary; the last line says so.
    """

    def shown(rows: int, most: int) -> str:
        return render("comment.md.j2", marker=MARKER, report=report, stacks=stacks, rows=rows, most=most)

    stacks = view.stacks(report)
    most = len(stacks)
    fits = shown(0, most)
    while len(fits) >= limit and most:
        most //= 2
        fits = shown(0, most)
    for rows in _ROWS if most == len(stacks) else ():
        text = shown(rows, most)
        if len(text) >= limit:
            break
        fits = text
    return fits
