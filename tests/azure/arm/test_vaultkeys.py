"""Keys of vaults, and what encrypts with them: everything is refused that could lose what it has encrypted."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.azure.client import Client, error, unique, user_id

VAULT_API, STORAGE_API, REGISTRY_API = "2024-11-01", "2024-01-01", "2023-01-01-preview"
ENCRYPTS = "e147488a-f6f5-4113-8e2d-b22465e65bf6"
RSA = {"properties": {"kty": "RSA", "keySize": 3072}}


@dataclass(frozen=True)
class Keys:
    """A group with a vault and an identity."""

    azure: Client
    group: str
    vault: str
    identity: str
    client: str

    @property
    def key(self) -> str:
        return f"{self.vault}/keys/platform"

    def make(self, body: Any = None) -> Any:
        return self.azure.arm("PUT", self.key, body or RSA, api=VAULT_API)

    def protect(self) -> None:
        patched = self.azure.arm("PATCH", self.vault, {"properties": {"enablePurgeProtection": True}}, api=VAULT_API)
        assert patched.status_code == 200, patched.text

    def grant(self) -> None:
        principal = self.azure.arm("GET", self.identity, api="2023-01-31").json()["properties"]["principalId"]
        assert self.azure.assign(self.key, principal, ENCRYPTS, principalType="ServicePrincipal").status_code == 201

    @property
    def uri(self) -> str:
        return f"https://{self.vault.rsplit('/', 1)[1]}.vault.azure.net"


@pytest.fixture
def keys(azure: Client) -> Iterator[Keys]:
    group = azure.group()
    tenant = azure.tenant
    vault = f"{group}/providers/Microsoft.KeyVault/vaults/{unique('kv')}"
    body = {
        "location": "eastus2",
        "properties": {
            "tenantId": tenant,
            "sku": {"family": "A", "name": "standard"},
            "enableRbacAuthorization": True,
        },
    }
    assert azure.arm("PUT", vault, body, api=VAULT_API).status_code == 200
    identity = f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{unique('id')}"
    made = azure.arm("PUT", identity, {"location": "eastus2"}, api="2023-01-31").json()
    yield Keys(azure, group, vault, identity, made["properties"]["clientId"])


@pytest.mark.parametrize(
    "properties",
    [{}, {"kty": "AES"}, {"kty": "RSA", "keySize": 1024}, {"kty": "RSA-HSM"}, {"kty": "RSA", "keySize": "3072"}],
)
def test_a_wrong_key_is_refused(keys: Keys, properties: dict[str, Any]) -> None:
    assert keys.make({"properties": properties}).status_code == 400
    assert keys.azure.arm("GET", keys.key, api=VAULT_API).status_code == 404


def test_a_key_is_made_once_and_comes_back_with_its_vault(keys: Keys) -> None:
    made = keys.make().json()
    assert made["properties"]["keyUriWithVersion"].startswith(f"{keys.uri}/keys/platform/")
    again = keys.make({**RSA, "tags": {"a": "b"}})
    assert (again.status_code, again.json()) == (200, made)
    assert error(keys.azure.arm("DELETE", keys.key, api=VAULT_API)) == (405, "MethodNotAllowed")
    vault = keys.azure.arm("GET", keys.vault, api=VAULT_API).json()
    assert keys.azure.arm("DELETE", keys.vault, api=VAULT_API).status_code == 200
    assert keys.azure.arm("GET", keys.key, api=VAULT_API).status_code == 404
    recover = {**vault, "properties": {**vault["properties"], "createMode": "recover"}}
    assert keys.azure.arm("PUT", keys.vault, recover, api=VAULT_API).status_code == 200
    assert keys.azure.arm("GET", keys.key, api=VAULT_API).json() == made


def account(keys: Keys, **identity: Any) -> dict[str, Any]:
    """A storage account that is encrypted with the key."""
    return {
        "location": "eastus2",
        "kind": "StorageV2",
        "sku": {"name": "Standard_LRS"},
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {keys.identity: {}}} | identity,
        "properties": {
            "encryption": {
                "keySource": "Microsoft.Keyvault",
                "keyvaultproperties": {"keyname": "platform", "keyvaulturi": keys.uri},
                "identity": {"userAssignedIdentity": keys.identity},
            }
        },
    }


def test_storage_is_encrypted_with_a_key_that_stays_by_an_identity_that_may(keys: Keys) -> None:
    path = f"{keys.group}/providers/Microsoft.Storage/storageAccounts/{unique('acct')}"

    def put(body: dict[str, Any]) -> Any:
        return keys.azure.arm("PUT", path, body, api=STORAGE_API)

    assert error(put(account(keys))) == (400, "KeyVaultKeyNotFound")
    keys.make()
    assert error(put(account(keys))) == (400, "KeyVaultPolicyError")
    keys.protect()
    assert error(put(account(keys))) == (400, "KeyVaultAuthenticationFailure")
    keys.grant()
    assert error(put(account(keys, type="SystemAssigned", userAssignedIdentities={}))) == (
        400,
        "InvalidRequestPropertyValue",
    )
    assert put(account(keys)).status_code in (200, 202)
    shown = keys.azure.arm("GET", path, api=STORAGE_API).json()["properties"]["encryption"]
    assert shown["keySource"] == "Microsoft.Keyvault"


def test_a_registry_takes_a_key_at_creation_or_never(keys: Keys) -> None:
    keys.make()
    keys.protect()
    keys.grant()
    names = [f"{keys.group}/providers/Microsoft.ContainerRegistry/registries/{unique('cr')}" for _ in range(2)]
    plain = {
        "location": "eastus2",
        "sku": {"name": "Premium"},
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {keys.identity: {}}},
        "properties": {},
    }
    key = {"identity": keys.client, "keyIdentifier": f"{keys.uri}/keys/platform"}
    encrypted = {**plain, "properties": {"encryption": {"status": "enabled", "keyVaultProperties": key}}}
    stranger = {**key, "identity": str(uuid.uuid4())}
    wrong = {**plain, "properties": {"encryption": {"status": "enabled", "keyVaultProperties": stranger}}}

    def put(path: str, body: dict[str, Any]) -> Any:
        return keys.azure.arm("PUT", path, body, api=REGISTRY_API)

    assert error(put(names[0], {**encrypted, "sku": {"name": "Basic"}})) == (400, "FeatureNotSupportedForSku")
    assert error(put(names[0], wrong)) == (400, "InvalidEncryptionProperties")
    assert put(names[0], encrypted).status_code in (200, 201)
    assert put(names[0], encrypted).status_code in (200, 201)
    off = {**plain, "properties": {"encryption": {"status": "disabled"}}}
    assert error(put(names[0], off)) == (400, "InvalidEncryptionProperties")
    assert put(names[1], plain).status_code in (200, 201)
    assert error(put(names[1], encrypted)) == (400, "InvalidEncryptionProperties")


def test_a_scientist_makes_no_key(keys: Keys, scientist: Client) -> None:
    keys.azure.assign(keys.vault, user_id("user2@site.com"), "acdd72a7-3385-48ef-bd42-f606fba81ae7")
    assert error(scientist.arm("PUT", keys.key, RSA, api=VAULT_API)) == (403, "AuthorizationFailed")
