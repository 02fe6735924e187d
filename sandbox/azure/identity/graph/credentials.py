"""Secrets of applications and service principals, and the federated identities that applications trust.

Sources: learn.microsoft.com/graph/api/application-addpassword, application-post-federatedidentitycredentials.
"""

import hashlib
import secrets
import uuid
from datetime import UTC, datetime, timedelta

from sandbox.azure import clock
from sandbox.azure.cloud import Cloud
from sandbox.azure.front.errors import AzureError
from sandbox.azure.identity.graph.objects import EntitySet, now, written
from sandbox.azure.identity.graph.query import BASE, Document, bad_request, not_found

SECRET_BYTES = 30
LIFETIME = timedelta(days=730)
MOST_FEDERATED = 20  # learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations
FEDERATED_REQUIRED = ("name", "issuer", "subject", "audiences")


def secret_hash(secret: str) -> str:
    """The hash of a secret, which is all that is kept. Secrets are long and random, so a plain hash reveals nothing."""
    return hashlib.sha256(secret.encode()).hexdigest()


def add_password(cloud: Cloud, entities: EntitySet, entity: Document, body: Document) -> Document:
    """Makes a secret; only this answer shows it.

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
        "startDateTime": _time(asked.get("startDateTime"), clock.now()),
        "endDateTime": _time(asked.get("endDateTime"), clock.now() + LIFETIME),
        "keyId": str(uuid.uuid4()),
        "hint": text[:3],
    }
    credentials = [*entity["passwordCredentials"], {**credential, "secretText": None, "_hash": secret_hash(text)}]
    cloud.store.put(entities.kind, entity["id"], {**entity, "passwordCredentials": credentials})
    return {"@odata.context": f"{BASE}/$metadata#microsoft.graph.passwordCredential", **credential, "secretText": text}


def remove_password(cloud: Cloud, entities: EntitySet, entity: Document, body: Document) -> None:
    """Removes a secret.

    Raises:
        AzureError: 400, for an unknown key id.
    """
    left = [
        credential
        for credential in entity["passwordCredentials"]
        if credential["keyId"] != str(body.get("keyId")).lower()
    ]
    if len(left) == len(entity["passwordCredentials"]):
        raise bad_request("No password credential found with keyId.")
    cloud.store.put(entities.kind, entity["id"], {**entity, "passwordCredentials": left})


def _time(given: object, default: datetime) -> str:
    """ISO 8601 in UTC with `Z`, as Graph writes times; such texts compare as times do."""
    if given is None:
        return written(default)
    try:
        return written(datetime.fromisoformat(str(given)).astimezone(UTC))
    except ValueError as error:
        raise bad_request(f"Invalid value specified for property 'dateTime': '{given}'.") from error


def federated(application: Document) -> list[Document]:
    """The identities that the application trusts."""
    return list(application.get("_federated", ()))


def find_federated(application: Document, name: str) -> Document:
    """A federated credential, by id or name.

    Raises:
        AzureError: 404.
    """
    for credential in federated(application):
        if name.lower() in (credential["id"], credential["name"].lower()):
            return credential
    raise not_found(name)


def add_federated(cloud: Cloud, application: Document, body: Document) -> Document:
    """Adds a federated credential: the application then trusts an issuer's subject.

    Raises:
        AzureError: 400 for a missing property, and where the application has the most credentials already. 409 for a
            name, or an issuer with subject, that another of its credentials has.
    """
    for name in FEDERATED_REQUIRED:
        if not body.get(name):
            raise bad_request(f"A value is required for property '{name}' of resource 'FederatedIdentityCredential'.")
    trusted = federated(application)
    if len(trusted) >= MOST_FEDERATED:
        raise bad_request(f"An application has at most {MOST_FEDERATED} federated identity credentials.")
    for other in trusted:
        if other["name"] == body["name"] or (other["issuer"], other["subject"]) == (body["issuer"], body["subject"]):
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
    _save(cloud, application, [*trusted, made])
    return made


def change_federated(cloud: Cloud, application: Document, credential: Document, body: Document) -> None:
    """Changes a federated credential; its name never changes.

    Raises:
        AzureError: 400, for another name.
    """
    if body.get("name", credential["name"]) != credential["name"]:
        raise bad_request("Property 'name' is read-only and cannot be set.")
    changed = {**credential, **{name: value for name, value in body.items() if name in credential and name != "id"}}
    _save(
        cloud, application, [changed if other["id"] == credential["id"] else other for other in federated(application)]
    )


def remove_federated(cloud: Cloud, application: Document, credential: Document) -> None:
    """Removes a federated credential."""
    _save(cloud, application, [other for other in federated(application) if other["id"] != credential["id"]])


def _save(cloud: Cloud, application: Document, trusted: list[Document]) -> None:
    stored = cloud.store.get("application", application["id"]) or application
    cloud.store.put("application", application["id"], {**stored, "_federated": trusted, "updatedDateTime": now()})
