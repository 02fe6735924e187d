"""Run history v1.0: runs, their details with logs, their children, and the changes that clients make of them."""

from datetime import timedelta
from typing import Any

from sandbox.azure import clock
from sandbox.azure.arm.core import Body
from sandbox.azure.ml import runs
from sandbox.azure.ml.errors import not_found
from sandbox.azure.ml.identities import workspace_identity
from sandbox.azure.ml.jobs import work
from sandbox.azure.ml.jobs.present import interactive
from sandbox.azure.ml.plane.record import present
from sandbox.azure.ml.plane.routing import Answer, Request, route
from sandbox.azure.ml.scope import Scope
from sandbox.azure.ml.uris import AddressError, Location, artifacts
from sandbox.azure.storage import sas
from sandbox.azure.storage.container import Container
from sandbox.azure.storage.containers import opened
from sandbox.azure.storage.errors import StorageError

LOG_HOURS = 24  # that an address of a log is good for
READ, WRITE = "experiments/runs/read", "experiments/runs/write"
PAGE = 500


def stored(scope: Scope, run_id: str) -> Body:
    """Reads a run from the store.

    Raises:
        UserError: 404 for a run that does not exist.
    """
    found = scope.get(runs.RUN, run_id)
    if found is None:
        raise not_found(f"Run {run_id}")
    return found


def signed_url(scope: Scope, location: Location, permissions: str = "r") -> str:
    """An address of a blob that needs no token for a day, signed as the workspace's identity."""
    delegator = workspace_identity(scope)
    token = sas.make_user_delegation_sas(
        scope.cloud,
        location.account,
        location.container,
        delegator=delegator.object_id if delegator else "",
        permissions=permissions,
        expires=clock.real() + timedelta(hours=LOG_HOURS),
        blob=location.path,
    )
    return f"{blob_url(location)}?{token}"


def blob_url(location: Location) -> str:
    """A blob's address."""
    path = "/".join(part for part in (location.container, location.path) if part)
    return f"https://{location.account}.blob.core.windows.net/{_quoted(path)}"


def _quoted(path: str) -> str:
    from urllib.parse import quote  # noqa: PLC0415

    return quote(path)


def blobs_below(scope: Scope, location: Location) -> list[tuple[str, Any]]:
    """Names and properties of the blobs below a location, relative to it."""
    try:
        container: Container = opened(scope.cloud, location.account, location.container)
    except StorageError:
        return []
    prefix = f"{location.path}/" if location.path else ""
    found, start = [], ""
    while True:
        entries, start = container.page(prefix, "", start, PAGE)
        found += [
            (one.name[len(prefix) :], one.blob) for one in entries if one.blob is not None and not one.blob.folder
        ]
        if not start:
            return found


def _log_files(scope: Scope, run_id: str) -> dict[str, str]:
    try:
        root = artifacts(scope, run_id)
    except AddressError:
        return {}
    found = {}
    for part in ("user_logs", "system_logs", "logs", "azureml-logs"):
        for name, _ in blobs_below(scope, root.joined(part)):
            found[f"{part}/{name}"] = signed_url(scope, root.joined(f"{part}/{name}"))
    return found


def _run(request: Request) -> Answer:
    return present(request.scope, stored(request.scope, request.names["run"]))


def _details(request: Request) -> Answer:
    run = stored(request.scope, request.names["run"])
    shown = present(request.scope, run)
    return {
        **{key: shown[key] for key in shown if key not in ("hidden", "displayName", "name", "runType", "createdUtc")},
        "createdTimeUtc": run["createdUtc"],
        "logFiles": _log_files(request.scope, run["runId"]),
        "runDefinition": (runs.definition(request.scope, run["runId"]) or {}).get("properties"),
        "jobCost": None,
    }


def _children(request: Request) -> Answer:
    parent = stored(request.scope, request.names["run"])["runId"]
    found = runs.having(request.scope, "parentRunId", parent)
    return {"value": [present(request.scope, run) for run in found], "continuationToken": None, "nextLink": None}


def _data(request: Request) -> Answer:
    run = stored(request.scope, str(request.body.get("runId", "")))
    definition = (runs.definition(request.scope, run["runId"]) or {}).get("properties")
    return {"runMetadata": present(request.scope, run), "runDefinition": definition, "jobSpecification": None}


