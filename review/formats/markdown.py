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

    Where all would be too much, tables are cut, then the sections of stacks from the last one on, then the summary; the
    last line says so. Stacks with objections come first, so theirs are the sections that stay.
    """
    stacks = view.stacks(report)
    with_details = [stack for stack in stacks if view.has_details(stack)]

    def shown(most: int, detailed: int, rows: int) -> str:
        return render(
            "comment.md.j2", marker=MARKER, report=report, stacks=stacks, most=most,
            detailed=with_details[:detailed], left=len(with_details) - detailed, rows=rows,
        )  # fmt: skip

    most, detailed = len(stacks), 0
    fits = shown(most, detailed, 0)
    while len(fits) >= limit and most:
        most //= 2
        fits = shown(most, detailed, 0)
    step = len(with_details) if most == len(stacks) else 0
    while step:
        text = shown(most, detailed + step, _ROWS[0])
        if len(text) < limit:
            detailed, fits = detailed + step, text
        step = min(step // 2, len(with_details) - detailed)
    for rows in _ROWS[1:] if detailed else ():
        text = shown(most, detailed, rows)
        if len(text) >= limit:
            break
        fits = text
    return fits
