"""A team's workspace, and all that it is made with."""

from collections.abc import Sequence

import pulumi
from pulumi_azure_native import authorization, managedidentity
from pulumi_azure_native import machinelearningservices as ml

from catalogue import roles
from components.data.encryption import Encryption
from components.governance.diagnostics import diagnose
from components.governance.lock import lock
from components.identity.principals import Principal, unique
from components.network.endpoints import PrivateLinks
from components.network.modes import ManagedNetwork, OutboundRule
from components.workspace.arguments import TeamWorkspaceArgs
from components.workspace.dependencies import Dependencies, make_dependencies
from components.workspace.grants import grant, grant_node_access, grant_workspace_access
from components.workspace.group import name_in, team_group
from components.workspace.identities import make_identity, principal_of, system_principal
from components.workspace.network import (
    connect_endpoints,
    make_private_links,
    managed_network,
    outbound_properties,
    serverless_settings,
)


class TeamWorkspace(pulumi.ComponentResource):
    """A resource group with an Azure Machine Learning workspace, its storage, vault, registry and logs.

    The workspace and the clusters' nodes have identities of their own. Their roles exist before the workspace does;
    Azure ML itself assigns those of a system-assigned identity. Nothing has a password or an account key.

    Example:
        >>> from catalogue.names import TeamNames
        >>> from components.workspace.arguments import TeamWorkspaceArgs
        >>> from components.workspace.workspace import TeamWorkspace
        >>> names = TeamNames.from_base("bgmr-forecast-eastus2-dev", "bgmrforecaste2dev")
        >>> team = TeamWorkspace(
        ...     "forecast",
        ...     TeamWorkspaceArgs(names=names, location="eastus2", tenant_id="11111111-2222-3333-4444-555555555555"),
        ... )
        >>> pulumi.export("workspace", team.workspace_name)

    Attributes:
        resource_group_id: Id of the resource group.
        resource_group_name: Its name.
        workspace_id: Id of the workspace.
        workspace_name: Its name.
        location: Its Azure region.
        studio_url: Address of its web interface.
        tracking_uri: Address for MLflow.
        work_account_id: Id of the workspace's own storage account.
        data_account_id: Id of the team's storage account for data.
        log_workspace_id: Id of the Log Analytics workspace.
        vault_id: Id of the key vault.
        vault_name: Its name.
        vault_group_name: Name of its resource group.
        registry_id: Id of the container registry.
        encryption: The customer's own key, if there is one.
        workspace_identity: The workspace's identity.
        node_identity: The identity of the clusters' nodes.
        node_identity_id: Azure id of that identity.
        node_access: What must be there before a cluster: the nodes' roles, and the private endpoints.
        private_links: The virtual network, if the team has one.
        grants_by_group: Whether people and automation reach the team's data by the resource group.
    """

    resource_group_id: pulumi.Output[str]
    resource_group_name: pulumi.Output[str]
    workspace_id: pulumi.Output[str]
    workspace_name: pulumi.Output[str]
    location: pulumi.Output[str]
    studio_url: pulumi.Output[str]
    tracking_uri: pulumi.Output[str]
    work_account_id: pulumi.Output[str]
    data_account_id: pulumi.Output[str]
    log_workspace_id: pulumi.Output[str]
    vault_id: pulumi.Output[str]
    vault_name: pulumi.Output[str]
    vault_group_name: pulumi.Output[str]
    registry_id: pulumi.Output[str]
    encryption: Encryption | None
    workspace_identity: Principal
    node_identity: Principal
    node_identity_id: pulumi.Output[str]
    node_access: Sequence[pulumi.Resource]
    private_links: PrivateLinks | None
    grants_by_group: bool

    def __init__(self, name: str, args: TeamWorkspaceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("azureml-platform:components:TeamWorkspace", name, {}, opts)
        group = self._group = team_group(name, args, self)
        self.grants_by_group = args.protect or args.existing.resource_group_id is None
        self.resource_group_id, self.resource_group_name = group.id, group.name
        self.private_links = make_private_links(group)
        needs = make_dependencies(group)
        self.encryption = needs.encryption
        own_identity = (
            make_identity(group, "workspace", args.names.workspace_identity) if args.identity == "user" else None
        )
        nodes = make_identity(group, "nodes", args.names.node_identity)
        self.node_identity = principal_of(group, "nodes-identity", nodes)
        self.node_identity_id = nodes.id
        if own_identity:
            self.workspace_identity = principal_of(group, "workspace-identity", own_identity)
            access = grant_workspace_access(group, self.workspace_identity, needs)
            workspace = self._workspace(needs, own_identity, access)
            grant(group, self.workspace_identity, {"workspace": (workspace.id, roles.CONTRIBUTOR)})
        else:
            workspace = self._workspace(needs, None, [])
            self.workspace_identity = system_principal(group, workspace)
        self.node_access = [
            *grant_node_access(group, self.node_identity, needs),
            *connect_endpoints(self.private_links, needs, workspace),
        ]
        self._set_outputs(needs, workspace)
        for person in unique(args.data_contributors):
            self.grant_data_access(person)
        if isinstance(args.network, ManagedNetwork):
            for rule_name, rule in args.network.outbound.items():
                self.allow_outbound(rule_name, rule)
        if args.protect:
            self._lock(needs, workspace)
        if args.diagnostics:
            self._diagnose(needs, workspace)

    def allow_outbound(self, rule_name: str, rule: OutboundRule, *needs: pulumi.Resource) -> None:
        """Let compute in the workspace's managed network reach something."""
        ml.ManagedNetworkSettingsRule(
            f"{self._group.logical_name}-{rule_name}",
            rule_name=rule_name,
            workspace_name=self.workspace_name,
            resource_group_name=self.resource_group_name,
            properties=outbound_properties(rule),
            opts=self._group.child(*needs),
        )

    def grant_node_access(self, principal: Principal) -> None:
        """Let a cluster's own identity pull images, and read and write the team's storage accounts."""
        grant(self._group, principal, {"images": (self.registry_id, roles.ACR_PULL)})
        self.grant_data_access(principal)

    def grant_data_access(self, principal: Principal) -> None:
        """Give a principal the role of the `data_contributors`: to read and write the team's storage accounts."""
        role = roles.BLOB_DATA_CONTRIBUTOR
        if self.grants_by_group:
            grant(self._group, principal, {"data": (self.resource_group_id, role)}, self._group.args.data_condition)
        else:
            grant(self._group, principal, {"blobs": (self.work_account_id, role), "data": (self.data_account_id, role)})

    def _lock(self, needs: Dependencies, workspace: ml.Workspace) -> None:
        protected = {"vault": needs.vault, "work": needs.work, "data": needs.data}
        for purpose, resource in protected.items():
            if resource is not None:
                lock(
                    f"{self._group.logical_name}-{purpose}",
                    resource.id,
                    opts=self._group.child(workspace, *self.node_access),
                )

    def _diagnose(self, needs: Dependencies, workspace: ml.Workspace) -> None:
        """Send logs and metrics of what is made; what exists already has its own setting, and takes no second one."""
        made = {"workspace": workspace, "vault": needs.vault, "registry": needs.registry}
        ids = {purpose: resource.id for purpose, resource in made.items() if resource is not None}
        for purpose, account in {"work": needs.work, "data": needs.data}.items():
            ids[purpose] = pulumi.Output.concat(account.id, "/blobServices/default")
        for purpose, id_ in ids.items():
            diagnose(f"{self._group.logical_name}-{purpose}", id_, needs.logs_id, self._group.child())

    def _workspace(
        self,
        needs: Dependencies,
        identity: managedidentity.UserAssignedIdentity | None,
        access: Sequence[authorization.RoleAssignment],
    ) -> ml.Workspace:
        args, kind = self._group.args, ml.ManagedServiceIdentityType
        return ml.Workspace(
            f"{self._group.logical_name}-workspace",
            workspace_name=args.names.workspace,
            resource_group_name=self.resource_group_name,
            location=args.location,
            kind="Default",
            sku=ml.SkuArgs(name="Basic", tier=ml.SkuTier.BASIC),
            friendly_name=args.names.workspace,
            identity=ml.ManagedServiceIdentityArgs(
                type=kind.USER_ASSIGNED if identity else kind.SYSTEM_ASSIGNED,
                user_assigned_identities=[identity.id] if identity else None,
            ),
            primary_user_assigned_identity=identity.id if identity else None,
            storage_account=needs.work.id,
            key_vault=needs.vault_id,
            container_registry=needs.registry_id,
            application_insights=needs.insights_id,
            system_datastores_auth_mode=ml.SystemDatastoresAuthMode.IDENTITY,
            public_network_access=self._group.firewall.public_network_access,
            managed_network=managed_network(args.network),
            provision_network_now=True if isinstance(args.network, ManagedNetwork) else None,
            # Azure's own builders do not reach a registry that does not let everybody in.
            image_build_compute=args.image_build_cluster if self._group.firewall.default_action == "Deny" else None,
            serverless_compute_settings=serverless_settings(self.private_links),
            v1_legacy_mode=False,
            encryption=self.encryption.of_workspace() if self.encryption else None,
            enable_service_side_cmk_encryption=True if self.encryption and self.encryption.service_side else None,
            hbi_workspace=args.high_business_impact,
            tags=args.tags,
            opts=self._group.child(*access, *(self.encryption.needs if self.encryption else ())),
        )

    def _set_outputs(self, needs: Dependencies, workspace: ml.Workspace) -> None:
        self.workspace_id, self.workspace_name = workspace.id, workspace.name
        self.location = workspace.location.apply(lambda location: location or self._group.args.location)
        self.studio_url = pulumi.Output.format(
            "https://ml.azure.com/?wsid={0}&tid={1}", workspace.id, self._group.args.tenant_id
        )
        self.tracking_uri = workspace.ml_flow_tracking_uri
        self.work_account_id, self.data_account_id = needs.work.id, needs.data.id
        self.log_workspace_id, self.registry_id = needs.logs_id, needs.registry_id
        self.vault_id = needs.vault_id
        if needs.vault:
            self.vault_name = pulumi.Output.from_input(needs.vault.name)
            self.vault_group_name = self.resource_group_name
        else:
            self.vault_name = needs.vault_id.apply(name_in)
            self.vault_group_name = needs.vault_id.apply(lambda id_: name_in(id_.rsplit("/providers/", 1)[0]))
        self.register_outputs(
            {
                "resourceGroupName": self.resource_group_name,
                "workspaceId": self.workspace_id,
                "workspaceName": self.workspace_name,
                "location": self.location,
                "studioUrl": self.studio_url,
                "trackingUri": self.tracking_uri,
                "workAccountId": self.work_account_id,
                "dataAccountId": self.data_account_id,
                "nodeIdentityId": self.node_identity_id,
            }
        )
