"""Pipeline jobs: nodes with components, or one registered pipeline component."""

import json
import re
from typing import Any

from sandbox.azure.arm.core import Body
from sandbox.azure.ml import jobfields
from sandbox.azure.ml.assets import by_asset_id
from sandbox.azure.ml.jobfields import bad
from sandbox.azure.ml.jobs import work
from sandbox.azure.ml.pipelines.graph import PIPELINE, Graph, read
from sandbox.azure.ml.pipelines.steps import Pipeline, with_identity_type
from sandbox.azure.ml.pipelines.sweeps import check
from sandbox.azure.ml.scope import Scope

INPUT_NAME = re.compile(r"[A-Za-z_][\w.]{0,254}", re.ASCII)  # a group's inputs have its name and a dot before theirs


def checked(scope: Scope, sent: Body) -> Body:
    """The job's definition with what the service fills in.

    Raises:
        UserError: 400, naming the field.
    """
    job: Body = {
        "jobType": "Pipeline",
        "computeId": sent.get("computeId") and jobfields.compute(scope, sent),
        "inputs": {
            name: jobfields.job_input(name, one) for name, one in jobfields.named(sent, "inputs", INPUT_NAME).items()
        },
        "outputs": {name: jobfields.job_output(name, one) for name, one in jobfields.named(sent, "outputs").items()},
        "jobs": {name: with_identity_type(node) for name, node in jobfields.object_of(sent, "jobs").items()},
        "settings": jobfields.object_of(sent, "settings"),
        "identity": jobfields.object_of(sent, "identity") or None,
        "componentId": sent.get("componentId"),
        "sourceJobId": sent.get("sourceJobId"),
    }
    graph = graph_of(scope, job)
    pipeline = Pipeline("", job)
    for node in graph.nodes.values():
        if node.is_sweep:
            check(node)
        given = str(node.given.get("computeId") or pipeline.compute)
        if given and "${{" not in given:
            jobfields.compute(scope, {"computeId": given})
    return job


def graph_of(scope: Scope, job: Body) -> Graph:
    """The graph of a job's own nodes, or of its component's.

    Raises:
        UserError: 400, naming the node.
    """
    if not job.get("componentId"):
        return read(scope, job["jobs"], job["inputs"], job["outputs"])
    component = by_asset_id(scope, str(job["componentId"]))
    spec: Body = component["properties"]["componentSpec"] if component else {"type": None}
    if component is None or spec["type"] != PIPELINE:
        raise bad("componentId", f"'{job['componentId']}' is no pipeline component of the workspace.")
    declared = spec.get("inputs") or {}
    for name, one in declared.items():
        if name not in job["inputs"] and "default" not in one and one.get("optional") != "True":
            raise bad(f"inputs.{name}", f"The pipeline needs the input '{name}'.")
    nodes = job["jobs"] or component["properties"].get("jobs")
    return read(scope, nodes, declared, spec.get("outputs") or {})


def run_fields(job: Body) -> Body:
    """What the job's run begins with: the service adds its properties when it begins to run."""
    return {"status": "NotStarted", "properties": {}, "parameters": literals(job["inputs"])}


def literals(inputs: Body) -> dict[str, Any]:
    """The values of the literal inputs, as text."""
    return {name: str(one["value"]) for name, one in inputs.items() if one["jobInputType"] == "literal"}


def running_properties(pipeline: Pipeline) -> dict[str, str]:
    """The properties of a pipeline's run from its beginning on.

    Source: the recordings of azure-ai-ml's test_pipeline_reuse (2026-03) and test_pipeline_component_job (2023-10).
    """
    component = pipeline.properties.get("componentId")
    return {
        **({"azureml.SourceComponentId": component} if component else {}),
        "azureml.DevPlatv2": "true",
        "azureml.DatasetAccessMode": "Asset",
        "azureml.runsource": "azureml.PipelineRun",
        "runSource": "MFE",
        "runType": "HTTP",
        "azureml.parameters": json.dumps(literals(pipeline.properties["inputs"]), separators=(",", ":")),
        "azureml.continue_on_step_failure": str(pipeline.continues),
        "azureml.continue_on_failed_optional_input": "True",
        "azureml.enforceRerun": str(pipeline.forced),
        **({"azureml.defaultComputeName": pipeline.compute.rsplit("/", 1)[-1]} if pipeline.compute else {}),
        "azureml.defaultDataStoreName": pipeline.datastore,
        "azureml.pipelineComponent": "pipelinerun",
    }


def start(scope: Scope, name: str, job: Body, **more: str) -> None:
    """Queues the job."""
    del job
    work.submit(scope, name, work.GRAPH, **more)
