"""Calls of a batch endpoint: a job on data, the list of them, and their predictions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jobs import data
from jobs.downloads import whole
from jobs.errors import JobError, invalid
from jobs.lake import opened
from jobs.quiet import quietly
from jobs.resources import asset_name
from jobs.workspace import Workspace

_DATA = "data"  # what a model's only input is called; Azure ML takes any name
_LITERALS = ("string", "number", "integer", "boolean")


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
    except Exception as error:  # azure-ai-ml passes on what its validators, storage and Azure raise, all kinds
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
    if value.startswith((".", "/", "~")):
        raise JobError(f"{value}: no such file or folder")
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
    # azure-ai-ml finds a model's predictions in the job's one step, and a pipeline's in its own outputs
    everything = tags.get("azureml.jobtype") == "azureml.pipelinejob"
    with whole(folder) as part:
        quietly(lambda: workspace.client.jobs.download(job, download_path=part / job, all=everything))
    return folder / job
