"""Datastores in Azure ML's form: what each stands for, and by whose identity jobs reach it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pulumi
from pulumi_azure_native import machinelearningservices as ml

from components.identity.principals import Principal, subscription_of

StoreType = Literal["adlsGen2", "blob", "file"]
WireType = Literal["AzureDataLakeGen2", "AzureBlob", "AzureFile"]
"""Kinds of datastores in Azure's words."""
WIRE_TYPES: Mapping[StoreType, WireType] = {"adlsGen2": "AzureDataLakeGen2", "blob": "AzureBlob", "file": "AzureFile"}

_SERVICE_IDENTITIES = {
    "user": ml.ServiceDataAccessAuthIdentity.WORKSPACE_USER_ASSIGNED_IDENTITY,
    "system": ml.ServiceDataAccessAuthIdentity.WORKSPACE_SYSTEM_ASSIGNED_IDENTITY,
}


@dataclass(frozen=True)
class Store:
    """The container or share that a datastore stands for.

    Attributes:
        container: A file system, container or file share of the account.
        type: How jobs reach it: `adlsGen2` with directories, `blob`, or `file` for a share.
    """

    container: str
    type: StoreType = "adlsGen2"


@dataclass(frozen=True)
class Access:
    """Who reaches a file system or a folder of one.

    Attributes:
        readers: Who reads its files.
        writers: Who reads and writes them.
    """

    readers: Sequence[Principal] = ()
    writers: Sequence[Principal] = ()


@dataclass(frozen=True)
class ClientSecret:
    """A service principal with which jobs reach the data, in place of the person's own identity.

    Attributes:
        tenant_id: Its Entra tenant.
        client_id: With which it signs in.
        secret: Its secret; make it a Pulumi secret.
    """

    tenant_id: pulumi.Input[str]
    client_id: pulumi.Input[str]
    secret: pulumi.Input[str]


@dataclass(frozen=True)
class RegisteredDatastore:
    """A datastore of the workspace.

    Attributes:
        type: Kind of storage, in Azure's words.
        account: Storage account behind it.
        container: File system or file share behind it.
        uri: Where jobs find its files: `azureml://…/datastores/NAME/paths/`.
    """

    type: WireType
    account: pulumi.Output[str]
    container: str
    uri: pulumi.Output[str]


@dataclass(frozen=True)
class StorageAccount:
    """The storage account behind datastores.

    Attributes:
        id: Its Azure id.
        name: Its name.
        group: Name of its resource group.
    """

    id: pulumi.Output[str]
    name: pulumi.Output[str]
    group: pulumi.Output[str]


def datastore_properties(
    store: Store,
    account: StorageAccount,
    container: pulumi.Output[str],
    credential: ClientSecret | None,
    service_identity: Literal["user", "system"],
) -> ml.AzureDataLakeGen2DatastoreArgs | ml.AzureBlobDatastoreArgs | ml.AzureFileDatastoreArgs:
    """A datastore in Azure ML's form.

    Args:
        store: What the datastore stands for.
        account: The storage account.
        container: Name of the file system, container or share, by the output of its id: so it is made first.
        credential: With whom jobs reach the data; their own identity if None.
        service_identity: Which identity of the workspace its own features reach the data by.
    """
    access: ml.ServiceDataAccessAuthIdentity | None = None
    credentials: ml.NoneDatastoreCredentialsArgs | ml.ServicePrincipalDatastoreCredentialsArgs
    if credential is None:
        access = _SERVICE_IDENTITIES[service_identity]
        credentials = ml.NoneDatastoreCredentialsArgs(credentials_type="None")
    else:
        credentials = ml.ServicePrincipalDatastoreCredentialsArgs(
            credentials_type="ServicePrincipal",
            tenant_id=credential.tenant_id,
            client_id=credential.client_id,
            secrets=ml.ServicePrincipalDatastoreSecretsArgs(
                secrets_type="ServicePrincipal", client_secret=credential.secret
            ),
        )
    common: dict[str, Any] = {
        "account_name": account.name,
        "credentials": credentials,
        "service_data_access_auth_identity": access,
        # Without subscription and group, Azure ML cannot find the account of an identity-based datastore.
        "subscription_id": account.id.apply(subscription_of),
        "resource_group": account.group,
    }
    if store.type == "file":
        return ml.AzureFileDatastoreArgs(datastore_type="AzureFile", file_share_name=container, **common)
    if store.type == "blob":
        return ml.AzureBlobDatastoreArgs(datastore_type="AzureBlob", container_name=container, **common)
    return ml.AzureDataLakeGen2DatastoreArgs(datastore_type="AzureDataLakeGen2", filesystem=container, **common)


def datastore_uri(datastore_id: str) -> str:
    """The `azureml://` URI under which jobs find a datastore's files, from the datastore's Azure id."""
    part = datastore_id.split("/")
    subscription, group, workspace, name = part[2], part[4], part[8], part[10]
    where = f"azureml://subscriptions/{subscription}/resourcegroups/{group}/workspaces/{workspace}"
    return f"{where}/datastores/{name}/paths/"
