"""Data assets and models by their ids: what a job put out, for clients that download it, and what mltable loads."""

from starlette.responses import Response

from sandbox.azure.arm.core import Body
from sandbox.azure.ml.assets import by_asset_id, version_of, versions_of
from sandbox.azure.ml.errors import not_found
from sandbox.azure.ml.names import WORKSPACES
from sandbox.azure.ml.plane.routing import Answer, Request, route
from sandbox.azure.ml.scope import Scope
from sandbox.azure.ml.uris import AddressError, locate, long_uri

DATA = f"{WORKSPACES}/data/versions"
READ = "data/versions/read"
# This service names the types of data by its own words.
TYPES = {"uri_file": "UriFile", "uri_folder": "UriFolder", "mltable": "MLTable"}


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


def _version(request: Request) -> Answer:
    name, version = request.names["name"], request.names["version"]
    found = version_of(request.scope, "data", name, version)
    if found is None:
        raise not_found(f"Data version '{name}:{version}'")
    return _shown(request.scope, name, found)


def _versions(request: Request) -> Answer:
    name = request.names["name"]
    found = [_shown(request.scope, name, one) for one in versions_of(request.scope, "data", name)]
    return {"value": found, "continuationToken": None, "nextLink": None}


def _exists(request: Request) -> Answer:
    found = version_of(request.scope, "data", request.names["name"], request.names["version"])
    return Response("true" if found else "false", media_type="application/json")


def _by_id(request: Request) -> Answer:
    asset_id = str(request.body.get("value"))
    found = by_asset_id(request.scope, asset_id)
    if found is None or found["type"] != DATA:
        raise not_found(f"Data '{asset_id}'")
    return _shown(request.scope, found["id"].split("/")[-3], found)


def _shown(scope: Scope, name: str, version: Body) -> Body:
    """A version as this service has it, by its long address."""
    properties, system = version["properties"], version["systemData"]
    workspace = scope.workspace
    return {
        "dataVersion": {
            "assetId": f"azureml://locations/{workspace['location']}/workspaces/"
            f"{workspace['properties']['workspaceId']}/data/{name}/versions/{version['name']}",
            "dataContainerName": name,
            "dataType": TYPES[properties["dataType"].lower()],
            "dataUri": long_uri(scope, locate(scope, properties["dataUri"])),
            "versionId": version["name"],
            "mutableProps": {
                "dataExpiryTime": None,
                "description": properties["description"],
                "tags": properties["tags"],
                "isArchived": properties["isArchived"],
            },
            "referencedDataUris": None,
            "properties": properties["properties"],
            "initialAssetId": None,
            "isRegistered": True,
        },
        "entityMetadata": {
            "etag": None,
            "createdTime": system["createdAt"],
            "modifiedTime": system["lastModifiedAt"],
            "createdBy": {"userObjectId": system["createdBy"]},
            "modifiedBy": None,
        },
        "legacyDatasetId": None,
        "isV2": True,
        "legacyDatasetType": None,
        "legacyDataflowType": None,
        "legacyDataflow": None,
    }


DATA_ROUTES = [
    route("POST", "/dataversion/batchGetResolvedUris", READ, _data),
    route("POST", "/dataversion/getByAssetId", READ, _by_id),
    route("GET", "/dataversion/{name}/versions", READ, _versions),
    route("GET", "/dataversion/{name}/versions/{version}", READ, _version),
    route("GET", "/dataversion/{name}/versions/{version}/exists", READ, _exists),
]
MODEL_ROUTES = [route("POST", "/models/batchGetResolvedUris", "models/versions/read", _models)]
