"""Jobs: command jobs are checked, stored and given to the runner; the other kinds are refused clearly."""

import copy
import re
import uuid

from starlette.responses import JSONResponse, Response

from sandbox.azure.arm.core import Body, Call
from sandbox.azure.arm.resources import Route
from sandbox.azure.ml import computes, runs
from sandbox.azure.ml.assets import by_asset_id, versions_of
from sandbox.azure.ml.bell import ring
from sandbox.azure.ml.command import optional_names, references
from sandbox.azure.ml.errors import UserError, not_found
from sandbox.azure.ml.names import WORKSPACES
from sandbox.azure.ml.scope import Scope, page, properties_of, viewed, workspace_route

TYPE = f"{WORKSPACES}/jobs"
WORK = "mlWork"
"""The runner's queue: a document for each job that has not ended."""
DATA_INPUTS = ("uri_file", "uri_folder", "mltable", "mlflow_model", "custom_model", "triton_model")
INPUT_MODES = ("ReadOnlyMount", "ReadWriteMount", "Download", "Direct", "EvalMount", "EvalDownload")
OUTPUT_MODES = ("ReadWriteMount", "Upload", "Direct")
NAME = re.compile(r"[A-Za-z_]\w{0,254}", re.ASCII)
MUTABLE = ("displayName", "description", "tags", "properties", "isArchived", "services", "notificationSetting")


def _bad(target: str, text: str) -> UserError:
    return UserError(400, text, "BadArgument", target=f"properties.{target}")


def _submit(scope: Scope, call: Call, match: re.Match[str]) -> Response:
    """A new job, or a change of an existing one's description."""
    name, sent = match["name"], properties_of(call)
    if not runs.RUN_ID.fullmatch(name):
        raise _bad(
            "name", f"Job name '{name}' must be 1 to 255 letters, digits, '-', '_' or '.', not starting with one."
        )
    old = scope.get(runs.JOB, "jobs", name)
    if old is not None:
        return JSONResponse(_change(scope, old, sent), 200)
    if sent.get("jobType") != "Command":
        raise _bad(
            "jobType", f"Jobs of type '{sent.get('jobType')}' are not emulated by the sandbox yet: only Command is."
        )
    job = _checked(scope, sent)
    created = runs.now()
    body = {
        "id": f"{scope.id}/jobs/{name}",
        "name": name,
        "type": TYPE,
        "properties": job,
        "submitter": {"objectId": scope.caller.object_id, "clientId": scope.caller.client_id},
        "systemData": {"createdAt": created, "createdBy": scope.caller.object_id, "createdByType": "User"},
    }
    with scope.cloud.store.transaction():
        scope.put(runs.JOB, body, "jobs", name)
        _make_run(scope, name, job, sent)
        work = {"workspace": scope.id, "run": name, "compute": job["computeId"], "submitted": created, "cancel": False}
        scope.put(WORK, work, name)
    ring(scope.cloud.store)
    return JSONResponse(present(scope, body), 201)


def _make_run(scope: Scope, name: str, job: Body, sent: Body) -> None:
    experiment = runs.experiment(scope, sent.get("experimentName") or runs.DEFAULT_EXPERIMENT)
    runs.make_run(
        scope,
        name,
        experiment,
        displayName=sent.get("displayName") or name,
        description=sent.get("description"),
        status="Queued",
        tags=_object(sent, "tags"),
        properties={
            "_azureml.ComputeTargetType": "amlctrain",
            "ContentSnapshotId": str(uuid.uuid4()),
            "ProcessInfoFile": "azureml-logs/process_info.json",
            "ProcessStatusFile": "azureml-logs/process_status.json",
            **_object(sent, "properties"),
        },
        target=job["computeId"].rsplit("/", 1)[-1],
        hidden=bool(sent.get("isArchived")),
        parameters={key: str(one["value"]) for key, one in job["inputs"].items() if one["jobInputType"] == "literal"},
    )


