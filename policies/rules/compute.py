"""Compute of a workspace: what costs money while nothing runs, or lets people around their identity and network."""

import copy
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

import isodate

from policies import vmsizes
from policies.azuretypes import name_of
from policies.model import (
    Check,
    Counterpart,
    Level,
    NotApplicableError,
    Outcome,
    Problem,
    ResourceRule,
    Setting,
    Settings,
    Severity,
)
from policies.resources import Graph, Resource, same_name
from policies.rules.checks import alike, listed, number, show, tag
from policies.rules.workspace import managed_network
from policies.values import UnknownValueError

COMPUTE: Final = "machinelearningservices:Compute"
WORKSPACE: Final = "machinelearningservices:Workspace"
PRIORITIES: Final = ("Dedicated", "LowPriority")
CLUSTER, INSTANCE = "AmlCompute", "ComputeInstance"

_DOCS = "https://learn.microsoft.com/azure/machine-learning/"
_CLUSTERS = f"{_DOCS}how-to-create-attach-compute-cluster"
_KIND = "properties.computeType"
_SIZE = "properties.properties.vmSize"
_SCALE = "properties.properties.scaleSettings"
_LANDING_ZONES = "Azure Landing Zones"
_SIZES: Final[Mapping[str, Any]] = {
    "type": "array",
    "items": {"type": "string", "pattern": r"^[Ss][Tt][Aa][Nn][Dd][Aa][Rr][Dd]_[A-Za-z0-9_-]+\*?$"},
    "minItems": 1,
}
_LISTS: Final[Mapping[str, Any]] = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "properties": {"allowed": _SIZES, "denied": _SIZES},
        "additionalProperties": False,
    },
}
TEAM_TAG = Setting({"type": "string", "minLength": 1, "description": "Name of the tag whose value is the team."})


def only(*kinds: str) -> Callable[[Check], Check]:
    """A decorator: the check is for these types of compute."""

    def decorate(check: Check) -> Check:
        def checked(resource: Resource, settings: Settings, graph: Graph) -> Outcome:
            kind = resource.get(_KIND)
            if kind not in kinds:
                raise NotApplicableError(f"computeType is {show(kind)}; the rule is about {' and '.join(kinds)}")
            yield from check(resource, settings, graph)

        return checked

    return decorate


@only(CLUSTER)
def _min_nodes(resource: Resource, _settings: Settings, _graph: Graph) -> Outcome:
    path = f"{_SCALE}.minNodeCount"
    nodes = resource.get(path)
    if nodes is not None and nodes != 0:
        yield Problem(
            f"minNodeCount is {show(nodes)}; a cluster keeps no node while no job runs, so it must be 0", path
        )


def _no_min_nodes(resource: Resource, _settings: Settings) -> Mapping[str, Any] | None:
    if resource.get(_KIND) != CLUSTER or resource.get(f"{_SCALE}.minNodeCount") in (None, 0):
        return None
    changed = copy.deepcopy(dict(resource.inputs))
    changed["properties"]["properties"]["scaleSettings"]["minNodeCount"] = 0
    return changed


@only(CLUSTER, INSTANCE)
def _vm_sizes(resource: Resource, settings: Settings, _graph: Graph) -> Outcome:
    yield from size_problems(resource, _SIZE, settings)


def size_problems(resource: Resource, path: str, settings: Settings) -> Outcome:
    """What is wrong with a VM size by the lists of the settings.

    Args:
        resource: What has the size, and the tags that choose the list.
        path: Dotted path of the size.
        settings: `allowed`, `denied`, and the same by team and department.
    """
    allowed, denied = _lists(resource, settings)
    size = resource.get(path)
    if not isinstance(size, str):
        yield Problem(f"vmSize is {show(size)}; allowed are {listed(allowed or ['all but ' + listed(denied)])}", path)
    elif any(vmsizes.matches(size, pattern) for pattern in denied):
        yield Problem(f"{_priced(size, resource)} is denied{_nearest(size, allowed, resource)}", path)
    elif allowed and not any(vmsizes.matches(size, pattern) for pattern in allowed):
        hint = _nearest(size, allowed, resource)
        yield Problem(f"{_priced(size, resource)} is not allowed{hint}; allowed are {listed(allowed)}", path)


def _lists(resource: Resource, settings: Settings) -> tuple[list[str], list[str]]:
    """The nearest allow list (the team's, the department's, everybody's), and what all deny lists deny."""
    lists: list[Mapping[str, Any]] = [settings]
    for by, tag_name in (("departments", "departmentTag"), ("teams", "teamTag")):
        groups = settings.get(by)
        if not groups:
            continue
        if tag_name not in settings:
            raise NotApplicableError(f"it has lists by {by}, and no '{tag_name}' says which tag they go by")
        owner = tag(resource, settings[tag_name])
        own = next((value for key, value in groups.items() if owner and key.casefold() == owner.casefold()), None)
        lists += [own] if own else []
    allowed: list[str] = next((entry["allowed"] for entry in reversed(lists) if entry.get("allowed")), [])
    denied = [pattern for entry in lists for pattern in entry.get("denied", ())]
    if not allowed and not denied:
        raise NotApplicableError("its configuration has no list of allowed or denied VM sizes for this resource")
    return allowed, denied


