"""Storage accounts as the data plane knows them: documents of the kind `account`, by name.

The resource manager registers an account when it makes one; its properties stay in the account's own resource, which
the data plane reads at every request.
"""

import base64
import secrets
from dataclasses import dataclass
from typing import Any

from sandbox.azure.cloud import Cloud
from sandbox.azure.sealed import seal, unseal

KEY_BYTES = 64  # learn.microsoft.com/azure/storage/common/storage-account-keys-manage: 512-bit keys


@dataclass(frozen=True)
class Account:
    """A storage account.

    Attributes:
        name: Its global name.
        id: Its resource id.
        properties: The resource's `properties` (`isHnsEnabled`, `allowSharedKeyAccess`, `networkAcls`, ...).
    """

    name: str
    id: str
    properties: dict[str, Any]

    @property
    def hierarchical(self) -> bool:
        """Whether directories are real (a hierarchical namespace)."""
        return bool(self.properties.get("isHnsEnabled"))


def register(cloud: Cloud, name: str, resource_id: str) -> None:
    """Makes the account known to the data plane, with two new keys; a registered one keeps its keys."""
    if cloud.store.get("account", name) is None:
        keys = [_new_key(cloud), _new_key(cloud)]
        cloud.store.put("account", name, {"id": resource_id, "keys": keys})


def find(cloud: Cloud, name: str) -> Account | None:
    """The account, or None where there is none of this name."""
    registered = cloud.store.get("account", name)
    if registered is None:
        return None
    resource = cloud.store.get("resource", registered["id"].lower()) or {}
    return Account(name, registered["id"], resource.get("properties", {}))


def keys(cloud: Cloud, name: str) -> list[str]:
    """The account's two keys in base64, as `listKeys` shows them: key1, key2.

    Raises:
        KeyError: No such account.
    """
    registered = cloud.store.get("account", name)
    if registered is None:
        raise KeyError(name)
    return [unseal(cloud.directory, key) for key in registered["keys"]]


def regenerate_key(cloud: Cloud, name: str, number: int) -> None:
    """Replaces key 1 or 2; what was signed with the old one is refused from now on.

    Raises:
        KeyError: No such account.
    """
    registered = cloud.store.get("account", name)
    if registered is None:
        raise KeyError(name)
    registered["keys"][number - 1] = _new_key(cloud)
    cloud.store.put("account", name, registered)


def _new_key(cloud: Cloud) -> str:
    return seal(cloud.directory, base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode())
