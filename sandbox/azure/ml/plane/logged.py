"""MLflow 3's logged models: what a run made, with parameters and metrics of its own, before anybody registers it."""

import uuid
from collections.abc import Callable

from sandbox.azure.arm.core import Body
from sandbox.azure.ml import runs
from sandbox.azure.ml.plane import search
from sandbox.azure.ml.plane.experiments import find_experiment
from sandbox.azure.ml.plane.mlflow import MlflowError, api, page, plain, shown_metric, text_of
from sandbox.azure.ml.plane.routing import Answer, Handler, Request

READ, WRITE = "experiments/runs/read", "experiments/runs/write"
LOGGED_MODEL = "mlLoggedModel"


def _create_model(request: Request) -> Answer:
    experiment = find_experiment(request.scope, text_of(request, "experiment_id", "0"))
    model_id, now = f"m-{uuid.uuid4().hex}", runs.millis(runs.now())
    uri = f"mlflow-artifacts:/LoggedModel/{model_id}/model" if plain(request) else ""
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
    return page(request, "models", chosen, 100)


def log_metric(request: Request, run: Body, key: str, point: Body) -> None:
    """Keeps a metric's point with the logged model that it names, too."""
    model = request.scope.get(LOGGED_MODEL, point["model_id"])
    if model is not None:
        kept = [one for one in model["metrics"] if (one["key"], one["run_id"]) != (key, run["runId"])]
        model["metrics"] = [*kept, {**shown_metric(key, point), "run_id": run["runId"]}]
        request.scope.put(LOGGED_MODEL, model, model["info"]["model_id"])


ROUTES = [
    api("POST", "/logged-models", WRITE, _create_model),
    api("POST", "/logged-models/search", READ, _search_models),
    api("GET", "/logged-models/{model}", READ, _get_model),
    api("PATCH", "/logged-models/{model}", WRITE, _change_model(_finalize)),
    api("DELETE", "/logged-models/{model}", WRITE, _delete_model),
    api("PATCH", "/logged-models/{model}/tags", WRITE, _change_model(_tag_model)),
    api("DELETE", "/logged-models/{model}/tags/{key}", WRITE, _change_model(_untag_model)),
    api("POST", "/logged-models/{model}/params", WRITE, _change_model(_model_params)),
]
