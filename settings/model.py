"""The typed settings of a department, as they stand under `azureml-platform:department` in a stack file.

Keys are camelCase in the file. Every field's description says what it means and what is allowed: the error
messages, the JSON schema and the settings reference are made from it.
"""

import ipaddress
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any, Literal, Self, get_args

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

from catalogue import vm_sizes
from catalogue.names import TeamNames
from catalogue.regions import REGIONS
from settings.ids import (
    ApplicationInsightsId,
    KeyVaultId,
    LogWorkspaceId,
    RegistryId,
    ResourceGroupId,
    name_in,
)
from settings.names import team_names

PRODUCTION = "pro"
SHARED = "shared"
"""What stands for the team's name in the names of what the teams share."""
_DATASTORE_NAME = "Name of the datastore: up to 255 letters, digits, hyphens and underscores."
_UNSEEN = r"\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"  # what a reader would not see
_NAME = rf"[^/{_UNSEEN}]+"
_GROUP_ID = rf"^/subscriptions/[0-9a-f-]{{36}}/resourceGroups/{_NAME}"
_RESOURCE_ID = rf"{_GROUP_ID}/providers/[A-Za-z.]+(/{_NAME}/{_NAME})+$"
_SUBNET_ID = rf"{_GROUP_ID}/providers/Microsoft\.Network/virtualNetworks/{_NAME}/subnets/{_NAME}$"
SMALLEST_SPACE, LARGEST_SPACE = 26, 16
_DEVOPS = rf"^[^/{_UNSEEN}]{{1,64}}$"


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", alias_generator=to_camel)


def _known_size(name: str) -> str:
    size = vm_sizes.find(name)
    if size is None:
        raise PydanticCustomError("vm_size", "is not a known VM size.")
    return size.name


def _known_region(name: str) -> str:
    if name not in REGIONS:
        raise PydanticCustomError("region", "is not a known Azure region.")
    return name


_PRIVATE_RANGES = [ipaddress.IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]


def _public_range(text: str) -> str:
    """What storage, vault and registry all take: IPv4, not private, no range of less than four addresses."""
    try:
        found = ipaddress.IPv4Network(text)
    except ValueError:
        raise PydanticCustomError(
            "own", "'{text}' is no IPv4 address or range such as 203.0.113.0/24.", {"text": text}
        ) from None
    if any(found.overlaps(private) for private in _PRIVATE_RANGES) or found.prefixlen == ipaddress.IPV4LENGTH - 1:
        raise PydanticCustomError(
            "own",
            "'{text}' cannot be listed: give public addresses, singly or as a range of four and more.",
            {"text": text},
        )
    return text


