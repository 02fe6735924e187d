"""MLflow's tracking REST API: experiments, runs, metrics, parameters, tags, and mlflow 3's logged models.

Clients reach it as `/mlflow/v1.0` (plain MLflow, over https) or `/mlflow/v2.0` (azureml-mlflow); they differ in how
artifacts are addressed. Source: mlflow's REST API documentation and service.proto; limits as mlflow's server has them.
"""

import math
import re
import uuid
from collections.abc import Callable
from time import time_ns
from typing import Any
from urllib.parse import quote

from starlette.responses import JSONResponse, Response

from sandbox.azure.arm.core import Body
from sandbox.azure.errors import AzureError
from sandbox.azure.ml import runs
from sandbox.azure.ml.plane import search
from sandbox.azure.ml.plane.history import blobs_below
from sandbox.azure.ml.plane.routing import Answer, Handler, Request, Route, route
from sandbox.azure.ml.scope import Scope
from sandbox.azure.ml.uris import artifacts

API = "/api/2.0/mlflow"
LOGGED_MODEL = "mlLoggedModel"
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
CODES = {
    400: "INVALID_PARAMETER_VALUE",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
}
MAX_METRICS, MAX_PARAMS, MAX_TAGS = 1000, 100, 100  # of one batch
MAX_KEY, MAX_PARAM, MAX_TAG = 250, 6000, 8000  # characters
READ, WRITE = "experiments/runs/read", "experiments/runs/write"


class MlflowError(AzureError):
    """A refusal as MLflow words it: `error_code` and `message`."""

    def __init__(self, code: str, message: str) -> None:
        status = {"RESOURCE_DOES_NOT_EXIST": 404, "PERMISSION_DENIED": 403}.get(code, 400)
        super().__init__(status, code, message)


def mlflow_error(error: AzureError) -> Response:
    """Any refusal as an answer that MLflow's client understands."""
    code = error.code if isinstance(error, MlflowError) else CODES.get(error.status, "INTERNAL_ERROR")
    body = {**error.body(), "error_code": code, "message": error.message}
    return JSONResponse(body, error.status, headers=error.headers)


def text_of(request: Request, name: str, default: str | None = None) -> str:
    """A string of the body or the query.

    Raises:
        MlflowError: It is missing and has no default.
    """
    value = request.body.get(name, request.query.get(name, default))
    if value is None or (value == "" and default is None):
        raise MlflowError("INVALID_PARAMETER_VALUE", f"Missing value for required parameter '{name}'.")
    return str(value)


def key_of(value: Any, what: str) -> str:
    """A name of a metric, parameter or tag.

    Raises:
        MlflowError: It is empty, too long or has characters that MLflow refuses.
    """
    key = str(value or "")
    bad = not re.fullmatch(r"[/\w.\- :]+", key) or key.startswith("/") or ".." in key.split("/")
    if bad or len(key) > MAX_KEY:
        raise MlflowError(
            "INVALID_PARAMETER_VALUE",
            f"Invalid {what} name: '{key}'. Names may only contain alphanumerics, underscores (_), dashes (-), periods "
            f"(.), spaces ( ), colon(:) and slashes (/), in at most {MAX_KEY} characters.",
        )
    return key


# Experiments


def _shown_experiment(request: Request, found: Body) -> Body:
    location = "" if _plain(request) else f"{_azureml(request)}/experiments/{quote(found['name'])}/artifacts"
    return {
        "experiment_id": found["id"],
        "name": found["name"],
        "artifact_location": location or f"mlflow-artifacts:/{found['id']}",
        "lifecycle_stage": "deleted" if found["archived"] else "active",
        "creation_time": runs.millis(found["created"]),
        "last_update_time": runs.millis(found["updated"]),
        "tags": _pairs(found["tags"]),
    }


def _experiment(scope: Scope, experiment_id: str) -> Body:
    found = scope.get(runs.EXPERIMENT, experiment_id)
    if found is None and experiment_id == "0":  # MLflow's default experiment
        found = runs.experiment(scope, runs.DEFAULT_EXPERIMENT)
    if found is None:
        raise MlflowError("RESOURCE_DOES_NOT_EXIST", f"Could not find experiment with ID {experiment_id}")
    return found


