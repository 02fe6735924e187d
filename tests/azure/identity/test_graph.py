"""Microsoft Graph: the directory as a deployment and its people need it."""

import uuid
from typing import Any

import pytest

from tests.azure.client import GRAPH, Client, error, unique, user_id

SCIENTIST = user_id("user2@site.com")
REFERENCE = f"{GRAPH}/v1.0/directoryObjects/"


def group_body(**more: Any) -> dict[str, Any]:
    name = unique("group")
    return {"displayName": name, "mailNickname": name, "mailEnabled": False, "securityEnabled": True, **more}


def made(azure: Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = azure.graph("POST", path, body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


# ---- users


def test_a_user_is_found_by_id_and_by_name(azure: Client, scientist: Client) -> None:
    by_name = scientist.graph("GET", "/users/User2@Site.com").json()
    assert by_name["id"] == SCIENTIST
    assert by_name == scientist.graph("GET", f"/users/{SCIENTIST}").json()
    assert by_name["@odata.context"].endswith("$metadata#users/$entity")
    assert "accountEnabled" not in by_name  # only with $select
    assert azure.graph("GET", f"/users/{SCIENTIST}", select="id,accountEnabled,hobby").json() == {
        "@odata.context": f"{GRAPH}/v1.0/$metadata#users/$entity",
        "id": SCIENTIST,
        "accountEnabled": True,
        "hobby": None,
    }
    missing = azure.graph("GET", "/users/nobody@site.com")
    assert error(missing) == (404, "Request_ResourceNotFound")
    assert set(missing.json()["error"]["innerError"]) == {"date", "request-id", "client-request-id"}


@pytest.mark.parametrize(
    ("filter_", "names"),
    [
        ("userPrincipalName eq 'user2@site.com'", {"user2@site.com"}),
        ("startswith(userPrincipalName,'user') and endswith(mail, '@site.com')", {"user1@site.com", "user2@site.com"}),
        ("userPrincipalName in ('admin1@site.com', 'USER2@SITE.COM')", {"admin1@site.com", "user2@site.com"}),
        ("accountEnabled eq true and mailNickname eq 'admin1'", {"admin1@site.com"}),
        ("displayName eq 'Nobody'", set()),
    ],
)
def test_users_are_filtered(azure: Client, filter_: str, names: set[str]) -> None:
    found = azure.graph("GET", "/users", filter=filter_).json()["value"]
    assert {one["userPrincipalName"] for one in found} == names


def test_a_page_has_an_address_of_the_next(azure: Client) -> None:
    assert len(azure.graph("GET", "/users", top="2").json()["value"]) == 2
    for number in range(101):
        made(azure, "/applications", {"displayName": f"page {number}"})
    first = azure.graph("GET", "/applications", filter="startswith(displayName, 'page')", count="true").json()
    assert first["@odata.count"] >= 101
    assert len(first["value"]) == 100
    second = azure.send("GET", first["@odata.nextLink"]).json()
    assert len(second["value"]) == first["@odata.count"] - 100
    assert not {one["id"] for one in first["value"]} & {one["id"] for one in second["value"]}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"search": '"displayName:x"'}, "Request_UnsupportedQuery"),
        ({"expand": "members"}, "Request_UnsupportedQuery"),
        ({"filter": "displayName like 'x'"}, "BadRequest"),
        ({"filter": "whoami()"}, "BadRequest"),
        ({"top": "1000"}, "BadRequest"),
        ({"top": "x"}, "BadRequest"),
    ],
)
def test_what_is_not_emulated_is_refused_not_ignored(azure: Client, query: dict[str, str], code: str) -> None:
    assert error(azure.graph("GET", "/users", **query)) == (400, code)


def test_me_is_the_signed_in_user(azure: Client, scientist: Client) -> None:
    assert scientist.graph("GET", "/me").json()["userPrincipalName"] == "user2@site.com"
    _, client = azure.application()
    assert error(client.graph("GET", "/me")) == (400, "BadRequest")


