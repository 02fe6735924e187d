"""Storage accounts as all of a team's are: HTTPS with TLS 1.2, no public blobs, no account keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import storage

from components.data.encryption import Encryption
from components.network.modes import Firewall


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
    firewall: Firewall | None = None,
    encryption: Encryption | None = None,
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
        firewall: From where it is reached; from everywhere if left out.
        encryption: A key of the customer's own; Microsoft's if left out.
    """
    identity = None
    if encryption:
        kind = storage.IdentityType.USER_ASSIGNED
        identity = storage.IdentityArgs(type=kind, user_assigned_identities=[encryption.identity_id])
    reached = firewall or Firewall()
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
        public_network_access=reached.public_network_access,
        network_rule_set=storage.NetworkRuleSetArgs(
            default_action=storage.DefaultAction(reached.default_action),
            bypass="AzureServices",
            ip_rules=[storage.IPRuleArgs(i_p_address_or_range=_bare(address)) for address in reached.allowed],
            virtual_network_rules=[],
        ),
        identity=identity,
        encryption=encryption.of_storage() if encryption else None,
        tags=tags,
        opts=opts if encryption is None else encryption.first(opts),
    )


def _bare(address: str) -> str:
    """Storage takes single addresses without a prefix length only."""
    return address.removesuffix("/32")


@dataclass(frozen=True)
class Lifecycle:
    """When blobs get cheaper and go, counted in days since they were last written.

    Attributes:
        name: Name of the rule.
        prefixes: File systems, or paths in them, that it concerns; all if empty.
        cool_after: Days until the cool tier.
        archive_after: Days until the archive tier, from where reading takes hours.
        delete_after: Days until they are deleted.
    """

    name: str
    prefixes: Sequence[str] = ()
    cool_after: int | None = None
    archive_after: int | None = None
    delete_after: int | None = None


def protect_from_mistakes(
    logical_name: str,
    account_name: pulumi.Input[str],
    resource_group_name: pulumi.Input[str],
    *,
    soft_delete_days: int,
    lifecycle: Sequence[Lifecycle],
    opts: pulumi.ResourceOptions,
) -> None:
    """Keep what is deleted for a while, and let what is old get cheaper and go.

    Args:
        logical_name: Name of Pulumi's resources.
        account_name: The storage account.
        resource_group_name: Its resource group.
        soft_delete_days: Days that deleted blobs and containers can be restored, 1 to 365, or 0 for none.
        lifecycle: Rules by age; none if empty.
        opts: Parent and dependencies.
    """
    if soft_delete_days:
        retention = storage.DeleteRetentionPolicyArgs(enabled=True, days=soft_delete_days)
        storage.BlobServiceProperties(
            logical_name,
            blob_services_name="default",
            account_name=account_name,
            resource_group_name=resource_group_name,
            delete_retention_policy=retention,
            container_delete_retention_policy=retention,
            opts=opts,
        )
    if lifecycle:
        storage.ManagementPolicy(
            logical_name,
            management_policy_name="default",
            account_name=account_name,
            resource_group_name=resource_group_name,
            policy=storage.ManagementPolicySchemaArgs(rules=[_rule(rule) for rule in lifecycle]),
            opts=opts,
        )


def _rule(rule: Lifecycle) -> storage.ManagementPolicyRuleArgs:
    actions = storage.ManagementPolicyBaseBlobArgs(
        tier_to_cool=_after(rule.cool_after),
        tier_to_archive=_after(rule.archive_after),
        delete=_after(rule.delete_after),
    )
    return storage.ManagementPolicyRuleArgs(
        name=rule.name,
        type="Lifecycle",
        enabled=True,
        definition=storage.ManagementPolicyDefinitionArgs(
            actions=storage.ManagementPolicyActionArgs(base_blob=actions),
            filters=storage.ManagementPolicyFilterArgs(
                blob_types=["blockBlob"], prefix_match=list(rule.prefixes) or None
            ),
        ),
    )


def _after(days: int | None) -> storage.DateAfterModificationArgs | None:
    return None if days is None else storage.DateAfterModificationArgs(days_after_modification_greater_than=days)
