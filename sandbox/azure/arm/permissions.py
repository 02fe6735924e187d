"""What the caller itself may do at a scope.

Source: learn.microsoft.com/rest/api/authorization/permissions/list-for-resource and list-for-resource-group.
"""

import re

from sandbox.azure.arm.core import Body, Call
from sandbox.azure.arm.resources import Resources, Route, route


def _permissions(resources: Resources, call: Call, match: re.Match[str]) -> Body:
    """The permissions of the caller's roles at the scope and above; conditions are not told."""
    del resources
    scope = f"/{match['scope']}"
    call.authorize("Microsoft.Authorization/permissions/read", scope)
    return {"value": call.cloud.access.permissions(call.caller.object_id, scope)}


def routes() -> list[Route]:
    """The caller's permissions, at any scope."""
    return [route("GET", "/{scope*}/providers/Microsoft.Authorization/permissions", _permissions)]
