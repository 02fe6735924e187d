"""Resources that a department's teams share: a container registry and a Log Analytics workspace."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pulumi
from pulumi_azure_native import resources

from catalogue.names import TeamNames
from components.governance.diagnostics import diagnose
from components.network.modes import Firewall
from components.workspace.services import container_registry, log_workspace


@dataclass(frozen=True)
class SharedServicesArgs:
    """The services that a department's teams share.

    Attributes:
        names: Names of the resource group, the registry and the Log Analytics workspace.
        location: Azure region of everything.
        registry: Whether a registry is made.
        registry_sku: Its tier; Premium where a team's network is private.
        firewall: From where the registry is reached.
        log_workspace: Whether a Log Analytics workspace is made.
        log_retention_days: Days that logs are kept, 30 to 730.
        existing_log_workspace_id: Log Analytics workspace in place of one that is made.
        diagnostics: Whether the registry's logs and metrics are collected in one of the two.
        tags: Tags of everything.
    """

    names: TeamNames
    location: str
    registry: bool = True
    registry_sku: Literal["Basic", "Standard", "Premium"] = "Standard"
    firewall: Firewall = field(default_factory=Firewall)
    log_workspace: bool = True
    log_retention_days: int = 30
    existing_log_workspace_id: pulumi.Input[str] | None = None
    diagnostics: bool = True
    tags: Mapping[str, str] = field(default_factory=dict)


class SharedServices(pulumi.ComponentResource):
    """A resource group with a container registry and a Log Analytics workspace for several teams' workspaces.

    Example:
        >>> from catalogue.names import TeamNames
        >>> from components.workspace.shared import SharedServices, SharedServicesArgs
        >>> names = TeamNames.from_base("bgmr-shared-eastus2-dev", "bgmrsharede2dev")
        >>> shared = SharedServices("shared", SharedServicesArgs(names=names, location="eastus2"))
        >>> pulumi.export("registry", shared.registry_id)

    Attributes:
        resource_group_id: Id of the resource group.
        registry_id: Id of the registry, if one is made.
        log_workspace_id: Id of the Log Analytics workspace, if there is one.
    """

    resource_group_id: pulumi.Output[str]
    registry_id: pulumi.Output[str] | None
    log_workspace_id: pulumi.Output[str] | None

    def __init__(self, name: str, args: SharedServicesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("azureml-platform:components:SharedServices", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        group = resources.ResourceGroup(
            f"{name}-group",
            resource_group_name=args.names.resource_group,
            location=args.location,
            tags=args.tags,
            opts=child,
        )
        self.resource_group_id = pulumi.Output.from_input(group.id)
        self.registry_id = self.log_workspace_id = None
        if args.existing_log_workspace_id is not None:
            self.log_workspace_id = pulumi.Output.from_input(args.existing_log_workspace_id)
        elif args.log_workspace:
            logs = log_workspace(
                f"{name}-logs",
                workspace_name=args.names.logs,
                resource_group_name=group.name,
                location=args.location,
                retention_days=args.log_retention_days,
                tags=args.tags,
                opts=child,
            )
            self.log_workspace_id = pulumi.Output.from_input(logs.id)
        if args.registry:
            registry = container_registry(
                f"{name}-registry",
                registry_name=args.names.registry,
                resource_group_name=group.name,
                location=args.location,
                sku=args.registry_sku,
                firewall=args.firewall,
                tags=args.tags,
                opts=child,
            )
            self.registry_id = pulumi.Output.from_input(registry.id)
            if args.diagnostics and self.log_workspace_id is not None:
                diagnose(f"{name}-registry", registry.id, self.log_workspace_id, child)
        self.register_outputs({"registryId": self.registry_id, "logWorkspaceId": self.log_workspace_id})