def test_a_user_comes_and_goes(azure: Client) -> None:
    name = f"{unique('u')}@site.com"
    body = {
        "accountEnabled": True,
        "displayName": "New",
        "mailNickname": "new",
        "userPrincipalName": name,
        "passwordProfile": {"password": "marked"},
    }
    user = made(azure, "/users", body)
    assert user["id"] == user_id(name)
    assert "marked" not in azure.graph("GET", f"/users/{name}", select="id,passwordProfile").text
    assert error(azure.graph("POST", "/users", body)) == (400, "Request_BadRequest")
    group = made(azure, "/groups", group_body(**{"members@odata.bind": [REFERENCE + user["id"]]}))
    assert azure.graph("DELETE", f"/users/{name}").status_code == 204
    assert azure.graph("GET", f"/users/{name}").status_code == 404
    made(azure, "/users", body)  # the same id again, but not the same person's groups
    assert azure.graph("GET", f"/groups/{group['id']}/members").json()["value"] == []


# ---- who may write


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/groups", {"displayName": "x", "mailEnabled": False, "mailNickname": "x", "securityEnabled": True}),
        ("POST", "/applications", {"displayName": "x"}),
        ("PATCH", "/users/user2@site.com", {"displayName": "x"}),
        ("DELETE", "/users/user2@site.com", None),
        ("POST", f"/groups/{user_id('bluegranit-data-scientists')}/members/$ref", {"@odata.id": REFERENCE + SCIENTIST}),
        ("DELETE", f"/groups/{user_id('bluegranit-data-scientists')}/members/{SCIENTIST}/$ref", None),
    ],
)
def test_only_administrators_write(scientist: Client, method: str, path: str, body: Any) -> None:
    assert error(scientist.graph(method, path, body)) == (403, "Authorization_RequestDenied")


# ---- groups


def test_a_group_lives(azure: Client) -> None:
    body = group_body(**{"members@odata.bind": [f"{GRAPH}/v1.0/users/{SCIENTIST}"]})
    group = made(azure, "/groups", body)
    assert "members" not in group
    assert azure.graph("GET", "/groups", filter=f"displayName eq '{body['displayName']}'").json()["value"][0] == {
        name: value for name, value in group.items() if name != "@odata.context"
    }
    members = azure.graph("GET", f"/groups/{group['id']}/members").json()["value"]
    assert [(one["@odata.type"], one["id"]) for one in members] == [("#microsoft.graph.user", SCIENTIST)]
    owners = azure.graph("GET", f"/groups/{group['id']}/owners").json()["value"]
    assert [one["id"] for one in owners] == [user_id("user@domain.com")]
    assert azure.graph("PATCH", f"/groups/{group['id']}", {"description": "why"}).status_code == 204
    assert azure.graph("GET", f"/groups/{group['id']}").json()["description"] == "why"
    wrongs: list[dict[str, Any]] = [{"id": "x"}, {"members": []}, {"securityEnabled": "yes"}]
    for wrong in wrongs:
        assert error(azure.graph("PATCH", f"/groups/{group['id']}", wrong)) == (400, "Request_BadRequest")
    assert azure.graph("DELETE", f"/groups/{group['id']}").status_code == 204
    assert error(azure.graph("DELETE", f"/groups/{group['id']}")) == (404, "Request_ResourceNotFound")


@pytest.mark.parametrize(
    "change",
    [
        {"displayName": None},
        {"mailNickname": ""},
        {"securityEnabled": None},
        {"securityEnabled": "yes"},
        {"securityEnabled": False},
        {"mailEnabled": True},
        {"members@odata.bind": ["nowhere"]},
    ],
)
def test_a_wrong_group_is_refused(azure: Client, change: dict[str, Any]) -> None:
    assert error(azure.graph("POST", "/groups", {**group_body(), **change})) == (400, "Request_BadRequest")


def test_members_are_added_and_removed_once(azure: Client) -> None:
    group = made(azure, "/groups", group_body())["id"]
    body = {"@odata.id": REFERENCE + SCIENTIST}
    assert azure.graph("POST", f"/groups/{group}/members/$ref", body).status_code == 204
    twice = azure.graph("POST", f"/groups/{group}/members/$ref", body)
    assert error(twice) == (400, "Request_BadRequest")
    assert "already exist" in twice.json()["error"]["message"]
    absent = {"@odata.id": REFERENCE + str(uuid.uuid4())}
    assert error(azure.graph("POST", f"/groups/{group}/members/$ref", absent)) == (404, "Request_ResourceNotFound")
    assert azure.graph("DELETE", f"/groups/{group}/members/{SCIENTIST}/$ref").status_code == 204
    assert azure.graph("DELETE", f"/groups/{group}/members/{SCIENTIST}/$ref").status_code == 404


