"""Command jobs: one command on the nodes of a compute."""

import re
import uuid
from typing import Any

from sandbox.azure.arm.core import Body
from sandbox.azure.ml import jobfields
from sandbox.azure.ml.assets import by_asset_id
from sandbox.azure.ml.command import optional_names, references
from sandbox.azure.ml.jobfields import bad
from sandbox.azure.ml.jobs import work
from sandbox.azure.ml.scope import Scope
from sandbox.azure.ml.serverless import NAME as SERVERLESS
from sandbox.azure.ml.serverless import QuotaError, is_serverless
from sandbox.azure.ml.serverless import compute as serverless

DISTRIBUTIONS = ("PyTorch", "Mpi", "TensorFlow")
SIZE = re.compile(r"0*[1-9]\d*[bkmg]", re.ASCII | re.IGNORECASE)  # of shared memory
COUNTS = {"processCountPerInstance": 1, "workerCount": 1, "parameterServerCount": 0}


def checked(scope: Scope, sent: Body) -> Body:
    """The job's definition with what the service fills in.

    Raises:
        UserError: 400, naming the field.
    """
    command = sent.get("command")
    if not isinstance(command, str) or not command.strip() or "\0" in command:
        raise bad("command", "A command job needs a command.")
    resources = _resources(sent)
    job: Body = {
        "jobType": "Command",
        "command": command,
        "codeId": sent.get("codeId"),
        "environmentId": jobfields.environment(scope, str(sent.get("environmentId") or "")),
        "computeId": jobfields.compute(scope, sent, resources["instanceCount"]),
        "inputs": {name: jobfields.job_input(name, one) for name, one in jobfields.named(sent, "inputs").items()},
        "outputs": {name: jobfields.job_output(name, one) for name, one in jobfields.named(sent, "outputs").items()},
        "environmentVariables": jobfields.variables(sent),
        "distribution": _distribution(sent),
        "limits": jobfields.limits(sent),
        "resources": resources,
        "identity": jobfields.object_of(sent, "identity") or None,
        "queueSettings": sent.get("queueSettings"),
        "componentId": sent.get("componentId"),
        "services": jobfields.services(sent),
        "parameters": {},
    }
    if job["codeId"] and by_asset_id(scope, job["codeId"]) is None:
        raise bad("codeId", f"Code '{job['codeId']}' was not found.")
    _check_command(job)
    check_serverless(scope, job)
    return job


def run_fields(job: Body) -> Body:
    """What the job's run begins with."""
    return {
        "status": "Queued",
        "properties": {
            "_azureml.ComputeTargetType": "amlctrain",
            **(
                {} if is_serverless(job["computeId"]) else {"_azureml.ClusterName": job["computeId"].rsplit("/", 1)[-1]}
            ),
            "ContentSnapshotId": str(uuid.uuid4()),
            "ProcessInfoFile": "azureml-logs/process_info.json",
            "ProcessStatusFile": "azureml-logs/process_status.json",
        },
        "target": (job["computeId"] or SERVERLESS).rsplit("/", 1)[-1],
        "parameters": {
            key: str(one["value"]) for key, one in job["inputs"].items() if one["jobInputType"] == "literal"
        },
    }


def start(scope: Scope, name: str, job: Body, **more: str) -> None:
    """Queues the job."""
    work.submit(scope, name, work.PROCESS, compute=job["computeId"], **more)


def _resources(sent: Body) -> Body:
    resources = jobfields.object_of(sent, "resources")
    size = resources.get("shmSize")
    if size is not None and not SIZE.fullmatch(str(size)):
        raise bad(
            "resources.shmSize", f"'{size}' is no size: use a number above 0 with the unit b, k, m or g, as in 2g."
        )
    return {**resources, "instanceCount": _count(resources.get("instanceCount"), "resources.instanceCount", 1)}


def _distribution(sent: Body) -> Body | None:
    found = jobfields.object_of(sent, "distribution")
    if not found:
        return None
    kind = found.get("distributionType")
    if kind not in DISTRIBUTIONS:
        raise bad(
            "distribution.distributionType",
            f"The distribution '{kind}' is not emulated by the sandbox: use {', '.join(DISTRIBUTIONS)}.",
        )
    for name, least in COUNTS.items():
        if found.get(name) is not None:
            _count(found[name], f"distribution.{name}", least)
    return found


def _count(value: Any, target: str, least: int) -> int:
    if value is None:
        return least
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise bad(target, f"'{target.rsplit('.', 1)[-1]}' must be a number from {least} on, not {value!r}.")
    return value


def check_serverless(scope: Scope, job: Body) -> None:
    """Refuses a job whose serverless nodes can never be had."""
    if is_serverless(job["computeId"]):
        try:
            serverless(scope.cloud, scope.workspace, job)
        except QuotaError as error:
            raise bad("resources.instanceType", str(error)) from error


def _check_command(job: Body) -> None:
    optional = optional_names(job["command"])
    for expression, kind, name in references(job["command"]):
        known = job.get(kind, {}) if kind else {}
        if name not in known and name not in optional:
            raise bad("command", f"The command's expression '{expression}' names no input or output of the job.")
