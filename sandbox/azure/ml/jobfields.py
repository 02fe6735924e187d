"""The parts that job types share: inputs, outputs, variables, limits, environments and computes, checked and completed.

Every refusal is a 400 that names the field.
"""

import json
import re

from sandbox.azure.arm.core import Body
from sandbox.azure.ml import durations
from sandbox.azure.ml.assets import environment_of
from sandbox.azure.ml.computes.kinds import INSTANCE
from sandbox.azure.ml.environments import curated
from sandbox.azure.ml.errors import UserError
from sandbox.azure.ml.scope import Scope
from sandbox.azure.ml.serverless import is_serverless

DATA_TYPES = ("uri_file", "uri_folder", "mltable", "mlflow_model", "custom_model", "triton_model")
INPUT_MODES = ("ReadOnlyMount", "ReadWriteMount", "Download", "Direct", "EvalMount", "EvalDownload")
OUTPUT_MODES = ("ReadWriteMount", "Upload", "Direct")
COMPONENT_MODES = {
    "ro_mount": "ReadOnlyMount",
    "rw_mount": "ReadWriteMount",
    "download": "Download",
    "upload": "Upload",
    "direct": "Direct",
    "eval_mount": "EvalMount",
    "eval_download": "EvalDownload",
}
"""The modes as the files of components, and so their specifications, have them: reference-yaml-component-command."""
SERVICES = ("Custom", "JupyterLab", "SSH", "TensorBoard", "VSCode")
OWN_SERVICES = ("Studio", "Tracking")
NAME = re.compile(r"[A-Za-z_]\w{0,254}", re.ASCII)


def bad(target: str, text: str) -> UserError:
    """A refusal of a field; `target` is what follows `properties.`."""
    return UserError(400, text, "BadArgument", target=f"properties.{target}")


def object_of(sent: Body, key: str) -> Body:
    """An object of the body; empty where it is absent or null."""
    found = sent.get(key) or {}
    if not isinstance(found, dict):
        raise bad(key, f"'{key}' must be an object.")
    return found


def named(sent: Body, key: str, pattern: re.Pattern[str] = NAME) -> Body:
    """Inputs or outputs by name; the names become folders and variables."""
    found = object_of(sent, key)
    for name, one in found.items():
        if not pattern.fullmatch(name) or not isinstance(one, dict):
            raise bad(f"{key}.{name}", f"'{name}' of {key}: names have letters, digits and '_', each is an object.")
    return found


def variables(sent: Body) -> dict[str, str]:
    """Environment variables; numbers and truth values, which azure-ai-ml sends raw, become text as JSON has it."""
    found = object_of(sent, "environmentVariables")
    for name, value in found.items():
        if not NAME.fullmatch(name) or not isinstance(value, str | int | float) or "\0" in str(value):
            raise bad(f"environmentVariables.{name}", f"'{name}' is no environment variable with a text: use quotes.")
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in found.items()}


def duration(target: str, text: str) -> float:
    """The seconds of a duration."""
    try:
        return durations.seconds(text)
    except ValueError as error:
        raise bad(target, f"{error}.") from error


def limits(sent: Body) -> Body:
    """The job's limits, whose timeout is a duration."""
    found = object_of(sent, "limits")
    if found.get("timeout"):
        duration("limits.timeout", str(found["timeout"]))
    return found


def job_input(name: str, given: Body) -> Body:
    """An input with the mode that the service fills in."""
    kind = given.get("jobInputType")
    if kind == "literal":
        if given.get("value") in {None, ""}:  # the model requires one: azure-sdk-for-python#41834
            raise bad(f"inputs.{name}.value", f"The Value field is required, which the literal input '{name}' has not.")
        if "\0" in str(given["value"]):
            raise bad(f"inputs.{name}.value", f"The literal input '{name}' has a character that no command can have.")
        return dict(given)
    if kind not in DATA_TYPES:
        raise bad(f"inputs.{name}.jobInputType", f"Input type '{kind}' is not one of literal, {', '.join(DATA_TYPES)}.")
    if not given.get("uri"):
        raise bad(f"inputs.{name}.uri", f"The input '{name}' needs a uri.")
    mode = given.get("mode") or "ReadOnlyMount"
    if mode not in INPUT_MODES:
        raise bad(f"inputs.{name}.mode", f"Input mode '{mode}' is not one of {', '.join(INPUT_MODES)}.")
    return {**given, "mode": mode}


