"""The values that the mappers of a department share, and those of a team."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi

from catalogue.names import TeamNames
from catalogue.prices import Prices
from components.governance.azurepolicy import CustomDefinitions
from components.identity.directory import Directory
from components.network.modes import ManagedNetwork, Network, PublicNetwork
from components.workspace.modelregistry import ModelRegistry
from components.workspace.shared import SharedServices
from components.workspace.workspace import TeamWorkspace
from department.network import network_from
from settings import Department, Team


@dataclass(frozen=True)
class DepartmentContext:
    """The values that the teams of a department have in common.

    Attributes:
        department: The settings.
        provider: azure-native in the department's subscription.
        directory_provider: azuread; None for the default provider.
        tenant_id: The Entra tenant.
        directory: Finds people and groups.
        prices: What VM sizes cost.
        custom_policies: The department's own Azure Policy definitions, if it has policies.
        services: What is made for all teams together, if anything is.
        model_registry: What the teams share models through, if the department has it.
    """

    department: Department
    provider: pulumi.ProviderResource
    directory_provider: pulumi.ProviderResource | None
    tenant_id: pulumi.Output[str]
    directory: Directory
    prices: Prices
    custom_policies: CustomDefinitions | None
    services: SharedServices | None
    model_registry: ModelRegistry | None


@dataclass(frozen=True)
class TeamContext:
    """The values that the mappers of one team share before it has a workspace.

    Attributes:
        shared: What all teams have in common.
        team: The settings.
        names: Names of the team's resources.
        tags: Their tags.
        network: How they are reached.
        prefix: First part of the names of roles, groups and applications, which are unique in the tenant.
    """

    shared: DepartmentContext
    team: Team
    names: TeamNames
    tags: Mapping[str, str]
    network: Network
    prefix: str

    @classmethod
    def of(cls, shared: DepartmentContext, team: Team) -> "TeamContext":
        """The context of a team."""
        department = shared.department
        return cls(
            shared=shared,
            team=team,
            names=department.names(team),
            tags=department.tags_of(team),
            network=network_from(team.network),
            prefix=f"{department.code} {team.name_on_azure} {department.scheme.environment}",
        )

    @property
    def providers(self) -> list[pulumi.ProviderResource]:
        """The providers of the team's resources."""
        given = (self.shared.provider, self.shared.directory_provider)
        return [provider for provider in given if provider is not None]

    @property
    def department(self) -> Department:
        """The department's settings."""
        return self.shared.department


@dataclass(frozen=True)
class WorkspaceContext(TeamContext):
    """The values that the mappers share once the team has a workspace.

    Attributes:
        workspace: The workspace.
        file_access: Assignments by which people reach file shares, by their name, so that each is made once.
        vault_officers: Assignments by which the deployers change secrets, made when the first secret is.
    """

    workspace: TeamWorkspace
    file_access: dict[str, pulumi.Resource] = field(default_factory=dict)
    vault_officers: list[pulumi.Resource] = field(default_factory=list)

    @classmethod
    def with_workspace(cls, context: TeamContext, workspace: TeamWorkspace) -> "WorkspaceContext":
        """The context of a team whose workspace is made."""
        return cls(
            context.shared, context.team, context.names, context.tags, context.network, context.prefix, workspace
        )

    @property
    def child(self) -> pulumi.ResourceOptions:
        """Options of what belongs to the workspace."""
        return pulumi.ResourceOptions(parent=self.workspace)

    def child_after(self, *needs: pulumi.Resource) -> pulumi.ResourceOptions:
        """Options of what belongs to the workspace and needs something else first."""
        return pulumi.ResourceOptions(parent=self.workspace, depends_on=list(needs) or None)

    @property
    def compute_subnet_id(self) -> pulumi.Output[str] | None:
        """Subnet of clusters and instances, in a private network."""
        return self.workspace.private_links.compute_subnet_id if self.workspace.private_links else None

    @property
    def public_ip(self) -> bool:
        """Whether nodes have public addresses."""
        return isinstance(self.network, PublicNetwork)

    @property
    def managed(self) -> bool:
        """Whether Azure ML keeps the clusters in a network of its own."""
        return isinstance(self.network, ManagedNetwork)
