"""Identities of workspaces and computes: the roles that the service gives them, and who they are in the directory."""

import uuid

from sandbox.azure.access.tokens import Caller
from sandbox.azure.arm.core import Body, Call
from sandbox.azure.cloud import Cloud
from sandbox.azure.ml.names import user_identities
from sandbox.azure.ml.scope import Scope

# What the service assigns a workspace's own identity at its resource group (since 2024-11-19; Contributor before).
AI_ADMINISTRATOR = "b78c5d69-af96-48a3-bf8d-a8b4d589de94"
BLOB_DATA_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
FILE_DATA_PRIVILEGED_CONTRIBUTOR = "69566ab7-960f-475b-8e7c-b3118f30c6bd"
KEY_VAULT_ADMINISTRATOR = "00482a5a-887f-4fb3-b363-3b7fe8e74483"


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
