"""Role definitions, role assignments and locks: what Azure refuses, and who may do what afterwards."""

import uuid
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.identity import DefaultAzureCredential
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.authorization.v2022_04_01.models import RoleAssignmentCreateParameters

from tests.azure.client import CONTRIBUTOR, OWNER, READER, Client, error, unique, user_id
from tests.conftest import SUBSCRIPTION

API = "2022-04-01"
SCIENTIST, LEAD = user_id("user2@site.com"), user_id("admin1@site.com")
GROUP = user_id("bluegranit-data-scientists")  # user1 and user2 are in it
IDENTITY = "providers/Microsoft.ManagedIdentity/userAssignedIdentities"
ML = "Microsoft.MachineLearningServices"
NO_OPERATION = f"{ML}/workspaces/listNotebookKeys/action"  # it is `…/read`
STORAGE = "providers/Microsoft.Storage/storageAccounts"


@pytest.fixture
def group(azure: Client) -> str:
    return azure.group()


def role_body(name: str, scope: str, **permission: list[str]) -> dict[str, Any]:
    return {"properties": {"roleName": name, "permissions": [permission], "assignableScopes": [scope]}}


def define(azure: Client, scope: str, guid: str | None = None, name: str | None = None, **permission: list[str]) -> Any:
    guid = guid or str(uuid.uuid4())
    body = role_body(name or unique("role "), scope, **(permission or {"actions": ["*/read"]}))
    return azure.arm("PUT", f"{scope}/providers/Microsoft.Authorization/roleDefinitions/{guid}", body, api=API)


# ---- role assignments


def test_an_assignment_says_who_made_it(azure: Client, group: str) -> None:
    made = azure.assign(group, SCIENTIST, READER, principalType="User")
    assert made.status_code == 201
    properties = made.json()["properties"]
    assert properties["scope"] == group
    assert properties["createdBy"] == user_id("user@domain.com")
    assert azure.arm("GET", made.json()["id"], api=API).json() == made.json()


def test_the_same_assignment_under_another_name_exists_already(azure: Client, group: str) -> None:
    first = azure.assign(group, SCIENTIST, READER)
    answer = azure.assign(group, SCIENTIST.upper(), READER)
    assert error(answer) == (409, "RoleAssignmentExists")
    assert first.json()["name"] in answer.json()["error"]["message"]
    account = azure.arm("PUT", f"{group}/{IDENTITY}/one", {"location": "eastus2"}).json()["id"]
    assert azure.assign(account, SCIENTIST, READER).status_code == 201  # another scope
    assert azure.assign(group, SCIENTIST, CONTRIBUTOR).status_code == 201  # another role


def test_an_assignments_principal_and_role_never_change(azure: Client, group: str) -> None:
    name = azure.assign(group, SCIENTIST, READER).json()["name"]
    for principal, role in ((LEAD, READER), (SCIENTIST, CONTRIBUTOR)):
        answer = azure.assign(group, principal, role, name)
        assert error(answer) == (400, "RoleAssignmentUpdateNotPermitted")
    described = azure.assign(group, SCIENTIST, READER, name, description="why")
    assert (described.status_code, described.json()["properties"]["description"]) == (200, "why")


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"principalId": str(uuid.uuid4())}, (400, "PrincipalNotFound")),
        ({"principalId": SCIENTIST, "principalType": "ServicePrincipal"}, (400, "UnmatchedPrincipalType")),
        ({"principalId": GROUP, "principalType": "User"}, (400, "UnmatchedPrincipalType")),
        ({"principalId": "me"}, (400, "InvalidPrincipalId")),
        ({"principalType": "User"}, (400, "InvalidRequestContent")),
        ({"principalId": SCIENTIST, "principalType": "Robot"}, (400, "InvalidRequestContent")),
    ],
)
def test_a_wrong_principal_is_refused(
    azure: Client, group: str, properties: dict[str, str], expected: tuple[int, str]
) -> None:
    role = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{READER}"
    path = f"{group}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
    answer = azure.arm("PUT", path, {"properties": {"roleDefinitionId": role, **properties}}, api=API)
    assert error(answer) == expected
    assert azure.arm("GET", path, api=API).status_code == 404


def test_a_principal_not_yet_replicated_needs_its_type(azure: Client, group: str) -> None:
    unknown = str(uuid.uuid4())
    assert azure.assign(group, unknown, READER, principalType="ServicePrincipal").status_code == 201


