"""The typed settings of a department, as they stand under `azureml-platform:department` in a stack file.

Keys are camelCase in the file. Every field's description says what it means and what is allowed: the error
messages, the JSON schema and the settings reference are made from it.
"""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    WithJsonSchema,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError

from components import vm_sizes
from components.names import TeamNames, team_names
from components.settings.regions import REGIONS

PRODUCTION = "pro"


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", alias_generator=to_camel)


def _known_size(name: str) -> str:
    size = vm_sizes.find(name)
    if size is None:
        nearest = vm_sizes.nearest(name)
        hint = f" Did you mean '{nearest}'?" if nearest else ""
        raise PydanticCustomError("vm_size", "is not a known VM size.{hint}", {"hint": hint})
    return size.name


def _known_region(name: str) -> str:
    if name not in REGIONS:
        raise PydanticCustomError("region", "is not a known Azure region.")
    return name


def _day(value: Any) -> Any:
    """A day, from text; without quotes it reaches the program as midnight, since YAML knows dates and JSON does not."""
    try:
        return date.fromisoformat(value.removesuffix("T00:00:00Z"))
    except (AttributeError, ValueError):
        return value


def _lower(name: str) -> str:
    return name.lower()


# Editors complete from the table, and do not underline other letter case.
VmSizeName = Annotated[
    str,
    AfterValidator(_known_size),
    WithJsonSchema({"anyOf": [{"enum": list(vm_sizes.known())}, {"type": "string", "pattern": "^[A-Za-z]+_\\w+"}]}),
]
Region = Annotated[str, AfterValidator(_known_region), WithJsonSchema({"enum": sorted(REGIONS)})]
UserName = Annotated[str, Field(pattern=r"^[^@\s/]{1,64}@[^@\s/]+\.[^@\s/]+$"), AfterValidator(_lower)]
RegistrySku = Literal["Basic", "Standard", "Premium"]
FileSystemName = Annotated[str, Field(min_length=3, max_length=63, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]


class Cluster(_Settings):
    """A compute cluster (AmlCompute) of a team. It has no nodes while no job runs."""

    name: str = Field(
        min_length=3,
        max_length=16,
        pattern=r"^[A-Za-z]([A-Za-z0-9-]*[A-Za-z][A-Za-z0-9]*|[A-Za-z0-9]*)$",
        description=(
            "Name of the cluster: 3 to 16 letters, digits and hyphens; starts with a letter, and a "
            "letter follows every "
            "hyphen. Azure wants it unique in the region."
        ),
    )
    vm_size: VmSizeName = Field(
        description=(
            "VM size of the nodes, such as STANDARD_DS3_V2, in any letter case. A change makes the cluster anew."
        )
    )
    min_nodes: Literal[0] = Field(
        default=0, description="Nodes that stay while no job runs. Always 0: an idle node costs as much as a busy one."
    )
    max_nodes: int = Field(ge=1, le=1000, description="Most nodes at one time, 1 to 1000.")
    priority: Literal["dedicated", "lowPriority"] = Field(
        default="dedicated",
        description=(
            "'dedicated', or 'lowPriority' for cheaper nodes that Azure may take back. A change makes the cluster anew."
        ),
    )
    idle_minutes: int = Field(
        default=2, ge=1, le=1440, description="Minutes without a job after which a node is given back, 1 to 1440."
    )


class Datastore(_Settings):
    """A datastore of the workspace: the name under which jobs reach a file system of the team's lake."""

    name: str = Field(
        pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_-]{0,254}$",
        description="Name of the datastore: up to 255 letters, digits, hyphens and underscores.",
    )
    file_system: str = Field(description="The lake's file system that it stands for; one of lake.fileSystems.")


class Lake(_Settings):
    """A data lake of the team: a storage account with a hierarchical namespace."""

    file_systems: tuple[FileSystemName, ...] = Field(
        min_length=1,
        description=(
            "File systems of the lake: each 3 to 63 lower-case letters, digits and single hyphens, "
            "at least one of them."
        ),
    )
    datastores: tuple[Datastore, ...] = Field(
        default=(), description="Datastores of the workspace on these file systems."
    )


class Member(_Settings):
    """Somebody with a role: a user principal name alone, or this mapping for a group or for access that ends."""

    user: UserName | None = Field(default=None, description="A user principal name, such as user1@site.com.")
    group: str | None = Field(
        default=None,
        pattern=r"^[^:\x00-\x1f]{1,256}$",
        description="Display name of an existing security group, up to 256 characters without colons.",
    )
    until: Annotated[date, BeforeValidator(_day)] | None = Field(
        default=None,
        description=(
            "Last day of the access, as 2027-01-31. Afterwards every preview refuses until the entry "
            "is deleted; the next up "
            "then takes the access away."
        ),
    )

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"user": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.user is None) == (self.group is None):
            raise PydanticCustomError("member", "names either a user or a group.")
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """A plain name is a user."""
        mapping = handler.resolve_ref_schema(handler(core_schema))
        return {"anyOf": [{"type": "string", "description": "A user principal name."}, mapping]}


