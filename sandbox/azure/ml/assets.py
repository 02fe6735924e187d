"""Versioned assets as they are stored: look-ups by name, version and id."""

import re

from sandbox.azure.arm.core import Body
from sandbox.azure.cloud import Cloud
from sandbox.azure.ml.environments import curated
from sandbox.azure.ml.errors import UserError
from sandbox.azure.ml.names import ONLINE_DEPLOYMENTS, WORKSPACES
from sandbox.azure.ml.scope import Scope
from sandbox.azure.ml.shared import reference, registry_scope

VERSION, CONTAINER = "mlAsset", "mlAssetContainer"
DEFAULT_LABEL = "default"
LABELS = (DEFAULT_LABEL, "latest")
_ID = re.compile(r"/(data|environments|codes|components|models)/([^/]+)/(versions|labels)/([^/]+)$")
_SHORT = re.compile(r"(?:azureml:)?([^:/@]+)(?::([^:/@]+)|@([^:/@]+))")
ENVIRONMENTS = "environments"
MADE = {"By": "Microsoft", "ByType": "User", "At": "2021-12-15T01:34:25.555093+00:00"}


def version_of(scope: Scope, plural: str, name: str, version: str) -> Body | None:
    """A version as it is stored, or a curated environment's, or None."""
    stored = scope.get(VERSION, plural, name, "versions", version)
    return stored or (_curated(scope, name, version) if plural == ENVIRONMENTS else None)


def versions_of(scope: Scope, plural: str, name: str) -> list[Body]:
    """All versions, the latest made first; of a curated environment the latest alone."""
    found = list(scope.list(VERSION, plural, name, "versions"))
    if not found and plural == ENVIRONMENTS and (latest := _curated(scope, name, curated.LATEST)):
        return [latest]
    return sorted(found, key=lambda one: one["systemData"]["createdAt"], reverse=True)


def next_version(versions: list[Body]) -> str:
    """One more than the highest number among the versions."""
    numbers = [int(one["name"]) for one in versions if one["name"].isdecimal()]
    return str(max(numbers, default=0) + 1)


def _curated(scope: Scope, name: str, version: str) -> Body | None:
    """A version of a curated environment as the service shows it, or None.

    Source: the recording test_environment_get of azure-ai-ml. Its image is not in there, nor here.
    """
    row = curated.find(name)
    number = curated.number(row, version) if row and name.startswith(curated.PREFIX) else ""
    if row is None or not number:
        return None
    return {
        "id": f"{scope.id}/{ENVIRONMENTS}/{name}/versions/{number}",
        "name": number,
        "type": f"{WORKSPACES}/{ENVIRONMENTS}/versions",
        "properties": {
            "description": None,
            "tags": {},
            "properties": {"azureml.labels": curated.LATEST if number == row.latest else ""},
            "isArchived": False,
            "isAnonymous": False,
            "autoDeleteSetting": None,
            "environmentType": "Curated",
            "condaFile": "",
            "osType": "Linux",
            "autoRebuild": "OnBaseImageUpdate",
            "provisioningState": "Succeeded",
            "stage": "Development",
            "intellectualProperty": None,
        },
        "systemData": {f"{when}{key}": one for when in ("created", "lastModified") for key, one in MADE.items()},
    }


def environment_of(scope: Scope, address: str) -> Body | None:
    """An environment's version by any form of reference.

    Args:
        scope: The workspace.
        address: A resource id, `azureml:NAME:VERSION`, `azureml:NAME@LABEL`, or an address in a registry.
    """
    shared = reference(address)
    if shared is not None and shared.registry.lower() == curated.REGISTRY and shared.plural == ENVIRONMENTS:
        return _curated(scope, f"{curated.PREFIX}{shared.name.removeprefix(curated.PREFIX)}", shared.version)
    short = _SHORT.fullmatch(address)
    if short:
        return by_asset_id(
            scope, f"/{ENVIRONMENTS}/{short[1]}/{'versions' if short[2] else 'labels'}/{short[2] or short[3]}"
        )
    return by_asset_id(scope, address)


def by_asset_id(scope: Scope, asset_id: str) -> Body | None:
    """A version by any of its ids: a resource id (`azureml:` before it or not), `azureml://locations/…`, a registry's.

    The labels `default` and `latest` are the version that was made last and is not archived.

    Raises:
        AzureError: 403 AuthorizationFailed, where the caller may not read the registry.
    """
    shared = reference(asset_id)
    if shared is not None:
        registry = registry_scope(scope, shared.registry)
        if registry is None:
            return None
        return _version_by(registry, shared.plural, shared.name, shared.by, shared.version)
    found = _ID.search(asset_id)
    return _version_by(scope, found[1], found[2], found[3], found[4]) if found else None


def _version_by(scope: Scope, plural: str, name: str, by: str, version: str) -> Body | None:
    """A version by its number or a label."""
    if by == "versions":
        return version_of(scope, plural, name, version)
    made = versions_of(scope, plural, name) if version in LABELS else []
    return next((one for one in made if not one["properties"]["isArchived"]), None)


def refuse_deployed(scope: Scope, plural: str, name: str, version: str = "") -> None:
    """Refuses to delete a model, or a version of it, that a deployment serves.

    Source: learn.microsoft.com/azure/machine-learning/how-to-manage-models; status and text are assumed.

    Raises:
        UserError: 409.
    """
    for one in scope.cloud.store.resources(ONLINE_DEPLOYMENTS, scope.key("")):
        model = one["properties"].get("model") or ""
        served = by_asset_id(scope, model) if reference(model) is None else None
        if served is None:
            continue
        parts = served["id"].split("/")
        if [plural, name.lower()] == [parts[-4], parts[-3].lower()] and version in ("", served["name"]):
            what = "/".join(one["id"].split("/")[-3::2])
            raise UserError(
                409, f"The model '{name}' is served by the deployment '{what}': delete that first.", "Conflict"
            )


def forget(cloud: Cloud, workspace_id: str) -> None:
    """Drops all assets of a workspace or registry that was removed, by what their ids begin with."""
    for kind in (VERSION, CONTAINER):
        cloud.store.clear(kind, workspace_id.lower() + "/")
