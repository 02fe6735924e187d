"""The operations of jobs: submit, change, get, list, cancel, delete."""

import re

from starlette.responses import JSONResponse, Response

from sandbox.azure.arm.core import Body, Call
from sandbox.azure.arm.resources import Route
from sandbox.azure.ml import runs
from sandbox.azure.ml.errors import UserError, not_found
from sandbox.azure.ml.jobfields import bad, object_of
from sandbox.azure.ml.jobs import work
from sandbox.azure.ml.jobs.kinds import kind_of
from sandbox.azure.ml.jobs.present import early, present
from sandbox.azure.ml.jobs.submission import submit
from sandbox.azure.ml.scope import Scope, has, page, properties_of, viewed, workspace_route

MUTABLE = ("displayName", "description", "tags", "properties", "isArchived", "services", "notificationSetting")


def _submit(scope: Scope, call: Call, match: re.Match[str]) -> Response:
    """A new job, or a change of an existing one's description."""
    name, sent = match["name"], properties_of(call)
    if not runs.RUN_ID.fullmatch(name):
        raise bad(
            "name", f"Job name '{name}' must be 1 to 255 letters, digits, '-', '_' or '.', not starting with one."
        )
    old = scope.get(runs.JOB, "jobs", name)
    if old is not None:
        return JSONResponse(_change(scope, old, sent, call.api_version), 200)
    _check_model(sent, call.api_version)
    body = submit(scope, name, sent)
    address = f"{call.base_url}{body['id']}?api-version={call.api_version}"
    return JSONResponse(present(scope, body, call.api_version), 201, headers={"Location": address})


def _check_model(sent: Body, api_version: str) -> None:
    """Only some api-versions know an output's version; azure-ai-ml sends it to all: a recording of 2026-03."""
    if early(api_version):
        return
    for one in object_of(sent, "outputs").values():
        if isinstance(one, dict) and one.get("assetVersion") is not None:
            model = "".join(word.capitalize() for word in str(one.get("jobOutputType")).split("_")) + "JobOutput"
            text = f"Could not find member 'assetVersion' on object of type '{model}'."
            raise UserError(400, "Request is invalid and/or missing fields.", details=(("RequestInvalid", text),))


def _change(scope: Scope, job: Body, sent: Body, api_version: str) -> Body:
    """What can still change of a job. Tags and properties are merged; properties are only added.

    The definition that it was submitted with changes nothing: a client whose answer got lost sends it again, and others
    send what they were shown.
    """
    shown = present(scope, job, api_version)["properties"]
    fixed = [
        key
        for key, value in sent.items()
        if key not in (*MUTABLE, "jobType", "status", "experimentName")
        and value not in (None, job["properties"].get(key), shown.get(key), {})
    ]
    again = kind_of(sent).checked(scope, sent) if fixed else {}
    for key in fixed:
        if key not in again or again[key] != job["properties"].get(key):
            raise UserError(
                400,
                f"The property '{key}' of job '{job['name']}' cannot be changed.",
                "BadArgument",
                "ImmutableProperty",
            )
    run = scope.get(runs.RUN, job["name"]) or {}
    changes = {key: sent[key] for key in ("displayName", "description") if sent.get(key) is not None}
    for key in ("tags", "properties"):
        if sent.get(key):
            changes[key] = {**run.get(key, {}), **sent[key]}
    if sent.get("isArchived") is not None:
        changes["hidden"] = bool(sent["isArchived"])
    runs.update_run(scope.cloud, scope.id, job["name"], **changes)
    return present(scope, job, api_version)


def _get(scope: Scope, call: Call, match: re.Match[str]) -> Body:
    """A job, or a sweep's trial; of a pipeline's step the definition is not shown, and clients ask run history."""
    found = _stored(scope, match["name"])
    if scope.get(runs.JOB, "jobs", found["name"]) is None and not _is_trial(scope, found["name"]):
        return {**{key: found[key] for key in ("id", "name", "type", "systemData")}, "properties": None}
    return present(scope, found, call.api_version)


def _is_trial(scope: Scope, name: str) -> bool:
    run = scope.get(runs.RUN, name)
    parent = run and runs.definition(scope, run["parentRunId"])
    return parent is not None and parent["properties"]["jobType"] == "Sweep"


def _stored(scope: Scope, name: str) -> Body:
    found = runs.definition(scope, name)
    if found is None:
        raise not_found(f"Job '{name}'")
    return found


def _list(scope: Scope, call: Call, match: re.Match[str]) -> Body:
    """Newest first."""
    del match
    by_name = {run["runId"].lower(): run for run in scope.list(runs.RUN)}
    wanted = call.query.get("jobType", "").lower()
    found = [
        job
        for job in scope.list(runs.JOB, "jobs")
        if _shows(by_name.get(job["name"].lower()), call)
        and (not wanted or job["properties"]["jobType"].lower() == wanted)
        and _of_schedule(scope, job, call)
    ]
    found.sort(key=lambda job: job["systemData"]["createdAt"], reverse=True)
    answer = page(found, call)
    answer["value"] = [present(scope, job, call.api_version) for job in answer["value"]]
    return answer


def _shows(run: Body | None, call: Call) -> bool:
    """Whether a list shows a job by its run: archived or not, with a tag of the name `tag`, with `properties`."""
    run = run or {"hidden": False, "tags": {}, "properties": {}}
    tag = call.query.get("tag")
    asked = (not tag or tag in run["tags"]) and has(run["properties"], call.query.get("properties", ""))
    return asked and viewed(run["hidden"], call)


def _of_schedule(scope: Scope, job: Body, call: Call) -> bool:
    """Whether a job is of the schedule, or of any or none, that a list asks for by `scheduleId` and `scheduled`."""
    scheduled, name = call.query.get("scheduled"), call.query.get("scheduleId")
    if scheduled is None and name is None:
        return True
    mine = (scope.get(runs.RUN, job["name"]) or {"properties": {}})["properties"].get(runs.SCHEDULE)
    return (name is None or mine == name) and (scheduled is None or bool(mine) == (scheduled.lower() == "true"))


def _cancel(scope: Scope, call: Call, match: re.Match[str]) -> Response:
    """Asks the runner to stop the job; one that has ended stays as it is.

    Source of the refusal of a pipeline: the recording of azure-ai-ml's test_pipeline_component_job, 2023-10.
    """
    del call
    job = _stored(scope, match["name"])
    if job["properties"]["jobType"] == "Pipeline" and not work.pending(scope, job["name"]):
        raise UserError(
            400,
            f"The pipeline run {job['name']} is in terminal status, it can't be canceled.",
            "BadArgument",
            "ArgumentInvalid",
            "CancelPipelineRunInTerminalStatus",
        )
    work.request_cancel(scope, job["name"])
    return Response(status_code=200)


def _delete(scope: Scope, call: Call, match: re.Match[str]) -> Response:
    del call
    name = match["name"]
    if scope.get(runs.JOB, "jobs", name) is None:
        return Response(status_code=204)
    if work.pending(scope, name):
        raise UserError(400, f"Job '{name}' has not ended: cancel it first.", "BadArgument")
    with scope.cloud.store.transaction():
        scope.cloud.store.delete(runs.JOB, scope.key("jobs", name))
        runs.delete_run(scope, name)
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
