"""Where compute is reached from, and what it reaches."""

from policies.baseline import controls
from policies.model import Counterpart, Level, NotApplicableError, Outcome, Problem, ResourceRule, Settings, Severity
from policies.resources import Graph, Resource
from policies.rules.checks import alike, show
from policies.rules.compute.kinds import (
    CLUSTER,
    CLUSTERS,
    COMPUTE,
    DOCS,
    INSTANCE,
    LANDING_ZONES,
    is_a,
    only,
    workspace_of,
)
from policies.rules.workspace import managed_network
from policies.values import UnknownValueError


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


@only(CLUSTER, INSTANCE)
def _remote_login(resource: Resource, _settings: Settings, _graph: Graph) -> Outcome:
    own = "remoteLoginPortPublicAccess" if is_a(resource, CLUSTER) else "sshSettings.sshPublicAccess"
    path = f"properties.properties.{own}"
    value = resource.get(path)
    # Azure takes an absent value of an instance for Disabled, of a cluster for NotSpecified, which opens the port
    # unless the cluster is in a virtual network.
    if value is None and is_a(resource, INSTANCE):
        return
    if not alike(value, "Disabled"):
        yield Problem(f"{own} is {show(value)}, it must be 'Disabled'", path)


@only(CLUSTER, INSTANCE)
def _public_ip(resource: Resource, _settings: Settings, _graph: Graph) -> Outcome:
    path = "properties.properties.enableNodePublicIp"
    value = resource.get(path)
    if value is not False:
        yield Problem(f"enableNodePublicIp is {show(value)}, it must be false", path)


RULES = (
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
            Counterpart(LANDING_ZONES, "Deny-MachineLearning-Compute-SubnetId"),
            *controls("NS-1", "NS-2"),
        ),
        url=f"{DOCS}how-to-secure-training-vnet",
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
                LANDING_ZONES,
                "Deny-MachineLearning-ComputeCluster-RemoteLoginPortPublicAccess",
                "Theirs is for clusters only.",
            ),
            *controls("NS-1"),
        ),
        url=CLUSTERS,
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
        counterparts=controls("NS-2"),
        url=f"{DOCS}how-to-secure-training-vnet",
        remediation="Set enableNodePublicIp to false; the compute needs a virtual network.",
        applies="Clusters and instances.",
    ),
)