def _address_space(text: str) -> str:
    try:
        found = ipaddress.IPv4Network(text)
    except ValueError:
        found = None
    if found is None or not LARGEST_SPACE <= found.prefixlen <= SMALLEST_SPACE:
        raise PydanticCustomError(
            "own", "'{text}' is no IPv4 range with a prefix length of 16 to 26, such as 10.20.0.0/24.", {"text": text}
        )
    return text


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
_USER = r"^[^@\s/" + _UNSEEN + r"]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,5}$"
UserName = Annotated[str, Field(pattern=_USER), AfterValidator(_lower)]
ComputeName = Annotated[str, Field(min_length=3, pattern=r"^[A-Za-z]([A-Za-z0-9-]*[A-Za-z][A-Za-z0-9]*|[A-Za-z0-9]*)$")]
Cron = Annotated[str, Field(pattern=r"^\S{1,64}( \S{1,64}){4}$")]
IpRange = Annotated[str, AfterValidator(_public_range)]
Cidr = Annotated[str, AfterValidator(_address_space)]
SubnetId = Annotated[str, Field(pattern=_SUBNET_ID)]
Month = Annotated[str, Field(pattern=r"^20\d\d-(0[1-9]|1[0-2])$")]
Day = Annotated[date, BeforeValidator(_day)]
Days = Annotated[int, Field(ge=1, le=36500)]
Guid = Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
DatastoreName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_-]{0,254}$")]
RegistrySku = Literal["Basic", "Standard", "Premium"]
FileSystemName = Annotated[str, Field(min_length=3, max_length=63, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]


class Cluster(_Settings):
    """A compute cluster (AmlCompute) of a team. It has no nodes while no job runs."""

    name: ComputeName = Field(
        max_length=16,
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
    identity: Literal["user", "system"] = Field(
        default="user",
        description=(
            "Under which identity jobs read data and nodes pull images: 'user', the one that all the team's clusters "
            "share, or 'system', one of the cluster's own that goes with it. A change makes the cluster anew."
        ),
    )


class Member(_Settings):
    """Somebody with a role: a user principal name alone, or this mapping for a group or for access that ends."""

    user: UserName | None = Field(default=None, description="A user principal name, such as user1@site.com.")
    group: str | None = Field(
        default=None,
        pattern=rf"^[^:{_UNSEEN}]{{1,256}}$",
        description="Display name of an existing security group, up to 256 characters without colons.",
    )
    until: Day | None = Field(
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
            raise PydanticCustomError("own", "names either a user or a group.")
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """A plain name is a user."""
        mapping = handler.resolve_ref_schema(handler(core_schema))
        return {"anyOf": [{"type": "string", "description": "A user principal name."}, mapping]}


class InstanceSchedule(_Settings):
    """When an instance starts and stops by itself."""

    start: Cron | None = Field(default=None, description="When it starts, as a cron expression: '0 8 * * 1-5'.")
    stop: Cron | None = Field(default=None, description="When it stops, as a cron expression: '0 18 * * *'.")
    time_zone: str = Field(
        default="UTC",
        min_length=1,
        max_length=64,
        description="Zone of both, in Windows' names: 'W. Europe Standard Time'.",
    )

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.start is None and self.stop is None:
            raise PydanticCustomError("own", "needs a time to start or to stop.")
        return self


class Instance(_Settings):
    """A compute instance: one person's machine in the workspace, which stops when nobody uses it."""

    name: ComputeName = Field(
        max_length=24,
        description="Name of the instance: 3 to 24 characters, otherwise as a cluster's.",
    )
    user: UserName = Field(description="Whose it is, as a user principal name; nobody else reaches it.")
    vm_size: VmSizeName = Field(description="Its VM size. A change makes the instance anew, as every one does.")
    idle_minutes: int = Field(
        default=60, ge=15, le=4320, description="Minutes without use after which it stops, 15 to 4320."
    )
    schedule: InstanceSchedule | None = Field(default=None, description="When it starts and stops by itself.")
    setup_script: str | None = Field(
        default=None,
        min_length=1,
        max_length=16384,
        description="Text of a shell script that runs once, when it is made.",
    )


class Datastore(_Settings):
    """A datastore of the workspace: the name under which jobs reach a file system of the team's lake."""

    name: DatastoreName = Field(description=_DATASTORE_NAME)
    file_system: str = Field(description="The lake's file system that it stands for; one of lake.fileSystems.")
    type: Literal["adlsGen2", "blob"] = Field(
        default="adlsGen2", description="How jobs reach it: 'adlsGen2' with directories, or 'blob'."
    )


class Secret(_Settings):
    """A service principal's secret, kept in the team's key vault."""

    rotated: Day = Field(
        description=(
            "Day since when the secret is the present one. Another day makes a new secret, and the old one ends."
        )
    )
    valid_days: int = Field(
        default=180, ge=1, le=730, description="Days until it expires, from 'rotated' on, 1 to 730."
    )
    readers: tuple[Member, ...] = Field(
        default=(), description="Who may read it in the vault, besides administrators of its data."
    )

    @property
    def expires(self) -> date:
        """First day on which the secret is no longer valid."""
        return self.rotated + timedelta(days=self.valid_days)


class LifecycleRule(_Settings):
    """When blobs get cheaper and go, counted in days since they were last written."""

    name: str = Field(
        pattern=r"^[a-zA-Z0-9-]{1,256}$", description="Name of the rule: up to 256 letters, digits and hyphens."
    )
    prefixes: tuple[str, ...] = Field(
        default=(), description="File systems, or paths in them such as fs1/logs, that it concerns; all if left out."
    )
    cool_after_days: Days | None = Field(
        default=None, description="Days until the cool tier, which costs less to keep."
    )
    archive_after_days: Days | None = Field(
        default=None,
        description=(
            "Days until the archive tier, from where reading takes hours. Not with storage replicated across zones."
        ),
    )
    delete_after_days: Days | None = Field(default=None, description="Days until they are deleted.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        days = [d for d in (self.cool_after_days, self.archive_after_days, self.delete_after_days) if d is not None]
        if not days or days != sorted(set(days)):
            raise PydanticCustomError(
                "own",
                "needs one of coolAfterDays, archiveAfterDays, deleteAfterDays, and each later than the one before.",
            )
        return self


class Lake(_Settings):
    """A data lake of the team: a storage account with a hierarchical namespace."""

    account_id: str | None = Field(
        default=None,
        pattern=_GROUP_ID + r"/providers/Microsoft\.Storage/storageAccounts/[a-z0-9]{3,24}$",
        description=(
            "Id of an account that exists, with its file systems, in the department's subscription; "
            "one is made if left out. "
            "Nothing is made in it but role assignments."
        ),
    )
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
    service_principal: Secret | None = Field(
        default=None,
        description=(
            "Makes a service principal with which jobs reach the lake, in place of each person's own "
            "identity, and keeps its "
            "secret in the team's key vault and the datastores."
        ),
    )
    soft_delete_days: int = Field(
        default=7,
        ge=0,
        le=365,
        description="Days that deleted blobs and file systems can be restored, 0 to 365; 0 for none.",
    )
    lifecycle: tuple[LifecycleRule, ...] = Field(default=(), description="When blobs get cheaper and go.")


class DataDatastore(_Settings):
    """A datastore of the workspace: the name under which jobs reach a container or share of the account for data."""

    name: DatastoreName = Field(description=_DATASTORE_NAME)
    container: str | None = Field(default=None, description="The container that it stands for; one of data.containers.")
    share: str | None = Field(
        default=None, description="The file share that it stands for; one of data.shares. One of both is given."
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.container is None) == (self.share is None):
            raise PydanticCustomError("own", "names either a container or a share.")
        return self


class Share(_Settings):
    """A file share, which jobs mount as a folder."""

    name: FileSystemName = Field(description="Name of the share: 3 to 63 lower-case letters, digits, single hyphens.")
    gib: int = Field(default=100, ge=1, le=5120, description="Most that it holds, 1 to 5120 GiB.")


class Data(_Settings):
    """What is in the team's storage account for data, beside the lake."""

    containers: tuple[FileSystemName, ...] = Field(
        default=(), description="Containers: each 3 to 63 lower-case letters, digits and single hyphens."
    )
    shares: tuple[Share, ...] = Field(
        default=(), description="File shares; the team's people and clusters read and write them by their identity."
    )
    datastores: tuple[DataDatastore, ...] = Field(
        default=(), description="Datastores of the workspace on these containers and shares."
    )

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.containers or self.shares):
            raise PydanticCustomError("own", "has neither containers nor shares.")
        return self


class CustomerKey(_Settings):
    """A key of the customer's own, with which the team's data is encrypted in place of Microsoft's."""

    key_id: str | None = Field(
        default=None,
        pattern=_GROUP_ID + r"/providers/Microsoft\.KeyVault/vaults/[^/]+/keys/[A-Za-z0-9-]{1,127}$",
        description=(
            "Id of a key that exists, in the department's subscription, in a vault with purge protection; one is made "
            "in the team's vault if left out. Later only another key of the same vault can take its place."
        ),
    )
    identity_id: str | None = Field(
        default=None,
        pattern=_GROUP_ID + r"/providers/Microsoft\.ManagedIdentity/userAssignedIdentities/[^/]+$",
        description=(
            "Id of a user-assigned identity that has the role Key Vault Crypto Service Encryption User on that key, as "
            "Azure Cosmos DB's service principal must have, too, without serviceSide."
        ),
    )
    service_side: bool = Field(
        default=False,
        description=(
            "Whether Azure ML keeps the workspace's metadata encrypted on its own side (a preview, and not for "
            "private networks), and not in a Cosmos DB, a search service and a storage account that it makes, and "
            "charges, in the subscription."
        ),
    )

    @model_validator(mode="after")
    def _together(self) -> Self:
        if (self.key_id is None) != (self.identity_id is None):
            raise PydanticCustomError("own", "has keyId and identityId together or neither.")
        return self


class GitHub(_Settings):
    """A repository whose workflows sign in without a secret."""

    repository: str = Field(
        pattern=r"^[A-Za-z0-9-]{1,39}/[A-Za-z0-9._-]{1,100}$", description="The repository, as owner/name."
    )
    environment: str | None = Field(
        default=None, min_length=1, max_length=255, description="Only jobs of this deployment environment."
    )
    branch: str | None = Field(
        default=None,
        min_length=1,
        max_length=255,
        description="Only runs of this branch; one of environment and branch is given.",
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.environment is None) == (self.branch is None):
            raise PydanticCustomError("own", "names either an environment or a branch.")
        return self


class AzureDevOps(_Settings):
    """A service connection whose pipelines sign in without a secret."""

    organization_id: Guid = Field(description="Id of the organization: 32 lower-case hexadecimal digits as 8-4-4-4-12.")
    organization: str = Field(pattern=_DEVOPS, description="Its name.")
    project: str = Field(pattern=_DEVOPS, description="The project.")
    service_connection: str = Field(pattern=_DEVOPS, description="The service connection's name.")


class Automation(_Settings):
    """A service principal for what runs without a person."""

    name: str = Field(
        pattern=r"^[a-z][a-z0-9-]{0,22}[a-z0-9]$",
        description="Its name in the team: 2 to 24 lower-case letters, digits and hyphens, starting with a letter.",
    )
    role: Literal["automation", "contributor"] = Field(
        default="automation",
        description=(
            "'automation' runs jobs and deploys models; 'contributor' is Contributor on the workspace. "
            "Both reach the data."
        ),
    )
    git_hub: GitHub | None = Field(default=None, alias="github", description="Trusts a GitHub repository's workflows.")
    azure_dev_ops: AzureDevOps | None = Field(
        default=None, alias="azureDevOps", description="Trusts an Azure DevOps service connection."
    )
    secret: Secret | None = Field(
        default=None,
        description="Makes a secret, where no token of the pipeline's own can be used, and keeps it in the vault.",
    )

    @model_validator(mode="after")
    def _signs_in(self) -> Self:
        if not (self.git_hub or self.azure_dev_ops or self.secret):
            raise PydanticCustomError("own", "has no way to sign in: give github, azureDevOps or secret.")
        return self


class Outbound(_Settings):
    """Something that compute in a managed network may reach: a host, a service of Azure, or one resource."""

    name: str = Field(
        pattern=r"^[a-z][a-z0-9-]{1,30}[a-z0-9]$",
        description="Name of the rule: 3 to 32 lower-case letters, digits and hyphens, starting with a letter.",
    )
    host: str | None = Field(
        default=None,
        pattern=r"^(\*\.)?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$",
        description=(
            "A host on the internet, as pypi.org or *.pythonhosted.org. Azure charges for the firewall that it takes."
        ),
    )
    service_tag: str | None = Field(
        default=None, pattern=r"^[A-Za-z0-9.]{2,64}$", description="A service of Azure by its tag, such as DataFactory."
    )
    ports: str = Field(
        default="443",
        pattern=r"^\d{1,5}(-\d{1,5})?(,\d{1,5}(-\d{1,5})?)*$",
        description="Ports of the service: 80,443,5000-5010.",
    )
    protocol: Literal["TCP", "UDP", "ICMP", "*"] = Field(default="TCP", description="Protocol of the service.")
    resource_id: str | None = Field(
        default=None,
        pattern=_RESOURCE_ID,
        description=(
            "Id of a resource, reached by a private endpoint. Its owner approves that, or gives the workspace's "
            "identity the role Azure AI Enterprise Network Connection Approver on it."
        ),
    )
    subresource: str | None = Field(
        default=None,
        min_length=1,
        max_length=64,
        description="Part of the resource, such as blob, dfs, vault or sqlServer.",
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if [self.host, self.service_tag, self.resource_id].count(None) != 2:  # noqa: PLR2004 - two of the three
            raise PydanticCustomError("own", "names one of host, serviceTag and resourceId.")
        if (self.resource_id is None) != (self.subresource is None):
            raise PydanticCustomError("own", "has resourceId and subresource together or neither.")
        return self


class Network(_Settings):
    """How the teams' resources are reached."""

    mode: Literal["public", "private", "managed"] = Field(
        default="public",
        description=(
            "'public': over the internet, by those who have a role. 'private': only by private "
            "endpoints in a virtual network, "
            "which also holds the clusters. 'managed': Azure ML keeps the clusters in a network of "
            "its own, with private "
            "endpoints to the workspace's resources, and people come over the internet."
        ),
    )
    allowed_ips: tuple[IpRange, ...] = Field(
        default=(),
        description=(
            "Public and managed: IPv4 addresses and ranges from which storage, vault and registry "
            "are reached; all if left "
            "out. A workspace has no such list. Clusters outside of a managed network have addresses "
            "that no list can name."
        ),
    )
    address_space: Cidr | None = Field(
        default=None,
        description=(
            "Private: range of a virtual network to make, with a prefix length of 16 to 26; half of it is for clusters."
        ),
    )
    endpoint_subnet_id: SubnetId | None = Field(
        default=None, description="Private, in place of addressSpace: a subnet that exists, for the private endpoints."
    )
    compute_subnet_id: SubnetId | None = Field(
        default=None, description="Private, in place of addressSpace: a subnet that exists, for the clusters."
    )
    dns_zones_group_id: str | None = Field(
        default=None,
        pattern=_GROUP_ID + "$",
        description=(
            "Private: id of a resource group with all private DNS zones, known to the network; they are "
            "made if left out."
        ),
    )
    outbound_access: Literal["approved", "internet"] | None = Field(
        default=None,
        description=(
            "Managed: whether compute reaches only what 'outbound' names ('approved', if left out) "
            "or all of the internet. "
            "Azure cannot go back from 'approved'."
        ),
    )
    outbound: tuple[Outbound, ...] = Field(
        default=(),
        description=("Managed: what compute may reach beside the workspace's own resources and the team's data."),
    )

    basic_firewall: bool = Field(
        default=False,
        description=(
            "Managed, with a host among 'outbound': whether the Azure Firewall that Azure ML then makes, and charges "
            "for, is of the Basic tier, which costs less, and not of the Standard tier."
        ),
    )

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        for mode, keys in _MODES.items():
            strange = [to_camel(key) for key in sorted(keys & self.model_fields_set) if self.mode not in mode]
            if strange:
                raise PydanticCustomError(
                    "own",
                    "has mode '{mode}', in which {keys} mean nothing.",
                    {"mode": self.mode, "keys": " and ".join(strange)},
                )
        subnets = (self.endpoint_subnet_id, self.compute_subnet_id)
        if self.mode == "private" and (self.address_space is None) != all(subnets):
            raise PydanticCustomError(
                "own", "is private and needs either addressSpace, or both endpointSubnetId and computeSubnetId."
            )
        if self.basic_firewall and not any(rule.host for rule in self.outbound):
            raise PydanticCustomError("own", "has basicFirewall, but no host in outbound, so there is no firewall.")
        if self.outbound_access == "internet" and any(rule.resource_id is None for rule in self.outbound):
            raise PydanticCustomError(
                "own", "allows all of the internet, where only rules with a resourceId mean something."
            )
        return self


_MODES = {
    ("private",): {"address_space", "endpoint_subnet_id", "compute_subnet_id", "dns_zones_group_id"},
    ("managed",): {"outbound_access", "outbound", "basic_firewall"},
    ("public", "managed"): {"allowed_ips"},
}


class Existing(_Settings):
    """What a team uses that exists already. It gets role assignments, and is never changed, protected or deleted."""

    resource_group_id: ResourceGroupId | None = Field(
        default=None,
        description=(
            "Id of the resource group, in the department's subscription. It should have nothing else in it: the team's "
            "people get their roles on it, and budget and policies are its."
        ),
    )
    key_vault_id: KeyVaultId | None = Field(
        default=None,
        description=(
            "Id of the key vault, in the department's subscription, with Azure roles as its permission model. The "
            "workspace administers all secrets in it."
        ),
    )
    registry_id: RegistryId | None = Field(
        default=None,
        description="Id of the container registry; of tier Premium where the team's network is not public.",
    )
    log_workspace_id: LogWorkspaceId | None = Field(default=None, description="Id of the Log Analytics workspace.")
    application_insights_id: ApplicationInsightsId | None = Field(
        default=None, description="Id of the Application Insights resource."
    )


class Shared(_Settings):
    """What the teams use together, where their own 'existing' names nothing else: made for them, or given by id."""

    registry: bool = Field(
        default=False,
        description=(
            "Whether one container registry is made for the teams, which all then pull each other's images. It is "
            "reached as the department's 'network' says, and by the private teams' endpoints."
        ),
    )
    registry_id: RegistryId | None = Field(
        default=None, description="In place of it, the id of one that exists, of tier Premium for private teams."
    )
    log_workspace: bool = Field(
        default=False, description="Whether one Log Analytics workspace is made for the teams' logs."
    )
    log_workspace_id: LogWorkspaceId | None = Field(
        default=None, description="In place of it, the id of one that exists."
    )

    @model_validator(mode="after")
    def _made_or_given(self) -> Self:
        for made, given in (("registry", self.registry_id), ("log_workspace", self.log_workspace_id)):
            if getattr(self, made) and given:
                keys = {"made": to_camel(made), "given": to_camel(f"{made}_id")}
                raise PydanticCustomError("own", "has {made}, which makes one, and {given}: leave one out.", keys)
        return self


class Budget(_Settings):
    """What a team's resource group may cost a month. It stops nothing: it tells."""

    monthly: float = Field(gt=0, description="Amount a month, above 0, in the currency of the subscription's bill.")
    start: Month = Field(
        description="Month from which it counts, as 2026-11, not more than a year ahead. Another one makes it anew."
    )
    contacts: tuple[UserName, ...] = Field(
        default=(),
        description=(
            "Mail addresses that are told at 50, 80 and 100 % and when 100 % is forecast; the admin's if left out."
        ),
    )

    @property
    def first_day(self) -> date:
        """The first day of the month from which it counts."""
        return date.fromisoformat(f"{self.start}-01")


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
    instances: tuple[Instance, ...] = Field(default=(), description="Compute instances, one for each who needs one.")
    lake: Lake | None = Field(default=None, description="The team's data lake; none if left out.")
    data: Data | None = Field(default=None, description="Containers and datastores of the team's account for data.")
    automation: tuple[Automation, ...] = Field(
        default=(), description="Service principals for pipelines and other things without a person."
    )
    workspace_identity: Literal["user", "system"] = Field(
        default="user",
        description=(
            "Identity of the workspace: 'user', made before it with just the roles that it needs, or 'system', made by "
            "Azure ML, which gives it Azure AI Administrator on the whole resource group. Fixed when the workspace is "
            "made."
        ),
    )
    high_business_impact: bool = Field(
        default=False,
        description=(
            "Whether the data is highly sensitive: Microsoft collects less to diagnose with, and the nodes' scratch "
            "disks are encrypted and wiped between jobs. Fixed when the workspace is made."
        ),
    )
    customer_key: CustomerKey | None = Field(
        default=None,
        description=(
            "A key of the customer's own for workspace, storage accounts and, if it is the team's, container registry; "
            "Microsoft's if left out. Fixed for workspace and registry when they are made: Azure neither takes one "
            "later nor gives one up. Makes the registry's tier Premium."
        ),
    )
    network: Network | None = Field(
        default=None, description="How the team's resources are reached; as the department says if left out."
    )
    existing: Existing = Field(
        default=Existing(), description="What exists already and is used in place of what would be made."
    )
    budget: Budget | None = Field(default=None, description="What the team may cost a month; not watched if left out.")
    groups: bool = Field(
        default=False,
        description="Whether a security group is made for each role's people, and has the roles in their place.",
    )

    @property
    def builds_images(self) -> str | None:
        """The cluster that builds images where Azure's own builders reach no registry: the first without GPU."""
        return next((one.name for one in self.clusters if not getattr(vm_sizes.find(one.vm_size), "gpus", 0)), None)


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


class ModelRegistry(_Settings):
    """An Azure ML registry, through which the teams share models, environments and components."""

    regions: tuple[Region, ...] = Field(
        default=(), description="Regions beside the department's in which its content is kept, for workspaces there."
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
    subscription_id: Guid = Field(
        description="Azure subscription that everything is made in: 32 lower-case hexadecimal digits as 8-4-4-4-12.",
    )
    admin: UserName = Field(
        description=(
            "Administrator of the department, as a user principal name: the owner of what is made, if no "
            "other is named."
        )
    )
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
    network: Network = Field(default=Network(), description="Network of the teams, where they have none of their own.")
    shared: Shared = Field(default=Shared(), description="What the teams use together.")
    key_vault: KeyVault = Field(default=KeyVault(), description="Settings of the teams' key vaults.")
    registry_sku: RegistrySku | None = Field(
        default=None,
        description=(
            "Tier of the teams' container registries; Standard in environment pro, Basic elsewhere "
            "if left out. Premium where "
            "the network is not public or allowedIps is set."
        ),
    )
    log_retention_days: int = Field(
        default=30,
        ge=30,
        le=730,
        description="Days that the teams' logs are kept, 30 to 730; those above 31 are charged.",
    )
    protect: bool | None = Field(
        default=None,
        description=(
            "Whether key vaults and storage accounts cannot be deleted: by locks in Azure, and by "
            "Pulumi. true in environment "
            "pro, false elsewhere if left out. Set it to false and go up before a destroy, and before somebody leaves "
            "the readers of a secret, whose role is on the locked vault."
        ),
    )
    diagnostics: bool | None = Field(
        default=None,
        description=(
            "Whether logs and metrics of workspace, storage, vault and registry are collected; true "
            "in environment pro, false "
            "elsewhere if left out. Log Analytics charges for what it takes in."
        ),
    )
    azure_policy: Literal["off", "audit", "deny"] | None = Field(
        default=None,
        description=(
            "What Azure Policy does on the teams' resource groups about what breaks the platform's "
            "rules, also around Pulumi: "
            "'off', 'audit' reports, 'deny' refuses. 'audit' in environment pro, 'off' elsewhere if left out."
        ),
    )
    unique_names: bool = Field(
        default=False,
        description=(
            "Whether storage, vault and registry names get a hash of subscription and resource "
            "group, 4 characters, so that "
            "they are unique in the world. Leaves 16 characters for the base of the names. Fixed once a team is up, as "
            "Azure gives a workspace no other storage account or key vault: a preview refuses another value."
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
    model_registry: ModelRegistry | None = Field(
        default=None,
        description=(
            "A registry of models for all teams, in a resource group of its own; none if left out. It is closed to the "
            "internet where the network of every team is private."
        ),
    )
    deployers: tuple[Member, ...] = Field(
        default=(),
        description=(
            "Who runs pulumi up; the admin if left out. They may change the secrets in the teams' "
            "key vaults, where the "
            "platform keeps some."
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
    def protected(self) -> bool:
        """Whether vaults and accounts cannot be deleted."""
        return self.environment == PRODUCTION if self.protect is None else self.protect

    @property
    def diagnosed(self) -> bool:
        """Whether logs of the resources are collected."""
        return self.environment == PRODUCTION if self.diagnostics is None else self.diagnostics

    @property
    def policy_effect(self) -> Literal["off", "audit", "deny"]:
        """What Azure Policy does."""
        return self.azure_policy or ("audit" if self.environment == PRODUCTION else "off")

    def network_of(self, team: Team) -> Network:
        """How a team's resources are reached."""
        return team.network or self.network

    def registry_tier(self, team: Team) -> RegistrySku:
        """Tier of a team's container registry: only Premium has endpoints, a list of addresses, a customer's key."""
        network = self.network_of(team)
        if network.mode != "public" or network.allowed_ips or team.customer_key:
            return "Premium"
        return self.registry_sku or ("Standard" if self.environment == PRODUCTION else "Basic")

    @property
    def shared_registry_tier(self) -> RegistrySku:
        """Tier of the registry that the teams share: the highest that one of them needs."""
        return max(map(self.registry_tier, self.teams), key=get_args(RegistrySku).index)

    def registry_of(self, team: Team) -> str | None:
        """Id of a team's registry, if that exists already."""
        return team.existing.registry_id or self.shared.registry_id

    def shares_registry(self, team: Team) -> bool:
        """Whether a team uses the registry that is made for all."""
        return self.shared.registry and team.existing.registry_id is None

    def connects_shared_registry(self, team: Team) -> bool:
        """Whether a team makes the endpoint by which its network reaches the registry that is made for all.

        Given DNS zones name one address for it, so one of the teams that are given the same zones makes it.
        """

        def zones(one: Team) -> str | None:
            network = self.network_of(one)
            sharing = network.mode == "private" and self.shares_registry(one)
            return (network.dns_zones_group_id or one.name).lower() if sharing else None

        group = zones(team)
        return group is not None and team.name == min(one.name for one in self.teams if zones(one) == group)

    def log_workspace_of(self, team: Team) -> str | None:
        """Id of a team's Log Analytics workspace, if that exists already."""
        return team.existing.log_workspace_id or self.shared.log_workspace_id

    def resource_group(self, team: Team) -> str:
        """Name of a team's resource group."""
        given = team.existing.resource_group_id
        return name_in(given) if given else self.names(team).resource_group

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
        return {**self.shared_tags, "team": team.name}

    @property
    def shared_tags(self) -> Mapping[str, str]:
        """The tags of what the teams share."""
        return {
            "department": self.code,
            "environment": self.environment,
            "owner": self.tag_owner,
            "costCenter": self.tag_cost_center,
        }

    def names(self, team: Team) -> TeamNames:
        """The names of a team's resources."""
        return self._names(team.name, team.custom_name)

    @property
    def shared_names(self) -> TeamNames:
        """The names of what the teams share."""
        return self._names(SHARED, None)

    def _names(self, team: str, custom_name: str | None) -> TeamNames:
        return team_names(
            department=self.code,
            team=team,
            region=self.region,
            region_abbreviation=self.region_abbreviation,
            environment=self.environment,
            custom_name=custom_name,
            unique_in_subscription=self.subscription_id if self.unique_names else None,
        )