def _change(request: Request) -> Answer:
    """Makes a run, or changes what is given of it: tags and properties are merged, as the studio does it."""
    scope, sent, run_id = request.scope, request.body, request.names["run"]
    run = scope.get(runs.RUN, run_id)
    if run is None:
        if "name" in request.names:
            experiment = runs.experiment(scope, request.names["name"])
        else:
            found = scope.get(runs.EXPERIMENT, request.names.get("experiment", ""))
            if found is None:
                raise not_found(f"Run {run_id}")
            experiment = found
        run = runs.make_run(scope, run_id, experiment, parentRunId=sent.get("parentRunId"))
    changes: Body = {
        key: sent[key]
        for key in ("displayName", "description", "hidden", "status", "startTimeUtc", "endTimeUtc")
        if sent.get(key) is not None
    }
    if work.pending(scope, run_id):
        changes.pop("status", None)  # a job's state is the runner's
    for key in ("tags", "properties"):
        if sent.get(key):
            changes[key] = {**run[key], **sent[key]}
    changed = runs.update_run(scope.cloud, scope.id, run_id, **changes)
    return present(scope, changed or run)


def _experiment(request: Request) -> Answer:
    scope = request.scope
    if "name" in request.names:
        found = runs.find_experiment(scope, request.names["name"])
    else:
        found = scope.get(runs.EXPERIMENT, request.names["experiment"])
    if found is None:
        raise not_found("The experiment")
    return {
        "experimentId": found["id"],
        "name": found["name"],
        "description": None,
        "createdUtc": found["created"],
        "tags": found["tags"],
        "archivedTime": found["updated"] if found["archived"] else None,
        "artifactLocation": None,
    }


def _query(request: Request) -> Answer:
    """Runs of an experiment, newest first; the filter of the query language is not emulated."""
    scope = request.scope
    experiment = runs.find_experiment(scope, request.names["name"])
    inside = runs.having(scope, "experimentId", experiment["id"]) if experiment else ()
    found = sorted(inside, key=lambda run: str(run["createdUtc"]), reverse=True)
    top, token = request.number("top", PAGE, PAGE), str(request.body.get("continuationToken") or "")
    start = int(token) if token.isdecimal() else 0
    return {
        "value": [present(scope, run) for run in found[start : start + top]],
        "continuationToken": str(start + top) if start + top < len(found) else None,
        "nextLink": None,
    }


def _events(request: Request) -> Answer:
    stored(request.scope, request.names["run"])
    return {}


def _services(request: Request) -> Answer:
    """A job's interactive services on a node, in the form of the client's model ServiceInstanceResult."""
    run = stored(request.scope, request.names["run"])
    job = runs.definition(request.scope, run["runId"])
    shown = interactive(job).items() if job else ()
    return {
        "instances": {
            name: {
                "type": one["jobServiceType"],
                "port": None,
                "status": one["status"],
                "error": {"error": {"code": "UserError", "message": one["errorMessage"]}},
                "endpoint": None,
                "properties": one["properties"],
            }
            for name, one in shown
        }
    }


ROUTES = [
    route("GET", "/runs/{run}/serviceinstances/{node}", READ, _services),
    route("GET", "/runs/{run}", READ, _run),
    route("PATCH", "/runs/{run}", WRITE, _change),
    route("GET", "/runs/{run}/details", READ, _details),
    route("GET", "/runs/{run}/children", READ, _children),
    route("POST", "/runs/{run}/events", WRITE, _events),
    route("POST", "/rundata", READ, _data),
    route("GET", "/experiments/{name}", "experiments/read", _experiment),
    route("GET", "/experimentids/{experiment}", "experiments/read", _experiment),
    route("POST", "/experiments/{name}/runs:query", READ, _query),
    *(
        one
        for prefix in ("/experiments/{name}", "/experimentids/{experiment}")
        for one in (
            route("GET", f"{prefix}/runs/{{run}}", READ, _run),
            route("PATCH", f"{prefix}/runs/{{run}}", WRITE, _change),
            route("GET", f"{prefix}/runs/{{run}}/details", READ, _details),
            route("GET", f"{prefix}/runs/{{run}}/children", READ, _children),
            route("POST", f"{prefix}/runs/{{run}}/events", WRITE, _events),
        )
    ),
]
