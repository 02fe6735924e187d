"""Azure role-based access control: may this caller do this action at this scope?

Role assignments and definitions are documents of the kinds `roleAssignment` and `roleDefinition` (by lowercased id,
bodies as the resource manager shows them); groups are `group` documents (by object id) with `members`. A caller has
an action where an assignment to it, or to a group that it is in, at the scope or above names a role whose `actions`
match and whose `notActions` do not. Source: learn.microsoft.com/azure/role-based-access-control/overview.
"""

import json
import re
from collections import defaultdict
from functools import cache
from importlib import resources
from typing import Any

from sandbox.azure.errors import AzureError
from sandbox.azure.store import Store
from sandbox.azure.tokens import Caller


@cache
def built_in_roles() -> dict[str, dict[str, Any]]:
    """The built-in roles the sandbox knows, by GUID: roleName, description, permissions."""
    text = resources.files("sandbox.azure").joinpath("roles.json").read_text(encoding="utf-8")
    roles: dict[str, dict[str, Any]] = json.loads(text)
    return roles


@cache
def _pattern(action: str) -> re.Pattern[str]:
    return re.compile(re.escape(action.lower()).replace(r"\*", ".*"))


def _matches(patterns: list[str], action: str) -> bool:
    return any(_pattern(pattern).fullmatch(action) for pattern in patterns)


def permits(permissions: list[dict[str, Any]], action: str, *, data: bool = False) -> bool:
    """Whether a role's permissions hold the action (a data action where `data`)."""
    kind = "ataActions" if data else "ctions"
    given, taken = ("d", "notD") if data else ("a", "notA")
    return any(
        _matches(one.get(given + kind) or [], action.lower())
        and not _matches(one.get(taken + kind) or [], action.lower())
        for one in permissions
    )


class AccessControl:
    """Evaluates the store's role assignments, and keeps them by principal until they change."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen: tuple[int, ...] = ()
        self._assignments: dict[str, list[tuple[str, str]]] = {}
        self._groups: dict[str, set[str]] = {}

    def authorize(self, caller: Caller, action: str, scope: str, *, data: bool = False) -> None:
        """Lets the caller do the action at the scope.

        Raises:
            AzureError: 403 AuthorizationFailed, with action and scope.
        """
        if self.allows(caller.object_id, action, scope, data=data):
            return
        raise AzureError(
            403,
            "AuthorizationFailed",
            f"The client '{caller.client_id}' with object id '{caller.object_id}' does not have authorization to perform "
            f"action '{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please "
            "refresh your credentials.",
        )

    def allows(self, object_id: str, action: str, scope: str, *, data: bool = False) -> bool:
        """Whether the principal may do the action (a data action where `data`) at the scope."""
        self._refresh()
        at = scope.lower().rstrip("/") + "/"
        for principal in (object_id, *self._groups_of(object_id)):
            for assigned, role in self._assignments.get(principal, ()):
                if at.startswith(assigned) and permits(self.permissions(role), action, data=data):
                    return True
        return False

    def permissions(self, role_definition_id: str) -> list[dict[str, Any]]:
        """The permissions of a custom or built-in role, by its full id; none where it is unknown."""
        guid = role_definition_id.rsplit("/", 1)[-1].lower()
        custom = self._store.get("roleDefinition", guid)
        found = custom["properties"]["permissions"] if custom else built_in_roles().get(guid, {}).get("permissions", [])
        return list(found)

    def _refresh(self) -> None:
        now = tuple(self._store.generation[kind] for kind in ("roleAssignment", "group"))
        if now == self._seen:
            return
        self._assignments, self._groups = defaultdict(list), defaultdict(set)
        for one in self._store.list("roleAssignment"):
            body = one["properties"]
            scope = body["scope"].lower().rstrip("/") + "/"
            self._assignments[body["principalId"]].append((scope, body["roleDefinitionId"]))
        for group in self._store.list("group"):
            for member in group.get("members", ()):
                self._groups[member].add(group["id"])
        self._seen = now

    def _groups_of(self, object_id: str) -> set[str]:
        found: set[str] = set()
        waiting = [object_id]
        while waiting:
            for group in self._groups.get(waiting.pop(), set()) - found:
                found.add(group)
                waiting.append(group)
        return found
