"""azuread's resources and functions on Microsoft Graph."""

import pytest

from sandbox.providers.azuread import AzureAD
from sandbox.providers.values import UNKNOWN, is_secret, plain
from tests.providers.cloud import Cloud, error
from tests.providers.driver import Aborted, Resource, invoke

APPLICATION = "azuread:index/application:Application"
PRINCIPAL = "azuread:index/servicePrincipal:ServicePrincipal"
PASSWORD = "azuread:index/servicePrincipalPassword:ServicePrincipalPassword"
GROUP = "azuread:index/group:Group"
MEMBER = "azuread:index/groupMember:GroupMember"
FEDERATED = "azuread:index/applicationFederatedIdentityCredential:ApplicationFederatedIdentityCredential"


def application(directory: AzureAD) -> Resource:
    return Resource(directory, APPLICATION).create({"displayName": "automation", "tags": ["ml"]})


def test_an_application_lives(directory: AzureAD, cloud: Cloud) -> None:
    found = application(directory)
    body = cloud.last("POST").body
    assert body.pop("owners@odata.bind") == ["https://graph.microsoft.com/v1.0/directoryObjects/caller-object"]
    assert body == {"displayName": "automation", "signInAudience": "AzureADMyOrg", "tags": ["ml"]}
    assert found.id == f"/applications/{found.outputs['objectId']}"
    assert found.outputs["clientId"]
    inputs = dict(found.inputs)
    assert found.refresh()
    assert found.inputs == inputs
    found.update({"displayName": "renamed"})
    assert cloud.last("PATCH").body == {"displayName": "renamed", "signInAudience": "AzureADMyOrg", "tags": None}
    assert found.outputs["displayName"] == "renamed"
    found.delete()
    assert not found.refresh()


def test_a_change_in_the_directory_is_seen_by_a_refresh(directory: AzureAD, cloud: Cloud) -> None:
    found = application(directory)
    cloud.kept["applications"][found.outputs["objectId"]]["displayName"] = "by hand"
    assert found.refresh()
    assert found.inputs == {"displayName": "by hand", "signInAudience": "AzureADMyOrg", "tags": ["ml"]}


def test_a_new_object_is_waited_for(directory: AzureAD, cloud: Cloud) -> None:
    missing = (404, error("Request_ResourceNotFound", "not yet"))
    cloud.kept["applications"] = {"a": {"id": "a", "appId": "client", "displayName": "slow"}}
    cloud.say("POST", "/applications", (201, {"id": "a"}))
    cloud.say("DELETE", "/applications/a/owners/caller-object/$ref", (204, None))
    cloud.say("GET", "/applications/a", missing)
    assert Resource(directory, APPLICATION).create({"displayName": "slow"}).outputs["clientId"] == "client"


def test_a_preview_knows_no_ids(directory: AzureAD, cloud: Cloud) -> None:
    found = Resource(directory, GROUP).preview({"displayName": "g", "securityEnabled": True})
    assert (found["displayName"], found["objectId"], found["mailNickname"]) == ("g", UNKNOWN, UNKNOWN)
    assert Resource(directory, PASSWORD).preview({"servicePrincipalId": "/servicePrincipals/s"})["value"] == UNKNOWN
    assert cloud.asked == []


def test_a_service_principal_that_exists_is_refused_or_taken_over(directory: AzureAD, cloud: Cloud) -> None:
    client = application(directory).outputs["clientId"]
    first = Resource(directory, PRINCIPAL).create({"clientId": client})
    assert first.id == f"/servicePrincipals/{first.outputs['objectId']}"
    with pytest.raises(
        Aborted,
        match=r'A resource with the ID ".*" already exists: To be managed via Terraform.*"azuread_service_principal"',
    ):
        Resource(directory, PRINCIPAL, "second").create({"clientId": client})
    second = Resource(directory, PRINCIPAL, "third").create(
        {"clientId": client, "useExisting": True, "description": "d"}
    )
    assert (second.id, second.outputs["description"]) == (first.id, "d")
    first.delete()
    assert not second.refresh()


def test_a_password_is_told_once_and_kept_secret(directory: AzureAD, cloud: Cloud) -> None:
    principal = Resource(directory, PRINCIPAL).create({"clientId": application(directory).outputs["clientId"]})
    password = Resource(directory, PASSWORD).create(
        {"servicePrincipalId": principal.id, "endDateRelative": "240h", "startDate": "2026-01-01T00:00:00+00:00"}
    )
    assert is_secret(password.outputs["value"])
    assert plain(password.outputs["value"]) == "s3cret-of-" + password.outputs["keyId"]
    assert password.id == f"{principal.outputs['objectId']}/password/{password.outputs['keyId']}"
    assert cloud.last("POST").body["passwordCredential"]["endDateTime"] == "2026-01-11T00:00:00+00:00"
    value, inputs = password.outputs["value"], dict(password.inputs)
    assert password.refresh()
    assert (password.outputs["value"], password.inputs) == (value, inputs)
    password.delete()
    assert not password.refresh()
    password.delete()


