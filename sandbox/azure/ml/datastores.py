"""Datastores: where a workspace's data lies, and with which credential it is reached."""

import copy
import re
import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from starlette.responses import Response

from sandbox.azure import clock
from sandbox.azure.arm.core import Action, Body, Call, ResourceType, Rule
from sandbox.azure.cloud import Cloud
from sandbox.azure.front.errors import AzureError
from sandbox.azure.ml.errors import UserError, not_found
from sandbox.azure.ml.names import WORKSPACES, workspace_id
from sandbox.azure.ml.scope import told_from, written
from sandbox.azure.sealed import seal, unseal
from sandbox.azure.storage import accounts, containers, sas

TYPE = f"{WORKSPACES}/datastores"
SECRETS = "datastoreSecret"
DEFAULT = "workspaceblobstore"
ARTIFACT_STORE = "workspaceartifactstore"
SERVICE = "Azure Machine Learning"
"""Who made the datastores that every workspace has."""
# By type: the properties that it must have.
REQUIRED = {
    "AzureBlob": ("accountName", "containerName"),
    "AzureDataLakeGen2": ("accountName", "filesystem"),
    "AzureFile": ("accountName", "fileShareName"),
}
# By credential: what it must have beside its secret, and the secret's name.
CREDENTIALS: dict[str, tuple[tuple[str, ...], str]] = {
    "None": ((), ""),
    "AccountKey": ((), "key"),
    "Sas": ((), "sasToken"),
    "ServicePrincipal": (("clientId", "tenantId"), "clientSecret"),
}


DEFAULTS: Body = {
    "description": None,
    "tags": None,
    "properties": None,
    "subscriptionId": None,
    "resourceGroup": None,
    "protocol": "https",
    "endpoint": "core.windows.net",
    "serviceDataAccessAuthIdentity": "None",
}
WITH_INTELLECTUAL_PROPERTY = ("2023-04-01-preview", "2023-06-01-preview")
SAS_PERMISSIONS = "rcuwdl"  # of the signature that stands for a key
LONGEST_HOURS = 72


