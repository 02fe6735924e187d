"""What a region offers: VM sizes, quotas and their use."""

import re
from collections import Counter

from sandbox.azure.arm.core import Body, Call
from sandbox.azure.arm.resources import Resources, Route, route
from sandbox.azure.cloud import Cloud
from sandbox.azure.ml.computes.kinds import CLUSTER, INSTANCE, NODES
from sandbox.azure.ml.computes.kinds import TYPE as COMPUTES
from sandbox.azure.ml.names import NAMESPACE, ONLINE_DEPLOYMENTS, WORKSPACES, workspace_id
from sandbox.azure.ml.sizes import (
    DEDICATED,
    LOW_PRIORITY,
    WORKSPACE_QUOTA,
    families,
    plain,
    quota,
    serving_vcpus,
    sizes,
    title,
)

NO_LIMIT = -1  # of its own: the total bounds it
TOTALS = {
    DEDICATED: "Total Cluster Dedicated Regional vCPUs",
    LOW_PRIORITY: "Total Cluster LowPriority Regional vCPUs",
}


def _vm_sizes(resources: Resources, call: Call, match: re.Match[str]) -> Body:
    """All sizes, the same in every region."""
    del resources
    call.authorize(f"{NAMESPACE}/locations/vmSizes/read", _subscription(match))
    return {
        "value": [
            {
                "name": size.name,
                "family": size.family,
                "vCPUs": size.vcpus,
                "gpus": size.gpus,
                "memoryGB": size.memory_gb,
                "lowPriorityCapable": size.low_priority,
                "premiumIO": "S" in size.name.split("_")[1],
                "osVhdSizeMB": 1047552,
                "maxResourceVolumeMB": 0,
                "supportedComputeTypes": [CLUSTER, INSTANCE],
            }
            for size in sizes().values()
        ]
    }


def _usages(resources: Resources, call: Call, match: re.Match[str]) -> Body:
    """VCPUs in use and their limits, by family, in total, and of workspaces with a limit; idle nodes count."""
    del resources
    call.authorize(f"{NAMESPACE}/locations/usages/read", _subscription(match))
    location = match["location"].lower()
    subscription = _subscription(match)
    used = vcpus_in_use(call.cloud, location)
    rows = []
    for family in sorted(families()):
        id_ = f"{subscription}/usages/{family}"
        rows.append(_usage(id_, "vmFamily/lowPriorityCores", family, 0, NO_LIMIT))
        rows.append(_usage(id_, "vmFamily/dedicatedCores", family, used[family], quota(call.cloud, location, family)))
    for total, kind in ((DEDICATED, "dedicatedCores"), (LOW_PRIORITY, "lowPriorityCores")):
        rows.append(_usage(f"{subscription}/usages", kind, total, used[total], quota(call.cloud, location, total)))
    for limit in call.cloud.store.list(WORKSPACE_QUOTA):
        workspace, family = workspace_id(limit["id"]), limit["name"]["value"]
        if limit["amlWorkspaceLocation"] == location and call.resource(workspace):
            current = vcpus_in_use(call.cloud, location, workspace)[family]
            id_ = f"{workspace}/usages/{family}"
            rows.append(_usage(id_, "workspaces/dedicatedCores", family, current, limit["limit"]))
    return {"value": [{**row, "amlWorkspaceLocation": location} for row in rows]}


def _usage(id_: str, kind: str, name: str, used: int, limit: int) -> Body:
    return {
        "id": id_,
        "type": f"{NAMESPACE}/{kind}/usages",
        "unit": "Count",
        "currentValue": used,
        "limit": limit,
        "name": {"value": name, "localizedValue": TOTALS.get(name) or title(name)},
    }


def _quotas(resources: Resources, call: Call, match: re.Match[str]) -> Body:
    """The limits that `updateQuotas` gave to workspaces."""
    del resources
    call.authorize(f"{NAMESPACE}/locations/quotas/read", _subscription(match))
    location = match["location"].lower()
    limits = call.cloud.store.list(WORKSPACE_QUOTA)
    return {"value": [one for one in limits if one["amlWorkspaceLocation"] == location]}


