"""The report that a run left as an artifact: of limited size, of one form, and still not trusted."""

import io
import zipfile
from typing import Final

from review.formats.document import MOST_BYTES, DocumentError, read_report
from review.github.client import GitHub
from review.github.pulls import Run
from review.report import Report

NAME: Final = "review"
"""Name of the artifact."""
FILE: Final = "review.json"
"""The one file of it that is read."""


def report_of(github: GitHub, run: Run) -> Report:
    """The report of a run.

    Raises:
        DocumentError: There is none, it is too large, or it is of another form.
    """
    found = [one for one in github.pages(f"/actions/runs/{run.id}/artifacts", "artifacts") if one["name"] == NAME]
    if not found:
        raise DocumentError("the run left no report")
    archive = github.download(f"/actions/artifacts/{int(found[-1]['id'])}/zip", MOST_BYTES)
    if archive is None:
        raise DocumentError(f"the artifact has more than {MOST_BYTES} bytes")
    return read_report(_unpacked(archive))


def _unpacked(archive: bytes) -> bytes:
    """The report in an archive, of which no more is unpacked than a report may have."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as files, files.open(FILE) as file:
            return file.read(MOST_BYTES + 1)
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError, OSError, EOFError, ValueError) as error:
        raise DocumentError(f"the artifact is no archive with a {FILE} ({type(error).__name__})") from None
