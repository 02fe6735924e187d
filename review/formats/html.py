"""A report as one page that needs nothing else: no script, no font, no picture from elsewhere."""

from review.formats import view
from review.formats.templating import render
from review.report import Report


def html(report: Report) -> str:
    """The page; light or dark as the reader's system is."""
    return render("page.html.j2", report=report, stacks=view.stacks(report))
