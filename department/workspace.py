"""A team's workspace, from the settings of team and department."""

from collections.abc import Sequence

import pulumi

from catalogue.conditions import outside_of_account
from components.data.encryption import CustomerKey
from components.identity.principals import Principal
from components.workspace.arguments import Existing, TeamWorkspaceArgs
from components.workspace.workspace import TeamWorkspace
from department.context import TeamContext
from settings.registries import connects_shared_registry, registry_tier


def make_workspace(context: TeamContext, contributors: Sequence[Principal]) -> TeamWorkspace:
    """Make the workspace with everything that it needs; `contributors` read and write the team's storage."""
    department, team, key = context.department, context.team, context.team.customer_key
    workspace = TeamWorkspace(
        team.name,
        TeamWorkspaceArgs(
            names=context.names,
            location=department.region,
            tenant_id=context.shared.tenant_id,
            data_contributors=contributors,
            data_condition=_condition(context),
            existing=_existing(context),
            purge_protection=department.key_vault.purge_protection,
            vault_retention_days=department.key_vault.retention_days,
            registry_sku=registry_tier(department, team),
            network=context.network,
            identity=team.workspace_identity,
            high_business_impact=team.high_business_impact,
            customer_key=CustomerKey(key.key_id, key.identity_id, key.service_side) if key else None,
            image_build_cluster=team.builds_images,
            log_retention_days=department.log_retention_days,
            replication=department.replication,
            protect=department.protect,
            diagnostics=department.diagnostics,
            tags=context.tags,
        ),
        opts=pulumi.ResourceOptions(providers=context.providers),
    )
    private_links = workspace.private_links
    if private_links and not private_links.own_zones and connects_shared_registry(department, team):
        private_links.connect("registry", workspace.registry_id, "registry")
    return workspace


def _condition(context: TeamContext) -> str | None:
    """Keep the role on the group from those file systems and folders of the lake that only some people reach."""
    lake = context.team.lake
    if lake is None:
        return None
    account = lake.account_id.rsplit("/", 1)[1] if lake.account_id else context.names.lake
    return outside_of_account(account, lake.restricted_file_systems, lake.restricted_folders)


def _existing(context: TeamContext) -> Existing:
    """The resources that the workspace uses and does not make: they exist, or are made for all teams."""
    given, services = context.team.existing, context.shared.services
    return Existing(
        resource_group_id=given.resource_group_id,
        vault_id=given.key_vault_id,
        registry_id=given.registry_id or (services.registry_id if services else None),
        log_workspace_id=given.log_workspace_id or (services.log_workspace_id if services else None),
        insights_id=given.application_insights_id,
    )
