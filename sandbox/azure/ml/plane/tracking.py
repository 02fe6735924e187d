"""MLflow's runs: their state, metrics, parameters, tags, inputs and outputs."""

import json
import uuid
from typing import Any
from urllib.parse import quote

from sandbox.azure import clock
from sandbox.azure.arm.core import Body
from sandbox.azure.ml import runs
from sandbox.azure.ml.plane import search
from sandbox.azure.ml.plane.experiments import find_experiment
from sandbox.azure.ml.plane.history import blobs_below
from sandbox.azure.ml.plane.mlflow import (
    OPTIONAL,
    MlflowError,
    api,
    from_pairs,
    key_of,
    page,
    pairs,
    plain,
    plugin_address,
    shown_metric,
    text_of,
)
from sandbox.azure.ml.plane.routing import Answer, Handler, Request, route
from sandbox.azure.ml.uris import artifacts

STATUS_OUT = {
    "NotStarted": "SCHEDULED",
    "Queued": "SCHEDULED",
    "Preparing": "SCHEDULED",
    "Completed": "FINISHED",
    "Failed": "FAILED",
    "Canceled": "KILLED",
}
STATUS_IN = {
    "SCHEDULED": "NotStarted",
    "RUNNING": "Running",
    "FINISHED": "Completed",
    "FAILED": "Failed",
    "KILLED": "Canceled",
}
MAX_METRICS, MAX_PARAMS, MAX_TAGS = 1000, 100, 100  # of one batch
MAX_PARAM, MAX_TAG = 6000, 8000  # characters
READ, WRITE = "experiments/runs/read", "experiments/runs/write"


def artifact_uri(request: Request, run: Body) -> str:
    """Where a client finds a run's artifacts: proxied for plain MLflow, run history's for azureml-mlflow."""
    if plain(request):
        return f"mlflow-artifacts:/{run['runId']}/artifacts"
    return f"{plugin_address(request)}/experiments/{quote(run['experimentName'])}/runs/{run['runId']}/artifacts"


def shown_run(request: Request, run: Body) -> Body:
    """A run as MLflow shows it."""
    info: Body = {
        "run_id": run["runId"],
        "run_uuid": run["runId"],
        "run_name": run["displayName"],
        "experiment_id": run["experimentId"],
        "user_id": run["createdBy"],
        "status": STATUS_OUT.get(run["status"], "RUNNING"),
        "start_time": runs.millis(run["startTimeUtc"] or run["createdUtc"]),
        "artifact_uri": artifact_uri(request, run),
        "lifecycle_stage": "deleted" if run["hidden"] else "active",
    }
    if run["endTimeUtc"]:
        info["end_time"] = runs.millis(run["endTimeUtc"])
    tags = {
        **run["tags"],
        "mlflow.runName": run["displayName"],
        "mlflow.rootRunId": run.get("rootRunId") or run["runId"],
        "mlflow.user": run["createdBy"],
    }
    if run["parentRunId"]:
        tags["mlflow.parentRunId"] = run["parentRunId"]
    return {
        "info": info,
        "data": {
            "metrics": [shown_metric(name, point) for name, point in run["metrics"].items()],
            "params": pairs(run["parameters"]),
            "tags": pairs(tags),
        },
        "inputs": {"dataset_inputs": run.get("datasetInputs", []), "model_inputs": run.get("modelInputs", [])},
        "outputs": {"model_outputs": run.get("modelOutputs", [])},
    }


def find_run(request: Request, run_id: str = "") -> Body:
    """The run that a request is about.

    Raises:
        MlflowError: There is none.
    """
    run_id = (
        run_id or str(request.body.get("run_id") or request.query.get("run_id") or "") or text_of(request, "run_uuid")
    )
    found = request.scope.get(runs.RUN, run_id)
    if found is None:
        raise MlflowError("RESOURCE_DOES_NOT_EXIST", f"Run with id={run_id} not found")
    return found


def _save(request: Request, run: Body, **changes: Any) -> Body:
    return runs.update_run(request.scope.cloud, request.scope.id, run["runId"], **changes) or run


def _create_run(request: Request) -> Answer:
    scope = request.scope
    experiment = find_experiment(scope, text_of(request, "experiment_id", "0"))
    tags = from_pairs(request.body.get("tags"), "tag")
    parent = tags.pop("mlflow.parentRunId", None)
    run_id = str(uuid.uuid4())
    name = request.body.get("run_name") or tags.get("mlflow.runName") or run_id
    above = scope.get(runs.RUN, parent) if parent else None
    start = request.body.get("start_time")
    run = runs.make_run(
        scope,
        run_id,
        experiment,
        displayName=name,
        status="Running",
        startTimeUtc=runs.from_millis(float(start)) if start else runs.now(),
        tags=tags,
        parentRunId=parent,
        rootRunId=(above or {}).get("rootRunId") or parent or run_id,
    )
    return {"run": shown_run(request, run)}


