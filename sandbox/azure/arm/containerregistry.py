"""Microsoft.ContainerRegistry: registries. No image is kept; the sandbox's jobs need none."""

import copy
import re
import secrets
from collections.abc import Mapping
from typing import Any, ClassVar

from sandbox.azure import clock
from sandbox.azure.arm.core import Action, Body, Call, ResourceType, Rule, invalid, properties_of
from sandbox.azure.arm.identities import check_identity, forget_identity, shown_identity
from sandbox.azure.arm.privatelinks import connections_of
from sandbox.azure.arm.resources import Resources, Route, resource_route, route
from sandbox.azure.arm.vaultkeys import check_key
from sandbox.azure.front.errors import AzureError

REGISTRIES = "Microsoft.ContainerRegistry/registries"
PASSWORDS = "registryPasswords"  # store's kind, by lowercased name
PASSWORD_BYTES = 24
GIB = 1024**3
SWITCH = frozenset({"Enabled", "Disabled"})
PREMIUM_ONLY = ("networkRuleSet", "dataEndpointEnabled", "zoneRedundancy", "encryption", "publicNetworkAccess")
NAME = re.compile(r"[a-zA-Z0-9]{5,50}")
STORAGE = {
    "Basic": 10,
    "Standard": 100,
    "Premium": 500,
}  # GiB included; learn.microsoft.com/azure/container-registry/container-registry-skus
WEBHOOKS = {"Basic": 2, "Standard": 10, "Premium": 500}


class Registry(ResourceType):
    """`Microsoft.ContainerRegistry/registries`; names are global."""

    type = REGISTRIES
    name_pattern = NAME
    system_data = True
    name_error = (
        "RegistryNameInvalid",
        "The registry name '{name}' is invalid: it must be 5 to 50 alphanumeric characters.",
    )
    required = ("sku.name",)
    fields: ClassVar[Mapping[str, Rule]] = {
        "sku.name": frozenset({"Basic", "Standard", "Premium"}),
        "properties.adminUserEnabled": bool,
        "properties.anonymousPullEnabled": bool,
        "properties.dataEndpointEnabled": bool,
        "properties.publicNetworkAccess": SWITCH,
        "properties.zoneRedundancy": SWITCH,
        "properties.networkRuleBypassOptions": frozenset({"AzureServices", "None"}),
    }

    @property
    def actions(self) -> dict[str, Action]:
        """The actions on the admin user's passwords."""
        return {"listcredentials": _credentials, "regeneratecredential": _regenerate}

    def validate(self, call: Call, old: Body | None) -> None:
        """Refuses a taken name, and what only the Premium tier has."""
        check_identity(call, self)
        taken = call.cloud.store.get("registry", call.id.name.lower())
        if taken is not None and taken["id"].lower() != call.id.key:
            raise AzureError(
                409, "AlreadyInUse", f"The registry DNS name {call.id.name.lower()}.azurecr.io is already in use."
            )
        sku, body = call.body["sku"]["name"], properties_of(call.body)
        asked = [name for name in PREMIUM_ONLY if _differs_from_default(name, body.get(name))]
        if asked and sku.lower() != "premium":
            raise AzureError(
                400,
                "FeatureNotSupportedForSku",
                f"The property '{asked[0]}' is not supported for the SKU {sku}; it needs Premium.",
                target=f"properties.{asked[0]}",
            )

        _check_encryption(call, body.get("encryption") or {}, old)

    def prepare(self, call: Call, old: Body | None) -> Body:
        """Adds the login server, the policies and the defaults."""
        sku = call.body["sku"]["name"].capitalize()
        properties = {
            "adminUserEnabled": False,
            "anonymousPullEnabled": False,
            "dataEndpointEnabled": False,
            "dataEndpointHostNames": [],
            "encryption": {"status": "disabled"},
            "networkRuleBypassOptions": "AzureServices",
            "policies": {
                "quarantinePolicy": {"status": "disabled"},
                "trustPolicy": {"type": "Notary", "status": "disabled"},
                "retentionPolicy": {"days": 7, "status": "disabled"},
            },
            "publicNetworkAccess": "Enabled",
            "zoneRedundancy": "Disabled",
            **{
                name: value
                for name, value in {
                    "encryption": properties_of(old or {}).get("encryption"),
                    **copy.deepcopy(properties_of(call.body)),
                }.items()
                if value is not None
            },
            "creationDate": properties_of(old or {}).get("creationDate") or clock.now().isoformat(),
            "loginServer": f"{call.id.name.lower()}.azurecr.io",
            "provisioningState": "Succeeded",
        }
        return {
            "location": call.body["location"],
            "tags": call.body.get("tags") or {},
            "sku": {"name": sku, "tier": sku},
            **shown_identity(call, old),
            "properties": properties,
        }

    def stored(self, call: Call, resource: Body, old: Body | None) -> None:
        """Reserves the global name."""
        call.cloud.store.put("registry", resource["name"].lower(), {"id": resource["id"]})

    def present(self, call: Call, resource: Body) -> Body:
        """Adds the private endpoint connections."""
        connections = connections_of(call.cloud, resource["id"])
        return {**resource, "properties": {**resource["properties"], "privateEndpointConnections": connections}}

    def deleted(self, call: Call, resource: Body) -> None:
        """Frees the global name."""
        call.cloud.store.delete("registry", resource["name"].lower())
        call.cloud.store.delete(PASSWORDS, resource["name"].lower())
        forget_identity(call, resource)


