"""Secrets with their versions; deleted ones can be recovered until they are purged.

A document of the kind `secret` (key: `vault/name`, lowercased) has the name as first spelled, the current version and,
while it is deleted, `deleted` with `date` and `purge` (seconds since 1970). Kind `secretVersion` (key:
`vault/name/NUMBER`) has a version with its value sealed. All functions raise `VaultError`.
"""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.azure import clock
from sandbox.azure.cloud import Cloud
from sandbox.azure.keyvault.errors import VaultError, bad_parameter, deleted_but_recoverable, secret_not_found
from sandbox.azure.sealed import seal, unseal

Document = dict[str, Any]
NAME = re.compile(r"[0-9a-zA-Z-]{1,127}")
MAX_VALUE = 25 * 1024  # bytes; learn.microsoft.com/azure/key-vault/secrets/about-secrets
MAX_TAGS = 15
DAY = 86_400  # seconds
ATTRIBUTES = {"enabled": bool, "nbf": int, "exp": int}


@dataclass(frozen=True)
class Vault:
    """A vault.

    Attributes:
        name: Its global name.
        id: Its resource id.
        resource: The resource; empty where the resource manager does not know it.
    """

    name: str
    id: str
    resource: Document

    @property
    def properties(self) -> Document:
        """The resource's `properties` (`enableRbacAuthorization`, `publicNetworkAccess`, ...)."""
        properties: Document = self.resource.get("properties", {})
        return properties

    @property
    def retention(self) -> int:
        """The days for which a deleted secret can be recovered."""
        return int(self.properties.get("softDeleteRetentionInDays") or 90)

    @property
    def recovery_level(self) -> str:
        """The recovery level, as secrets show it."""
        level = "Recoverable" if self.retention == 90 else "CustomizedRecoverable"  # noqa: PLR2004
        return level if self.properties.get("enablePurgeProtection") else level + "+Purgeable"


def find_vault(cloud: Cloud, name: str) -> Vault | None:
    """The vault of this name, or None."""
    registered = cloud.store.get("vault", name.lower())
    if registered is None:
        return None
    return Vault(name.lower(), registered["id"], cloud.store.get("resource", registered["id"].lower()) or {})


def delete_vault(cloud: Cloud, name: str) -> None:
    """Removes a purged vault's secrets for good."""
    with cloud.store.transaction():
        for kind in ("secret", "secretVersion"):
            cloud.store.clear(kind, f"{name.lower()}/")


