"""Who may do what: principals, role assignments, and the roles of a team's people."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi
from pulumi_azure_native import authorization

from components.roles import DATA_SCIENTIST, TEAM_LEAD, CustomRole, role_definition_id


@dataclass(frozen=True)
class Principal:
    """Somebody or something that can be given a role.

    Attributes:
        name: Unique and stable in the stack, for the names of Pulumi's resources: a user principal name, a group's
            name, an identity's name.
        object_id: Its id in Entra.
        type: What it is. Always told to Azure: without it, Azure looks a new principal up and may not find it yet.
    """

    name: str
    object_id: pulumi.Input[str]
    type: Literal["User", "Group", "ServicePrincipal"]


def unique(principals: Iterable[Principal]) -> list[Principal]:
    """The principals without repetition, in their order: somebody in two lists is assigned a role once."""
    return list({principal.name: principal for principal in principals}.values())


def stable_guid(*parts: str) -> str:
    """A GUID that the parts determine, in any letter case: the name of a role or an assignment.

    Azure refuses a second assignment of the same role to the same principal on the same scope (RoleAssignmentExists);
    a name made from the three finds the first one again.
    """
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "|".join(parts).lower()))


def assign(
    logical_name: str,
    *,
    scope: pulumi.Input[str],
    principal: Principal,
    role: str,
    opts: pulumi.ResourceOptions,
) -> authorization.RoleAssignment:
    """Give a principal a role on a scope.

    Args:
        logical_name: Name of Pulumi's resource.
        scope: Id of the Azure resource or resource group.
        principal: Who gets the role.
        role: GUID of the role, built-in or custom.
        opts: Parent, and what must exist first.
    """
    known_scope = pulumi.Output.from_input(scope)
    name = pulumi.Output.all(known_scope, principal.object_id).apply(lambda parts: stable_guid(*parts, role))
    return authorization.RoleAssignment(
        logical_name,
        role_assignment_name=name,
        scope=known_scope,
        principal_id=principal.object_id,
        principal_type=principal.type,
        role_definition_id=known_scope.apply(lambda id_: role_definition_id(subscription_of(id_), role)),
        opts=opts,
    )


def subscription_of(resource_id: str) -> str:
    """The subscription in the id of an Azure resource."""
    return resource_id.split("/")[2]


@dataclass(frozen=True)
class DataScientistRoleArgs:
    """The roles of one team's people.

    Attributes:
        role_prefix: First part of the roles' names, such as `bgmr bluegranit dev`: a role's name is unique in the
            tenant, so it tells department, team and environment.
        resource_group_id: Scope of the roles; nothing outside it is granted.
        leads: Get the Team Lead role.
        data_scientists: Get the Data Scientist role.
    """

    role_prefix: str
    resource_group_id: pulumi.Input[str]
    leads: Sequence[Principal] = ()
    data_scientists: Sequence[Principal] = ()


class DataScientistRole(pulumi.ComponentResource):
    """The custom roles Team Lead and Data Scientist of a team, and who has them.

    A data scientist uses all of the workspace, but changes no compute, asks for no quota, opens no support ticket,
    deletes or rewrites no workspace and reads no keys. Assignments are named by scope, principal and role.

    Example:
        >>> from components.access import DataScientistRole, DataScientistRoleArgs, Principal
        >>> roles = DataScientistRole(
        ...     "forecast",
        ...     DataScientistRoleArgs(
        ...         role_prefix="bgmr forecast dev",
        ...         resource_group_id="/subscriptions/8b41ca0c-0c5a-4c01-b49b-5bb8d329cc27/resourceGroups/forecast",
        ...         data_scientists=[Principal("user2@site.com", "9a0b7f6e-2a57-4c0f-8d55-0c2a0f0d2a11", "User")],
        ...     ),
        ... )
        >>> pulumi.export("role", roles.data_scientist_role_name)

    Attributes:
        team_lead_role_name: Full name of the Team Lead role.
        team_lead_role_id: Its id.
        data_scientist_role_name: Full name of the Data Scientist role.
        data_scientist_role_id: Its id.
    """

    team_lead_role_name: pulumi.Output[str]
    team_lead_role_id: pulumi.Output[str]
    data_scientist_role_name: pulumi.Output[str]
    data_scientist_role_id: pulumi.Output[str]

    def __init__(self, name: str, args: DataScientistRoleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("azureml-platform:components:DataScientistRole", name, {}, opts)
        lead = self._define(f"{name}-team-lead", TEAM_LEAD, args, args.leads)
        scientist = self._define(f"{name}-data-scientist", DATA_SCIENTIST, args, args.data_scientists)
        self.team_lead_role_name, self.team_lead_role_id = lead.role_name, lead.id
        self.data_scientist_role_name, self.data_scientist_role_id = scientist.role_name, scientist.id
        self.register_outputs(
            {
                "teamLeadRoleName": self.team_lead_role_name,
                "teamLeadRoleId": self.team_lead_role_id,
                "dataScientistRoleName": self.data_scientist_role_name,
                "dataScientistRoleId": self.data_scientist_role_id,
            }
        )

    def _define(
        self, logical_name: str, role: CustomRole, args: DataScientistRoleArgs, members: Sequence[Principal]
    ) -> authorization.RoleDefinition:
        full_name = f"{args.role_prefix} {role.title}"
        guid = stable_guid(full_name)
        definition = authorization.RoleDefinition(
            logical_name,
            role_definition_id=guid,
            scope=args.resource_group_id,
            role_name=full_name,
            role_type="CustomRole",
            description=role.description,
            permissions=[authorization.PermissionArgs(actions=list(role.actions), not_actions=list(role.not_actions))],
            assignable_scopes=[args.resource_group_id],
            opts=pulumi.ResourceOptions(parent=self),
        )
        for member in unique(members):
            assign(
                f"{logical_name}-{member.name}",
                scope=args.resource_group_id,
                principal=member,
                role=guid,
                opts=pulumi.ResourceOptions(parent=self, depends_on=[definition]),
            )
        return definition
