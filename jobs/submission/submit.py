"""The whole way from a file to a run: load, fit, price, tag, upload, send."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.errors import JobError, invalid
from jobs.quiet import quietly
from jobs.runs import Run, describe
from jobs.submission.estimate import Estimate, estimate
from jobs.submission.fit import check_datastores, choose_clusters
from jobs.submission.inputs import LocalInput, beside, bring, read_from
from jobs.submission.source import home, load
from jobs.submission.stamp import stamp
from jobs.workspace import Workspace

if TYPE_CHECKING:
    from azure.ai.ml.entities import Job


@dataclass(frozen=True)
class Prepared:
    """A job that is ready to be sent.

    Attributes:
        source: Its file.
        job: azure-ai-ml's job, fitted to the team and tagged.
        inputs: The files that are uploaded first.
        estimate: What it may cost at worst.
    """

    source: Path
    job: Job
    inputs: list[LocalInput]
    estimate: Estimate


def prepare(
    workspace: Workspace,
    source: Path,
    cluster: str | None,
    changes: Sequence[str] = (),
    places: Mapping[str, Path] | None = None,
) -> Prepared:
    """Load a job and fit it to the team. Nothing is sent.

    Args:
        workspace: The team's workspace.
        source: The job's file, as `source.find` returns it.
        cluster: Runs all of it on this cluster, or on the `cheapest`; None: on those that the file names.
        changes: Changes of the YAML, each `path.to.key=value`.
        places: Local files and folders that inputs are read from instead, by the inputs' names.

    Raises:
        JobError: The file is no valid job, or asks for a cluster or datastore that the team does not have.
    """
    with home(source):
        job = load(source, changes)
    try:
        read_from(job, places or {})
        return _fitted(workspace, job, cluster, source)
    except JobError as error:
        raise JobError(f"{source}: {error}") from None


def prepare_job(workspace: Workspace, job: Job, cluster: str | None) -> Prepared:
    """Fit a job that was made in Python to the team, as `prepare` does with a file's.

    Raises:
        JobError: It asks for a cluster or datastore that the team does not have.
    """
    return _fitted(workspace, job, cluster, Path("job"))


def _fitted(workspace: Workspace, job: Job, cluster: str | None, source: Path) -> Prepared:
    team = workspace.team
    choose_clusters(team, job, cluster)
    check_datastores(team, job)
    stamp(job, workspace.outputs, workspace.team_name, team, source.absolute().parent)
    return Prepared(source, job, beside(team, job, source.parent), estimate(team, job))


def send(workspace: Workspace, prepared: Prepared, say: Callable[[str], None]) -> Run:
    """Upload a prepared job's inputs and submit it.

    Args:
        workspace: The team's workspace.
        prepared: The job.
        say: Gets a line for each step.

    Raises:
        JobError: The lake or Azure ML refused it.
    """
    _refuse_taken(workspace, prepared.job.name)
    for given in prepared.inputs:
        done = bring(workspace, given)
        say(f"{given.file.name} {'uploaded to' if done else 'is already'} {given.datastore}/{given.path}")
    job, source = prepared.job, prepared.source
    where = ", ".join(sorted({step.cluster for step in prepared.estimate.steps}))
    say(f"submitting {job.display_name or source.absolute().parent.name} to {where} of {workspace.team.workspace}")
    try:
        with home(source):
            return describe(quietly(lambda: create(workspace, job)))
    except Exception as error:  # azure-ai-ml passes on what its validators, storage and Azure raise, all kinds
        raise JobError(f"{source}: {invalid(error)}") from error


def _refuse_taken(workspace: Workspace, name: str | None) -> None:
    """Refuse a name that a run has already: Azure ML would answer with that run, as if it were the new one.

    Raises:
        JobError: There is such a run.
    """
    there = workspace.resources.get("jobs", name) if name else None
    if there is not None:
        status = (there.get("properties") or {}).get("status")
        raise JobError(f"there is a run '{name}' already ({status}): give another name, or none")


def create(workspace: Workspace, job: Job) -> Job:
    """Submit a job as azure-ai-ml does, and once more where an answer to an upload got lost."""
    from azure.core.exceptions import ResourceExistsError  # noqa: PLC0415

    try:
        made: Job = workspace.client.jobs.create_or_update(job)
    except ResourceExistsError:
        # A file of the code arrived, and the answer did not: the client's own second try met the file of the first.
        # Asked once more, it sees that the upload is incomplete, and overwrites.
        made = workspace.client.jobs.create_or_update(job)
    return made
