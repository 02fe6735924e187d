"""One team of a department: its sections in the order in which they need one another."""

from components.identity.access import DataScientistRole, DataScientistRoleArgs
from components.identity.principals import subscription_of, unique
from components.identity.roles import WORKS_WITH_DATA, Persona
from contract import RoleOutput, RolesOutput, ServingOutput, SpendingOutput, TeamOutput
from department.automation import make_automation
from department.compute import make_cluster, make_instance
from department.context import DepartmentContext, TeamContext, WorkspaceContext
from department.data import make_data
from department.governance import govern
from department.models import share_models
from department.outputs import later
from department.people import people_of
from department.workspace import make_workspace
from settings import Team


def build_team(shared: DepartmentContext, team: Team) -> TeamOutput:
    """Register everything of a team; its part of the stack's outputs."""
    before = TeamContext.of(shared, team)
    people = people_of(before)
    contributors = unique(person for persona in WORKS_WITH_DATA for person in people[persona])
    context = WorkspaceContext.with_workspace(before, make_workspace(before, contributors))
    workspace = context.workspace
    automation = {entry.name: make_automation(context, entry) for entry in team.automation}
    runs = [automation[entry.name][1].principal for entry in team.automation if entry.role == "automation"]
    access = DataScientistRole(
        team.name,
        DataScientistRoleArgs(
            role_prefix=context.prefix,
            resource_group_id=workspace.resource_group_id,
            members={**people, Persona.AUTOMATION: runs},
        ),
        opts=context.child,
    )
    services = [service.principal for _, service in automation.values()]
    for service in services:
        workspace.grant_data_access(service)
    clusters = {cluster.name: make_cluster(context, cluster) for cluster in team.clusters}
    instances = {instance.name: make_instance(context, instance) for instance in team.instances}
    machines = [*services, *(identity for _, identity in clusters.values() if identity)]
    share_models(context, people, machines)
    govern(context)
    return TeamOutput.model_construct(
        subscription_id=later(workspace.workspace_id.apply(subscription_of)),
        resource_group=later(workspace.resource_group_name),
        workspace=later(workspace.workspace_name),
        location=later(workspace.location),
        studio_url=later(workspace.studio_url),
        tracking_uri=later(workspace.tracking_uri),
        clusters={name: output for name, (output, _) in clusters.items()},
        instances=instances,
        datastores=dict(make_data(context, [*contributors, *machines])),
        roles=_roles(access),
        automation={name: output for name, (output, _) in automation.items()},
        tags=dict(context.tags),
        spending=SpendingOutput(perJob=team.spending.per_job, monthly=team.budget.monthly if team.budget else None),
        serving=ServingOutput(maxInstances=team.serving.max_instances, vmSizes=list(team.serving.vm_sizes) or None),
    )


def _roles(access: DataScientistRole) -> RolesOutput:
    outputs = {
        persona: RoleOutput.model_construct(name=later(role.name), id=later(role.id))
        for persona, role in access.defined.items()
    }
    return RolesOutput.model_construct(
        team_lead=outputs[Persona.LEAD],
        data_scientist=outputs[Persona.DATA_SCIENTIST],
        automation=outputs.get(Persona.AUTOMATION),
    )
