"""Storage accounts as the data plane knows them: documents of the kind `account`, by name.

The resource manager registers an account when it makes one; its properties stay in the account's own resource. Every
request needs its account, so what was read is kept until any account or resource changes.
"""

import base64
import secrets
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from sandbox.azure.cloud import Cloud
from sandbox.azure.sealed import seal, unseal
from sandbox.azure.store import Store

KEY_BYTES = 64  # learn.microsoft.com/azure/storage/common/storage-account-keys-manage: 512-bit keys


@dataclass(frozen=True)
class Account:
    """A storage account.

    Attributes:
        name: Its global name.
        id: Its resource id.
        properties: The resource's `properties` (`isHnsEnabled`, `allowSharedKeyAccess`, `networkAcls`, ...).
        sealed: Its two keys, sealed; none for an account that is only named.
    """

    name: str
    id: str
    properties: dict[str, Any]
    sealed: list[str] = field(default_factory=list, repr=False)

    @property
    def hierarchical(self) -> bool:
        """Whether directories are real (a hierarchical namespace)."""
        return bool(self.properties.get("isHnsEnabled"))

    def keys(self, cloud: Cloud) -> list[str]:
        """Its two keys in base64, as `listKeys` shows them: key1, key2."""
        return [unseal(cloud.directory, key) for key in self.sealed]


def register(cloud: Cloud, name: str, resource_id: str) -> None:
    """Makes the account known to the data plane, with two new keys; a registered one keeps its keys."""
    if cloud.store.get("account", name) is None:
        keys = [_new_key(cloud), _new_key(cloud)]
        cloud.store.put("account", name, {"id": resource_id, "keys": keys})


class _Known:
    """The accounts of one store that were asked for."""

    def __init__(self, store: Store) -> None:
        self._follower = store.follow("account", "resource")
        self._found: dict[str, Account] = {}

    def get(self, store: Store, name: str) -> Account | None:
        if self._follower.everything or self._follower.take():
            self._follower.take()
            self._found.clear()
        if name not in self._found:
            registered = store.get("account", name)
            if registered is None:
                return None
            resource = store.get("resource", registered["id"].lower()) or {}
            self._found[name] = Account(name, registered["id"], resource.get("properties", {}), registered["keys"])
        return self._found[name]


_known: WeakKeyDictionary[Store, _Known] = WeakKeyDictionary()


def find(cloud: Cloud, name: str) -> Account | None:
    """The account, or None where there is none of this name."""
    known = _known.get(cloud.store)
    if known is None:
        known = _known[cloud.store] = _Known(cloud.store)
    return known.get(cloud.store, name)


def keys(cloud: Cloud, name: str) -> list[str]:
    """The account's two keys in base64, as `listKeys` shows them: key1, key2.

    Raises:
        KeyError: No such account.
    """
    account = find(cloud, name)
    if account is None:
        raise KeyError(name)
    return account.keys(cloud)


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