def test_membership_goes_through_groups(azure: Client) -> None:
    inner = made(azure, "/groups", group_body(**{"members@odata.bind": [REFERENCE + SCIENTIST]}))["id"]
    outer = made(azure, "/groups", group_body(**{"members@odata.bind": [REFERENCE + inner]}))["id"]
    direct = {one["id"] for one in azure.graph("GET", f"/users/{SCIENTIST}/memberOf").json()["value"]}
    assert inner in direct
    assert outer not in direct
    every = {one["id"] for one in azure.graph("GET", f"/users/{SCIENTIST}/transitiveMemberOf").json()["value"]}
    assert {inner, outer} <= every
    asked = {"groupIds": [outer, str(uuid.uuid4())]}
    assert azure.graph("POST", f"/users/{SCIENTIST}/checkMemberGroups", asked).json()["value"] == [outer]
    ids = azure.graph("POST", f"/users/{SCIENTIST}/getMemberGroups", {"securityEnabledOnly": True}).json()["value"]
    assert set(ids) == every
    below = {one["id"] for one in azure.graph("GET", f"/groups/{outer}/transitiveMembers").json()["value"]}
    assert below == {inner, SCIENTIST}


# ---- applications


def test_a_service_principal_stands_for_an_application_of_the_tenant(azure: Client) -> None:
    one = made(azure, "/applications", {"displayName": "automation", "tags": ["a"]})
    body = {"appId": one["appId"]}
    principal = made(azure, "/servicePrincipals", body)
    assert principal["displayName"] == "automation"
    assert principal["servicePrincipalType"] == "Application"
    again = azure.graph("POST", "/servicePrincipals", body)
    assert error(again) == (409, "Request_MultipleObjectsWithSameKeyValue")
    assert error(azure.graph("POST", "/servicePrincipals", {"appId": str(uuid.uuid4())})) == (400, "Request_BadRequest")
    keyed = azure.graph("GET", f"/servicePrincipals(appId='{one['appId']}')").json()
    assert keyed["id"] == principal["id"]
    assert azure.graph("GET", f"/applications(appId='{one['appId']}')").json()["id"] == one["id"]
    filtered = azure.graph("GET", "/servicePrincipals", filter=f"appId eq '{one['appId']}'").json()["value"]
    assert [found["id"] for found in filtered] == [principal["id"]]
    azure.graph("DELETE", f"/applications/{one['id']}")
    assert azure.graph("GET", f"/servicePrincipals/{principal['id']}").status_code == 404


def test_a_secret_is_shown_once_and_never_stored(azure: Client) -> None:
    one = made(azure, "/applications", {"displayName": "automation"})
    asked = {"passwordCredential": {"displayName": "why", "endDateTime": "2030-01-01T00:00:00Z"}}
    added = azure.graph("POST", f"/applications/{one['id']}/addPassword", asked).json()
    assert added["endDateTime"].startswith("2030-01-01")
    shown = azure.graph("GET", f"/applications/{one['id']}")
    assert shown.json()["passwordCredentials"][0]["keyId"] == added["keyId"]
    assert shown.json()["passwordCredentials"][0]["hint"] == added["secretText"][:3]
    assert "_hash" not in shown.text
    for path in azure.sandbox.directory.glob("azure.db*"):
        assert added["secretText"].encode() not in path.read_bytes()
    wrong = azure.graph("POST", f"/applications/{one['id']}/removePassword", {"keyId": str(uuid.uuid4())})
    assert error(wrong) == (400, "Request_BadRequest")
    date = {"passwordCredential": {"endDateTime": "soon"}}
    assert error(azure.graph("POST", f"/applications/{one['id']}/addPassword", date)) == (400, "Request_BadRequest")


