"""Command jobs: one command on the nodes of a compute."""

import uuid

from sandbox.azure.arm.core import Body
from sandbox.azure.ml.assets import by_asset_id
from sandbox.azure.ml.command import optional_names, references
from sandbox.azure.ml.jobs import fields, work
from sandbox.azure.ml.jobs.fields import bad
from sandbox.azure.ml.scope import Scope


def checked(scope: Scope, sent: Body) -> Body:
    """The job's definition with what the service fills in.

    Raises:
        UserError: 400, naming the field.
    """
    command = sent.get("command")
    if not isinstance(command, str) or not command.strip() or "\0" in command:
        raise bad("command", "A command job needs a command.")
    job: Body = {
        "jobType": "Command",
        "command": command,
        "codeId": sent.get("codeId"),
        "environmentId": fields.environment(scope, str(sent.get("environmentId") or "")),
        "computeId": fields.compute(scope, sent),
        "inputs": {name: fields.job_input(name, one) for name, one in fields.named(sent, "inputs").items()},
        "outputs": {name: fields.job_output(name, one) for name, one in fields.named(sent, "outputs").items()},
        "environmentVariables": fields.variables(sent),
        "distribution": fields.object_of(sent, "distribution") or None,
        "limits": fields.limits(sent),
        "resources": _resources(sent),
        "identity": fields.object_of(sent, "identity") or None,
        "queueSettings": sent.get("queueSettings"),
        "componentId": sent.get("componentId"),
        "parameters": {},
    }
    if job["codeId"] and by_asset_id(scope, job["codeId"]) is None:
        raise bad("codeId", f"Code '{job['codeId']}' was not found.")
    _check_command(job)
    return job


def run_fields(scope: Scope, job: Body) -> Body:
    """What the job's run begins with."""
    del scope
    return {
        "status": "Queued",
        "properties": {
            "_azureml.ComputeTargetType": "amlctrain",
            "ContentSnapshotId": str(uuid.uuid4()),
            "ProcessInfoFile": "azureml-logs/process_info.json",
            "ProcessStatusFile": "azureml-logs/process_status.json",
        },
        "target": job["computeId"].rsplit("/", 1)[-1],
        "parameters": {
            key: str(one["value"]) for key, one in job["inputs"].items() if one["jobInputType"] == "literal"
        },
    }


def start(scope: Scope, name: str, job: Body, **more: str) -> None:
    """Queues the job."""
    work.submit(scope, name, work.PROCESS, compute=job["computeId"], **more)


def _resources(sent: Body) -> Body:
    resources, distribution = fields.object_of(sent, "resources"), fields.object_of(sent, "distribution")
    count = resources.get("instanceCount") or 1
    if count != 1 or distribution.get("processCountPerInstance", 1) not in (None, 1):
        raise bad(
            "resources.instanceCount",
            "Jobs on several nodes or with several processes are not emulated by the sandbox yet: instance_count and "
            "process_count_per_instance must be 1.",
        )
    return {**resources, "instanceCount": 1}


def _check_command(job: Body) -> None:
    optional = optional_names(job["command"])
    for expression, kind, name in references(job["command"]):
        known = job.get(kind, {}) if kind else {}
        if name not in known and name not in optional:
            raise bad("command", f"The command's expression '{expression}' names no input or output of the job.")
