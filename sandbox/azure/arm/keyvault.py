"""Microsoft.KeyVault: vaults, their soft delete, and secrets set through the resource manager."""

import copy
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, ClassVar

from starlette.responses import JSONResponse, Response

from sandbox.azure import clock
from sandbox.azure.arm.core import Body, Call, ResourceId, ResourceType, Rule, invalid, normal_location, properties_of
from sandbox.azure.arm.operations import accepted
from sandbox.azure.arm.privatelinks import connections_of
from sandbox.azure.arm.resources import Resources, Route, route
from sandbox.azure.arm.vaultkeys import forget_keys
from sandbox.azure.cloud import Cloud
from sandbox.azure.front.errors import AzureError
from sandbox.azure.keyvault import secrets
from sandbox.azure.keyvault.errors import VaultError

VAULTS = "Microsoft.KeyVault/vaults"
VAULT_NAME = re.compile(r"(?=.{3,24}$)[a-zA-Z](?:-?[a-zA-Z0-9])+")
NAME_TEXT = (
    "The vault name '{name}' is invalid. A vault's name must be between 3-24 alphanumeric characters. The name must "
    "begin "
    "with a letter, end with a letter or digit, and not contain consecutive hyphens."
)
DELETED = "deletedVault"  # store's kind, by lowercased name
RETENTION = range(7, 91)  # days; learn.microsoft.com/azure/key-vault/general/soft-delete-overview


class Vault(ResourceType):
    """`Microsoft.KeyVault/vaults`; names are global, and a deleted vault keeps its name until it is purged."""

    type = VAULTS
    system_data = True
    name_pattern = VAULT_NAME
    name_error = ("VaultNameNotValid", NAME_TEXT)
    create_status = 200
    invalid_value = "BadRequest"
    required = ("properties.tenantId", "properties.sku.name", "properties.sku.family")
    fields: ClassVar[Mapping[str, Rule]] = {
        "properties.sku.family": frozenset({"A"}),
        "properties.sku.name": frozenset({"standard", "premium"}),
        "properties.createMode": frozenset({"default", "recover"}),
        "properties.publicNetworkAccess": frozenset({"enabled", "disabled", "SecuredByPerimeter"}),
        "properties.networkAcls.defaultAction": frozenset({"Allow", "Deny"}),
        "properties.enableRbacAuthorization": bool,
        "properties.enableSoftDelete": bool,
        "properties.enablePurgeProtection": bool,
        "properties.enabledForDeployment": bool,
        "properties.enabledForDiskEncryption": bool,
        "properties.enabledForTemplateDeployment": bool,
        "properties.softDeleteRetentionInDays": int,
        "properties.accessPolicies": list,
    }

    def validate(self, call: Call, old: Body | None) -> None:
        """Checks the name, then the settings that never change or cannot be switched off."""
        body = properties_of(call.body)
        recover = body.get("createMode") == "recover"
        if old is None:
            _check_free(call, recover=recover)
        _check_protection(body, properties_of(old or {}))
        if not recover and not body.get("enableRbacAuthorization") and body.get("accessPolicies") is None:
            raise _bad("properties.accessPolicies", "The parameter accessPolicies is not specified.")
        if body["tenantId"].lower() != call.cloud.seed["tenantId"]:
            raise _bad("properties.tenantId", f"Invalid value found at properties.tenantId: {body['tenantId']}.")

    def prepare(self, call: Call, old: Body | None) -> Body:
        """Switches soft delete on; a recovered vault keeps its properties."""
        deleted = call.cloud.store.get(DELETED, call.id.name.lower())
        if deleted is not None and old is None:
            return {**deleted["resource"], "location": call.body["location"]}
        body = copy.deepcopy(properties_of(call.body))
        body.pop("createMode", None)
        before = properties_of(old or {})
        sku = {"family": "A", "name": str(body["sku"]["name"]).lower()}
        properties = {
            "accessPolicies": [],
            "enabledForDeployment": False,
            "enableRbacAuthorization": False,
            "publicNetworkAccess": "Enabled",
            **{name: value for name, value in body.items() if value is not None},
            "sku": sku,
            "enableSoftDelete": True,
            "softDeleteRetentionInDays": before.get("softDeleteRetentionInDays")
            or body.get("softDeleteRetentionInDays")
            or RETENTION[-1],
            "vaultUri": f"https://{call.id.name.lower()}.vault.azure.net/",
            "provisioningState": "Succeeded",
        }
        if before.get("enablePurgeProtection"):
            properties["enablePurgeProtection"] = True
        return {"location": call.body["location"], "tags": call.body.get("tags") or {}, "properties": properties}

    def stored(self, call: Call, resource: Body, old: Body | None) -> None:
        """Registers the vault for the data plane; a recovered vault is no longer deleted."""
        if old is None:
            call.cloud.store.delete(DELETED, resource["name"].lower())
            call.cloud.store.put("vault", resource["name"].lower(), {"id": resource["id"]})

    def present(self, call: Call, resource: Body) -> Body:
        """Adds the private endpoint connections."""
        connections = connections_of(call.cloud, resource["id"])
        return {**resource, "properties": {**resource["properties"], "privateEndpointConnections": connections}}

    def deleted(self, call: Call, resource: Body) -> None:
        """Keeps the vault and its secrets recoverable until the retention ends."""
        now = clock.now()
        days = timedelta(days=properties_of(resource)["softDeleteRetentionInDays"])
        document = {
            "resource": resource,
            "deletionDate": now.isoformat(),
            "scheduledPurgeDate": (now + days).isoformat(),
        }
        call.cloud.store.delete("vault", resource["name"].lower())
        call.cloud.store.put(DELETED, resource["name"].lower(), document)