def vcpus_in_use(cloud: Cloud, location: str, within: str = "") -> Counter[str]:
    """VCPUs of the nodes and deployments in a region: by family, low-priority ones under their pool's name, and all.

    Args:
        cloud: The local Azure.
        location: The region.
        within: Id of the workspace that alone counts; empty for all.
    """
    used: Counter[str] = Counter()
    inside = f"{within.lower()}/" if within else ""
    for node in cloud.store.list(NODES, inside):
        if node["location"] == location:
            used[node["quota"]] += node["vcpus"]
    for one in cloud.store.resources(COMPUTES, inside):
        inner = one["properties"]["properties"]
        running = one["properties"]["computeType"] == INSTANCE and inner["state"] == "Running"
        if running and one["location"] == location:
            size = sizes()[inner["vmSize"]]
            used[size.family] += size.vcpus
    for one in cloud.store.resources(ONLINE_DEPLOYMENTS, inside):
        if one["location"] == location:
            size = sizes()[one["properties"]["instanceType"]]
            used[size.family] += serving_vcpus(size.name, one["sku"]["capacity"])
    used[DEDICATED] = sum(count for family, count in used.items() if family != LOW_PRIORITY)
    return used


def _update_quotas(resources: Resources, call: Call, match: re.Match[str]) -> Body:
    """A status for each item; what is refused leaves the others."""
    del resources
    call.authorize(f"{NAMESPACE}/locations/updateQuotas/action", _subscription(match))
    region = match["location"].lower()
    answers = []
    for item in call.body.get("value") or []:
        status = _quota_status(call, region, item)
        answer = {
            "id": item.get("id"),
            "type": f"{WORKSPACES}/quotas",
            "limit": item.get("limit"),
            "unit": item.get("unit", "Count"),
            "status": status,
        }
        if status == "Success":
            family = _family(item)
            key = f"{workspace_id(item['id'])}/quotas/{family}".lower()
            limit = {**answer, "amlWorkspaceLocation": region, "name": {"value": family}}
            if item["limit"] == NO_LIMIT:
                call.cloud.store.delete(WORKSPACE_QUOTA, key)
            else:
                call.cloud.store.put(WORKSPACE_QUOTA, key, limit)
        answers.append(answer)
    return {"value": answers, "nextLink": None}


def _subscription(match: re.Match[str]) -> str:
    return f"/subscriptions/{match['subscription']}"


def _family(item: Body) -> str | None:
    """The family that a limit is for, by any of its spellings."""
    asked = plain(str(item.get("id", "")).rsplit("/", 1)[-1])
    return next((name for name in families() if plain(name) == asked), None)


def _quota_status(call: Call, region: str, item: Body) -> str:
    """Source: the statuses of `updateQuotas` in Microsoft's model (Status)."""
    family = _family(item)
    if family is None:
        return "InvalidVMFamilyName"
    limit = item.get("limit")
    workspace = workspace_id(str(item["id"]))
    if call.resource(workspace) is None or not isinstance(limit, int):
        return "Failure"
    if limit > quota(call.cloud, region, family):
        return "InvalidQuotaExceedsSubscriptionLimit"
    if limit >= 0 and limit < _cluster_minimum(call, workspace, family):
        return "InvalidQuotaBelowClusterMinimum"
    return "Success"


def _cluster_minimum(call: Call, workspace: str, family: str) -> int:
    total = 0
    for one in call.cloud.store.list("resource", f"{workspace.lower()}/computes/"):
        inner = one["properties"].get("properties") or {}
        size = sizes().get(str(inner.get("vmSize")))
        if size is not None and size.family.lower() == family.lower() and "scaleSettings" in inner:
            total += size.vcpus * inner["scaleSettings"]["minNodeCount"]
    return total


_AT = f"/subscriptions/{{subscription}}/providers/{NAMESPACE}/locations/{{location}}"
ROUTES: tuple[Route, ...] = (
    route("GET", f"{_AT}/vmSizes", _vm_sizes),
    route("GET", f"{_AT}/usages", _usages),
    route("GET", f"{_AT}/quotas", _quotas),
    route("POST", f"{_AT}/updateQuotas", _update_quotas),
)