def _checked(scope: Scope, sent: Body) -> Body:
    """The job's definition with what the service fills in.

    Raises:
        UserError: 400, naming the field.
    """
    command = sent.get("command")
    if not isinstance(command, str) or not command.strip() or "\0" in command:
        raise _bad("command", "A command job needs a command.")
    job: Body = {
        "jobType": "Command",
        "command": command,
        "codeId": sent.get("codeId"),
        "environmentId": _environment(scope, str(sent.get("environmentId") or "")),
        "computeId": _compute(scope, sent),
        "inputs": {name: _input(name, one) for name, one in _named(sent, "inputs").items()},
        "outputs": {name: _output(name, one) for name, one in _named(sent, "outputs").items()},
        "environmentVariables": _variables(sent),
        "distribution": _object(sent, "distribution") or None,
        "limits": _limits(_object(sent, "limits")),
        "resources": _resources(sent),
        "identity": _object(sent, "identity") or None,
        "queueSettings": sent.get("queueSettings"),
        "componentId": sent.get("componentId"),
        "parameters": {},
    }
    if job["codeId"] and by_asset_id(scope, job["codeId"]) is None:
        raise _bad("codeId", f"Code '{job['codeId']}' was not found.")
    _check_command(job)
    return job


def _environment(scope: Scope, asset_id: str) -> str:
    """The id of the version; a label is resolved now, as the job keeps what it was submitted with."""
    if not asset_id:
        raise _bad("environmentId", "A command job needs an environment.")
    if asset_id.lower().startswith("azureml://registries/"):
        raise _bad(
            "environmentId",
            f"Environments of registries are not emulated by the sandbox: '{asset_id}'. Make one in the workspace, "
            "with a conda file of what the job imports.",
        )
    label = re.search(r"/environments/([^/]+)/labels/([^/]+)$", asset_id)
    if label:
        found = next((one for one in versions_of(scope, "environments", label[1])), None)
    else:
        found = by_asset_id(scope, asset_id)
    if found is None:
        raise _bad("environmentId", f"Environment '{asset_id}' was not found.")
    return str(found["id"])


def _compute(scope: Scope, sent: Body) -> str:
    name = str(sent.get("computeId") or "").rstrip("/").rsplit("/", 1)[-1]
    if not name:
        raise _bad("computeId", "Serverless compute is not emulated by the sandbox: name a cluster of the workspace.")
    found = scope.get("resource", "computes", name)
    if found is None:
        raise _bad("computeId", f"Compute '{name}' was not found in the workspace.")
    if found["properties"]["computeType"] != computes.CLUSTER:
        raise _bad("computeId", f"Jobs on a {found['properties']['computeType']} are not emulated by the sandbox yet.")
    return str(found["id"])


def _resources(sent: Body) -> Body:
    resources, distribution = _object(sent, "resources"), _object(sent, "distribution")
    count = resources.get("instanceCount") or 1
    if count != 1 or distribution.get("processCountPerInstance", 1) not in (None, 1):
        raise _bad(
            "resources.instanceCount",
            "Jobs on several nodes or with several processes are not emulated by the sandbox yet: instance_count and "
            "process_count_per_instance must be 1.",
        )
    return {**resources, "instanceCount": 1}


def _object(sent: Body, key: str) -> Body:
    """An object of the body; empty where it is absent or null."""
    found = sent.get(key) or {}
    if not isinstance(found, dict):
        raise _bad(key, f"'{key}' must be an object.")
    return found


def _named(sent: Body, key: str) -> Body:
    """Inputs or outputs by name; the names become folders and variables."""
    found = _object(sent, key)
    for name, one in found.items():
        if not NAME.fullmatch(name) or not isinstance(one, dict):
            raise _bad(f"{key}.{name}", f"'{name}' of {key}: names have letters, digits and '_', each is an object.")
    return found


