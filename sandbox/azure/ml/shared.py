"""The content of registries: assets, and their files, as workspaces and the registries' own service read them.

An asset of a registry has the id `azureml://registries/REGISTRY/KIND/NAME/versions/VERSION`, and is stored under it.
Its files lie in the storage account that the service made for the registry's own region. Nobody has a role on that, so
that a signature is the only way to them.
"""

import re
import uuid
from dataclasses import dataclass
from datetime import timedelta

from sandbox.azure import clock
from sandbox.azure.arm.core import Body
from sandbox.azure.cloud import Cloud
from sandbox.azure.ml.errors import UserError
from sandbox.azure.ml.names import NAMESPACE
from sandbox.azure.ml.scope import Scope
from sandbox.azure.storage import accounts, containers, sas
from sandbox.azure.store import Store

REGISTRIES = f"{NAMESPACE}/registries"
SCHEME = "azureml://registries/"
READ_TIME = timedelta(hours=8)
_ASSET = re.compile(
    r"(?:azureml:)?azureml://registries/([^/]+)/(data|environments|codes|components|models)/([^/]+)/(versions|labels)/"
    r"([^/]+)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class RegistryScope(Scope):
    """A registry, and who asks something of it; `workspace` is the registry's resource."""

    @property
    def id(self) -> str:
        """What the ids of its assets begin with: the name in lower case."""
        return f"{SCHEME}{self.workspace['name'].lower()}"

    def authorize(self, action: str) -> None:
        """Checks the caller's right on the registry; `action` is what follows `registries/`.

        Raises:
            AzureError: 403 AuthorizationFailed.
        """
        self.cloud.access.authorize(self.caller, f"{REGISTRIES}/{action}", str(self.workspace["id"]))


@dataclass(frozen=True)
class Reference:
    """An asset's id in a registry, taken apart.

    Attributes:
        registry: The registry's name.
        plural: The kind of asset.
        name: The asset's name.
        by: `versions` or `labels`.
        version: The version, or the label.
    """

    registry: str
    plural: str
    name: str
    by: str
    version: str


def reference(asset_id: str) -> Reference | None:
    """The parts of an asset's id in a registry; None for any other id."""
    found = _ASSET.fullmatch(asset_id)
    return Reference(*found.groups()) if found else None


def find(store: Store, name: str) -> Body | None:
    """The registry of this name, which is the only one of it in the tenant; None for none."""
    return next((one for one in store.resources(REGISTRIES) if one["name"].lower() == name.lower()), None)


def registry_scope(scope: Scope, name: str) -> RegistryScope | None:
    """A registry whose content the caller may read; None where there is none of that name.

    Raises:
        AzureError: 403 AuthorizationFailed.
    """
    registry = find(scope.cloud.store, name)
    if registry is None:
        return None
    found = RegistryScope(scope.cloud, scope.caller, registry)
    found.authorize("assets/read")
    return found


def account_of(registry: Body) -> tuple[str, str]:
    """Name and resource id of the account with a registry's files, which the service made in its own region.

    Raises:
        UserError: 400 where it has none there.
    """
    own = next(one for one in registry["properties"]["regionDetails"] if one["location"] == registry["location"])
    made = [one.get("systemCreatedStorageAccount") for one in own.get("storageAccountDetails") or []]
    account_id = next((str(one["armResourceId"]["resourceId"]) for one in made if one), "")
    if not account_id:
        raise UserError(400, f"The registry '{registry['name']}' has no storage account in its region.", "BadArgument")
    return account_id.rsplit("/", 1)[-1], account_id


def new_container(scope: Scope, plural: str, name: str, version: str) -> str:
    """The container of an asset's version, made if there is none; gives its name."""
    account, account_id = account_of(scope.workspace)
    accounts.register(scope.cloud, account, account_id)
    own = uuid.uuid5(uuid.NAMESPACE_URL, f"{scope.id}/{plural}/{name}/versions/{version}".lower())
    container = f"{re.sub(r'[^a-z0-9]', '', scope.workspace['name'].lower())[:26]}-{own}"
    if containers.get(scope.cloud, account, container) is None:
        containers.create(scope.cloud, account, container)
    return container


def signature(scope: Scope, account: str, container: str, permissions: str) -> str:
    """A signature for a container of a registry's account, as the query of an address."""
    fields = {
        "sv": sas.VERSION,
        "sr": "c",
        "sp": permissions,
        "se": (clock.real() + READ_TIME).strftime(sas.FORMAT),
        "spr": "https",
    }
    key = accounts.keys(scope.cloud, account)[0]
    return sas.token(fields, sas.sign(key, sas.service_text(fields, f"/blob/{account}/{container}", {}, {})))


def read_signature(scope: Scope, asset_id: str, account: str, container: str) -> str:
    """A signature to read the files of a registry's asset; empty for any other asset, and for files elsewhere."""
    found = reference(asset_id)
    registry = found and find(scope.cloud.store, found.registry)
    if not registry or account != account_of(registry)[0]:
        return ""
    return signature(scope, account, container, "rl")


def forget(cloud: Cloud, registry: Body) -> None:
    """Drops the files of a registry that is deleted."""
    account, _ = account_of(registry)
    if accounts.find(cloud, account) is not None:
        containers.delete_account(cloud, account)
