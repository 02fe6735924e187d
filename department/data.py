"""The sections `lake` and `data`."""

from collections.abc import Mapping, Sequence

import pulumi

from catalogue.roles import FILE_DATA_PRIVILEGED_CONTRIBUTOR, NETWORK_CONNECTION_APPROVER
from components.data.datastore import AdlsDatastore, AdlsDatastoreArgs
from components.data.storage import Lifecycle
from components.data.stores import Access, ClientSecret, RegisteredDatastore, Store
from components.identity.principals import Principal, assign
from components.network.modes import PrivateEndpointRule, firewall
from contract import DatastoreOutput
from department.automation import make_service_principal
from department.context import WorkspaceContext
from department.outputs import later
from department.people import principals
from settings import Data, Lake, logical


def make_data(context: WorkspaceContext, people: Sequence[Principal]) -> Mapping[str, DatastoreOutput]:
    """Make what the team's data is in; the outputs of its datastores. `people` reach it, and automation does."""
    if context.managed:
        rule = PrivateEndpointRule(context.workspace.data_account_id, "blob")
        context.workspace.allow_outbound("data-blob", rule)
    made: dict[str, RegisteredDatastore] = {}
    if context.team.lake:
        made |= _lake(context, context.team.lake, people)
    if context.team.data:
        made |= _data(context, context.team.data, people)
    return {
        name: DatastoreOutput.model_construct(
            type=store.type, account=later(store.account), container=store.container, uri=later(store.uri)
        )
        for name, store in made.items()
    }


def let_use_files(context: WorkspaceContext, person: Principal) -> pulumi.Resource:
    """Let a person use file shares: once, however many instances are theirs and whatever shares the team has."""
    if person.name not in context.file_access:
        workspace = context.workspace
        context.file_access[person.name] = assign(
            f"{context.team.name}-{person.name}-files",
            scope=workspace.resource_group_id if workspace.grants_by_group else workspace.work_account_id,
            principal=person,
            role=FILE_DATA_PRIVILEGED_CONTRIBUTOR,
            opts=context.child,
        )
    return context.file_access[person.name]


def _lake(context: WorkspaceContext, lake: Lake, people: Sequence[Principal]) -> Mapping[str, RegisteredDatastore]:
    workspace, department = context.workspace, context.department
    contributors = [workspace.workspace_identity, workspace.node_identity]
    if lake.account_id or not workspace.grants_by_group:
        contributors += people
    credential = None
    if lake.service_principal:
        by = make_service_principal(context, logical.LAKE, lake.service_principal)
        contributors.append(by.principal)
        credential = ClientSecret(context.shared.tenant_id, by.client_id, by.secret or "")
    made = AdlsDatastore(
        logical.lake(context.team),
        AdlsDatastoreArgs(
            resource_group_name=workspace.resource_group_name,
            workspace_name=workspace.workspace_name,
            location=department.region,
            account_name=None if lake.account_id else context.names.lake,
            account_id=lake.account_id,
            existing_file_systems=lake.account_id is not None,
            file_systems=lake.file_systems,
            datastores={store.name: Store(store.file_system, store.type) for store in lake.datastores},
            contributors=contributors,
            service_identity=context.team.workspace_identity,
            restricted={
                one.place: Access(principals(context, one.readers), principals(context, one.writers))
                for one in lake.restricted
            },
            feeds={
                system: [
                    Principal(f"feed-{feed.name}", feed.object_id, "ServicePrincipal")
                    for feed in lake.feeds
                    if system in feed.file_systems
                ]
                for system in lake.file_systems
            },
            credential=credential,
            soft_delete_days=lake.soft_delete_days,
            lifecycle=_lifecycle(lake),
            replication=department.replication,
            firewall=firewall(context.network),
            encryption=workspace.encryption,
            private_links=workspace.private_links,
            protect=department.protect,
            log_workspace_id=workspace.log_workspace_id if department.diagnostics else None,
            tags=context.tags,
        ),
        opts=context.child,
    )
    if context.managed:
        approved = [_approver(context, made.account_id)] if lake.account_id else []
        for part in ("blob", "dfs"):
            workspace.allow_outbound(f"lake-{part}", PrivateEndpointRule(made.account_id, part), *approved)
    return made.datastores


def _approver(context: WorkspaceContext, account_id: pulumi.Input[str]) -> pulumi.Resource:
    """Let the workspace approve the managed network's endpoints to an account outside of the resource group."""
    approver: pulumi.Resource = assign(
        f"{context.team.name}-lake-network",
        scope=account_id,
        principal=context.workspace.workspace_identity,
        role=NETWORK_CONNECTION_APPROVER,
        opts=context.child,
    )
    return approver


def _lifecycle(lake: Lake) -> list[Lifecycle]:
    return [
        Lifecycle(
            name=rule.name,
            prefixes=rule.prefixes,
            cool_after=rule.cool_after_days,
            archive_after=rule.archive_after_days,
            delete_after=rule.delete_after_days,
        )
        for rule in lake.lifecycle
    ]


def _data(context: WorkspaceContext, data: Data, people: Sequence[Principal]) -> Mapping[str, RegisteredDatastore]:
    workspace = context.workspace
    with_share = [workspace.workspace_identity, workspace.node_identity]
    if not workspace.grants_by_group:
        with_share += people
    elif data.shares:
        for person in people:
            let_use_files(context, person)
    if data.shares and workspace.private_links:
        workspace.private_links.connect("data-file", workspace.data_account_id, "file")
    if data.shares and context.managed:
        workspace.allow_outbound("data-file", PrivateEndpointRule(workspace.data_account_id, "file"))
    made = AdlsDatastore(
        logical.data(context.team),
        AdlsDatastoreArgs(
            resource_group_name=workspace.resource_group_name,
            workspace_name=workspace.workspace_name,
            location=context.department.region,
            account_id=workspace.data_account_id,
            file_systems=data.containers,
            shares={share.name: share.gib for share in data.shares},
            share_contributors=with_share,
            service_identity=context.team.workspace_identity,
            datastores={
                store.name: Store(store.container, "blob") if store.container else Store(str(store.share), "file")
                for store in data.datastores
            },
        ),
        opts=context.child,
    )
    return made.datastores