def test_an_application_trusts_others_identities(azure: Client) -> None:
    one = made(azure, "/applications", {"displayName": "pipeline"})
    path = f"/applications/{one['id']}/federatedIdentityCredentials"
    body = {
        "name": "main",
        "issuer": "https://token.actions.githubusercontent.com",
        "subject": "repo:x/y:ref:refs/heads/main",
        "audiences": ["api://AzureADTokenExchange"],
    }
    added = made(azure, path, body)
    for same in ({**body, "name": "other"}, {**body, "subject": "else"}):
        assert error(azure.graph("POST", path, same)) == (409, "Request_MultipleObjectsWithSameKeyValue")
    assert error(azure.graph("POST", path, {**body, "name": "x", "issuer": ""})) == (400, "Request_BadRequest")
    assert azure.graph("PATCH", f"{path}/{added['id']}", {"description": "why"}).status_code == 204
    assert azure.graph("GET", f"{path}/main").json()["description"] == "why"
    assert error(azure.graph("PATCH", f"{path}/main", {"name": "x"})) == (400, "Request_BadRequest")
    assert [found["name"] for found in azure.graph("GET", path).json()["value"]] == ["main"]
    assert azure.graph("DELETE", f"{path}/{added['id']}").status_code == 204
    assert error(azure.graph("GET", f"{path}/{added['id']}")) == (404, "Request_ResourceNotFound")
    for number in range(20):
        made(azure, path, {**body, "name": f"n{number}", "subject": f"s{number}"})
    assert error(azure.graph("POST", path, {**body, "name": "n", "subject": "s"})) == (400, "Request_BadRequest")


def test_a_managed_identitys_principal_is_shown_but_not_changed(azure: Client) -> None:
    group = azure.group()
    path = f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{unique('id')}"
    identity = azure.arm("PUT", path, {"location": "eastus2"}).json()["properties"]
    principal = azure.graph("GET", f"/servicePrincipals/{identity['principalId']}").json()
    assert principal["appId"] == identity["clientId"]
    assert principal["alternativeNames"] == ["isExplicit=True", path]
    own = f"/servicePrincipals/{principal['id']}"
    assert error(azure.graph("DELETE", own)) == (403, "Authorization_RequestDenied")
    assert azure.graph("POST", f"{own}/addPassword", {}).status_code == 400
    azure.arm("DELETE", path)
    assert azure.graph("GET", own).status_code == 404


# ---- the rest


def test_objects_are_found_whatever_they_are(azure: Client) -> None:
    one = made(azure, "/applications", {"displayName": "x"})
    group = user_id("bluegranit-data-scientists")
    found = azure.graph("GET", f"/directoryObjects/{group}").json()
    assert found["@odata.type"] == "#microsoft.graph.group"
    body: dict[str, Any] = {"ids": [SCIENTIST, group, one["id"], str(uuid.uuid4())]}
    every = azure.graph("POST", "/directoryObjects/getByIds", body).json()["value"]
    assert [entity["id"] for entity in every] == [SCIENTIST, group, one["id"]]
    body["types"] = ["user"]
    users = azure.graph("POST", "/directoryObjects/getByIds", body).json()["value"]
    assert [entity["id"] for entity in users] == [SCIENTIST]
    assert error(azure.graph("POST", "/directoryObjects/getByIds", {})) == (400, "Request_BadRequest")
    assert azure.graph("GET", "/organization").json()["value"][0]["id"] == azure.tenant


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/devices", 400),
        ("GET", f"/users/{SCIENTIST}/messages", 400),
        ("POST", f"/users/{SCIENTIST}/sendMail", 400),
        ("GET", "/users/a/b/c/d/e", 404),
        ("PUT", "/users", 404),
    ],
)
def test_a_path_that_is_not_emulated_says_so(azure: Client, method: str, path: str, status: int) -> None:
    answer = azure.graph(method, path)
    assert answer.status_code == status
    assert "segment" in answer.json()["error"]["message"]


@pytest.mark.parametrize("content", ["{", "[]", "x" * 1_100_000])
def test_a_wrong_body_is_refused(azure: Client, content: str) -> None:
    headers = {"Authorization": f"Bearer {azure.token(GRAPH)}"}
    answer = azure.session.post(f"{GRAPH}/v1.0/groups", data=content, headers=headers)
    assert answer.status_code in (400, 413)


# ---- what azure-cli and azuread ask