def _get_run(request: Request) -> Answer:
    return {"run": shown_run(request, find_run(request))}


def _update_run(request: Request) -> Answer:
    """A job's state stays the runner's, whatever its script says of its run."""
    run, sent = find_run(request), request.body
    changes: Body = {}
    if sent.get("run_name"):
        changes["displayName"] = str(sent["run_name"])
    status = sent.get("status")
    if status is not None and status not in STATUS_IN:
        raise MlflowError("INVALID_PARAMETER_VALUE", f"Invalid run status '{status}'.")
    if status is not None and runs.definition(request.scope, run["runId"]) is None:
        changes["status"] = STATUS_IN[status]
        if sent.get("end_time"):
            changes["endTimeUtc"] = runs.from_millis(float(sent["end_time"]))
    return {"run_info": shown_run(request, _save(request, run, **changes))["info"]}


def _hide_run(hidden: bool) -> Handler:
    def handle(request: Request) -> Answer:
        _save(request, find_run(request), hidden=hidden)
        return {}

    return handle


def _log_metric(request: Request) -> Answer:
    run = find_run(request)
    with request.scope.cloud.store.transaction():
        _save(request, run, metrics=_add_metrics(request, run, [request.body]))
    return {}


def _add_metrics(request: Request, run: Body, points: list[Body]) -> Body:
    """Keeps the points; gives the last of each metric, which is the one of the highest step, then time."""
    latest, fresh = dict(run["metrics"]), dict[str, list[Body]]()
    for one in points:
        key = key_of(one.get("key"), "metric")
        try:
            value, step = float(one["value"]), int(one.get("step") or 0)
            time = int(one.get("timestamp") or runs.millis(runs.now()))
        except (KeyError, TypeError, ValueError) as error:
            raise MlflowError(
                "INVALID_PARAMETER_VALUE", f"Metric '{key}' needs a numeric value, step and time."
            ) from error
        point = {"value": value, "step": step, "timestamp": time}
        point |= {name: one[name] for name in OPTIONAL if one.get(name)}
        old = latest.get(key)
        if old is None or (step, time, value) >= (old["step"], old["timestamp"], old["value"]):
            latest[key] = point
        fresh.setdefault(key, []).append(point)
    for key, added in fresh.items():
        place = f"{clock.nanoseconds():020d}.{uuid.uuid4().hex[:8]}"
        request.scope.put(runs.METRIC, {"points": added}, run["runId"], quote(key, safe=""), place)
    return latest


def _log_param(request: Request) -> Answer:
    run = find_run(request)
    _save(request, run, parameters=_add_params(run, [request.body]))
    return {}


def _add_params(run: Body, params: list[Body]) -> Body:
    """A parameter is logged once; the same value again is no error."""
    known = dict(run["parameters"])
    for one in params:
        key, value = key_of(one.get("key"), "parameter"), str(one.get("value", ""))
        if len(value) > MAX_PARAM:
            raise MlflowError("INVALID_PARAMETER_VALUE", f"Param '{key}' is longer than {MAX_PARAM} characters.")
        if known.get(key, value) != value:
            raise MlflowError(
                "INVALID_PARAMETER_VALUE",
                f"Changing param values is not allowed. Param with key='{key}' was already logged with value="
                f"'{known[key]}' for run ID='{run['runId']}'. Attempted logging new value '{value}'.",
            )
        known[key] = value
    return known


def _set_tag(request: Request) -> Answer:
    run = find_run(request)
    _save(request, run, **_add_tags(run, [request.body]))
    return {}


def _add_tags(run: Body, tags: list[Body]) -> Body:
    """What changes of the run: its tags, and its name where the tag is that."""
    known, changes = dict(run["tags"]), {}
    for one in tags:
        key, value = key_of(one.get("key"), "tag"), str(one.get("value", ""))
        if len(value) > MAX_TAG:
            raise MlflowError("INVALID_PARAMETER_VALUE", f"Tag '{key}' is longer than {MAX_TAG} characters.")
        if key == "mlflow.runName":
            changes["displayName"] = value
        elif key == "mlflow.note.content":
            changes["description"] = value
        known[key] = value
    return {"tags": known, **changes}


def _delete_tag(request: Request) -> Answer:
    run, key = find_run(request), text_of(request, "key")
    if key not in run["tags"]:
        raise MlflowError("RESOURCE_DOES_NOT_EXIST", f"No tag with name: {key} in run with id {run['runId']}")
    _save(request, run, tags={name: value for name, value in run["tags"].items() if name != key})
    return {}


def _log_batch(request: Request) -> Answer:
    """All or nothing."""
    run, sent = find_run(request), request.body
    metrics, params, tags = (sent.get(name) or [] for name in ("metrics", "params", "tags"))
    for name, items, most in (
        ("metrics", metrics, MAX_METRICS),
        ("params", params, MAX_PARAMS),
        ("tags", tags, MAX_TAGS),
    ):
        if len(items) > most:
            raise MlflowError("INVALID_PARAMETER_VALUE", f"A batch logging request can contain at most {most} {name}.")
    changes: Body = {"parameters": _add_params(run, params), **(_add_tags(run, tags) if tags else {})}
    with request.scope.cloud.store.transaction():
        _save(request, run, **changes, metrics=_add_metrics(request, run, metrics))
    return {}


