"""The identities of a team's workspace and of its clusters' nodes."""

import pulumi
from pulumi_azure_native import machinelearningservices as ml
from pulumi_azure_native import managedidentity

from components.identity.principals import Principal
from components.retries import lookup_made
from components.workspace.group import TeamGroup


def make_identity(group: TeamGroup, purpose: str, identity_name: str) -> managedidentity.UserAssignedIdentity:
    """A user-assigned identity."""
    return managedidentity.UserAssignedIdentity(
        f"{group.logical_name}-{purpose}-identity",
        resource_name_=identity_name,
        resource_group_name=group.name,
        location=group.args.location,
        tags=group.args.tags,
        opts=group.child(),
    )


def principal_of(group: TeamGroup, name: str, identity: managedidentity.UserAssignedIdentity) -> Principal:
    """The identity as somebody to give roles to."""
    return Principal(name, looked_up(group, identity).principal_id, "ServicePrincipal")


def looked_up(
    group: TeamGroup, identity: managedidentity.UserAssignedIdentity
) -> pulumi.Output[managedidentity.GetUserAssignedIdentityResult]:
    """An identity that the program makes, looked up.

    The preview of an update (of tags, say) knows an identity's name but no more its principal: taken from there,
    every assignment would look as if it were to be replaced. So it is looked up by the name.
    """
    return lookup_made(
        identity,
        lambda: managedidentity.get_user_assigned_identity_output(
            resource_name=identity.name,
            resource_group_name=group.name,
            opts=pulumi.InvokeOptions(parent=group.component),
        ),
    )


def system_principal(group: TeamGroup, workspace: ml.Workspace) -> Principal:
    """The workspace's own identity, looked up for the reason that `looked_up` has."""
    answer = lookup_made(
        workspace,
        lambda: ml.get_workspace_output(
            workspace_name=workspace.name,
            resource_group_name=group.name,
            opts=pulumi.InvokeOptions(parent=group.component),
        ),
    )
    principal_id = answer.identity.apply(lambda identity: (identity and identity.principal_id) or "")
    return Principal("workspace-identity", principal_id, "ServicePrincipal")