def _get_experiment(request: Request) -> Answer:
    found = _experiment(request.scope, text_of(request, "experiment_id"))
    return {"experiment": _shown_experiment(request, found)}


def _experiment_by_name(request: Request) -> Answer:
    name = text_of(request, "experiment_name")
    found = runs.find_experiment(request.scope, name)
    if found is None:
        raise MlflowError("RESOURCE_DOES_NOT_EXIST", f"Could not find experiment with name '{name}'")
    return {"experiment": _shown_experiment(request, found)}


def _create_experiment(request: Request) -> Answer:
    name = text_of(request, "name")
    if runs.find_experiment(request.scope, name) is not None:
        raise MlflowError("RESOURCE_ALREADY_EXISTS", f"Experiment '{name}' already exists.")
    made = runs.make_experiment(request.scope, name, _from_pairs(request.body.get("tags"), "tag"))
    return {"experiment_id": made["id"]}


def _update_experiment(request: Request, **changes: Any) -> Answer:
    found = _experiment(request.scope, text_of(request, "experiment_id"))
    request.scope.put(runs.EXPERIMENT, {**found, "updated": runs.now(), **changes}, found["id"])
    return {}


def _tag_experiment(request: Request) -> Answer:
    found = _experiment(request.scope, text_of(request, "experiment_id"))
    tags = {**found["tags"], key_of(request.body.get("key"), "tag"): text_of(request, "value", "")}
    return _update_experiment(request, tags=tags)


def _untag_experiment(request: Request) -> Answer:
    found = _experiment(request.scope, text_of(request, "experiment_id"))
    key = text_of(request, "key")
    return _update_experiment(request, tags={name: value for name, value in found["tags"].items() if name != key})


def _search_experiments(request: Request) -> Answer:
    view = text_of(request, "view_type", "ACTIVE_ONLY")
    found = [_shown_experiment(request, one) for one in request.scope.list(runs.EXPERIMENT)]
    found = [one for one in found if view == "ALL" or (one["lifecycle_stage"] == "deleted") == (view == "DELETED_ONLY")]
    chosen = search.select(found, text_of(request, "filter", ""), search.EXPERIMENT)
    search.order(chosen, _list(request, "order_by") or ["creation_time DESC"], search.EXPERIMENT)
    return _page(request, "experiments", chosen, 1000)


# Runs


def _plain(request: Request) -> bool:
    return "/mlflow/v1.0/" in request.base


def _azureml(request: Request) -> str:
    return request.base.replace("https://", "azureml://", 1)


def artifact_uri(request: Request, run: Body) -> str:
    """Where a client finds a run's artifacts: proxied for plain MLflow, run history's for azureml-mlflow."""
    if _plain(request):
        return f"mlflow-artifacts:/{run['runId']}/artifacts"
    return f"{_azureml(request)}/experiments/{quote(run['experimentName'])}/runs/{run['runId']}/artifacts"


