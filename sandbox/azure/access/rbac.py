"""Azure role-based access control: may this caller do this action at this scope?

Role assignments and definitions are documents of the kinds `roleAssignment` and `roleDefinition` (by lowercased id,
bodies as the resource manager shows them); groups are `group` documents (by object id) with `members`. An assignment
gives an action to a principal, or to a group that the principal is in, at the scope or above. Its role must name the
action in `actions` and not in `notActions`, and its condition, if it has one, must hold.
Source: learn.microsoft.com/azure/role-based-access-control/overview.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

from sandbox.azure.access.conditions import Attempt, ConditionError, compile_condition
from sandbox.azure.access.tokens import Caller
from sandbox.azure.activity.record import note_allowed, note_missing
from sandbox.azure.front.errors import AzureError
from sandbox.azure.store import Store

Permission = dict[str, Any]


@cache
def built_in_roles() -> dict[str, dict[str, Any]]:
    """The built-in roles the sandbox knows, by GUID: roleName, description, permissions."""
    text = resources.files("sandbox.azure.access").joinpath("roles.json").read_text(encoding="utf-8")
    roles: dict[str, dict[str, Any]] = json.loads(text)
    return roles


def matches(pattern: str, action: str) -> bool:
    """Whether an action is one of a pattern's, in which `*` stands for any characters, `/` included.

    Both compare without case. Takes time in proportion to the pattern and the action, however many stars there are.
    """
    first, *rest = pattern.lower().split("*")
    action = action.lower()
    if not rest:
        return action == first
    *middle, last = rest
    if not action.startswith(first) or not action.endswith(last) or len(action) < len(first) + len(last):
        return False
    at, end = len(first), len(action) - len(last)
    for part in middle:
        index = action.find(part, at, end)
        if index < 0:
            return False
        at = index + len(part)
    return True


def permits(permissions: list[Permission], action: str, *, data: bool = False) -> bool:
    """Whether a role's permissions hold the action (a data action where `data`)."""
    kind = "ataActions" if data else "ctions"
    given, taken = ("d", "notD") if data else ("a", "notA")
    return any(
        any(matches(pattern, action) for pattern in permission.get(given + kind) or ())
        and not any(matches(pattern, action) for pattern in permission.get(taken + kind) or ())
        for permission in permissions
    )


@cache
def _named_actions() -> list[tuple[str, bool]]:
    """What built-in roles name, and whether it is a data action: a measure for how much a role allows."""
    lists = [each for role in built_in_roles().values() for each in role["permissions"]]
    named = {(action, "ata" in kind) for each in lists for kind, actions in each.items() for action in actions}
    return [(action, data) for action, data in named if "*" not in action]


def _breadth(permissions: list[Permission]) -> int:
    return sum(permits(permissions, action, data=data) for action, data in _named_actions())


@cache
def _built_in_breadth(role: str) -> int:
    return _breadth(built_in_roles()[role]["permissions"])


class Assignment(NamedTuple):
    """The permissions that a role assignment gives.

    Attributes:
        id: Its id in lower case.
        scope: The lowercased scope with a slash at its end.
        role: The role's GUID.
        condition: Its condition; empty for none.
    """

    id: str
    scope: str
    role: str
    condition: str


def _meets(condition: str, attempt: Attempt) -> bool:
    """Whether a condition holds; one that cannot be read gives nothing."""
    try:
        return compile_condition(condition)(attempt)
    except ConditionError:
        return False


