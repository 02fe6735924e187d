"""A team."""

from typing import Literal

from pydantic import Field

from catalogue import vm_sizes
from settings.compute import Cluster, Instance, Quota
from settings.data import Data, Lake
from settings.existing import Existing
from settings.money import Budget, Serving, Spending
from settings.names import TEAM_LIMIT
from settings.network import Network
from settings.people import Automation, Member
from settings.security import CustomerKey
from settings.tags import Tags
from settings.types import Entries, Section


class Team(Section):
    """A team: one resource group with one workspace, its clusters, its data and its people.

    Azure fixes workspaceIdentity, highBusinessImpact and customerKey when the workspace is made. With a customerKey,
    the container registry has the tier Premium; workspace and registry keep such a key for good.
    """

    name: str = Field(
        pattern=rf"^[a-z0-9]{{1,{TEAM_LIMIT}}}$",
        description=(
            f"Name of the team: up to {TEAM_LIMIT} lower-case letters and digits. It is part of the resources' names."
        ),
    )
    custom_name: str | None = Field(
        default=None,
        min_length=3,
        max_length=90,
        pattern=r"^[a-z](-?[a-z0-9])*$",
        description=(
            "Replaces the resource group's name and the base of other names: lower-case letters, digits, single "
            "hyphens. Storage and registries omit the hyphens."
        ),
    )
    former_name: str | None = Field(
        default=None,
        pattern=rf"^[a-z0-9]{{1,{TEAM_LIMIT}}}$",
        description=(
            "The first name of a team that was renamed. Its resources stay, under the names on Azure that they have. "
            "Keep the key as long as the team."
        ),
    )
    admins: Entries[Member] = Field(
        default=(), description="Administrators: they change everything in the resource group, but not quota."
    )
    leads: Entries[Member] = Field(
        default=(), description="Team leads: they use the workspace, and create and size its compute within the quota."
    )
    data_scientists: Entries[Member] = Field(
        default=(), description="Data scientists: they use all of the workspace, and change no compute."
    )
    readers: Entries[Member] = Field(
        default=(),
        description=(
            "Readers, by Azure's Reader role: they see resources and runs, and get no role on data. "
            "Azure lets them list notebook keys."
        ),
    )
    clusters: Entries[Cluster] = Field(default=(), description="The team's compute clusters.")
    instances: Entries[Instance] = Field(default=(), description="Compute instances, each for one person.")
    lake: Lake | None = Field(default=None, description="The team's data lake; none if left out.")
    data: Data | None = Field(
        default=None, description="Containers, shares and datastores of the team's storage account for data."
    )
    automation: Entries[Automation] = Field(
        default=(), description="Service principals for pipelines and other things without a person."
    )
    workspace_identity: Literal["user", "system"] = Field(
        default="user",
        description=(
            "'user' is made beforehand with only the roles it needs; "
            "Azure ML makes 'system', an AI Administrator of the resource group."
        ),
    )
    high_business_impact: bool = Field(
        default=False,
        description=(
            "Whether data is highly sensitive: Microsoft collects less diagnostics, "
            "and nodes' scratch disks are encrypted and wiped."
        ),
    )
    customer_key: CustomerKey | None = Field(
        default=None,
        description=(
            "A key of the customer's own for workspace, storage and the team's own container registry. "
            "Microsoft's key if left out."
        ),
    )
    tags: Tags = Field(default={}, description="Further tags of the team's resources; they replace the department's.")
    network: Network = Field(
        default=Network(), description="How the team's resources are reached; the department's network if left out."
    )
    existing: Existing = Field(
        default=Existing(), description="What exists already and is used in place of what would be made."
    )
    quota: Quota = Field(
        default={},
        description=(
            "Most vCPUs of VM families for the team's dedicated nodes, such as standardDSv2Family: 24. "
            "-1 lifts a limit. `python -m department quota --apply` sets them."
        ),
    )
    budget: Budget | None = Field(default=None, description="What the team may cost a month; not watched if left out.")
    spending: Spending = Field(default=Spending(), description="Limits on the cost of jobs.")
    serving: Serving = Field(default=Serving(), description="Limits on online endpoints.")
    groups: bool = Field(
        default=False,
        description="Whether a security group is made for each role's people, and gets the roles in their place.",
    )

    @property
    def name_on_azure(self) -> str:
        """The name of the team in names on Azure: its first one, since Azure renames nothing."""
        return self.former_name or self.name

    @property
    def builds_images(self) -> str | None:
        """The cluster that builds images where Azure's own builders reach no registry: the first without a GPU."""
        return next(
            (cluster.name for cluster in self.clusters if not getattr(vm_sizes.find(cluster.vm_size), "gpus", 0)), None
        )
