"""Artifacts: files of a run, or of an upload that belongs to none, by addresses that are good without a token.

Source: azureml-mlflow 1.62, _restclient/run_artifact and _restclient/artifact, for paths and bodies.
"""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from sandbox.azure import clock
from sandbox.azure.arm.core import Body
from sandbox.azure.ml.datastores import ARTIFACT_STORE
from sandbox.azure.ml.errors import UserError, not_found
from sandbox.azure.ml.plane.history import blobs_below, signed_url, stored
from sandbox.azure.ml.plane.routing import Answer, Request, Route, route
from sandbox.azure.ml.scope import Scope
from sandbox.azure.ml.uris import Location, artifacts, datastore_location, locate
from sandbox.azure.storage.blobs import ANY
from sandbox.azure.storage.containers import opened

READ, WRITE, DELETE = "metadata/artifacts/read", "metadata/artifacts/write", "metadata/artifacts/delete"
RUN_ORIGIN = "ExperimentRun"
MODEL_ORIGIN = "RegisteredModel"


def root(scope: Scope, origin: str, container: str) -> Location:
    """Where the artifacts of an origin and container lie.

    Raises:
        UserError: 404 for a run or model that is not there.
    """
    if origin == RUN_ORIGIN:
        return artifacts(scope, stored(scope, container.removeprefix("dcid."))["runId"])
    if origin == MODEL_ORIGIN:
        return replace(_model(scope, container), path=_model(scope, container).path.rpartition("/")[0])
    if ".." in (origin, container):
        raise not_found(f"Artifact container {origin}/{container}")
    datastore = scope.get("resource", "datastores", ARTIFACT_STORE)
    if datastore is None:
        raise not_found(f"Datastore {ARTIFACT_STORE}")
    return datastore_location(datastore, f"{origin}/{container}")


def _model(scope: Scope, container: str) -> Location:
    """Where the files of a model `NAME.VERSION` are. Clients want a path in the container: the folder's own name."""
    name, _, version = container.rpartition(".")
    return locate(scope, f"{scope.id}/models/{name}/versions/{version}")


def found(scope: Scope, origin: str, container: str) -> tuple[Location, list[tuple[str, Any]]]:
    """Where the artifacts lie, and what there is: names and properties."""
    place = root(scope, origin, container)
    blobs = blobs_below(scope, place)
    if origin == MODEL_ORIGIN:
        folder = _model(scope, container).path.rpartition("/")[2]
        blobs = [(name, blob) for name, blob in blobs if name == folder or name.startswith(f"{folder}/")]
    return place, blobs


def model_uri(scope: Scope, name: str, version: str) -> str:
    """The address of a registered model's files, below origins and containers."""
    container = f"{name}.{version}"
    return f"{MODEL_ORIGIN}/{container}/{_model(scope, container).path.rpartition('/')[2]}"


def check_path(path: str) -> str:
    """A path of an artifact.

    Raises:
        UserError: 400 for none, or one that leads elsewhere.
    """
    parts = path.split("/")
    if not path or ".." in parts or "." in parts or "\0" in path:
        raise UserError(400, f"'{path}' is no path of an artifact.", "BadArgument", target="path")
    return path


def _origin(request: Request) -> tuple[str, str]:
    names = request.names
    return (RUN_ORIGIN, f"dcid.{names['run']}") if "run" in names else (names["origin"], names["container"])


def _shown(origin: str, container: str, path: str, created: float | None = None) -> Body:
    when = datetime.fromtimestamp(created, UTC) if created is not None else clock.now()
    return {
        "artifactId": f"{origin}/{container}/{path}",
        "origin": origin,
        "container": container,
        "path": path,
        "etag": None,
        "createdTime": when.isoformat(),
        "dataPath": None,
        "tags": {},
    }


def _list(request: Request) -> Answer:
    """All artifacts, or those below `path`."""
    origin, container = _origin(request)
    below = request.query.get("path", "").strip("/")
    _, blobs = found(request.scope, origin, container)
    shown = [
        _shown(origin, container, name, blob.modified)
        for name, blob in blobs
        if not below or name == below or name.startswith(below + "/")
    ]
    return {"value": shown, "continuationToken": None, "nextLink": None}


