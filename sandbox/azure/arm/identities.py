"""The `identity` of resources that can have one: the system's own, or identities that users made.

Sources: learn.microsoft.com/entra/identity/managed-identities-azure-resources/overview, and for the missing right
learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors.
"""

import uuid
from typing import Any

from sandbox.azure.access.tenant import managed_identity
from sandbox.azure.arm.core import Body, Call, ResourceType
from sandbox.azure.front.errors import AzureError

ASSIGN = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"
KINDS = frozenset({"none", "systemassigned", "userassigned", "systemassigned,userassigned"})


def linked_authorization_failed(call: Call, action: str, needed: str, scope: str) -> AzureError:
    """403 for a right that is missing at another resource that the body names."""
    return AzureError(
        403,
        "LinkedAuthorizationFailed",
        f"The client '{call.caller.client_id}' with object id '{call.caller.object_id}' has permission to perform "
        f"action '{action}' on scope '{call.id.text}'; however, it does not have permission to perform action(s) "
        f"'{needed}' on the linked scope(s) '{scope}' (respectively) or the linked scope(s) are invalid.",
    )


def check_identity(call: Call, kind: ResourceType) -> None:
    """Refuses an identity of an unknown kind, one that is absent, and one that the caller may not assign.

    Raises:
        AzureError: 400 or 403.
    """
    identity = call.body.get("identity") or {}
    if _kind(identity) not in KINDS:
        text = f"The identity type '{identity.get('type')}' is invalid."
        raise AzureError(400, "InvalidIdentityType", text, target="identity.type")
    for identity_id in _assigned(identity):
        if call.resource(identity_id) is None:
            raise AzureError(
                400,
                "FailedIdentityOperation",
                f"Identity operation for resource '{call.id.text}' failed with error 'Failed to perform resource "
                "identity "
                f"operation. The identity '{identity_id}' does not exist.'.",
                target="identity.userAssignedIdentities",
            )
        if not call.may(ASSIGN, identity_id):
            raise linked_authorization_failed(call, f"{kind.type}/write", ASSIGN, identity_id)


def shown_identity(call: Call, old: Body | None) -> dict[str, Any]:
    """`{"identity": ...}` with principals, as the service shows it; empty where there is none.

    A system identity's service principal is made at first, kept afterwards, and removed when it is no longer asked for.
    """
    identity = call.body.get("identity") or {}
    before = (old or {}).get("identity") or {}
    kind, shown = _kind(identity), {"type": identity.get("type")}
    if "systemassigned" in kind:
        shown["principalId"] = before.get("principalId") or _make_principal(call)
        shown["tenantId"] = call.cloud.seed["tenantId"]
    elif before.get("principalId"):
        call.cloud.store.delete("servicePrincipal", before["principalId"])
    if "userassigned" in kind:
        shown["userAssignedIdentities"] = {
            identity_id: _principal(call, identity_id) for identity_id in _assigned(identity)
        }
    return {} if kind == "none" else {"identity": shown}


def forget_identity(call: Call, resource: Body) -> None:
    """Removes the system identity of a removed resource."""
    principal = (resource.get("identity") or {}).get("principalId")
    if principal:
        call.cloud.store.delete("servicePrincipal", principal)


def _kind(identity: Body) -> str:
    return str(identity.get("type") or "None").replace(" ", "").lower()


def _assigned(identity: Body) -> list[str]:
    """Ids of the assigned identities, without those that a PATCH removes by null."""
    return [
        identity_id
        for identity_id, value in (identity.get("userAssignedIdentities") or {}).items()
        if value is not None
    ]


def _principal(call: Call, identity_id: str) -> Body:
    properties = (call.resource(identity_id) or {})["properties"]
    return {part: properties[part] for part in ("principalId", "clientId")}


def _make_principal(call: Call) -> str:
    object_id = str(uuid.uuid4())
    principal = managed_identity(object_id, str(uuid.uuid4()), call.id.name, call.id.text, explicit=False)
    call.cloud.store.put("servicePrincipal", object_id, principal)
    return object_id
