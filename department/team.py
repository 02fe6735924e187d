"""One team of a department: its workspace, people, clusters, data and automation, from the settings."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pulumi
import pulumi_azuread as azuread

import settings as settings_
from catalogue.roles import (
    CONTRIBUTOR,
    FILE_DATA_PRIVILEGED_CONTRIBUTOR,
    KEY_VAULT_SECRETS_OFFICER,
    KEY_VAULT_SECRETS_USER,
    NETWORK_CONNECTION_APPROVER,
)
from components.compute.cluster import ComputeCluster, ComputeClusterArgs
from components.compute.instance import ComputeInstance, ComputeInstanceArgs, Schedule
from components.data.datastore import AdlsDatastore, AdlsDatastoreArgs, ClientSecret, RegisteredDatastore, Store
from components.data.encryption import CustomerKey
from components.data.storage import Lifecycle
from components.governance.azurepolicy import (
    ALWAYS,
    DIAGNOSTICS,
    PURGE_PROTECTION,
    CustomDefinitions,
    PolicyAssignmentsArgs,
    assign_policies,
)
from components.governance.budget import BudgetArgs, budget
from components.identity.access import DataScientistRole, DataScientistRoleArgs
from components.identity.directory import Directory
from components.identity.principals import Principal, assign, subscription_of, unique
from components.identity.roles import TITLES, WORKS_WITH_DATA, Persona
from components.identity.serviceprincipal import Federation, ServicePrincipal, ServicePrincipalArgs, VaultSecretArgs
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
from components.workspace.modelregistry import ModelRegistry
from components.workspace.shared import SharedServices
from components.workspace.workspace import Existing, TeamWorkspace, TeamWorkspaceArgs
from department.people import principal
from settings import Automation, Cluster, Department, Instance, Lake, Member, Secret, Team

GITHUB_ISSUER = "https://token.actions.githubusercontent.com"
AZURE_DEVOPS_ISSUER = "https://vstoken.dev.azure.com"


@dataclass(frozen=True)
class Shared:
    """What the teams of a department have in common.

    Attributes:
        department: The settings.
        provider: azure-native in the department's subscription.
        tenant_id: The Entra tenant.
        directory: Finds people and groups.
        custom_policies: The department's own Azure Policy definitions, if it has policies.
        services: What is made for all teams together, if anything is.
        model_registry: What the teams share models through, if the department has it.
    """

    department: Department
    provider: pulumi.ProviderResource
    tenant_id: pulumi.Output[str]
    directory: Directory
    custom_policies: CustomDefinitions | None
    services: SharedServices | None
    model_registry: ModelRegistry | None


def build_team(shared: Shared, team: Team) -> Mapping[str, Any]:
    """Register everything of a team; its part of the stack's outputs."""
    return _TeamBuilder(shared, team).build()


