"""A team's data lake and the datastores through which jobs reach it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
from pulumi_azure_native import machinelearningservices as ml
from pulumi_azure_native import storage

from components.principals import Principal, assign, subscription_of, unique
from components.roles import BLOB_DATA_CONTRIBUTOR
from components.storage import storage_account


@dataclass(frozen=True)
class AdlsDatastoreArgs:
    """A data lake account, its file systems and the datastores that stand for them.

    Attributes:
        resource_group_name: Resource group of the account and the workspace.
        workspace_name: The workspace that the datastores are registered in.
        location: Azure region.
        account_name: Name of the storage account: 3 to 24 lower-case letters and digits, unique in the world.
        file_systems: Names of the file systems.
        datastores: File system by datastore name.
        contributors: Who reads and writes the file systems: people, groups, the clusters' and the workspace's identity.
        replication: Redundancy of the account: `Standard_LRS`, `Standard_ZRS`, …
        tags: Tags of the account.
    """

    resource_group_name: pulumi.Input[str]
    workspace_name: pulumi.Input[str]
    location: pulumi.Input[str]
    account_name: str
    file_systems: Sequence[str]
    datastores: Mapping[str, str] = field(default_factory=dict)
    contributors: Sequence[Principal] = ()
    replication: str = "Standard_LRS"
    tags: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a datastore of a file system that is not there.

        Raises:
            ValueError: With the datastore and the file systems.
        """
        for name, file_system in self.datastores.items():
            if file_system not in self.file_systems:
                raise ValueError(f"datastore '{name}': no file system '{file_system}' among {list(self.file_systems)}")


@dataclass(frozen=True)
class RegisteredDatastore:
    """A datastore of the workspace.

    Attributes:
        account: Storage account behind it.
        container: File system behind it.
        uri: Where jobs find its files: `azureml://…/datastores/NAME/paths/`.
    """

    account: pulumi.Output[str]
    container: pulumi.Output[str]
    uri: pulumi.Output[str]


class AdlsDatastore(pulumi.ComponentResource):
    """A storage account with a hierarchical namespace, its file systems, and datastores without any stored credential.

    Whoever runs a job reaches the data by their own identity; only the contributors have the blob role, and only on
    the file systems.

    Example:
        >>> from components.datastore import AdlsDatastore, AdlsDatastoreArgs
        >>> lake = AdlsDatastore(
        ...     "sales",
        ...     AdlsDatastoreArgs(
        ...         resource_group_name="forecast", workspace_name="forecastws", location="eastus2",
        ...         account_name="forecastlake", file_systems=["sales"], datastores={"Sales": "sales"},
        ...     ),
        ... )
        >>> pulumi.export("uri", lake.datastores["Sales"].uri)

    Attributes:
        account_id: Id of the storage account.
        account_name: Its name.
        datastores: The datastores by name.
    """

    account_id: pulumi.Output[str]
    account_name: pulumi.Output[str]
    datastores: Mapping[str, RegisteredDatastore]

    def __init__(self, name: str, args: AdlsDatastoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("azureml-platform:components:AdlsDatastore", name, {}, opts)
        account = storage_account(
            f"{name}-lake",
            account_name=args.account_name,
            resource_group_name=args.resource_group_name,
            location=args.location,
            replication=args.replication,
            hierarchical=True,
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.account_id, self.account_name = account.id, account.name
        containers = {system: self._file_system(name, system, account, args) for system in args.file_systems}
        self.datastores = {
            store: self._datastore(name, store, containers[system], account, args)
            for store, system in args.datastores.items()
        }
        self.register_outputs(
            {
                "accountId": self.account_id,
                "accountName": self.account_name,
                "datastores": {store: registered.uri for store, registered in self.datastores.items()},
            }
        )

    def _file_system(
        self, name: str, system: str, account: storage.StorageAccount, args: AdlsDatastoreArgs
    ) -> storage.BlobContainer:
        container = storage.BlobContainer(
            f"{name}-{system}",
            container_name=system,
            account_name=account.name,
            resource_group_name=args.resource_group_name,
            public_access="None",
            opts=pulumi.ResourceOptions(parent=self),
        )
        for principal in unique(args.contributors):
            assign(
                f"{name}-{system}-{principal.name}",
                scope=container.id,
                principal=principal,
                role=BLOB_DATA_CONTRIBUTOR,
                opts=pulumi.ResourceOptions(parent=self),
            )
        return container

    def _datastore(
        self,
        name: str,
        store: str,
        container: storage.BlobContainer,
        account: storage.StorageAccount,
        args: AdlsDatastoreArgs,
    ) -> RegisteredDatastore:
        datastore = ml.Datastore(
            f"{name}-{store}",
            name=store,
            workspace_name=args.workspace_name,
            resource_group_name=args.resource_group_name,
            properties=ml.AzureDataLakeGen2DatastoreArgs(
                datastore_type="AzureDataLakeGen2",
                account_name=account.name,
                filesystem=container.name,
                credentials=ml.NoneDatastoreCredentialsArgs(credentials_type="None"),
                service_data_access_auth_identity="WorkspaceUserAssignedIdentity",
                # Without both, Azure ML cannot find the account of an identity-based datastore.
                subscription_id=account.id.apply(subscription_of),
                resource_group=args.resource_group_name,
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        uri = datastore.id.apply(datastore_uri)
        return RegisteredDatastore(account=account.name, container=container.name, uri=uri)


def datastore_uri(datastore_id: str) -> str:
    """The `azureml://` URI under which jobs find a datastore's files, from the datastore's Azure id."""
    part = datastore_id.split("/")
    subscription, group, workspace, name = part[2], part[4], part[8], part[10]
    return (
        f"azureml://subscriptions/{subscription}/resourcegroups/{group}/workspaces/{workspace}/datastores/{name}/paths/"
    )
