"""Where something comes from: endpoint → deployment → model → run → code, data and environment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from jobs import endpoints
from jobs.errors import JobError
from jobs.models import latest
from jobs.resources import asset_name
from jobs.runs import BEST
from jobs.workspace import Workspace


@dataclass(frozen=True)
class Origin:
    """A thing and what it was made from.

    Attributes:
        kind: `endpoint`, `deployment`, `model`, `run`, `data`, `code`, `commit` or `environment`.
        name: Its name, with its version where it has one.
        sources: What it was made from.
    """

    kind: str
    name: str
    sources: list[Origin] = field(default_factory=list)


def trace(workspace: Workspace, name: str) -> Origin:
    """Say where a model, an endpoint or a run comes from.

    Args:
        workspace: The team's workspace.
        name: `MODEL`, `MODEL:VERSION`, the name of an online endpoint, or of a run.

    Raises:
        JobError: There is nothing of that name.
    """
    plain, _, version = name.removeprefix("azureml:").partition(":")
    if not version and workspace.resources.get("onlineEndpoints", plain):
        return _endpoint(workspace, plain)
    if version or workspace.resources.get("models", plain):
        return _model(workspace, plain, version or latest(workspace, plain))
    if workspace.resources.get("jobs", plain):
        return _run(workspace, plain)
    raise JobError(f"{workspace.team.workspace} has no model, no online endpoint and no run of the name '{name}'")


def _endpoint(workspace: Workspace, name: str) -> Origin:
    traffic = endpoints.traffic(workspace.resources.get("onlineEndpoints", name))
    deployments = []
    for one in workspace.resources.list("onlineEndpoints", name, "deployments"):
        share = traffic.get(one["name"], 0)
        sources = list(_assets(workspace, one["properties"], ("model",)))
        deployments.append(Origin("deployment", f"{one['name']} ({share} % of the traffic)", sources))
    return Origin("endpoint", name, deployments)


def _model(workspace: Workspace, name: str, version: str) -> Origin:
    found = workspace.resources.get("models", name, "versions", version)
    if found is None:
        raise JobError(f"{workspace.team.workspace} has no model '{name}:{version}'")
    own = found["properties"]
    run = own.get("jobName") or (own.get("properties") or {}).get("run") or _run_of(own.get("modelUri"))
    return Origin("model", f"{name}:{version}", [_run(workspace, run)] if run else [])


def _run_of(address: str | None) -> str | None:
    """Return the run whose output an address names, as in azureml://jobs/RUN/outputs/NAME."""
    _, jobs, rest = (address or "").partition("azureml://jobs/")
    return rest.partition("/")[0] if jobs else None


def _run(workspace: Workspace, name: str, title: str = "") -> Origin:
    job = workspace.resources.get("jobs", name)
    if job is None:
        return Origin("run", f"{name} (deleted)")
    # A pipeline's step is no job with properties; its history knows what it ran.
    own = job.get("properties") or workspace.history.details(name).get("runDefinition") or {}
    trial = own.get("trial") or own
    sources = [*_assets(workspace, trial, ("environmentId", "codeId")), *_inputs(own), *_commit(own)]
    children = workspace.history.children(name) if own.get("jobType") == "Pipeline" else []
    steps = [_run(workspace, child["runId"], child.get("displayName") or "a step") for child in children]
    return Origin("run", f"{name} ({title})" if title else name, [*sources, *steps, *_best_trial(own)])


def _best_trial(own: dict[str, Any]) -> Iterator[Origin]:
    """Yield the trial whose model a sweep's output is, with the values that it tried."""
    best = (own.get("properties") or {}).get(BEST)
    if best:
        yield Origin("run", f"{best} (best trial: {(own.get('tags') or {}).get(best, '')})")


def _commit(own: dict[str, Any]) -> Iterator[Origin]:
    tags, properties = own.get("tags") or {}, own.get("properties") or {}
    commit = tags.get("git_commit") or properties.get("mlflow.source.git.commit")
    dirty = tags.get("git_dirty") or properties.get("azureml.git.dirty")
    if commit:
        yield Origin("commit", f"{commit}{' and changes' if str(dirty).lower() == 'true' else ''}")


def _inputs(own: dict[str, Any]) -> Iterator[Origin]:
    for key, given in (own.get("inputs") or {}).items():
        if given and given.get("uri"):
            yield Origin("data", f"{key}: {asset_name(given['uri'])}")


def _assets(workspace: Workspace, own: dict[str, Any], keys: tuple[str, ...]) -> Iterator[Origin]:
    kinds = {"environmentId": "environment", "codeId": "code"}
    for key in keys:
        identity = own.get(key)
        if not identity:
            continue
        if key == "model":
            name, _, version = asset_name(identity).partition(":")
            yield _model(workspace, name, version)
        else:
            yield Origin(kinds[key], asset_name(identity))