def _bad(target: str, message: str) -> AzureError:
    return AzureError(400, "BadRequest", message, target=target)


def _check_free(call: Call, *, recover: bool) -> None:
    """Refuses a name that a vault has, or a soft-deleted vault had.

    Source: learn.microsoft.com/azure/key-vault/general/common-error-codes.
    """
    name = call.id.name.lower()
    if call.cloud.store.get("vault", name) is not None:
        raise AzureError(
            409,
            "VaultAlreadyExists",
            f"The vault name '{call.id.name}' is already in use. Vault names are globally unique so it is possible "
            "that "
            "the name is already taken. If you are sure that the vault name was not taken then it is possible that a "
            "vault with the same name was recently deleted but not purged after being placed in a recoverable state.",
        )
    deleted = find_deleted(call.cloud, name)
    if deleted is not None and not recover:
        raise AzureError(
            409,
            "ConflictError",
            "A vault with the same name already exists in deleted state. You need to either recover or purge existing "
            "key vault. Follow this link https://go.microsoft.com/fwlink/?linkid=2149745 for more information on soft "
            "delete.",
        )
    if recover and (deleted is None or deleted["resource"]["id"].lower() != call.id.key):
        raise AzureError(
            404, "SoftDeletedVaultDoesNotExist", f"A soft deleted vault with the given name '{name}' does not exist."
        )


def _check_protection(body: Body, before: Body) -> None:
    """Source: learn.microsoft.com/azure/key-vault/general/soft-delete-overview."""
    if body.get("enablePurgeProtection") is False:
        raise _bad(
            "properties.enablePurgeProtection",
            'The property "enablePurgeProtection" cannot be set to false. Enabling the purge protection for a vault '
            "is an "
            "irreversible action.",
        )
    if before and body.get("enableSoftDelete") is False:
        raise _bad(
            "properties.enableSoftDelete",
            'The property "enableSoftDelete" can be set to false only for creating new vault. Enabling the \'soft '
            "delete' "
            "functionality is an irreversible action.",
        )
    days = body.get("softDeleteRetentionInDays")
    if days is None:
        return
    if days not in RETENTION:
        text = f"Invalid value found at properties.softDeleteRetentionInDays: {days}. It must be between 7 and 90."
        raise _bad("properties.softDeleteRetentionInDays", text)
    if before and days != before["softDeleteRetentionInDays"]:
        raise _bad(
            "properties.softDeleteRetentionInDays",
            'The property "softDeleteRetentionInDays" has been set already and it can\'t be modified.',
        )


