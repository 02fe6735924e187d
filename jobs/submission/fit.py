"""Fitting a job to the team: its clusters and datastores by the stack's outputs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from contract import ClusterOutput, TeamOutput
from jobs.defaults import CHEAPEST
from jobs.errors import JobError

SERVERLESS = "serverless"
OWN_DATASTORES = ("workspaceblobstore", "workspacefilestore", "workspaceartifactstore", "workspaceworkingdirectory")
"""Datastores that every workspace has. Source: learn.microsoft.com/azure/machine-learning/concept-data."""

ADDRESS = re.compile(
    r"azureml://(?P<workspace>subscriptions/[^/]+/resourcegroups/[^/]+/"
    r"(?:providers/Microsoft\.MachineLearningServices/)?workspaces/[^/]+/)?"
    r"datastores/(?P<datastore>[^/]+)/paths/(?P<path>.*)",
    re.IGNORECASE,
)
"""A place in a datastore, in its short form or in the long one, which names the workspace."""


def steps(job: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield a job and, where it is a pipeline, each step below it, under a name such as `train` or `inner.train`."""
    yield name, job
    for key, step in children(job).items():
        yield from steps(step, f"{name}.{key}" if name else key)


def children(job: Any) -> dict[str, Any]:
    """Return the steps of a pipeline, or of a step that is one; none of any other job."""
    own = getattr(job, "jobs", None)
    if own is None:  # a step that is a pipeline itself has them in its component, unless that is only named
        own = getattr(getattr(job, "component", None), "jobs", None)
    return own if isinstance(own, dict) else {}


def choose_clusters(team: TeamOutput, job: Any, wanted: str | None) -> None:
    """Set the cluster of a job and of its steps to one of the team's.

    Args:
        team: The team, which has the clusters.
        job: The job, which is changed.
        wanted: Name of a cluster, or `cheapest`, for all of it; None: those that the job names, else the only one.

    Raises:
        JobError: The team has no such cluster, or none is named and there are several.
    """
    if getattr(job, "type", "") == "pipeline":
        _choose_for_pipeline(team, job, wanted)
    else:
        job.compute = choose(team, wanted or job.compute)


def _choose_for_pipeline(team: TeamOutput, job: Any, wanted: str | None) -> None:
    default = wanted or job.settings.default_compute or getattr(job, "compute", None)
    waiting = False  # for the default, as they name no cluster
    for _, step in steps(job):
        if step is job or children(step):
            continue
        if wanted or not step.compute:
            step.compute = None
            waiting = True
        elif not str(step.compute).startswith("${{"):
            step.compute = choose(team, str(step.compute))
    if default or waiting:
        job.settings.default_compute = choose(team, default)


def choose(team: TeamOutput, wanted: str | None) -> str:
    """Return the name of the team's cluster or instance that a job asks for.

    Raises:
        JobError: The team has no such cluster, or none is asked for and there are several.
    """
    names = ", ".join(sorted(team.clusters)) or "none"
    if not wanted:
        if len(team.clusters) == 1:
            return next(iter(team.clusters))
        raise JobError(f"--cluster is needed, as the job names none; clusters of {team.workspace}: {names}")
    name = re.sub(r"^(?:azureml:)?(?:/.*/computes/)?", "", wanted)
    if name == CHEAPEST:
        return _cheapest(team)
    known = {*team.clusters, *(instance.name for instance in team.instances.values()), SERVERLESS}
    if name not in known:
        raise JobError(f"{team.workspace} has no cluster '{name}'; choose with --cluster from: {names}, {CHEAPEST}")
    return name


def _cheapest(team: TeamOutput) -> str:
    """Return the cluster whose nodes cost least an hour; of equal ones the first by name."""
    prices = {name: cluster.price.hourly for name, cluster in team.clusters.items() if cluster.price}
    if not prices:
        raise JobError(f"no price is known of the clusters of {team.workspace}: name one with --cluster")
    return min(prices, key=lambda name: (prices[name], name))


def cluster_of(team: TeamOutput, job: Any, step: Any) -> tuple[str, ClusterOutput | None]:
    """Return the name of the compute of a step of a job, and the cluster, if it is one of the team's."""
    settings = getattr(job, "settings", None)
    name = str(step.compute or (settings and settings.default_compute) or "")
    return name, team.clusters.get(name)


def check_datastores(team: TeamOutput, job: Any) -> None:
    """Refuse an input, an output or a default datastore that the workspace does not have.

    Raises:
        JobError: It names the datastore and lists those that there are.
    """
    for name, step in steps(job):
        for group in ("inputs", "outputs"):
            for key, given in dict(getattr(step, group, None) or {}).items():
                address = ADDRESS.fullmatch(str(path_of(given) or ""))
                if address and is_own(team, address["workspace"]):
                    _check_datastore(team, address["datastore"], ".".join(filter(None, (name, group, key))))
    default = getattr(getattr(job, "settings", None), "default_datastore", None)
    if default and not str(default).startswith("/"):
        _check_datastore(team, str(default).removeprefix("azureml:"), "settings.default_datastore")


def _check_datastore(team: TeamOutput, name: str, key: str) -> None:
    if name not in team.datastores and name not in OWN_DATASTORES:
        names = ", ".join([*sorted(team.datastores), *OWN_DATASTORES])
        raise JobError(f"{key}: {team.workspace} has no datastore '{name}'; its datastores: {names}")


def path_of(given: Any) -> str | None:
    """Return the path of an input or output, whichever of azure-ai-ml's classes it is; None where it has none."""
    inner = getattr(given, "_data", given)  # a step's inputs and outputs wrap what they were given
    path = getattr(inner, "path", None)
    return path if isinstance(path, str) else None


def is_own(team: TeamOutput, workspace: str | None) -> bool:
    """Return whether the part of an address that names a workspace names the team's; an address without one does."""
    own = f"subscriptions/{team.subscription_id}/resourcegroups/{team.resource_group}/workspaces/{team.workspace}/"
    return workspace is None or re.sub("providers/[^/]+/", "", workspace.lower()) == own.lower()
