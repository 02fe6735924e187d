"""The resource group of a team's workspace, and what all resources in it have in common."""

from dataclasses import dataclass
from functools import cached_property

import pulumi
from pulumi_azure_native import resources

from components.network.modes import Firewall, firewall
from components.workspace.arguments import TeamWorkspaceArgs


@dataclass(frozen=True)
class TeamGroup:
    """The resource group, with the name, arguments and component that every resource in it is made from.

    Attributes:
        logical_name: Name of the component, with which the names of its resources begin.
        args: The component's arguments.
        component: Parent of the resources.
        id: Azure id of the resource group.
        name: Its name.
    """

    logical_name: str
    args: TeamWorkspaceArgs
    component: pulumi.Resource
    id: pulumi.Output[str]
    name: pulumi.Output[str]

    @cached_property
    def firewall(self) -> Firewall:
        """From where storage, vault and registry are reached."""
        return firewall(self.args.network)

    def child(self, *depends_on: pulumi.Resource) -> pulumi.ResourceOptions:
        """Options of a resource that needs others first."""
        return pulumi.ResourceOptions(parent=self.component, depends_on=list(depends_on) or None)

    def protected(self) -> pulumi.ResourceOptions:
        """Options of a resource that holds data."""
        return pulumi.ResourceOptions(parent=self.component, protect=True if self.args.protect else None)


def team_group(logical_name: str, args: TeamWorkspaceArgs, component: pulumi.Resource) -> TeamGroup:
    """The resource group that exists already, or a new one."""
    if given := args.existing.resource_group_id:
        id_ = pulumi.Output.from_input(given)
        return TeamGroup(logical_name, args, component, id_, id_.apply(name_in))
    made = resources.ResourceGroup(
        f"{logical_name}-group",
        resource_group_name=args.names.resource_group,
        location=args.location,
        tags=args.tags,
        opts=pulumi.ResourceOptions(parent=component),
    )
    return TeamGroup(
        logical_name, args, component, pulumi.Output.from_input(made.id), pulumi.Output.from_input(made.name)
    )


def name_in(resource_id: str) -> str:
    """The name at the end of an Azure id."""
    return resource_id.rpartition("/")[2]
