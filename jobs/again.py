"""Submitting a run again, from the definition of the old one."""

from __future__ import annotations

from typing import Any

from jobs.errors import JobError, invalid
from jobs.history import ENDED
from jobs.quiet import quietly
from jobs.runs import Run, describe
from jobs.submission.fit import choose_clusters
from jobs.submission.submit import create
from jobs.workspace import Workspace

CHECKPOINTS = "checkpoints"
"""An output of this name keeps its place, so that a run that was cut off goes on from there."""

RETRY_OF = "retry_of"
"""Tag with the name of the run that was submitted again."""


def retry(workspace: Workspace, name: str, cluster: str | None = None) -> Run:
    """Submit a run again, with its code, environment, inputs and settings.

    Args:
        workspace: The team's workspace.
        name: The run, which must have ended.
        cluster: Runs it on this cluster, instead of the old one's.

    Raises:
        JobError: There is no such run, it has not ended, it is a step of a pipeline, or Azure ML refused the new one.
    """
    details = workspace.history.details(name)
    if details["status"] not in ENDED:
        raise JobError(f"run {name} is {details['status']}: wait for its end, or `python -m jobs cancel {name}` first")
    resource = workspace.resources.get("jobs", name)
    if not resource or not resource.get("properties"):
        parent = workspace.history.run(name).get("parentRunId") or "its parent"
        raise JobError(f"run {name} is a step or trial of {parent}: retry that one")
    job: Any = workspace.client.jobs.get(name)
    _forget(job)
    if CHECKPOINTS in (job.outputs or {}):
        _keep(job, name)
    job.tags = {**(job.tags or {}), RETRY_OF: name}
    if cluster:
        choose_clusters(workspace.team, job, cluster)
    try:
        return describe(quietly(lambda: create(workspace, job)))
    except Exception as error:  # azure-ai-ml passes on what its validators, storage and Azure raise, all kinds
        raise JobError(f"run {name} cannot be submitted again: {invalid(error)}") from error


def _forget(job: Any) -> None:
    """Make a new job of one that was read: without its name, and without the outputs that the service added."""
    job.name = None
    if job.outputs:
        job.outputs.pop("default", None)


def _keep(job: Any, name: str) -> None:
    """Let the checkpoints stay where the old run wrote them."""
    output = job.outputs[CHECKPOINTS]
    if not getattr(output, "path", None):
        # The place of an output without a path, as how-to-read-write-data-v2 of Microsoft's documentation says.
        output.path = f"azureml://datastores/workspaceblobstore/paths/azureml/{name}/{CHECKPOINTS}/"