def number(value: float) -> float | str:
    """A number as MLflow's JSON has it, which knows names for what JSON has none."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


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
            "metrics": [_shown_metric(name, point) for name, point in run["metrics"].items()],
            "params": _pairs(run["parameters"]),
            "tags": _pairs(tags),
        },
        "inputs": {"dataset_inputs": run.get("datasetInputs", []), "model_inputs": run.get("modelInputs", [])},
        "outputs": {"model_outputs": run.get("modelOutputs", [])},
    }


def _shown_metric(name: str, point: Body) -> Body:
    optional = {key: point[key] for key in ("model_id", "dataset_name", "dataset_digest") if point.get(key)}
    return {
        "key": name,
        "value": number(point["value"]),
        "timestamp": point["timestamp"],
        "step": point["step"],
        **optional,
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
    experiment = _experiment(scope, text_of(request, "experiment_id", "0"))
    tags = _from_pairs(request.body.get("tags"), "tag")
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
    if status is not None and request.scope.get(runs.JOB, "jobs", run["runId"]) is None:
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
        point |= {name: one[name] for name in ("model_id", "dataset_name", "dataset_digest") if one.get(name)}
        old = latest.get(key)
        if old is None or (step, time, value) >= (old["step"], old["timestamp"], old["value"]):
            latest[key] = point
        fresh.setdefault(key, []).append(point)
        if point.get("model_id"):
            _log_to_model(request, run, key, point)
    for key, added in fresh.items():
        place = f"{time_ns():020d}.{uuid.uuid4().hex[:8]}"
        request.scope.put(runs.METRIC, {"points": added}, run["runId"], quote(key, safe=""), place)
    return latest


def _log_to_model(request: Request, run: Body, key: str, point: Body) -> None:
    model = request.scope.get(LOGGED_MODEL, point["model_id"])
    if model is not None:
        kept = [one for one in model["metrics"] if (one["key"], one["run_id"]) != (key, run["runId"])]
        model["metrics"] = [*kept, {**_shown_metric(key, point), "run_id": run["runId"]}]
        request.scope.put(LOGGED_MODEL, model, model["info"]["model_id"])


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
    kept = request.scope.list(runs.METRIC, run["runId"], quote(key, safe=""))
    points = sorted((point for one in kept for point in one["points"]), key=lambda one: (one["step"], one["timestamp"]))
    shown = [_shown_metric(key, point) for point in points]
    return _page(request, "metrics", shown, 25000, most=25000)


def _search_runs(request: Request) -> Answer:
    scope, sent = request.scope, request.body
    wanted = {_experiment(scope, str(one))["id"] for one in sent.get("experiment_ids") or []}
    view = sent.get("run_view_type", "ACTIVE_ONLY")
    found = [
        run
        for run in scope.list(runs.RUN)
        if run["experimentId"] in wanted and (view == "ALL" or run["hidden"] == (view == "DELETED_ONLY"))
    ]
    shown = [shown_run(request, run) for run in found]
    chosen = search.select(shown, sent.get("filter") or "", search.RUN)
    search.order(chosen, sent.get("order_by") or ["attributes.start_time DESC"], search.RUN)
    return _page(request, "runs", chosen, 1000, most=50000)


def _log_model(request: Request) -> Answer:
    """Mlflow before 3 keeps what it knows of a run's models in a tag."""
    import json  # noqa: PLC0415

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


# Logged models (mlflow 3)


def _create_model(request: Request) -> Answer:
    experiment = _experiment(request.scope, text_of(request, "experiment_id", "0"))
    model_id, now = f"m-{uuid.uuid4().hex}", runs.millis(runs.now())
    uri = f"mlflow-artifacts:/LoggedModel/{model_id}/model" if _plain(request) else ""
    body: Body = {
        "info": {
            "model_id": model_id,
            "experiment_id": experiment["id"],
            "name": text_of(request, "name", "") or model_id,
            "creation_timestamp_ms": now,
            "last_updated_timestamp_ms": now,
            "artifact_uri": uri or f"azureml://artifacts/LoggedModel/{model_id}/model",
            "status": "LOGGED_MODEL_PENDING",
            "model_type": text_of(request, "model_type", ""),
            "source_run_id": text_of(request, "source_run_id", ""),
            "tags": request.body.get("tags") or [],
        },
        "params": request.body.get("params") or [],
        "metrics": [],
    }
    request.scope.put(LOGGED_MODEL, body, model_id)
    return {"model": _shown_model(body)}


def _shown_model(body: Body) -> Body:
    return {"info": body["info"], "data": {"params": body["params"], "metrics": body["metrics"]}}


def _model(request: Request) -> Body:
    found = request.scope.get(LOGGED_MODEL, request.names["model"])
    if found is None:
        raise MlflowError("RESOURCE_DOES_NOT_EXIST", f"Logged model with ID '{request.names['model']}' not found.")
    return found


def _change_model(change: Callable[[Request, Body], None]) -> Handler:
    def handle(request: Request) -> Answer:
        body = _model(request)
        change(request, body)
        body["info"]["last_updated_timestamp_ms"] = runs.millis(runs.now())
        request.scope.put(LOGGED_MODEL, body, request.names["model"])
        return {"model": _shown_model(body)}

    return handle


def _finalize(request: Request, body: Body) -> None:
    body["info"]["status"] = text_of(request, "status")


def _tag_model(request: Request, body: Body) -> None:
    given = {one["key"]: one for one in request.body.get("tags") or []}
    body["info"]["tags"] = [one for one in body["info"]["tags"] if one["key"] not in given] + list(given.values())


def _untag_model(request: Request, body: Body) -> None:
    body["info"]["tags"] = [one for one in body["info"]["tags"] if one["key"] != request.names["key"]]


