"""The VM sizes that clusters and instances can have, and how many vCPUs a subscription may use of them."""

import json
import math
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from sandbox.azure.cloud import Cloud

LOW_PRIORITY = "TotalLowPriorityCores"
DEDICATED = "TotalDedicatedCores"
RESERVE = 1.2  # of a deployment's instances: a fifth more, for upgrades; how-to-manage-quotas
WORKSPACE_QUOTA = "mlQuota"  # the store's kind of the limits that workspaces have of their own


@dataclass(frozen=True)
class Size:
    """A VM size.

    Attributes:
        name: Such as `STANDARD_DS3_V2`.
        family: The quota that it counts against, such as `standardDSv2Family`.
        vcpus: Virtual CPUs of one node.
        memory_gb: Memory of one node in GB.
        gpus: GPUs of one node.
        low_priority: Whether it can be had as low-priority nodes.
    """

    name: str
    family: str
    vcpus: int
    memory_gb: float
    gpus: int
    low_priority: bool


@cache
def sizes() -> dict[str, Size]:
    """All sizes by their name in capitals."""
    rows = json.loads(resources.files("sandbox.azure.ml").joinpath("sizes.json").read_text(encoding="utf-8"))
    return {
        row["name"]: Size(
            row["name"], row["family"], row["vCPUs"], row["memoryGB"], row["gpus"], row["lowPriorityCapable"]
        )
        for row in rows
    }


def serving_vcpus(size: str, instances: int) -> int:
    """VCPUs that a managed online deployment counts against the quota.

    Args:
        size: The size's name in capitals.
        instances: How many of them.
    """
    return math.ceil(RESERVE * instances) * sizes()[size].vcpus


def families() -> dict[str, bool]:
    """All families, and whether their sizes have GPUs."""
    return {size.family: size.gpus > 0 for size in sizes().values()}


def plain(name: str) -> str:
    """A family's name without what its spellings differ in.

    They are `standardDSv2Family` and, as usages and quotas have it, `Standard_DSv2_Family_Cluster_Dedicated_vCPUs`.
    """
    return re.sub(r"[^a-z0-9]", "", name.lower()).removesuffix("clusterdedicatedvcpus")


def title(family: str) -> str:
    """A family's name as usages show it: `Standard DSv2 Family Cluster Dedicated vCPUs`."""
    words = re.sub(r"(?i)^standard\s*|\s*family$", "", family)
    return f"Standard {words} Family Cluster Dedicated vCPUs"


def quota(cloud: Cloud, location: str, family: str) -> int:
    """VCPUs that the subscription may use of a family, or of a total, in a region: from the seed's `quotas`.

    A family that the seed does not name has the whole dedicated total, or none where its sizes have GPUs, as a new
    subscription has none of those.
    """
    limits: dict[str, Any] = cloud.seed["quotas"].get(location) or cloud.seed["quotas"]["default"]
    if family == LOW_PRIORITY:
        return int(limits["lowPriority"])
    if family == DEDICATED:
        return int(limits["dedicated"])
    by_name = {name.lower(): limit for name, limit in limits.items()}
    default = 0 if families().get(family) else limits["dedicated"]
    return int(by_name.get(family.lower(), default))


def workspace_quota(cloud: Cloud, workspace_id: str, family: str) -> int | None:
    """VCPUs that a workspace may use of a family, as `updateQuotas` set it; None for no limit of its own."""
    document = cloud.store.get(WORKSPACE_QUOTA, f"{workspace_id}/quotas/{family}".lower())
    return int(document["limit"]) if document else None
