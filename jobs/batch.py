"""Batch endpoints: a model, or a whole pipeline, that is called with the place of its data and works as a job."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from jobs import data
from jobs.errors import JobError, invalid
from jobs.lake import opened
from jobs.models import find as find_model
from jobs.models import needs_script
from jobs.quiet import quietly
from jobs.resources import asset_name
from jobs.submission.fit import choose
from jobs.workspace import Workspace
from terminal import read_text

FILE = "batch.yml"
"""Name of the deployment's file in a folder."""

_DATA = "data"  # what a model's only input is called; Azure ML takes any name
_LITERALS = ("string", "number", "integer", "boolean")


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


def invoke(
    workspace: Workspace, endpoint: str, given: str | None, named: Mapping[str, str], deployment: str | None
) -> str:
    """Begin a job of a batch endpoint.

    Args:
        workspace: The team's workspace.
        endpoint: Name of the endpoint.
        given: The only input of data: a local file or folder, `DATASTORE/PATH`, `azureml:NAME:VERSION` or an address.
        named: Inputs by name, of data as above or literals.
        deployment: Carries it out; the endpoint's default if None.

    Returns:
        The name of the job.

    Raises:
        JobError: There is no such endpoint or data, or an input is missing or unknown, or Azure ML refused the job.
    """
    wanted = _inputs(workspace, endpoint, deployment)
    values = dict(named)
    if given is not None:
        of_data = [name for name, kind in wanted.items() if kind not in _LITERALS and name not in values]
        if len(of_data) != 1:
            raise JobError(f"{endpoint} takes {_words(wanted)}: give each as --input NAME=VALUE")
        values[of_data[0]] = given
    unknown = sorted(set(values) - set(wanted))
    if unknown:
        raise JobError(f"{endpoint} has no input '{unknown[0]}'; it takes {_words(wanted)}")
    if not values:
        raise JobError(f"give the data: DATASTORE/PATH, a local path or azureml:NAME:VERSION; it is {_words(wanted)}")
    inputs = {name: _input(workspace, value, wanted[name]) for name, value in values.items()}
    invoke_endpoint = workspace.client.batch_endpoints.invoke
    try:
        job = quietly(lambda: invoke_endpoint(endpoint, deployment_name=deployment, inputs=inputs))
    except Exception as error:  # as above
        raise JobError(f"{endpoint} cannot be called: {invalid(error)}") from error
    return str(job.name)


def _words(wanted: Mapping[str, str]) -> str:
    return ", ".join(f"{name} ({kind})" for name, kind in wanted.items()) or "no inputs"


def _inputs(workspace: Workspace, endpoint: str, deployment: str | None) -> dict[str, str]:
    """Return the types of the inputs of a deployment by their names.

    Raises:
        JobError: There is no such endpoint or deployment, or the endpoint has no default one.
    """
    found = workspace.existing("batchEndpoints", endpoint)
    name = deployment or (found["properties"].get("defaults") or {}).get("deploymentName")
    own = name and workspace.resources.get("batchEndpoints", endpoint, "deployments", name)
    if not own:
        there = ", ".join(one["name"] for one in workspace.resources.list("batchEndpoints", endpoint, "deployments"))
        said = f"no deployment '{name}'" if name else "no default deployment"
        raise JobError(f"batch endpoint {endpoint} has {said}; its deployments: {there or 'none'}")
    component = (own["properties"].get("deploymentConfiguration") or {}).get("componentId") or {}
    if not component:
        return {_DATA: "uri_folder"}
    name, _, version = asset_name(component.get("assetId")).partition(":")
    spec = workspace.resources.get("components", name, "versions", version) or {"properties": {"componentSpec": {}}}
    inputs = spec["properties"]["componentSpec"].get("inputs") or {}
    return {key: str(one.get("type")) for key, one in inputs.items()}


def _input(workspace: Workspace, value: str, kind: str) -> Any:
    from azure.ai.ml import Input  # noqa: PLC0415

    if kind in _LITERALS:
        return Input(type=kind, default=value)
    path = Path(value)
    if path.exists():
        return Input(type="uri_file" if path.is_file() else "uri_folder", path=str(path.absolute()))
    if value.startswith("azureml:") and "://" not in value:
        return Input(type=_type_of_asset(workspace, value), path=value)
    if "://" in value:
        return Input(type=kind, path=value)
    place = data.place(workspace, value)
    return Input(type=_type_of_place(workspace, place), path=place.address)


def _type_of_asset(workspace: Workspace, value: str) -> str:
    name, _, version = value.removeprefix("azureml:").replace("@", ":").partition(":")
    if version == "latest":
        found = workspace.resources.get("data", name)
        version = str(((found or {}).get("properties") or {}).get("latestVersion"))
    asset = workspace.resources.get("data", name, "versions", version)
    if asset is None:
        raise JobError(f"{workspace.team.workspace} has no data '{name}:{version}'; `python -m jobs data assets`")
    return str(asset["properties"]["dataType"])


def _type_of_place(workspace: Workspace, place: data.Place) -> str:
    """Return whether a place is a file or a folder.

    Raises:
        JobError: There is neither.
    """
    from azure.core.exceptions import ResourceNotFoundError  # noqa: PLC0415

    if not place.path:
        return "uri_folder"
    with opened(place.datastore, workspace.credential) as files:
        try:
            found = files.get_file_client(place.path).get_file_properties()
        except ResourceNotFoundError:
            raise JobError(f"{place.name} has no file or folder '{place.path}'") from None
    return "uri_folder" if (found.metadata or {}).get("hdi_isfolder") else "uri_file"


def listed(workspace: Workspace, endpoint: str) -> Iterator[dict[str, str]]:
    """Yield the jobs of an endpoint, newest first: name, status and deployment.

    Raises:
        JobError: There is no such endpoint.
    """
    workspace.existing("batchEndpoints", endpoint)  # says clearly when there is none
    for job in quietly(lambda: list(workspace.client.batch_endpoints.list_jobs(endpoint))):
        deployment = job.id.partition("/deployments/")[2].partition("/")[0]
        yield {"job": str(job.name), "status": str(job.status), "deployment": deployment}


def download(workspace: Workspace, job: str, folder: Path) -> Path:
    """Download the predictions of a job to `folder/JOB`, and return that folder.

    Raises:
        JobError: There is no such job, or it is none of a batch endpoint.
    """
    tags = workspace.history.run(job).get("tags") or {}
    if "azureml.batchrun" not in tags:
        raise JobError(f"run {job} is no job of a batch endpoint: `python -m jobs download {job}`")
    target = folder / job
    # azure-ai-ml finds a model's predictions in the job's one step, and a pipeline's in its own outputs
    everything = tags.get("azureml.jobtype") == "azureml.pipelinejob"
    quietly(lambda: workspace.client.jobs.download(job, download_path=target, all=everything))
    return target


def delete(workspace: Workspace, endpoint: str) -> None:
    """Delete an endpoint with its deployments; its jobs stay.

    Raises:
        JobError: There is no such endpoint.
    """
    workspace.existing("batchEndpoints", endpoint)  # says clearly when there is none
    quietly(lambda: workspace.client.batch_endpoints.begin_delete(endpoint).result())