def _priced(size: str, resource: Resource) -> str:
    found, region = vmsizes.find(size), _region(resource)
    price = vmsizes.hourly(size, region)
    facts = [f"{found.vcpus} vCPUs"] if found else []
    facts += [f"${price:g} an hour"] if price is not None else []
    return f"VM size {size} ({', '.join(facts)})" if facts else f"VM size {size}"


def _nearest(size: str, allowed: list[str], resource: Resource) -> str:
    found = vmsizes.nearest(size, allowed, _region(resource))
    return f". Nearest allowed: {', '.join(_priced(one.name, resource)[8:] for one in found)}" if found else ""


def _region(resource: Resource) -> str | None:
    location = resource.inputs.get("location")
    return location if isinstance(location, str) else None


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


@only(CLUSTER, INSTANCE)
def _virtual_network(resource: Resource, _settings: Settings, graph: Graph) -> Outcome:
    path = "properties.properties.subnet.id"
    try:
        subnet = resource.get(path)
    except UnknownValueError:
        if graph.sources(resource, "properties", "network:VirtualNetwork", "network:Subnet"):
            return  # whatever its id will be, it is of a network that the program makes
        raise
    if subnet:
        return
    workspace = workspace_of(resource, graph)
    if workspace and managed_network(workspace):
        raise NotApplicableError("the workspace has a managed network")
    known = "" if workspace else "; whether its workspace has a managed network is not known here"
    yield Problem(f"subnet.id is {show(subnet)}, it must be a subnet's id{known}", path)


def workspace_of(resource: Resource, graph: Graph) -> Resource | None:
    """The workspace of a compute, None if it is not among the resources.

    Raises:
        UnknownValueError: If its name is not known, and the program's outputs do not tell it either.
    """
    if found := graph.sources(resource, "workspaceName", WORKSPACE):
        return found[0]
    name = resource.get("workspaceName")
    return next((one for one in graph.of(WORKSPACE) if same_name(name_of(one), name)), None)


@only(CLUSTER, INSTANCE)
def _remote_login(resource: Resource, _settings: Settings, _graph: Graph) -> Outcome:
    own = "remoteLoginPortPublicAccess" if resource.get(_KIND) == CLUSTER else "sshSettings.sshPublicAccess"
    path = f"properties.properties.{own}"
    value = resource.get(path)
    # Azure takes an absent value of an instance for Disabled, of a cluster for NotSpecified, which opens the port
    # unless the cluster is in a virtual network.
    if value is None and resource.get(_KIND) == INSTANCE:
        return
    if not alike(value, "Disabled"):
        yield Problem(f"{own} is {show(value)}, it must be 'Disabled'", path)


@only(CLUSTER, INSTANCE)
def _public_ip(resource: Resource, _settings: Settings, _graph: Graph) -> Outcome:
    path = "properties.properties.enableNodePublicIp"
    value = resource.get(path)
    if value is not False:
        yield Problem(f"enableNodePublicIp is {show(value)}, it must be false", path)


def _kinds(resource: Resource, settings: Settings, _graph: Graph) -> Outcome:
    kind = resource.get(_KIND)
    if not any(alike(kind, allowed) for allowed in settings["allowed"]):
        yield Problem(f"computeType is {show(kind)}; allowed are {', '.join(settings['allowed'])}", _KIND)


@only(CLUSTER, INSTANCE)
def _local_auth(resource: Resource, _settings: Settings, _graph: Graph) -> Outcome:
    value = resource.get("properties.disableLocalAuth")
    if value is not True:
        yield Problem(
            f"disableLocalAuth is {show(value)}, it must be true: nodes have no local accounts",
            "properties.disableLocalAuth",
        )