def test_a_role_must_be_there_and_assignable_at_the_scope(azure: Client, group: str) -> None:
    assert error(azure.assign(group, SCIENTIST, str(uuid.uuid4()))) == (404, "RoleDefinitionDoesNotExist")
    elsewhere = define(azure, azure.group()).json()["name"]
    answer = azure.assign(group, SCIENTIST, elsewhere)
    assert error(answer) == (400, "RoleAssignmentScopeNotAssignableToRoleDefinition")


def test_names_are_guids(azure: Client, group: str) -> None:
    assert error(azure.assign(group, SCIENTIST, READER, "me")) == (400, "InvalidRoleAssignmentId")
    assert error(azure.assign(group, SCIENTIST, "Reader")) == (400, "InvalidRoleDefinitionId")
    assert error(define(azure, group, "me")) == (400, "InvalidRoleDefinitionId")


def test_lists_are_at_above_and_below_a_scope(azure: Client, group: str) -> None:
    identity = azure.arm("PUT", f"{group}/{IDENTITY}/one", {"location": "eastus2"}).json()["id"]
    here = azure.assign(group, SCIENTIST, READER).json()["name"]
    below = azure.assign(identity, GROUP, READER).json()["name"]

    def names(path: str, **query: str) -> set[str]:
        found = azure.arm("GET", f"{path}/providers/Microsoft.Authorization/roleAssignments", api=API, **query)
        return {one["name"] for one in found.json()["value"]}

    assert {here, below} < names(group)  # and the owner's, above
    assert names(group, filter=f"principalId eq '{SCIENTIST}'") == {here}
    assert names(group, filter=f"atScope() and principalId eq '{SCIENTIST}'") == {here}
    assert below not in names(group, filter="atScope()")
    assert names(identity, filter=f"assignedTo('{SCIENTIST}')") == {here, below}
    assert (
        azure.arm(
            "GET", f"{group}/providers/Microsoft.Authorization/roleAssignments", api=API, filter="x eq 'y'"
        ).status_code
        == 400
    )


def test_the_sdk_assigns_and_is_refused(azure: Client, owner: None, group: str) -> None:
    with AuthorizationManagementClient(DefaultAzureCredential(), SUBSCRIPTION) as client:
        roles = list(client.role_definitions.list(group, filter="roleName eq 'Reader'"))
        assert [role.name for role in roles] == [READER]
        parameters = RoleAssignmentCreateParameters(
            role_definition_id=roles[0].id, principal_id=SCIENTIST, principal_type="User"
        )
        made = client.role_assignments.create(group, str(uuid.uuid4()), parameters)
        assert made.principal_id == SCIENTIST
        with pytest.raises(HttpResponseError) as refused:
            client.role_assignments.create(group, str(uuid.uuid4()), parameters)
        assert refused.value.error is not None
        assert refused.value.error.code == "RoleAssignmentExists"
        client.role_assignments.delete_by_id(made.id)
        assert list(client.role_assignments.list_for_scope(group, filter=f"principalId eq '{SCIENTIST}'")) == []


# ---- role definitions


def test_a_roles_name_is_unique_in_the_tenant(azure: Client, group: str) -> None:
    name, guid = unique("Team Lead "), str(uuid.uuid4())
    made = define(azure, group, guid, name)
    assert made.status_code == 201
    assert made.json()["properties"]["type"] == "CustomRole"
    assert (
        made.json()["id"] == f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{guid}"
    )
    other = azure.group()
    assert error(define(azure, other, name=name.upper())) == (409, "RoleDefinitionWithSameNameExists")
    assert error(define(azure, other, name="Reader")) == (409, "RoleDefinitionWithSameNameExists")
    assert define(azure, group, guid, name, actions=["*"]).status_code == 201  # an update of its own
    assert azure.arm("GET", made.json()["id"], api=API).json()["properties"]["permissions"][0]["actions"] == ["*"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"roleName": ""}, (400, "RoleDefinitionNameNullOrEmpty")),
        ({"roleName": None}, (400, "InvalidRequestContent")),
        ({"roleName": "x" * 513}, (400, "InvalidRequestContent")),
        ({"permissions": []}, (400, "InvalidRequestContent")),
        ({"permissions": [{"actions": "*"}]}, (400, "InvalidRequestContent")),
        ({"permissions": [{"actions": ["read everything"]}]}, (400, "InvalidActionOrNotAction")),
        (
            {"permissions": [{"notActions": [f"{ML}/workspaces/listNotebookKeys/action"]}]},
            (400, "InvalidActionOrNotAction"),
        ),
        ({"assignableScopes": []}, (400, "MissingAssignableScopes")),
        ({"assignableScopes": ["Invalid_Scope"]}, (400, "LinkedInvalidPropertyId")),
        ({"assignableScopes": ["/"]}, (400, "InvalidAssignableScope")),
        ({"assignableScopes": None}, (400, "InvalidRequestContent")),
    ],
)
def test_a_wrong_role_is_refused(azure: Client, group: str, change: dict[str, Any], expected: tuple[int, str]) -> None:
    body = role_body(unique("role "), group, actions=["*/read"])
    body["properties"].update(change)
    path = f"{group}/providers/Microsoft.Authorization/roleDefinitions/{uuid.uuid4()}"
    assert error(azure.arm("PUT", path, body, api=API)) == expected


