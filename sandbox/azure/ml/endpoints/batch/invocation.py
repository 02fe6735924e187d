"""What a call of a batch endpoint becomes: a pipeline job, of a parallel step for a model or of the component.

Source: learn.microsoft.com/azure/machine-learning/how-to-use-batch-model-deployments and
how-to-access-data-batch-endpoints-jobs; for the form on the wire azure-ai-ml 1.35.2.
"""

import hashlib
import re
import shlex
import uuid
from pathlib import Path
from typing import Any

from sandbox.azure.arm.core import Body
from sandbox.azure.ml import runs
from sandbox.azure.ml.access import open_place
from sandbox.azure.ml.assetkinds import ANONYMOUS_ENVIRONMENT, BY_PLURAL
from sandbox.azure.ml.components import ANONYMOUS, KIND, ComponentRoutes
from sandbox.azure.ml.durations import seconds
from sandbox.azure.ml.endpoints.batch import jobs
from sandbox.azure.ml.endpoints.batch.deployment import APPEND, asset_of
from sandbox.azure.ml.identities import workspace_identity
from sandbox.azure.ml.jobfields import bad, object_of
from sandbox.azure.ml.jobs.submission import submit
from sandbox.azure.ml.registration import put_version
from sandbox.azure.ml.scope import Scope
from sandbox.azure.ml.uris import locate_asset

STEP, SCORE, INPUT, MODEL = "batchscoring", "score", "input", "model"
TYPES = ("uri_file", "uri_folder", "mltable", "mlflow_model", "custom_model", "triton_model", "literal")
MLFLOW_SCRIPT = Path(__file__).parents[2] / "runner" / "inside" / "mlflow_batch.py"
NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,254}")


def invoke(scope: Scope, endpoint: Body, deployment: Body, sent: Body) -> Body:
    """Begins a job; gives it as the endpoint answers.

    Args:
        scope: The workspace, with the caller.
        endpoint: The endpoint.
        deployment: The deployment that carries it out.
        sent: The body's `properties`.

    Raises:
        UserError: 400, naming the field.
    """
    name = str(sent.get("name") or f"batchjob-{uuid.uuid4()}")
    if not NAME.fullmatch(name) or scope.get(runs.JOB, "jobs", name) is not None:
        raise bad("name", f"The job's name '{name}' is taken, or not valid.")
    inputs, outputs = _data(sent, "inputData", "jobInputType"), _data(sent, "outputData", "jobOutputType")
    component = deployment["properties"]["deploymentConfiguration"]
    with scope.cloud.store.transaction():
        own = (
            _pipeline(scope, component, inputs, outputs) if component else _scoring(scope, deployment, inputs, outputs)
        )
        common = {
            "jobType": "Pipeline",
            "experimentName": object_of(sent, "properties").get("experimentName") or endpoint["name"],
            "tags": _tags(deployment, of_component=bool(component)),
            "properties": {
                "runSource": "BatchDeployment",
                "azureml.runLineageType": "batchDeployment",
                "azureml.endpointname": endpoint["name"],
            },
        }
        submit(scope, name, {**common, **own})
        jobs.note(scope, endpoint, deployment, name, sent)
    known = {"job": name, "deployment": deployment["name"], "inputData": sent.get("inputData") or {}}
    return jobs.shown(scope, endpoint["id"], known, scope.get(runs.RUN, name) or {})


def _tags(deployment: Body, *, of_component: bool) -> Body:
    """By the kind azure-ai-ml tells where a download finds the predictions."""
    kind = "azureml.pipelinejob" if of_component else "azureml.batchjob"
    return {"azureml.batchrun": "true", "azureml.deploymentname": deployment["name"], "azureml.jobtype": kind}


def _data(sent: Body, side: str, key: str) -> dict[str, Body]:
    """Inputs or outputs, with types as jobs have them: `UriFolder` is `uri_folder`."""
    found = {}
    for name, one in object_of(sent, side).items():
        if not isinstance(one, dict):
            raise bad(f"{side}.{name}", f"'{name}' of {side} must be an object.")
        given = str(one.get(key) or name)
        kind = next((kind for kind in TYPES if kind.replace("_", "") == given.replace("_", "").lower()), "")
        if not kind:
            raise bad(f"{side}.{name}.{key}", f"'{given}' is not one of {', '.join(TYPES)}.")
        needs = "value" if kind == "literal" else "uri"
        if side == "inputData" and one.get(needs) is None:
            raise bad(f"{side}.{name}.{needs}", f"The input '{name}' of type '{given}' needs a {needs}.")
        found[name] = {**one, key: kind}
    return found


