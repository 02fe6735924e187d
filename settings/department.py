"""A department: the root of the settings."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from catalogue.names import TeamNames
from settings.existing import Shared
from settings.ids import name_in
from settings.names import CODE_LIMIT, REGION_LIMIT, SHARED, Scheme
from settings.naming import Naming
from settings.network import Network
from settings.people import Member
from settings.security import KeyVault
from settings.tags import MOST, TagName, Tags, merged
from settings.team import Team
from settings.types import (
    PRODUCTION,
    Entries,
    Environment,
    Guid,
    Region,
    RegistrySku,
    Section,
    UserName,
    VmSizeName,
    resolved,
)


class ModelRegistry(Section):
    """An Azure ML registry, through which the teams share models, environments and components.

    It is in a resource group of its own, and closed to the internet where the network of every team is private.
    """

    regions: Entries[Region] = Field(
        default=(), description="Further regions that keep a copy of its content, for workspaces there."
    )


class Department(Section):
    """A department's Azure Machine Learning platform in one environment: one stack."""

    code: str = Field(
        pattern=rf"^[a-z][a-z0-9]{{0,{CODE_LIMIT - 1}}}$",
        description=(
            f"Short code: up to {CODE_LIMIT} lower-case letters and digits, starting with a letter. "
            "It is part of the resources' names."
        ),
    )
    environment: Environment = Field(
        description=(
            "'res' (research), 'dev' (development) or 'pro' (production). "
            "'pro' has safer defaults. naming.environment spells it otherwise in names, as in prod."
        )
    )
    region: Region = Field(
        description="Azure region of everything, such as eastus2 or East US 2 (az account list-locations)."
    )
    region_abbreviation: str = Field(
        pattern=rf"^[a-z0-9]{{1,{REGION_LIMIT}}}$",
        description=f"The region in names: up to {REGION_LIMIT} lower-case letters and digits, such as e2.",
    )
    subscription_id: Guid = Field(
        description="Azure subscription of everything: 32 lower-case hexadecimal digits as 8-4-4-4-12."
    )
    admin: UserName = Field(description="Administrator of the department, as a user principal name.")
    owner: str = resolved("Value of the tag 'owner'; the admin if left out.", min_length=1, max_length=256)
    cost_center: str = resolved("Value of the tag 'costCenter'; the code if left out.", min_length=1, max_length=256)
    tags: Tags = Field(
        default={},
        description=f"Further tags of everything that takes tags: up to {MOST} names with their values.",
    )
    ignore_tags: Entries[TagName] = Field(
        default=(),
        max_length=50,
        description=(
            "Names of tags that others put on the resources, spelled as Azure shows them. "
            "After a refresh, up leaves them as they are."
        ),
    )
    allowed_vm_sizes: Entries[VmSizeName] | None = Field(
        default=None, min_length=1, description="VM sizes that the teams may use; all known ones if left out."
    )
    network: Network = Field(default=Network(), description="Network of the teams that have none of their own.")
    shared: Shared = Field(default=Shared(), description="What the teams use together.")
    key_vault: KeyVault = resolved("Settings of the teams' key vaults.")
    registry_sku: RegistrySku | None = Field(
        default=None,
        description=(
            "Tier of the teams' container registries. If left out: "
            "Premium where it must be, else Standard in environment pro and Basic elsewhere."
        ),
    )
    log_retention_days: int = Field(
        default=30, ge=30, le=730, description="Days that logs are kept, 30 to 730. Azure charges for those above 31."
    )
    protect: bool = resolved(
        "Whether Azure's locks and Pulumi keep key vaults and storage accounts from deletion. "
        "If left out: true in environment pro, else false."
    )
    diagnostics: bool = resolved(
        "Whether logs and metrics are collected, for which Log Analytics charges. "
        "If left out: true in environment pro, else false."
    )
    azure_policy: Literal["off", "audit", "deny"] = resolved(
        "Azure Policy on the resource groups: 'off', 'audit' reports, 'deny' refuses. "
        "If left out: 'audit' in environment pro, else 'off'."
    )
    naming: Naming = Field(default=Naming(), description="Patterns of names in place of the usual ones.")
    unique_names: bool = Field(
        default=False,
        description=(
            "Whether a hash of 4 characters makes storage, vault and registry names unique in the world. "
            "Patterns of naming have it as {hash}. Fixed once a team is up."
        ),
    )
    keep_version_aliases: bool = Field(
        default=False,
        description=(
            "Whether the aliases for older azure-native types are kept: "
            "slow, and needed only for a stack of azure-native 1 or 2."
        ),
    )
    model_registry: ModelRegistry | None = Field(
        default=None, description="A registry of models for all teams; none if left out."
    )
    deployers: Entries[Member] = resolved(
        "Who runs pulumi up; the admin if left out. They may change the secrets in the teams' key vaults."
    )
    subscription_admins: Entries[Member] = Field(
        default=(),
        description="Who asks for quota and support, and divides quota between workspaces. They change no resource.",
    )
    teams: Entries[Team] = Field(min_length=1, description="The department's teams, at least one.")

    @property
    def replication(self) -> str:
        """Redundancy of the storage accounts: across zones in production, within one elsewhere."""
        return "Standard_ZRS" if self.environment == PRODUCTION else "Standard_LRS"

    def tags_of(self, team: Team | None = None) -> Mapping[str, str]:
        """The tags of every resource of a team, or of what the teams share."""
        computed = {
            "department": self.code,
            "environment": self.environment,
            "owner": self.owner,
            "costCenter": self.cost_center,
        }
        if team is None:
            return merged(self.tags, computed)
        return merged(self.tags, team.tags, computed, {"team": team.name})

    def names(self, team: Team) -> TeamNames:
        """The names of a team's resources.

        Raises:
            NameRefusedError: Not of a department that `parse_department` has accepted.
        """
        return self.scheme.team(team.name_on_azure, team.custom_name)

    @property
    def shared_names(self) -> TeamNames:
        """The names of what the teams share."""
        return self.scheme.team(SHARED)

    def resource_group(self, team: Team) -> str:
        """Name of a team's resource group."""
        given = team.existing.resource_group_id
        return name_in(given) if given else self.names(team).resource_group

    @property
    def scheme(self) -> Scheme:
        """How the department's resources are named."""
        return Scheme(
            department=self.code,
            region=self.region,
            region_abbreviation=self.region_abbreviation,
            environment=self.naming.environment or self.environment,
            subscription_id=self.subscription_id,
            unique_names=self.unique_names,
            patterns=self.naming.patterns,
        )