def test_known_operations_and_any_wildcard_pass(azure: Client, group: str) -> None:
    actions = [f"{ML}/workspaces/listNotebookKeys/read", f"{ML}/WORKSPACES/JOBS/*", f"{ML}/workspaces/computes/*/write"]
    assert define(azure, group, actions=actions).status_code == 201


def test_a_role_in_use_and_a_built_in_one_cannot_be_deleted(azure: Client, group: str) -> None:
    role = define(azure, group).json()
    assignment = azure.assign(group, SCIENTIST, role["name"]).json()["id"]
    assert error(azure.arm("DELETE", role["id"], api=API)) == (400, "RoleDefinitionHasAssignments")
    assert azure.arm("DELETE", assignment, api=API).json()["id"] == assignment
    assert azure.arm("DELETE", role["id"], api=API).status_code == 200
    assert azure.arm("GET", role["id"], api=API).status_code == 404
    built_in = f"/providers/Microsoft.Authorization/roleDefinitions/{READER}"
    assert azure.arm("GET", built_in, api=API).json()["properties"]["roleName"] == "Reader"
    assert error(azure.arm("DELETE", built_in, api=API)) == (403, "AuthorizationFailed")  # not the tenant's owner
    listed = azure.arm("GET", built_in.rpartition("/")[0], api=API, filter="roleName eq 'Reader'").json()["value"]
    assert [one["name"] for one in listed] == [READER]
    below = f"/subscriptions/{SUBSCRIPTION}{built_in}"
    assert error(azure.arm("DELETE", below, api=API)) == (403, "RoleDefinitionNotEditable")
    assert error(define(azure, group, READER)) == (409, "RoleDefinitionExists")


def test_making_a_role_needs_the_right_in_each_of_its_scopes(azure: Client, scientist: Client, group: str) -> None:
    azure.assign(group, SCIENTIST, OWNER)
    body = role_body(unique("role "), group, actions=["*/read"])
    body["properties"]["assignableScopes"].append(azure.group())
    path = f"{group}/providers/Microsoft.Authorization/roleDefinitions/{uuid.uuid4()}"
    assert error(scientist.arm("PUT", path, body, api=API)) == (403, "AuthorizationFailed")
    body["properties"]["assignableScopes"].pop()
    assert scientist.arm("PUT", path, body, api=API).status_code == 201


# ---- what roles give


def test_a_role_at_a_group_gives_nothing_beside_it(azure: Client, scientist: Client) -> None:
    group = azure.group()
    beside = azure.group(group.rsplit("/", 1)[-1] + "2")  # its id begins with the group's
    azure.assign(group, SCIENTIST, CONTRIBUTOR)
    assert scientist.arm("PUT", f"{group}/{IDENTITY}/one", {"location": "eastus2"}).status_code == 201
    for path in (beside, f"{beside}/{IDENTITY}/one"):
        assert error(scientist.arm("PUT", path, {"location": "eastus2"})) == (403, "AuthorizationFailed")


def test_a_contributor_assigns_no_roles(azure: Client, scientist: Client, group: str) -> None:
    azure.assign(group, SCIENTIST, CONTRIBUTOR)
    denied = scientist.assign(group, LEAD, READER)
    assert error(denied) == (403, "AuthorizationFailed")
    assert "'Microsoft.Authorization/roleAssignments/write'" in denied.json()["error"]["message"]


