"""Identities of workspaces and computes: assigned by the user, or made by the system."""

import uuid
from typing import Any

from sandbox.azure.arm.core import Body, Call
from sandbox.azure.cloud import Cloud
from sandbox.azure.errors import AzureError
from sandbox.azure.ml.names import user_identities
from sandbox.azure.ml.scope import Scope
from sandbox.azure.tokens import Caller

# What the service assigns a workspace's own identity at its resource group (before 2024-11-19; since then Azure AI
# Administrator, whose actions for our purposes are a part of these).
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
BLOB_DATA_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
TYPES = ("None", "SystemAssigned", "UserAssigned", "SystemAssigned,UserAssigned", "SystemAssigned, UserAssigned")


def check_identity(call: Call, owner: str) -> None:
    """Refuses an identity block that is not valid or names an identity that does not exist.

    Raises:
        AzureError: 400.
    """
    identity = call.body.get("identity")
    if not identity:
        return
    if identity.get("type") not in TYPES:
        raise AzureError(
            400,
            "InvalidIdentityType",
            f"The identity type '{identity.get('type')}' of the {owner} is not one of {', '.join(TYPES[:4])}.",
            target="identity.type",
        )
    for one in user_identities(call.body):
        if call.body["identity"]["userAssignedIdentities"][one] is None:
            continue  # a PATCH that removes it
        if call.resource(one) is None:
            raise AzureError(
                400,
                "FailedIdentityOperation",
                f"Identity operation for resource '{call.id.text}' failed with error 'Failed to perform resource "
                f"identity operation. Status: 'BadRequest'. Response: the identity '{one}' does not exist.",
                target="identity.userAssignedIdentities",
            )
    if "UserAssigned" in identity["type"].replace("SystemAssigned", "") and not user_identities(call.body):
        raise AzureError(
            400,
            "InvalidUserAssignedIdentities",
            "The identity type 'UserAssigned' needs at least one entry in 'userAssignedIdentities'.",
            target="identity.userAssignedIdentities",
        )


def assign_system_identity(call: Call, identity: Body, old: Body | None) -> Body:
    """The identity as the service shows it: with principals, and with the system's own made if it is asked for."""
    shown: Body = {"type": identity["type"]}
    if "SystemAssigned" in identity["type"]:
        before = (old or {}).get("identity") or {}
        shown["principalId"] = before.get("principalId") or _make_principal(call)
        shown["tenantId"] = call.cloud.seed["tenantId"]
    entries: dict[str, Any] = identity.get("userAssignedIdentities") or {}
    users = {one: _principal(call, one) for one, value in entries.items() if value is not None}
    if users:
        shown["userAssignedIdentities"] = users
    return shown


def _principal(call: Call, identity_id: str) -> Body:
    properties = (call.resource(identity_id) or {}).get("properties", {})
    return {"principalId": properties.get("principalId"), "clientId": properties.get("clientId")}


def _make_principal(call: Call) -> str:
    """A service principal for the resource itself."""
    object_id = str(uuid.uuid4())
    body = {
        "id": object_id,
        "appId": str(uuid.uuid4()),
        "displayName": call.id.name,
        "servicePrincipalType": "ManagedIdentity",
        "alternativeNames": ["isExplicit=False", call.id.text],
    }
    call.cloud.store.put("servicePrincipal", object_id, body)
    return object_id


def grant(call: Call, principal_id: str, scope: str, role: str) -> None:
    """A role assignment that the service itself makes, as for a workspace's own identity."""
    name = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{scope}|{principal_id}|{role}".lower()))
    subscription = "/".join(scope.split("/")[:3])
    assignment_id = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"
    body = {
        "id": assignment_id,
        "name": name,
        "type": "Microsoft.Authorization/roleAssignments",
        "properties": {
            "roleDefinitionId": f"{subscription}/providers/Microsoft.Authorization/roleDefinitions/{role}",
            "principalId": principal_id,
            "principalType": "ServicePrincipal",
            "scope": scope,
        },
    }
    call.cloud.store.put("roleAssignment", assignment_id.lower(), body)


def workspace_identity(scope: Scope) -> Caller | None:
    """The workspace's own identity: with it the service reads and writes code, logs and artifacts."""
    identity = scope.workspace.get("identity") or {}
    primary = scope.workspace["properties"].get("primaryUserAssignedIdentity")
    return _identity_of(scope.cloud, identity, primary)


def compute_identity(scope: Scope, compute: Body, client_id: str = "") -> Caller | None:
    """A cluster's managed identity: the one with this client id, else its first."""
    identity = compute.get("identity") or {}
    if client_id:
        for one in user_identities(compute):
            properties = (scope.cloud.store.get("resource", one.lower()) or {}).get("properties", {})
            if properties.get("clientId", "").lower() == client_id.lower():
                return Caller(properties["principalId"], properties["clientId"])
        return None
    return _identity_of(scope.cloud, identity, None)


def _identity_of(cloud: Cloud, identity: Body, primary: str | None) -> Caller | None:
    users = identity.get("userAssignedIdentities") or {}
    chosen = primary or next(iter(users), None)
    if chosen is not None:
        properties = (cloud.store.get("resource", chosen.lower()) or {}).get("properties", {})
        if properties.get("principalId"):
            return Caller(properties["principalId"], properties["clientId"])
    if identity.get("principalId"):
        principal = cloud.store.get("servicePrincipal", identity["principalId"]) or {}
        return Caller(identity["principalId"], principal.get("appId", ""))
    return None
