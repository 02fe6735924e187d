"""Microsoft.ManagedIdentity: identities that people make, each with its service principal in the directory."""

import re
import uuid
from typing import Any

from sandbox.azure.arm.core import Body, Call, ResourceType
from sandbox.azure.identity.tenant import managed_identity


class UserAssignedIdentity(ResourceType):
    """`Microsoft.ManagedIdentity/userAssignedIdentities`."""

    type = "Microsoft.ManagedIdentity/userAssignedIdentities"
    # learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
    name_pattern = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{2,127}")
    name_error = (
        "InvalidResourceName",
        "The identity name '{name}' is not valid: 3 to 128 letters, digits, '-' or '_', beginning with a letter or "
        "digit.",
    )

    def prepare(self, call: Call, old: Body | None) -> Body:
        """Gives a new identity a principal; an update keeps it."""
        made = {
            "tenantId": call.cloud.seed["tenantId"],
            "principalId": str(uuid.uuid4()),
            "clientId": str(uuid.uuid4()),
        }
        return {
            "location": call.body["location"],
            "tags": call.body.get("tags") or {},
            "properties": old["properties"] if old else made,
        }

    def stored(self, call: Call, resource: Body, old: Body | None) -> None:
        """Stores the service principal, as Graph shows it."""
        body = resource["properties"]
        principal = managed_identity(
            body["principalId"], body["clientId"], resource["name"], resource["id"], explicit=True
        )
        call.cloud.store.put("servicePrincipal", body["principalId"], principal)

    def deleted(self, call: Call, resource: Body) -> None:
        """Removes the principal; its role assignments stay, as in Azure, without effect."""
        call.cloud.store.delete("servicePrincipal", resource["properties"]["principalId"])


def resource_types(cloud: Any) -> list[ResourceType]:
    """The resource types of this module."""
    return [UserAssignedIdentity()]