def find_deleted(cloud: Cloud, name: str) -> Body | None:
    """The soft-deleted vault of this name; one whose retention has ended is purged first."""
    deleted = cloud.store.get(DELETED, name.lower())
    if deleted is not None and deleted["scheduledPurgeDate"] <= clock.now().isoformat():
        purge(cloud, name)
        return None
    return deleted


def purge(cloud: Cloud, name: str) -> None:
    """Removes a soft-deleted vault for good, its secrets and keys with it."""
    with cloud.store.transaction():
        deleted = cloud.store.get(DELETED, name.lower())
        if deleted is not None:
            forget_keys(cloud, deleted["resource"])
        cloud.store.delete(DELETED, name.lower())
        secrets.delete_vault(cloud, name)


def _shown(call: Call, deleted: Body) -> Body:
    resource = deleted["resource"]
    name, location = resource["name"], resource["location"]
    protection = properties_of(resource).get("enablePurgeProtection")
    where = f"/subscriptions/{call.subscription}/providers/Microsoft.KeyVault/locations/{location}"
    return {
        "id": f"{where}/deletedVaults/{name}",
        "name": name,
        "type": "Microsoft.KeyVault/deletedVaults",
        "properties": {
            "vaultId": resource["id"],
            "location": location,
            "tags": resource.get("tags") or {},
            "deletionDate": deleted["deletionDate"],
            "scheduledPurgeDate": deleted["scheduledPurgeDate"],
            **({"purgeProtectionEnabled": True} if protection else {}),
        },
    }


def _list_deleted(resources: Resources, call: Call, match: re.Match[str]) -> Body:
    call.authorize("Microsoft.KeyVault/deletedVaults/read", f"/subscriptions/{call.subscription}")
    deleted = [find_deleted(call.cloud, name) for name, _ in list(call.cloud.store.items(DELETED))]
    mine = [vault for vault in deleted if vault and vault["resource"]["id"].lower().split("/")[2] == call.subscription]
    return {"value": [_shown(call, vault) for vault in mine]}


def _require_deleted(call: Call, match: re.Match[str]) -> Body:
    deleted = find_deleted(call.cloud, match["vault"])
    if deleted is None or deleted["resource"]["location"] != normal_location(match["location"]):
        text = f"The specified deleted vault '{match['vault']}' does not exist."
        raise AzureError(404, "DeletedVaultNotFound", text)
    return deleted


def _get_deleted(resources: Resources, call: Call, match: re.Match[str]) -> Body:
    call.authorize("Microsoft.KeyVault/locations/deletedVaults/read", f"/subscriptions/{call.subscription}")
    return _shown(call, _require_deleted(call, match))


def _purge_deleted(resources: Resources, call: Call, match: re.Match[str]) -> Response:
    call.authorize("Microsoft.KeyVault/locations/deletedVaults/purge/action", f"/subscriptions/{call.subscription}")
    deleted = _require_deleted(call, match)
    if properties_of(deleted["resource"]).get("enablePurgeProtection"):
        raise AzureError(
            400,
            "MethodNotAllowed",
            "Operation 'DeletedVaultPurge' is not allowed: the vault has purge protection enabled.",
        )
    purge(call.cloud, match["vault"])
    return accepted(call)


def _managed_hsms(resources: Resources, call: Call, match: re.Match[str]) -> Body:
    """Managed HSMs, deleted or not: the sandbox makes none."""
    kind = call.id.text.rpartition("/")[2]
    call.authorize(f"Microsoft.KeyVault/{kind}/read", f"/subscriptions/{call.subscription}")
    return {"value": []}


def _check_hsm_name(resources: Resources, call: Call, match: re.Match[str]) -> Body:
    """Whether a managed HSM can have a name: none is taken, as the sandbox makes none."""
    call.authorize("Microsoft.KeyVault/checkMhsmNameAvailability/read", f"/subscriptions/{call.subscription}")
    if not isinstance(call.body.get("name"), str):
        raise invalid("name", "'name' must be a string.")
    return {"nameAvailable": True}