def test_members_of_a_group_have_its_roles_until_they_leave(azure: Client, scientist: Client, group: str) -> None:
    outer = azure.graph(
        "POST",
        "/groups",
        {"displayName": unique("g"), "mailEnabled": False, "mailNickname": "g", "securityEnabled": True},
    ).json()["id"]
    inner = azure.graph(
        "POST",
        "/groups",
        {
            "displayName": unique("g"),
            "mailEnabled": False,
            "mailNickname": "g",
            "securityEnabled": True,
            "members@odata.bind": [f"https://graph.microsoft.com/v1.0/users/{SCIENTIST}"],
        },
    ).json()["id"]
    azure.assign(group, outer, READER, principalType="Group")
    assert scientist.arm("GET", group).status_code == 403
    body = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{inner}"}
    assert azure.graph("POST", f"/groups/{outer}/members/$ref", body).status_code == 204
    assert scientist.arm("GET", group).status_code == 200
    assert azure.graph("DELETE", f"/groups/{inner}/members/{SCIENTIST}/$ref").status_code == 204
    assert scientist.arm("GET", group).status_code == 403


def test_not_actions_take_away_and_another_role_gives_back(azure: Client, scientist: Client, group: str) -> None:
    role = define(azure, group, actions=["Microsoft.Storage/*"], notActions=["Microsoft.Storage/*/listKeys/action"])
    account = f"{group}/{STORAGE}/{unique('acct')}"
    body = {"location": "eastus2", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}}
    azure.arm("PUT", account, body)
    azure.assign(group, SCIENTIST, role.json()["name"])
    assert scientist.arm("GET", account).status_code == 200
    assert scientist.arm("POST", f"{account}/listKeys").status_code == 403
    define(azure, group, role.json()["name"], actions=["Microsoft.Storage/*"])  # changed: at once
    assert scientist.arm("POST", f"{account}/listKeys").status_code == 200
    define(azure, group, role.json()["name"], actions=["Microsoft.Storage/*"], notActions=["*/action"])
    assert scientist.arm("POST", f"{account}/listKeys").status_code == 403
    assert azure.assign(account, SCIENTIST, "17d1049b-9a84-46fb-8f53-869881c3d3ab").status_code == 201
    assert scientist.arm("POST", f"{account}/listKeys").status_code == 200


# ---- locks


def lock(azure: Client, scope: str, level: str, name: str = "keep") -> Any:
    path = f"{scope}/providers/Microsoft.Authorization/locks/{name}"
    return azure.arm("PUT", path, {"properties": {"level": level, "notes": "why"}}, api="2020-05-01")


def test_a_lock_keeps_its_resource_its_group_and_what_is_below(azure: Client, group: str) -> None:
    account = f"{group}/{STORAGE}/{unique('acct')}"
    body = {"location": "eastus2", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}}
    azure.arm("PUT", account, body)
    container = f"{account}/blobServices/default/containers/fs1"
    azure.arm("PUT", container, {})
    beside = azure.arm("PUT", f"{group}/{IDENTITY}/one", {"location": "eastus2"}).json()["id"]
    assignment = azure.assign(account, SCIENTIST, READER).json()["id"]
    made = lock(azure, account, "CanNotDelete")
    assert (made.status_code, made.json()["properties"]["level"]) == (201, "CanNotDelete")
    for path in (account, container, group, assignment):
        answer = azure.arm("DELETE", path, api=API)
        assert error(answer) == (409, "ScopeLocked"), path
        message = answer.json()["error"]["message"]
        assert f"'{path}' cannot perform delete operation" in message
        assert f"locked: '{account}'" in message
    assert azure.arm("PUT", account, body).status_code == 200
    assert azure.arm("PUT", f"{account}/blobServices/default/containers/fs2", {}).status_code == 201
    assert azure.assign(account, LEAD, READER).status_code == 201  # made it may be, gone not
    assert azure.arm("DELETE", beside).status_code == 200
    assert azure.arm("DELETE", made.json()["id"], api="2020-05-01").status_code == 200
    assert azure.arm("DELETE", group).status_code == 202