def test_an_impossible_duration_is_refused(directory: AzureAD) -> None:
    with pytest.raises(Aborted, match="endDateRelative: 'ten days' is no duration such as '240h'"):
        Resource(directory, PASSWORD).create(
            {"servicePrincipalId": "/servicePrincipals/s", "endDateRelative": "ten days"}
        )


def test_a_groups_members(directory: AzureAD, cloud: Cloud) -> None:
    group = Resource(directory, GROUP).create({"displayName": "g", "securityEnabled": True, "members": ["a", "b"]})
    body = cloud.last("POST").body
    assert body["members@odata.bind"] == [f"https://graph.microsoft.com/v1.0/directoryObjects/{one}" for one in "ab"]
    assert (body["mailEnabled"], body["securityEnabled"], bool(body["mailNickname"])) == (False, True, True)
    group.update({"displayName": "g", "securityEnabled": True, "members": ["b", "c"]})
    assert sorted(group.outputs["members"]) == ["b", "c"]
    group.update({"displayName": "g2", "securityEnabled": True})
    assert sorted(group.outputs["members"]) == ["b", "c"]  # taken out of the program, they stay


def test_a_member_that_is_there_already_is_refused(directory: AzureAD, cloud: Cloud) -> None:
    group = Resource(directory, GROUP).create({"displayName": "g", "securityEnabled": True})
    inputs = {"groupObjectId": group.outputs["objectId"], "memberObjectId": "user"}
    member = Resource(directory, MEMBER).create(inputs)
    assert member.id == f"{group.outputs['objectId']}/member/user"
    with pytest.raises(Aborted, match=r'already exists.*"azuread_group_member"'):
        Resource(directory, MEMBER, "twice").create(inputs)
    assert member.refresh()
    member.delete()
    assert not member.refresh()


def test_a_federated_credential(directory: AzureAD, cloud: Cloud) -> None:
    owner = application(directory)
    inputs = {
        "applicationId": owner.id,
        "displayName": "github",
        "audiences": ["api://AzureADTokenExchange"],
        "issuer": "https://token.actions.githubusercontent.com",
        "subject": "repo:org/repo:environment:dev",
    }
    found = Resource(directory, FEDERATED).create(inputs)
    assert cloud.last("POST").body["name"] == "github"
    assert found.outputs["credentialId"] == found.id.rsplit("/", 1)[-1]
    found.update({**inputs, "subject": "repo:org/repo:environment:pro"})
    assert cloud.last("PATCH").body["subject"] == "repo:org/repo:environment:pro"
    assert "name" not in cloud.last("PATCH").body
    imported = Resource(directory, FEDERATED).imported(found.id)
    assert imported.inputs == {**inputs, "subject": "repo:org/repo:environment:pro"}
    found.delete()
    assert not found.refresh()


@pytest.fixture
def people(cloud: Cloud) -> None:
    cloud.kept["users"] = {
        "1": {
            "id": "1",
            "userPrincipalName": "o'neil@site.com",
            "mail": "o@site.com",
            "displayName": "O",
            "jobTitle": None,
        },
        "2": {"id": "2", "userPrincipalName": "user2@site.com", "mail": "two@site.com", "accountEnabled": True},
    }
    cloud.kept["groups"] = {
        "g": {
            "id": "g",
            "displayName": "team",
            "securityEnabled": True,
            "mailEnabled": False,
            "members": [{"id": "1"}],
            "owners": [],
        },
        "h": {
            "id": "h",
            "displayName": "team",
            "securityEnabled": False,
            "mailEnabled": True,
            "members": [],
            "owners": [],
        },
    }


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("by", "value"), [("userPrincipalName", "o'neil@site.com"), ("mail", "o@site.com"), ("objectId", "1")]
)
def test_a_user_is_found(directory: AzureAD, cloud: Cloud, by: str, value: str) -> None:
    found = invoke(directory, "azuread:index/getUser:getUser", **{by: value})
    assert (found["id"], found["objectId"], found["displayName"]) == ("/users/1", "1", "O")
    asked = cloud.asked[0].query["$select"].split(",")
    assert {"accountEnabled", "userType", "mailNickname", "id"} <= set(asked)
    assert (found["jobTitle"], found["businessPhones"], found["accountEnabled"], found["managerId"]) == (
        "",
        [],
        False,
        "",
    )


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"userPrincipalName": "none@site.com"}, 'User with UPN "none@site.com" was not found'),
        ({"objectId": "9"}, 'User not found with object ID: "9"'),
        ({}, "one of `employee_id,mail,mail_nickname,object_id,user_principal_name` must be specified"),
        ({"mail": "a", "objectId": "b"}, "only one of `employee_id,mail,"),
    ],
)
def test_a_user_is_not_found(directory: AzureAD, arguments: dict[str, str], message: str) -> None:
    with pytest.raises(Aborted) as failed:
        invoke(directory, "azuread:index/getUser:getUser", **arguments)
    assert message in str(failed.value)
    if "was not found" in message:  # the bridge's words around Terraform's
        said = f"invoking azuread:index/getUser:getUser: 1 error occurred:\n\t* [user_principal_name] {message}\n\n"
        assert str(failed.value) == said


