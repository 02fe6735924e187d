"""A report for a terminal."""

from review.formats import view
from review.formats.templating import render
from review.report import Report


def text(report: Report) -> str:
    """The report as lines, without control codes."""
    return render("terminal.txt.j2", report=report, stacks=view.stacks(report))
