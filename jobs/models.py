"""Registered models: register, compare, download, promote to the department's registry."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jobs.downloads import whole
from jobs.errors import JobError
from jobs.quiet import quietly
from jobs.workspace import Workspace

if TYPE_CHECKING:
    from azure.ai.ml.entities import Model

    from jobs.runs import Run


def find(workspace: Workspace, text: str) -> Model:
    """Find a model by `NAME` (its latest version) or `NAME:VERSION`.

    Raises:
        JobError: There is no such model.
    """
    from azure.core.exceptions import ResourceNotFoundError  # noqa: PLC0415

    if "/" in text:  # of a deployment that is no file
        raise JobError(f"{text}: no such file or folder, and no model has this name")
    name, _, version = text.removeprefix("azureml:").partition(":")
    models = workspace.client.models
    try:
        if not version:
            version = latest(workspace, name)
        found: Model = models.get(name, version)
    except ResourceNotFoundError:
        raise JobError(
            f"{workspace.team.workspace} has no model '{text}'; `python -m jobs models ls` lists the models"
        ) from None
    return found


def needs_script(source: str, kind: str) -> str:
    """Say why a model that is none of MLflow's cannot be deployed by its name alone."""
    return (
        f"model {source} is a {kind}: it needs a scoring script, so write a deployment's YAML "
        "with code_configuration and environment, and give that file; only an MLflow model needs none"
    )


def latest(workspace: Workspace, name: str) -> str:
    """Return the latest version of a model.

    Raises:
        JobError: There is no such model.
    """
    found = workspace.resources.get("models", name)
    version = ((found or {}).get("properties") or {}).get("latestVersion")
    if not version:
        raise JobError(f"{workspace.team.workspace} has no model '{name}'; `python -m jobs models ls` lists the models")
    return str(version)


def register(workspace: Workspace, name: str, path: str, kind: str, description: str) -> Model:
    """Register a file, a folder, or a run's output (`azureml://jobs/RUN/outputs/NAME`) as a model's next version.

    Args:
        workspace: The team's workspace.
        name: Name of the model.
        path: Where its files are.
        kind: `custom_model`, `mlflow_model` or `triton_model`.
        description: What it is, for people.
    """
    from azure.ai.ml.entities import Model  # noqa: PLC0415

    model = Model(name=name, path=path, type=kind, description=description or None)
    made: Model = quietly(lambda: workspace.client.models.create_or_update(model))
    return made


def register_run(workspace: Workspace, run: Run, model: str) -> str:
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


def download(workspace: Workspace, model: Model, folder: Path) -> Path:
    """Download a model's files to `folder/NAME` and return that folder."""
    name, version = str(model.name), str(model.version)
    with whole(folder) as part:
        quietly(lambda: workspace.client.models.download(name, version, download_path=str(part)))
    return folder / str(model.name)


def promote(workspace: Workspace, model: Model) -> str:
    """Copy a model to the department's registry, under the same name and version; returns its address there.

    Raises:
        JobError: The department has no registry.
    """
    registry = workspace.outputs.department.model_registry
    if registry is None:
        raise JobError(
            f"department {workspace.outputs.department.code} has no registry of models: modelRegistry in the stack file"
        )
    name, version = str(model.name), str(model.version)
    workspace.client.models.share(
        name, version, share_with_name=name, share_with_version=version, registry_name=registry.name
    )
    return f"{registry.uri}/models/{name}/versions/{version}"
