"""Containers as documents of the kind `container`, by `account/name`: the same for data plane and resource manager.

A document has `etag`, `created` and `modified` (seconds since 1970), `metadata` and `publicAccess` (`None`, `Blob` or
`Container`, as the resource manager writes it).
"""

from collections.abc import Iterator
from typing import Any

from sandbox.azure import clock
from sandbox.azure.cloud import Cloud
from sandbox.azure.storage import accounts
from sandbox.azure.storage.accounts import Account
from sandbox.azure.storage.container import PENDING, Container, new_etag
from sandbox.azure.storage.errors import StorageError
from sandbox.azure.storage.names import check_container, check_metadata

Document = dict[str, Any]


def create(
    cloud: Cloud, account: str, name: str, *, metadata: dict[str, str] | None = None, public_access: str = "None"
) -> Document:
    """Makes a container.

    Raises:
        StorageError: 400 for the name or metadata, 409 ContainerAlreadyExists.
    """
    check_container(name)
    check_metadata(metadata or {})
    key = f"{account}/{name}"
    if cloud.store.get("container", key) is not None:
        raise StorageError("ContainerAlreadyExists")
    now = int(clock.seconds())
    document = {
        "etag": new_etag(),
        "created": now,
        "modified": now,
        "metadata": metadata or {},
        "publicAccess": public_access,
    }
    cloud.store.put("container", key, document)
    return document


def get(cloud: Cloud, account: str, name: str) -> Document | None:
    """The container's document, or None."""
    return cloud.store.get("container", f"{account}/{name}")


def update(cloud: Cloud, account: str, name: str, **changes: Any) -> Document:
    """Changes `metadata` or `publicAccess`.

    Raises:
        StorageError: 404 ContainerNotFound, 400 for metadata.
    """
    check_metadata(changes.get("metadata", {}))
    old = get(cloud, account, name)
    if old is None:
        raise StorageError("ContainerNotFound")
    document = {**old, **changes, "etag": new_etag(), "modified": int(clock.seconds())}
    cloud.store.put("container", f"{account}/{name}", document)
    return document


def delete(cloud: Cloud, account: str, name: str) -> bool:
    """Removes a container with all its blobs; tells whether there was one."""
    with cloud.store.transaction():
        removed = cloud.store.delete("container", f"{account}/{name}")
        if removed:
            Container(cloud, Account(account, "", {}), name).drop()
    return removed


def listing(cloud: Cloud, account: str, prefix: str = "") -> Iterator[tuple[str, Document]]:
    """Names and documents of an account's containers, by name."""
    root = f"{account}/"
    for key, document in cloud.store.items("container", root + prefix):
        yield key[len(root) :], document


def delete_account(cloud: Cloud, account: str) -> None:
    """Removes an account's keys, containers and blobs."""
    with cloud.store.transaction():
        for name, _ in list(listing(cloud, account)):
            delete(cloud, account, name)
        cloud.store.delete("account", account)


def opened(cloud: Cloud, account: str, name: str) -> Container:
    """The container's blobs, for callers in process; they act as the account's own owner, `$superuser`.

    Raises:
        StorageError: 404 ResourceNotFound for the account, ContainerNotFound.
    """
    opened = accounts.find(cloud, account)
    if opened is None:
        raise StorageError("ResourceNotFound", f"The storage account '{account}' does not exist.")
    container = Container(cloud, opened, name)
    container.check()
    return container


def all_files(cloud: Cloud) -> set[str]:
    """Every file that the store names: blobs' pieces, uncommitted blocks, unflushed data."""
    named: set[str] = set()
    for document in cloud.store.list("blob"):
        named.update(segment[0] for segment in document["segments"])
    for kind in PENDING:
        named.update(document["segment"][0] for document in cloud.store.list(kind))
    return named