class _TeamBuilder:
    def __init__(self, shared: Shared, team: Team) -> None:
        self._shared, self._team = shared, team
        self._department = shared.department
        self._names = shared.department.names(team)
        self._tags = shared.department.tags(team)
        self._network = network_from(shared.department.network_of(team))
        self._officers: list[pulumi.Resource] = []
        self._file_access: dict[str, pulumi.Resource] = {}
        self._clusters_own: list[Principal] = []
        self._prefix = f"{shared.department.code} {team.name} {shared.department.environment}"

    def build(self) -> Mapping[str, Any]:
        automation = {entry.name: entry for entry in self._team.automation}
        people = self._people()
        contributors = unique(person for persona in WORKS_WITH_DATA for person in people[persona])
        workspace = self._workspace(contributors)
        principals = {name: self._automation(entry, workspace) for name, entry in automation.items()}
        runs = [principals[name].principal for name, entry in automation.items() if entry.role == "automation"]
        access = DataScientistRole(
            self._team.name,
            DataScientistRoleArgs(
                role_prefix=self._prefix,
                resource_group_id=workspace.resource_group_id,
                members={**people, Persona.AUTOMATION: runs},
            ),
            opts=pulumi.ResourceOptions(parent=workspace),
        )
        for identity in principals.values():
            workspace.grant_data_access(identity.principal)
        clusters = {cluster.name: self._cluster(cluster, workspace) for cluster in self._team.clusters}
        instances = {instance.name: self._instance(instance, workspace) for instance in self._team.instances}
        machines = [*(identity.principal for identity in principals.values()), *self._clusters_own]
        with_data = [*contributors, *machines]
        self._share_models(workspace, people, machines)
        self._guard(workspace)
        if isinstance(self._network, ManagedNetwork):
            workspace.allow_outbound("data-blob", PrivateEndpointRule(workspace.data_account_id, "blob"))
        datastores = {**self._lake(workspace, with_data), **self._data(workspace, with_data)}
        return {
            "subscriptionId": workspace.workspace_id.apply(subscription_of),
            "resourceGroup": workspace.resource_group_name,
            "workspace": workspace.workspace_name,
            "location": workspace.location,
            "studioUrl": workspace.studio_url,
            "trackingUri": workspace.tracking_uri,
            "clusters": clusters,
            "instances": instances,
            "datastores": {
                name: {"type": store.type, "account": store.account, "container": store.container, "uri": store.uri}
                for name, store in datastores.items()
            },
            "roles": {persona: {"name": role.name, "id": role.id} for persona, role in access.defined.items()},
            "automation": {
                name: {
                    "clientId": identity.client_id,
                    "tenantId": self._shared.tenant_id,
                    "vault": workspace.vault_name if automation[name].secret else None,
                    "secretName": self._secret_name(name) if automation[name].secret else None,
                }
                for name, identity in principals.items()
            },
        }

    def _people(self) -> Mapping[Persona, list[Principal]]:
        lists = {
            Persona.ADMIN: self._team.admins,
            Persona.LEAD: self._team.leads,
            Persona.DATA_SCIENTIST: self._team.data_scientists,
            Persona.AUTOMATION: (),
            Persona.READER: self._team.readers,
        }
        found = {persona: self._principals(members) for persona, members in lists.items()}
        if not self._team.groups:
            return found
        return {persona: [self._group(persona, members)] if members else [] for persona, members in found.items()}

    def _share_models(
        self, workspace: TeamWorkspace, people: Mapping[Persona, list[Principal]], machines: list[Principal]
    ) -> None:
        """Let the team use the department's registry of models: who works registers, who administers or reads sees."""
        registry = self._shared.model_registry
        if registry is None:
            return
        for persona, found in people.items():
            for person in found:
                own = person if not self._team.groups else self._of_team(person)
                registry.admit(own, registers=persona in WORKS_WITH_DATA)
        for machine in (*machines, *map(self._of_team, (workspace.workspace_identity, workspace.node_identity))):
            registry.admit(machine)
        if workspace.links:
            workspace.links.connect("model-registry", registry.registry_id, "amlregistry")
        if isinstance(self._network, ManagedNetwork):
            workspace.allow_outbound("model-registry", PrivateEndpointRule(registry.registry_id, "amlregistry"))

    def _of_team(self, person: Principal) -> Principal:
        """The person under a name that no other team's has."""
        return replace(person, name=f"{self._team.name}-{person.name}")

    def _principals(self, members: tuple[Member, ...]) -> list[Principal]:
        return unique(principal(self._shared.directory, member) for member in members)

    def _group(self, persona: Persona, members: list[Principal]) -> Principal:
        """A security group of those who are one thing to the team; it has the roles in their place."""
        group = azuread.Group(
            f"{self._team.name}-{persona}",
            display_name=f"{self._prefix} {TITLES[persona]}",
            description=f"Made and kept by the platform for the team {self._team.name}.",
            security_enabled=True,
            prevent_duplicate_names=True,
            members=[member.object_id for member in members],
        )
        return Principal(f"group-{persona}", group.object_id, "Group")

    def _workspace(self, contributors: list[Principal]) -> TeamWorkspace:
        department = self._department
        made = TeamWorkspace(
            self._team.name,
            TeamWorkspaceArgs(
                names=self._names,
                location=department.region,
                tenant_id=self._shared.tenant_id,
                data_contributors=contributors,
                existing=self._existing(),
                purge_protection=department.purge_protection,
                vault_retention_days=department.key_vault.retention_days,
                registry_sku=department.registry_tier(self._team),
                network=self._network,
                identity=self._team.workspace_identity,
                high_business_impact=self._team.high_business_impact,
                customer_key=_customer_key(self._team),
                image_build_cluster=self._team.builds_images,
                log_retention_days=department.log_retention_days,
                replication=department.replication,
                protect=department.protected,
                diagnostics=department.diagnosed,
                tags=self._tags,
            ),
            opts=pulumi.ResourceOptions(providers=[self._shared.provider]),
        )
        if made.links and not made.links.own_zones and department.connects_shared_registry(self._team):
            made.links.connect("registry", made.registry_id, "registry")
        return made

    def _existing(self) -> Existing:
        """What the team's workspace uses and does not make: what exists, or is made for all teams."""
        department, given, services = self._department, self._team.existing, self._shared.services
        return Existing(
            resource_group_id=given.resource_group_id,
            vault_id=given.key_vault_id,
            registry_id=department.registry_of(self._team) or (services.registry_id if services else None),
            log_workspace_id=department.log_workspace_of(self._team)
            or (services.log_workspace_id if services else None),
            insights_id=given.application_insights_id,
        )

    def _guard(self, workspace: TeamWorkspace) -> None:
        department, child = self._department, pulumi.ResourceOptions(parent=workspace)
        if watched := self._team.budget:
            contacts = watched.contacts or (department.admin,)
            args = BudgetArgs(workspace.resource_group_id, watched.monthly, watched.first_day, contacts)
            budget(f"{self._team.name}-budget", args, opts=child)
        if self._shared.custom_policies and department.policy_effect != "off":
            rules = {**ALWAYS}
            if self._team.workspace_identity == "system":
                del rules["workspace-identity"]
            if department.purge_protection:
                rules |= PURGE_PROTECTION
            if department.diagnosed:
                rules |= DIAGNOSTICS
            policies = PolicyAssignmentsArgs(
                scope=workspace.resource_group_id,
                effect=department.policy_effect,
                built_in=rules,
                custom=self._shared.custom_policies,
                allowed_vm_sizes=department.allowed_vm_sizes,
            )
            assign_policies(self._team.name, policies, opts=child)

    def _cluster(self, cluster: Cluster, workspace: TeamWorkspace) -> Mapping[str, Any]:
        made = ComputeCluster(
            f"{self._team.name}-{cluster.name}",
            ComputeClusterArgs(
                resource_group_name=workspace.resource_group_name,
                workspace_name=workspace.workspace_name,
                cluster_name=cluster.name,
                location=self._department.region,
                vm_size=cluster.vm_size,
                max_nodes=cluster.max_nodes,
                identity_id=workspace.node_identity_id if cluster.identity == "user" else None,
                priority=cluster.priority,
                idle_minutes=cluster.idle_minutes,
                subnet_id=workspace.links.compute_subnet_id if workspace.links else None,
                public_ip=isinstance(self._network, PublicNetwork),
                tags=self._tags,
            ),
            opts=pulumi.ResourceOptions(parent=workspace, depends_on=workspace.node_access),
        )
        if made.principal:
            workspace.grant_node_access(made.principal)
            self._clusters_own.append(made.principal)
        return {
            "vmSize": made.vm_size,
            "maxNodes": cluster.max_nodes,
            "priority": cluster.priority,
            "idleMinutes": cluster.idle_minutes,
        }

    def _instance(self, instance: Instance, workspace: TeamWorkspace) -> Mapping[str, Any]:
        owner = self._shared.directory.user(instance.user)
        schedule = instance.schedule
        made = ComputeInstance(
            f"{self._team.name}-{instance.name}",
            ComputeInstanceArgs(
                resource_group_name=workspace.resource_group_name,
                workspace_name=workspace.workspace_name,
                instance_name=instance.name,
                location=self._department.region,
                vm_size=instance.vm_size,
                user_object_id=owner.object_id,
                tenant_id=self._shared.tenant_id,
                idle_minutes=instance.idle_minutes,
                schedule=Schedule(schedule.start, schedule.stop, schedule.time_zone) if schedule else None,
                setup_script=instance.setup_script,
                subnet_id=workspace.links.compute_subnet_id if workspace.links else None,
                public_ip=isinstance(self._network, PublicNetwork),
                tags=self._tags,
            ),
            # The notebooks lie on the workspace's file share, which the instance reaches by the person's own identity.
            opts=pulumi.ResourceOptions(parent=workspace, depends_on=[self._files(owner, workspace)]),
        )
        return {"name": made.instance_name, "vmSize": instance.vm_size, "user": instance.user}

    def _files(self, person: Principal, workspace: TeamWorkspace) -> pulumi.Resource:
        """Let a person use file shares: once, however many instances are theirs and whatever shares the team has."""
        if person.name not in self._file_access:
            self._file_access[person.name] = assign(
                f"{self._team.name}-{person.name}-files",
                scope=workspace.resource_group_id if workspace.grants_by_group else workspace.work_account_id,
                principal=person,
                role=FILE_DATA_PRIVILEGED_CONTRIBUTOR,
                opts=pulumi.ResourceOptions(parent=workspace),
            )
        return self._file_access[person.name]

    def _lake(self, workspace: TeamWorkspace, people: list[Principal]) -> Mapping[str, RegisteredDatastore]:
        lake = self._team.lake
        if lake is None:
            return {}
        contributors = [workspace.workspace_identity, workspace.node_identity]
        if lake.account_id or not workspace.grants_by_group:
            contributors += people
        credential = None
        if lake.service_principal:
            by = self._service_principal("lake", lake.service_principal, workspace)
            contributors.append(by.principal)
            credential = ClientSecret(self._shared.tenant_id, by.client_id, by.secret or "")
        made = AdlsDatastore(
            self._team.name,
            AdlsDatastoreArgs(
                resource_group_name=workspace.resource_group_name,
                workspace_name=workspace.workspace_name,
                location=self._department.region,
                account_name=None if lake.account_id else self._names.lake,
                account_id=lake.account_id,
                existing_file_systems=lake.account_id is not None,
                file_systems=lake.file_systems,
                datastores={store.name: Store(store.file_system, store.type) for store in lake.datastores},
                contributors=contributors,
                service_identity=self._team.workspace_identity,
                credential=credential,
                soft_delete_days=lake.soft_delete_days,
                lifecycle=_lifecycle(lake),
                replication=self._department.replication,
                firewall=firewall(self._network),
                encryption=workspace.encryption,
                links=workspace.links,
                protect=self._department.protected,
                log_workspace_id=workspace.log_workspace_id if self._department.diagnosed else None,
                tags=self._tags,
            ),
            opts=pulumi.ResourceOptions(parent=workspace),
        )
        if isinstance(self._network, ManagedNetwork):
            approved = [self._approver(workspace, made.account_id)] if lake.account_id else []
            for part in ("blob", "dfs"):
                workspace.allow_outbound(f"lake-{part}", PrivateEndpointRule(made.account_id, part), *approved)
        return made.datastores

    def _approver(self, workspace: TeamWorkspace, account_id: pulumi.Input[str]) -> pulumi.Resource:
        """Let the workspace approve the managed network's endpoints to an account outside of the resource group."""
        approver: pulumi.Resource = assign(
            f"{self._team.name}-lake-network",
            scope=account_id,
            principal=workspace.workspace_identity,
            role=NETWORK_CONNECTION_APPROVER,
            opts=pulumi.ResourceOptions(parent=workspace),
        )
        return approver

    def _data(self, workspace: TeamWorkspace, people: list[Principal]) -> Mapping[str, RegisteredDatastore]:
        data = self._team.data
        if data is None:
            return {}
        with_share = [workspace.workspace_identity, workspace.node_identity]
        if not workspace.grants_by_group:
            with_share += people
        elif data.shares:
            for person in people:
                self._files(person, workspace)
        if data.shares and workspace.links:
            workspace.links.connect("data-file", workspace.data_account_id, "file")
        if data.shares and isinstance(self._network, ManagedNetwork):
            workspace.allow_outbound("data-file", PrivateEndpointRule(workspace.data_account_id, "file"))
        made = AdlsDatastore(
            f"{self._team.name}-data",
            AdlsDatastoreArgs(
                resource_group_name=workspace.resource_group_name,
                workspace_name=workspace.workspace_name,
                location=self._department.region,
                account_id=workspace.data_account_id,
                file_systems=data.containers,
                shares={share.name: share.gib for share in data.shares},
                share_contributors=with_share,
                service_identity=self._team.workspace_identity,
                datastores={
                    store.name: Store(store.container, "blob") if store.container else Store(str(store.share), "file")
                    for store in data.datastores
                },
            ),
            opts=pulumi.ResourceOptions(parent=workspace),
        )
        return made.datastores

    def _automation(self, entry: Automation, workspace: TeamWorkspace) -> ServicePrincipal:
        made = self._service_principal(entry.name, entry.secret, workspace, _federations(entry))
        if entry.role == "contributor":
            assign(
                f"{self._team.name}-{entry.name}-workspace",
                scope=workspace.workspace_id,
                principal=made.principal,
                role=CONTRIBUTOR,
                opts=pulumi.ResourceOptions(parent=workspace),
            )
        return made

    def _service_principal(
        self,
        name: str,
        secret: Secret | None,
        workspace: TeamWorkspace,
        federations: Mapping[str, Federation] | None = None,
    ) -> ServicePrincipal:
        kept = None
        if secret:
            kept = VaultSecretArgs(
                resource_group_name=workspace.vault_group_name,
                vault_name=workspace.vault_name,
                secret_name=self._secret_name(name),
                rotated=secret.rotated,
                valid_days=secret.valid_days,
                tags=self._tags,
            )
        made = ServicePrincipal(
            f"{self._team.name}-{name}",
            ServicePrincipalArgs(display_name=f"{self._prefix} {name}", federations=federations or {}, secret=kept),
            opts=pulumi.ResourceOptions(
                parent=workspace, depends_on=self._vault_officers(workspace) if secret else None
            ),
        )
        for reader in self._principals(secret.readers if secret else ()):
            assign(
                f"{self._team.name}-{name}-secret-{reader.name}",
                scope=made.vault_secret_id or "",
                principal=reader,
                role=KEY_VAULT_SECRETS_USER,
                opts=pulumi.ResourceOptions(parent=made),
            )
        return made

    def _secret_name(self, name: str) -> str:
        """Name of a secret in the vault, which others may use too where it exists already."""
        own = f"{name}-password"
        return f"{self._prefix.replace(' ', '-')}-{own}" if self._team.existing.key_vault_id else own

    def _vault_officers(self, workspace: TeamWorkspace) -> list[pulumi.Resource]:
        """Let those who deploy remove secrets, which azure-native does at the vault and not by rights on the group."""
        if not self._officers:
            department = self._department
            self._officers = [
                assign(
                    f"{self._team.name}-vault-{deployer.name}",
                    scope=workspace.vault_id,
                    principal=deployer,
                    role=KEY_VAULT_SECRETS_OFFICER,
                    opts=pulumi.ResourceOptions(parent=workspace),
                )
                for deployer in self._principals(department.deployers or (Member(user=department.admin),))
            ]
        return self._officers


