"""Principals, and giving them roles."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import pulumi
from pulumi_azure_native import authorization

from components.identity.roles import role_definition_id
from components.retries import lookup


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
    role: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
    condition: str | None = None,
) -> authorization.RoleAssignment:
    """Give a principal a role on a scope.

    Args:
        logical_name: Name of Pulumi's resource.
        scope: Id of the Azure resource or resource group.
        principal: Who gets the role.
        role: GUID of the role: a built-in one, or that of a definition, by its output. So Pulumi knows that the
            assignment goes before the definition, which Azure deletes only when nobody has it.
        opts: Parent, and what must exist first.
        condition: Limits the role's data actions, in the form of Azure's conditions 2.0; no limit if left out.
    """
    known_scope = pulumi.Output.from_input(scope)
    name = pulumi.Output.all(known_scope, principal.object_id, role).apply(lambda parts: stable_guid(*parts))
    return authorization.RoleAssignment(
        logical_name,
        role_assignment_name=name,
        scope=known_scope,
        principal_id=principal.object_id,
        principal_type=principal.type,
        role_definition_id=pulumi.Output.all(_subscription(known_scope, opts), role).apply(
            lambda parts: role_definition_id(*parts)
        ),
        condition=condition,
        condition_version="2.0" if condition else None,
        opts=opts,
    )


def _subscription(scope: pulumi.Output[str], opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
    """The subscription of a scope; that of the provider, which will make the scope, where its id is not known yet.

    So a first preview knows the id of each built-in role, and rules about roles can be decided in it.
    """
    asked = pulumi.InvokeOptions(parent=opts.parent, provider=opts.provider)

    def found(text: str) -> pulumi.Input[str]:
        if not pulumi.contains_unknowns(text):
            return subscription_of(text)
        client = lookup(lambda: authorization.get_client_config_output(opts=asked))
        return client.apply(lambda config: config.subscription_id)

    return scope.apply(found, run_with_unknowns=True)


def subscription_of(resource_id: str) -> str:
    """The subscription in the id of an Azure resource."""
    return resource_id.split("/")[2]
