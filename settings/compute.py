"""Compute clusters and compute instances."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from catalogue import vm_sizes
from catalogue.meters import HOURS
from settings.spelling import did_you_mean
from settings.types import Cron, Person, Section, VmSizeName, fault

EXPECTED_HOURS = 160
"""Hours a month that a node is on, where the settings do not say it: the working hours of one person."""

ComputeName = Annotated[str, Field(min_length=3, pattern=r"^[A-Za-z]([A-Za-z0-9-]*[A-Za-z][A-Za-z0-9]*|[A-Za-z0-9]*)$")]


def _families(limits: Mapping[str, int]) -> Mapping[str, int]:
    """The limits by the families' names as Azure spells them.

    Raises:
        PydanticCustomError: For a family that no known VM size has, one that stands twice, or a limit below -1.
    """
    known = {size.family.lower(): size.family for size in vm_sizes.known().values()}
    found: dict[str, int] = {}
    for name, limit in limits.items():
        family = known.get(name.lower())
        if family is None:
            hint = did_you_mean(name, known.values(), otherwise=" Take one of az ml compute list-usage.")
            raise fault("'{name}' is no VM family.{hint}", name=name, hint=hint)
        if family in found:
            raise fault("'{name}' stands twice.", name=family)
        if limit < -1:
            raise fault("'{name}' needs a limit of 0 or more vCPUs, or -1 to lift the limit.", name=family)
        found[family] = limit
    return found


_SCHEMA = {"type": "object", "additionalProperties": {"type": "integer", "minimum": -1}}
Quota = Annotated[Mapping[str, int], AfterValidator(_families), WithJsonSchema(_SCHEMA)]
"""Limits of vCPUs by VM family."""


class Cluster(Section):
    """A compute cluster (AmlCompute) of a team. It has no nodes while no job runs.

    A change of vmSize, priority or identity deletes the cluster and makes it again.
    """

    name: ComputeName = Field(
        max_length=32,
        description=(
            "3 to 32 letters, digits and hyphens, unique in the region. "
            "Starts with a letter, and a letter follows every hyphen."
        ),
    )
    vm_size: VmSizeName = Field(description="VM size of the nodes, such as STANDARD_DS3_V2, in any letter case.")
    min_nodes: Literal[0] = Field(
        default=0, description="Nodes that stay while no job runs. Always 0: an idle node costs as much as a busy one."
    )
    max_nodes: int = Field(ge=1, le=1000, description="Most nodes at one time, 1 to 1000.")
    priority: Literal["dedicated", "lowPriority"] = Field(
        default="dedicated", description="'dedicated', or 'lowPriority' for cheaper nodes that Azure may take back."
    )
    idle_minutes: int = Field(
        default=2, ge=1, le=1440, description="Minutes without a job after which a node is given back, 1 to 1440."
    )
    expected_hours: int = Field(
        default=EXPECTED_HOURS,
        ge=0,
        le=HOURS,
        description="Hours a month that a node is expected to be on, 0 to 730. For reports of costs only.",
    )
    identity: Literal["user", "system"] = Field(
        default="user",
        description=(
            "Identity with which jobs read data and nodes pull images: "
            "'user' is shared by the team's clusters, 'system' is the cluster's own."
        ),
    )


class InstanceSchedule(Section):
    """When a compute instance starts and stops by itself."""

    start: Cron | None = Field(default=None, description="When it starts, as a cron expression: '0 8 * * 1-5'.")
    stop: Cron | None = Field(default=None, description="When it stops, as a cron expression: '0 18 * * *'.")
    time_zone: str = Field(
        default="UTC",
        min_length=1,
        max_length=64,
        description="Time zone of both, in Windows' names: 'W. Europe Standard Time'.",
    )

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.start is None and self.stop is None:
            raise fault("needs a time to start or to stop.")
        return self


class Instance(Section):
    """A compute instance: one person's machine in the workspace.

    Every change but that of expectedHours deletes it and makes it again.
    """

    name: ComputeName = Field(
        max_length=24, description="3 to 24 characters; otherwise the rules of a cluster's name hold."
    )
    user: Person = Field(
        description="Whose it is: user principal name, mail address of a guest, or object id. Nobody else reaches it."
    )
    vm_size: VmSizeName = Field(description="VM size of the instance.")
    idle_minutes: int = Field(
        default=60, ge=15, le=4320, description="Minutes without use after which it stops, 15 to 4320."
    )
    expected_hours: int = Field(
        default=EXPECTED_HOURS,
        ge=0,
        le=HOURS,
        description="Hours a month that it is expected to be on, 0 to 730. For reports of costs only.",
    )
    schedule: InstanceSchedule | None = Field(default=None, description="When it starts and stops by itself.")
    setup_script: str | None = Field(
        default=None,
        min_length=1,
        max_length=16384,
        description="Text of a shell script that runs once, when the instance is made.",
    )
