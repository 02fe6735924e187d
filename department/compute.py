"""The sections `clusters` and `instances`."""

from components.compute.cluster import ComputeCluster, ComputeClusterArgs
from components.compute.instance import ComputeInstance, ComputeInstanceArgs, Schedule
from components.identity.principals import Principal
from contract import ClusterOutput, InstanceOutput, PriceOutput
from department.context import WorkspaceContext
from department.data import let_use_files
from department.outputs import later
from operations.costs.resources import node_price
from settings import Cluster, Instance, logical


def make_cluster(context: WorkspaceContext, cluster: Cluster) -> tuple[ClusterOutput, Principal | None]:
    """Make a cluster; its output, and its own identity where it has one."""
    workspace = context.workspace
    made = ComputeCluster(
        logical.compute(context.team, cluster.name),
        ComputeClusterArgs(
            resource_group_name=workspace.resource_group_name,
            workspace_name=workspace.workspace_name,
            cluster_name=cluster.name,
            location=context.department.region,
            vm_size=cluster.vm_size,
            max_nodes=cluster.max_nodes,
            identity_id=workspace.node_identity_id if cluster.identity == "user" else None,
            priority=cluster.priority,
            idle_minutes=cluster.idle_minutes,
            subnet_id=context.compute_subnet_id,
            public_ip=context.public_ip,
            tags=context.tags,
        ),
        opts=context.child_after(*workspace.node_access),
    )
    if made.principal:
        workspace.grant_node_access(made.principal)
    output = ClusterOutput.model_construct(
        vm_size=later(made.vm_size),
        max_nodes=cluster.max_nodes,
        priority=cluster.priority,
        idle_minutes=cluster.idle_minutes,
        price=_price(context, cluster),
    )
    return output, made.principal


def _price(context: WorkspaceContext, cluster: Cluster) -> PriceOutput | None:
    region = context.department.region
    hourly, upper_bound = node_price(context.shared.prices, region, cluster.vm_size, cluster.priority)
    as_of = context.shared.prices.as_of(region)
    if hourly is None or as_of is None:
        return None
    return PriceOutput.model_construct(hourly=float(hourly), as_of=as_of.isoformat(), upper_bound=upper_bound)


def make_instance(context: WorkspaceContext, instance: Instance) -> InstanceOutput:
    """Make a compute instance; its output."""
    workspace, schedule = context.workspace, instance.schedule
    owner = context.shared.directory.user(instance.user)
    made = ComputeInstance(
        logical.compute(context.team, instance.name),
        ComputeInstanceArgs(
            resource_group_name=workspace.resource_group_name,
            workspace_name=workspace.workspace_name,
            instance_name=instance.name,
            location=context.department.region,
            vm_size=instance.vm_size,
            user_object_id=owner.object_id,
            tenant_id=context.shared.tenant_id,
            idle_minutes=instance.idle_minutes,
            schedule=Schedule(schedule.start, schedule.stop, schedule.time_zone) if schedule else None,
            setup_script=instance.setup_script,
            subnet_id=context.compute_subnet_id,
            public_ip=context.public_ip,
            tags=context.tags,
        ),
        # The notebooks lie on the workspace's file share, which the instance reaches by the person's own identity.
        opts=context.child_after(let_use_files(context, owner)),
    )
    return InstanceOutput.model_construct(name=later(made.instance_name), vm_size=instance.vm_size, user=instance.user)
