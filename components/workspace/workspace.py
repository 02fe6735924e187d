"""A team's workspace and all that it hangs on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pulumi
from pulumi_azure_native import (
    applicationinsights,
    authorization,
    containerregistry,
    keyvault,
    managedidentity,
    operationalinsights,
    resources,
    storage,
)
from pulumi_azure_native import machinelearningservices as ml

from catalogue import roles
from catalogue.names import TeamNames
from components.data.encryption import CustomerKey, Encryption, MadeKeyArgs, given_key, make_key
from components.data.storage import storage_account
from components.governance.diagnostics import diagnose
from components.governance.lock import lock
from components.identity.principals import Principal, assign, unique
from components.network.endpoints import PrivateLinks, PrivateLinksArgs
from components.network.modes import (
    FqdnRule,
    ManagedNetwork,
    Network,
    OutboundRule,
    PrivateEndpointRule,
    PrivateNetwork,
    PublicNetwork,
    ServiceTagRule,
    firewall,
)
from components.retries import lookup
from components.workspace.services import container_registry, log_workspace


@dataclass(frozen=True)
class Existing:
    """Ids of resources that exist. They get role assignments, and are never changed, protected or deleted.

    Attributes:
        resource_group_id: The resource group of all that is made.
        vault_id: The key vault, in the same subscription.
        registry_id: The container registry.
        log_workspace_id: The Log Analytics workspace.
        insights_id: Application Insights.
    """

    resource_group_id: pulumi.Input[str] | None = None
    vault_id: pulumi.Input[str] | None = None
    registry_id: pulumi.Input[str] | None = None
    log_workspace_id: pulumi.Input[str] | None = None
    insights_id: pulumi.Input[str] | None = None


@dataclass(frozen=True)
class TeamWorkspaceArgs:
    """A team's workspace with everything that it needs.

    Attributes:
        names: Names of all resources, each one that Azure accepts.
        location: Azure region of everything.
        tenant_id: Entra tenant that the key vault trusts.
        data_contributors: Who reads and writes the team's storage: people and groups. Runs upload code, data and
            results under the person's own identity, as the accounts have no keys. They have their role on the
            resource group, since Azure removes no assignment from what is locked. In an existing, unprotected group
            they get the role on the team's accounts only.
        existing: What exists already and is not made: `Existing` has the ids of resource group, vault, registry, Log
            Analytics workspace and Application Insights. Roles are given on it, and nothing else happens to it.
        purge_protection: Whether nobody can remove a deleted key vault for good before its retention ends.
        vault_retention_days: Days that a deleted key vault can be recovered, 7 to 90.
        registry_sku: Tier of the container registry.
        log_retention_days: Days that logs are kept, 30 to 730.
        replication: Redundancy of the storage accounts: `Standard_LRS`, `Standard_ZRS`, …
        network: How everything is reached.
        image_build_cluster: Cluster without GPU that builds images where the registry does not let everybody in.
        identity: `user` for an identity made before the workspace with just the roles that it needs. `system` for
            one that Azure ML makes and gives its roles: assigning them again is refused. Fixed at creation.
        high_business_impact: Whether Microsoft collects less to diagnose with, and nodes' scratch disks are encrypted.
            Fixed at creation.
        customer_key: A key of the customer's own that encrypts workspace, storage and, if it is made, registry. For
            the workspace and the registry from their beginning or never; the vault must have purge protection.
        protect: Whether vault and storage cannot be deleted, by locks and by Pulumi.
        diagnostics: Whether logs and metrics of workspace, storage, vault and registry are collected, where these
            are made.
        tags: Tags of everything that takes tags.
    """

    names: TeamNames
    location: str
    tenant_id: pulumi.Input[str]
    data_contributors: Sequence[Principal] = ()
    existing: Existing = field(default_factory=Existing)
    purge_protection: bool = True
    vault_retention_days: int = 90
    registry_sku: Literal["Basic", "Standard", "Premium"] = "Standard"
    log_retention_days: int = 30
    replication: str = "Standard_LRS"
    network: Network = field(default_factory=PublicNetwork)
    image_build_cluster: str | None = None
    identity: Literal["user", "system"] = "user"
    high_business_impact: bool = False
    customer_key: CustomerKey | None = None
    protect: bool = True
    diagnostics: bool = True
    tags: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a key that could not encrypt.

        Raises:
            ValueError: If a key is to be made in a vault that may lose it, or that is not made here.
        """
        if self.customer_key and self.customer_key.key_id is None:
            if self.existing.vault_id:
                raise ValueError("customer_key: give its key_id where the vault exists already")
            if not self.purge_protection:
                raise ValueError("customer_key: a vault with such a key needs purge_protection")


