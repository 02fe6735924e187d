"""What an environment's version asks for, wherever that is said: conda file, build context, curated table."""

from pathlib import Path

from sandbox.azure.arm.core import Body
from sandbox.azure.ml.access import open_place
from sandbox.azure.ml.environments import curated, dockerfile
from sandbox.azure.ml.environments.specification import Specification, specification
from sandbox.azure.ml.identities import workspace_identity
from sandbox.azure.ml.runner.data import fetch_folder
from sandbox.azure.ml.scope import Scope
from sandbox.azure.ml.uris import locate_asset


async def asked_for(scope: Scope, version: Body, folder: Path, network: str) -> Specification:
    """What to install for a version.

    Args:
        scope: The workspace.
        version: The environment's version.
        folder: Where a build context is put; made if there is one.
        network: The node's network.

    Raises:
        SpecificationError: It cannot be built here.
        AccessError, AddressError, DataError: Its build context cannot be read.
    """
    properties = version["properties"]
    row = curated.find(version["id"].split("/")[-3]) if properties.get("environmentType") == "Curated" else None
    if row is not None:
        return curated.specification(row, version["name"])
    build = properties.get("build")
    if not build:
        return specification(properties)
    place = open_place(scope, locate_asset(scope, version), workspace_identity(scope), network)
    await fetch_folder(place, folder)
    return dockerfile.read(folder, build.get("dockerfilePath") or "Dockerfile")
