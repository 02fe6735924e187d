"""Datastores as version 1 of the API has them: what azureml-fsspec and mltable resolve `azureml://` addresses with.

Source: azureml-core 1.61 (its models DataStore, AzureStorage and ClientCredentials) and the requests that
azureml-dataprep-rslex 2.26 sends.
"""

from sandbox.azure.arm.core import Body
from sandbox.azure.ml.datastores import TYPE, container_of, secret
from sandbox.azure.ml.errors import not_found
from sandbox.azure.ml.plane.routing import Answer, Request, route
from sandbox.azure.ml.scope import Scope

READ = "datastores/read"
SECRETS = "datastores/listSecrets/action"
# Version 1 of the API names service principals so.
CREDENTIALS = {"ServicePrincipal": "ClientCredentials"}
OTHER_SECTIONS = ("azureDataLake", "azureSqlDatabase", "azurePostgreSql", "azureMySql", "hdfs", "glusterFs", "oneLake")


def _get(request: Request) -> Answer:
    name = request.names["name"]
    found = request.scope.get("resource", "datastores", name)
    if found is None:
        raise not_found(f"Datastore with name {name}")
    return _shown(request.scope, found)


def _default(request: Request) -> Answer:
    found = next((one for one in _all(request.scope) if one["properties"]["isDefault"]), None)
    if found is None:
        raise not_found("The default datastore")
    return _shown(request.scope, found)


def _list(request: Request) -> Answer:
    """All of the workspace's, or those that `dataStoreNames` names; with their secrets where `includeSecret` asks."""
    wanted = [one for one in request.query.get("dataStoreNames", "").split(",") if one]
    secrets = request.query.get("includeSecret", "true").lower() == "true"
    found = [one for one in _all(request.scope) if not wanted or one["name"] in wanted]
    return {"value": [_shown(request.scope, one, secrets=secrets) for one in found], "continuationToken": None}


def _all(scope: Scope) -> list[Body]:
    return [one for one in scope.list("resource", "datastores") if one["type"] == TYPE]


def _shown(scope: Scope, datastore: Body, *, secrets: bool = True) -> Body:
    """A datastore with its secret, which is a right of its own.

    Raises:
        AzureError: 403, for who may not read it.
    """
    properties = datastore["properties"]
    credentials = properties["credentials"]
    kind = credentials["credentialsType"]
    clear = None
    if kind != "None" and secrets:
        scope.authorize(SECRETS)
        clear = secret(scope.cloud, datastore)
    principal = kind == "ServicePrincipal"
    storage = {
        "accountName": properties["accountName"],
        "containerName": container_of(datastore) or properties.get("fileShareName"),
        "endpoint": properties["endpoint"],
        "protocol": properties["protocol"],
        "credentialType": CREDENTIALS.get(kind, kind),
        "credential": None if principal else clear,
        "clientCredentials": _principal(credentials, clear) if principal else None,
        "blobCacheTimeout": None,
        "isSas": kind == "Sas",
        "accountKey": clear if kind == "AccountKey" else None,
        "sasToken": clear if kind == "Sas" else None,
        "areWorkspaceManagedIdentitiesAllowed": properties["serviceDataAccessAuthIdentity"] != "None",
        "subscriptionId": properties["subscriptionId"],
        "resourceGroup": properties["resourceGroup"],
        "serviceDataAccessAuthIdentity": properties["serviceDataAccessAuthIdentity"],
    }
    return {
        "name": datastore["name"],
        "dataStoreType": properties["datastoreType"],
        "hasBeenValidated": False,
        "tags": properties["tags"] or {},
        "isDefault": properties["isDefault"],
        "azureStorageSection": storage,
        **{f"{one}Section": None for one in OTHER_SECTIONS},
    }


def _principal(credentials: Body, clear: str | None) -> Body:
    return {
        "clientId": credentials["clientId"],
        "tenantId": credentials["tenantId"],
        "clientSecret": clear,
        "isCertAuth": False,
        "certificate": None,
        "thumbprint": None,
        "authorityUrl": credentials.get("authorityUrl") or "https://login.microsoftonline.com",
        "resourceUri": credentials.get("resourceUrl") or "https://storage.azure.com/",
        "subscriptionId": None,
        "resourceGroup": None,
    }


ROUTES = [
    route("GET", "/datastores", READ, _list),
    route("GET", "/datastores/{name}", READ, _get),
    route("GET", "/default", READ, _default),
]
