"""Microsoft.ManagedIdentity: identities that people make, each with its service principal in the directory."""

import copy
import re
import uuid
from collections.abc import Mapping
from typing import Any, ClassVar

from sandbox.azure.access.tenant import managed_identity
from sandbox.azure.arm.core import Body, Call, ResourceType, Rule, invalid, properties_of
from sandbox.azure.front.errors import AzureError
from sandbox.azure.identity.graph.credentials import MOST_FEDERATED

FEDERATED = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials"


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


class FederatedCredential(ResourceType):
    """`Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials`: whose tokens it trusts.

    Sources: learn.microsoft.com/rest/api/managedidentity/federated-identity-credentials, for the limits
    learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations.
    """

    type = FEDERATED
    tracked = False
    name_pattern = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{2,119}")
    name_error = (
        "BadRequest",
        "The name '{name}' of the federated identity credential is invalid: 3 to 120 letters, digits, '-' or '_'.",
    )
    required = ("properties.issuer", "properties.subject", "properties.audiences")
    fields: ClassVar[Mapping[str, Rule]] = {
        "properties.issuer": str,
        "properties.subject": str,
        "properties.audiences": list,
    }
    methods = frozenset({"GET", "PUT", "DELETE"})

    def validate(self, call: Call, old: Body | None) -> None:
        """Refuses more than one audience, too many credentials, and a subject of an issuer that is there already."""
        sent = call.body["properties"]
        if len(sent["audiences"]) != 1 or not isinstance(sent["audiences"][0], str):
            raise invalid("properties.audiences", "A federated identity credential has exactly one audience.")
        others = [
            other
            for other in self.below(call.cloud, call.id.key.rpartition("/")[0] + "/")
            if other["name"].lower() != call.id.name.lower()
        ]
        if old is None and len(others) >= MOST_FEDERATED:
            text = f"The identity has {MOST_FEDERATED} federated identity credentials already, which is the most."
            raise AzureError(400, "BadRequest", text)
        for other in others:
            if all(properties_of(other)[part] == sent[part] for part in ("issuer", "subject")):
                text = f"Issuer and subject combination already exists: '{other['name']}' of this managed identity."
                raise AzureError(409, "Conflict", text)

    def prepare(self, call: Call, old: Body | None) -> Body:
        """Keeps issuer, subject and audience."""
        sent = copy.deepcopy(call.body["properties"])
        return {"properties": {part: sent[part] for part in ("issuer", "subject", "audiences")}}


def resource_types(cloud: Any) -> list[ResourceType]:
    """The resource types of this module."""
    return [UserAssignedIdentity(), FederatedCredential()]
