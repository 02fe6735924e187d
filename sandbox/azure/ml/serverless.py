"""Serverless compute: a node for each job, of a size that the job names or the service chooses.

Source: learn.microsoft.com/azure/machine-learning/how-to-use-serverless-compute: the size is chosen by quota and cost;
data is read as the submitter, or as the workspace's user-assigned identity, never as its system-assigned one.
"""

from sandbox.azure.arm.core import Body
from sandbox.azure.cloud import Cloud
from sandbox.azure.ml.computes.kinds import CLUSTER
from sandbox.azure.ml.names import user_identities
from sandbox.azure.ml.sizes import DEDICATED, LOW_PRIORITY, Size, quota, sizes

NAME = "serverless"
MANAGED = "Managed"


class QuotaError(Exception):
    """No size fits the quota, or the one that is asked for is not there; the message says which."""


def is_serverless(compute_id: str | None) -> bool:
    """Whether a job's compute is serverless: none at all, or by that name."""
    return not compute_id or compute_id.rstrip("/").rsplit("/", 1)[-1].lower() == NAME


def compute(cloud: Cloud, workspace: Body, job: Body) -> Body:
    """What a job's nodes are made from, as if it were a cluster of its own.

    Args:
        cloud: The local Azure.
        workspace: The workspace.
        job: The job's properties.

    Raises:
        QuotaError: It can never be had.
    """
    resources, tier = job["resources"], (job["queueSettings"] or {}).get("jobTier")
    spot = tier == "Spot"
    size = _size(cloud, workspace["location"], resources, spot=spot)
    primary = workspace["properties"].get("primaryUserAssignedIdentity")
    identities = [primary] if primary else user_identities(workspace)[:1]
    return {
        "id": f"{workspace['id']}/computes/{NAME}",
        "name": NAME,
        "location": workspace["location"],
        "identity": {"userAssignedIdentities": {one: {} for one in identities}},
        "properties": {
            "computeType": CLUSTER,
            "properties": {
                "vmSize": size.name,
                "vmPriority": "LowPriority" if spot else "Dedicated",
                "scaleSettings": {"minNodeCount": 0, "maxNodeCount": None, "nodeIdleTimeBeforeScaleDown": "PT0S"},
            },
        },
    }


def _size(cloud: Cloud, location: str, resources: Body, *, spot: bool) -> Size:
    count, wanted = resources["instanceCount"], resources.get("instanceType")
    if wanted:
        found = sizes().get(str(wanted).upper())
        if found is None:
            raise QuotaError(f"The instance type '{wanted}' is not a VM size of the region: {', '.join(sizes())}.")
        candidates = [found]
    else:
        candidates = sorted(
            (one for one in sizes().values() if not one.gpus), key=lambda one: (one.vcpus, one.memory_gb)
        )
    for one in candidates:
        if _fits(cloud, location, one, count, spot=spot):
            return one
    raise QuotaError(
        f"There is not enough quota in {location} for {count} {'spot ' if spot else ''}nodes"
        f"{f' of {wanted}' if wanted else ''}."
    )


def _fits(cloud: Cloud, location: str, size: Size, count: int, *, spot: bool) -> bool:
    if spot and not size.low_priority:
        return False
    limits = (LOW_PRIORITY,) if spot else (size.family, DEDICATED)
    return all(size.vcpus * count <= quota(cloud, location, limit) for limit in limits)