def _differs_from_default(name: str, value: Any) -> bool:
    """Whether a property asks for more than every tier has; the service's own defaults come back in an update."""
    match name:
        case "encryption":
            return bool(value) and value.get("status") == "enabled"
        case "networkRuleSet":
            return bool(value) and (value.get("defaultAction") == "Deny" or bool(value.get("ipRules")))
        case "publicNetworkAccess":
            return bool(value == "Disabled")
        case _:
            return value not in (None, False, "Disabled")


def _credentials(call: Call, registry: Body) -> Body:
    """The admin user's name and passwords."""
    name = str(registry["name"])
    if not properties_of(registry)["adminUserEnabled"]:
        raise AzureError(
            400,
            "AdminUserDisabled",
            f"Admin user is disabled for the container registry '{name}': run 'az acr update -n {name} --admin-enabled "
            "true' to enable it.",
        )
    made = call.cloud.store.get(PASSWORDS, name.lower()) or {"password": _password(), "password2": _password()}
    call.cloud.store.put(PASSWORDS, name.lower(), made)
    return {"username": name, "passwords": [{"name": key, "value": value} for key, value in sorted(made.items())]}


def _regenerate(call: Call, registry: Body) -> Body:
    """Gives the admin user another password."""
    key = call.body.get("name")
    if key not in ("password", "password2"):
        raise invalid("name", f"The password '{key}' is not valid: it must be password or password2.")
    shown = _credentials(call, registry)
    made = {entry["name"]: entry["value"] for entry in shown["passwords"]}
    call.cloud.store.put(PASSWORDS, registry["name"].lower(), {**made, key: _password()})
    return _credentials(call, registry)


def _password() -> str:
    return secrets.token_urlsafe(PASSWORD_BYTES)


def _usages(call: Call, registry: Body, match: re.Match[str]) -> Body:
    """Limits of the tier; nothing is stored."""
    tier = registry["sku"]["name"]
    limits = {"Size": STORAGE[tier] * GIB, "Webhooks": WEBHOOKS[tier], "ScopeMaps": 100, "Tokens": 100}
    units = {"Size": "Bytes"}
    return {
        "value": [
            {"name": name, "limit": limit, "currentValue": 0, "unit": units.get(name, "Count")}
            for name, limit in limits.items()
        ]
    }


def _check_name(resources: Resources, call: Call, match: re.Match[str]) -> Body:
    """Whether a registry can have a name."""
    call.authorize(f"{REGISTRIES.partition('/')[0]}/checkNameAvailability/read", f"/subscriptions/{call.subscription}")
    name = call.body.get("name")
    if not isinstance(name, str) or call.body.get("type") != REGISTRIES:
        raise invalid("name", f"'name' must be a string and 'type' {REGISTRIES}.")
    if not NAME.fullmatch(name):
        text = Registry.name_error[1].format(name=name)
        return {"nameAvailable": False, "reason": "Invalid", "message": text}
    if call.cloud.store.get("registry", name.lower()) is not None:
        text = f"The registry {name} is already in use."
        return {"nameAvailable": False, "reason": "AlreadyExists", "message": text}
    return {"nameAvailable": True}


def _check_encryption(call: Call, encryption: Body, old: Body | None) -> None:
    """A key of the customer's is given at creation or never; later it only makes place for another one.

    Source: learn.microsoft.com/azure/container-registry/tutorial-enable-customer-managed-keys.
    """
    wanted = encryption.get("status") == "enabled"
    had = properties_of(old or {}).get("encryption", {}).get("status") == "enabled"
    if old is not None and encryption and wanted != had:
        raise AzureError(
            400,
            "InvalidEncryptionProperties",
            "A registry's encryption with a customer-managed key is turned on at creation, and never off.",
            target="properties.encryption.status",
        )
    if wanted:
        key = encryption.get("keyVaultProperties") or {}
        assigned = (call.body.get("identity") or {}).get("userAssignedIdentities") or {}
        clients = {properties_of(call.resource(identity) or {}).get("clientId"): identity for identity in assigned}
        if key.get("identity") not in clients:
            raise AzureError(
                400,
                "InvalidEncryptionProperties",
                f"The client id '{key.get('identity')}' is of none of the registry's identities.",
                target="properties.encryption.keyVaultProperties.identity",
            )
        check_key(call, str(key.get("keyIdentifier")), clients[key["identity"]])


def resource_types(cloud: Any) -> list[ResourceType]:
    """The resource types of this module."""
    return [Registry()]


def routes() -> list[Route]:
    """The routes beside the resource types."""
    path = "/subscriptions/{subscription}/providers/Microsoft.ContainerRegistry/checkNameAvailability"
    return [
        route("POST", path, _check_name),
        resource_route("GET", REGISTRIES, "/listUsages", "listUsages/read", _usages),
    ]
