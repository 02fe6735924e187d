"""Runs: list, describe, cancel."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.defaults import LISTED
from jobs.downloads import whole
from jobs.errors import JobError, reason
from jobs.history import ENDED, QUEUED
from jobs.quiet import quietly
from jobs.resources import last_part
from jobs.waiting import why
from jobs.workspace import Workspace

if TYPE_CHECKING:
    from azure.ai.ml.entities import Job

BEST = "best_child_run_id"
"""Property of a sweep with the name of its best trial."""
CHILDREN = 100
"""Most children that are shown of a run."""
PARENTS = ("Pipeline", "Sweep")
"""Kinds of runs that have children."""
_LATEST = re.compile(r"latest(~(?P<before>\d+))?")


@dataclass(frozen=True)
class Run:
    """A run as people see it.

    Attributes:
        name: Its name, which is unique in the workspace.
        display_name: What people call it.
        experiment: The experiment that it belongs to.
        status: Azure ML's word, such as `Running` or `Completed`.
        cluster: The compute that it was sent to; empty for a pipeline whose steps name theirs.
        created: When it was submitted, in UTC.
        url: Its page in the studio.
        kind: `Command`, `Pipeline` or `Sweep`.
        created_by: Who submitted it.
        tags: Its tags.
        started: When its first node began, in UTC; None before.
        ended: When it ended, in UTC; None before.
        error: Why it failed, in a line.
        waits_for: What it is queued for; None where it is not, or where its cluster does not tell.
        best: A sweep's best trial so far; empty for any other run.
        metrics: The last value of each metric; of a sweep, its best trial's.
        parameters: The parameters that it logged, and a trial's hyperparameters; of a sweep, its best trial's.
    """

    name: str
    display_name: str
    experiment: str
    status: str
    cluster: str
    created: str
    url: str
    kind: str = ""
    created_by: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    started: str | None = None
    ended: str | None = None
    error: str | None = None
    waits_for: str | None = None
    best: str = ""
    metrics: dict[str, float] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def seconds(self) -> float | None:
        """Seconds from start to end; None while it has not ended."""
        if not self.started or not self.ended:
            return None
        return (datetime.fromisoformat(self.ended) - datetime.fromisoformat(self.started)).total_seconds()


@dataclass(frozen=True)
class Filter:
    """Which runs a list has; what is None or empty filters nothing.

    Attributes:
        experiment: Name of the experiment.
        status: Status, in any letter case.
        user: Part of who submitted it.
        cluster: Name of the compute.
        tags: Each `key` or `key=value`.
        parent: A pipeline or sweep, whose children are listed.
        schedule: A schedule, whose runs are listed.
        archived: Whether archived runs are listed, too.
    """

    experiment: str | None = None
    status: str | None = None
    user: str | None = None
    cluster: str | None = None
    tags: Sequence[str] = ()
    parent: str | None = None
    archived: bool = False
    schedule: str | None = None

    def takes(self, run: Run) -> bool:
        """Return whether the list has the run."""
        return (
            (self.experiment is None or run.experiment == self.experiment)
            and (self.status is None or run.status.lower() == self.status.lower())
            and (self.user is None or self.user.lower() in run.created_by.lower())
            and (self.cluster is None or run.cluster == self.cluster)
            and all(_has(run.tags, tag) for tag in self.tags)
        )


def _has(tags: dict[str, str], wanted: str) -> bool:
    key, equals, value = wanted.partition("=")
    return key in tags and (not equals or tags[key] == value)


def recent(workspace: Workspace, wanted: Filter | None = None, most: int = LISTED) -> list[Run]:
    """List the workspace's runs, newest first.

    Args:
        workspace: The team's workspace.
        wanted: Which runs; all that are not archived if left out.
        most: The most runs to list.

    Raises:
        JobError: There is no run of the name that `parent` has.
    """
    wanted = wanted or Filter()
    found: list[Run] = []
    for run in _all(workspace, wanted):
        if wanted.takes(run):
            found.append(run)
        if len(found) >= most:
            break
    return found


def _all(workspace: Workspace, wanted: Filter) -> Iterator[Run]:
    if wanted.parent:
        yield from (_from_history(run) for run in workspace.history.children(wanted.parent))
        return
    view = {"listViewType": "All"} if wanted.archived else {}
    if wanted.schedule:
        view |= {"scheduled": "true", "scheduleId": wanted.schedule}
    for job in workspace.resources.list("jobs", **view):
        yield _from_resource(job)


def named(workspace: Workspace, name: str) -> str:
    """Return a run's name; `latest` is the newest run of the workspace, `latest~1` the one before it, and so on.

    Raises:
        JobError: There are not so many runs.
    """
    match = _LATEST.fullmatch(name)
    if not match:
        return name
    before = int(match["before"] or 0)
    found = recent(workspace, most=before + 1)
    if len(found) <= before:
        raise JobError(f"{workspace.team.workspace} has {len(found)} runs, so none is {name}")
    return found[before].name


def show(workspace: Workspace, name: str) -> Run:
    """Describe a run with its metrics.

    Raises:
        JobError: There is no such run.
    """
    details = workspace.history.details(name)
    failure = (details.get("error") or {}).get("error") or {}
    resource = workspace.resources.get("jobs", name)
    # A step of a pipeline or a trial of a sweep has no definition of its own; its history says what it is.
    known = _from_resource(resource) if resource and resource.get("properties") else None
    run = known or _from_history(workspace.history.run(name))
    best = (details.get("properties") or {}).get(BEST, "")
    metrics, parameters = workspace.history.logged(best or name)
    return replace(
        run,
        status=details["status"],
        started=details.get("startTimeUtc"),
        ended=details.get("endTimeUtc"),
        error=reason(failure["message"]) if failure.get("message") else None,
        waits_for=why(workspace, resource) if details["status"] == QUEUED else None,
        best=best,
        metrics=metrics,
        parameters=parameters | _hyperparameters(run.tags.get(best or "hyperparameters")),
    )


def _hyperparameters(tag: str | None) -> dict[str, str]:
    """Read a trial's values, which are in its own tag, and in its sweep's under the trial's name."""
    try:
        return {name: str(value) for name, value in json.loads(tag or "{}").items()}
    except (ValueError, AttributeError):
        return {}  # somebody else's tag of this name


