"""The files behind an address of a datastore, read from its storage with the persona's token, as the SDK reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlencode

from sandbox.studio.azure import STORAGE, Azure
from sandbox.studio.visit import Missing
from sandbox.studio.workspaces import Workspace

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MOST = 500  # files that a page lists
VERSION = {"x-ms-version": "2021-08-06"}
CONTAINERS = {"AzureBlob": "containerName", "AzureDataLakeGen2": "filesystem"}
"""Which property of a datastore names its container, by type."""
FORBIDDEN = {".", ".."}
"""Parts of a path that lead elsewhere."""
_ADDRESS = re.compile(
    r"azureml://(?:subscriptions/[^/]+/resourcegroups/[^/]+/(?:providers/[^/]+/)?workspaces/([^/]+)/)?"
    r"datastores/([a-z0-9_-]+)/paths/(.+)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class File:
    """A file: its path below the address, and its size in bytes."""

    path: str
    size: int


@dataclass(frozen=True)
class Place:
    """A file or folder of a container.

    Attributes:
        container: The container's address.
        path: The blob's name, or what the names of the folder's blobs begin with; without a slash at the end.
    """

    container: str
    path: str

    def files(self, azure: Azure) -> list[File]:
        """The files by path: the file itself, or what the folder has at any depth.

        Raises:
            Refused: The persona may not read them.
        """
        from xml.etree import ElementTree  # noqa: PLC0415 - 0.6 MB that most visits do not need

        asked = {"restype": "container", "comp": "list", "prefix": self.path, "maxresults": MOST}
        told = azure.send("GET", f"{self.container}?{urlencode(asked)}", headers=VERSION)
        found = [self._file(one) for one in ElementTree.fromstring(told.data).iter("Blob")]  # noqa: S314 # our own
        return [one for one in found if one]

    def _file(self, blob: Element) -> File | None:
        """A file of a list; None for a folder, and for what only begins with the same letters."""
        told = blob.find("Name")
        name = (told.text or "") if told is not None else ""
        if told is not None and told.get("Encoded"):
            name = unquote(name)
        below = name == self.path or name.startswith(f"{self.path}/")
        if not below or blob.findtext("Properties/ResourceType") == "directory":
            return None
        return File(name[len(self.path) :].lstrip("/"), int(blob.findtext("Properties/Content-Length") or 0))

    def stream(self, azure: Azure, path: str) -> tuple[Mapping[str, str], Iterator[bytes]]:
        """Headers and parts of a file.

        Args:
            azure: The persona's client.
            path: As `files` gives it; empty for the file itself.

        Raises:
            Missing: No file can have this path.
            Refused: It is not there, or the persona may not read it.
        """
        if not FORBIDDEN.isdisjoint(path.split("/")):
            raise Missing(f"'{path}' is no path of a file.")
        name = f"{self.path}/{path}" if path else self.path
        token = {"Authorization": f"Bearer {azure.token(STORAGE)}"}
        return azure.stream(f"{self.container}/{quote(name)}", VERSION | token)


def place(azure: Azure, workspace: Workspace, address: str) -> Place | None:
    """Where an address of a datastore leads; None for another address, and for another workspace's datastore.

    Raises:
        Refused: The persona may not read the datastore.
    """
    found = _ADDRESS.fullmatch(address)
    if not found or (found[1] or workspace.name).lower() != workspace.name.lower():
        return None
    if not FORBIDDEN.isdisjoint(found[3].split("/")):
        return None
    own = azure.arm(f"{workspace.id}/datastores/{found[2]}")["properties"]
    container = CONTAINERS.get(own["datastoreType"])
    if container is None:
        return None
    host = f"{own['accountName']}.blob.{own['endpoint']}"
    return Place(f"https://{host}/{quote(own[container])}", found[3].rstrip("/"))
