"""What of the owner's knowledge a principal may see: the same that it could read in Azure.

The socket is the owner's, who may see all. A page that a persona opened asks for what is that persona's to see.
"""

from collections.abc import Callable

from sandbox.azure.access.rbac import AccessControl

EVENTS = "Microsoft.Insights/eventtypes/values/read"
"""What Azure's own activity log asks for, which a reader has: Microsoft.Insights in
learn.microsoft.com/azure/role-based-access-control/permissions/monitor."""


def visible(access: AccessControl, principal: str, action: str) -> Callable[[str], bool]:
    """Tells of a scope whether a principal has an action there; each scope is looked up once.

    Args:
        access: Decides.
        principal: The principal's object id; empty for the owner of the sandbox, who sees all.
        action: What is needed.
    """
    known: dict[str, bool] = {}

    def may(scope: str) -> bool:
        if not principal:
            return True
        key = scope.lower()
        if key not in known:
            known[key] = access.allows(principal, action, scope or "/")
        return known[key]

    return may
