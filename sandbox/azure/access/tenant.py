"""The tenant as it is before anybody changes it: the seed file's users, groups, role assignments and clients.

Documents, by object id: `user`, `group` (with `members`), `application`, `servicePrincipal`, as Graph shows them;
fields that Graph never shows begin with `_`.
"""

import json
import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.azure.access.rbac import built_in_roles
from sandbox.azure.store import Store
from terminal import write_whole

PERSONAS = "personas.json"
SECRET_BYTES = 32
COSMOS_DB = "a232010e-820c-4083-83bb-3ace5fc29d0b"
GRAPH = "00000003-0000-0000-c000-000000000000"
APPLICATIONS = {COSMOS_DB: "Azure Cosmos DB", GRAPH: "Microsoft Graph"}
"""Microsoft's own applications that are in every tenant: names by client id."""
MICROSOFT = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"
"""The tenant of Microsoft's own applications."""


@dataclass(frozen=True)
class Persona:
    """A client whose tokens are a user's.

    Real Azure has no such thing: there a person signs in with a browser. Here a person's shell gets a client id and a
    secret, so that clients sign in without one.

    Attributes:
        name: Such as `scientist`.
        user: The user principal name.
        client_id: The client's id.
        secret: The client's secret.
    """

    name: str
    user: str
    client_id: str
    secret: str


def object_id(name: str) -> str:
    """The id of a seeded user (by user principal name) or group (by display name), the same in every sandbox."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name.lower()))


def load_personas(directory: Path, seed: dict[str, Any]) -> dict[str, Persona]:
    """The personas with their secrets, made at the first call and kept in `personas.json`, readable by the owner only.

    Raises:
        OSError: The folder cannot be written.
    """
    path = directory / PERSONAS
    stored = json.loads(path.read_bytes()) if path.exists() else {}
    personas = {name: Persona(name, user, *_credentials(stored.get(name))) for name, user in seed["personas"].items()}
    wanted = {
        name: {"clientId": persona.client_id, "clientSecret": persona.secret} for name, persona in personas.items()
    }
    if wanted != stored:
        write_whole(path, json.dumps(wanted, indent=1).encode(), private=True)
    return personas


def _credentials(stored: dict[str, str] | None) -> tuple[str, str]:
    if stored is not None:
        return stored["clientId"], stored["clientSecret"]
    return str(uuid.uuid4()), secrets.token_urlsafe(SECRET_BYTES)


def seed_tenant(store: Store, seed: dict[str, Any]) -> None:
    """Writes the seed's users, groups and role assignments into a store that has none."""
    if next(iter(store.list("user")), None) is not None:
        return
    with store.transaction():
        for user in seed["users"]:
            made = _user(user)
            store.put("user", made["id"], made)
        for group in seed["groups"]:
            made = _group(group)
            store.put("group", made["id"], made)
        for app_id, name in APPLICATIONS.items():
            made = service_principal(
                app_id, name, appOwnerOrganizationId=MICROSOFT, signInAudience="AzureADMultipleOrgs"
            )
            store.put("servicePrincipal", made["id"], made)
        for subscription in seed["subscriptions"]:
            for assignment in seed["roleAssignments"]:
                _assign(store, f"/subscriptions/{subscription['id']}", assignment)


def service_principal(app_id: str, name: str, **fields: Any) -> dict[str, Any]:
    """A service principal as Graph shows it.

    Args:
        app_id: The client id.
        name: The display name.
        fields: What differs from an application of this tenant; `id` defaults to one made from the client id.
    """
    return {
        "id": object_id(app_id),
        "appId": app_id,
        "displayName": name,
        "appDisplayName": name,
        "accountEnabled": True,
        "alternativeNames": [],
        "appRoles": [],
        "keyCredentials": [],
        "passwordCredentials": [],
        "servicePrincipalNames": [app_id],
        "servicePrincipalType": "Application",
        "signInAudience": "AzureADMyOrg",
        "tags": [],
        "owners": [],
        **fields,
    }


def managed_identity(
    principal_id: str, client_id: str, name: str, resource_id: str, *, explicit: bool
) -> dict[str, Any]:
    """The service principal of a managed identity.

    Args:
        principal_id: Its object id.
        client_id: Its client id.
        name: The name of the identity, or of the resource whose system identity it is.
        resource_id: The id of that identity or resource.
        explicit: Whether it is a user-assigned identity.
    """
    return service_principal(
        client_id,
        name,
        id=principal_id,
        appDisplayName=None,
        alternativeNames=[f"isExplicit={explicit}", resource_id],
        servicePrincipalType="ManagedIdentity",
        signInAudience=None,
    )


def register_personas(store: Store, personas: Iterable[Persona]) -> None:
    """Gives each persona's client its service principal: whoever signs in by client credentials has one."""
    for persona in personas:
        principal = service_principal(persona.client_id, f"sandbox persona {persona.name}")
        if store.get("servicePrincipal", principal["id"]) is None:
            store.put("servicePrincipal", principal["id"], principal)


def _user(user: dict[str, Any]) -> dict[str, Any]:
    name = user["userPrincipalName"]
    return {
        "id": user.get("objectId") or object_id(name),
        "userPrincipalName": name,
        "displayName": user["displayName"],
        "mail": name,
        "mailNickname": name.split("@")[0],
        "accountEnabled": True,
        "userType": "Member",
        "businessPhones": [],
        "givenName": None,
        "jobTitle": None,
        "mobilePhone": None,
        "officeLocation": None,
        "preferredLanguage": None,
        "surname": None,
    }


def _group(group: dict[str, Any]) -> dict[str, Any]:
    name = group["displayName"]
    return {
        "id": group.get("objectId") or object_id(name),
        "displayName": name,
        "description": None,
        "mailEnabled": False,
        "mailNickname": name,
        "securityEnabled": True,
        "groupTypes": [],
        "isAssignableToRole": None,
        "visibility": None,
        "members": [object_id(member) for member in group["members"]],
        "owners": [],
    }


def _assign(store: Store, scope: str, assignment: dict[str, str]) -> None:
    guid = next(guid for guid, role in built_in_roles().items() if role["roleName"] == assignment["role"])
    principal = object_id(assignment["user"])
    name = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{scope}|{principal}|{guid}"))
    resource_id = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"
    properties = {
        "roleDefinitionId": f"{scope}/providers/Microsoft.Authorization/roleDefinitions/{guid}",
        "principalId": principal,
        "principalType": "User",
        "scope": scope,
    }
    body = {
        "id": resource_id,
        "name": name,
        "type": "Microsoft.Authorization/roleAssignments",
        "properties": properties,
    }
    store.put("roleAssignment", resource_id.lower(), body)