def _log_batch_async(request: Request) -> Answer:
    _log_batch(request)
    return {"batch_tracking_id": ""}


def _batch_status(request: Request) -> Answer:
    find_run(request)
    return {"is_complete": True}


def _history(request: Request) -> Answer:
    run, key = find_run(request), text_of(request, "metric_key")
    kept = runs.points(request.scope, run["runId"], key)
    points = sorted(kept, key=lambda one: (one["step"], one["timestamp"]))
    answer = page(request, "metrics", points, 25000, most=25000)
    return {**answer, "metrics": [shown_metric(key, point) for point in answer["metrics"]]}


def _search_runs(request: Request) -> Answer:
    scope, sent = request.scope, request.body
    wanted = {find_experiment(scope, str(one))["id"] for one in sent.get("experiment_ids") or []}
    view = sent.get("run_view_type", "ACTIVE_ONLY")
    found = [
        run
        for experiment in sorted(wanted)
        for run in runs.having(scope, "experimentId", experiment)
        if view == "ALL" or run["hidden"] == (view == "DELETED_ONLY")
    ]
    shown = [shown_run(request, run) for run in found]
    chosen = search.select(shown, sent.get("filter") or "", search.RUN)
    # mlflow breaks ties in this way (SearchUtils.sort)
    orders = [*(sent.get("order_by") or []), "attributes.start_time DESC", "attributes.run_id"]
    search.order(chosen, orders, search.RUN)
    return page(request, "runs", chosen, 1000, most=50000)


def _log_model(request: Request) -> Answer:
    """Mlflow before 3 keeps what it knows of a run's models in a tag."""
    run = find_run(request)
    history = json.loads(run["tags"].get("mlflow.log-model.history", "[]"))
    history.append(json.loads(text_of(request, "model_json")))
    _save(request, run, tags={**run["tags"], "mlflow.log-model.history": json.dumps(history)})
    return {}


def _log_inputs(request: Request) -> Answer:
    run = find_run(request)
    _save(
        request,
        run,
        datasetInputs=[*run.get("datasetInputs", []), *(request.body.get("datasets") or [])],
        modelInputs=[*run.get("modelInputs", []), *(request.body.get("models") or [])],
    )
    return {}


def _log_outputs(request: Request) -> Answer:
    run = find_run(request)
    _save(request, run, modelOutputs=[*run.get("modelOutputs", []), *(request.body.get("models") or [])])
    return {}


def _artifacts(request: Request) -> Answer:
    run = find_run(request)
    path = str(request.query.get("path") or "").strip("/")
    found = blobs_below(request.scope, artifacts(request.scope, run["runId"]))
    return {"root_uri": artifact_uri(request, run), "files": listed(found, path)}


def listed(found: list[tuple[str, Any]], path: str) -> list[Body]:
    """Files and folders directly below a path, as MLflow lists them."""
    prefix, shown = f"{path}/" if path else "", dict[str, Body]()
    for name, blob in found:
        if not name.startswith(prefix):
            continue
        first, _, more = name[len(prefix) :].partition("/")
        size = {} if more else {"file_size": blob.size}
        shown[prefix + first] = {"path": prefix + first, "is_dir": bool(more), **size}
    return [shown[name] for name in sorted(shown)]


ROUTES = [
    api("POST", "/runs/create", WRITE, _create_run),
    api("GET", "/runs/get", READ, _get_run),
    api("POST", "/runs/update", WRITE, _update_run),
    api("POST", "/runs/delete", WRITE, _hide_run(True)),
    api("POST", "/runs/restore", WRITE, _hide_run(False)),
    api("POST", "/runs/search", READ, _search_runs),
    api("POST", "/runs/log-metric", WRITE, _log_metric),
    api("POST", "/runs/log-parameter", WRITE, _log_param),
    api("POST", "/runs/set-tag", WRITE, _set_tag),
    api("POST", "/runs/delete-tag", WRITE, _delete_tag),
    api("POST", "/runs/log-batch", WRITE, _log_batch),
    api("POST", "/runs/log-model", WRITE, _log_model),
    api("POST", "/runs/log-inputs", WRITE, _log_inputs),
    api("POST", "/runs/outputs", WRITE, _log_outputs),
    api("GET", "/metrics/get-history", READ, _history),
    api("GET", "/artifacts/list", READ, _artifacts),
    route("POST", "/api/2.0/preview/mlflow/runs/log-batch-async", WRITE, _log_batch_async),
    route("GET", "/api/2.0/preview/mlflow/runs/get-run-data-status", READ, _batch_status),
]
