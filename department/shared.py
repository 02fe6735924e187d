"""The sections `shared` and `subscriptionAdmins`, and what watches over what the teams share."""

import pulumi

from components.governance.azurepolicy import ALWAYS, CustomDefinitions, PolicyAssignmentsArgs, assign_policies, define
from components.identity.access import define_role, guid_of
from components.identity.directory import Directory
from components.identity.principals import assign, unique
from components.identity.roles import SUBSCRIPTION_ADMIN
from components.network.modes import firewall
from components.workspace.shared import SharedServices, SharedServicesArgs
from department.network import network_from
from department.people import principal
from settings import Department, logical
from settings.names import SHARED
from settings.registries import shared_registry_tier


def define_policies(department: Department, provider: pulumi.ProviderResource) -> CustomDefinitions | None:
    """Define the department's own Azure Policy rules, if it has policies."""
    if department.azure_policy == "off":
        return None
    return define(f"{department.code}-{department.scheme.environment}", opts=pulumi.ResourceOptions(provider=provider))


def make_shared_services(
    department: Department, provider: pulumi.ProviderResource, policies: CustomDefinitions | None
) -> SharedServices | None:
    """Make what is made for all teams together."""
    shared = department.shared
    if not shared.makes:
        return None
    services = SharedServices(
        SHARED,
        SharedServicesArgs(
            names=department.shared_names,
            location=department.region,
            registry=shared.registry,
            registry_sku=shared_registry_tier(department),
            firewall=firewall(network_from(department.network)),
            log_workspace=shared.log_workspace,
            log_retention_days=department.log_retention_days,
            existing_log_workspace_id=shared.log_workspace_id,
            diagnostics=department.diagnostics,
            tags=department.tags_of(),
        ),
        opts=pulumi.ResourceOptions(providers=[provider]),
    )
    if policies and department.azure_policy != "off":
        rules = PolicyAssignmentsArgs(services.resource_group_id, department.azure_policy, ALWAYS, policies)
        assign_policies(SHARED, rules, opts=pulumi.ResourceOptions(parent=services))
    return services


def admit_subscription_admins(department: Department, provider: pulumi.ProviderResource, directory: Directory) -> None:
    """Let the subscription admins ask for quota and support.

    The custom role is named after the department, since other departments can have theirs in the same subscription.
    """
    if not department.subscription_admins:
        return
    scope = f"/subscriptions/{department.subscription_id}"
    full_name = f"{department.code} {department.scheme.environment} {SUBSCRIPTION_ADMIN.title}"
    opts = pulumi.ResourceOptions(provider=provider)
    role = define_role(logical.SUBSCRIPTION_ADMIN, SUBSCRIPTION_ADMIN, full_name=full_name, scope=scope, opts=opts)
    guid = guid_of(role, full_name)
    for admin in unique(principal(directory, member) for member in department.subscription_admins):
        assign(logical.subscription_admin(admin.name), scope=scope, principal=admin, role=guid, opts=opts)
