"""The Azure resources that a workspace is made with: storage accounts, vault, registry, logs, Application Insights."""

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import (
    applicationinsights,
    containerregistry,
    keyvault,
    operationalinsights,
    storage,
)

from components.data.encryption import Encryption, MadeKeyArgs, given_key, make_key
from components.data.storage import storage_account
from components.identity.principals import Principal
from components.workspace.group import TeamGroup
from components.workspace.identities import looked_up, make_identity
from components.workspace.services import container_registry, log_workspace


@dataclass(frozen=True)
class Dependencies:
    """The resources that a workspace needs. Vault and registry are None where they exist already."""

    work: storage.StorageAccount
    data: storage.StorageAccount
    vault: keyvault.Vault | None
    registry: containerregistry.Registry | None
    vault_id: pulumi.Output[str]
    registry_id: pulumi.Output[str]
    logs_id: pulumi.Output[str]
    insights_id: pulumi.Output[str]
    encryption: Encryption | None


def make_dependencies(group: TeamGroup) -> Dependencies:
    """Make each of them that does not exist already."""
    existing = group.args.existing
    vault = None if existing.vault_id else _vault(group)
    encryption = _encryption(group, vault)
    registry = None if existing.registry_id else _registry(group, encryption)
    logs_id = existing.log_workspace_id or _logs(group).id
    return Dependencies(
        work=_storage(group, "work", group.args.names.work, encryption),
        data=_storage(group, "data", group.args.names.data, encryption),
        vault=vault,
        registry=registry,
        vault_id=_id(existing.vault_id, vault),
        registry_id=_id(existing.registry_id, registry),
        logs_id=pulumi.Output.from_input(logs_id),
        insights_id=pulumi.Output.from_input(existing.insights_id or _insights(group, logs_id).id),
        encryption=encryption,
    )


def _storage(
    group: TeamGroup, purpose: str, account_name: str, encryption: Encryption | None
) -> storage.StorageAccount:
    return storage_account(
        f"{group.logical_name}-{purpose}",
        account_name=account_name,
        resource_group_name=group.name,
        location=group.args.location,
        replication=group.args.replication,
        firewall=group.firewall,
        encryption=encryption,
        tags=group.args.tags,
        opts=group.protected(),
    )


def _encryption(group: TeamGroup, vault: keyvault.Vault | None) -> Encryption | None:
    """The customer's own key, given or made in the vault, with an identity that does nothing else."""
    key = group.args.customer_key
    if key is None:
        return None
    if key.key_id or vault is None:
        return given_key(key, parent=group.component)
    identity = make_identity(group, "key", group.args.names.key_identity)
    present = looked_up(group, identity)
    made = MadeKeyArgs(
        vault_id=pulumi.Output.from_input(vault.id),
        vault_name=pulumi.Output.from_input(vault.name),
        vault_group_name=group.name,
        identity_id=pulumi.Output.from_input(identity.id),
        identity=Principal("key-identity", present.principal_id, "ServicePrincipal"),
        client_id=present.client_id,
        service_side=key.service_side,
        tags=group.args.tags,
    )
    return make_key(f"{group.logical_name}-key", made, opts=group.child())


def _vault(group: TeamGroup) -> keyvault.Vault:
    return keyvault.Vault(
        f"{group.logical_name}-vault",
        vault_name=group.args.names.vault,
        resource_group_name=group.name,
        location=group.args.location,
        properties=keyvault.VaultPropertiesArgs(
            tenant_id=group.args.tenant_id,
            sku=keyvault.SkuArgs(family=keyvault.SkuFamily.A, name=keyvault.SkuName.STANDARD),
            enable_rbac_authorization=True,
            enable_soft_delete=True,
            soft_delete_retention_in_days=group.args.vault_retention_days,
            # Azure accepts true or nothing, never false.
            enable_purge_protection=True if group.args.purge_protection else None,
            public_network_access=group.firewall.public_network_access,
            network_acls=keyvault.NetworkRuleSetArgs(
                bypass=keyvault.NetworkRuleBypassOptions.AZURE_SERVICES,
                default_action=keyvault.NetworkRuleAction(group.firewall.default_action),
                ip_rules=[keyvault.IPRuleArgs(value=address) for address in group.firewall.allowed],
                virtual_network_rules=[],
            ),
        ),
        tags=group.args.tags,
        opts=group.protected(),
    )


def _registry(group: TeamGroup, encryption: Encryption | None) -> containerregistry.Registry:
    return container_registry(
        f"{group.logical_name}-registry",
        registry_name=group.args.names.registry,
        resource_group_name=group.name,
        location=group.args.location,
        sku=group.args.registry_sku,
        firewall=group.firewall,
        encryption=encryption,
        tags=group.args.tags,
        opts=group.child(),
    )


def _logs(group: TeamGroup) -> operationalinsights.Workspace:
    return log_workspace(
        f"{group.logical_name}-logs",
        workspace_name=group.args.names.logs,
        resource_group_name=group.name,
        location=group.args.location,
        retention_days=group.args.log_retention_days,
        tags=group.args.tags,
        opts=group.child(),
    )


def _insights(group: TeamGroup, logs_id: pulumi.Input[str]) -> applicationinsights.Component:
    return applicationinsights.Component(
        f"{group.logical_name}-insights",
        resource_name_=group.args.names.insights,
        resource_group_name=group.name,
        location=group.args.location,
        kind="web",
        application_type="web",
        ingestion_mode="LogAnalytics",
        workspace_resource_id=logs_id,
        tags=group.args.tags,
        opts=group.child(),
    )


def _id(given: pulumi.Input[str] | None, made: pulumi.CustomResource | None) -> pulumi.Output[str]:
    return pulumi.Output.from_input(given or (made.id if made else ""))
