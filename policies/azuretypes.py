"""Types of azure-native whose ids and names the rules must know.

Paths: azure-rest-api-specs. Limits of names: learn.microsoft.com/azure/azure-resource-manager/management/
resource-name-rules, and the pattern of each API's specification.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from policies.resources import Resource
from policies.values import UnknownValueError


@dataclass(frozen=True)
class AzureType:
    """One type.

    Attributes:
        path: The id below its resource group, with the inputs that make it up; for the group, its id.
        pattern: The pattern that a name must match; None where it is not known.
        worldwide: Whether no two in the world have one name.
    """

    path: str
    pattern: re.Pattern[str] | None = None
    worldwide: bool = False

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """The inputs that make up the id below the resource group."""
        return tuple(re.findall(r"{(\w+)}", self.path))

    @property
    def named_by(self) -> str:
        """The input that is the name."""
        return self.parts[-1]


def _type(path: str, pattern: str | None = None, *, worldwide: bool = False) -> AzureType:
    return AzureType(path, re.compile(pattern) if pattern else None, worldwide)


_ML = "Microsoft.MachineLearningServices/workspaces/{workspaceName}"
TYPES: Mapping[str, AzureType] = MappingProxyType(
    {
        "resources:ResourceGroup": _type("{resourceGroupName}", r"[\w.()-]{0,89}[\w()-]"),
        "storage:StorageAccount": _type(
            "Microsoft.Storage/storageAccounts/{accountName}", r"[a-z0-9]{3,24}", worldwide=True
        ),
        "keyvault:Vault": _type(
            "Microsoft.KeyVault/vaults/{vaultName}", r"[a-zA-Z](?!.*--)[a-zA-Z0-9-]{1,22}[a-zA-Z0-9]", worldwide=True
        ),
        "containerregistry:Registry": _type(
            "Microsoft.ContainerRegistry/registries/{registryName}", r"[a-zA-Z0-9]{5,50}", worldwide=True
        ),
        "machinelearningservices:Workspace": _type(_ML, r"[a-zA-Z0-9][a-zA-Z0-9_-]{2,32}"),
        "machinelearningservices:Compute": _type(
            f"{_ML}/computes/{{computeName}}", r"(?=.{3,32}$)[a-zA-Z](?:-?[a-zA-Z0-9])+"
        ),
        "machinelearningservices:OnlineEndpoint": _type(f"{_ML}/onlineEndpoints/{{endpointName}}"),
        "machinelearningservices:BatchEndpoint": _type(f"{_ML}/batchEndpoints/{{endpointName}}"),
        "machinelearningservices:Registry": _type(
            "Microsoft.MachineLearningServices/registries/{registryName}", r"[a-zA-Z0-9][a-zA-Z0-9_-]{2,32}"
        ),
        "applicationinsights:Component": _type("Microsoft.Insights/components/{resourceName}", r"[^%&\\?/\s]{1,260}"),
        "operationalinsights:Workspace": _type(
            "Microsoft.OperationalInsights/workspaces/{workspaceName}", r"[a-zA-Z0-9][a-zA-Z0-9-]{2,61}[a-zA-Z0-9]"
        ),
        "managedidentity:UserAssignedIdentity": _type(
            "Microsoft.ManagedIdentity/userAssignedIdentities/{resourceName}", r"[a-zA-Z0-9][a-zA-Z0-9_-]{2,127}"
        ),
        "network:VirtualNetwork": _type(
            "Microsoft.Network/virtualNetworks/{virtualNetworkName}", r"[a-zA-Z0-9][\w.-]{0,62}[a-zA-Z0-9_]"
        ),
        "network:PrivateEndpoint": _type(
            "Microsoft.Network/privateEndpoints/{privateEndpointName}", r"[a-zA-Z0-9][\w.-]{0,62}\w"
        ),
    }
)


def is_azure(resource: Resource) -> bool:
    """Whether a resource is azure-native's."""
    return resource.token.startswith("azure-native")


def find(kind: str) -> AzureType | None:
    """The table's row for a type; None if the table has none."""
    return TYPES.get(kind)


def name_of(resource: Resource) -> str | None:
    """A resource's name in Azure, None where it is not known yet or there is none."""
    found = find(resource.kind)
    for path in (found.named_by if found else "name", "name"):
        try:
            name = resource.get(path)
        except UnknownValueError:
            continue
        if isinstance(name, str):
            return name
    return None


def key_of(resource: Resource) -> str | None:
    """The resource's key, comparable with those of `keys_of`: from its id, or type, group and name; None if unknown."""
    if resource.id:
        return keys_of(resource.id)[0]
    found, inputs = find(resource.kind), resource.inputs
    if found is None:
        return None
    values = {part: inputs.get(part) for part in found.parts}
    values[found.named_by] = name_of(resource)
    if not all(isinstance(value, str) for value in values.values()):
        return None
    tail = found.path.format(**values)
    if resource.kind == "resources:ResourceGroup":
        return f"/resourcegroups/{tail}".casefold()
    group = inputs.get("resourceGroupName")
    return (
        f"/resourcegroups/{group}/providers/{tail}".casefold()
        if isinstance(group, str)
        else f"/providers/{tail}".casefold()
    )


def keys_of(resource_id: str) -> tuple[str, ...]:
    """An id from its resource group on, and from its provider on: what is known of a resource before it has an id."""
    text = resource_id.rstrip("/").casefold()
    starts = (text.find("/resourcegroups/"), text.find("/providers/"))
    return tuple(text[start:] for start in starts if start >= 0) or (text,)