def test_whoever_signs_in_by_client_credentials_has_a_service_principal(azure: Client) -> None:
    client_id = azure.credentials["client_id"]
    by_name = azure.graph("GET", "/servicePrincipals", filter=f"servicePrincipalNames/any(c:c eq '{client_id}')")
    (principal,) = by_name.json()["value"]
    assert principal["appId"] == client_id
    assert principal["servicePrincipalNames"] == [client_id]
    assert azure.graph("GET", f"/servicePrincipals(appId='{client_id}')").json()["id"] == principal["id"]


@pytest.mark.parametrize(
    "filter_", ["tags/any(", "tags/any(x:y eq 'a')", "tags/any(x:x/y eq 'a')", "tags/any(x:x eq 'a'", "appId eq"]
)
def test_a_filter_is_read_before_any_object(azure: Client, filter_: str) -> None:
    answer = azure.graph("GET", "/applications", filter=filter_)
    assert error(answer) == (400, "BadRequest")
    assert filter_ in answer.json()["error"]["message"]


def test_a_list_is_filtered_by_any_of_its_members(azure: Client) -> None:
    name = unique("app")
    made(azure, "/applications", {"displayName": name, "tags": ["blue", "Green"]})
    for tag, count in (("green", 1), ("red", 0)):
        filter_ = f"displayName eq '{name}' and tags/any(t:t eq '{tag}')"
        assert len(azure.graph("GET", "/applications", filter=filter_).json()["value"]) == count


def test_groups_are_checked_for_any_object_and_for_oneself(azure: Client, scientist: Client) -> None:
    group = made(azure, "/groups", group_body(**{"members@odata.bind": [REFERENCE + SCIENTIST]}))["id"]
    for path in (f"/directoryObjects/{SCIENTIST}", f"/users/{SCIENTIST}", "/me"):
        answer = scientist.graph("POST", f"{path}/checkMemberGroups", {"groupIds": [group]})
        assert answer.json()["value"] == [group], path
        assert group in scientist.graph("POST", f"{path}/getMemberGroups", {}).json()["value"]
    assert group in [one["id"] for one in scientist.graph("GET", "/me/memberOf").json()["value"]]
    absent = azure.graph("POST", f"/directoryObjects/{uuid.uuid4()}/checkMemberGroups", {"groupIds": [group]})
    assert error(absent) == (404, "Request_ResourceNotFound")


def test_what_somebody_owns_is_listed(azure: Client) -> None:
    application = made(azure, "/applications", {"displayName": unique("app")})
    owned = azure.graph("GET", "/me/ownedObjects", top="999").json()["value"]
    assert (application["id"], "#microsoft.graph.application") in [(one["id"], one["@odata.type"]) for one in owned]


def test_the_beta_version_answers_as_the_first(azure: Client) -> None:
    """The azuread provider makes and reads groups, applications and service principals there."""
    url = f"{GRAPH}/beta/users/{SCIENTIST}"
    assert azure.send("GET", url).json() == azure.graph("GET", f"/users/{SCIENTIST}").json()
    assert error(azure.send("GET", f"{GRAPH}/v2.0/users/{SCIENTIST}")) == (404, "ResourceNotFound")


def test_a_passwords_times_are_written_as_graph_does(azure: Client) -> None:
    """The azuread provider compares texts: another form of the same time replaces the password."""
    application = made(azure, "/applications", {"displayName": unique("app")})["id"]
    asked = {
        "passwordCredential": {"startDateTime": "2026-01-01T02:00:00+02:00", "endDateTime": "2030-01-01T00:00:00Z"}
    }
    added = azure.graph("POST", f"/applications/{application}/addPassword", asked).json()
    assert (added["startDateTime"], added["endDateTime"]) == ("2026-01-01T00:00:00Z", "2030-01-01T00:00:00Z")
    default = azure.graph("POST", f"/applications/{application}/addPassword", {}).json()
    assert default["startDateTime"].endswith("Z")
    assert default["endDateTime"].endswith("Z")


def test_a_service_principal_shows_its_names_and_audience(azure: Client) -> None:
    application = made(azure, "/applications", {"displayName": unique("app"), "identifierUris": ["api://x"]})
    principal = made(azure, "/servicePrincipals", {"appId": application["appId"]})
    assert principal["servicePrincipalNames"] == [application["appId"], "api://x"]
    assert principal["signInAudience"] == "AzureADMyOrg"
