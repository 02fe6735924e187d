"""What access is about: the objects that people name, and what can be done with each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from review.access.conditions import FOLDERS
from review.access.places import Places
from review.model import Resource

Kind = Literal["group", "workspace", "storage", "vault", "secret", "registry", "model registry", "subscription"]
_ML = "Microsoft.MachineLearningServices"
_W = f"{_ML}/workspaces"
_BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
_FILES = "Microsoft.Storage/storageAccounts/fileServices/fileshares/files"
_VAULT = "Microsoft.KeyVault/vaults"
_REGISTRY = "Microsoft.ContainerRegistry/registries"


@dataclass(frozen=True)
class Deed:
    """Something that can be done.

    Attributes:
        words: What, in words that stand before the object.
        action: The operation that it needs, in Azure's words.
        data: Whether that is an operation on data.
    """

    words: str
    action: str
    data: bool = False


DEEDS: Mapping[Kind, tuple[Deed, ...]] = MappingProxyType(
    {
        "group": (
            Deed("change and delete everything in", "Microsoft.Resources/subscriptions/resourceGroups/delete"),
            Deed("give roles in", "Microsoft.Authorization/roleAssignments/write"),
        ),
        "workspace": (
            Deed("see", f"{_W}/jobs/read"),
            Deed("submit jobs in", f"{_W}/jobs/write"),
            Deed("register models in", f"{_W}/models/versions/write"),
            Deed("deploy endpoints in", f"{_W}/onlineEndpoints/write"),
            Deed("make and size compute in", f"{_W}/computes/write"),
            Deed("change", f"{_W}/write"),
            Deed("read the keys of", f"{_W}/listKeys/action"),
        ),
        "storage": (
            Deed("read", f"{_BLOBS}/read", data=True),
            Deed("write", f"{_BLOBS}/write", data=True),
            Deed("read the file shares of", f"{_FILES}/read", data=True),
            Deed("write the file shares of", f"{_FILES}/write", data=True),
        ),
        "vault": (
            Deed("read secrets in", f"{_VAULT}/secrets/getSecret/action", data=True),
            Deed("change secrets in", f"{_VAULT}/secrets/setSecret/action", data=True),
            Deed("encrypt with keys in", f"{_VAULT}/keys/wrap/action", data=True),
        ),
        "secret": (Deed("read", f"{_VAULT}/secrets/getSecret/action", data=True),),
        "registry": (
            Deed("pull images from", f"{_REGISTRY}/pull/read"),
            Deed("push images to", f"{_REGISTRY}/push/write"),
        ),
        "model registry": (
            Deed("see", f"{_ML}/registries/read"),
            Deed("register models in", f"{_ML}/registries/assets/write"),
        ),
        "subscription": (
            Deed("ask for quota in", "Microsoft.Quota/quotas/write"),
            Deed("open support tickets in", "Microsoft.Support/supportTickets/write"),
            Deed("change and delete everything in", "Microsoft.Resources/subscriptions/resourceGroups/delete"),
            Deed("give roles in", "Microsoft.Authorization/roleAssignments/write"),
        ),
    }
)
"""What can be done with each kind of object."""

_TYPES: Mapping[str, tuple[Kind, str]] = MappingProxyType(
    {
        "azure-native:resources:ResourceGroup": ("group", "the resource group"),
        "azure-native:machinelearningservices:Workspace": ("workspace", "the workspace"),
        "azure-native:storage:StorageAccount": ("storage", "the storage account"),
        "azure-native:storage:BlobContainer": ("storage", "the container"),
        "azure-native:keyvault:Vault": ("vault", "the key vault"),
        "azure-native:keyvault:Secret": ("secret", "the secret"),
        "azure-native:keyvault:Key": ("vault", "the key"),
        "azure-native:containerregistry:Registry": ("registry", "the container registry"),
        "azure-native:machinelearningservices:Registry": ("model registry", "the model registry"),
        "azure-native:applicationinsights:Component": ("group", "Application Insights"),
    }
)
_SEGMENTS: Mapping[str, tuple[Kind, str]] = MappingProxyType(
    {
        "resourcegroups": ("group", "the resource group"),
        "workspaces": ("workspace", "the workspace"),
        "storageaccounts": ("storage", "the storage account"),
        "containers": ("storage", "the container"),
        "vaults": ("vault", "the key vault"),
        "secrets": ("secret", "the secret"),
        "registries": ("registry", "the container registry"),
    }
)
"""What an object is that the stack uses and does not make, by the last segment but one of its path."""

_ACCOUNTS = {"lake": "the lake", "data": "the storage account for data", "work": "the storage account of the workspace"}
"""What a team's storage accounts are called, by the ends of their names in Pulumi."""