def refuse_failed(run: Run) -> None:
    """Refuse a run that has ended without success.

    Raises:
        JobError: It failed or was cancelled; the message says why.
    """
    if run.status in ENDED - {"Completed"}:
        why = f": {run.error}" if run.error else ""
        raise JobError(f"run {run.name} ended as {run.status}{why}\n  its log: python -m jobs logs {run.name}")


def download(workspace: Workspace, name: str, folder: Path, output: str | None = None) -> Path:
    """Download a run's outputs, artifacts and logs to `folder/NAME`, and return that folder.

    Args:
        workspace: The team's workspace.
        name: The run, which has ended.
        folder: Where its folder is made.
        output: Only this output.

    Raises:
        JobError: There is no such run or output, or it goes on.
        OSError: The folder cannot be written, or the disk is full; nothing of the run is left behind then.
    """
    run = workspace.history.run(name)
    made = run.get("outputs") or {}
    if output and output not in made:
        raise JobError(f"run {name} has no output '{output}'; its outputs: {', '.join(sorted(made)) or 'none'}")
    if run.get("status") not in ENDED:
        raise JobError(f"run {name} is {run.get('status')}: its files can be downloaded when it has ended")
    with whole(folder) as part:
        quietly(
            lambda: workspace.client.jobs.download(
                name, download_path=part / name, output_name=output, all=output is None
            )
        )
    return folder / name


def cancel(workspace: Workspace, name: str) -> str:
    """Ask for a run's end.

    Returns:
        Its status right after; a cancelled run may need a moment to stop.

    Raises:
        JobError: There is no such run.
    """
    if workspace.history.details(name)["status"] not in ENDED:
        workspace.client.jobs.begin_cancel(name).wait()
    status: str = workspace.history.details(name)["status"]
    return status


def describe(job: Job) -> Run:
    """Describe a job that azure-ai-ml has read."""
    created = job.creation_context.created_at if job.creation_context else None
    return Run(
        name=job.name or "",
        display_name=job.display_name or job.name or "",
        experiment=job.experiment_name or "",
        status=job.status or "",
        cluster=last_part(getattr(job, "compute", None)),
        created=created.isoformat(timespec="seconds") if created else "",
        url=job.studio_url or "",
        kind=str(job.type or "").capitalize(),
        tags=dict(job.tags or {}),
    )


def _from_resource(job: dict[str, Any]) -> Run:
    own, made = job["properties"], job.get("systemData") or {}
    studio = (own.get("services") or {}).get("Studio") or {}
    return Run(
        name=job["name"],
        display_name=own.get("displayName") or job["name"],
        experiment=own.get("experimentName") or "",
        status=own.get("status") or "",
        cluster=last_part(own.get("computeId")),
        created=_seconds(made.get("createdAt")),
        url=studio.get("endpoint") or "",
        kind=own.get("jobType") or "",
        created_by=made.get("createdBy") or "",
        tags=own.get("tags") or {},
    )


def _from_history(run: dict[str, Any]) -> Run:
    return Run(
        name=run["runId"],
        display_name=run.get("displayName") or run["runId"],
        experiment=run.get("experimentName") or "",
        status=run.get("status") or "",
        cluster=last_part(run.get("target") or (run.get("compute") or {}).get("target")),
        created=_seconds(run.get("createdUtc")),
        url="",
        kind=str(run.get("runType") or "").removeprefix("azureml."),
        created_by=(run.get("createdBy") or {}).get("userName") or "",
        tags=run.get("tags") or {},
        started=run.get("startTimeUtc"),
        ended=run.get("endTimeUtc"),
    )


def _seconds(moment: str | None) -> str:
    """Return a moment as Azure writes it, cut to the second."""
    return datetime.fromisoformat(moment).isoformat(timespec="seconds") if moment else ""