class AccessControl:
    """Evaluates the store's role assignments, and keeps them by principal until they change."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.settling: Callable[[str], bool] = lambda _: False
        """Whether the assignment of a key has no effect yet; a fault plan says so of some."""
        self._follower = store.follow("roleAssignment", "roleDefinition", "group")
        self._assignments: dict[str, dict[str, Assignment]] = {}  # principal → key → assignment
        self._principals: dict[str, str] = {}  # assignment's key → principal
        self._groups: dict[str, set[str]] = {}  # member → groups
        self._roles: dict[str, list[Permission]] = {}

    def authorize(
        self, caller: Caller, action: str, scope: str, *, data: bool = False, attempt: Attempt | None = None
    ) -> None:
        """Checks that the caller may do the action at the scope.

        Raises:
            AzureError: 403 AuthorizationFailed, with action and scope.
        """
        if self.allows(caller.object_id, action, scope, data=data, attempt=attempt):
            return
        note_missing((action,), scope, data=data)
        raise AzureError(
            403,
            "AuthorizationFailed",
            f"The client '{caller.client_id}' with object id '{caller.object_id}' does not have authorization to "
            "perform "
            f"action '{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please "
            "refresh your credentials.",
        )

    def allows(
        self, object_id: str, action: str, scope: str, *, data: bool = False, attempt: Attempt | None = None
    ) -> bool:
        """Whether the principal may do the action at the scope.

        Args:
            object_id: The principal.
            action: The action.
            scope: Where.
            data: Whether it is a data action.
            attempt: What conditions of role assignments look at; None where only the action is known.
        """
        at = _below(scope)
        for assignment in self._assigned(object_id):
            if (
                at.startswith(assignment.scope)
                and permits(self._roles[assignment.role], action, data=data)
                and (not assignment.condition or _meets(assignment.condition, attempt or Attempt(action)))
            ):
                note_allowed(action, scope, assignment.id)
                return True
        return False

    def roles_with(self, actions: Iterable[str], *, data: bool = False) -> list[str]:
        """The roles that hold any of the actions, by GUID, those that allow the least first.

        Args:
            actions: What is needed.
            data: Whether they are data actions.
        """
        self._refresh()
        held = [
            role
            for role, permissions in self._roles.items()
            if any(permits(permissions, action, data=data) for action in actions)
        ]
        return sorted(held, key=self._breadth)

    def _breadth(self, role: str) -> int:
        return _built_in_breadth(role) if role in built_in_roles() else _breadth(self._roles[role])

    def permissions(self, object_id: str, scope: str) -> list[Permission]:
        """What the roles of a principal let it do at a scope."""
        at = _below(scope)
        roles = dict.fromkeys(one.role for one in self._assigned(object_id) if at.startswith(one.scope))
        return [permission for role in roles for permission in self._roles[role]]

    def scopes(self, object_id: str) -> set[str]:
        """Where the principal has any role: lowercased scopes, each ending in a slash."""
        return {assignment.scope for assignment in self._assigned(object_id)}

    def principals(self, object_id: str) -> set[str]:
        """The principal, and the groups that it is in, directly or through others."""
        self._refresh()
        principals = {object_id}
        waiting = [object_id]
        while waiting:
            for group in self._groups.get(waiting.pop(), set()) - principals:
                principals.add(group)
                waiting.append(group)
        return principals

    def _assigned(self, object_id: str) -> Iterator["Assignment"]:
        for principal in self.principals(object_id):
            assigned = self._assignments.get(principal, {})
            yield from (where for key, where in assigned.items() if not self.settling(key))

    def _refresh(self) -> None:
        if self._follower.everything:
            self._follower.take()
            self._assignments, self._principals, self._roles = defaultdict(dict), {}, {}
            for key, body in self._store.items("roleAssignment"):
                self._assign(key, body)
            self._load_roles()
            self._load_groups()
            return
        changed = self._follower.take()
        kinds = {kind for kind, _ in changed}
        for kind, key in changed:
            if kind == "roleAssignment":
                self._assign(key, self._store.get(kind, key))
        if "roleDefinition" in kinds:
            self._load_roles()
        if "group" in kinds:
            self._load_groups()

    def _assign(self, key: str, assignment: dict[str, Any] | None) -> None:
        before = self._principals.pop(key, None)
        if before is not None:
            del self._assignments[before][key]
        if assignment is not None:
            body = assignment["properties"]
            role = body["roleDefinitionId"].rsplit("/", 1)[-1].lower()
            self._principals[key] = body["principalId"]
            self._assignments[body["principalId"]][key] = Assignment(
                key, _below(body["scope"]), role, body.get("condition") or ""
            )

    def _load_roles(self) -> None:
        known = {guid: role["permissions"] for guid, role in built_in_roles().items()}
        for role in self._store.list("roleDefinition"):
            known[role["name"].lower()] = role["properties"]["permissions"]
        self._roles = defaultdict(list, known)

    def _load_groups(self) -> None:
        self._groups = defaultdict(set)
        for group in self._store.list("group"):
            for member in group.get("members", ()):
                self._groups[member].add(group["id"])


def _below(scope: str) -> str:
    return scope.lower().rstrip("/") + "/"