def job_output(name: str, given: Body) -> Body:
    """An output with the mode that the service fills in."""
    kind = given.get("jobOutputType")
    if kind not in DATA_TYPES:
        raise bad(f"outputs.{name}.jobOutputType", f"Output type '{kind}' is not one of {', '.join(DATA_TYPES)}.")
    mode = given.get("mode") or "ReadWriteMount"
    if mode not in OUTPUT_MODES:
        raise bad(f"outputs.{name}.mode", f"Output mode '{mode}' is not one of {', '.join(OUTPUT_MODES)}.")
    return {**given, "mode": mode}


def services(sent: Body) -> Body:
    """The interactive services that a job asks for; those that the service itself adds come back in a second PUT."""
    found = {name: one for name, one in object_of(sent, "services").items() if name not in OWN_SERVICES}
    for name, one in found.items():
        kind = one.get("jobServiceType") if isinstance(one, dict) else None
        if kind not in SERVICES:
            raise bad(f"services.{name}.jobServiceType", f"'{kind}' is not one of {', '.join(SERVICES)}.")
    return found


def environment(scope: Scope, reference: str) -> str:
    """The id of the version; a label is resolved now, as the job keeps what it was submitted with.

    A curated environment stays in the form in which it was sent: the recording test_command_job_with_dataset.
    """
    if not reference:
        raise bad("environmentId", "A command job needs an environment.")
    found = environment_of(scope, reference)
    if found is None:
        raise bad("environmentId", f"Environment '{reference}' was not found.{_hint(reference)}")
    return reference if found["properties"].get("environmentType") == "Curated" else str(found["id"])


def _hint(reference: str) -> str:
    """What the sandbox knows of curated environments and registries, where one was asked for."""
    if curated.PREFIX.lower() not in reference.lower() and "registries/" not in reference.lower():
        return ""
    return (
        f" The sandbox knows the registry '{curated.REGISTRY}' with these environments: {', '.join(curated.names())}. "
        "For another one make an environment in the workspace, with a conda file of what the job imports."
    )


def compute(scope: Scope, sent: Body, nodes: int = 1) -> str | None:
    """The id of the compute; None where a job names none, and so is serverless.

    Args:
        scope: The workspace, with the submitter as caller.
        sent: Has the `computeId`, by id or name.
        nodes: How many the job needs.
    """
    name = str(sent.get("computeId") or "").rstrip("/").rsplit("/", 1)[-1].removeprefix("azureml:")
    if is_serverless(name):
        return f"{scope.id}/computes/{name}" if name else None
    found = scope.get("resource", "computes", name)
    if found is None:
        raise UserError(
            400, f"Unknown compute target '{name}'.", "BadArgument", "UnknownTargetType", target="properties.computeId"
        )
    inner = found["properties"]["properties"]
    if found["properties"]["computeType"] == INSTANCE:
        _check_instance(scope, found, nodes)
    elif nodes > inner["scaleSettings"]["maxNodeCount"]:
        most = inner["scaleSettings"]["maxNodeCount"]
        raise bad(
            "resources.instanceCount", f"The job needs {nodes} nodes, and the cluster '{name}' has at most {most}."
        )
    return str(found["id"])


def _check_instance(scope: Scope, instance: Body, nodes: int) -> None:
    """An instance is one node, and its jobs are those of the person that it is assigned to."""
    inner = instance["properties"]["properties"]
    assigned = (inner.get("personalComputeInstanceSettings") or {}).get("assignedUser") or {}
    owner = assigned.get("objectId") or inner["createdBy"]["userId"]
    if inner["computeInstanceAuthorizationType"] == "personal" and owner != scope.caller.object_id:
        raise bad("computeId", f"The compute instance '{instance['name']}' is assigned to somebody else.")
    if nodes > 1:
        raise bad("resources.instanceCount", f"The compute instance '{instance['name']}' is one node.")