def test_a_read_only_lock_also_blocks_writes_and_keys(azure: Client, group: str) -> None:
    account = f"{group}/{STORAGE}/{unique('acct')}"
    body = {"location": "eastus2", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}}
    azure.arm("PUT", account, body)
    lock(azure, group, "ReadOnly")
    assert azure.arm("GET", account).status_code == 200
    assert error(azure.arm("PUT", account, body)) == (409, "ScopeLocked")
    assert error(azure.arm("PATCH", account, {"tags": {}})) == (409, "ScopeLocked")
    assert error(azure.arm("POST", f"{account}/listKeys")) == (409, "ScopeLocked")
    assert error(azure.arm("PUT", f"{account}/blobServices/default/containers/fs1", {})) == (409, "ScopeLocked")
    listed = azure.arm("GET", f"{group}/providers/Microsoft.Authorization/locks", api="2020-05-01").json()["value"]
    assert [one["name"] for one in listed] == ["keep"]


def test_a_lock_needs_a_level_and_the_right_to_lock(azure: Client, scientist: Client, group: str) -> None:
    assert error(lock(azure, group, "Sometimes")) == (400, "InvalidRequestContent")
    azure.assign(group, SCIENTIST, CONTRIBUTOR)
    assert error(lock(scientist, group, "ReadOnly")) == (403, "AuthorizationFailed")


def test_a_role_is_named_below_the_subscription_as_assignments_name_it(azure: Client) -> None:
    """azure-cli joins role assignments and definitions by id."""
    path = f"providers/Microsoft.Authorization/roleDefinitions/{READER}"
    below = azure.arm("GET", path, api="2022-04-01").json()
    assert below["id"] == f"/subscriptions/{SUBSCRIPTION}/{path}"
    listed = azure.arm("GET", path.rpartition("/")[0], api="2022-04-01", filter="roleName eq 'Reader'").json()["value"]
    assert [role["id"] for role in listed] == [below["id"]]
    assert azure.arm("GET", f"/{path}", api="2022-04-01").json()["id"] == f"/{path}"
    scope = azure.group()
    made = azure.assign(scope, user_id("user2@site.com"), READER).json()
    assert made["properties"]["roleDefinitionId"] == below["id"]


@pytest.mark.parametrize(
    ("condition", "version", "code"),
    [
        ("(!(ActionMatches{'x'}", None, "InvalidConditionSyntax"),
        ("@Resource[Microsoft.Storage/storageAccounts:name] StringIs 'x'", None, "InvalidConditionSyntax"),
        (
            "@Principal[Microsoft.Directory/CustomSecurityAttributes/Id:A_b] StringEquals 'x'",
            None,
            "InvalidConditionSyntax",
        ),
        ("ActionMatches{'x'} ActionMatches{'y'}", None, "InvalidConditionSyntax"),
        ("ActionMatches{'x'}", "1.0", "InvalidConditionVersion"),
    ],
)
def test_a_condition_that_means_nothing_is_refused(
    azure: Client, group: str, condition: str, version: str | None, code: str
) -> None:
    more = {"condition": condition, **({"conditionVersion": version} if version else {})}
    assert error(azure.assign(group, SCIENTIST, READER, **more)) == (400, code)


def test_who_may_assign_some_roles_only_cannot_assign_others(azure: Client, lead: Client, group: str) -> None:
    """The condition that the portal offers to constrain role assignment administrators."""
    administrator = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"  # Role Based Access Control Administrator
    attribute = "[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals"
    write, delete = (
        f"ActionMatches{{'Microsoft.Authorization/roleAssignments/{verb}'}}" for verb in ("write", "delete")
    )
    on_write = f"(!({write})) OR (@Request{attribute} {{{READER}}})"
    condition = f"({on_write}) AND ((!({delete})) OR (@Resource{attribute} {{{READER}}}))"
    made = azure.assign(group, LEAD, administrator, condition=condition, conditionVersion="2.0")
    assert made.status_code == 201, made.text
    assert made.json()["properties"]["condition"] == condition
    name = str(uuid.uuid4())
    assert lead.assign(group, SCIENTIST, READER, name).status_code == 201
    assert error(lead.assign(group, SCIENTIST, CONTRIBUTOR)) == (403, "AuthorizationFailed")
    assert error(lead.assign(group, LEAD, OWNER)) == (403, "AuthorizationFailed")
    other = azure.assign(group, SCIENTIST, CONTRIBUTOR).json()["id"]
    assert error(lead.arm("DELETE", other, api=API)) == (403, "AuthorizationFailed")
    path = f"{group}/providers/Microsoft.Authorization/roleAssignments/{name}"
    assert lead.arm("DELETE", path, api=API).status_code == 200