class Datastore(ResourceType):
    """`…/workspaces/datastores`. Secrets go in with the resource and come out of `listSecrets` only."""

    type: ClassVar[str] = TYPE
    system_data: ClassVar[bool] = True
    tracked: ClassVar[bool] = False
    name_pattern: ClassVar[re.Pattern[str]] = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9\-_]{0,254}")
    name_error: ClassVar[tuple[str, str]] = (
        "ValidationError",
        "Datastore name '{name}' is invalid: it must be 1 to 255 letters, digits, '-' or '_', and start with a letter "
        "or digit.",
    )

    fields: ClassVar[Mapping[str, Rule]] = {
        "properties.datastoreType": frozenset(REQUIRED),
        "properties.credentials.credentialsType": frozenset(CREDENTIALS),
        "properties.credentials.secrets": dict,
        **{f"properties.{key}": str for keys in REQUIRED.values() for key in keys},
    }

    @property
    def actions(self) -> dict[str, Action]:
        """POST actions."""
        return {"listsecrets": self._list_secrets}

    def listed(self, call: Call, found: list[Body]) -> Body:
        """The workspace's: the default one by `isDefault=true`, some by `names` or by `searchText` in their name.

        `orderByAsc=false` puts the newest first.
        """
        if call.query.get("isDefault", "").lower() == "true":
            found = [one for one in found if one["properties"]["isDefault"]]
        wanted = call.query.get("names", "")
        if wanted:
            found = [one for one in found if one["name"] in wanted.split(",")]
        text = call.query.get("searchText", "")
        found = [one for one in found if text.lower() in one["name"].lower()]
        if "orderByAsc" in call.query:
            newest = call.query["orderByAsc"].lower() == "false"
            found = sorted(found, key=lambda one: str(one["systemData"]["createdAt"]), reverse=newest)
        return super().listed(call, found)

    def missing(self, call: Call) -> AzureError:
        """404 of the workspace's services."""
        refusal = not_found(f"Datastore '{call.id.name}'")
        refusal.region = workspace_of(call)["location"]
        return refusal

    def present(self, call: Call, resource: Body) -> Body:
        """Adds what this version of the API has beside."""
        if call.api_version not in WITH_INTELLECTUAL_PROPERTY:
            return resource
        return {**resource, "properties": {**resource["properties"], "intellectualProperty": None}}

    def response(self, call: Call, resource: Body, *, created: bool) -> Response:
        """A new one is at its own address."""
        return written(call, self.present(call, resource), 201 if created else 200)

    def validate(self, call: Call, old: Body | None) -> None:
        """Refuses an unknown type or credential, and what lacks a required property."""
        with told_from(workspace_of(call)):
            self._check(call, old)

    def _check(self, call: Call, old: Body | None) -> None:
        properties = call.body.get("properties") or {}
        kind = properties.get("datastoreType")
        if kind not in REQUIRED:
            raise _invalid("datastoreType", f"'{kind}' is not one of {', '.join(REQUIRED)}.")
        for key in REQUIRED[kind]:
            if not properties.get(key):
                raise _invalid(key, f"A datastore of type {kind} needs it.")
        credentials = properties.get("credentials") or {}
        credential = credentials.get("credentialsType")
        if credential not in CREDENTIALS:
            raise _invalid("credentials.credentialsType", f"'{credential}' is not one of {', '.join(CREDENTIALS)}.")
        for key in CREDENTIALS[credential][0]:
            if not credentials.get(key):
                raise _invalid(f"credentials.{key}", f"Credentials of type {credential} need it.")
        self._secret_present(call, credentials, old)
        if old is not None and old["properties"]["datastoreType"] != kind:
            raise _invalid("datastoreType", "The type of an existing datastore cannot be changed.")

    @staticmethod
    def _secret_present(call: Call, credentials: Body, old: Body | None) -> None:
        name = CREDENTIALS[credentials["credentialsType"]][1]
        kept = old is not None and call.cloud.store.get(SECRETS, call.id.key) is not None
        if name and not (credentials.get("secrets") or {}).get(name) and not kept:
            raise _invalid(f"credentials.secrets.{name}", "The datastore needs its secret.")

    def prepare(self, call: Call, old: Body | None) -> Body:
        """The body without its secret, with defaults."""
        body = copy.deepcopy(call.body)
        properties = body["properties"]
        properties["credentials"].pop("secrets", None)
        for key, value in DEFAULTS.items():
            properties.setdefault(key, value)
        properties["isDefault"] = bool(old and old["properties"]["isDefault"])
        return body

    def stored(self, call: Call, resource: Body, old: Body | None) -> None:
        """Seals the secret apart from the resource."""
        credentials = (call.body.get("properties") or {}).get("credentials") or {}
        name = CREDENTIALS[credentials["credentialsType"]][1]
        secret = (credentials.get("secrets") or {}).get(name) if name else None
        if secret:
            sealed = seal(call.cloud.directory, secret)
            call.cloud.store.put(SECRETS, call.id.key, {"sealed": sealed})
        elif not name:
            call.cloud.store.delete(SECRETS, call.id.key)

    def deleted(self, call: Call, resource: Body) -> None:
        """Removes the datastore's secret."""
        call.cloud.store.delete(SECRETS, resource["id"].lower())

    @staticmethod
    def _list_secrets(call: Call, resource: Body) -> Body:
        """The secret; where an expirable one is asked for, a signature in the place of an account's key.

        The artifact store gives its key always: azure-ai-ml 1.35 asks for an expirable secret there, too, and signs
        the addresses of logs with it, which a signature cannot do. What the service answers there is not recorded.
        """
        credential = resource["properties"]["credentials"]["credentialsType"]
        with told_from(workspace_of(call)):
            if credential == "None":
                raise UserError(400, "No secrets for credentials of type None.")
            found = secret(call.cloud, resource)
            expirable = call.body.get("expirableSecret") and resource["name"] != ARTIFACT_STORE
            if credential == "AccountKey" and expirable:
                return {"secretsType": "Sas", "sasToken": f"?{_signature(call, resource, found)}"}
        return {"secretsType": credential, CREDENTIALS[credential][1]: found}


