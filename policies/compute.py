"""Rules for compute of a workspace: what costs money while nothing runs, or lets people around their identity."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pulumi_policy import PolicyComplianceFramework, Severity

from policies.rules import ConfigError, at, rule, texts, whole_number

COMPUTE = "machinelearningservices:Compute"
PRIORITIES = ("Dedicated", "LowPriority")

_CLUSTERS = "https://learn.microsoft.com/azure/machine-learning/how-to-create-attach-compute-cluster"
_SCALE = ("properties", "properties", "scaleSettings")
_LANDING_ZONES = "Azure Landing Zones"
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


def _is_cluster(properties: Mapping[str, Any]) -> bool:
    return bool(at(properties, "properties", "computeType") == "AmlCompute")


def _has_vm_size(properties: Mapping[str, Any]) -> bool:
    return at(properties, "properties", "computeType") in ("AmlCompute", "ComputeInstance")


def _min_nodes(properties: Mapping[str, Any], _: Mapping[str, Any]) -> Iterator[str]:
    nodes = at(properties, *_SCALE, "minNodeCount") if _is_cluster(properties) else None
    if nodes is not None and nodes != 0:
        yield f"minNodeCount is {_number(nodes)}; a cluster keeps no node while no job runs, so it must be 0"


def _no_min_nodes(properties: Any) -> Any:
    if _is_cluster(properties) and at(properties, *_SCALE) is not None:
        properties["properties"]["properties"]["scaleSettings"]["minNodeCount"] = 0
    return properties


def _vm_sizes(properties: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[str]:
    if not _has_vm_size(properties):
        return
    allowed = [size.upper() for size in texts(config, "allowed")]
    if odd := [size for size in allowed if not re.fullmatch(r"STANDARD_[A-Z0-9_-]+", size)]:
        raise ConfigError(f"'allowed' has {odd[0]!r}; VM sizes read like STANDARD_DS3_V2")
    size = at(properties, "properties", "properties", "vmSize")
    if not isinstance(size, str) or size.upper() not in allowed:
        yield f"VM size {size or '(none)'} is not allowed; allowed are {', '.join(allowed)}"


def _max_nodes(properties: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[str]:
    if not _is_cluster(properties):
        return
    most = whole_number(config, "maxNodes")
    nodes = at(properties, *_SCALE, "maxNodeCount")
    if nodes is None or nodes > most:
        yield f"maxNodeCount is {_number(nodes)}; at most {most} are allowed"


def _idle_time(properties: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[str]:
    if not _is_cluster(properties):
        return
    most = whole_number(config, "maxIdleSeconds")
    text = at(properties, *_SCALE, "nodeIdleTimeBeforeScaleDown")
    idle = _seconds(text)
    if idle is None or idle > most:
        yield f"nodeIdleTimeBeforeScaleDown is {text or '(none)'}; nodes go after PT{most}S at most"


def _priority(properties: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[str]:
    if not _is_cluster(properties):
        return
    allowed = texts(config, "allowed", among=PRIORITIES)
    priority = at(properties, "properties", "properties", "vmPriority") or "Dedicated"  # Azure's own default
    if priority not in allowed:
        yield f"priority {priority} is not allowed; allowed are {', '.join(allowed)}"


def _local_auth(properties: Mapping[str, Any], _: Mapping[str, Any]) -> Iterator[str]:
    if _has_vm_size(properties) and at(properties, "properties", "disableLocalAuth") is not True:
        yield "disableLocalAuth is not true; nodes must not have local accounts"


def _seconds(duration: object) -> int | None:
    """Seconds of an ISO 8601 duration of days and below, or None if it is none."""
    match = _DURATION.fullmatch(duration) if isinstance(duration, str) else None
    if match is None or not any(match.groups()):
        return None
    days, hours, minutes, seconds = (int(group or 0) for group in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, (int, float)) else "(none)" if value is None else str(value)


POLICIES = [
    rule(
        "machinelearning-compute-enforce-min-nodes-zero",
        "Compute clusters keep no node while no job runs.",
        resource=COMPUTE,
        check=_min_nodes,
        remedy=_no_min_nodes,
        severity=Severity.HIGH,
        framework=PolicyComplianceFramework(name="checkov", reference="CKV_AZURE_150"),
        url=_CLUSTERS,
        remediation_steps="Set the cluster's minNodeCount to 0, or leave minNodes out of the stack file.",
    ),
    rule(
        "machinelearning-compute-allow-vm-sizes",
        "Compute uses only VM sizes that the stack allows.",
        resource=COMPUTE,
        check=_vm_sizes,
        severity=Severity.HIGH,
        framework=PolicyComplianceFramework(name=_LANDING_ZONES, reference="Deny-MachineLearning-Compute-VmSize"),
        url="https://learn.microsoft.com/azure/machine-learning/how-to-manage-quotas",
        remediation_steps="Take an allowed VM size, or have this one added to 'allowed' in policies/<stack>.json.",
        config={
            "allowed": {
                "type": "array",
                "items": {"type": "string"},
                "minItems": 1,
                "description": "VM sizes that may be used, such as STANDARD_DS3_V2, in any letter case.",
            }
        },
    ),
    rule(
        "machinelearning-compute-limit-max-nodes",
        "Compute clusters grow to no more nodes than the stack allows.",
        resource=COMPUTE,
        check=_max_nodes,
        severity=Severity.MEDIUM,
        framework=PolicyComplianceFramework(name=_LANDING_ZONES, reference="Deny-MachineLearning-ComputeCluster-Scale"),
        url=_CLUSTERS,
        remediation_steps="Lower the cluster's maxNodes, or have the limit raised in policies/<stack>.json.",
        config={"maxNodes": {"type": "integer", "minimum": 0, "description": "Most nodes of one cluster."}},
    ),
    rule(
        "machinelearning-compute-limit-idle-time",
        "Compute clusters give idle nodes back in time.",
        resource=COMPUTE,
        check=_idle_time,
        severity=Severity.MEDIUM,
        framework=PolicyComplianceFramework(name=_LANDING_ZONES, reference="Deny-MachineLearning-ComputeCluster-Scale"),
        url=_CLUSTERS,
        remediation_steps="Lower the cluster's idleMinutes, or have the limit raised in policies/<stack>.json.",
        config={"maxIdleSeconds": {"type": "integer", "minimum": 0, "description": "Longest idle time in seconds."}},
    ),
    rule(
        "machinelearning-compute-allow-priorities",
        "Compute clusters use only node priorities that the stack allows.",
        resource=COMPUTE,
        check=_priority,
        severity=Severity.MEDIUM,
        framework=PolicyComplianceFramework(name="azureml-platform", reference="compute"),
        url=f"{_CLUSTERS}#lower-your-compute-cluster-cost-with-low-priority-vms",
        remediation_steps="Change the cluster's priority in the stack file; this makes the cluster anew.",
        config={
            "allowed": {
                "type": "array",
                "items": {"type": "string", "enum": list(PRIORITIES)},
                "minItems": 1,
                "description": "Priorities that may be used: Dedicated, LowPriority.",
            }
        },
    ),
    rule(
        "machinelearning-compute-disable-local-auth",
        "Compute has no local accounts.",
        resource=COMPUTE,
        check=_local_auth,
        severity=Severity.HIGH,
        framework=PolicyComplianceFramework(name="Azure Policy", reference="e96a9a5f-07ca-471b-9bc5-6a0f33cbd68f"),
        url="https://learn.microsoft.com/azure/machine-learning/how-to-integrate-azure-policy",
        remediation_steps="Set disableLocalAuth to true.",
    ),
]
