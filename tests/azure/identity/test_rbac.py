"""Role-based access control against an oracle of its own: sets of words, no patterns."""

import fnmatch
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.azure.access.rbac import AccessControl, built_in_roles, matches, permits
from sandbox.azure.store import Store

WORDS = st.sampled_from(["Microsoft.Storage", "storageAccounts", "listKeys", "read", "write", "action", "a", ""])
ACTIONS = st.lists(WORDS, min_size=1, max_size=5).map("/".join)
PATTERNS = st.lists(st.one_of(WORDS, st.just("*"), st.just("*/"), st.just("re*d")), min_size=1, max_size=6).map(
    "/".join
)


def oracle(pattern: str, action: str) -> bool:
    """The same by the shell's rules, in which `[` and `?` do not occur here."""
    return fnmatch.fnmatchcase(action.lower(), pattern.lower())


@given(PATTERNS, ACTIONS)
def test_a_pattern_matches_as_the_shell_would(pattern: str, action: str) -> None:
    assert matches(pattern, action) == oracle(pattern, action)


@given(st.text("ab*", max_size=8), st.text("ab", max_size=8))
def test_any_number_of_stars_anywhere(pattern: str, action: str) -> None:
    assert matches(pattern, action) == oracle(pattern, action)


@given(ACTIONS)
def test_an_action_matches_itself_in_any_case_and_a_star(action: str) -> None:
    assert matches(action.upper(), action.lower())
    assert matches("*", action)


def test_a_hostile_pattern_takes_no_time() -> None:
    began = time.perf_counter()
    assert not matches("a*" * 2000 + "b", "a" * 20_000)
    assert time.perf_counter() - began < 1


@given(
    st.lists(st.tuples(st.lists(PATTERNS, max_size=3), st.lists(PATTERNS, max_size=3)), max_size=3),
    ACTIONS,
    st.booleans(),
)
def test_a_role_permits_what_one_permission_gives_and_does_not_take(
    permissions: list[tuple[list[str], list[str]]], action: str, data: bool
) -> None:
    names = ("dataActions", "notDataActions") if data else ("actions", "notActions")
    role: list[dict[str, Any]] = [dict(zip(names, one, strict=True)) for one in permissions]
    expected = any(
        any(oracle(one, action) for one in given_) and not any(oracle(one, action) for one in taken)
        for given_, taken in permissions
    )
    assert permits(role, action, data=data) == expected
    assert not permits(role, action, data=not data)


SCOPES = st.lists(st.sampled_from(["a", "aa", "b", "A"]), max_size=4).map(
    lambda words: "".join(f"/{one}" for one in words)
)


class Model:
    """An access control over a store in memory, written to directly."""

    def __init__(self, path: Path) -> None:
        self.store = Store(path)
        self.access = AccessControl(self.store)

    def assign(self, principal: str, scope: str, actions: list[str], guid: str) -> None:
        body = {"name": guid, "properties": {"permissions": [{"actions": actions}]}}
        self.store.put("roleDefinition", guid, body)
        properties = {"principalId": principal, "scope": scope or "/", "roleDefinitionId": f"/x/{guid}"}
        self.store.put("roleAssignment", f"{scope}/{guid}", {"properties": properties})


@given(SCOPES, SCOPES)
def test_a_scope_holds_what_lies_below_it(assigned: str, asked: str) -> None:
    model = Model(Path(":memory:"))
    model.assign("me", assigned, ["*"], "g")
    above, below = assigned.lower().split("/")[1:], asked.lower().split("/")[1:]
    assert model.access.allows("me", "x/read", asked or "/") == (below[: len(above)] == above)


def test_groups_in_groups_and_in_circles() -> None:
    model = Model(Path(":memory:"))
    for group, members in (("g1", ["g2"]), ("g2", ["g3", "me"]), ("g3", ["g1"])):
        model.store.put("group", group, {"id": group, "members": members})
    model.assign("g1", "/s", ["x/read"], "r")
    assert model.access.principals("me") == {"me", "g1", "g2", "g3"}
    assert model.access.allows("me", "x/read", "/s/y")
    assert not model.access.allows("me", "x/write", "/s/y")
    model.store.put("group", "g2", {"id": "g2", "members": ["g3"]})
    assert not model.access.allows("me", "x/read", "/s/y")


