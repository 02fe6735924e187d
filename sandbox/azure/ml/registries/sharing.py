"""Promotion: a workspace's model, environment or data is copied into a registry, files included."""

import re
import tempfile
from pathlib import Path
from typing import Any

from sandbox.azure.arm.core import Body, Call
from sandbox.azure.cloud import Cloud
from sandbox.azure.ml.access import AccessError, Place, open_place
from sandbox.azure.ml.assets import version_of
from sandbox.azure.ml.errors import UserError
from sandbox.azure.ml.identities import workspace_identity
from sandbox.azure.ml.names import WORKSPACES
from sandbox.azure.ml.registries.assets import KINDS, accepted, require_new
from sandbox.azure.ml.runner.data import DataError, fetch_file, fetch_folder, upload_folder
from sandbox.azure.ml.scope import Scope, properties_of
from sandbox.azure.ml.shared import account_of, new_container, signature
from sandbox.azure.ml.uris import AddressError, Location, locate_asset

_SOURCE = re.compile(
    r"azureml://locations/[^/]+/workspaces/(?P<workspace>[^/]+)/(?P<plural>models|environments|data|components)/"
    r"(?P<name>[^/]+)/versions/(?P<version>[^/]+)"
)
PLACES = {"models": "modelUri", "data": "dataUri"}
KEPT = (
    "description",
    "tags",
    "properties",
    "flavors",
    "modelType",
    "dataType",
    "image",
    "condaFile",
    "osType",
    "build",
)


async def share(scope: Scope, call: Call, match: re.Match[str]) -> Any:
    """Copies the version that the body names; the caller reads it in its workspace.

    Raises:
        UserError: 400 for a body that names none, 404 where it is not there, 409 where the registry has it already.
    """
    del match
    sent = properties_of(call)
    source = _SOURCE.fullmatch(str(sent.get("sourceAssetId") or ""))
    if source is None:
        raise UserError(400, f"'{sent.get('sourceAssetId')}' is no asset of a workspace.", "BadArgument")
    plural = source["plural"]
    name = str(sent.get("destinationName") or source["name"])
    version = str(sent.get("destinationVersion") or source["version"])
    workspace = _workspace(scope.cloud, source["workspace"])
    origin = Scope(scope.cloud, scope.caller, workspace)
    origin.authorize(f"{plural}/versions/read")
    asset = version_of(origin, plural, source["name"], source["version"])
    if asset is None:
        raise KINDS[plural].missing(source["name"], source["version"])
    require_new(scope, plural, name, version)
    properties = {key: value for key, value in asset["properties"].items() if key in KEPT and value is not None}
    try:
        properties |= await _files(scope, origin, plural, asset, (name, version))
    except (AccessError, AddressError, DataError) as error:
        raise UserError(400, f"The files of '{source['name']}:{source['version']}' cannot be read: {error}") from error
    if plural == "components":
        properties = {"componentSpec": {**asset["properties"]["componentSpec"], "version": version}}
    KINDS[plural].put(scope, name, version, properties)
    return accepted(scope, None)


def _workspace(cloud: Cloud, guid: str) -> Body:
    """The workspace with this GUID."""
    for one in cloud.store.resources(WORKSPACES):
        if one["properties"].get("workspaceId") == guid:
            return one
    raise UserError(404, "Workspace not found.", "NotFound", "WorkspaceNotFound")


async def _files(scope: Scope, origin: Scope, plural: str, asset: Body, named: tuple[str, str]) -> dict[str, Any]:
    """Copies a version's files; gives the properties that say where they are now."""
    if plural not in PLACES and not asset["properties"].get("build"):
        return {}
    location = locate_asset(origin, asset)
    source = open_place(origin, location, workspace_identity(origin) or origin.caller)
    container = new_container(scope, plural, *named)
    account, _ = account_of(scope.workspace)
    target = Location(account, container, "", sas=signature(scope, account, container, "rcwl"))
    with tempfile.TemporaryDirectory() as folder:
        leaf = await _fetch(source, Path(folder))
        await upload_folder(Path(folder), open_place(scope, target, None), lambda text: None)
    uri = f"https://{account}.blob.core.windows.net/{container}/{leaf}"
    if plural in PLACES:
        return {PLACES[plural]: uri}
    return {"build": {**asset["properties"]["build"], "contextUri": uri}}


async def _fetch(source: Place, folder: Path) -> str:
    """Copies a file, or a folder under its own name; gives the name."""
    if source.file() is not None:
        return (await fetch_file(source, folder)).name
    leaf = source.path.rstrip("/").rsplit("/", 1)[-1] or "files"
    await fetch_folder(source, folder / leaf)
    return leaf