def _check_name(resources: Resources, call: Call, match: re.Match[str]) -> Body:
    call.authorize("Microsoft.KeyVault/checkNameAvailability/read", f"/subscriptions/{call.subscription}")
    name = call.body.get("name")
    if not isinstance(name, str):
        raise invalid("name", "'name' must be a string.")
    if not VAULT_NAME.fullmatch(name):
        return {"nameAvailable": False, "reason": "AccountNameInvalid", "message": NAME_TEXT.format(name=name)}
    if call.cloud.store.get("vault", name.lower()) or find_deleted(call.cloud, name):
        return {"nameAvailable": False, "reason": "AlreadyExists", "message": f"The name '{name}' is already in use."}
    return {"nameAvailable": True}


class VaultAccessPolicy(ResourceType):
    """`…/accessPolicies/add`, `replace` and `remove`: a PUT changes the vault's access policies.

    Source: learn.microsoft.com/rest/api/keyvault/keyvault/vaults/update-access-policy.
    """

    type = f"{VAULTS}/accessPolicies"
    tracked = False
    name_pattern = re.compile("add|replace|remove", re.IGNORECASE)
    name_error = ("BadRequest", "The operation '{name}' on access policies is none of add, replace, remove.")
    required = ("properties.accessPolicies",)
    fields: ClassVar[Mapping[str, Rule]] = {"properties.accessPolicies": list}
    methods = frozenset({"PUT"})

    def find(self, cloud: Cloud, resource_id: ResourceId) -> Body | None:
        """Returns None: access policies are no resource of their own, a write changes the vault."""
        return None

    def validate(self, call: Call, old: Body | None) -> None:
        """Refuses policies without principal or permissions."""
        for number, policy in enumerate(call.body["properties"]["accessPolicies"]):
            if not isinstance(policy, dict) or not {"tenantId", "objectId", "permissions"} <= policy.keys():
                path = f"properties.accessPolicies[{number}]"
                raise _bad(path, f"'{path}' must have tenantId, objectId and permissions.")

    def save(self, cloud: Cloud, resource: Body) -> None:
        """Writes the vault's policies."""
        vault_id, _, operation = resource["id"].lower().rpartition("/accesspolicies/")
        vault = cloud.store.get("resource", vault_id) or {}
        before = list(properties_of(vault).get("accessPolicies") or [])
        after = _changed_policies(before, operation, resource["properties"]["accessPolicies"])
        cloud.store.put("resource", vault_id, {**vault, "properties": {**vault["properties"], "accessPolicies": after}})

    def response(self, call: Call, resource: Body, *, created: bool) -> Response:
        """Answers with the policies after the change."""
        vault = call.resource(call.id.parent) or {}
        shown = {"accessPolicies": properties_of(vault)["accessPolicies"]}
        return JSONResponse({"id": resource["id"], "type": self.type, "properties": shown}, 200)


def _changed_policies(before: list[Body], operation: str, given: list[Body]) -> list[Body]:
    """The policies after a change; `add` joins a principal's permissions, `remove` takes those given away."""
    policies = {(policy["objectId"], policy.get("applicationId")): policy for policy in copy.deepcopy(before)}
    for policy in copy.deepcopy(given):
        key = (policy["objectId"], policy.get("applicationId"))
        held = (policies.get(key) or {"permissions": {}})["permissions"]
        if operation == "replace":
            policies[key] = policy
        elif operation == "add":
            kinds = sorted({*held, *policy["permissions"]})
            joined = {kind: _joined(held.get(kind), policy["permissions"].get(kind)) for kind in kinds}
            policies[key] = {**policy, "permissions": joined}
        elif key in policies:
            taken = policy["permissions"]
            left = {kind: [name for name in held[kind] if name not in (taken.get(kind) or ())] for kind in held}
            policies[key]["permissions"] = left
            if not any(left.values()):
                del policies[key]
    return list(policies.values())


