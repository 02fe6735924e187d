"""The directory's objects: how they are read, made, changed and removed.

Sources: learn.microsoft.com/graph/api/{user,group,application,serviceprincipal}-post-*, and the errors that the
azuread provider of Terraform handles.
"""

import copy
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.azure import clock
from sandbox.azure.access.tenant import object_id, service_principal
from sandbox.azure.cloud import Cloud
from sandbox.azure.front.errors import AzureError
from sandbox.azure.identity.graph.query import Document, bad_request, not_found

GUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
FIXED = frozenset(
    {"id", "appId", "createdDateTime", "passwordCredentials", "members", "owners", "servicePrincipalType"}
)


@dataclass(frozen=True)
class EntitySet:
    """A set of objects in the directory.

    Attributes:
        name: In paths, such as `users`.
        kind: The store's kind, and Graph's type without its namespace.
        required: What a new one must have.
        alternate: A field that names one as well as the id: in `users/NAME`, or `applications(appId='...')`.
    """

    name: str
    kind: str
    required: tuple[str, ...]
    alternate: str

    @property
    def odata_type(self) -> str:
        """Such as `#microsoft.graph.user`."""
        return f"#microsoft.graph.{self.kind}"


USERS = EntitySet(
    "users",
    "user",
    ("accountEnabled", "displayName", "mailNickname", "passwordProfile", "userPrincipalName"),
    "userPrincipalName",
)
GROUPS = EntitySet("groups", "group", ("displayName", "mailEnabled", "mailNickname", "securityEnabled"), "")
APPLICATIONS = EntitySet("applications", "application", ("displayName",), "appId")
PRINCIPALS = EntitySet("servicePrincipals", "servicePrincipal", ("appId",), "appId")
SETS = {entities.name.lower(): entities for entities in (USERS, GROUPS, APPLICATIONS, PRINCIPALS)}


def find(cloud: Cloud, entities: EntitySet, name: str) -> Document:
    """The object of this id; a user also by principal name.

    Raises:
        AzureError: 404.
    """
    entity = cloud.store.get(entities.kind, name.lower())
    if entity is None and entities is USERS:
        entity = by_key(cloud, entities, name)
    if entity is None:
        raise not_found(name)
    return entity


def by_key(cloud: Cloud, entities: EntitySet, value: str) -> Document | None:
    """The object whose alternate key this is, or None."""
    key = entities.alternate
    return next((entity for entity in cloud.store.list(entities.kind) if entity[key].lower() == value.lower()), None)


def any_entity(cloud: Cloud, name: str) -> tuple[EntitySet, Document]:
    """The object of this id and the set that it is in.

    Raises:
        AzureError: 404.
    """
    for entities in SETS.values():
        entity = cloud.store.get(entities.kind, name.lower())
        if entity is not None:
            return entities, entity
    raise not_found(name)


def any_object(cloud: Cloud, name: str) -> Document:
    """The object of this id, of whatever set, with its `@odata.type`.

    Raises:
        AzureError: 404.
    """
    entities, entity = any_entity(cloud, name)
    return {"@odata.type": entities.odata_type, **entity}


def objects(cloud: Cloud, ids: list[str]) -> Iterator[Document]:
    """The existing objects of these ids, with their types."""
    for name in ids:
        try:
            yield any_object(cloud, name)
        except AzureError:
            continue


def create(cloud: Cloud, entities: EntitySet, body: Document, creator: str) -> Document:
    """Makes an object.

    Args:
        cloud: Where.
        entities: In which set.
        body: Graph's body.
        creator: Object id of who becomes a group's or an application's owner.

    Raises:
        AzureError: 400 for a missing or wrong property, 409 for a key that is taken.
    """
    for name in entities.required:
        if body.get(name) in (None, ""):
            raise bad_request(f"A value is required for property '{name}' of resource '{entities.kind.capitalize()}'.")
    check_values(body)
    makers = {"user": _user, "group": _group, "application": _application, "servicePrincipal": _principal}
    made = makers[entities.kind](cloud, body, creator)
    cloud.store.put(entities.kind, made["id"], made)
    return made


def change(cloud: Cloud, entities: EntitySet, entity: Document, body: Document) -> None:
    """Changes an object.

    Raises:
        AzureError: 400, for what cannot be changed.
    """
    fixed = sorted(FIXED & body.keys())
    if fixed:
        raise bad_request(f"Property '{fixed[0]}' is read-only and cannot be set.")
    check_values(body)
    changes = {name: value for name, value in body.items() if "@odata" not in name}
    cloud.store.put(entities.kind, entity["id"], {**entity, **changes})


def remove(cloud: Cloud, entities: EntitySet, entity: Document) -> None:
    """Removes an object from its set, from all groups, and an application's service principal with it.

    Raises:
        AzureError: 403 for a managed identity's service principal: it goes with its identity.
    """
    if entity.get("servicePrincipalType") == "ManagedIdentity":
        raise denied()
    with cloud.store.transaction():
        gone = {entity["id"]}
        if entities is APPLICATIONS:
            principal = by_key(cloud, PRINCIPALS, entity["appId"])
            if principal is not None:
                cloud.store.delete(PRINCIPALS.kind, principal["id"])
                gone.add(principal["id"])
        cloud.store.delete(entities.kind, entity["id"])
        for group in list(cloud.store.list("group")):
            left = {part: [member for member in group[part] if member not in gone] for part in ("members", "owners")}
            if any(left[part] != group[part] for part in left):
                cloud.store.put("group", group["id"], {**group, **left})


