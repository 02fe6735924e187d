"""Locks against the deletion of what holds data."""

import pulumi
from pulumi_azure_native import authorization


def lock(
    logical_name: str, scope: pulumi.Input[str], *, opts: pulumi.ResourceOptions
) -> authorization.ManagementLockByScope:
    """Forbid the deletion of one resource and of what belongs to it.

    Never for a resource group or a workspace: there, a lock also keeps clusters from removing nodes and people from
    losing access (learn.microsoft.com/azure/azure-resource-manager/management/lock-resources). For the same
    reason nobody who comes and goes is assigned a role on a locked resource.

    Args:
        logical_name: Name of Pulumi's resource.
        scope: Id of the resource.
        opts: Parent; depend on all below the resource, so that the lock goes first.
    """
    return authorization.ManagementLockByScope(
        logical_name,
        lock_name="keep",
        scope=scope,
        level=authorization.LockLevel.CAN_NOT_DELETE,
        notes="Holds what cannot be made again. Set protect: false in the stack file to remove it.",
        opts=opts,
    )
