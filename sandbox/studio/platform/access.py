"""Who may do what at a scope, and by which role assignment; and what the persona itself may."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.studio.azure import GRAPH, Azure, Refused

API = "2022-04-01"
AUTHORIZATION = "providers/Microsoft.Authorization"
FORBIDDEN = 403


def assignments(azure: Azure, scope: str) -> list[dict[str, Any]]:
    """The role assignments at a scope and above, those that are made at the scope itself first.

    Raises:
        Refused: The persona may not read them.
    """
    found = [*azure.listed(f"{scope}/{AUTHORIZATION}/roleAssignments", api=API, **{"$filter": "atScope()"})]
    # by the scope: whoever may read it alone may not read the subscription's roles one by one
    listed = azure.listed(f"{scope}/{AUTHORIZATION}/roleDefinitions", api=API)
    definitions = {one["name"].lower(): one["properties"] for one in listed}
    names = principals(azure, {one["properties"]["principalId"] for one in found})
    shown = [_shown(azure, one, definitions, names) for one in found]
    return sorted(shown, key=lambda one: (-len(one["scope"]), one["role"], one["principal"]))


def _shown(
    azure: Azure, one: Mapping[str, Any], roles: Mapping[str, Any], names: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    own = one["properties"]
    role, who = roles[own["roleDefinitionId"].rpartition("/")[2].lower()], names.get(own["principalId"], {})
    members = who.get("members") or []
    return {
        "id": one["id"],
        "scope": own["scope"],
        "role": role["roleName"],
        "description": role.get("description"),
        "permissions": role["permissions"],
        "condition": own.get("condition"),
        "principal": who.get("name") or own["principalId"],
        "principalId": own["principalId"],
        "kind": own.get("principalType"),
        "members": [member["name"] for member in members],
        "persona": azure.object_id in {own["principalId"], *(member["id"] for member in members)},
    }


def principals(azure: Azure, ids: set[str]) -> dict[str, dict[str, Any]]:
    """Names of principals, and the members of groups, by object id; nothing where the directory does not tell."""
    try:
        found = azure.send("POST", f"{GRAPH}/v1.0/directoryObjects/getByIds", {"ids": sorted(ids)}).json()["value"]
        return {one["id"]: {**_named(one), "members": _members(azure, one)} for one in found}
    except Refused:
        return {}


def _named(one: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": one["id"], "name": one.get("userPrincipalName") or one.get("displayName")}


def _members(azure: Azure, one: Mapping[str, Any]) -> list[dict[str, Any]]:
    if not str(one.get("@odata.type", "")).endswith("group"):
        return []
    return [_named(member) for member in azure.get(f"{GRAPH}/v1.0/groups/{one['id']}/members")["value"]]


def permissions(azure: Azure, scope: str) -> list[dict[str, Any]] | None:
    """What the persona's own roles let it do at a scope; None where it may not even ask that."""
    try:
        found: list[dict[str, Any]] = azure.arm(f"{scope}/{AUTHORIZATION}/permissions", api=API)["value"]
    except Refused as refused:
        if refused.status == FORBIDDEN:
            return None
        raise
    return found


def may(held: Sequence[Mapping[str, Any]] | None, action: str) -> bool:
    """Whether permissions hold an action; where they are not known, Azure itself will say."""
    return held is None or any(
        _among(one.get("actions") or (), action) and not _among(one.get("notActions") or (), action) for one in held
    )


def _among(patterns: Sequence[str], action: str) -> bool:
    return any(fnmatch.fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)
