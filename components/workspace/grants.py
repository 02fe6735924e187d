"""The roles that the identities of a workspace and of its clusters' nodes need."""

from collections.abc import Mapping

import pulumi
from pulumi_azure_native import authorization

from catalogue import roles
from components.identity.principals import Principal, assign
from components.network.modes import ManagedNetwork
from components.workspace.dependencies import Dependencies
from components.workspace.group import TeamGroup


def grant_workspace_access(
    group: TeamGroup, identity: Principal, needs: Dependencies
) -> list[authorization.RoleAssignment]:
    """The roles that a workspace's user-assigned identity needs, since Azure gives it none by itself.

    Source: learn.microsoft.com/azure/machine-learning/how-to-identity-based-service-authentication.
    """
    return grant(
        group,
        identity,
        _approvals(group, needs)
        | {
            "work": (needs.work.id, roles.CONTRIBUTOR),
            "vault": (needs.vault_id, roles.CONTRIBUTOR),
            "registry": (needs.registry_id, roles.CONTRIBUTOR),
            "insights": (needs.insights_id, roles.CONTRIBUTOR),
            "secrets": (needs.vault_id, roles.KEY_VAULT_ADMINISTRATOR),
            "blobs": (needs.work.id, roles.BLOB_DATA_CONTRIBUTOR),
            "files": (needs.work.id, roles.FILE_DATA_PRIVILEGED_CONTRIBUTOR),
        },
    )


def _approvals(group: TeamGroup, needs: Dependencies) -> dict[str, tuple[pulumi.Output[str], str]]:
    """The scopes in which a managed network's endpoints need approval: the group, and resources that exist."""
    if not isinstance(group.args.network, ManagedNetwork):
        return {}
    scopes = {"network": group.id}
    if needs.vault is None:
        scopes["network-vault"] = needs.vault_id
    if needs.registry is None:
        scopes["network-registry"] = needs.registry_id
    return {what: (scope, roles.NETWORK_CONNECTION_APPROVER) for what, scope in scopes.items()}


def grant_node_access(group: TeamGroup, identity: Principal, needs: Dependencies) -> list[authorization.RoleAssignment]:
    """The roles that the nodes' identity needs: to pull images, and to read and write the team's storage accounts."""
    return grant(
        group,
        identity,
        {
            "images": (needs.registry_id, roles.ACR_PULL),
            "blobs": (needs.work.id, roles.BLOB_DATA_CONTRIBUTOR),
            "data": (needs.data.id, roles.BLOB_DATA_CONTRIBUTOR),
        },
    )


def grant(
    group: TeamGroup,
    principal: Principal,
    grants: Mapping[str, tuple[pulumi.Output[str], str]],
    condition: str | None = None,
) -> list[authorization.RoleAssignment]:
    """Role assignments of one principal: scope and role by what they are for, all with the condition."""
    return [
        assign(
            f"{group.logical_name}-{principal.name}-{what}",
            scope=scope,
            principal=principal,
            role=role,
            opts=group.child(),
            condition=condition,
        )
        for what, (scope, role) in grants.items()
    ]
