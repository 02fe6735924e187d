"""MLflow's proxied artifacts: the content itself over https, for clients without azureml-mlflow.

A path begins with a run's id and `artifacts`, or with an origin and container: `ExperimentRun/dcid.RUN/…`.
Source: mlflow's mlflow_artifacts.proto and store/artifact/http_artifact_repo.py.
"""

from collections.abc import AsyncIterator

from starlette.responses import Response, StreamingResponse

from sandbox.azure.ml.access import Place, open_place
from sandbox.azure.ml.identities import workspace_identity
from sandbox.azure.ml.plane.artifacts import READ, WRITE, check_path, root
from sandbox.azure.ml.plane.history import blobs_below
from sandbox.azure.ml.plane.mlflow import MlflowError
from sandbox.azure.ml.plane.routing import Answer, Request, route
from sandbox.azure.ml.plane.tracking import listed
from sandbox.azure.ml.scope import Scope
from sandbox.azure.ml.uris import Location
from sandbox.azure.storage import authorization
from sandbox.azure.storage.blobs import ANY, BINARY

API = "/api/2.0/mlflow-artifacts/artifacts"
RUN_DEPTH = 2  # RUN/artifacts


def _location(scope: Scope, path: str) -> Location:
    """Where a path of the proxy lies in storage."""
    parts = check_path(path.strip("/")).split("/")
    if len(parts) >= RUN_DEPTH and parts[1] == "artifacts":
        return root(scope, "ExperimentRun", f"dcid.{parts[0]}").joined("/".join(parts[2:]))
    if len(parts) < RUN_DEPTH:
        raise MlflowError("RESOURCE_DOES_NOT_EXIST", f"No artifacts at '{path}'.")
    return root(scope, parts[0], parts[1]).joined("/".join(parts[2:]))


def _open(request: Request) -> Place:
    location = _location(request.scope, request.names["path"])
    return open_place(request.scope, location, workspace_identity(request.scope))


async def _upload(request: Request) -> Answer:
    place = _open(request)
    place.require(authorization.WRITE, place.path)
    async with place.container.content.receive(request.http.stream()) as received:
        place.container.put(place.path, ANY, received.segments, headers={"content-type": BINARY})
    return {}


async def _download(request: Request) -> Answer:
    place = _open(request)
    place.require(authorization.READ, place.path)
    blob = place.file()
    if blob is None:
        raise MlflowError("RESOURCE_DOES_NOT_EXIST", f"No artifact at '{request.names['path']}'.")
    content = place.container.content

    async def stream() -> AsyncIterator[bytes]:
        with content.reading(blob.segments):
            for chunk in content.read(blob.segments, 0, blob.size):
                yield chunk

    return StreamingResponse(stream(), media_type=BINARY, headers={"Content-Length": str(blob.size)})


def _list(request: Request) -> Answer:
    """MLflow asks for the names without the path that it asked about."""
    location = _location(request.scope, request.query.get("path", ""))
    return {"files": listed(blobs_below(request.scope, location), "")}


def _delete(request: Request) -> Answer:
    place = _open(request)
    place.require(authorization.WRITE, place.path)
    location = _location(request.scope, request.names["path"])
    names = [name for name, _ in blobs_below(request.scope, location)]
    for name in [location.path, *(f"{location.path}/{name}" for name in names)]:
        if place.container.find(name) is not None:
            place.container.delete(name, ANY)
    return Response(status_code=200)


ROUTES = [
    route("GET", API, READ, _list),
    route("PUT", f"{API}/{{path*}}", WRITE, _upload, streams=True),
    route("GET", f"{API}/{{path*}}", READ, _download),
    route("DELETE", f"{API}/{{path*}}", "metadata/artifacts/delete", _delete),
]
