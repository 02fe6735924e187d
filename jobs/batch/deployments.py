"""What a batch endpoint serves: a model or a pipeline, from a file or from the workspace's models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from jobs.errors import JobError, invalid
from jobs.models import find as find_model
from jobs.models import needs_script
from jobs.quiet import quietly
from jobs.submission.fit import choose
from jobs.workspace import Workspace
from terminal import read_text

FILE = "batch.yml"
"""Name of the deployment's file in a folder."""


@dataclass(frozen=True)
class Release:
    """What is deployed to a batch endpoint.

    Attributes:
        source: A batch deployment's or a pipeline component's YAML file, a folder with a batch.yml, or an MLflow model
            (`NAME:VERSION`).
        name: Name of the deployment, instead of the file's or the model's.
        cluster: Cluster that it works on, or `cheapest`, instead of the file's.
        nodes: Nodes that a job uses, instead of the file's; for a model only.
    """

    source: str
    name: str | None = None
    cluster: str | None = None
    nodes: int | None = None


def deploy(workspace: Workspace, endpoint: str, release: Release, say: Callable[[str], None]) -> str:
    """Deploy to a batch endpoint, which is made if there is none; calls go to the new deployment from then on.

    Args:
        workspace: The team's workspace.
        endpoint: Name of the endpoint, unique in the region.
        release: What is deployed.
        say: Gets a line for each step.

    Returns:
        The name of the deployment.

    Raises:
        JobError: The release is wrong, or Azure ML refused it; the earlier deployment then serves as before.
    """
    from azure.ai.ml.entities import BatchEndpoint  # noqa: PLC0415

    deployment = _deployment(workspace, release)
    deployment.endpoint_name = endpoint
    client = workspace.client
    try:
        if workspace.resources.get("batchEndpoints", endpoint) is None:
            say(f"making batch endpoint {endpoint}")
            new = BatchEndpoint(name=endpoint, tags=dict(workspace.team.tags))
            quietly(lambda: client.batch_endpoints.begin_create_or_update(new).result())
        say(f"deploying {release.source} as {deployment.name} of {endpoint}")
        quietly(lambda: client.batch_deployments.begin_create_or_update(deployment).result())
        found = client.batch_endpoints.get(endpoint)
        found.defaults = {"deployment_name": deployment.name}
        quietly(lambda: client.batch_endpoints.begin_create_or_update(found).result())
    except Exception as error:  # azure-ai-ml passes on what its validators, storage and Azure raise, all kinds
        raise JobError(f"{release.source} cannot be deployed to {endpoint}: {invalid(error)}") from error
    return str(deployment.name)


def _deployment(workspace: Workspace, release: Release) -> Any:
    from azure.ai.ml.entities import ResourceConfiguration  # noqa: PLC0415

    path = Path(release.source)
    path = path / FILE if path.is_dir() else path
    made = _from_file(workspace, path, release.name) if path.is_file() else _from_model(workspace, release.source)
    made.name = release.name or made.name
    if hasattr(made, "component"):
        settings = made.settings or {}
        cluster = choose(workspace.team, release.cluster or settings.get("default_compute"))
        made.settings = {**settings, "default_compute": cluster}
    else:
        made.compute = choose(workspace.team, release.cluster or made.compute)
        if release.nodes:
            made.resources = ResourceConfiguration(instance_count=release.nodes)
    return made


def _from_file(workspace: Workspace, path: Path, name: str | None) -> Any:
    from azure.ai.ml import load_batch_deployment, load_component  # noqa: PLC0415
    from azure.ai.ml.entities import PipelineComponentBatchDeployment  # noqa: PLC0415
    from azure.ai.ml.entities._load_functions import load_model_batch_deployment as load_model  # noqa: PLC0415
    from azure.ai.ml.entities._load_functions import load_pipeline_component_batch_deployment as load_pipeline  # noqa: PLC0415

    try:
        read = yaml.safe_load(read_text(path))
        if not isinstance(read, dict) or "jobs" not in read:
            # azure-ai-ml loads each kind by a function of its own; the one for all knows no `settings`
            kinds: dict[str, Any] = {"model": load_model, "pipeline": load_pipeline}
            return kinds.get(str((read or {}).get("type")), load_batch_deployment)(path)
        component = load_component(path)
        registered = quietly(lambda: workspace.client.components.create_or_update(component))
    except Exception as error:  # as above
        raise JobError(f"{path}: {invalid(error)}") from error
    return PipelineComponentBatchDeployment(name=name or registered.name.replace("_", "-"), component=registered)


def _from_model(workspace: Workspace, source: str) -> Any:
    from azure.ai.ml.entities import ModelBatchDeployment  # noqa: PLC0415

    model = find_model(workspace, source)
    if model.type != "mlflow_model":
        raise JobError(needs_script(source, str(model.type)))
    name = f"{model.name}-{model.version}".replace("_", "-").lower()
    return ModelBatchDeployment(name=name, model=model)


def delete(workspace: Workspace, endpoint: str) -> None:
    """Delete an endpoint with its deployments; its jobs stay.

    Raises:
        JobError: There is no such endpoint.
    """
    workspace.existing("batchEndpoints", endpoint)  # says clearly when there is none
    quietly(lambda: workspace.client.batch_endpoints.begin_delete(endpoint).result())
