"""The pull request that a run of a workflow was for, and what is to be trusted of it."""

from dataclasses import dataclass
from typing import Any, Final

from review.github.client import GitHub
from review.revisions import stack_of

ACCEPT_LABEL: Final = "accept-data-loss"
"""The label with which somebody who may label says that a loss of data is meant."""
_OTHER_BASE: Final = frozenset({"base_ref_changed", "automatic_base_change_succeeded"})
"""Events after which a pull request goes to another branch.

Source: docs.github.com/rest/using-the-rest-api/issue-event-types.
"""
MOST_FILES: Final = 3000
"""Files of a pull request that GitHub lists at most (docs.github.com/rest/pulls/pulls#list-pull-requests-files)."""


@dataclass(frozen=True)
class Run:
    """A run of the workflow that reviews.

    Attributes:
        id: Its number.
        commit: The head commit that it ran for.
        branch: The branch of that commit.
        repository: Full name of the branch's repository, which can be a fork.
        url: Its page.
        default_branch: The branch whose code publishes.
    """

    id: int
    commit: str
    branch: str
    repository: str
    url: str
    default_branch: str


@dataclass(frozen=True)
class Pull:
    """A pull request.

    Attributes:
        number: Its number.
        branch: Name of the branch that it goes to.
        base: That name, with the commit there.
        stack_files_only: Whether it changes nothing but stack files: then the base's code made the review.
        labels: Names of its labels.
    """

    number: int
    branch: str
    base: str
    stack_files_only: bool
    labels: frozenset[str]


def run_of(event: Any) -> Run | None:
    """The run that an event of `workflow_run` tells of; None if it was not for a pull request."""
    run = event["workflow_run"]
    if run["event"] != "pull_request":
        return None
    repository = (run.get("head_repository") or {}).get("full_name") or ""
    branch = event["repository"]["default_branch"]
    return Run(int(run["id"]), run["head_sha"], run["head_branch"], repository, run["html_url"], branch)


def find(github: GitHub, run: Run) -> tuple[Pull, ...]:
    """The open pull requests whose head a run was for; none if the head has moved on, or they are closed.

    They are found by the commit and repository that GitHub has of the run, and by nothing that the run made. A branch
    can have several, each to another branch. For a fork's, GitHub does not tell which of them a run was for.
    """
    owner = run.repository.partition("/")[0]
    found = github.pages("/pulls", state="open", head=f"{owner}:{run.branch}")
    return tuple(_pull(github, one) for one in found if _is_head(run, one["head"]))


def _is_head(run: Run, head: Any) -> bool:
    return bool(head["sha"] == run.commit and (head["repo"] or {}).get("full_name") == run.repository)


def _pull(github: GitHub, one: Any) -> Pull:
    base = one["base"]
    return Pull(
        number=int(one["number"]),
        branch=base["ref"],
        base=f"{base['ref']} ({base['sha'][:7]})",
        stack_files_only=_stack_files_only(github, int(one["number"])),
        labels=frozenset(label["name"] for label in one["labels"]),
    )


def _stack_files_only(github: GitHub, number: int) -> bool:
    files = list(github.pages(f"/pulls/{number}/files"))
    names = [name for one in files for name in (one["filename"], one.get("previous_filename")) if name]
    return bool(names) and len(files) < MOST_FILES and all(stack_of(name) is not None for name in names)


def loss_is_meant(github: GitHub, pull: Pull, run: Run) -> bool:
    """Whether the label that accepts a loss of data was given for this head. A label of an older head is removed.

    GitHub's own times decide: the label must be newer than the first run for the commit, and than the last change of
    the branch that the pull request goes to.
    """
    if ACCEPT_LABEL not in pull.labels:
        return False
    runs = github.pages("/actions/runs", "workflow_runs", head_sha=run.commit, event="pull_request")
    first = min((one["created_at"] for one in runs), default="")
    events = list(github.pages(f"/issues/{pull.number}/events"))
    given = max((one["created_at"] for one in events if _accepts(one)), default="")
    moved = max((one["created_at"] for one in events if one["event"] in _OTHER_BASE), default="")
    if first and given > max(first, moved):  # ISO 8601 in UTC, which sorts as text
        return True
    github.send("DELETE", f"/issues/{pull.number}/labels/{ACCEPT_LABEL}")
    return False


def _accepts(event: Any) -> bool:
    return bool(event["event"] == "labeled" and event["label"]["name"] == ACCEPT_LABEL)