def _variables(sent: Body) -> dict[str, str]:
    found = _object(sent, "environmentVariables")
    for name, value in found.items():
        if not NAME.fullmatch(name) or not isinstance(value, str) or "\0" in value:
            raise _bad(f"environmentVariables.{name}", f"'{name}' is no environment variable with a text.")
    return found


def _limits(limits: Body) -> Body:
    if limits.get("timeout"):
        try:
            computes.seconds(str(limits["timeout"]))
        except ValueError as error:
            raise _bad("limits.timeout", f"{error}.") from error
    return limits


def _input(name: str, given: Body) -> Body:
    kind = given.get("jobInputType")
    if kind == "literal":
        if given.get("value") is None or "\0" in str(given["value"]):
            raise _bad(f"inputs.{name}.value", f"The literal input '{name}' needs a value.")
        return dict(given)
    if kind not in DATA_INPUTS:
        raise _bad(
            f"inputs.{name}.jobInputType", f"Input type '{kind}' is not one of literal, {', '.join(DATA_INPUTS)}."
        )
    if not given.get("uri"):
        raise _bad(f"inputs.{name}.uri", f"The input '{name}' needs a uri.")
    mode = given.get("mode") or "ReadOnlyMount"
    if mode not in INPUT_MODES:
        raise _bad(f"inputs.{name}.mode", f"Input mode '{mode}' is not one of {', '.join(INPUT_MODES)}.")
    return {**given, "mode": mode}


def _output(name: str, given: Body) -> Body:
    kind = given.get("jobOutputType")
    if kind not in DATA_INPUTS:
        raise _bad(f"outputs.{name}.jobOutputType", f"Output type '{kind}' is not one of {', '.join(DATA_INPUTS)}.")
    mode = given.get("mode") or "ReadWriteMount"
    if mode not in OUTPUT_MODES:
        raise _bad(f"outputs.{name}.mode", f"Output mode '{mode}' is not one of {', '.join(OUTPUT_MODES)}.")
    return {**given, "mode": mode}


def _check_command(job: Body) -> None:
    optional = optional_names(job["command"])
    for expression, kind, name in references(job["command"]):
        known = job.get(kind, {}) if kind else {}
        if name not in known and name not in optional:
            raise _bad("command", f"The command's expression '{expression}' names no input or output of the job.")


def _change(scope: Scope, job: Body, sent: Body) -> Body:
    """What can still change of a job. Tags and properties are merged; properties are only added.

    The definition that it was submitted with changes nothing: a client whose answer got lost sends it again.
    """
    again = _checked(scope, sent) if sent.get("command") else {}
    for key, value in sent.items():
        stored = job["properties"].get(key)
        if key in MUTABLE or key in ("jobType", "status", "experimentName") or value in (None, stored, {}):
            continue
        if key in again and again[key] == stored:
            continue
        raise UserError(
            400, f"The property '{key}' of job '{job['name']}' cannot be changed.", "BadArgument", "ImmutableProperty"
        )
    run = scope.get(runs.RUN, job["name"]) or {}
    changes = {key: sent[key] for key in ("displayName", "description") if sent.get(key) is not None}
    for key in ("tags", "properties"):
        if sent.get(key):
            changes[key] = {**run.get(key, {}), **sent[key]}
    if sent.get("isArchived") is not None:
        changes["hidden"] = bool(sent["isArchived"])
    runs.update_run(scope.cloud, scope.id, job["name"], **changes)
    return present(scope, job)


