"""The operations on a registry's assets: those of a workspace, with the registry's ids, rights and long-running PUT.

Sources: recordings of azure-ai-ml's tests, listed in docs/fidelity/registries.md.
"""

import re
import uuid
from dataclasses import replace
from datetime import datetime
from typing import Any

from starlette.responses import JSONResponse, Response

from sandbox.azure import clock
from sandbox.azure.arm.core import Body, Call
from sandbox.azure.cloud import Cloud
from sandbox.azure.ml.assetkinds import TYPES
from sandbox.azure.ml.assets import ENVIRONMENTS
from sandbox.azure.ml.components import KIND as COMPONENTS
from sandbox.azure.ml.components import ComponentRoutes
from sandbox.azure.ml.errors import UserError
from sandbox.azure.ml.operations import TIME, WAIT
from sandbox.azure.ml.registration import AssetRoutes
from sandbox.azure.ml.scope import Handler, Scope, properties_of
from sandbox.azure.ml.shared import account_of, new_container, signature

OPERATION = "mlRegistryOperation"
TIMEOUT = "PT1H"
RIGHTS = {"GET": "assets/read", "PUT": "assets/write", "POST": "assets/write", "DELETE": "assets/delete"}
# What this version of the API does not have.
LATER = ("provisioningState", "autoRebuild", "autoDeleteSetting")
LOCATIONS = ("dataUri", "modelUri", "codeUri")


class _RegistryAssets(AssetRoutes):
    """The assets of one kind."""

    def shown(self, scope: Scope, call: Call, version: Body) -> Body:
        """A version as a registry shows it."""
        return _as_shared(super().shown(scope, call, version), self._kind.plural)

    def present_container(self, scope: Scope, container: Body) -> Body:
        """A container as a registry shows it."""
        return _as_shared(super().present_container(scope, container), self._kind.plural)

    def _put_version(self, scope: Scope, call: Call, match: re.Match[str]) -> Response:
        return _put(self, scope, call, match)


class _RegistryComponents(_RegistryAssets, ComponentRoutes):
    """The components."""


KINDS: dict[str, AssetRoutes] = {
    # The versions of a name that is not there are an empty list, of models too, unlike in a workspace.
    **{kind.plural: _RegistryAssets(replace(kind, missing=("", ""))) for kind in TYPES},
    COMPONENTS.plural: _RegistryComponents(COMPONENTS),
}


def _as_shared(shown: Body, plural: str) -> Body:
    shown["type"] = plural
    for key in LATER:
        shown["properties"].pop(key, None)
    if plural == ENVIRONMENTS:
        shown["properties"].setdefault("intellectualProperty", None)
    return shown


def _put(kind: AssetRoutes, scope: Scope, call: Call, match: re.Match[str]) -> Response:
    """Makes or changes a version; the outcome is read at the operation's address."""
    name, version, sent = match["name"], match["version"], properties_of(call)
    for key in LOCATIONS:
        if sent.get(key):
            sent[key] = str(sent[key]).partition("?")[0]  # the client sends the upload's address with its signature
    body, _ = kind.put(scope, name, version, sent)
    # The client takes a body of all but environments, whose operation ends without one.
    return accepted(scope, None if f"/{ENVIRONMENTS}/" in call.id.text else kind.shown(scope, call, body))


def accepted(scope: Scope, outcome: Body | None) -> Response:
    """The answer to a request whose outcome comes later: 202, with the operation's address.

    Args:
        scope: The registry.
        outcome: What is read there in the end; None for nothing.
    """
    name = str(uuid.uuid4())
    document = {"until": (clock.now() + TIME).isoformat(), "outcome": outcome}
    scope.cloud.store.put(OPERATION, name, document)
    address = f"https://{scope.workspace['location']}.api.azureml.ms/registry/v1.0/operations/{name}"
    headers = {"Location": address, "Retry-After": WAIT, "x-ms-async-operation-timeout": TIMEOUT}
    return JSONResponse(None, 202, headers=headers)


def poll(cloud: Cloud, name: str) -> Response:
    """The outcome of an operation; 202 while it goes on. The address cannot be guessed and so needs no right."""
    operation = cloud.store.get(OPERATION, name)
    if operation is None:
        raise UserError(404, f"There is no operation '{name}'.", "NotFound")
    if clock.now() < datetime.fromisoformat(operation["until"]):
        return Response(status_code=202, headers={"Retry-After": WAIT})
    if operation["outcome"] is None:
        return Response(status_code=200)
    return JSONResponse(operation["outcome"])


def require_new(scope: Scope, plural: str, name: str, version: str) -> None:
    """Refuses a version that the registry has already.

    Raises:
        UserError: 409.
    """
    if KINDS[plural].find(scope, name, version) is not None:
        raise UserError(409, f"The asset '{plural}/{name}/versions/{version}' exists already.", "Conflict")


def _upload(scope: Scope, call: Call, match: re.Match[str]) -> Any:
    """Where the files of a version that is to be made are uploaded to; 409 for one that is there.

    Source: the recordings test_create_get_download_model_registry, test_registry_environment_create_conda_and_get.
    """
    plural, name, version = _named(call, match)
    require_new(scope, plural, name, version)
    return {
        "blobReferenceForConsumption": _blobs(scope, new_container(scope, plural, name, version), "rcwl"),
        "imageReferenceForConsumption": None,
        "temporaryDataReferenceId": str(uuid.uuid4()),
        "temporaryDataReferenceType": None,
    }


def _download(scope: Scope, call: Call, match: re.Match[str]) -> Any:
    """A signature to read the files of a version."""
    plural, name, version = _named(call, match)
    found = KINDS[plural].find(scope, name, version)
    if found is None:
        raise KINDS[plural].missing(name, version)
    uri = str(call.body.get("blobUri") or "")
    container = uri.partition(".net")[2].removeprefix(":443").strip("/").partition("/")[0].partition("?")[0]
    return {"blobReferenceForConsumption": _blobs(scope, container, "rl")}


def _named(call: Call, match: re.Match[str]) -> tuple[str, str, str]:
    """Kind, name and version of the asset in the body's `assetId`, which the client names in its own ways."""
    parts = str(call.body.get("assetId") or "").strip("/").split("/")
    plural = next((part for part in parts if part.lower() in KINDS), "")
    plural = plural or next((f"{part}s" for part in parts if f"{part.lower()}s" in KINDS), "")
    if not plural:
        raise UserError(400, f"'assetId' names no asset: '{call.body.get('assetId')}'.", "BadArgument")
    return plural.lower(), match["name"], match["version"]


def _blobs(scope: Scope, container: str, permissions: str) -> Body:
    account, account_id = account_of(scope.workspace)
    address = f"https://{account}.blob.core.windows.net/{container}"
    return {
        "blobUri": address.replace(".net/", ".net:443/"),
        "storageAccountArmId": account_id,
        "credential": {
            "credentialType": "SAS",
            "sasUri": f"{address}?{signature(scope, account, container, permissions)}",
            "wasbsUri": None,
        },
    }


def operations() -> list[tuple[str, str, str, Handler]]:
    """The operations below a registry: method, path, right, and what carries it out."""
    files = "/{name}/versions/{version}"
    found = [(method, path, handle) for kind in KINDS.values() for method, path, _, handle in kind.operations()]
    found += [("PUT", f"/tempdatarefs{files}", _upload), ("POST", f"/datarefs{files}", _download)]
    rights = {**RIGHTS, f"/datarefs{files}": "assets/read"}
    return [(method, path, rights.get(path, rights[method]), handle) for method, path, handle in found]