IDLE = {"type": "integer", "minimum": 0, "description": "Longest idle time in seconds."}
SIZE_SETTINGS: Final[Mapping[str, Setting]] = {
    "allowed": Setting(
        {**_SIZES, "description": "VM sizes that may be used, in any letter case, or series: Standard_DSv2*."}
    ),
    "denied": Setting({**_SIZES, "description": "VM sizes or series that may not be used, whatever is allowed."}),
    "departments": Setting({**_LISTS, "description": "Lists for single departments, in place of the general one."}),
    "departmentTag": Setting(
        {"type": "string", "minLength": 1, "description": "Name of the tag whose value is the department."}
    ),
    "teams": Setting({**_LISTS, "description": "Lists for single teams, in place of the department's."}),
    "teamTag": TEAM_TAG,
}
SIZE_ONE_OF: Final = ("allowed", "denied", "departments", "teams")

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
            Counterpart(_LANDING_ZONES, "Deny-MachineLearning-ComputeCluster-Scale"),
        ),
        url=_CLUSTERS,
        remediation="Set the cluster's minNodeCount to 0.",
        applies="Compute clusters (AmlCompute).",
    ),
    ResourceRule(
        name="machinelearning-compute-allow-vm-sizes",
        title="Compute uses only allowed VM sizes.",
        kinds=(COMPUTE,),
        check=_vm_sizes,
        severity=Severity.HIGH,
        level=Level.MANDATORY,
        counterparts=(
            Counterpart(_LANDING_ZONES, "Deny-MachineLearning-Compute-VmSize", "No series, teams or deny list."),
        ),
        url=f"{_DOCS}how-to-manage-quotas",
        remediation="Take an allowed VM size, or have this one added to the rule's list.",
        settings=SIZE_SETTINGS,
        one_of=SIZE_ONE_OF,
        applies="Clusters and instances, where the configuration has a list for them.",
    ),
    ResourceRule(
        name="machinelearning-compute-limit-max-nodes",
        title="Compute clusters grow to a limited number of nodes.",
        kinds=(COMPUTE,),
        check=_max_nodes,
        severity=Severity.MEDIUM,
        counterparts=(Counterpart(_LANDING_ZONES, "Deny-MachineLearning-ComputeCluster-Scale"),),
        url=_CLUSTERS,
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
        counterparts=(Counterpart(_LANDING_ZONES, "Deny-MachineLearning-ComputeCluster-Scale"),),
        url=_CLUSTERS,
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
        url=f"{_CLUSTERS}#lower-your-compute-cluster-cost-with-low-priority-vms",
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
        name="machinelearning-compute-disable-local-auth",
        title="Compute has no local accounts.",
        kinds=(COMPUTE,),
        check=_local_auth,
        severity=Severity.HIGH,
        counterparts=(
            Counterpart("Azure Policy", "e96a9a5f-07ca-471b-9bc5-6a0f33cbd68f"),
            Counterpart("PSRule", "AZR-000404", "Theirs is for every type of compute."),
            Counterpart("checkov", "CKV_AZURE_142", "Theirs is for clusters only."),
        ),
        url=f"{_DOCS}how-to-integrate-azure-policy",
        remediation="Set disableLocalAuth to true.",
        applies="Clusters and instances.",
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
        url=f"{_DOCS}how-to-create-compute-instance#configure-idle-shutdown",
        remediation="Set idleTimeBeforeShutdown, such as PT30M.",
        settings={"maxIdleSeconds": Setting(IDLE, default=3600)},
        applies="Compute instances.",
    ),
    ResourceRule(
        name="machinelearning-compute-require-virtual-network",
        title="Compute runs in a virtual network.",
        kinds=(COMPUTE,),
        check=_virtual_network,
        severity=Severity.HIGH,
        level=Level.DISABLED,
        counterparts=(
            Counterpart(
                "Azure Policy", "7804b5c7-01dc-4723-969b-ae300cc07ff1", "Theirs fails in a managed network, too."
            ),
            Counterpart("PSRule", "AZR-000405", "Theirs is for every type of compute, in a managed network, too."),
            Counterpart(_LANDING_ZONES, "Deny-MachineLearning-Compute-SubnetId"),
        ),
        url=f"{_DOCS}how-to-secure-training-vnet",
        remediation="Set subnet.id, or give the workspace a managed network.",
        applies="Clusters and instances of workspaces without a managed network.",
    ),
    ResourceRule(
        name="machinelearning-compute-disable-remote-login",
        title="Nobody signs in to compute over SSH from the internet.",
        kinds=(COMPUTE,),
        check=_remote_login,
        severity=Severity.HIGH,
        counterparts=(
            Counterpart(
                _LANDING_ZONES,
                "Deny-MachineLearning-ComputeCluster-RemoteLoginPortPublicAccess",
                "Theirs is for clusters only.",
            ),
        ),
        url=_CLUSTERS,
        remediation="Set remoteLoginPortPublicAccess of a cluster, or sshPublicAccess of an instance, to Disabled.",
        applies="Clusters and instances.",
    ),
    ResourceRule(
        name="machinelearning-compute-disable-public-ip",
        title="Compute has no public address.",
        kinds=(COMPUTE,),
        check=_public_ip,
        severity=Severity.MEDIUM,
        level=Level.DISABLED,
        source=(
            "Azure security baseline for Machine Learning, NS-2, "
            "https://learn.microsoft.com/security/benchmark/azure/baselines/machine-learning-service-security-baseline."
        ),
        url=f"{_DOCS}how-to-secure-training-vnet",
        remediation="Set enableNodePublicIp to false; the compute needs a virtual network.",
        applies="Clusters and instances.",
    ),
    ResourceRule(
        name="machinelearning-compute-allow-types",
        title="Only allowed types of compute are attached or created.",
        kinds=(COMPUTE,),
        check=_kinds,
        severity=Severity.MEDIUM,
        counterparts=(Counterpart(_LANDING_ZONES, "Deny-MachineLearning-Aks", "Theirs refuses AKS alone."),),
        url=f"{_DOCS}concept-compute-target",
        remediation="Use an allowed type of compute, or have this one allowed.",
        settings={
            "allowed": Setting(
                {
                    "type": "array",
                    "items": {"type": "string", "minLength": 1},
                    "minItems": 1,
                    "description": "Types such as AmlCompute, ComputeInstance, Kubernetes.",
                },
                required=True,
            )
        },
        applies="All compute.",
    ),
)
