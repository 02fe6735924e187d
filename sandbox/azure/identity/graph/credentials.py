"""Secrets of applications and service principals, and the federated identities that applications trust.

Sources: learn.microsoft.com/graph/api/application-addpassword, application-post-federatedidentitycredentials.
"""

import hashlib
import secrets
import uuid
from datetime import UTC, datetime, timedelta

from sandbox.azure.cloud import Cloud
from sandbox.azure.front.errors import AzureError
from sandbox.azure.identity.graph.objects import EntitySet, now
from sandbox.azure.identity.graph.query import BASE, Document, bad_request, not_found

SECRET_BYTES = 30
LIFETIME = timedelta(days=730)
MOST_FEDERATED = 20  # learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations
FEDERATED_REQUIRED = ("name", "issuer", "subject", "audiences")


def secret_hash(secret: str) -> str:
    """What is kept of a secret: it is long and random, so that a plain hash tells nothing of it."""
    return hashlib.sha256(secret.encode()).hexdigest()


def add_password(cloud: Cloud, entities: EntitySet, entity: Document, body: Document) -> Document:
    """A new secret, shown this once.

    Raises:
        AzureError: 400 for a date that is none, and for a managed identity, which has no secrets.
    """
    if entity.get("servicePrincipalType") == "ManagedIdentity":
        raise bad_request("A managed identity has no password credentials.")
    asked = body.get("passwordCredential") or {}
    text = secrets.token_urlsafe(SECRET_BYTES)
    credential = {
        "customKeyIdentifier": None,
        "displayName": asked.get("displayName"),
        "startDateTime": _time(asked.get("startDateTime"), datetime.now(UTC)),
        "endDateTime": _time(asked.get("endDateTime"), datetime.now(UTC) + LIFETIME),
        "keyId": str(uuid.uuid4()),
        "hint": text[:3],
    }
    kept = [*entity["passwordCredentials"], {**credential, "secretText": None, "_hash": secret_hash(text)}]
    cloud.store.put(entities.kind, entity["id"], {**entity, "passwordCredentials": kept})
    return {"@odata.context": f"{BASE}/$metadata#microsoft.graph.passwordCredential", **credential, "secretText": text}


def remove_password(cloud: Cloud, entities: EntitySet, entity: Document, body: Document) -> None:
    """Ends a secret.

    Raises:
        AzureError: 400, for an unknown key id.
    """
    left = [one for one in entity["passwordCredentials"] if one["keyId"] != str(body.get("keyId")).lower()]
    if len(left) == len(entity["passwordCredentials"]):
        raise bad_request("No password credential found with keyId.")
    cloud.store.put(entities.kind, entity["id"], {**entity, "passwordCredentials": left})


def _time(given: object, default: datetime) -> str:
    """ISO 8601 in UTC, so that texts compare as times do."""
    if given is None:
        return default.isoformat()
    try:
        return datetime.fromisoformat(str(given)).astimezone(UTC).isoformat()
    except ValueError as error:
        raise bad_request(f"Invalid value specified for property 'dateTime': '{given}'.") from error


def federated(application: Document) -> list[Document]:
    """The identities that the application trusts."""
    return list(application.get("_federated", ()))


def find_federated(application: Document, name: str) -> Document:
    """One of them, by id or name.

    Raises:
        AzureError: 404.
    """
    for one in federated(application):
        if name.lower() in (one["id"], one["name"].lower()):
            return one
    raise not_found(name)


def add_federated(cloud: Cloud, application: Document, body: Document) -> Document:
    """Trusts an issuer's subject.

    Raises:
        AzureError: 400 for a missing property or too many, 409 for a name or an issuer's subject that is there already.
    """
    for name in FEDERATED_REQUIRED:
        if not body.get(name):
            raise bad_request(f"A value is required for property '{name}' of resource 'FederatedIdentityCredential'.")
    kept = federated(application)
    if len(kept) >= MOST_FEDERATED:
        raise bad_request(f"An application has at most {MOST_FEDERATED} federated identity credentials.")
    for one in kept:
        if one["name"] == body["name"] or (one["issuer"], one["subject"]) == (body["issuer"], body["subject"]):
            raise AzureError(
                409,
                "Request_MultipleObjectsWithSameKeyValue",
                f"FederatedIdentityCredential with name {body['name']} already exists.",
            )
    made = {
        "id": str(uuid.uuid4()),
        "name": body["name"],
        "issuer": body["issuer"],
        "subject": body["subject"],
        "description": body.get("description"),
        "audiences": body["audiences"],
    }
    _save(cloud, application, [*kept, made])
    return made


def change_federated(cloud: Cloud, application: Document, one: Document, body: Document) -> None:
    """Carries a PATCH out; the name stays.

    Raises:
        AzureError: 400, for another name.
    """
    if body.get("name", one["name"]) != one["name"]:
        raise bad_request("Property 'name' is read-only and cannot be set.")
    changed = {**one, **{name: value for name, value in body.items() if name in one and name != "id"}}
    _save(cloud, application, [changed if other["id"] == one["id"] else other for other in federated(application)])


def remove_federated(cloud: Cloud, application: Document, one: Document) -> None:
    """Trusts it no longer."""
    _save(cloud, application, [other for other in federated(application) if other["id"] != one["id"]])


def _save(cloud: Cloud, application: Document, kept: list[Document]) -> None:
    stored = cloud.store.get("application", application["id"]) or application
    cloud.store.put("application", application["id"], {**stored, "_federated": kept, "updatedDateTime": now()})
