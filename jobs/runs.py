"""Training runs: submit, list, describe, cancel, register."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import redirect_stderr
from dataclasses import dataclass, field, replace
from datetime import datetime
from http import HTTPStatus
from io import StringIO
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from contract import TeamOutput
from jobs.errors import JobError, explain, invalid, reason
from jobs.history import ENDED
from jobs.lake import upload
from jobs.workspace import Workspace

if TYPE_CHECKING:
    from azure.ai.ml.entities import Command, Job

EXAMPLES = Path(__file__).parent / "examples"
LISTED = 20

_DATASTORE_PATH = re.compile(
    r"azureml://(?P<workspace>subscriptions/[^/]+/resourcegroups/[^/]+/"
    r"(?:providers/Microsoft\.MachineLearningServices/)?workspaces/[^/]+/)?"
    r"datastores/(?P<datastore>[^/]+)/paths/(?P<path>.+)",
    re.IGNORECASE,
)
_LAKE = "AzureDataLakeGen2"
_DATA = ("uri_file", "uri_folder", "mltable")  # inputs with a path; the others are literals


@dataclass(frozen=True)
class Run:
    """A run as people see it; `metrics` and times come from its history and are empty where only its job was read."""

    name: str
    display_name: str
    experiment: str
    status: str
    cluster: str
    created: str
    url: str
    started: str | None = None
    ended: str | None = None
    error: str | None = None
    metrics: dict[str, float] = field(default_factory=dict)

    @property
    def seconds(self) -> float | None:
        """Seconds from start to end; None while it has not ended."""
        if not self.started or not self.ended:
            return None
        return (datetime.fromisoformat(self.ended) - datetime.fromisoformat(self.started)).total_seconds()


def find(name: str) -> Path:
    """Find the job's YAML file: an example's name, a folder with a job.yml, or the file itself.

    Raises:
        JobError: The name is none of these; the message lists the examples.
    """
    for candidate in (Path(name), EXAMPLES / name):
        if (candidate / "job.yml").is_file():
            return candidate / "job.yml"
        if candidate.is_file():
            return candidate
    examples = ", ".join(sorted(path.parent.name for path in EXAMPLES.glob("*/job.yml")))
    raise JobError(f"'{name}' is no example, no folder with a job.yml and no YAML file; examples: {examples}")


def submit(workspace: Workspace, source: Path, cluster: str | None, say: Callable[[str], None]) -> Run:
    """Submit a command job, after its input files are in the lake.

    Args:
        workspace: The team's workspace.
        source: An Azure ML command job in YAML. An input in a data lake is uploaded first where a file of its name lies
            beside this one.
        cluster: Runs it on this cluster; None: on the one that the file names, else on the team's only one.
        say: Gets a line for each step.

    Raises:
        JobError: The file is no valid command job, or asks for a cluster or datastore that the team does not have.
    """
    job = _load(source)
    job.compute = _choose_cluster(workspace.team, cluster or job.compute)
    for local, name, path in _inputs(workspace.team, job, source.parent):
        done = _upload(local, workspace, name, path)
        say(f"{local.name} {'uploaded to' if done else 'is already'} {name}/{path}")
    say(f"submitting {job.display_name or source.parent.name} to {job.compute} of {workspace.team.workspace}")
    try:
        with redirect_stderr(StringIO()):  # the client's upload shows its progress there
            return _describe(_create(workspace, job))
    except Exception as error:  # azure-ai-ml passes on what its validators, storage and Azure raise, all kinds
        raise JobError(f"{source}: {invalid(error)}") from error


def _create(workspace: Workspace, job: Command) -> Job:
    from azure.core.exceptions import ResourceExistsError  # noqa: PLC0415

    try:
        made: Job = workspace.client.jobs.create_or_update(job)
    except ResourceExistsError:
        # A file of the code arrived, and the answer did not: the client's own second try met the file of the first.
        # Asked once more, it sees that the upload is incomplete, and overwrites.
        made = workspace.client.jobs.create_or_update(job)
    return made


def _upload(local: Path, workspace: Workspace, datastore: str, path: str) -> bool:
    from azure.core.exceptions import HttpResponseError  # noqa: PLC0415 - slow to import

    store = workspace.team.datastores[datastore]
    try:
        return upload(local, store, path, workspace.credential)
    except HttpResponseError as error:
        message = f"{local.name} cannot be uploaded to {datastore}/{path}: {explain(error)}"
        if error.status_code == HTTPStatus.FORBIDDEN:
            message += (
                f"\n  who submits needs the role Storage Blob Data Contributor on file system {store.container} of "
                f"account {store.account}: the team's leads and data scientists have it, so ask to be made one"
            )
        raise JobError(message) from error


def recent(workspace: Workspace) -> list[Run]:
    """List the workspace's latest runs, newest first, at most LISTED."""
    jobs = workspace.client.jobs.list()  # has None for a job that this version of azure-ai-ml cannot read
    return [_describe(job) for job in islice(filter(None, jobs), LISTED)]