def denied() -> AzureError:
    """The refusal for a caller without the right, 403, in Graph's words."""
    return AzureError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def check_values(body: Document) -> None:
    """Checks the types of the main properties.

    Raises:
        AzureError: 400.
    """
    wanted = {
        "displayName": str,
        "mailNickname": str,
        "userPrincipalName": str,
        "description": str,
        "appId": str,
        "mailEnabled": bool,
        "securityEnabled": bool,
        "accountEnabled": bool,
        "groupTypes": list,
        "identifierUris": list,
        "tags": list,
    }
    for name, kind in wanted.items():
        if body.get(name) is not None and not isinstance(body[name], kind):
            raise bad_request(f"Invalid value specified for property '{name}': it must be a {kind.__name__}.")


def references(body: Document, name: str) -> list[str]:
    """Object ids of a body's `NAME@odata.bind`.

    Raises:
        AzureError: 400.
    """
    return [reference(address) for address in body.get(f"{name}@odata.bind") or ()]


def reference(address: Any) -> str:
    """The object id at the end of an address such as `https://graph.microsoft.com/v1.0/directoryObjects/ID`.

    Raises:
        AzureError: 400.
    """
    name = str(address).rstrip("/").rsplit("/", 1)[-1].lower()
    if not GUID.fullmatch(name):
        raise bad_request(f"Invalid URL format specified in payload: '{address}'.")
    return name


def _user(cloud: Cloud, body: Document, creator: str) -> Document:
    name = body["userPrincipalName"]
    if by_key(cloud, USERS, name) is not None:
        raise taken("userPrincipalName")
    given = {part: value for part, value in body.items() if part != "passwordProfile"}
    return {"id": object_id(name), "mail": None, "userType": "Member", **given}


def _group(cloud: Cloud, body: Document, creator: str) -> Document:
    if not body["securityEnabled"] and not body["mailEnabled"]:
        raise bad_request("A group must be securityEnabled or mailEnabled.")
    if body["mailEnabled"] and "Unified" not in (body.get("groupTypes") or ()):
        raise bad_request(
            "The service does not currently support writes of mail-enabled groups. Please ensure that the "
            "mail-enablement "
            "property is unset and the security-enablement property is set."
        )
    members, owners = references(body, "members"), references(body, "owners") or [creator]
    for name in (*members, *owners):
        any_object(cloud, name)
    given = {name: value for name, value in copy.deepcopy(body).items() if "@odata" not in name}
    return {
        "id": str(uuid.uuid4()),
        "createdDateTime": now(),
        "description": None,
        "groupTypes": [],
        "isAssignableToRole": None,
        "mail": None,
        "visibility": None,
        **given,
        "members": members,
        "owners": owners,
    }


def _application(cloud: Cloud, body: Document, creator: str) -> Document:
    owners = references(body, "owners") or [creator]
    given = {name: value for name, value in copy.deepcopy(body).items() if "@odata" not in name and name not in FIXED}
    return {
        "id": str(uuid.uuid4()),
        "appId": str(uuid.uuid4()),
        "createdDateTime": now(),
        "publisherDomain": cloud.seed["domain"],
        "signInAudience": "AzureADMyOrg",
        "identifierUris": [],
        "keyCredentials": [],
        "appRoles": [],
        "requiredResourceAccess": [],
        "tags": [],
        **given,
        "passwordCredentials": [],
        "owners": owners,
    }


def _principal(cloud: Cloud, body: Document, creator: str) -> Document:
    application = by_key(cloud, APPLICATIONS, body["appId"])
    if application is None:
        raise bad_request(
            f"When using this permission, the backing application of the service principal being created must in the "
            "local "
            f"tenant: there is no application '{body['appId']}'."
        )
    if by_key(cloud, PRINCIPALS, body["appId"]) is not None:
        raise AzureError(
            409,
            "Request_MultipleObjectsWithSameKeyValue",
            "The service principal cannot be created, updated, or restored because the service principal name "
            f"{body['appId']} is already in use.",
        )
    given = {name: value for name, value in copy.deepcopy(body).items() if "@odata" not in name and name not in FIXED}
    fields = {
        "id": str(uuid.uuid4()),
        "appOwnerOrganizationId": cloud.seed["tenantId"],
        "servicePrincipalNames": [application["appId"], *application["identifierUris"]],
        "signInAudience": application["signInAudience"],
        **given,
        "servicePrincipalType": "Application",
        "passwordCredentials": [],
        "owners": references(body, "owners"),
    }
    return {**service_principal(application["appId"], application["displayName"]), **fields}


def taken(name: str) -> AzureError:
    """The refusal of a value that another object has already, 400, for a property that must be unique."""
    return bad_request(f"Another object with the same value for property {name} already exists.")


def now() -> str:
    """The time now, as Graph writes times."""
    return written(clock.now())


def written(time: datetime) -> str:
    """A time in UTC as Graph writes it: whole seconds and `Z`."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
