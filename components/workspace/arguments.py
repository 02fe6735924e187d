"""The arguments of a team's workspace, and what may exist already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pulumi

from catalogue.names import TeamNames
from components.data.encryption import CustomerKey
from components.identity.principals import Principal
from components.network.modes import Network, PublicNetwork


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
        data_condition: Condition of the contributors' role on the resource group, as `catalogue.conditions` writes it.
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
    data_condition: str | None = None
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
