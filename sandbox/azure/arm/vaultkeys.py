"""Microsoft.KeyVault's keys as the resource manager makes them, and what encrypts with them asks of vault and identity.

No cryptography is emulated: a key is its name, its version and who may wrap with it. Sources:
learn.microsoft.com/rest/api/keyvault/keyvault/keys/create-if-not-exist, and for what services ask
learn.microsoft.com/azure/storage/common/customer-managed-keys-overview.
"""

import copy
import re
import uuid
from collections.abc import Mapping
from typing import Any, ClassVar

from starlette.responses import JSONResponse, Response

from sandbox.azure import clock
from sandbox.azure.arm.core import Body, Call, ResourceId, ResourceType, Rule, properties_of
from sandbox.azure.cloud import Cloud
from sandbox.azure.front.errors import AzureError

VAULTS = "Microsoft.KeyVault/vaults"
TYPE = f"{VAULTS}/keys"
KIND = "vaultKey"  # store's kind, by lowercased id
NAME = re.compile(r"[a-zA-Z0-9-]{1,127}")
RSA_SIZES = (2048, 3072, 4096)
WRAP = f"{TYPE}/wrap/action"
KEY_URI = re.compile(r"https://([a-z0-9-]+)\.vault\.azure\.net/keys/([a-zA-Z0-9-]+)(/[0-9a-f]{32})?/?", re.IGNORECASE)


class VaultKey(ResourceType):
    """`Microsoft.KeyVault/vaults/keys`: made once; a second PUT changes nothing, and there is no DELETE."""

    type = TYPE
    tracked = False
    kind = KIND
    outlives_parent = True  # a recovered vault has its keys; `purge` removes them
    name_pattern = NAME
    name_error = ("BadRequest", "The key name '{name}' is invalid: 1 to 127 letters, digits or '-'.")
    create_status = 200
    invalid_value = "BadRequest"
    required = ("properties.kty",)
    fields: ClassVar[Mapping[str, Rule]] = {
        "properties.kty": frozenset({"RSA", "RSA-HSM", "EC", "EC-HSM"}),
        "properties.keySize": int,
        "properties.keyOps": list,
        "properties.attributes": dict,
    }

    def validate(self, call: Call, old: Body | None) -> None:
        """Refuses a size that RSA keys do not have, and keys of a tier that the vault has not."""
        body, vault = call.body["properties"], call.resource(call.id.parent) or {}
        if body["kty"].startswith("RSA") and body.get("keySize", RSA_SIZES[0]) not in RSA_SIZES:
            raise AzureError(400, "BadRequest", f"The key size {body['keySize']} is not one of {RSA_SIZES}.")
        if body["kty"].endswith("-HSM") and properties_of(vault).get("sku", {}).get("name") != "premium":
            raise AzureError(400, "BadRequest", f"Keys of type {body['kty']} need a vault of the SKU premium.")

    def prepare(self, call: Call, old: Body | None) -> Body:
        """Makes the first version; an existing key stays unchanged."""
        if old is not None:
            return copy.deepcopy(old)
        vault = call.resource(call.id.parent) or {}
        uri = f"{properties_of(vault)['vaultUri']}keys/{call.id.name}"
        now = int(clock.now().timestamp())
        body = {name: value for name, value in call.body["properties"].items() if value is not None}
        enabled = {"enabled": True, **(body.get("attributes") or {}), "created": now, "updated": now}
        own = {"attributes": enabled, "keyUri": uri, "keyUriWithVersion": f"{uri}/{uuid.uuid4().hex}"}
        return {"location": vault["location"], "tags": call.body.get("tags") or {}, "properties": {**body, **own}}

    def before_delete(self, call: Call, resource: Body) -> None:
        """Refuses: only the vault itself deletes keys."""
        raise AzureError(405, "MethodNotAllowed", "Keys are deleted at the vault's own address, not here.")

    def response(self, call: Call, resource: Body, *, created: bool) -> Response:
        """Answers with the resource as a GET shows it."""
        return JSONResponse(resource)


class VaultKeyVersion(ResourceType):
    """`Microsoft.KeyVault/vaults/keys/versions`: a key made here has one version."""

    type = f"{TYPE}/versions"
    tracked = False
    methods = frozenset({"GET"})

    def find(self, cloud: Cloud, resource_id: ResourceId) -> Body | None:
        """The version of this name."""
        versions = self.below(cloud, resource_id.parent.lower() + "/")
        return next((version for version in versions if version["name"] == resource_id.name.lower()), None)

    def below(self, cloud: Cloud, prefix: str) -> list[Body]:
        """The versions of the key."""
        key = cloud.store.get(KIND, prefix.rstrip("/").removesuffix("/versions"))
        if key is None:
            return []
        name = key["properties"]["keyUriWithVersion"].rpartition("/")[2]
        return [{**key, "id": f"{key['id']}/versions/{name}", "name": name, "type": self.type}]


def forget_keys(cloud: Cloud, vault: Body) -> None:
    """Removes the keys of a purged vault."""
    cloud.store.clear(KIND, vault["id"].lower() + "/keys/")


def check_key(call: Call, uri: str, identity_id: str, *, code: str = "KeyVaultPolicyError") -> None:
    """Refuses a key with which a service could not encrypt, or could lose what it has encrypted.

    Args:
        call: The request of the service's resource.
        uri: The key's address, with or without a version.
        identity_id: The user-assigned identity that wraps with it.
        code: The service's code for a vault that does not protect its keys.

    Raises:
        AzureError: 400.
    """
    match = KEY_URI.fullmatch(uri)
    registered = call.cloud.store.get("vault", match[1].lower()) if match else None
    vault = call.resource(registered["id"]) if registered else None
    key = call.cloud.store.get(KIND, f"{vault['id']}/keys/{match[2]}".lower()) if vault and match else None
    if vault is None or key is None:
        raise AzureError(400, "KeyVaultKeyNotFound", f"The key '{uri}' is no existing key of a vault.")
    if not properties_of(vault).get("enablePurgeProtection"):
        raise AzureError(
            400,
            code,
            f"The vault '{vault['name']}' has no purge protection: a key that encrypts data needs a vault with soft "
            "delete and purge protection.",
        )
    identity = call.resource(identity_id) or {}
    if not call.cloud.access.allows(str(properties_of(identity).get("principalId")), WRAP, key["id"], data=True):
        raise AzureError(
            400,
            "KeyVaultAuthenticationFailure",
            f"The identity '{identity_id}' may not wrap with the key '{uri}': assign it the role Key Vault Crypto "
            "Service Encryption User.",
        )


def resource_types(cloud: Any) -> list[ResourceType]:
    """The resource types of this module."""
    return [VaultKey(), VaultKeyVersion()]
