"""MLflow's experiments."""

from typing import Any
from urllib.parse import quote

from sandbox.azure.arm.core import Body
from sandbox.azure.ml import runs
from sandbox.azure.ml.plane import search
from sandbox.azure.ml.plane.mlflow import (
    MlflowError,
    api,
    from_pairs,
    key_of,
    listing,
    page,
    pairs,
    plain,
    plugin_address,
    text_of,
)
from sandbox.azure.ml.plane.routing import Answer, Handler, Request
from sandbox.azure.ml.scope import Scope

READ, WRITE = "experiments/read", "experiments/write"


def _shown_experiment(request: Request, found: Body) -> Body:
    location = "" if plain(request) else f"{plugin_address(request)}/experiments/{quote(found['name'])}/artifacts"
    return {
        "experiment_id": found["id"],
        "name": found["name"],
        "artifact_location": location or f"mlflow-artifacts:/{found['id']}",
        "lifecycle_stage": "deleted" if found["archived"] else "active",
        "creation_time": runs.millis(found["created"]),
        "last_update_time": runs.millis(found["updated"]),
        "tags": pairs(found["tags"]),
    }


def find_experiment(scope: Scope, experiment_id: str) -> Body:
    """The experiment of this id; `0` is MLflow's default one, made if there is none.

    Raises:
        MlflowError: There is none.
    """
    found = scope.get(runs.EXPERIMENT, experiment_id)
    if found is None and experiment_id == "0":
        found = runs.experiment(scope, runs.DEFAULT_EXPERIMENT)
    if found is None:
        raise MlflowError("RESOURCE_DOES_NOT_EXIST", f"Could not find experiment with ID {experiment_id}")
    return found


def _get_experiment(request: Request) -> Answer:
    found = find_experiment(request.scope, text_of(request, "experiment_id"))
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
    made = runs.make_experiment(request.scope, name, from_pairs(request.body.get("tags"), "tag"))
    return {"experiment_id": made["id"]}


def _update_experiment(request: Request, **changes: Any) -> Answer:
    found = find_experiment(request.scope, text_of(request, "experiment_id"))
    request.scope.put(runs.EXPERIMENT, {**found, "updated": runs.now(), **changes}, found["id"])
    return {}


def _rename(request: Request) -> Answer:
    name = text_of(request, "new_name")
    if runs.find_experiment(request.scope, name) is not None:
        raise MlflowError("RESOURCE_ALREADY_EXISTS", f"Experiment '{name}' already exists.")
    return _update_experiment(request, name=name)


def _archive(archived: bool) -> Handler:
    return lambda request: _update_experiment(request, archived=archived)


def _tag_experiment(request: Request) -> Answer:
    found = find_experiment(request.scope, text_of(request, "experiment_id"))
    tags = {**found["tags"], key_of(request.body.get("key"), "tag"): text_of(request, "value", "")}
    return _update_experiment(request, tags=tags)


def _untag_experiment(request: Request) -> Answer:
    found = find_experiment(request.scope, text_of(request, "experiment_id"))
    key = text_of(request, "key")
    return _update_experiment(request, tags={name: value for name, value in found["tags"].items() if name != key})


def _search_experiments(request: Request) -> Answer:
    view = text_of(request, "view_type", "ACTIVE_ONLY")
    found = [_shown_experiment(request, one) for one in request.scope.list(runs.EXPERIMENT)]
    found = [one for one in found if view == "ALL" or (one["lifecycle_stage"] == "deleted") == (view == "DELETED_ONLY")]
    chosen = search.select(found, text_of(request, "filter", ""), search.EXPERIMENT)
    search.order(chosen, listing(request, "order_by") or ["creation_time DESC"], search.EXPERIMENT)
    return page(request, "experiments", chosen, 1000)


ROUTES = [
    api("GET", "/experiments/get", READ, _get_experiment),
    api("GET", "/experiments/get-by-name", READ, _experiment_by_name),
    api("POST", "/experiments/create", WRITE, _create_experiment),
    api("POST", "/experiments/update", WRITE, _rename),
    api("POST", "/experiments/delete", "experiments/delete", _archive(True)),
    api("POST", "/experiments/restore", WRITE, _archive(False)),
    api("POST", "/experiments/set-experiment-tag", WRITE, _tag_experiment),
    api("POST", "/experiments/delete-experiment-tag", WRITE, _untag_experiment),
    api("POST", "/experiments/search", READ, _search_experiments),
    api("GET", "/experiments/search", READ, _search_experiments),
]
