"""The section `modelRegistry`: the department's registry of models, and each team's use of it."""

from collections.abc import Mapping, Sequence

import pulumi

from components.identity.principals import Principal
from components.identity.roles import WORKS_WITH_DATA, Persona
from components.network.modes import PrivateEndpointRule
from components.workspace.modelregistry import ModelRegistry, ModelRegistryArgs
from department.context import WorkspaceContext
from department.people import of_team
from settings import Department, logical


def make_model_registry(department: Department, provider: pulumi.ProviderResource) -> ModelRegistry | None:
    """Make the department's registry of models, if it has one."""
    if department.model_registry is None:
        return None
    registry_name, group_name = department.scheme.model_registry()
    return ModelRegistry(
        logical.MODEL_REGISTRY,
        ModelRegistryArgs(
            registry_name=registry_name,
            resource_group_name=group_name,
            location=department.region,
            other_regions=department.model_registry.regions,
            replication=department.replication,
            public=any(team.network.mode != "private" for team in department.teams),
            tags=department.tags_of(),
        ),
        opts=pulumi.ResourceOptions(providers=[provider]),
    )


def share_models(
    context: WorkspaceContext, people: Mapping[Persona, Sequence[Principal]], machines: Sequence[Principal]
) -> None:
    """Let the team use the registry: whoever works with data registers models, whoever administers or reads sees."""
    registry, workspace = context.shared.model_registry, context.workspace
    if registry is None:
        return
    for persona, members in people.items():
        for person in members:
            member = of_team(context, person) if context.team.groups else person
            registry.admit(member, registers=persona in WORKS_WITH_DATA)
    identities = (of_team(context, workspace.workspace_identity), of_team(context, workspace.node_identity))
    for machine in (*machines, *identities):
        registry.admit(machine)
    if workspace.private_links:
        workspace.private_links.connect("model-registry", registry.registry_id, "amlregistry")
    if context.managed:
        rule = PrivateEndpointRule(registry.registry_id, "amlregistry")
        workspace.allow_outbound("model-registry", rule)
