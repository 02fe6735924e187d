"""Addresses of data and models by their ids, for clients that download what a job put out."""

from sandbox.azure.arm.core import Body
from sandbox.azure.ml.plane.routing import Answer, Request, route
from sandbox.azure.ml.uris import AddressError, locate, long_uri


def _addresses(request: Request) -> dict[str, str]:
    """What leads nowhere is left out."""
    found = {}
    for one in request.body.get("values") or []:
        try:
            found[str(one)] = long_uri(request.scope, locate(request.scope, str(one)))
        except AddressError:
            continue
    return found


def _data(request: Request) -> Answer:
    values: Body = {one: {"uri": uri, "type": "UriFolder"} for one, uri in _addresses(request).items()}
    return {"values": values}


def _models(request: Request) -> Answer:
    values: Body = {one: {"path": uri} for one, uri in _addresses(request).items()}
    return {"values": values}


DATA_ROUTES = [route("POST", "/dataversion/batchGetResolvedUris", "data/versions/read", _data)]
MODEL_ROUTES = [route("POST", "/models/batchGetResolvedUris", "models/versions/read", _models)]
