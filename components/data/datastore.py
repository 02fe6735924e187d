"""A team's data lake and the datastores through which jobs reach it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pulumi
from pulumi_azure_native import machinelearningservices as ml
from pulumi_azure_native import storage

from catalogue.roles import FILE_DATA_PRIVILEGED_CONTRIBUTOR
from components.data.encryption import Encryption
from components.data.filesystems import grants
from components.data.storage import Lifecycle, protect_from_mistakes, storage_account
from components.data.stores import (
    WIRE_TYPES,
    Access,
    ClientSecret,
    RegisteredDatastore,
    StorageAccount,
    Store,
    datastore_properties,
    datastore_uri,
)
from components.governance.diagnostics import diagnose
from components.governance.lock import lock
from components.identity.principals import Principal, assign, unique
from components.network.endpoints import PrivateLinks
from components.network.modes import Firewall


@dataclass(frozen=True)
class AdlsDatastoreArgs:
    """A storage account, its file systems and the datastores that stand for them.

    Attributes:
        resource_group_name: Resource group of the workspace, and of the account if it is made.
        workspace_name: The workspace that the datastores are registered in.
        location: Azure region of an account that is made.
        file_systems: Names of the file systems.
        account_name: Name of the account to make: 3 to 24 lower-case letters and digits, unique in the world.
        account_id: Id of an account that exists, in place of `account_name`.
        existing_file_systems: Whether the file systems exist too, and nothing is made in the account.
        datastores: What each datastore stands for, by its name.
        contributors: Who reads and writes the file systems: people, groups, the clusters' and the workspace's identity.
        restricted: File systems, or folders in them such as `fs1/persons`, that the contributors do not reach, each
            with those who do. A folder is in no other one. Jobs reach the datastores of these file systems by the
            person's own identity, whatever the credential.
        feeds: Who else writes all of a file system, such as a Data Factory's identity.
        shares: File shares to make in the account: the most that each holds in GiB, by its name.
        share_contributors: Who reads and writes all shares of the account, if there are any.
        service_identity: Which identity of the workspace its own features, such as previews, reach the data by: the
            `user`-assigned or the `system`-assigned one.
        credential: With whom jobs reach the data; their own identity if left out, and then no credential is stored.
        soft_delete_days: Days that what is deleted in an account that is made can be restored, 0 for none.
        lifecycle: When blobs of an account that is made get cheaper and go.
        replication: Redundancy of an account that is made: `Standard_LRS`, `Standard_ZRS`, …
        firewall: From where an account that is made is reached.
        encryption: A key of the customer's own for an account that is made; Microsoft's if left out.
        private_links: The virtual network in which the account gets private endpoints; none if left out. An account
            that exists gets them only where the DNS zones are made, too.
        protect: Whether an account that is made cannot be deleted, by a lock and by Pulumi.
        log_workspace_id: Log Analytics workspace for logs and metrics of an account that is made; none if left out.
        tags: Tags of an account that is made.
    """

    resource_group_name: pulumi.Input[str]
    workspace_name: pulumi.Input[str]
    location: pulumi.Input[str]
    file_systems: Sequence[str]
    account_name: str | None = None
    account_id: pulumi.Input[str] | None = None
    existing_file_systems: bool = False
    datastores: Mapping[str, Store] = field(default_factory=dict)
    contributors: Sequence[Principal] = ()
    restricted: Mapping[str, Access] = field(default_factory=dict)
    feeds: Mapping[str, Sequence[Principal]] = field(default_factory=dict)
    shares: Mapping[str, int] = field(default_factory=dict)
    share_contributors: Sequence[Principal] = ()
    service_identity: Literal["user", "system"] = "user"
    credential: ClientSecret | None = None
    soft_delete_days: int = 7
    lifecycle: Sequence[Lifecycle] = ()
    replication: str = "Standard_LRS"
    firewall: Firewall = field(default_factory=Firewall)
    encryption: Encryption | None = None
    private_links: PrivateLinks | None = None
    protect: bool = True
    log_workspace_id: pulumi.Input[str] | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what cannot be made.

        Raises:
            ValueError: If not just one of account name and id is given, or a file system that is named is not there.
        """
        if (self.account_name is None) == (self.account_id is None):
            raise ValueError("give either account_name, to make an account, or account_id, to use one")
        for place in self.restricted:
            if place.partition("/")[0] not in self.file_systems:
                raise ValueError(f"restricted '{place}': no such file system among {list(self.file_systems)}")
        for name, store in self.datastores.items():
            what, known = ("share", self.shares) if store.type == "file" else ("file system", self.file_systems)
            if store.container not in known:
                raise ValueError(f"datastore '{name}': no {what} '{store.container}' among {list(known)}")
            if store.type == "file" and self.credential:
                raise ValueError(f"datastore '{name}': Azure ML reaches file shares by no service principal")