class Team(_Settings):
    """A team: one resource group with one workspace, its clusters, its data and its people."""

    name: str = Field(
        pattern=r"^[a-z0-9]{1,10}$",
        description="Name of the team: up to 10 lower-case letters and digits; goes into names.",
    )
    custom_name: str | None = Field(
        default=None,
        pattern=r"^[a-z][a-z0-9]{2,18}$",
        description=(
            "Takes the place of the resource group's name and of the base of all other names: 3 to "
            "19 lower-case letters "
            "and digits, starting with a letter."
        ),
    )
    admins: tuple[Member, ...] = Field(
        default=(),
        description="Administrators of the resource group: they change everything in it, and ask for no quota.",
    )
    leads: tuple[Member, ...] = Field(
        default=(), description="Team leads: they use the workspace, and make and size its compute within the quota."
    )
    data_scientists: tuple[Member, ...] = Field(
        default=(), description="Data scientists: they use all of the workspace, and change no compute."
    )
    readers: tuple[Member, ...] = Field(
        default=(), description="Readers: they see the resources and the runs, and no data."
    )
    clusters: tuple[Cluster, ...] = Field(default=(), description="The team's compute clusters.")
    lake: Lake | None = Field(default=None, description="The team's data lake; none if left out.")


class KeyVault(_Settings):
    """How the teams' key vaults outlive a mistake."""

    purge_protection: bool | None = Field(
        default=None,
        description=(
            "Whether nobody can remove a deleted vault for good before its retention ends. Cannot be "
            "turned off once on. "
            "true in environment pro, false elsewhere if left out."
        ),
    )
    retention_days: int = Field(
        default=90,
        ge=7,
        le=90,
        description="Days that a deleted vault can be recovered, 7 to 90. Fixed when the vault is made.",
    )


class Department(_Settings):
    """A department's Azure Machine Learning platform in one environment: one stack."""

    code: str = Field(
        pattern=r"^[a-z][a-z0-9]{0,3}$",
        description=(
            "Short code of the department: up to 4 lower-case letters and digits, starting with a "
            "letter; goes into names."
        ),
    )
    environment: Literal["res", "dev", "pro"] = Field(
        description=(
            "'res' (research), 'dev' (development) or 'pro' (production); goes into names and sets safer "
            "defaults in pro."
        )
    )
    region: Region = Field(description="Azure region of everything, such as eastus2 (az account list-locations).")
    region_abbreviation: str = Field(
        pattern=r"^[a-z0-9]{2}$", description="The region in names: exactly 2 lower-case letters or digits, such as e2."
    )
    subscription_id: str = Field(
        pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
        description="Azure subscription that everything is made in: 32 lower-case hexadecimal digits as 8-4-4-4-12.",
    )
    admin: UserName = Field(description="Administrator of the department, as a user principal name.")
    owner: str | None = Field(
        default=None, min_length=1, max_length=256, description="Value of the tag 'owner'; the admin if left out."
    )
    cost_center: str | None = Field(
        default=None,
        min_length=1,
        max_length=256,
        description="Value of the tag 'costCenter'; the department's code if left out.",
    )
    allowed_vm_sizes: tuple[VmSizeName, ...] | None = Field(
        default=None, min_length=1, description="VM sizes that the teams may use; all known ones if left out."
    )
    key_vault: KeyVault = Field(default=KeyVault(), description="Settings of the teams' key vaults.")
    registry_sku: RegistrySku | None = Field(
        default=None,
        description=(
            "Tier of the teams' container registries; Standard in environment pro, Basic elsewhere if left out."
        ),
    )
    log_retention_days: int = Field(
        default=30,
        ge=30,
        le=730,
        description="Days that the teams' logs are kept, 30 to 730; those above 31 are charged.",
    )
    unique_names: bool = Field(
        default=False,
        description=(
            "Whether storage, vault and registry names get a hash of subscription and resource "
            "group, 4 characters, so that "
            "they are unique in the world. Leaves 16 characters for the base of the names."
        ),
    )
    keep_version_aliases: bool = Field(
        default=False,
        description=(
            "Whether the aliases for azure-native's older resource types are kept. Needed only for a "
            "stack that azure-native 1 "
            "or 2 wrote; they make every preview several times slower."
        ),
    )
    subscription_admins: tuple[Member, ...] = Field(
        default=(),
        description=(
            "Who asks for quota and support in the subscription, and divides quota between "
            "workspaces; they change no resource."
        ),
    )
    teams: tuple[Team, ...] = Field(min_length=1, description="The department's teams, at least one.")

    @property
    def purge_protection(self) -> bool:
        """Whether deleted key vaults cannot be purged."""
        chosen = self.key_vault.purge_protection
        return self.environment == PRODUCTION if chosen is None else chosen

    @property
    def registry_tier(self) -> RegistrySku:
        """Tier of the container registries."""
        return self.registry_sku or ("Standard" if self.environment == PRODUCTION else "Basic")

    @property
    def replication(self) -> str:
        """Redundancy of the storage accounts: across zones in production, within one elsewhere."""
        return "Standard_ZRS" if self.environment == PRODUCTION else "Standard_LRS"

    @property
    def tag_owner(self) -> str:
        """Who answers for what is made."""
        return self.owner or self.admin

    @property
    def tag_cost_center(self) -> str:
        """Who pays for it."""
        return self.cost_center or self.code

    def tags(self, team: Team) -> Mapping[str, str]:
        """The tags of every resource of a team."""
        return {
            "department": self.code,
            "team": team.name,
            "environment": self.environment,
            "owner": self.tag_owner,
            "costCenter": self.tag_cost_center,
        }

    def names(self, team: Team) -> TeamNames:
        """The names of a team's resources."""
        return team_names(
            department=self.code,
            team=team.name,
            region=self.region,
            region_abbreviation=self.region_abbreviation,
            environment=self.environment,
            custom_name=team.custom_name,
            unique_in_subscription=self.subscription_id if self.unique_names else None,
        )
