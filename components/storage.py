"""Storage accounts as all of a team's are: HTTPS with TLS 1.2, no public blobs, no account keys."""

from collections.abc import Mapping

import pulumi
from pulumi_azure_native import storage


def storage_account(
    logical_name: str,
    *,
    account_name: str,
    resource_group_name: pulumi.Input[str],
    location: pulumi.Input[str],
    replication: str,
    tags: Mapping[str, str],
    opts: pulumi.ResourceOptions,
    hierarchical: bool = False,
) -> storage.StorageAccount:
    """A general-purpose account that is reached by Entra identities only.

    Args:
        logical_name: Name of Pulumi's resource.
        account_name: 3 to 24 lower-case letters and digits, unique in the world.
        resource_group_name: Resource group of the account.
        location: Azure region.
        replication: Redundancy: `Standard_LRS`, `Standard_ZRS`, …
        tags: Tags of the account.
        opts: Parent and dependencies.
        hierarchical: Whether it is a data lake. A workspace refuses such an account as its own.
    """
    return storage.StorageAccount(
        logical_name,
        account_name=account_name,
        resource_group_name=resource_group_name,
        location=location,
        kind="StorageV2",
        sku=storage.SkuArgs(name=replication),
        access_tier=storage.AccessTier.HOT,
        is_hns_enabled=hierarchical,
        enable_https_traffic_only=True,
        minimum_tls_version="TLS1_2",
        allow_blob_public_access=False,
        allow_shared_key_access=False,
        allow_cross_tenant_replication=False,
        default_to_o_auth_authentication=True,
        public_network_access="Enabled",
        network_rule_set=storage.NetworkRuleSetArgs(
            default_action=storage.DefaultAction.ALLOW, bypass="AzureServices", ip_rules=[], virtual_network_rules=[]
        ),
        tags=tags,
        opts=opts,
    )
