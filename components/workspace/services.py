"""Services that a team has for itself or that teams share: container registry and Log Analytics workspace."""

from collections.abc import Mapping
from typing import Literal

import pulumi
from pulumi_azure_native import containerregistry, operationalinsights

from components.data.encryption import Encryption
from components.network.modes import Firewall


def container_registry(
    logical_name: str,
    *,
    registry_name: str,
    resource_group_name: pulumi.Input[str],
    location: str,
    sku: Literal["Basic", "Standard", "Premium"],
    firewall: Firewall,
    tags: Mapping[str, str],
    opts: pulumi.ResourceOptions,
    encryption: Encryption | None = None,
) -> containerregistry.Registry:
    """A registry without an admin user and without anonymous access.

    Args:
        logical_name: Name of Pulumi's resource.
        registry_name: Its name, unique in the world.
        resource_group_name: Its resource group.
        location: Azure region.
        sku: Its tier; only Premium has private endpoints and a list of addresses.
        firewall: From where it is reached.
        tags: Its tags.
        opts: Parent and dependencies.
        encryption: A key of the customer's own, only for Premium and only from the beginning.
    """
    identity = None
    if encryption:
        kind = containerregistry.ResourceIdentityType.USER_ASSIGNED
        users = encryption.identity_id.apply(lambda id_: {id_: containerregistry.UserIdentityPropertiesArgs()})
        identity = containerregistry.IdentityPropertiesArgs(type=kind, user_assigned_identities=users)
    return containerregistry.Registry(
        logical_name,
        registry_name=registry_name,
        resource_group_name=resource_group_name,
        location=location,
        sku=containerregistry.SkuArgs(name=sku),
        admin_user_enabled=False,
        anonymous_pull_enabled=False,
        public_network_access=firewall.public_network_access,
        network_rule_set=_rules(firewall),
        identity=identity,
        encryption=encryption.of_registry() if encryption else None,
        tags=tags,
        opts=opts if encryption is None else encryption.first(opts),
    )


def _rules(firewall: Firewall) -> containerregistry.NetworkRuleSetArgs | None:
    """Whom a registry lets in; only the tier Premium has such rules."""
    if not firewall.allowed:
        return None
    return containerregistry.NetworkRuleSetArgs(
        default_action=containerregistry.DefaultAction.DENY,
        ip_rules=[
            containerregistry.IPRuleArgs(action=containerregistry.Action.ALLOW, i_p_address_or_range=address)
            for address in firewall.allowed
        ],
    )


def log_workspace(
    logical_name: str,
    *,
    workspace_name: str,
    resource_group_name: pulumi.Input[str],
    location: str,
    retention_days: int,
    tags: Mapping[str, str],
    opts: pulumi.ResourceOptions,
) -> operationalinsights.Workspace:
    """A Log Analytics workspace.

    Args:
        logical_name: Name of Pulumi's resource.
        workspace_name: Its name.
        resource_group_name: Its resource group.
        location: Azure region.
        retention_days: Days that logs are kept, 30 to 730.
        tags: Its tags.
        opts: Parent and dependencies.
    """
    return operationalinsights.Workspace(
        logical_name,
        workspace_name=workspace_name,
        resource_group_name=resource_group_name,
        location=location,
        sku=operationalinsights.WorkspaceSkuArgs(name="PerGB2018"),
        retention_in_days=retention_days,
        tags=tags,
        opts=opts,
    )