@pytest.mark.usefixtures("people")
def test_users_are_found(directory: AzureAD) -> None:
    names = ["user2@site.com", "none@site.com"]
    with pytest.raises(Aborted, match=r"none@site\.com"):
        invoke(directory, "azuread:index/getUsers:getUsers", userPrincipalNames=names)
    found = invoke(directory, "azuread:index/getUsers:getUsers", userPrincipalNames=names, ignoreMissing=True)
    assert (found["objectIds"], found["userPrincipalNames"]) == (["2"], ["user2@site.com"])
    assert (found["mailNicknames"], found["employeeIds"]) == ([""], [""])
    assert found["id"] == "users#tOZQhWP7UdmzddSUWYHV3J8GqoA="  # of the principal names, by SHA-1
    assert len(invoke(directory, "azuread:index/getUsers:getUsers", returnAll=True)["users"]) == 2


@pytest.mark.usefixtures("people")
def test_a_group_is_found_by_name_and_kind(directory: AzureAD) -> None:
    found = invoke(directory, "azuread:index/getGroup:getGroup", displayName="team", securityEnabled=True)
    assert (found["id"], found["objectId"], found["members"]) == ("/groups/g", "g", ["1"])
    assert (found["hideFromAddressLists"], found["writebackEnabled"]) == (False, False)
    with pytest.raises(Aborted, match=r"More than one group found matching specified filter \(displayName eq 'team'\)"):
        invoke(directory, "azuread:index/getGroup:getGroup", displayName="team")
    with pytest.raises(
        Aborted, match=r"No group found matching specified filter \(displayName eq 'x' and securityEnabled eq true\)"
    ):
        invoke(directory, "azuread:index/getGroup:getGroup", displayName="x", securityEnabled=True)
    with pytest.raises(Aborted, match="does not have the specified securityEnabled setting"):
        invoke(directory, "azuread:index/getGroup:getGroup", objectId="h", securityEnabled=True)


def test_a_service_principal_is_found(directory: AzureAD) -> None:
    made = Resource(directory, PRINCIPAL).create({"clientId": "client"})
    found = invoke(directory, "azuread:index/getServicePrincipal:getServicePrincipal", clientId="client")
    assert (found["id"], found["clientId"]) == (made.id, "client")
    with pytest.raises(Aborted, match="No service principal found: no service principal found"):
        invoke(directory, "azuread:index/getServicePrincipal:getServicePrincipal", clientId="x")


def test_who_is_signed_in(directory: AzureAD) -> None:
    found = invoke(directory, "azuread:index/getClientConfig:getClientConfig")
    assert (found["clientId"], found["objectId"]) == ("caller-client", "caller-object")
    with pytest.raises(Aborted, match="Invoke type azuread:index/getDomains:getDomains not found"):
        invoke(directory, "azuread:index/getDomains:getDomains")


# ---- owners and outputs, as the real provider was seen to have them


@pytest.mark.parametrize(("token", "name"), [(APPLICATION, "displayName"), (PRINCIPAL, "clientId")])
def test_the_caller_owns_what_it_creates_only_where_the_program_says_so(
    directory: AzureAD, cloud: Cloud, token: str, name: str
) -> None:
    def owners(**given: list[str]) -> list[str]:
        made = Resource(directory, token).create({name: str(given), **given})
        return sorted(made.outputs["owners"])

    assert owners() == []
    assert cloud.last("DELETE").path.endswith("/owners/caller-object/$ref")
    assert owners(owners=["other"]) == ["other"]
    assert owners(owners=["other", "caller-object"]) == ["caller-object", "other"]


def test_a_group_without_owners_is_its_callers(directory: AzureAD, cloud: Cloud) -> None:
    given = {"displayName": "g", "securityEnabled": True}
    assert Resource(directory, GROUP).create(given).outputs["owners"] == ["caller-object"]
    assert Resource(directory, GROUP).create({**given, "owners": ["other"]}).outputs["owners"] == ["other"]


@pytest.mark.parametrize(
    ("token", "inputs", "count"),
    [
        (GROUP, {"displayName": "g", "securityEnabled": True}, 32),
        (APPLICATION, {"displayName": "a"}, 36),
        (PRINCIPAL, {"clientId": "c"}, 30),
    ],
)
def test_outputs_have_all_properties(
    directory: AzureAD, cloud: Cloud, token: str, inputs: dict[str, object], count: int
) -> None:
    made = Resource(directory, token).create(inputs)
    assert len({"id", *made.outputs}) == count
    assert made.refresh()
    assert len({"id", *made.outputs}) == count
    assert made.outputs["description"] == ""


def test_check_fills_in_terraforms_defaults(directory: AzureAD) -> None:
    assert Resource(directory, APPLICATION).checked({"displayName": "a"})["signInAudience"] == "AzureADMyOrg"
    assert Resource(directory, PRINCIPAL).checked({"clientId": "c"})["accountEnabled"] is True