class Secrets:
    """A vault's secrets."""

    def __init__(self, cloud: Cloud, vault: Vault) -> None:
        self._cloud, self._store, self._vault = cloud, cloud.store, vault

    def set(self, name: str, body: Document) -> Document:
        """Makes a secret, or its next version; answers with the value.

        Args:
            name: The secret's name.
            body: `value`, and optionally `contentType`, `attributes` and `tags`.

        Raises:
            VaultError: 400 BadParameter, 409 for a deleted secret of this name.
        """
        _check_name(name)
        if not isinstance(body.get("value"), str):
            raise bad_parameter("Property 'value' has invalid value: it must be a string.")
        if len(body["value"].encode()) > MAX_VALUE:
            raise bad_parameter(f"The value of the secret exceeds the maximum length of {MAX_VALUE} bytes.")
        key, secret = self._key(name), self._find(name)
        if secret is not None and secret.get("deleted"):
            raise deleted_but_recoverable(secret["name"])
        now = int(clock.seconds())
        version = {
            "version": uuid.uuid4().hex,
            "sealed": seal(self._cloud.directory, body["value"]),
            "attributes": {"enabled": True, "created": now, "updated": now},
        }
        _apply(version, body)
        number = len(self._versions(key))
        with self._store.transaction():
            self._store.put("secretVersion", f"{key}/{number:09d}", version)
            self._store.put("secret", key, {"name": secret["name"] if secret else name, "current": f"{number:09d}"})
        return self._bundle(secret["name"] if secret else name, version, value=True)

    def get(self, name: str, version: str = "") -> Document:
        """A version with its value; without a name the current version.

        Raises:
            VaultError: 404; 403 for a disabled version.
        """
        secret = self._active(name)
        _, document = self._version(secret, version)
        if not document["attributes"]["enabled"]:
            raise VaultError(
                403, "Forbidden", "Operation get is not allowed on a disabled secret.", inner="SecretDisabled"
            )
        return self._bundle(secret["name"], document, value=True)

    def update(self, name: str, version: str, body: Document) -> Document:
        """Changes a version's attributes, content type and tags.

        Raises:
            VaultError: 404; 400.
        """
        secret = self._active(name)
        key, document = self._version(secret, version)
        _apply(document, body)
        document["attributes"]["updated"] = int(clock.seconds())
        self._store.put("secretVersion", key, document)
        return self._bundle(secret["name"], document)

    def items(self) -> Iterator[Document]:
        """The secrets by name, each as its current version, without value."""
        for secret in self._all():
            if not secret.get("deleted"):
                shown = self._bundle(secret["name"], self._version(secret, "")[1])
                yield {**shown, "id": self._id(secret["name"])}

    def versions(self, name: str) -> Iterator[Document]:
        """A secret's versions, without values.

        Raises:
            VaultError: 404.
        """
        secret = self._active(name)
        for _, document in self._versions(self._key(name)):
            yield self._bundle(secret["name"], document)

    def delete(self, name: str) -> Document:
        """Deletes a secret with its versions, recoverably.

        Raises:
            VaultError: 404.
        """
        secret = self._active(name)
        now = int(clock.seconds())
        secret["deleted"] = {"date": now, "purge": now + self._vault.retention * DAY}
        self._store.put("secret", self._key(name), secret)
        return self._deleted_bundle(secret)

    def deleted(self) -> Iterator[Document]:
        """The deleted secrets by name."""
        for secret in self._all():
            if secret.get("deleted"):
                shown = self._deleted_bundle(secret)
                yield {**shown, "id": self._id(secret["name"])}

    def get_deleted(self, name: str) -> Document:
        """A deleted secret.

        Raises:
            VaultError: 404.
        """
        return self._deleted_bundle(self._gone(name))

    def recover(self, name: str) -> Document:
        """Makes a deleted secret usable again.

        Raises:
            VaultError: 404.
        """
        secret = self._gone(name)
        del secret["deleted"]
        self._store.put("secret", self._key(name), secret)
        return self._bundle(secret["name"], self._version(secret, "")[1])

    def purge(self, name: str) -> None:
        """Removes a deleted secret for good.

        Raises:
            VaultError: 404; 403 where the vault is protected.
        """
        secret = self._gone(name)
        if self._vault.properties.get("enablePurgeProtection"):
            raise VaultError(
                403,
                "Forbidden",
                'Operation "purge" is not allowed because purge protection is enabled for this vault. Key Vault '
                "service will automatically purge it after the retention period has passed.",
            )
        self._remove(secret)

    def _remove(self, secret: Document) -> None:
        key = self._key(secret["name"])
        with self._store.transaction():
            for version, _ in self._versions(key):
                self._store.delete("secretVersion", version)
            self._store.delete("secret", key)

    def _key(self, name: str) -> str:
        return f"{self._vault.name}/{name.lower()}"

    def _all(self) -> Iterator[Document]:
        for _, document in list(self._store.items("secret", f"{self._vault.name}/")):
            secret = self._find(document["name"])
            if secret is not None:
                yield secret

    def _find(self, name: str) -> Document | None:
        """The secret, deleted or not; one whose retention has ended is purged first."""
        secret = self._store.get("secret", self._key(name))
        if secret is not None and secret.get("deleted") and secret["deleted"]["purge"] <= clock.seconds():
            self._remove(secret)
            return None
        return secret

    def _active(self, name: str) -> Document:
        _check_name(name)
        secret = self._find(name)
        if secret is None or secret.get("deleted"):
            raise secret_not_found(name)
        return secret

    def _gone(self, name: str) -> Document:
        _check_name(name)
        secret = self._find(name)
        if secret is None or not secret.get("deleted"):
            raise secret_not_found(name)
        return secret

    def _versions(self, key: str) -> list[tuple[str, Document]]:
        return list(self._store.items("secretVersion", f"{key}/"))

    def _version(self, secret: Document, version: str) -> tuple[str, Document]:
        key = self._key(secret["name"])
        if not version:
            current = f"{key}/{secret['current']}"
            return current, self._store.get("secretVersion", current) or {}
        for version_key, document in self._versions(key):
            if document["version"] == version.lower():
                return version_key, document
        raise secret_not_found(f"{secret['name']}/{version}")

    def _id(self, name: str, kind: str = "secrets") -> str:
        return f"https://{self._vault.name}.vault.azure.net/{kind}/{name}"

    def _bundle(self, name: str, document: Document, *, value: bool = False) -> Document:
        level = {"recoveryLevel": self._vault.recovery_level, "recoverableDays": self._vault.retention}
        shown: Document = {
            "id": f"{self._id(name)}/{document['version']}",
            "attributes": {**document["attributes"], **level},
        }
        shown |= {part: document[part] for part in ("contentType", "tags") if part in document}
        if value:
            shown["value"] = unseal(self._cloud.directory, document["sealed"])
        return shown

    def _deleted_bundle(self, secret: Document) -> Document:
        return {
            **self._bundle(secret["name"], self._version(secret, "")[1]),
            "recoveryId": self._id(secret["name"], "deletedsecrets"),
            "deletedDate": secret["deleted"]["date"],
            "scheduledPurgeDate": secret["deleted"]["purge"],
        }


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise bad_parameter(f"The request URI contains an invalid name: {name}")


def _apply(document: Document, body: Document) -> None:
    """Writes the body's properties into a version.

    Raises:
        VaultError: 400 BadParameter.
    """
    attributes, tags = body.get("attributes") or {}, body.get("tags") or {}
    if not isinstance(attributes, dict) or not isinstance(tags, dict):
        raise bad_parameter("Property 'attributes' or 'tags' has invalid value: it must be an object.")
    for name, kind in ATTRIBUTES.items():
        value = attributes.get(name)
        if value is not None and type(value) is not kind:
            raise bad_parameter(f"Property 'attributes.{name}' has invalid value.")
        if value is not None:
            document["attributes"][name] = value
    if body.get("contentType") is not None:
        document["contentType"] = str(body["contentType"])
    if len(tags) > MAX_TAGS or not all(isinstance(value, str) for value in tags.values()):
        raise bad_parameter(f"Property 'tags' has invalid value: at most {MAX_TAGS} strings.")
    if body.get("tags") is not None:
        document["tags"] = tags