@dataclass(frozen=True)
class _Dependencies:
    """The resources that a workspace needs. Vault and registry are None where they exist already."""

    work: storage.StorageAccount
    data: storage.StorageAccount
    vault: keyvault.Vault | None
    registry: containerregistry.Registry | None
    vault_id: pulumi.Output[str]
    registry_id: pulumi.Output[str]
    logs_id: pulumi.Output[str]
    insights_id: pulumi.Output[str]


class TeamWorkspace(pulumi.ComponentResource):
    """A resource group with an Azure Machine Learning workspace, its storage, vault, registry and logs.

    The workspace and the clusters' nodes have identities of their own. Their roles exist before the workspace does;
    Azure ML itself assigns those of a system-assigned identity. Nothing has a password or an account key.

    Example:
        >>> from catalogue.names import TeamNames
        >>> from components.workspace.workspace import TeamWorkspace, TeamWorkspaceArgs
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
        self._name, self._args = name, args
        self.grants_by_group = args.protect or args.existing.resource_group_id is None
        self.resource_group_id, self.resource_group_name = self._group()
        self._firewall = firewall(args.network)
        self.private_links = self._private_links()
        needs = self._dependencies()
        own_identity = self._identity("workspace", args.names.workspace_identity) if args.identity == "user" else None
        nodes = self._identity("nodes", args.names.node_identity)
        self.node_identity = self._principal("nodes-identity", nodes)
        self.node_identity_id = nodes.id
        if own_identity:
            self.workspace_identity = self._principal("workspace-identity", own_identity)
            workspace = self._workspace(needs, own_identity, self._workspace_access(needs))
            self._grant(self.workspace_identity, {"workspace": (workspace.id, roles.CONTRIBUTOR)})
        else:
            workspace = self._workspace(needs, None, [])
            self.workspace_identity = self._system_principal(workspace)
        self.node_access = [*self._node_access(needs), *self._endpoints(needs, workspace)]
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

    def _child(self, *depends_on: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, depends_on=list(depends_on) or None)

    def _group(self) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
        """Id and name of the resource group."""
        if given := self._args.existing.resource_group_id:
            id_ = pulumi.Output.from_input(given)
            return id_, id_.apply(_name)
        made = resources.ResourceGroup(
            f"{self._name}-group",
            resource_group_name=self._args.names.resource_group,
            location=self._args.location,
            tags=self._args.tags,
            opts=self._child(),
        )
        return pulumi.Output.from_input(made.id), pulumi.Output.from_input(made.name)

    def _private_links(self) -> PrivateLinks | None:
        if not isinstance(self._args.network, PrivateNetwork):
            return None
        return PrivateLinks(
            self._name,
            PrivateLinksArgs(
                network=self._args.network,
                network_name=self._args.names.network,
                resource_group_name=self.resource_group_name,
                location=self._args.location,
                tags=self._args.tags,
            ),
            opts=self._child(),
        )

    def _endpoints(self, needs: _Dependencies, workspace: ml.Workspace) -> list[pulumi.Resource]:
        """Private endpoints of the workspace and what it hangs on."""
        if self.private_links is None:
            return []
        targets = {
            "work-blob": (needs.work.id, "blob"),
            "work-file": (needs.work.id, "file"),
            "data-blob": (needs.data.id, "blob"),
            "workspace": (workspace.id, "amlworkspace"),
        }
        if needs.vault or self.private_links.own_zones:
            targets["vault"] = (needs.vault_id, "vault")
        if needs.registry or self.private_links.own_zones:
            targets["registry"] = (needs.registry_id, "registry")
        return [self.private_links.connect(purpose, id_, part) for purpose, (id_, part) in targets.items()]

    def allow_outbound(self, rule_name: str, rule: OutboundRule, *needs: pulumi.Resource) -> None:
        """Let compute in the workspace's managed network reach something."""
        ml.ManagedNetworkSettingsRule(
            f"{self._name}-{rule_name}",
            rule_name=rule_name,
            workspace_name=self.workspace_name,
            resource_group_name=self.resource_group_name,
            properties=_outbound(rule),
            opts=self._child(*needs),
        )

    def _protected(self) -> pulumi.ResourceOptions:
        """Options of what holds data."""
        return pulumi.ResourceOptions(parent=self, protect=True if self._args.protect else None)

    def _dependencies(self) -> _Dependencies:
        existing = self._args.existing
        vault = None if existing.vault_id else self._vault()
        self.encryption = self._encryption(vault)
        registry = None if existing.registry_id else self._registry()
        logs_id = existing.log_workspace_id or self._logs().id
        return _Dependencies(
            work=self._storage("work", self._args.names.work),
            data=self._storage("data", self._args.names.data),
            vault=vault,
            registry=registry,
            vault_id=_id(existing.vault_id, vault),
            registry_id=_id(existing.registry_id, registry),
            logs_id=pulumi.Output.from_input(logs_id),
            insights_id=pulumi.Output.from_input(existing.insights_id or self._insights(logs_id).id),
        )

    def _storage(self, purpose: str, account_name: str) -> storage.StorageAccount:
        return storage_account(
            f"{self._name}-{purpose}",
            account_name=account_name,
            resource_group_name=self.resource_group_name,
            location=self._args.location,
            replication=self._args.replication,
            firewall=self._firewall,
            encryption=self.encryption,
            tags=self._args.tags,
            opts=self._protected(),
        )

    def _encryption(self, vault: keyvault.Vault | None) -> Encryption | None:
        """The customer's own key, given or made in the vault, with an identity that does nothing else."""
        key = self._args.customer_key
        if key is None:
            return None
        if key.key_id or vault is None:
            return given_key(key, parent=self)
        identity = self._identity("key", self._args.names.key_identity)
        present = self._as_it_is(identity)
        made = MadeKeyArgs(
            vault_id=pulumi.Output.from_input(vault.id),
            vault_name=pulumi.Output.from_input(vault.name),
            vault_group_name=self.resource_group_name,
            identity_id=pulumi.Output.from_input(identity.id),
            identity=Principal("key-identity", present.principal_id, "ServicePrincipal"),
            client_id=present.client_id,
            service_side=key.service_side,
            tags=self._args.tags,
        )
        return make_key(f"{self._name}-key", made, opts=self._child())

    def _vault(self) -> keyvault.Vault:
        return keyvault.Vault(
            f"{self._name}-vault",
            vault_name=self._args.names.vault,
            resource_group_name=self.resource_group_name,
            location=self._args.location,
            properties=keyvault.VaultPropertiesArgs(
                tenant_id=self._args.tenant_id,
                sku=keyvault.SkuArgs(family=keyvault.SkuFamily.A, name=keyvault.SkuName.STANDARD),
                enable_rbac_authorization=True,
                enable_soft_delete=True,
                soft_delete_retention_in_days=self._args.vault_retention_days,
                # Azure accepts true or nothing, never false.
                enable_purge_protection=True if self._args.purge_protection else None,
                public_network_access=self._firewall.public_network_access,
                network_acls=keyvault.NetworkRuleSetArgs(
                    bypass=keyvault.NetworkRuleBypassOptions.AZURE_SERVICES,
                    default_action=keyvault.NetworkRuleAction(self._firewall.default_action),
                    ip_rules=[keyvault.IPRuleArgs(value=address) for address in self._firewall.allowed],
                    virtual_network_rules=[],
                ),
            ),
            tags=self._args.tags,
            opts=self._protected(),
        )

    def _registry(self) -> containerregistry.Registry:
        return container_registry(
            f"{self._name}-registry",
            registry_name=self._args.names.registry,
            resource_group_name=self.resource_group_name,
            location=self._args.location,
            sku=self._args.registry_sku,
            firewall=self._firewall,
            encryption=self.encryption,
            tags=self._args.tags,
            opts=self._child(),
        )

    def _logs(self) -> operationalinsights.Workspace:
        return log_workspace(
            f"{self._name}-logs",
            workspace_name=self._args.names.logs,
            resource_group_name=self.resource_group_name,
            location=self._args.location,
            retention_days=self._args.log_retention_days,
            tags=self._args.tags,
            opts=self._child(),
        )

    def _insights(self, logs_id: pulumi.Input[str]) -> applicationinsights.Component:
        return applicationinsights.Component(
            f"{self._name}-insights",
            resource_name_=self._args.names.insights,
            resource_group_name=self.resource_group_name,
            location=self._args.location,
            kind="web",
            application_type="web",
            ingestion_mode="LogAnalytics",
            workspace_resource_id=logs_id,
            tags=self._args.tags,
            opts=self._child(),
        )

    def _identity(self, purpose: str, identity_name: str) -> managedidentity.UserAssignedIdentity:
        return managedidentity.UserAssignedIdentity(
            f"{self._name}-{purpose}-identity",
            resource_name_=identity_name,
            resource_group_name=self.resource_group_name,
            location=self._args.location,
            tags=self._args.tags,
            opts=self._child(),
        )

    def _principal(self, name: str, identity: managedidentity.UserAssignedIdentity) -> Principal:
        """The identity as somebody to give roles to."""
        return Principal(name, self._as_it_is(identity).principal_id, "ServicePrincipal")

    def _as_it_is(
        self, identity: managedidentity.UserAssignedIdentity
    ) -> pulumi.Output[managedidentity.GetUserAssignedIdentityResult]:
        """An identity that the program makes, looked up.

        The preview of an update (of tags, say) knows an identity's name but no more its principal: taken from there,
        every assignment would look as if it were to be replaced. So it is looked up by the name.
        """
        return lookup(
            lambda: managedidentity.get_user_assigned_identity_output(
                resource_name=identity.name,
                resource_group_name=self.resource_group_name,
                opts=pulumi.InvokeOptions(parent=self),
            )
        )

    def _system_principal(self, workspace: ml.Workspace) -> Principal:
        """The workspace's own identity, looked up for the reason that `_as_it_is` has."""
        answer = lookup(
            lambda: ml.get_workspace_output(
                workspace_name=workspace.name,
                resource_group_name=self.resource_group_name,
                opts=pulumi.InvokeOptions(parent=self),
            )
        )
        principal_id = answer.identity.apply(lambda identity: (identity and identity.principal_id) or "")
        return Principal("workspace-identity", principal_id, "ServicePrincipal")

    def _workspace_access(self, needs: _Dependencies) -> list[authorization.RoleAssignment]:
        """The roles that a workspace's user-assigned identity needs, since Azure gives it none by itself.

        Source: learn.microsoft.com/azure/machine-learning/how-to-identity-based-service-authentication.
        """
        return self._grant(
            self.workspace_identity,
            self._approvals(needs)
            | {
                "work": (needs.work.id, roles.CONTRIBUTOR),
                "vault": (needs.vault_id, roles.CONTRIBUTOR),
                "registry": (needs.registry_id, roles.CONTRIBUTOR),
                "insights": (needs.insights_id, roles.CONTRIBUTOR),
                "secrets": (needs.vault_id, roles.KEY_VAULT_ADMINISTRATOR),
                "blobs": (needs.work.id, roles.BLOB_DATA_CONTRIBUTOR),
                "files": (needs.work.id, roles.FILE_DATA_PRIVILEGED_CONTRIBUTOR),
            },
        )

    def _approvals(self, needs: _Dependencies) -> dict[str, tuple[pulumi.Output[str], str]]:
        """The scopes in which a managed network's endpoints need approval: the group, and resources that exist."""
        if not isinstance(self._args.network, ManagedNetwork):
            return {}
        scopes = {"network": self.resource_group_id}
        if needs.vault is None:
            scopes["network-vault"] = needs.vault_id
        if needs.registry is None:
            scopes["network-registry"] = needs.registry_id
        return {what: (scope, roles.NETWORK_CONNECTION_APPROVER) for what, scope in scopes.items()}

    def _node_access(self, needs: _Dependencies) -> list[authorization.RoleAssignment]:
        return self._grant(
            self.node_identity,
            {
                "images": (needs.registry_id, roles.ACR_PULL),
                "blobs": (needs.work.id, roles.BLOB_DATA_CONTRIBUTOR),
                "data": (needs.data.id, roles.BLOB_DATA_CONTRIBUTOR),
            },
        )

    def grant_node_access(self, principal: Principal) -> None:
        """Let a cluster's own identity pull images, and read and write the team's storage accounts."""
        self._grant(principal, {"images": (self.registry_id, roles.ACR_PULL)})
        self.grant_data_access(principal)

    def grant_data_access(self, principal: Principal) -> None:
        """Give a principal the role of the `data_contributors`: to read and write the team's storage accounts."""
        role = roles.BLOB_DATA_CONTRIBUTOR
        if self.grants_by_group:
            self._grant(principal, {"data": (self.resource_group_id, role)})
        else:
            self._grant(principal, {"blobs": (self.work_account_id, role), "data": (self.data_account_id, role)})

    def _lock(self, needs: _Dependencies, workspace: ml.Workspace) -> None:
        protected = {"vault": needs.vault, "work": needs.work, "data": needs.data}
        for purpose, resource in protected.items():
            if resource is not None:
                lock(f"{self._name}-{purpose}", resource.id, opts=self._child(workspace, *self.node_access))

    def _diagnose(self, needs: _Dependencies, workspace: ml.Workspace) -> None:
        """Send logs and metrics of what is made; what exists already has its own setting, and takes no second one."""
        made = {"workspace": workspace, "vault": needs.vault, "registry": needs.registry}
        ids = {purpose: resource.id for purpose, resource in made.items() if resource is not None}
        for purpose, account in {"work": needs.work, "data": needs.data}.items():
            ids[purpose] = pulumi.Output.concat(account.id, "/blobServices/default")
        for purpose, id_ in ids.items():
            diagnose(f"{self._name}-{purpose}", id_, needs.logs_id, self._child())

    def _grant(
        self, principal: Principal, grants: Mapping[str, tuple[pulumi.Output[str], str]]
    ) -> list[authorization.RoleAssignment]:
        """Role assignments of one principal: scope and role by what they are for."""
        return [
            assign(
                f"{self._name}-{principal.name}-{what}", scope=scope, principal=principal, role=role, opts=self._child()
            )
            for what, (scope, role) in grants.items()
        ]

    def _workspace(
        self,
        needs: _Dependencies,
        identity: managedidentity.UserAssignedIdentity | None,
        access: Sequence[authorization.RoleAssignment],
    ) -> ml.Workspace:
        kind = ml.ManagedServiceIdentityType
        return ml.Workspace(
            f"{self._name}-workspace",
            workspace_name=self._args.names.workspace,
            resource_group_name=self.resource_group_name,
            location=self._args.location,
            kind="Default",
            sku=ml.SkuArgs(name="Basic", tier=ml.SkuTier.BASIC),
            friendly_name=self._args.names.workspace,
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
            public_network_access=self._firewall.public_network_access,
            managed_network=self._managed_network(),
            provision_network_now=True if isinstance(self._args.network, ManagedNetwork) else None,
            # Azure's own builders do not reach a registry that does not let everybody in.
            image_build_compute=self._args.image_build_cluster if self._firewall.default_action == "Deny" else None,
            serverless_compute_settings=self._serverless(),
            v1_legacy_mode=False,
            encryption=self.encryption.of_workspace() if self.encryption else None,
            enable_service_side_cmk_encryption=True if self.encryption and self.encryption.service_side else None,
            hbi_workspace=self._args.high_business_impact,
            tags=self._args.tags,
            opts=self._child(*access, *(self.encryption.needs if self.encryption else ())),
        )

    def _serverless(self) -> ml.ServerlessComputeSettingsArgs | None:
        """Jobs without a cluster run in the clusters' subnet; from elsewhere they would not reach the team's data."""
        if self.private_links is None:
            return None
        return ml.ServerlessComputeSettingsArgs(
            serverless_compute_custom_subnet=self.private_links.compute_subnet_id, serverless_compute_no_public_ip=True
        )

    def _managed_network(self) -> ml.ManagedNetworkSettingsArgs | None:
        network = self._args.network
        if not isinstance(network, ManagedNetwork):
            return None
        mode = ml.IsolationMode
        return ml.ManagedNetworkSettingsArgs(
            isolation_mode=mode.ALLOW_ONLY_APPROVED_OUTBOUND if network.approved_only else mode.ALLOW_INTERNET_OUTBOUND,
            firewall_sku=ml.FirewallSku.BASIC if network.basic_firewall else None,
        )

    def _set_outputs(self, needs: _Dependencies, workspace: ml.Workspace) -> None:
        self.workspace_id, self.workspace_name = workspace.id, workspace.name
        self.location = workspace.location.apply(lambda location: location or self._args.location)
        self.studio_url = pulumi.Output.format(
            "https://ml.azure.com/?wsid={0}&tid={1}", workspace.id, self._args.tenant_id
        )
        self.tracking_uri = workspace.ml_flow_tracking_uri
        self.work_account_id, self.data_account_id = needs.work.id, needs.data.id
        self.log_workspace_id, self.registry_id = needs.logs_id, needs.registry_id
        self.vault_id = needs.vault_id
        if needs.vault:
            self.vault_name, self.vault_group_name = (
                pulumi.Output.from_input(needs.vault.name),
                self.resource_group_name,
            )
        else:
            self.vault_name = needs.vault_id.apply(_name)
            self.vault_group_name = needs.vault_id.apply(lambda id_: _name(id_.rsplit("/providers/", 1)[0]))
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


