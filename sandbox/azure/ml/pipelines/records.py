"""The runs of a pipeline's nodes as run history keeps them.

Source: the recordings of azure-ai-ml's test_pipeline_reuse (2026-03) and test_reused_pipeline_child_job_download
(2026-02), listed in docs/fidelity/ml.md.
"""

import hashlib
import json
from typing import Any

from sandbox.azure.arm.core import Body
from sandbox.azure.ml import runs
from sandbox.azure.ml.pipelines.bindings import parent_output
from sandbox.azure.ml.pipelines.graph import Node
from sandbox.azure.ml.pipelines.steps import Pipeline
from sandbox.azure.ml.sweeps.definition import run_properties

CONTROL = "azureml.pipeline.control"
"""The property of a run by which a step tells values: all as JSON, or, with a name behind it, one early."""
TRAITS = ["azureml.StepRun", "scriptRun", "remote", "AlmostCommonRuntime", "OsType:Linux"]


def node_id(parent: str, name: str) -> str:
    """A node's id: 8 hexadecimal digits."""
    return hashlib.sha256(f"{parent}/{name}".encode()).hexdigest()[:8]


def fingerprint(node: Node, pipeline: Pipeline, definition: Body) -> str:
    """What must be equal for a step to reuse another: code, environment, inputs, output and run settings.

    The paths of outputs count as they were written, not as they are with the run's name. The component's name does not
    count: in the recording of test_pipeline_reuse, a step reuses that of a component of another name.
    """
    above = pipeline.properties.get("outputs") or {}
    outputs = {
        name: [given.get("uri"), above.get(parent_output(given.get("value")), {}).get("uri"), given.get("mode")]
        for name, given in node.outputs().items()
    }
    kept = {key: value for key, value in definition.items() if key != "componentId"}
    parts = [{**kept, "outputs": outputs}, pipeline.datastore]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def step_run(node: Node, parent: Body, definition: Body) -> dict[str, Any]:
    """The fields of a step's run when it is queued.

    Args:
        node: The node.
        parent: The pipeline's run.
        definition: The properties of the job that it becomes.
    """
    spec, id_ = node.spec, node_id(parent["runId"], node.name)
    root = parent.get("rootRunId") or parent["runId"]
    sweep = run_properties(definition) if definition["jobType"] == "Sweep" else {}
    target = str(definition.get("computeId") or "serverless").rsplit("/", 1)[-1]
    module = {
        "StepType": "PythonScriptStep",
        "ComputeTargetType": "AmlCompute",
        "azureml.moduleid": node.component["name"],
        "azureml.moduleFamilyId": "0",
        "azureml.moduleName": spec.get("name") or "",
        "azureml.moduleVersion": spec["version"],
    }
    common = {
        "azureml.DevPlatv2": "true",
        "azureml.DatasetAccessMode": "Asset",
        "azureml.nodeid": id_,
        "azureml.pipelinerunid": parent["runId"],
        "azureml.pipeline": parent["runId"],
        "azureml.rootpipelinerunid": root,
    }
    own = (
        {"azureml.runsource": "azureml.PipelineRun", "azureml.pipelineComponent": "pipelinerun"}
        if node.is_pipeline
        else {
            **module,
            "azureml.runsource": "azureml.StepRun",
            "azureml.pipelineComponent": "masterescloud",
            "_azureml.ComputeTargetType": "amlctrain",
            "_azureml.ClusterName": target,
            "ProcessInfoFile": "azureml-logs/process_info.json",
            "ProcessStatusFile": "azureml-logs/process_status.json",
        }
    )
    return {
        "status": "NotStarted" if node.is_pipeline else "Queued",
        "displayName": node.given.get("display_name") or node.name,
        "name": spec.get("name"),
        "description": None,
        "parentRunId": parent["runId"],
        "rootRunId": root,
        "runType": "azureml.PipelineRun" if node.is_pipeline else "azureml.StepRun",
        "traits": TRAITS,
        "properties": {**common, **own, **sweep, **(node.given.get("properties") or {})},
        "tags": {"azureml.nodeid": id_, "azureml.pipeline": parent["runId"], **(node.given.get("tags") or {})},
        "target": None if node.is_pipeline else target,
        "nodeCount": 0 if node.is_pipeline else (definition.get("resources") or {}).get("instanceCount") or 1,
    }


def reused(own: dict[str, Any], original: Body) -> dict[str, Any]:
    """The fields of a step's run that reuses another: it takes that one's state, outputs, logs and metrics over."""
    was = original["properties"]
    return {
        **own,
        "status": "NotStarted",
        "traits": ["azureml.StepRun"],
        "nodeCount": 0,
        "properties": {
            **own["properties"],
            "azureml.isreused": "true",
            runs.REUSED: original["runId"],
            "azureml.reusednodeid": was["azureml.nodeid"],
            "azureml.reusedpipeline": was["azureml.pipeline"],
            "azureml.reusedpipelinerunid": was["azureml.pipelinerunid"],
        },
    }


def taken_over(original: Body) -> dict[str, Any]:
    """What a reused step's run has of the original once that has ended."""
    return {
        key: original[key]
        for key in ("status", "startTimeUtc", "endTimeUtc", "error", "inputs", "outputs", "metrics", "parameters")
    }


def output(run: Body, name: str) -> Body | None:
    """What a step's run has put out, as an input of others; None for nothing.

    A value is what the step has told run history, else what its file has. Source of the properties: mldesigner
    0.1.0b23, `_component_executor.py` and `_input_output.py`.
    """
    told = json.loads(run["properties"].get(CONTROL) or "{}").get(name, run["properties"].get(f"{CONTROL}.{name}"))
    found = run["outputs"].get(name)
    if told is not None or (found and "value" in found):
        return {"jobInputType": "literal", "value": str(found["value"] if told is None else told)}
    return found and {"jobInputType": found["type"], "uri": found["uri"]}


def passed_on(run: Body, name: str) -> Body:
    """The record of an output of the pipeline that is this one of a step."""
    value = (output(run, name) or {}).get("value")
    return {**run["outputs"][name], **({} if value is None else {"value": value})}
