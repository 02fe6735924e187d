"""The roles of a team's people and automation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
from pulumi_azure_native import authorization

from catalogue.roles import BuiltInRole
from components.identity.principals import Principal, assign, stable_guid, unique
from components.identity.roles import ROLES, CustomRole, Persona


@dataclass(frozen=True)
class DataScientistRoleArgs:
    """The roles of one team's people.

    Attributes:
        role_prefix: First part of the roles' names, such as `bgmr bluegranit dev`: a role's name is unique in the
            tenant, so it tells department, team and environment.
        resource_group_id: Scope of the roles; nothing outside it is granted.
        members: Who is what: `Persona.ADMIN` (all of the group, but no quota), `LEAD` (makes and sizes compute),
            `DATA_SCIENTIST`, `AUTOMATION` (runs jobs, deploys models), `READER`. Lead and data scientist are always
            defined, the other custom role only for somebody who has it.
    """

    role_prefix: str
    resource_group_id: pulumi.Input[str]
    members: Mapping[Persona, Sequence[Principal]] = field(default_factory=dict)


@dataclass(frozen=True)
class DefinedRole:
    """A custom role of the team.

    Attributes:
        name: Full name, unique in the tenant.
        id: Id of the definition.
    """

    name: pulumi.Output[str]
    id: pulumi.Output[str]


class DataScientistRole(pulumi.ComponentResource):
    """The custom roles of a team, and who has which role on its resource group.

    A data scientist uses all of the workspace, but changes no compute, asks for no quota, opens no support ticket,
    deletes or rewrites no workspace and reads no keys. Assignments are named by scope, principal and role.

    Example:
        >>> from components.identity.access import DataScientistRole, DataScientistRoleArgs, Persona
        >>> from components.identity.principals import Principal
        >>> user = Principal("user2@site.com", "9a0b7f6e-2a57-4c0f-8d55-0c2a0f0d2a11", "User")
        >>> roles = DataScientistRole(
        ...     "forecast",
        ...     DataScientistRoleArgs(
        ...         role_prefix="bgmr forecast dev",
        ...         resource_group_id="/subscriptions/8b41ca0c-0c5a-4c01-b49b-5bb8d329cc27/resourceGroups/forecast",
        ...         members={Persona.DATA_SCIENTIST: [user]},
        ...     ),
        ... )
        >>> pulumi.export("role", roles.defined[Persona.DATA_SCIENTIST].name)

    Attributes:
        defined: The custom roles by persona.
    """

    defined: Mapping[Persona, DefinedRole]

    def __init__(self, name: str, args: DataScientistRoleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("azureml-platform:components:DataScientistRole", name, {}, opts)
        self._name, self._args = name, args
        defined = {}
        for persona, role in ROLES.items():
            members = unique(args.members.get(persona, ()))
            if isinstance(role, BuiltInRole):
                self._assign(persona, role.guid, members)
            elif members or persona in (Persona.LEAD, Persona.DATA_SCIENTIST):
                defined[persona] = self._define(persona, role, members)
        self.defined = defined
        self.register_outputs({persona: {"name": role.name, "id": role.id} for persona, role in defined.items()})

    def _define(self, persona: Persona, role: CustomRole, members: Sequence[Principal]) -> DefinedRole:
        full_name = f"{self._args.role_prefix} {role.title}"
        definition = define_role(
            f"{self._name}-{persona}",
            role,
            full_name=full_name,
            scope=self._args.resource_group_id,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self._assign(persona, guid_of(definition, full_name), members)
        return DefinedRole(definition.role_name.apply(str), definition.id)

    def _assign(self, persona: Persona, guid: pulumi.Input[str], members: Sequence[Principal]) -> None:
        for member in members:
            assign(
                f"{self._name}-{persona}-{member.name}",
                scope=self._args.resource_group_id,
                principal=member,
                role=guid,
                opts=pulumi.ResourceOptions(parent=self),
            )


def guid_of(definition: authorization.RoleDefinition, full_name: str) -> pulumi.Output[str]:
    """GUID of a custom role, to assign it by: known before Azure has the role, and an output of it all the same."""
    guid: pulumi.Output[str] = definition.urn.apply(lambda _: stable_guid(full_name))
    return guid


def define_role(
    logical_name: str, role: CustomRole, *, full_name: str, scope: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> authorization.RoleDefinition:
    """Define a custom role that can be assigned on a scope.

    Args:
        logical_name: Name of Pulumi's resource.
        role: What it allows.
        full_name: Its name, unique in the tenant.
        scope: Id of the resource group or subscription.
        opts: Parent and dependencies.
    """
    return authorization.RoleDefinition(
        logical_name,
        role_definition_id=stable_guid(full_name),  # a name is unique in the tenant
        scope=scope,
        role_name=full_name,
        role_type="CustomRole",
        description=role.description,
        permissions=[authorization.PermissionArgs(actions=list(role.actions), not_actions=list(role.not_actions))],
        assignable_scopes=[scope],
        opts=opts,
    )