def network_from(settings: settings_.Network) -> Network:
    """The network of the components, from that of the settings."""
    if settings.mode == "private":
        return PrivateNetwork(
            address_space=settings.address_space,
            endpoint_subnet_id=settings.endpoint_subnet_id,
            compute_subnet_id=settings.compute_subnet_id,
            dns_zones_group_id=settings.dns_zones_group_id,
        )
    if settings.mode == "managed":
        return ManagedNetwork(
            approved_only=settings.outbound_access != "internet",
            basic_firewall=settings.basic_firewall,
            outbound={rule.name: _outbound(rule) for rule in settings.outbound},
            allowed_ips=settings.allowed_ips,
        )
    return PublicNetwork(settings.allowed_ips)


def _outbound(rule: settings_.Outbound) -> OutboundRule:
    if rule.host:
        return FqdnRule(rule.host)
    if rule.service_tag:
        return ServiceTagRule(rule.service_tag, rule.ports, rule.protocol)
    return PrivateEndpointRule(str(rule.resource_id), str(rule.subresource))


def _customer_key(team: Team) -> CustomerKey | None:
    key = team.customer_key
    return CustomerKey(key.key_id, key.identity_id, key.service_side) if key else None


def _federations(entry: Automation) -> Mapping[str, Federation]:
    """The pipelines whose tokens stand for a service principal.

    Source of the subjects: docs.github.com/actions/concepts/security/openid-connect and
    learn.microsoft.com/azure/devops/pipelines/release/configure-workload-identity.
    """
    found = {}
    if github := entry.git_hub:
        where = f"environment:{github.environment}" if github.environment else f"ref:refs/heads/{github.branch}"
        found["github"] = Federation(GITHUB_ISSUER, f"repo:{github.repository}:{where}")
    if devops := entry.azure_dev_ops:
        subject = f"sc://{devops.organization}/{devops.project}/{devops.service_connection}"
        found["azure-devops"] = Federation(f"{AZURE_DEVOPS_ISSUER}/{devops.organization_id}", subject)
    return found


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