def _id(given: pulumi.Input[str] | None, made: pulumi.CustomResource | None) -> pulumi.Output[str]:
    return pulumi.Output.from_input(given or (made.id if made else ""))


def _name(resource_id: str) -> str:
    return resource_id.rpartition("/")[2]


def _outbound(
    rule: OutboundRule,
) -> ml.FqdnOutboundRuleArgs | ml.ServiceTagOutboundRuleArgs | ml.PrivateEndpointOutboundRuleArgs:
    own = ml.RuleCategory.USER_DEFINED
    match rule:
        case FqdnRule(host):
            return ml.FqdnOutboundRuleArgs(type="FQDN", category=own, destination=host)
        case ServiceTagRule(tag, ports, protocol):
            to = ml.ServiceTagDestinationArgs(
                action=ml.RuleAction.ALLOW, service_tag=tag, port_ranges=ports, protocol=protocol
            )
            return ml.ServiceTagOutboundRuleArgs(type="ServiceTag", category=own, destination=to)
        case PrivateEndpointRule(resource_id, subresource):
            target = ml.PrivateEndpointDestinationArgs(
                service_resource_id=resource_id, subresource_target=subresource, spark_enabled=False
            )
            return ml.PrivateEndpointOutboundRuleArgs(type="PrivateEndpoint", category=own, destination=target)