@dataclass(frozen=True)
class Target:
    """An object.

    Attributes:
        path: Its path.
        kind: What can be done with it: a key of `DEEDS`.
        words: It, in words.
        team: Its team; None for what is the department's.
        account: Name of its storage account, if it is in one.
        container: Name of its container, if it is one.
        folder: A folder in the container, if it is one.
        whole: In words, what it is a part of; empty if it is no part.
    """

    path: str
    kind: Kind
    words: str
    team: str | None = None
    account: str = ""
    container: str = ""
    folder: str = ""
    whole: str = ""


SUBSCRIPTION = Target("", "subscription", "the subscription")


def targets(places: Places, conditions: Mapping[str, frozenset[str]]) -> Iterator[Target]:
    """The objects of a stack, and those outside of it on which it gives roles.

    Args:
        places: Where the stack's resources are.
        conditions: The conditions of its assignments, by the path of their scope.
    """
    yield SUBSCRIPTION
    with_containers = {path.split("/blobservices/", 1)[0] for path in places.paths.values() if "/containers/" in path}
    made = [path for urn, path in places.paths.items() if places.by_urn[urn].type in _ABOUT]
    for path in (*made, *sorted(conditions.keys() - {"", *places.by_path})):
        if path not in with_containers:
            target = target_of(path, places)
            yield target
            yield from _folders(target, conditions)


def _folders(container: Target, conditions: Mapping[str, frozenset[str]]) -> Iterator[Target]:
    """The folders of a container that conditions tell apart: those of its own scope, and those that name it."""
    if container.container:
        own = conditions.get(container.path, frozenset())
        naming = {text for texts in conditions.values() for text in texts if f"'{container.container}'" in text}
        for folder in sorted({folder for text in own | naming for folder in FOLDERS.findall(text)}):
            yield replace(container, words=f"the folder {folder} of {container.words}", folder=folder)


_ABOUT = frozenset(_TYPES) - {"azure-native:applicationinsights:Component", "azure-native:keyvault:Key"}


def target_of(path: str, places: Places) -> Target:
    """The object at a path."""
    if path in places.by_path:
        return _made(places.by_path[path], path, places)
    return given(path) if path else SUBSCRIPTION


def given(path: str) -> Target:
    """An object that the stack uses and does not make."""
    words = path.split("/")
    segment, name = words[-2], words[-1]
    kind, noun = _SEGMENTS.get(segment, ("group", "the resource"))
    if segment == "registries" and "microsoft.machinelearningservices" in words:
        kind, noun = "model registry", "the model registry"
    account = words[words.index("storageaccounts") + 1] if "storageaccounts" in words else ""
    container = name if segment == "containers" else ""
    shown = f"{noun} {name}" + (f" of the storage account {account}" if container else "")
    return Target(path, kind, shown, None, account, container)


def _made(resource: Resource, path: str, places: Places) -> Target:
    kind, noun = _TYPES[resource.type]
    whose = f"of team {resource.team}" if resource.team else "that the teams share"
    words = path.split("/")
    account = words[words.index("storageaccounts") + 1] if "storageaccounts" in words else ""
    if resource.type == "azure-native:storage:StorageAccount":
        noun = _ACCOUNTS.get(resource.name.rpartition("-")[2], f"the storage account {account}")
    if resource.type == "azure-native:storage:BlobContainer":
        holder = places.by_path.get(path.split("/blobservices/", 1)[0])
        whole = target_of(places.paths[holder.urn], places).words if holder else f"the storage account {account}"
        shown = f"{'the file system' if whole.startswith('the lake') else noun} {words[-1]} of {whole}"
        return Target(path, kind, shown, resource.team, account, words[-1], whole=whole)
    if resource.type in ("azure-native:keyvault:Secret", "azure-native:keyvault:Key"):
        return Target(path, kind, f"{noun} {words[-1]} {whose}", resource.team)
    return Target(path, kind, f"{noun} {whose}", resource.team, account)