def _pipeline(scope: Scope, configuration: Body, inputs: dict[str, Body], outputs: dict[str, Body]) -> Body:
    """A job of the deployed component with the deployment's settings."""
    component = asset_of(scope, configuration["componentId"]) or {"id": ""}
    settings = {
        key.rpartition(".")[2]: _plain(value) for key, value in (configuration.get("settings") or {}).items() if value
    }
    return {"componentId": component["id"], "inputs": inputs, "outputs": outputs, "settings": settings}


def _plain(value: Any) -> Any:
    return value.removeprefix("azureml:") if isinstance(value, str) else value


def _scoring(scope: Scope, deployment: Body, inputs: dict[str, Body], outputs: dict[str, Body]) -> Body:
    """A job of one parallel step: the scoring script, or the model itself, on each mini-batch of the input."""
    if len(inputs) != 1:
        raise bad("inputData", f"A model deployment takes one input of data, not {len(inputs)}.")
    (given,) = inputs.values()
    properties, model = deployment["properties"], asset_of(scope, deployment["properties"]["model"])
    if model is None:
        raise bad("model", "The deployment's model was deleted.")
    kind = given["jobInputType"]
    appends = properties["outputAction"] == APPEND
    score = next(iter(outputs.values()), {})
    file = "uri_file" if score.get("jobOutputType") == "uri_file" else ""
    target = f"${{{{outputs.{SCORE}}}}}"
    task = {
        **_task(scope, properties, model),
        **(
            {"append_row_to": target if file else f"{target}/{shlex.quote(properties['outputFileName'])}"}
            if appends
            else {}
        ),
    }
    component = _component(scope, kind, file or "uri_folder", task)
    uri = model["properties"]["modelUri"].rstrip("/")
    node: Body = {
        "name": STEP,
        "type": "parallel",
        "componentId": component["id"],
        "computeId": properties["compute"],
        "inputs": {
            INPUT: {"job_input_type": kind, "uri": given.get("uri"), "mode": "ReadOnlyMount"},
            MODEL: {"job_input_type": "custom_model", "uri": model["properties"]["modelUri"], "mode": "Download"},
        },
        "outputs": {SCORE: {"uri": score["uri"], "mode": "ReadWriteMount", "job_output_type": file or "uri_folder"}}
        if score.get("uri")
        else {},
        "resources": {"instance_count": properties["resources"]["instanceCount"]},
        "input_data": f"${{{{inputs.{INPUT}}}}}",
        "mini_batch_size": properties["miniBatchSize"],
        "max_concurrency_per_instance": properties["maxConcurrencyPerInstance"],
        "error_threshold": properties["errorThreshold"],
        "logging_level": properties["loggingLevel"].upper(),
        "retry_settings": {
            "max_retries": properties["retrySettings"]["maxRetries"],
            "timeout": int(seconds(properties["retrySettings"]["timeout"])),
        },
        "environment_variables": properties["environmentVariables"],
        "model": {
            "name": model["id"].split("/")[-3],
            "version": model["name"],
            "base": uri.rsplit("/", 1)[-1],
            "path": f"${{{{inputs.{MODEL}}}}}",
            "output": target,
        },
    }
    return {"jobs": {STEP: node}, "settings": {"force_rerun": "true"}}


def _component(scope: Scope, kind: str, score: str, task: Body) -> Body:
    """The anonymous component of such a step."""
    spec = {
        "name": ANONYMOUS,
        "type": "parallel",
        "is_deterministic": False,
        "inputs": {INPUT: {"type": kind}, MODEL: {"type": "custom_model"}},
        "outputs": {SCORE: {"type": score}},
        "task": task,
    }
    made, _ = ComponentRoutes(KIND).put(scope, ANONYMOUS, "1", {"componentSpec": spec})
    return made


def _task(scope: Scope, properties: Body, model: Body) -> Body:
    code = properties["codeConfiguration"]
    if code:
        return {
            "type": "run_function",
            "entry_script": code["scoringScript"],
            "code": code["codeId"],
            "environment": properties["environmentId"],
        }
    environment = properties["environmentId"] or _mlflow_environment(scope, model)
    return {"type": "run_function", "entry_script": str(MLFLOW_SCRIPT), "environment": environment}


def _mlflow_environment(scope: Scope, model: Body) -> str:
    """The environment that an MLflow model asks for, by the conda file that lies with it."""
    place = open_place(scope, locate_asset(scope, model), workspace_identity(scope))
    blob = place.container.find(f"{place.path}/conda.yaml")
    if blob is None:
        raise bad("model", "The MLflow model has no conda.yaml: name an environment.")
    text = b"".join(place.container.content.read(blob.segments, 0, blob.size)).decode("utf-8-sig")
    version = hashlib.sha256(text.encode()).hexdigest()[:32]
    content = {"condaFile": text, "image": "mcr.microsoft.com/azureml/mlflow", "isAnonymous": True}
    made, _ = put_version(scope, BY_PLURAL["environments"], ANONYMOUS_ENVIRONMENT, version, content)
    return str(made["id"])