CHANGES = st.lists(
    st.tuples(st.sampled_from(["assign", "remove", "define", "join", "leave"]), st.integers(0, 3), st.integers(0, 2)),
    max_size=12,
)


@given(CHANGES)
def test_a_kept_cache_says_what_a_fresh_one_says(changes: list[tuple[str, int, int]]) -> None:
    model = Model(Path(":memory:"))
    for change, one, other in changes:
        guid = f"r{one}"
        match change:
            case "assign":
                model.assign(["me", "g0", "g1"][other], ["/s", "/s/a", "/t", ""][one], ["x/read"], guid)
            case "remove":
                for key, _ in list(model.store.items("roleAssignment"))[one : one + 1]:
                    model.store.delete("roleAssignment", key)
            case "define":
                permissions = [{"actions": [["x/read"], ["y/*"], []][other]}]
                model.store.put("roleDefinition", guid, {"name": guid, "properties": {"permissions": permissions}})
            case "join":
                model.store.put("group", f"g{one % 2}", {"id": f"g{one % 2}", "members": ["me", f"g{other}"]})
            case _:
                model.store.delete("group", f"g{one % 2}")
        fresh = AccessControl(model.store)
        for action, scope in (("x/read", "/s/a"), ("y/do", "/s"), ("x/read", "/t"), ("x/read", "/")):
            assert model.access.allows("me", action, scope) == fresh.allows("me", action, scope)
        assert model.access.scopes("me") == fresh.scopes("me")


def test_a_write_that_was_rolled_back_gives_nothing() -> None:
    model = Model(Path(":memory:"))

    class HaltError(Exception):
        pass

    with pytest.raises(HaltError), model.store.transaction():
        model.assign("me", "/s", ["*"], "r")
        assert model.access.allows("me", "x/read", "/s")
        raise HaltError
    assert not model.access.allows("me", "x/read", "/s")


@pytest.mark.parametrize(
    ("role", "action", "expected"),
    [
        ("Contributor", "Microsoft.Storage/storageAccounts/write", True),
        ("Contributor", "Microsoft.Authorization/roleAssignments/write", False),
        ("Contributor", "Microsoft.Authorization/locks/delete", False),
        ("Contributor", "Microsoft.Authorization/roleAssignments/read", True),
        ("Owner", "Microsoft.Authorization/roleAssignments/write", True),
        ("Reader", "Microsoft.Storage/storageAccounts/listKeys/action", False),
        ("AzureML Data Scientist", "Microsoft.MachineLearningServices/workspaces/jobs/write", True),
        ("AzureML Data Scientist", "Microsoft.MachineLearningServices/workspaces/write", False),
        ("AzureML Data Scientist", "Microsoft.MachineLearningServices/workspaces/computes/write", True),
        ("AzureML Data Scientist", "Microsoft.MachineLearningServices/workspaces/computes/a/write", False),
    ],
)
def test_built_in_roles_do_as_documented(role: str, action: str, expected: bool) -> None:
    permissions = next(one["permissions"] for one in built_in_roles().values() if one["roleName"] == role)
    assert permits(permissions, action) is expected


def test_the_blob_roles_give_data_and_owner_does_not() -> None:
    write = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write"
    roles = {one["roleName"]: one["permissions"] for one in built_in_roles().values()}
    assert permits(roles["Storage Blob Data Contributor"], write, data=True)
    assert not permits(roles["Storage Blob Data Reader"], write, data=True)
    assert not permits(roles["Owner"], write, data=True)
    assert permits(roles["Key Vault Administrator"], "Microsoft.KeyVault/vaults/secrets/setSecret/action", data=True)
    assert not permits(roles["Key Vault Secrets User"], "Microsoft.KeyVault/vaults/secrets/setSecret/action", data=True)
