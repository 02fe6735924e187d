"""Who may use a vault's secrets: by role assignments or access policies, and from which network.

Sources: learn.microsoft.com/azure/key-vault/general/rbac-guide, .../authentication-requests-and-responses,
.../network-security.
"""

from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from sandbox.azure.access.tokens import Caller
from sandbox.azure.activity.record import note_missing
from sandbox.azure.cloud import Cloud
from sandbox.azure.front.errors import AzureError
from sandbox.azure.front.request import Request
from sandbox.azure.keyvault.errors import VaultError
from sandbox.azure.keyvault.secrets import Vault
from sandbox.azure.privatelink import reaches

AUDIENCE = "https://vault.azure.net"


@dataclass(frozen=True)
class Right:
    """The right that an operation needs: a data action (below `Microsoft.KeyVault/vaults`), or an access policy's."""

    action: str
    permission: str


GET = Right("secrets/getSecret/action", "get")
SET = Right("secrets/setSecret/action", "set")
UPDATE = Right("secrets/update/action", "set")
LIST = Right("secrets/readMetadata/action", "list")
GET_DELETED = Right("secrets/readMetadata/action", "get")
DELETE = Right("secrets/delete", "delete")
RECOVER = Right("secrets/recover/action", "recover")
PURGE = Right("secrets/purge/action", "purge")


def authenticate(cloud: Cloud, authorization: str | None) -> Caller:
    """The caller that the token names.

    Raises:
        VaultError: 401, with the challenge that tells a client where to get one.
    """
    tenant = cloud.tokens.tenant_id
    challenge = f'Bearer authorization="https://login.microsoftonline.com/{tenant}", resource="{AUDIENCE}"'
    if not authorization:
        text = "AKV10000: Request is missing a Bearer or PoP token."
        raise VaultError(401, "Unauthorized", text, headers={"WWW-Authenticate": challenge})
    try:
        return cloud.tokens.check(authorization, AUDIENCE)
    except AzureError as error:
        text = f"AKV10022: The token is not valid for this vault: {error.message}"
        raise VaultError(401, "Unauthorized", text, headers={"WWW-Authenticate": challenge}) from error


def check_network(cloud: Cloud, vault: Vault, request: Request, caller: Caller) -> None:
    """Refuses a client that the vault's network rules keep out.

    Raises:
        VaultError: 403 ForbiddenByConnection or ForbiddenByFirewall.
    """
    if reaches(cloud.store, request.network, vault.id, "vault"):
        return
    rules = vault.properties.get("networkAcls") or {}
    if str(vault.properties.get("publicNetworkAccess", "")).lower() == "disabled":
        text = (
            "Public network access is disabled and request is not from a trusted service nor via an approved private "
            "link."
        )
        raise _forbidden(vault, caller, text, "ForbiddenByConnection")
    if rules.get("defaultAction") != "Deny":
        return
    allowed = [rule["value"] for rule in rules.get("ipRules") or []]
    if not any(ip_address(request.client) in ip_network(value, strict=False) for value in allowed):
        text = (
            f"Client address is not authorized and caller is not a trusted service.\r\nClient address: {request.client}"
        )
        raise _forbidden(vault, caller, text, "ForbiddenByFirewall")


def require(cloud: Cloud, vault: Vault, caller: Caller, right: Right, secret: str) -> None:
    """Refuses what the caller's roles, or the vault's access policies, do not allow.

    Args:
        cloud: The local Azure.
        vault: The vault.
        caller: Who calls.
        right: What the operation needs.
        secret: The secret's name; empty for all.

    Raises:
        VaultError: 403 ForbiddenByRbac or AccessDenied.
    """
    if not vault.properties.get("enableRbacAuthorization"):
        _require_policy(vault, caller, right)
        return
    scope = f"{vault.id}/secrets/{secret}" if secret else vault.id
    action = f"Microsoft.KeyVault/vaults/{right.action}"
    if cloud.access.allows(caller.object_id, action, scope, data=True):
        return
    note_missing((action,), scope, data=True)
    text = (
        "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role "
        "definitions were changed recently, please observe propagation time."
    )
    asked = f"\r\nAction: '{action}'\r\nResource: '{scope.lower()}'\r\nAssignment: (not found)"
    raise _forbidden(vault, caller, text, "ForbiddenByRbac", asked)


def _require_policy(vault: Vault, caller: Caller, right: Right) -> None:
    for policy in vault.properties.get("accessPolicies") or []:
        given = {str(permission).lower() for permission in (policy.get("permissions") or {}).get("secrets") or []}
        if policy.get("objectId") == caller.object_id and given & {right.permission, "all"}:
            return
    text = f"The caller does not have secrets {right.permission} permission on key vault '{vault.name}'."
    raise _forbidden(vault, caller, text, "AccessDenied")


def _forbidden(vault: Vault, caller: Caller, text: str, inner: str, asked: str = "") -> VaultError:
    who = f"\r\nCaller: appid={caller.client_id};oid={caller.object_id}"
    where = f"\r\nVault: {vault.name};location={vault.resource.get('location', '')}"
    return VaultError(403, "Forbidden", f"{text}{who}{asked}{where}", inner=inner)