class AdlsDatastore(pulumi.ComponentResource):
    """A storage account with a hierarchical namespace, its file systems, and datastores without any stored credential.

    Whoever runs a job reaches the data by their own identity; only the contributors have the blob role, and only on
    the file systems. The account can also be one that exists, and jobs can also go by a service principal.

    Example:
        >>> from components.data.datastore import AdlsDatastore, AdlsDatastoreArgs
        >>> from components.data.stores import Store
        >>> lake = AdlsDatastore(
        ...     "sales",
        ...     AdlsDatastoreArgs(
        ...         resource_group_name="forecast", workspace_name="forecastws", location="eastus2",
        ...         account_name="forecastlake", file_systems=["sales"], datastores={"Sales": Store("sales")},
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
        self._name, self._args = name, args
        self._below: list[pulumi.Resource] = []
        account = self._account()
        self.account_id, self.account_name = account.id, account.name
        if args.private_links and (args.account_name is not None or args.private_links.own_zones):
            for part in ("blob", "dfs"):
                args.private_links.connect(f"lake-{part}", account.id, part)
        systems = {system: self._file_system(system, account) for system in args.file_systems}
        shares = {share: self._share(share, gib, account) for share, gib in args.shares.items()}
        if args.shares:
            self._grant("files", account.id, args.share_contributors, FILE_DATA_PRIVILEGED_CONTRIBUTOR)
        self.datastores = {
            store: self._datastore(store, what, account, (shares if what.type == "file" else systems)[what.container])
            for store, what in args.datastores.items()
        }
        if args.protect and args.account_name is not None:
            lock(f"{name}-lake", account.id, opts=pulumi.ResourceOptions(parent=self, depends_on=self._below))
        self.register_outputs(
            {
                "accountId": self.account_id,
                "accountName": self.account_name,
                "datastores": {store: registered.uri for store, registered in self.datastores.items()},
            }
        )

    def _account(self) -> StorageAccount:
        args, child = self._args, pulumi.ResourceOptions(parent=self)
        if args.account_id is not None:
            id_ = pulumi.Output.from_input(args.account_id)
            return StorageAccount(
                id_, id_.apply(lambda text: text.split("/")[8]), id_.apply(lambda text: text.split("/")[4])
            )
        made = storage_account(
            f"{self._name}-lake",
            account_name=str(args.account_name),
            resource_group_name=args.resource_group_name,
            location=args.location,
            replication=args.replication,
            hierarchical=True,
            firewall=args.firewall,
            encryption=args.encryption,
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self, protect=True if args.protect else None),
        )
        group = pulumi.Output.from_input(args.resource_group_name)
        protect_from_mistakes(
            f"{self._name}-lake",
            made.name,
            group,
            soft_delete_days=args.soft_delete_days,
            lifecycle=args.lifecycle,
            opts=child,
        )
        if args.log_workspace_id is not None:
            blobs = pulumi.Output.concat(made.id, "/blobServices/default")
            diagnose(f"{self._name}-lake", blobs, args.log_workspace_id, child)
        return StorageAccount(made.id, made.name, group)

    def _file_system(self, system: str, account: StorageAccount) -> pulumi.Output[str]:
        """The id of a file system, on which the contributors have their role."""
        if self._args.existing_file_systems:
            id_ = pulumi.Output.concat(account.id, "/blobServices/default/containers/", system)
        else:
            id_ = storage.BlobContainer(
                f"{self._name}-{system}",
                container_name=system,
                account_name=account.name,
                resource_group_name=account.group,
                public_access="None",
                opts=pulumi.ResourceOptions(parent=self),
            ).id
        args = self._args
        for grant in grants(system, args.contributors, args.restricted, args.feeds.get(system, ())):
            self._grant(f"{system}{grant.purpose}", id_, [grant.principal], grant.role, grant.condition)
        return id_

    def _share(self, share: str, gib: int, account: StorageAccount) -> pulumi.Output[str]:
        """The id of a file share that is made."""
        made = storage.FileShare(
            f"{self._name}-{share}",
            share_name=share,
            account_name=account.name,
            resource_group_name=account.group,
            share_quota=gib,
            enabled_protocols=storage.EnabledProtocols.SMB,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return pulumi.Output.from_input(made.id)

    def _grant(
        self,
        what: str,
        scope: pulumi.Output[str],
        who: Sequence[Principal],
        role: str,
        condition: str | None = None,
    ) -> None:
        for principal in unique(who):
            assigned = assign(
                f"{self._name}-{what}-{principal.name}",
                scope=scope,
                principal=principal,
                role=role,
                condition=condition,
                opts=pulumi.ResourceOptions(parent=self),
            )
            self._below.append(assigned)

    def _credential(self, container: str) -> ClientSecret | None:
        """With whom jobs reach a container: where it is restricted in part, by their own identity."""
        restricted = {place.partition("/")[0] for place in self._args.restricted}
        return None if container in restricted else self._args.credential

    def _datastore(
        self, store: str, what: Store, account: StorageAccount, container_id: pulumi.Output[str]
    ) -> RegisteredDatastore:
        datastore = ml.Datastore(
            f"{self._name}-{store}",
            name=store,
            workspace_name=self._args.workspace_name,
            resource_group_name=self._args.resource_group_name,
            properties=datastore_properties(
                what,
                account,
                container_id.apply(lambda id_: id_.rsplit("/", 1)[1]),
                self._credential(what.container),
                self._args.service_identity,
            ),
            # Azure ML changes no datastore's type.
            opts=pulumi.ResourceOptions(
                parent=self, replace_on_changes=["properties.datastoreType"], delete_before_replace=True
            ),
        )
        uri = datastore.id.apply(datastore_uri)
        return RegisteredDatastore(WIRE_TYPES[what.type], account.name, what.container, uri)