def show(workspace: Workspace, name: str) -> Run:
    """Describe a run with its metrics.

    Raises:
        JobError: There is no such run.
    """
    details = workspace.history.details(name)
    failure = (details.get("error") or {}).get("error") or {}
    return _describe(
        workspace.client.jobs.get(name),
        status=details["status"],
        started=details.get("startTimeUtc"),
        ended=details.get("endTimeUtc"),
        error=reason(failure["message"]) if failure.get("message") else None,
        metrics=workspace.history.metrics(name),
    )


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


def register(workspace: Workspace, run: Run, model: str) -> str:
    """Register a completed run's output as a new version of a model; the run's name and metrics go with it.

    Returns:
        The version.

    Raises:
        JobError: The run did not complete, or it is not clear which of its outputs is the model.
    """
    from azure.ai.ml.entities import Model  # noqa: PLC0415

    if run.status != "Completed":
        raise JobError(f"run {run.name} is {run.status}: only a completed run's model is registered")
    job = workspace.client.jobs.get(run.name)
    named = {name: output for name, output in (job.outputs or {}).items() if name != "default"}
    if len(named) != 1 and "model" not in named:
        raise JobError(f"run {run.name} has the outputs {', '.join(named) or 'none'}; call the model's one 'model'")
    name = "model" if "model" in named else next(iter(named))
    registered = workspace.client.models.create_or_update(
        Model(
            name=model,
            path=f"azureml://jobs/{run.name}/outputs/{name}",
            type="mlflow_model" if named[name].type == "mlflow_model" else "custom_model",
            description=f"{run.display_name}, run {run.name}",
            properties={"run": run.name} | {key: f"{value:.6g}" for key, value in run.metrics.items()},
        )
    )
    return str(registered.version)


def _load(source: Path) -> Command:
    from azure.ai.ml import load_job  # noqa: PLC0415
    from azure.ai.ml.entities import Command  # noqa: PLC0415

    try:
        job = load_job(source)
    except Exception as error:  # its YAML reader, its schema's validator and the file system each have their own
        raise JobError(f"{source}: {invalid(error)}") from error
    if not isinstance(job, Command):
        raise JobError(f"{source}: is a {job.type} job; only command jobs are submitted from here")
    return job


def _choose_cluster(team: TeamOutput, wanted: str | None) -> str:
    names = ", ".join(sorted(team.clusters)) or "none"
    if not wanted:
        if len(team.clusters) == 1:
            return next(iter(team.clusters))
        raise JobError(f"--cluster is needed, as the job names none; clusters of {team.workspace}: {names}")
    name = wanted.removeprefix("azureml:")
    if name not in team.clusters:
        raise JobError(f"{team.workspace} has no cluster '{name}'; choose with --cluster from: {names}")
    return name


def _inputs(team: TeamOutput, job: Command, folder: Path) -> list[tuple[Path, str, str]]:
    """Find the inputs that lie beside the job's file, under the name that their path in a data lake ends with.

    A datastore has a short address and a long one, which names the workspace; what lies in another one is left alone.

    Returns:
        For each, the local file, its datastore and its path there.
    """
    found = []
    for given in job.inputs.values():
        match = _DATASTORE_PATH.fullmatch(given.path or "") if given.type in _DATA else None
        if not match or not _is_own(team, match["workspace"]):
            continue
        name, path = match["datastore"], match["path"]
        if name not in team.datastores:
            names = ", ".join(sorted(team.datastores)) or "none"
            raise JobError(f"{team.workspace} has no datastore '{name}'; its datastores: {names}")
        local = folder / PurePosixPath(path).name
        if local.is_file() and team.datastores[name].type == _LAKE:
            found.append((local, name, path))
    return found


def _is_own(team: TeamOutput, workspace: str | None) -> bool:
    """Whether the part of an address that names a workspace names the team's; an address without one does."""
    own = f"subscriptions/{team.subscription_id}/resourcegroups/{team.resource_group}/workspaces/{team.workspace}/"
    return workspace is None or re.sub("providers/[^/]+/", "", workspace.lower()) == own.lower()


def _describe(job: Job, **more: Any) -> Run:
    created = job.creation_context.created_at if job.creation_context else None
    run = Run(
        name=job.name or "",
        display_name=job.display_name or job.name or "",
        experiment=job.experiment_name or "",
        status=job.status or "",
        cluster=str(getattr(job, "compute", None) or "").rsplit("/", 1)[-1],
        created=created.isoformat(timespec="seconds") if created else "",
        url=job.studio_url or "",
    )
    return replace(run, **more)