def _joined(first: list[str] | None, second: list[str] | None) -> list[str]:
    return list(dict.fromkeys([*(first or ()), *(second or ())]))


class VaultSecret(ResourceType):
    """`Microsoft.KeyVault/vaults/secrets`: sets and describes the vault's own secrets, and never shows their values."""

    type = f"{VAULTS}/secrets"
    tracked = False
    name_pattern = re.compile(r"[a-zA-Z0-9-]{1,127}")
    name_error = ("BadRequest", "The secret name '{name}' is invalid: 1 to 127 letters, digits or '-'.")
    create_status = 200
    required = ("properties.value",)
    fields: ClassVar[Mapping[str, Rule]] = {
        "properties.value": str,
        "properties.contentType": str,
        "properties.attributes": dict,
        "tags": dict,
    }

    def find(self, cloud: Cloud, resource_id: ResourceId) -> Body | None:
        """The secret's current version, without its value."""
        return next(
            (secret for secret in self._all(cloud, resource_id.parent) if secret["id"].lower() == resource_id.key), None
        )

    def below(self, cloud: Cloud, prefix: str) -> Iterator[Body]:
        """The secrets of the vault."""
        return self._all(cloud, prefix.removesuffix("/secrets/"))

    def _all(self, cloud: Cloud, vault_id: str) -> Iterator[Body]:
        vault = cloud.store.get("resource", vault_id.lower())
        opened = secrets.find_vault(cloud, vault["name"]) if vault else None
        if vault is None or opened is None:
            return
        vault_secrets = secrets.Secrets(cloud, opened)
        for name in [secret["id"].split("/")[4] for secret in vault_secrets.items()]:
            *_, current = vault_secrets.versions(name)
            yield {
                "id": f"{vault['id']}/secrets/{name}",
                "name": name,
                "type": self.type,
                "location": vault["location"],
                "tags": current.get("tags") or {},
                "properties": {
                    "attributes": {
                        part: current["attributes"][part]
                        for part in ("enabled", "nbf", "exp", "created", "updated")
                        if part in current["attributes"]
                    },
                    **({"contentType": current["contentType"]} if "contentType" in current else {}),
                    "secretUri": current["id"].rpartition("/")[0],
                    "secretUriWithVersion": current["id"],
                },
            }

    def save(self, cloud: Cloud, resource: Body) -> None:
        """Makes a new version in the vault."""
        vault = secrets.find_vault(cloud, resource["id"].split("/")[8])
        if vault is None:
            raise AzureError(404, "VaultNotFound", "The vault of the secret could not be found.")
        try:
            secrets.Secrets(cloud, vault).set(
                resource["name"], {**resource["properties"], "tags": resource.get("tags")}
            )
        except VaultError as error:
            raise AzureError(error.status, error.code, error.message) from error

    def before_delete(self, call: Call, resource: Body) -> None:
        """Refuses: only the vault itself deletes secrets."""
        raise AzureError(405, "MethodNotAllowed", "Secrets are deleted at the vault's own address, not here.")

    def response(self, call: Call, resource: Body, *, created: bool) -> Response:
        """Answers with the resource as a GET shows it."""
        return JSONResponse(self.find(call.cloud, call.id))


def resource_types(cloud: Any) -> list[ResourceType]:
    """The resource types of this module."""
    return [Vault(), VaultAccessPolicy(), VaultSecret()]


def routes() -> list[Route]:
    """Deleted vaults and checks of names."""
    provider = "/subscriptions/{subscription}/providers/Microsoft.KeyVault"
    deleted = provider + "/locations/{location}/deletedVaults/{vault}"
    return [
        route("GET", f"{provider}/deletedVaults", _list_deleted),
        route("GET", f"{provider}/deletedManagedHSMs", _managed_hsms),
        route("GET", f"{provider}/managedHSMs", _managed_hsms),
        route("GET", deleted, _get_deleted),
        route("POST", f"{deleted}/purge", _purge_deleted),
        route("POST", f"{provider}/checkNameAvailability", _check_name),
        route("POST", f"{provider}/checkMhsmNameAvailability", _check_hsm_name),
    ]