def _signature(call: Call, resource: Body, key: str) -> str:
    hours = call.body.get("expireAfterHours") or 1
    if not isinstance(hours, int) or not 0 < hours <= LONGEST_HOURS:
        raise UserError(400, f"expireAfterHours must be from 1 to {LONGEST_HOURS}, not {hours}.", "BadArgument")
    return sas.sign_account_sas(
        resource["properties"]["accountName"],
        key,
        permissions=SAS_PERMISSIONS,
        expires=clock.real() + timedelta(hours=hours),
        resource_types="co",
        services="bf",
    )


def workspace_of(call: Call) -> Body:
    """The workspace that a call is below."""
    return call.resource(workspace_id(call.id.text)) or {"location": "sandbox"}


def container_of(datastore: Body) -> str | None:
    """The container or file system that a datastore names; None for one of another type."""
    properties = datastore["properties"]
    found: str | None = properties.get("containerName") or properties.get("filesystem")
    return found


def secret(cloud: Cloud, resource: Body) -> str:
    """A datastore's secret in clear: what was given, or the account's key for one that the workspace made.

    Raises:
        AzureError: The secret or the account is gone.
    """
    kept = cloud.store.get(SECRETS, resource["id"].lower())
    if kept is not None:
        return unseal(cloud.directory, kept["sealed"])
    try:
        return accounts.keys(cloud, resource["properties"]["accountName"])[0]
    except KeyError as error:
        raise UserError(400, f"Storage account '{error.args[0]}' does not exist.", "BadArgument") from error


def ensure_container(cloud: Cloud, account: str, name: str) -> None:
    """Makes a container unless it is there."""
    if containers.get(cloud, account, name) is None:
        containers.create(cloud, account, name)


def make_defaults(call: Call, workspace: Body) -> None:
    """The four datastores that a workspace has from the start, and their containers."""
    properties = workspace["properties"]
    account = properties["storageAccount"].rsplit("/", 1)[-1]
    unique = properties["workspaceId"]
    by_key = properties["systemDatastoresAuthMode"] == "AccessKey"
    defaults: dict[str, Body] = {
        DEFAULT: {"datastoreType": "AzureBlob", "containerName": f"azureml-blobstore-{unique}"},
        ARTIFACT_STORE: {"datastoreType": "AzureBlob", "containerName": "azureml"},
        "workspacefilestore": {"datastoreType": "AzureFile", "fileShareName": f"azureml-filestore-{unique}"},
        "workspaceworkingdirectory": {"datastoreType": "AzureFile", "fileShareName": f"code-{uuid.uuid4()}"},
    }
    for name, own in defaults.items():
        if "containerName" in own:
            ensure_container(call.cloud, account, own["containerName"])
        _put_default(call, workspace, name, {"accountName": account, **own}, by_key=by_key)


def _put_default(call: Call, workspace: Body, name: str, own: dict[str, Any], *, by_key: bool) -> None:
    parts = workspace["properties"]["storageAccount"].split("/")
    datastore_id, time = f"{workspace_id(workspace['id'])}/datastores/{name}", clock.now().isoformat()
    place = {
        "subscriptionId": parts[2],
        "resourceGroup": parts[4],
        "serviceDataAccessAuthIdentity": "WorkspaceSystemAssignedIdentity",
    }
    body = {
        "id": datastore_id,
        "name": name,
        "type": TYPE,
        "properties": {
            **DEFAULTS,
            "isDefault": name == DEFAULT,
            "credentials": {"credentialsType": "AccountKey" if by_key else "None"},
            **(place if name == DEFAULT else {}),
            **own,
        },
        "systemData": {
            "createdAt": time,
            "lastModifiedAt": time,
            "lastModifiedBy": SERVICE,
            "lastModifiedByType": "Application",
        },
    }
    call.cloud.store.put("resource", datastore_id.lower(), body)


def _invalid(target: str, text: str) -> AzureError:
    return UserError(400, f"properties.{target}: {text}", "BadArgument", target=f"properties.{target}")