def _content(request: Request) -> Answer:
    """The address of one artifact's content."""
    origin, container = _origin(request)
    path = check_path(request.query.get("path", ""))
    place, blobs = found(request.scope, origin, container)
    if path not in {name for name, _ in blobs}:
        raise not_found(f"Artifact {origin}/{container}/{path}")
    return {
        "contentUri": signed_url(request.scope, place.joined(path)),
        "origin": origin,
        "container": container,
        "path": path,
        "tags": {},
    }


def _address(request: Request) -> Answer:
    answer = _content(request)
    return answer["contentUri"] if isinstance(answer, dict) else answer


def _metadata(request: Request) -> Answer:
    origin, container = _origin(request)
    path = check_path(request.query.get("path", ""))
    for name, blob in found(request.scope, origin, container)[1]:
        if name == path:
            return _shown(origin, container, path, blob.modified)
    raise not_found(f"Artifact {origin}/{container}/{path}")


def _prefix(request: Request) -> Answer:
    origin, container = _origin(request)
    below = request.query.get("path", "").strip("/")
    place, blobs = found(request.scope, origin, container)
    return {
        "value": [
            {
                "contentUri": signed_url(request.scope, place.joined(name)),
                "origin": origin,
                "container": container,
                "path": name,
                "tags": {},
            }
            for name, _ in blobs
            if not below or name == below or name.startswith(below + "/")
        ],
        "continuationToken": None,
        "nextLink": None,
    }


def _create(request: Request) -> Answer:
    """Addresses to upload new artifacts to; one that exists is an error of its own, as it is in Azure."""
    origin, container = _origin(request)
    place, blobs = found(request.scope, origin, container)
    there = {name for name, _ in blobs}
    made, addresses, errors = {}, {}, {}
    for one in request.body.get("paths") or []:
        path = check_path(str(one.get("path", "")).strip("/"))
        if path in there:
            text = f"Resource Conflict: ArtifactId {origin}/{container}/{path} already exists."
            errors[one["path"]] = {"error": {"code": "UserError", "message": text}}
            continue
        made[one["path"]] = _shown(origin, container, path)
        addresses[one["path"]] = {
            "contentUri": signed_url(request.scope, place.joined(path), "rcw"),
            "origin": origin,
            "container": container,
            "path": path,
            "tags": {},
        }
    return {"artifacts": made, "artifactContentInformation": addresses, "errors": errors}


def _delete(request: Request) -> Answer:
    """One artifact."""
    _remove(request, [check_path(request.query.get("path", ""))])
    return Response(status_code=200)


def _delete_all(request: Request) -> Answer:
    """All artifacts of an origin and container."""
    _remove(request, None)
    return Response(status_code=200)


def _delete_listed(request: Request) -> Answer:
    _remove(request, [check_path(str(one.get("path", "")).strip("/")) for one in request.body.get("paths") or []])
    return Response(status_code=200)


def _remove(request: Request, paths: list[str] | None) -> None:
    """Removes these artifacts, or all; what is not there is no error."""
    place, blobs = found(request.scope, *_origin(request))
    container = opened(request.scope.cloud, place.account, place.container)
    for name, _ in blobs:
        if paths is None or name in paths:
            container.delete("/".join(part for part in (place.path, name) if part), ANY)


def _routes(prefix: str) -> list[Route]:
    return [
        route("GET", prefix, READ, _list),
        route("GET", f"{prefix}/path", READ, _list),
        route("GET", f"{prefix}/contentinfo", READ, _content),
        route("GET", f"{prefix}/artifacturi", READ, _address),
        route("GET", f"{prefix}/metadata", READ, _metadata),
        route("GET", f"{prefix}/prefix/contentinfo", READ, _prefix),
        route("POST", f"{prefix}/batch/metadata", WRITE, _create),
        route("DELETE", f"{prefix}/metadata", DELETE, _delete),
        route("POST", f"{prefix}/batch/metadata:delete", DELETE, _delete_listed),
        route("DELETE", f"{prefix}/batch", DELETE, _delete_all),
    ]


RUN_ROUTES = [
    one
    for prefix in ("/experiments/{name}", "/experimentids/{experiment}")
    for one in _routes(f"{prefix}/runs/{{run}}/artifacts")
]
ROUTES = _routes("/artifacts/{origin}/{container}")
