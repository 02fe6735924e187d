"""Microsoft.ContainerRegistry: registries. No image is kept; the sandbox's jobs need none."""

import copy
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from sandbox.azure.arm.core import Body, Call, ResourceType, Rule, properties_of
from sandbox.azure.arm.identities import check_identity, forget_identity, shown_identity
from sandbox.azure.arm.network import connections_of
from sandbox.azure.arm.vaultkeys import check_key
from sandbox.azure.front.errors import AzureError

SWITCH = frozenset({"Enabled", "Disabled"})
PREMIUM_ONLY = ("networkRuleSet", "dataEndpointEnabled", "zoneRedundancy", "encryption")


class Registry(ResourceType):
    """`Microsoft.ContainerRegistry/registries`; names are global."""

    type = "Microsoft.ContainerRegistry/registries"
    name_pattern = re.compile(r"[a-zA-Z0-9]{5,50}")
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

    def validate(self, call: Call, old: Body | None) -> None:
        """Refuses a taken name, and what only the Premium tier has."""
        check_identity(call, self)
        taken = call.cloud.store.get("registry", call.id.name.lower())
        if taken is not None and taken["id"].lower() != call.id.key:
            raise AzureError(
                409, "AlreadyInUse", f"The registry DNS name {call.id.name.lower()}.azurecr.io is already in use."
            )
        sku, body = call.body["sku"]["name"], properties_of(call.body)
        asked = [name for name in PREMIUM_ONLY if body.get(name) not in (None, False, "Disabled")]
        if body.get("publicNetworkAccess") == "Disabled":
            asked.append("publicNetworkAccess")
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
            "creationDate": properties_of(old or {}).get("creationDate") or datetime.now(UTC).isoformat(),
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
        forget_identity(call, resource)


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
