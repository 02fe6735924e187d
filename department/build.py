"""One department: its teams, and what concerns the whole subscription."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pulumi
import pulumi_azure_native as azure_native
from pulumi_azure_native import authorization

from components.governance.azurepolicy import ALWAYS, PolicyAssignmentsArgs, assign_policies, define
from components.identity.access import define_role, guid_of
from components.identity.directory import Directory
from components.identity.principals import assign, unique
from components.identity.roles import SUBSCRIPTION_ADMIN
from components.network.modes import firewall
from components.retries import lookup, retry_what_passes
from components.workspace.modelregistry import ModelRegistry, ModelRegistryArgs
from components.workspace.shared import SharedServices, SharedServicesArgs
from contract import CONTRACT
from department.aliases import drop_version_aliases
from department.people import principal
from department.preflight import keep_names, report_quota
from department.team import Shared, build_team, network_from
from settings import Department
from settings.model import SHARED
from settings.names import model_registry_names
from settings.warnings import warnings


def build_department(department: Department) -> Mapping[str, Any]:
    """Register everything of a department; the stack's outputs, as `contract.StackOutputs` describes them."""
    for warning in warnings(department, date.today()):
        pulumi.log.warn(warning)
    report_quota(department)
    keep_names(department)
    if not department.keep_version_aliases:
        drop_version_aliases()
    retry_what_passes()
    provider = azure_native.Provider("azure", subscription_id=department.subscription_id)
    client = lookup(lambda: authorization.get_client_config_output(opts=pulumi.InvokeOptions(provider=provider)))
    policies = None
    if department.policy_effect != "off":
        prefix = f"{department.code}-{department.environment}"
        policies = define(prefix, opts=pulumi.ResourceOptions(provider=provider))
    services = _shared_services(department, provider)
    if services and policies and department.policy_effect != "off":
        rules = PolicyAssignmentsArgs(services.resource_group_id, department.policy_effect, ALWAYS, policies)
        assign_policies(SHARED, rules, opts=pulumi.ResourceOptions(parent=services))
    registry = _model_registry(department, provider)
    shared = Shared(department, provider, client.tenant_id, Directory(), policies, services, registry)
    _subscription_admins(shared)
    return {
        "contract": CONTRACT,
        "department": {
            "code": department.code,
            "environment": department.environment,
            "region": department.region,
            "subscriptionId": department.subscription_id,
            "owner": department.tag_owner,
            "costCenter": department.tag_cost_center,
            "modelRegistry": {
                "name": registry.registry_name,
                "resourceGroup": registry.resource_group_name,
                "uri": registry.uri,
            }
            if registry
            else None,
        },
        "teams": {team.name: build_team(shared, team) for team in department.teams},
    }


def _shared_services(department: Department, provider: pulumi.ProviderResource) -> SharedServices | None:
    """What is made for all teams together."""
    wanted = department.shared
    if not (wanted.registry or wanted.log_workspace):
        return None
    return SharedServices(
        SHARED,
        SharedServicesArgs(
            names=department.shared_names,
            location=department.region,
            registry=wanted.registry,
            registry_sku=department.shared_registry_tier,
            firewall=firewall(network_from(department.network)),
            log_workspace=wanted.log_workspace,
            log_retention_days=department.log_retention_days,
            existing_log_workspace_id=wanted.log_workspace_id,
            diagnostics=department.diagnosed,
            tags=department.shared_tags,
        ),
        opts=pulumi.ResourceOptions(providers=[provider]),
    )


def _model_registry(department: Department, provider: pulumi.ProviderResource) -> ModelRegistry | None:
    if department.model_registry is None:
        return None
    registry_name, group_name = model_registry_names(
        department=department.code,
        region=department.region,
        region_abbreviation=department.region_abbreviation,
        environment=department.environment,
    )
    return ModelRegistry(
        "model-registry",
        ModelRegistryArgs(
            registry_name=registry_name,
            resource_group_name=group_name,
            location=department.region,
            other_regions=department.model_registry.regions,
            replication=department.replication,
            public=any(department.network_of(team).mode != "private" for team in department.teams),
            tags=department.shared_tags,
        ),
        opts=pulumi.ResourceOptions(providers=[provider]),
    )


def _subscription_admins(shared: Shared) -> None:
    """Who may ask for quota: a role of the department's own, as the subscription has others."""
    department = shared.department
    if not department.subscription_admins:
        return
    scope = f"/subscriptions/{department.subscription_id}"
    full_name = f"{department.code} {department.environment} {SUBSCRIPTION_ADMIN.title}"
    opts = pulumi.ResourceOptions(provider=shared.provider)
    role = define_role("subscription-admin", SUBSCRIPTION_ADMIN, full_name=full_name, scope=scope, opts=opts)
    for member in unique(principal(shared.directory, admin) for admin in department.subscription_admins):
        assign(
            f"subscription-admin-{member.name}",
            scope=scope,
            principal=member,
            role=guid_of(role),
            opts=opts,
        )
