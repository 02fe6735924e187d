"""Versioned assets as they are stored: look-ups by name, version and id."""

import re

from sandbox.azure.arm.core import Body
from sandbox.azure.cloud import Cloud
from sandbox.azure.ml.scope import Scope

VERSION, CONTAINER = "mlAsset", "mlAssetContainer"
DEFAULT_LABEL = "default"
LABELS = (DEFAULT_LABEL, "latest")
_ID = re.compile(r"/(data|environments|codes|components|models)/([^/]+)/(versions|labels)/([^/]+)$")


def version_of(scope: Scope, plural: str, name: str, version: str) -> Body | None:
    """A version as it is stored, or None."""
    return scope.get(VERSION, plural, name, "versions", version)


def versions_of(scope: Scope, plural: str, name: str) -> list[Body]:
    """All versions, the latest made first."""
    found = scope.list(VERSION, plural, name, "versions")
    return sorted(found, key=lambda one: one["systemData"]["createdAt"], reverse=True)


def next_version(versions: list[Body]) -> str:
    """One more than the highest number among the versions."""
    numbers = [int(one["name"]) for one in versions if one["name"].isdecimal()]
    return str(max(numbers, default=0) + 1)


def by_asset_id(scope: Scope, asset_id: str) -> Body | None:
    """A version by any of its ids: a resource id (`azureml:` before it or not), or `azureml://locations/…`.

    The labels `default` and `latest` are the version that was made last and is not archived.
    """
    found = _ID.search(asset_id)
    if found is None:
        return None
    if found[3] == "versions":
        return version_of(scope, found[1], found[2], found[4])
    made = versions_of(scope, found[1], found[2]) if found[4] in LABELS else []
    return next((one for one in made if not one["properties"]["isArchived"]), None)


def forget(cloud: Cloud, workspace_id: str) -> None:
    """Drops all assets of a workspace that was removed."""
    for kind in (VERSION, CONTAINER):
        for key, _ in list(cloud.store.items(kind, workspace_id.lower() + "/")):
            cloud.store.delete(kind, key)
