"""Where resources are: a path below the subscription for each, also for one that is not made yet.

A path is an Azure id in lower case without its subscription: `/resourcegroups/g/providers/microsoft.storage/…`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from review.model import Resource, Side

_GROUP = "/resourcegroups/{resourceGroupName}"
_VAULT = f"{_GROUP}/providers/microsoft.keyvault/vaults/{{vaultName}}"
_STORAGE = f"{_GROUP}/providers/microsoft.storage/storageaccounts/{{accountName}}"
_ML = f"{_GROUP}/providers/microsoft.machinelearningservices"

PATHS: Mapping[str, str] = MappingProxyType(
    {
        "azure-native:resources:ResourceGroup": _GROUP,
        "azure-native:storage:StorageAccount": _STORAGE,
        "azure-native:storage:BlobContainer": f"{_STORAGE}/blobservices/default/containers/{{containerName}}",
        "azure-native:keyvault:Vault": _VAULT,
        "azure-native:keyvault:Secret": f"{_VAULT}/secrets/{{secretName}}",
        "azure-native:keyvault:Key": f"{_VAULT}/keys/{{keyName}}",
        "azure-native:containerregistry:Registry": (
            f"{_GROUP}/providers/microsoft.containerregistry/registries/{{registryName}}"
        ),
        "azure-native:machinelearningservices:Workspace": f"{_ML}/workspaces/{{workspaceName}}",
        "azure-native:machinelearningservices:Registry": f"{_ML}/registries/{{registryName}}",
        "azure-native:applicationinsights:Component": (
            f"{_GROUP}/providers/microsoft.insights/components/{{resourceName}}"
        ),
    }
)
"""The path of each type on which the platform gives roles, by its inputs."""


@dataclass(frozen=True, eq=False)
class Places:
    """The paths of a stack's resources.

    Attributes:
        by_path: The resource at each path.
        by_urn: The resource of each URN.
        paths: The path of each URN, where it is known.
    """

    by_path: Mapping[str, Resource] = field(default_factory=dict)
    by_urn: Mapping[str, Resource] = field(default_factory=dict)
    paths: Mapping[str, str] = field(default_factory=dict)

    def sources(self, resource: Resource, key: str) -> Iterator[Resource]:
        """The resources that an input's value comes from."""
        return (self.by_urn[urn] for urn in resource.sources.get(key, ()) if urn in self.by_urn)

    def path(self, resource: Resource, key: str) -> str | None:
        """The path that an input holds as an id; by the resource that it comes from where it is not known yet."""
        value = resource.inputs.get(key)
        if isinstance(value, str):
            return path_of(value)
        known = [self.paths[urn] for urn in resource.sources.get(key, ()) if urn in self.paths]
        return max(known, key=len, default=None)


def places(side: Side) -> Places:
    """The paths of all resources of a stack."""
    by_urn = {one.urn: one for one in side.resources}
    paths = {one.urn: path for one in side.resources if (path := _path(one, by_urn)) is not None}
    return Places({paths[urn]: by_urn[urn] for urn in paths}, by_urn, paths)


def path_of(id_: str) -> str:
    """The path in an Azure id."""
    words = id_.rstrip("/").lower().split("/")
    return "/".join(["", *words[3:]]) if words[1:2] == ["subscriptions"] else "/".join(words)


def _path(resource: Resource, by_urn: Mapping[str, Resource]) -> str | None:
    template = PATHS.get(resource.type)
    if template is None:
        return None
    names = {}
    for key in ("resourceGroupName", *_last_keys(template)):
        name = _name(resource, key, by_urn)
        if name is None:
            return None
        names[key] = name.lower()
    return template.format(**names)


def _last_keys(template: str) -> list[str]:
    return [part[1:-1] for part in template.split("/") if part.startswith("{")]


def _name(resource: Resource, key: str, by_urn: Mapping[str, Resource]) -> str | None:
    """A name that an input holds; where it is not known yet, that of the resource which it comes from."""
    value: Any = resource.inputs.get(key)
    if isinstance(value, str):
        return value
    for urn in resource.sources.get(key, ()):
        source = by_urn.get(urn)
        if source is not None and source.urn != resource.urn and key in _last_keys(PATHS.get(source.type, "")):
            return _name(source, key, by_urn)
    return None
