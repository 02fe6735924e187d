"""Clusters: their scale and quota, and the nodes that they have now."""

from collections import Counter
from typing import Any

from sandbox.azure.arm.core import Body, Call
from sandbox.azure.front.errors import AzureError
from sandbox.azure.ml.computes.kinds import CLUSTER, NODES, SENT, require
from sandbox.azure.ml.durations import seconds
from sandbox.azure.ml.sizes import LOW_PRIORITY, Size, quota, workspace_quota

MIN_IDLE = 60  # seconds
UNCHANGED = ("vmSize", SENT, "vmPriority", "subnet", "osType", "enableNodePublicIp", "remoteLoginPortPublicAccess")
"""What an update sends in vain: the service takes the request and keeps the old value."""
MOVING = ("currentNodeCount", "targetNodeCount", "nodeStateCounts", "allocationState")
UNSET = {
    "subnet": None,
    "errors": None,
    "virtualMachineImage": None,
    "isolatedNetwork": False,
    "enableBatchPrivateLink": False,
}
"""What is there, and null or so, where it is not set. Source: recordings, listed in docs/fidelity/ml.md."""
STATES = ("idle", "running", "preparing", "unusable", "leaving", "preempted")


def check(call: Call, properties: Body, size: Size) -> None:
    """Refuses wrong scale settings, and what the quota does not hold.

    Raises:
        AzureError: 400.
    """
    _scale(properties.get("scaleSettings"))
    _quota(call, properties, size)


def _scale(scale: Any) -> None:
    at = "properties.properties.scaleSettings"
    if scale is None:
        return
    if scale.get("maxNodeCount") is None:
        raise AzureError(400, "InvalidPropertyValue", f"{at}.maxNodeCount is required, a number.", target=at)
    least, most = scale.get("minNodeCount") or 0, scale["maxNodeCount"]
    if not 0 <= least <= most:
        raise AzureError(
            400,
            "InvalidPropertyValue",
            f"{at}: minNodeCount {least} and maxNodeCount {most} must be 0 <= min <= max.",
            target=at,
        )
    idle = scale.get("nodeIdleTimeBeforeScaleDown")
    try:
        too_short = idle is not None and seconds(str(idle)) < MIN_IDLE
    except ValueError as error:
        raise AzureError(400, "InvalidPropertyValue", f"{at}.nodeIdleTimeBeforeScaleDown: {error}.") from error
    if too_short:
        raise AzureError(
            400, "InvalidPropertyValue", f"{at}.nodeIdleTimeBeforeScaleDown: '{idle}' is below {MIN_IDLE} seconds."
        )


def _quota(call: Call, properties: Body, size: Size) -> None:
    """One node must fit, also where the cluster starts with none."""
    low = properties.get("vmPriority") == "LowPriority"
    if low and not size.low_priority:
        raise AzureError(400, "InvalidPropertyValue", f"'{size.name}' is not available as low priority.")
    nodes = max(1, (properties.get("scaleSettings") or {}).get("minNodeCount") or 0)
    family = LOW_PRIORITY if low else size.family
    limit, holder = quota(call.cloud, str(call.body["location"]), family), "subscription"
    own = workspace_quota(call.cloud, call.id.parent, family)
    if own is not None and own < limit:
        limit, holder = own, "workspace"
    if nodes * size.vcpus <= limit:
        return
    words = "total low-priority" if low else f"{size.family} family"
    raise AzureError(
        400,
        "BadRequest",
        "The request is invalid.",
        details=[
            {
                "code": "ClusterMinNodesExceedCoreQuota",
                "message": f"The specified {holder} has a {words} vCPU quota of {limit} and cannot accomodate "
                f"for at least {nodes} requested managed compute nodes which maps to {nodes * size.vcpus} vCPUs.",
            }
        ],
    )


def fill(inner: Body) -> None:
    """Fills defaults in."""
    inner.setdefault("osType", "Linux")
    inner.setdefault("vmPriority", "Dedicated")
    inner.setdefault("remoteLoginPortPublicAccess", "NotSpecified")
    scale = inner.setdefault("scaleSettings", {"maxNodeCount": 1})
    scale.setdefault("minNodeCount", 0)
    scale.setdefault("nodeIdleTimeBeforeScaleDown", "PT120S")
    if inner.get("userAccountCredentials"):
        inner["userAccountCredentials"] = {**inner["userAccountCredentials"], "adminUserPassword": None}


def now(call: Call, cluster: Body) -> Body:
    """How many nodes a cluster has now, by state."""
    nodes = list(call.cloud.store.list(NODES, cluster["id"].lower() + "/"))
    states = Counter(node["state"] for node in nodes)
    least = cluster["properties"]["properties"]["scaleSettings"]["minNodeCount"]
    counts = {f"{state}NodeCount": states[state] for state in STATES}
    counts["idleNodeCount"] += max(0, least - len(nodes))
    return {
        "allocationState": "Resizing" if states["preparing"] or states["leaving"] else "Steady",
        "allocationStateTransitionTime": max(
            (node["since"] for node in nodes), default=cluster["properties"]["modifiedOn"]
        ),
        "currentNodeCount": max(least, len(nodes)),
        "targetNodeCount": max(least, len(nodes) - states["leaving"]),
        "nodeStateCounts": counts,
    }


def list_nodes(call: Call, resource: Body) -> Body:
    """The nodes, with what runs on them."""
    require(resource, CLUSTER)
    found = list(call.cloud.store.list(NODES, resource["id"].lower() + "/"))
    return {
        "nodes": [
            {
                "nodeId": node["id"],
                "privateIpAddress": f"10.0.0.{4 + index}",
                "publicIpAddress": None,
                "port": 50000 + index,
                "nodeState": node["state"],
                "runId": node.get("runId"),
            }
            for index, node in enumerate(found)
        ]
    }