def present(scope: Scope, job: Body) -> Body:
    """A job as a GET shows it: its definition with its run's state."""
    run = scope.get(runs.RUN, job["name"]) or {}
    shown = copy.deepcopy({key: value for key, value in job.items() if key != "submitter"})
    tracking = f"azureml://{scope.workspace['location']}.api.azureml.ms/mlflow/v1.0{scope.id}?"
    studio = f"https://ml.azure.com/runs/{job['name']}?wsid={scope.id}"  # clients append the tenant
    shown["properties"] |= {
        "status": run.get("status"),
        "displayName": run.get("displayName"),
        "description": run.get("description"),
        "experimentName": run.get("experimentName"),
        "tags": run.get("tags", {}),
        "properties": run.get("properties", {}),
        "isArchived": run.get("hidden", False),
        "services": {
            "Tracking": {"jobServiceType": "Tracking", "endpoint": tracking, "port": None, "status": None},
            "Studio": {"jobServiceType": "Studio", "endpoint": studio, "port": None, "status": None},
        },
    }
    store = scope.get("resource", "datastores", "workspaceartifactstore")
    if store is not None and store["properties"]["credentials"]["credentialsType"] != "None":
        # Left out where the store has no key: the client would sign log addresses with one and fail.
        shown["properties"]["outputs"]["default"] = {
            "jobOutputType": "uri_folder",
            "mode": "ReadWriteMount",
            "uri": f"azureml://datastores/workspaceartifactstore/{runs.artifact_prefix(job['name'])}",
        }
    return shown


def _get(scope: Scope, call: Call, match: re.Match[str]) -> Body:
    del call
    return present(scope, _stored(scope, match["name"]))


def _stored(scope: Scope, name: str) -> Body:
    found = scope.get(runs.JOB, "jobs", name)
    if found is None:
        raise not_found(f"Job '{name}'")
    return found


def _list(scope: Scope, call: Call, match: re.Match[str]) -> Body:
    """Newest first."""
    del match
    hidden = {run["runId"].lower(): run["hidden"] for run in scope.list(runs.RUN)}
    wanted = call.query.get("jobType", "").lower()
    found = [
        job
        for job in scope.list(runs.JOB, "jobs")
        if viewed(hidden.get(job["name"].lower(), False), call)
        and (not wanted or job["properties"]["jobType"].lower() == wanted)
    ]
    found.sort(key=lambda job: job["systemData"]["createdAt"], reverse=True)
    answer = page(found, call)
    answer["value"] = [present(scope, job) for job in answer["value"]]
    return answer


def _cancel(scope: Scope, call: Call, match: re.Match[str]) -> Response:
    """Asks the runner to stop the job; a job that has ended stays as it is."""
    del call
    name = _stored(scope, match["name"])["name"]
    request_cancel(scope, name)
    return Response(status_code=200)


def request_cancel(scope: Scope, name: str) -> None:
    """Marks a job's work as to be cancelled."""
    work = scope.get(WORK, name)
    if work is None:
        return
    with scope.cloud.store.transaction():
        scope.put(WORK, {**work, "cancel": True}, name)
        runs.update_run(scope.cloud, scope.id, name, status="CancelRequested")
    ring(scope.cloud.store)


def _delete(scope: Scope, call: Call, match: re.Match[str]) -> Response:
    del call
    name = match["name"]
    if scope.get(runs.JOB, "jobs", name) is None:
        return Response(status_code=204)
    if scope.get(WORK, name) is not None:
        raise UserError(400, f"Job '{name}' has not ended: cancel it first.", "BadArgument")
    with scope.cloud.store.transaction():
        scope.cloud.store.delete(runs.JOB, scope.key("jobs", name))
        scope.cloud.store.delete(runs.RUN, scope.key(name))
    return Response(status_code=200)


def routes() -> list[Route]:
    """The routes of jobs."""
    return [
        workspace_route("GET", "/jobs", "jobs/read", _list),
        workspace_route("GET", "/jobs/{name}", "jobs/read", _get),
        workspace_route("PUT", "/jobs/{name}", "jobs/write", _submit),
        workspace_route("DELETE", "/jobs/{name}", "jobs/delete", _delete),
        workspace_route("POST", "/jobs/{name}/cancel", "jobs/cancel/action", _cancel),
    ]
