"""One department: a workspace with clusters, lake and roles for each of its teams."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pulumi
import pulumi_azure_native as azure_native
from pulumi_azure_native import authorization

from components.access import DataScientistRole, DataScientistRoleArgs, define_role, role_guid
from components.aliases import drop_version_aliases
from components.compute import ComputeCluster, ComputeClusterArgs
from components.datastore import AdlsDatastore, AdlsDatastoreArgs
from components.directory import Directory
from components.outputs import CONTRACT
from components.principals import Principal, assign, subscription_of, unique
from components.roles import SUBSCRIPTION_ADMIN, WORKS_WITH_DATA, Persona
from components.settings import Cluster, Department, Lake, Team
from components.settings.warnings import warnings
from components.workspace import TeamWorkspace, TeamWorkspaceArgs


def build_department(department: Department) -> Mapping[str, Any]:
    """Register everything of a department; the stack's outputs, as `components.outputs.StackOutputs` describes them."""
    for warning in warnings(department, date.today()):
        pulumi.log.warn(warning)
    if not department.keep_version_aliases:
        drop_version_aliases()
    provider = azure_native.Provider("azure", subscription_id=department.subscription_id)
    client = authorization.get_client_config_output(opts=pulumi.InvokeOptions(provider=provider))
    builder = _Builder(department, provider, client.tenant_id, Directory())
    builder.subscription_admins()
    return {
        "contract": CONTRACT,
        "department": {
            "code": department.code,
            "environment": department.environment,
            "region": department.region,
            "subscriptionId": department.subscription_id,
            "owner": department.tag_owner,
            "costCenter": department.tag_cost_center,
        },
        "teams": {team.name: builder.team(team) for team in department.teams},
    }


class _Builder:
    """Builds teams with what they share: provider, tenant and directory."""

    def __init__(
        self,
        department: Department,
        provider: pulumi.ProviderResource,
        tenant_id: pulumi.Output[str],
        directory: Directory,
    ) -> None:
        self._department = department
        self._provider = provider
        self._tenant_id = tenant_id
        self._directory = directory

    def team(self, team: Team) -> Mapping[str, Any]:
        department = self._department
        members = self._members(team)
        people = [person for persona in WORKS_WITH_DATA for person in members[persona]]
        workspace = TeamWorkspace(
            team.name,
            TeamWorkspaceArgs(
                names=department.names(team),
                location=department.region,
                tenant_id=self._tenant_id,
                data_contributors=people,
                purge_protection=department.purge_protection,
                vault_retention_days=department.key_vault.retention_days,
                registry_sku=department.registry_tier,
                log_retention_days=department.log_retention_days,
                replication=department.replication,
                tags=department.tags(team),
            ),
            opts=pulumi.ResourceOptions(providers=[self._provider]),
        )
        access = DataScientistRole(
            team.name,
            DataScientistRoleArgs(
                role_prefix=f"{department.code} {team.name} {department.environment}",
                resource_group_id=workspace.resource_group_id,
                members=members,
            ),
            opts=pulumi.ResourceOptions(parent=workspace),
        )
        clusters = {cluster.name: self._cluster(team, cluster, workspace) for cluster in team.clusters}
        contributors = [workspace.workspace_identity, workspace.node_identity, *people]
        lake = self._lake(team, team.lake, workspace, contributors) if team.lake else None
        return {
            "subscriptionId": workspace.workspace_id.apply(subscription_of),
            "resourceGroup": workspace.resource_group_name,
            "workspace": workspace.workspace_name,
            "location": workspace.location,
            "studioUrl": workspace.studio_url,
            "trackingUri": workspace.tracking_uri,
            "clusters": clusters,
            "datastores": {
                name: {
                    "type": "AzureDataLakeGen2",
                    "account": datastore.account,
                    "container": datastore.container,
                    "uri": datastore.uri,
                }
                for name, datastore in (lake.datastores.items() if lake else ())
            },
            "roles": {persona: {"name": role.name, "id": role.id} for persona, role in access.defined.items()},
        }

    def _members(self, team: Team) -> Mapping[Persona, list[Principal]]:
        lists = {
            Persona.ADMIN: team.admins,
            Persona.LEAD: team.leads,
            Persona.DATA_SCIENTIST: team.data_scientists,
            Persona.AUTOMATION: (),
            Persona.READER: team.readers,
        }
        return {persona: [self._directory.principal(member) for member in listed] for persona, listed in lists.items()}

    def subscription_admins(self) -> None:
        """Who may ask for quota: a role of the department's own, as the subscription has others."""
        department = self._department
        if not department.subscription_admins:
            return
        scope = f"/subscriptions/{department.subscription_id}"
        full_name = f"{department.code} {department.environment} {SUBSCRIPTION_ADMIN.title}"
        opts = pulumi.ResourceOptions(provider=self._provider)
        role = define_role("subscription-admin", SUBSCRIPTION_ADMIN, full_name=full_name, scope=scope, opts=opts)
        for member in unique(map(self._directory.principal, department.subscription_admins)):
            assign(
                f"subscription-admin-{member.name}",
                scope=scope,
                principal=member,
                role=role_guid(full_name),
                opts=pulumi.ResourceOptions(provider=self._provider, depends_on=[role]),
            )

    def _cluster(self, team: Team, cluster: Cluster, workspace: TeamWorkspace) -> Mapping[str, Any]:
        made = ComputeCluster(
            f"{team.name}-{cluster.name}",
            ComputeClusterArgs(
                resource_group_name=workspace.resource_group_name,
                workspace_name=workspace.workspace_name,
                cluster_name=cluster.name,
                location=self._department.region,
                vm_size=cluster.vm_size,
                max_nodes=cluster.max_nodes,
                identity_id=workspace.node_identity_id,
                priority=cluster.priority,
                idle_minutes=cluster.idle_minutes,
                tags=self._department.tags(team),
            ),
            opts=pulumi.ResourceOptions(parent=workspace, depends_on=workspace.node_access),
        )
        return {
            "vmSize": made.vm_size,
            "maxNodes": cluster.max_nodes,
            "priority": cluster.priority,
            "idleMinutes": cluster.idle_minutes,
        }

    def _lake(self, team: Team, lake: Lake, workspace: TeamWorkspace, contributors: list[Any]) -> AdlsDatastore:
        return AdlsDatastore(
            team.name,
            AdlsDatastoreArgs(
                resource_group_name=workspace.resource_group_name,
                workspace_name=workspace.workspace_name,
                location=self._department.region,
                account_name=self._department.names(team).lake,
                file_systems=lake.file_systems,
                datastores={datastore.name: datastore.file_system for datastore in lake.datastores},
                contributors=contributors,
                replication=self._department.replication,
                tags=self._department.tags(team),
            ),
            opts=pulumi.ResourceOptions(parent=workspace),
        )