def _model_params(request: Request, body: Body) -> None:
    body["params"] = [*body["params"], *(request.body.get("params") or [])]


def _get_model(request: Request) -> Answer:
    return {"model": _shown_model(_model(request))}


def _delete_model(request: Request) -> Answer:
    _model(request)
    request.scope.cloud.store.delete(LOGGED_MODEL, request.scope.key(request.names["model"]))
    return {}


def _search_models(request: Request) -> Answer:
    wanted = {str(one) for one in request.body.get("experiment_ids") or []}
    found = [_shown_model(one) for one in request.scope.list(LOGGED_MODEL) if one["info"]["experiment_id"] in wanted]
    chosen = search.select(found, request.body.get("filter") or "", search.LOGGED_MODEL)
    fields = [
        f"{one.get('field_name', 'creation_timestamp')} {'ASC' if one.get('ascending') else 'DESC'}"
        for one in request.body.get("order_by") or []
    ]
    search.order(chosen, fields or ["creation_timestamp_ms DESC"], search.LOGGED_MODEL)
    return _page(request, "models", chosen, 100)


# Shared


def _pairs(values: dict[str, str]) -> list[Body]:
    return [{"key": key, "value": value} for key, value in values.items()]


def _from_pairs(pairs: Any, what: str) -> dict[str, str]:
    return {key_of(one.get("key"), what): str(one.get("value", "")) for one in pairs or []}


def _list(request: Request, name: str) -> list[str]:
    """A list of the body, or of the query, where each is a parameter of its own."""
    if name in request.body:
        return [str(one) for one in request.body[name] or []]
    return request.http.query_params.getlist(name)


def _page(request: Request, name: str, found: list[Body], default: int, most: int = 1000) -> Body:
    """A page and, where more follows, the token of the next."""
    size = request.number("max_results", default, max(most, default))
    token = text_of(request, "page_token", "") or "0"
    if not token.isdecimal():
        raise MlflowError("INVALID_PARAMETER_VALUE", f"Invalid page token '{token}'.")
    start = int(token)
    answer: Body = {name: found[start : start + size]}
    if start + size < len(found):
        answer["next_page_token"] = str(start + size)
    return answer


def _archive(archived: bool) -> Handler:
    return lambda request: _update_experiment(request, archived=archived)


def _rename(request: Request) -> Answer:
    name = text_of(request, "new_name")
    if runs.find_experiment(request.scope, name) is not None:
        raise MlflowError("RESOURCE_ALREADY_EXISTS", f"Experiment '{name}' already exists.")
    return _update_experiment(request, name=name)


def api(method: str, path: str, action: str, handle: Handler) -> Route:
    """A route of MLflow's API."""
    return route(method, f"{API}{path}", action, handle)


_E_READ, _E_WRITE = "experiments/read", "experiments/write"
ROUTES = [
    api("GET", "/experiments/get", _E_READ, _get_experiment),
    api("GET", "/experiments/get-by-name", _E_READ, _experiment_by_name),
    api("POST", "/experiments/create", _E_WRITE, _create_experiment),
    api("POST", "/experiments/update", _E_WRITE, _rename),
    api("POST", "/experiments/delete", "experiments/delete", _archive(True)),
    api("POST", "/experiments/restore", _E_WRITE, _archive(False)),
    api("POST", "/experiments/set-experiment-tag", _E_WRITE, _tag_experiment),
    api("POST", "/experiments/delete-experiment-tag", _E_WRITE, _untag_experiment),
    api("POST", "/experiments/search", _E_READ, _search_experiments),
    api("GET", "/experiments/search", _E_READ, _search_experiments),
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
    api("POST", "/logged-models", WRITE, _create_model),
    api("POST", "/logged-models/search", READ, _search_models),
    api("GET", "/logged-models/{model}", READ, _get_model),
    api("PATCH", "/logged-models/{model}", WRITE, _change_model(_finalize)),
    api("DELETE", "/logged-models/{model}", WRITE, _delete_model),
    api("PATCH", "/logged-models/{model}/tags", WRITE, _change_model(_tag_model)),
    api("DELETE", "/logged-models/{model}/tags/{key}", WRITE, _change_model(_untag_model)),
    api("POST", "/logged-models/{model}/params", WRITE, _change_model(_model_params)),
]
