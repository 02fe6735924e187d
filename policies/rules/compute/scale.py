"""How far clusters grow, and how soon clusters and instances give back what nobody uses."""

import copy
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import isodate

from policies.baseline import controls
from policies.model import Counterpart, Outcome, Problem, ResourceRule, Setting, Settings, Severity
from policies.resources import Graph, Resource
from policies.rules.checks import number, show
from policies.rules.compute.kinds import CLUSTER, CLUSTERS, COMPUTE, DOCS, INSTANCE, LANDING_ZONES, is_a, only

PRIORITIES: Final = ("Dedicated", "LowPriority")
_SCALE = "properties.properties.scaleSettings"
IDLE = {"type": "integer", "minimum": 0, "description": "Longest idle time in seconds."}


@only(CLUSTER)
def _min_nodes(resource: Resource, _settings: Settings, _graph: Graph) -> Outcome:
    path = f"{_SCALE}.minNodeCount"
    nodes = resource.get(path)
    if nodes is not None and nodes != 0:
        yield Problem(
            f"minNodeCount is {show(nodes)}; a cluster keeps no node while no job runs, so it must be 0", path
        )


def _no_min_nodes(resource: Resource, _settings: Settings) -> Mapping[str, Any] | None:
    if not is_a(resource, CLUSTER) or resource.get(f"{_SCALE}.minNodeCount") in (None, 0):
        return None
    changed = copy.deepcopy(dict(resource.inputs))
    changed["properties"]["properties"]["scaleSettings"]["minNodeCount"] = 0
    return changed


@only(CLUSTER)
def _max_nodes(resource: Resource, settings: Settings, _graph: Graph) -> Outcome:
    path, most = f"{_SCALE}.maxNodeCount", settings["maxNodes"]
    nodes = number(resource, path)
    if nodes is None or nodes > most:
        yield Problem(f"maxNodeCount is {show(nodes)}; at most {show(most)} are allowed", path)


@only(CLUSTER)
def _idle_time(resource: Resource, settings: Settings, _graph: Graph) -> Outcome:
    yield from _idle(resource, f"{_SCALE}.nodeIdleTimeBeforeScaleDown", settings)


@only(INSTANCE)
def _idle_shutdown(resource: Resource, settings: Settings, _graph: Graph) -> Outcome:
    yield from _idle(resource, "properties.properties.idleTimeBeforeShutdown", settings)


def _idle(resource: Resource, path: str, settings: Settings) -> Outcome:
    text, most = resource.get(path), settings["maxIdleSeconds"]
    seconds = _seconds(text)
    if seconds is None or seconds > most:
        name = path.rpartition(".")[2]
        yield Problem(f"{name} is {show(text)}; it must be a duration of at most {show(most)} seconds", path)


def _seconds(text: Any) -> float | None:
    """Seconds of an ISO 8601 duration of weeks and below; None if it is none."""
    try:
        duration = isodate.parse_duration(text)
    except (TypeError, ValueError, OverflowError):
        return None
    exact = isinstance(duration, timedelta) and any(map(str.isdigit, text))  # months have no length, `PT` says nothing
    return float(duration.total_seconds()) if exact else None


@only(CLUSTER)
def _priority(resource: Resource, settings: Settings, _graph: Graph) -> Outcome:
    path = "properties.properties.vmPriority"
    given = resource.get(path)
    priority = "Dedicated" if given is None else given  # Azure's own default
    if not isinstance(priority, str) or priority.casefold() not in map(str.casefold, settings["allowed"]):
        yield Problem(f"vmPriority is {show(priority)}; allowed are {', '.join(settings['allowed'])}", path)


RULES = (
    ResourceRule(
        name="machinelearning-compute-enforce-min-nodes-zero",
        title="Compute clusters keep no node while no job runs.",
        kinds=(COMPUTE,),
        check=_min_nodes,
        remedy=_no_min_nodes,
        severity=Severity.HIGH,
        counterparts=(
            Counterpart(
                "checkov", "CKV_AZURE_150", "An absent minimum passes here: azure-native and Azure take it for 0."
            ),
            Counterpart(LANDING_ZONES, "Deny-MachineLearning-ComputeCluster-Scale"),
            *controls("PV-6"),
        ),
        url=CLUSTERS,
        remediation="Set the cluster's minNodeCount to 0.",
        applies="Compute clusters (AmlCompute).",
    ),
    ResourceRule(
        name="machinelearning-compute-limit-max-nodes",
        title="Compute clusters grow to a limited number of nodes.",
        kinds=(COMPUTE,),
        check=_max_nodes,
        severity=Severity.MEDIUM,
        counterparts=(Counterpart(LANDING_ZONES, "Deny-MachineLearning-ComputeCluster-Scale"),),
        url=CLUSTERS,
        remediation="Lower the cluster's maximum of nodes, or have the limit raised.",
        settings={
            "maxNodes": Setting(
                {"type": "integer", "minimum": 0, "description": "Most nodes of one cluster."}, default=10
            )
        },
        applies="Compute clusters (AmlCompute).",
    ),
    ResourceRule(
        name="machinelearning-compute-limit-idle-time",
        title="Compute clusters give idle nodes back in time.",
        kinds=(COMPUTE,),
        check=_idle_time,
        severity=Severity.MEDIUM,
        counterparts=(Counterpart(LANDING_ZONES, "Deny-MachineLearning-ComputeCluster-Scale"),),
        url=CLUSTERS,
        remediation="Lower nodeIdleTimeBeforeScaleDown, or have the limit raised.",
        settings={"maxIdleSeconds": Setting(IDLE, default=900)},
        applies="Compute clusters (AmlCompute).",
    ),
    ResourceRule(
        name="machinelearning-compute-allow-priorities",
        title="Compute clusters use only allowed node priorities.",
        kinds=(COMPUTE,),
        check=_priority,
        severity=Severity.MEDIUM,
        source="This project: low-priority nodes are cheaper and can be taken away.",
        url=f"{CLUSTERS}#lower-your-compute-cluster-cost-with-low-priority-vms",
        remediation="Change the cluster's vmPriority; this replaces the cluster.",
        settings={
            "allowed": Setting(
                {
                    "type": "array",
                    "items": {"type": "string", "enum": list(PRIORITIES)},
                    "minItems": 1,
                    "description": f"Priorities that may be used: {', '.join(PRIORITIES)}.",
                },
                default=list(PRIORITIES),
            )
        },
        applies="Compute clusters (AmlCompute).",
    ),
    ResourceRule(
        name="machinelearning-instance-require-idle-shutdown",
        title="Compute instances stop when nobody uses them.",
        kinds=(COMPUTE,),
        check=_idle_shutdown,
        severity=Severity.MEDIUM,
        counterparts=(
            Counterpart("Azure Policy", "679ddf89-ab8f-48a5-9029-e76054077449", "Theirs sets no longest time."),
            Counterpart("PSRule", "AZR-000403", "Theirs sets no longest time."),
        ),
        url=f"{DOCS}how-to-create-compute-instance#configure-idle-shutdown",
        remediation="Set idleTimeBeforeShutdown, such as PT30M.",
        settings={"maxIdleSeconds": Setting(IDLE, default=3600)},
        applies="Compute instances.",
    ),
)
