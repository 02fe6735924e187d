"""Publishing a review: one comment, alerts and a status, by the base's code alone.

The report is what a run of a pull request made, whose code may say anything. So everything that decides is asked of
GitHub again: which pull request it is, whether it changes stack files alone, and whether a loss of data is meant.
"""

import base64
import gzip
import json
from dataclasses import replace
from typing import Any, Final

from review.formats.document import DocumentError
from review.formats.markdown import MARKER, markdown
from review.formats.sarif import sarif
from review.github.artifact import report_of
from review.github.client import GitHub, GitHubError
from review.github.pulls import Pull, Run, find, loss_is_meant, run_of
from review.model import Change
from review.report import Report

AUTHOR: Final = "github-actions[bot]"
"""Who writes what a workflow's token writes."""
STATUS: Final = "review"
"""The status of a commit for the default branch; this one can be required there."""
_NOT_FOUND: Final = (403, 404)


def publish(event: Any, github: GitHub) -> str:
    """Publish the review of a run.

    Args:
        event: What GitHub tells of the run: an event of `workflow_run`.
        github: The API of the repository.

    Returns:
        What was done, in a line.

    Raises:
        GitHubError: GitHub refuses something.
    """
    run = run_of(event)
    if run is None:
        return "The run was not for a pull request."
    pulls = find(github, run)
    if not pulls:
        return "No open pull request has the run's commit as its head any more."
    if len(pulls) > 1:
        for pull in pulls:
            _status(github, run, pull, "failure", "Several open pull requests have this commit: close all but one.")
        return "Several open pull requests have the run's commit: which of them it was for is not known."
    [pull] = pulls
    meant = loss_is_meant(github, pull, run)
    try:
        report = trusted(report_of(github, run), pull, run, meant=meant)
    except DocumentError:
        comment(github, pull, _without_report(run))
        _status(github, run, pull, "failure" if pull.stack_files_only else "success", "The review made no report.")
        return f"Pull request {pull.number}: the run left no report that can be read."
    comment(github, pull, markdown(report))
    _status(github, run, pull, *_judged(report, pull))
    uploaded = pull.stack_files_only and _alerts(github, pull, run, report)
    return f"Pull request {pull.number}: comment and status are there{', and alerts' if uploaded else ''}."


def trusted(report: Report, pull: Pull, run: Run, *, meant: bool) -> Report:
    """A report with all that decides in it as GitHub knows it."""
    return replace(
        report,
        base=pull.base,
        head=run.commit[:7],
        made_by="base" if pull.stack_files_only else "head",
        live=False,
        stacks=tuple(
            replace(stack, changes=tuple(_accepted(change, meant) for change in stack.changes))
            for stack in report.stacks
        ),
    )


def comment(github: GitHub, pull: Pull, text: str) -> None:
    """Write the one comment, or write it anew."""
    own = (
        one
        for one in github.pages(f"/issues/{pull.number}/comments")
        if one["user"]["login"] == AUTHOR and one["body"].startswith(MARKER)
    )
    found = next(own, None)
    if found is None:
        github.send("POST", f"/issues/{pull.number}/comments", {"body": text})
    elif found["body"] != text:
        github.send("PATCH", f"/issues/comments/{int(found['id'])}", {"body": text})


def _accepted(change: Change, meant: bool) -> Change:
    return replace(change, loss=replace(change.loss, accepted=meant)) if change.loss else change


def _without_report(run: Run) -> str:
    return f"{MARKER}\n### Review\n\nThe review made no report that can be read. [The run]({run.url}) says why.\n"


def _judged(report: Report, pull: Pull) -> tuple[str, str]:
    """State and description of the status."""
    if not pull.stack_files_only:
        return "success", "Advisory: not only stack files change, so a code owner must read it."
    if report.objects:
        return "failure", "A mandatory rule is broken, data is lost, or a stack cannot be previewed."
    return "success", "Nothing speaks against it."


def _status(github: GitHub, run: Run, pull: Pull, state: str, description: str) -> None:
    """A commit's status is that of all its pull requests: so each branch that they go to has a word of its own."""
    context = STATUS if pull.branch == run.default_branch else f"{STATUS} ({pull.branch})"
    body = {"state": state, "context": context, "description": description, "target_url": run.url}
    github.send("POST", f"/statuses/{run.commit}", body)


def _alerts(github: GitHub, pull: Pull, run: Run, report: Report) -> bool:
    """Upload the report's SARIF; False where the repository has no code scanning."""
    packed = base64.b64encode(gzip.compress(json.dumps(sarif(report)).encode(), mtime=0)).decode()
    body = {"commit_sha": run.commit, "ref": f"refs/pull/{pull.number}/head", "sarif": packed}
    try:
        github.send("POST", "/code-scanning/sarifs", body)
    except GitHubError as error:
        if error.status in _NOT_FOUND:
            return False
        raise
    return True
