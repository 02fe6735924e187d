"""Compute clusters: nodes that come when a job needs them and go when it is done."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pulumi
from pulumi_azure_native import machinelearningservices as ml

from components.identity.principals import Principal
from components.retries import lookup_made

_WIRE_PRIORITY = {"dedicated": "Dedicated", "lowPriority": "LowPriority"}

REPLACED_BY = (
    *(f"properties.properties.{name}" for name in ("vmSize", "vmPriority", "subnet", "enableNodePublicIp")),
    # An identity that is taken out turns azure-native's PUT into a PATCH, and that of a cluster has scale only.
    "identity",
)
"""Inputs that a cluster cannot change in place. azure-native would send an update, which the service ignores."""


@dataclass(frozen=True)
class ComputeClusterArgs:
    """A compute cluster. It always scales down to no node at all.

    Attributes:
        resource_group_name: Resource group of the workspace.
        workspace_name: The workspace that it belongs to.
        cluster_name: Its name in the workspace; unique in the region.
        location: Azure region.
        vm_size: VM size of the nodes, such as `STANDARD_DS3_V2`.
        max_nodes: Most nodes at one time.
        identity_id: User-assigned identity under which jobs read data and pull images; one of the cluster's own,
            system-assigned, if left out.
        priority: `dedicated`, or `lowPriority` for nodes that Azure may take back.
        idle_minutes: Minutes without a job after which a node is given back.
        min_nodes: Nodes that stay; only 0.
        subnet_id: Subnet of the nodes; Azure's or the managed network's if left out.
        public_ip: Whether nodes have public addresses; not in a subnet or a managed network.
        tags: Tags of the cluster.
    """

    resource_group_name: pulumi.Input[str]
    workspace_name: pulumi.Input[str]
    cluster_name: str
    location: pulumi.Input[str]
    vm_size: str
    max_nodes: int
    identity_id: pulumi.Input[str] | None = None
    priority: Literal["dedicated", "lowPriority"] = "dedicated"
    idle_minutes: int = 2
    min_nodes: Literal[0] = 0
    subnet_id: pulumi.Input[str] | None = None
    public_ip: bool = True
    tags: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what would cost money while nothing runs.

        Raises:
            ValueError: If `min_nodes` is not 0.
        """
        if self.min_nodes != 0:
            raise ValueError(f"cluster '{self.cluster_name}': min_nodes is always 0, not {self.min_nodes}")


class ComputeCluster(pulumi.ComponentResource):
    """An AmlCompute cluster with no nodes at rest, a managed identity, and neither SSH nor local accounts.

    Scale and idle time change in place. VM size, priority, subnet and identity make the cluster anew, the old one
    first, since both have the same name.

    Example:
        >>> from components.compute.cluster import ComputeCluster, ComputeClusterArgs
        >>> cluster = ComputeCluster(
        ...     "train",
        ...     ComputeClusterArgs(
        ...         resource_group_name="forecast", workspace_name="forecastws", cluster_name="train",
        ...         location="eastus2", vm_size="STANDARD_DS3_V2", max_nodes=4,
        ...         identity_id="/subscriptions/8b41ca0c-0c5a-4c01-b49b-5bb8d329cc27/resourceGroups/forecast"
        ...         "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/nodes",
        ...     ),
        ... )
        >>> pulumi.export("vmSize", cluster.vm_size)

    Attributes:
        cluster_id: Id of the cluster.
        cluster_name: Its name in the workspace.
        vm_size: Its VM size as the service has it.
        principal: Its own identity, to give roles to; None where it has a user-assigned one.
    """

    cluster_id: pulumi.Output[str]
    cluster_name: pulumi.Output[str]
    vm_size: pulumi.Output[str]
    principal: Principal | None = None

    def __init__(self, name: str, args: ComputeClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("azureml-platform:components:ComputeCluster", name, {}, opts)
        cluster = ml.Compute(
            name,
            compute_name=args.cluster_name,
            workspace_name=args.workspace_name,
            resource_group_name=args.resource_group_name,
            location=args.location,
            identity=_identity(args),
            properties=_properties(args),
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self, replace_on_changes=list(REPLACED_BY), delete_before_replace=True),
        )
        self.cluster_id = cluster.id
        self.cluster_name = cluster.name
        self.vm_size = cluster.properties.apply(lambda properties: _made_as_asked(args, properties))
        if args.identity_id is None:
            self.principal = self._own_identity(name, cluster, args)
        self.register_outputs({"clusterId": self.cluster_id, "clusterName": self.cluster_name, "vmSize": self.vm_size})

    def _own_identity(self, name: str, cluster: ml.Compute, args: ComputeClusterArgs) -> Principal:
        """Looked up by name: the preview of an update knows a cluster's name, and its identity no more."""
        compute = lookup_made(
            cluster,
            lambda: ml.get_compute_output(
                compute_name=cluster.name,
                workspace_name=args.workspace_name,
                resource_group_name=args.resource_group_name,
                opts=pulumi.InvokeOptions(parent=self),
            ),
        )
        principal_id = compute.identity.apply(lambda identity: (identity and identity.principal_id) or "")
        return Principal(name, principal_id, "ServicePrincipal")


def _identity(args: ComputeClusterArgs) -> ml.ManagedServiceIdentityArgs:
    kind = ml.ManagedServiceIdentityType
    if args.identity_id is None:
        return ml.ManagedServiceIdentityArgs(type=kind.SYSTEM_ASSIGNED)
    return ml.ManagedServiceIdentityArgs(type=kind.USER_ASSIGNED, user_assigned_identities=[args.identity_id])


def _properties(args: ComputeClusterArgs) -> ml.AmlComputeArgs:
    return ml.AmlComputeArgs(
        compute_type="AmlCompute",
        disable_local_auth=True,
        properties=ml.AmlComputePropertiesArgs(
            vm_size=args.vm_size,
            vm_priority=_WIRE_PRIORITY[args.priority],
            subnet=None if args.subnet_id is None else ml.ResourceIdArgs(id=args.subnet_id),
            enable_node_public_ip=args.public_ip,
            os_type="Linux",
            remote_login_port_public_access="Disabled",
            scale_settings=ml.ScaleSettingsArgs(
                min_node_count=args.min_nodes,
                max_node_count=args.max_nodes,
                node_idle_time_before_scale_down=f"PT{args.idle_minutes * 60}S",
            ),
        ),
    )


def _made_as_asked(args: ComputeClusterArgs, properties: Mapping[str, Any]) -> str:
    """The VM size that the service has; a cluster made again under its old name can come back with its old size.

    Source: github.com/Azure/azure-rest-api-specs/issues/18889.
    """
    made = str((properties.get("properties") or {}).get("vmSize") or args.vm_size)
    if made.upper() != args.vm_size.upper():
        raise pulumi.RunError(
            f"cluster '{args.cluster_name}' has VM size {made}, not {args.vm_size}: Azure kept the old one under this "
            f"name. Delete it (az ml compute delete --name {args.cluster_name}), then run `pulumi "
            f"refresh` and `pulumi up`."
        )
    return made
