"""The access difference of a change, against what real clients can do in the sandbox before and after it."""

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.identity import ClientSecretCredential
from azure.keyvault.secrets import SecretClient
from azure.storage.filedatalake import DataLakeServiceClient

from catalogue.conditions import inside, outside_of_account
from policies.values import Unknown
from review.access.compare import compare
from review.access.conditions import Request, UnreadConditionError, holds
from review.access.evaluate import abilities, told_apart
from review.access.model import Ability, AccessDifference
from review.access.people import ends, names
from review.access.stack import Reader
from review.model import Resource, Side
from review.preview import read_preview
from review.renamed import as_after, teams
from settings import parse_department
from settings.plan import read_plan
from tests.azure.client import Client
from tests.conftest import Sandbox
from tests.program.stack import Stack

PEOPLE = {"admin1@site.com": "lead", "user2@site.com": "scientist"}
BASE: dict[str, Any] = {
    "code": "acc",
    "environment": "dev",
    "region": "eastus2",
    "regionAbbreviation": "e2",
    "subscriptionId": "8b41ca0c-0c5a-4c01-b49b-5bb8d329cc27",
    "admin": "user@domain.com",
    "diagnostics": False,
    "teams": [
        {
            "name": "forecast",
            "leads": ["admin1@site.com"],
            "dataScientists": ["user1@site.com"],
            "lake": {"fileSystems": ["sales", "features"]},
            "automation": [
                {
                    "name": "release",
                    "github": {"repository": "contoso/forecast", "branch": "main"},
                    "secret": {"rotated": date.today(), "readers": ["admin1@site.com"]},
                }
            ],
        }
    ],
}
Probe = Callable[[Sandbox, str], None]


def signed_in(sandbox: Sandbox, persona: str) -> dict[str, Any]:
    """The credential of a persona, and the way to the sandbox."""
    env = sandbox.environment(persona)
    way: dict[str, Any] = {"proxies": {"https": env["HTTPS_PROXY"]}, "connection_verify": env["SSL_CERT_FILE"]}
    secret = (env["AZURE_TENANT_ID"], env["AZURE_CLIENT_ID"], env["AZURE_CLIENT_SECRET"])
    return {"credential": ClientSecretCredential(*secret, **way), **way}


def read_files(system: str) -> Probe:
    def probe(sandbox: Sandbox, persona: str) -> None:
        service = DataLakeServiceClient(
            "https://accforecaste2devlake.dfs.core.windows.net", **signed_in(sandbox, persona)
        )
        list(service.get_file_system_client(system).get_paths())

    return probe


def write_files(system: str) -> Probe:
    def probe(sandbox: Sandbox, persona: str) -> None:
        service = DataLakeServiceClient(
            "https://accforecaste2devlake.dfs.core.windows.net", **signed_in(sandbox, persona)
        )
        service.get_file_system_client(system).get_file_client(persona).upload_data(b"x", overwrite=True)

    return probe


def read_secret(sandbox: Sandbox, persona: str) -> None:
    vault = SecretClient("https://accforecaste2devkv.vault.azure.net", **signed_in(sandbox, persona))
    vault.get_secret("release-password")


def arm(method: str, path: str, body: Any = None) -> Probe:
    """A request that is refused for want of a right, or not: whatever else is wrong with it comes later."""

    def probe(sandbox: Sandbox, persona: str) -> None:
        answer = Client(sandbox, persona).arm(method, f"resourceGroups/acc-forecast-eastus2-dev/{path}", body, api=API)
        if answer.status_code == 403:
            raise HttpResponseError(answer.text)

    return probe


API = "2025-12-01"
WORKSPACE = "providers/Microsoft.MachineLearningServices/workspaces/accforecaste2devws"
LAKE = "the lake of team forecast"
SALES, FEATURES = f"the file system sales of {LAKE}", f"the file system features of {LAKE}"
PROBES: Mapping[tuple[str, str], Probe] = {
    ("read", SALES): read_files("sales"),
    ("write", SALES): write_files("sales"),
    ("read", FEATURES): read_files("features"),
    ("write", FEATURES): write_files("features"),
    ("read", "the secret release-password of team forecast"): read_secret,
    ("see", "the workspace of team forecast"): arm("GET", f"{WORKSPACE}/jobs"),
    ("submit jobs in", "the workspace of team forecast"): arm("PUT", f"{WORKSPACE}/jobs/x", {}),
    ("make and size compute in", "the workspace of team forecast"): arm("PUT", f"{WORKSPACE}/computes/cpu", {}),
    ("read the keys of", "the workspace of team forecast"): arm("POST", f"{WORKSPACE}/listKeys"),
}


def measured(sandbox: Sandbox) -> frozenset[tuple[str, str, str]]:
    """What each person's clients can do."""
    able = set()
    for person, persona in PEOPLE.items():
        for (deed, target), probe in PROBES.items():
            try:
                probe(sandbox, persona)
            except HttpResponseError:
                continue
            able.add((person, deed, target))
    return frozenset(able)


def told(found: frozenset[Ability] | tuple[Ability, ...]) -> frozenset[tuple[str, str, str]]:
    """The abilities that the probes measure; with the lake means with each of its parts."""
    parts = {LAKE: (SALES, FEATURES)}
    return frozenset(
        (one.principal.name, one.deed, target)
        for one in found
        for target in parts.get(one.target, (one.target,))
        if one.principal.name in PEOPLE and (one.deed, target) in PROBES
    )


def edited(edit: Callable[[Any], Any], department: Any) -> Any:
    changed = copy.deepcopy(department)
    edit(changed["teams"][0])
    return changed


def restrict(team: Any) -> None:
    team["lake"]["restricted"] = [{"fileSystem": "sales", "readers": ["admin1@site.com"]}]


CASES: Mapping[str, Callable[[Any], Any]] = {
    "a data scientist joins": lambda team: team.update(dataScientists=["user1@site.com", "user2@site.com"]),
    "a file system is for one reader": restrict,
    "the data scientist leads": lambda team: team.update(leads=["user2@site.com"], dataScientists=["user1@site.com"]),
    "groups have the roles": lambda team: team.update(groups=True, dataScientists=["admin1@site.com"]),
    "the lead becomes an administrator who reads the secret": lambda team: (
        team.update(leads=["user1@site.com"], admins=["user2@site.com"], groups=False),
        team["automation"][0]["secret"].update(readers=["user2@site.com"]),
    ),
}


@dataclass
class Change:
    """A change that is previewed and then made."""

    stack: Stack

    def previewed(self, department: Any) -> tuple[Side, Side, AccessDifference]:
        log = self.stack.folder / "events"
        file = Path(self.stack.configure(department))
        before = self.stack.folder / "before.yaml"
        code, text = self.stack.run(
            "preview", "--json", "--show-sames", "--config-file", str(file), "--event-log", str(log)
        )
        assert code == 0, text
        preview = read_preview(text[text.index("{") :], log)
        old, new = read_plan(before) if before.exists() else None, read_plan(file)
        sides = preview.before(old), preview.after(new)
        before.write_text(file.read_text())
        found = compare(*sides, names=names(new.department, sides[1]), ends_after=ends(new.department))
        return *sides, found


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    sandbox = Sandbox(tmp_path_factory.mktemp("access") / ".sandbox")
    sandbox.start()
    try:
        yield Stack(sandbox, tmp_path_factory.mktemp("stack"), under_policy=False)
    finally:
        sandbox.stop()


def test_the_difference_of_five_changes_is_what_changes_for_real_clients(stack: Stack) -> None:
    change, department = Change(stack), BASE
    change.previewed(department)
    done = stack.up(department)
    assert done.code == 0, done.text
    able = measured(stack.sandbox)
    assert ("admin1@site.com", "read", SALES) in able
    assert not {one for one in able if one[0] == "user2@site.com"}
    for name, edit in CASES.items():
        department = edited(edit, department)
        before, after, found = change.previewed(department)
        done = stack.up(department)
        assert done.code == 0, done.text
        now = measured(stack.sandbox)
        reader = Reader((before, after), names(read_plan(stack.folder / "before.yaml").department, after))
        for side, real in ((before, able), (after, now)):
            read = reader.read(side, {})
            assert told(abilities(read, told_apart(read))) == real, name
        assert (told(found.abilities_gained), told(found.abilities_lost)) == (now - able, able - now), name
        assert now != able, name
        able = now


def resource(type_: str, name: str, inputs: Any, *, team: str = "forecast", **more: Any) -> Resource:
    urn = f"urn:pulumi:dev::p::{type_}::{name}"
    return Resource(urn, type_, name, inputs, more.pop("outputs", inputs), team, **more)


GROUP = resource("azure-native:resources:ResourceGroup", "forecast-group", {"resourceGroupName": "g"})
LAKE_ACCOUNT = resource(
    "azure-native:storage:StorageAccount", "forecast-lake", {"resourceGroupName": "g", "accountName": "l"}
)
CONTAINERS = [
    resource(
        "azure-native:storage:BlobContainer",
        f"forecast-{name}",
        {"resourceGroupName": "g", "accountName": "l", "containerName": name},
    )
    for name in ("sales", "features")
]
BLOB_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"


def assigned(person: str, role: str, **more: Any) -> Resource:
    """An assignment on a group that is not made yet."""
    inputs = {
        "principalId": f"id of {person}",
        "principalType": more.pop("kind", "User"),
        "roleDefinitionId": f"/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/{role}",
        "scope": Unknown(),
        **more.pop("inputs", {}),
    }
    sources = {"scope": (GROUP.urn,), **more.pop("sources", {})}
    name = f"forecast-{person}-{role}"
    return resource("azure-native:authorization:RoleAssignment", name, inputs, person=person, sources=sources, **more)


def test_a_new_team_is_told_before_anything_of_it_is_there() -> None:
    after = Side((GROUP, LAKE_ACCOUNT, *CONTAINERS, assigned("user2@site.com", BLOB_CONTRIBUTOR)))
    found = compare(Side(), after)
    assert found.sentences == ("user2@site.com can now read and write the lake of team forecast",)
    [grant] = found.grants_gained
    assert (grant.role, grant.scope, grant.team) == (
        "Storage Blob Data Contributor",
        "the resource group of team forecast",
        "forecast",
    )
    assert compare(after, Side()).sentences == (
        "user2@site.com can no longer read and write the lake of team forecast",
    )


def test_a_part_of_a_lake_is_named_where_a_condition_keeps_the_rest_away() -> None:
    condition = (
        "(@Resource[Microsoft.Storage/storageAccounts:name] StringNotEquals 'l' OR "
        "@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name] StringNotEquals 'sales')"
    )
    stack = (GROUP, LAKE_ACCOUNT, *CONTAINERS)
    free = Side((*stack, assigned("user2@site.com", BLOB_CONTRIBUTOR)))
    kept = Side((*stack, assigned("user2@site.com", BLOB_CONTRIBUTOR, inputs={"condition": condition})))
    found = compare(free, kept)
    assert found.abilities_gained == ()
    assert found.sentences == (f"user2@site.com can no longer read and write {SALES}",)
    unread = Side((*stack, assigned("user2@site.com", BLOB_CONTRIBUTOR, inputs={"condition": "@Principal[x] = 1"})))
    [sentence] = compare(Side(), unread).sentences
    assert "under a condition that this review does not read" in sentence


def on_container(person: str, container: Resource) -> Resource:
    """An assignment on one container, as those who have a role on their file system alone have it."""
    return assigned(person, BLOB_CONTRIBUTOR, sources={"scope": (container.urn,)})


def test_who_has_the_whole_group_gains_nothing_by_a_file_system_that_goes() -> None:
    sales, features = CONTAINERS
    lead, reader = assigned("user2@site.com", BLOB_CONTRIBUTOR), on_container("user1@site.com", sales)
    both, one = Side((GROUP, LAKE_ACCOUNT, sales, features, lead, reader)), Side((GROUP, LAKE_ACCOUNT, features, lead))
    gone = compare(both, one)
    assert gone.abilities_gained == ()
    assert {text.split(" can no longer ")[0] for text in gone.sentences} == {"user1@site.com", "user2@site.com"}
    assert all(SALES in text for text in gone.sentences)
    came = compare(one, both)
    assert came.abilities_lost == () and {one.target for one in came.abilities_gained} == {SALES}


def test_a_file_system_that_is_no_longer_made_but_used_can_still_be_reached() -> None:
    sales, features = CONTAINERS
    person = assigned(
        "user1@site.com",
        BLOB_CONTRIBUTOR,
        inputs={
            "scope": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/l"
            "/blobServices/default/containers/sales"
        },
    )
    found = compare(Side((GROUP, LAKE_ACCOUNT, sales, features, person)), Side((GROUP, LAKE_ACCOUNT, features, person)))
    assert "user1@site.com can now read and write the container sales of the storage account l" in found.sentences


def test_an_account_with_its_first_container_is_the_same_account() -> None:
    person = assigned("user2@site.com", BLOB_CONTRIBUTOR)
    empty, first = Side((GROUP, LAKE_ACCOUNT, person)), Side((GROUP, LAKE_ACCOUNT, CONTAINERS[0], person))
    shares = ("read the file shares of", "write the file shares of")
    for found in (compare(empty, first), compare(first, empty)):
        assert {one.deed for one in (*found.abilities_gained, *found.abilities_lost)} <= set(shares)


def test_a_lake_whose_file_system_gives_way_to_another_is_told_by_its_parts() -> None:
    person = assigned("user2@site.com", BLOB_CONTRIBUTOR)
    found = compare(*(Side((GROUP, LAKE_ACCOUNT, container, person)) for container in CONTAINERS))
    assert found.sentences == (
        f"user2@site.com can now read and write {FEATURES}",
        f"user2@site.com can no longer read and write {SALES}",
    )


def test_a_renamed_team_keeps_its_access() -> None:
    group = resource("azuread:index/group:Group", "forecast-lead", {"displayName": "forecast Lead", "members": ["u"]})
    members = assigned("user1@site.com", BLOB_CONTRIBUTOR, inputs={"principalId": Unknown()},
                       sources={"principalId": (group.urn,)})  # fmt: skip
    role = resource("azure-native:authorization:RoleDefinition", "forecast-role", {"roleName": "forecast role"})
    own = assigned("user2@site.com", "x", sources={"roleDefinitionId": (role.urn,)})
    before = Side((GROUP, LAKE_ACCOUNT, *CONTAINERS, group, members, role, own))
    after, renamed = _renamed(before)
    assert compare(before, after).grants_gained  # as if they were others
    assert teams(before, after, renamed) == {"forecast": "demand"}
    found = compare(as_after(before, after, renamed), after)
    assert found == AccessDifference(notes=found.notes)
    more = Side((*after.resources, replace(assigned("lead@site.com", BLOB_CONTRIBUTOR), team="demand")))
    gained = compare(as_after(before, more, renamed), more)
    assert [one.principal.name for one in gained.grants_gained] == ["lead@site.com"] and not gained.grants_lost


def _renamed(side: Side) -> tuple[Side, Mapping[str, str]]:
    """The same for a team that is called demand, and the new URN of each resource; on Azure, groups change names."""

    def new(text: str) -> str:
        return text.replace("forecast", "demand")

    resources = tuple(
        replace(
            one,
            urn=new(one.urn),
            name=new(one.name),
            team="demand",
            inputs={key: new(value) if isinstance(value, str) else value for key, value in one.inputs.items()},
            sources={key: tuple(map(new, urns)) for key, urns in one.sources.items()},
        )
        for one in side.resources
    )
    return Side(resources), {one.urn: new(one.urn) for one in side.resources}


def test_a_folder_that_is_kept_away_is_named() -> None:
    stack = (GROUP, LAKE_ACCOUNT, *CONTAINERS)
    free = Side((*stack, assigned("user2@site.com", BLOB_CONTRIBUTOR)))
    condition = outside_of_account("l", (), {"sales": ["hr/persons"]})
    kept = Side((*stack, assigned("user2@site.com", BLOB_CONTRIBUTOR, inputs={"condition": condition})))
    folder = f"the folder hr/persons of {SALES}"
    assert compare(free, kept).sentences == (f"user2@site.com can no longer read and write {folder}",)
    alone = assigned(
        "user2@site.com",
        BLOB_CONTRIBUTOR,
        inputs={"condition": inside(["hr"])},
        sources={"scope": (CONTAINERS[0].urn,)},
    )
    assert compare(Side(stack), Side((*stack, alone))).sentences == (
        f"user2@site.com can now read and write the folder hr of {SALES}",
    )


def test_a_group_stands_for_its_members_and_an_end_is_told() -> None:
    group = resource(
        "azuread:index/group:Group",
        "forecast-dataScientist",
        {"displayName": "acc forecast dev Data Scientist", "members": ["id of user2@site.com"]},
        outputs={"objectId": "g-1"},
    )
    by_group = assigned("user1@site.com", BLOB_CONTRIBUTOR, kind="Group", inputs={"principalId": "g-1"})
    after = Side((GROUP, LAKE_ACCOUNT, group, by_group))
    found = compare(
        Side(),
        after,
        names={"id of user2@site.com": "user2@site.com"},
        ends_after={("forecast", "user1@site.com"): date(2027, 1, 31)},
    )
    assert [(one.group, one.member.name) for one in found.members_gained] == [
        ("acc forecast dev Data Scientist", "user2@site.com")
    ]
    assert (
        "user2@site.com can now read and write the lake of team forecast, by the group acc forecast dev Data Scientist"
    ) in found.sentences
    assert [one.until for one in found.ending] == [date(2027, 1, 31)]


def test_access_that_ends_has_no_end_where_a_secret_is_read_without_one() -> None:
    last, readers = date(2099, 1, 31), ["user2@site.com"]
    ending = {"dataScientists": [{"user": "user2@site.com", "until": last}]}
    assert ends(parse_department(edited(lambda team: team.update(ending), BASE), "f")) == {
        ("forecast", "user2@site.com"): last
    }
    for key, more in (
        ("lake", {"fileSystems": ["sales"], "servicePrincipal": {"rotated": date.today(), "readers": readers}}),
        ("automation", [{"name": "nightly", "secret": {"rotated": date.today(), "readers": readers}}]),
    ):
        both = edited(lambda team, key=key, more=more: team.update(ending, **{key: more}), BASE)  # type: ignore[misc]
        assert ends(parse_department(both, "f")) == {}, key


def test_custom_roles_pipelines_and_secrets() -> None:
    def stack(actions: list[str], branch: str, end: str) -> Side:
        definition = resource(
            "azure-native:authorization:RoleDefinition",
            "forecast-dataScientist",
            {"roleName": "acc forecast dev Data Scientist", "permissions": [{"actions": actions}]},
        )
        application = resource("azuread:index/application:Application", "forecast-release", {"displayName": "release"})
        trust = resource(
            "azuread:index/applicationFederatedIdentityCredential:ApplicationFederatedIdentityCredential",
            "forecast-release-github",
            {"applicationId": Unknown(), "issuer": "https://github", "subject": f"repo:x:ref:refs/heads/{branch}"},
            sources={"applicationId": (application.urn,)},
        )
        password = resource(
            "azuread:index/servicePrincipalPassword:ServicePrincipalPassword",
            "forecast-release",
            {"servicePrincipalId": Unknown(), "endDate": end},
            sources={"servicePrincipalId": (application.urn,)},
        )
        return Side((GROUP, definition, application, trust, password))

    found = compare(stack(["a/read"], "main", "2027-01-01"), stack(["a/read", "a/write"], "next", "2027-07-01"))
    [role] = found.roles_changed
    assert (role.gained, role.lost) == (("a/write",), ())
    assert [(one.principal, one.subject[-4:]) for one in found.trusts_gained] == [("release", "next")]
    assert [one.subject[-4:] for one in found.trusts_lost] == ["main"]
    assert [one.expires for one in found.passwords_gained] == ["2027-07-01"]


def test_a_role_that_is_not_known_is_said() -> None:
    found = compare(Side(), Side((GROUP, assigned("user2@site.com", "0000"))))
    assert found.notes == ("user2@site.com has the role 0000; this review does not know what that allows.",)


ACCOUNT = "@Resource[Microsoft.Storage/storageAccounts:name]"


@pytest.mark.parametrize(
    ("condition", "container", "expected"),
    [
        (f"{ACCOUNT} StringEquals 'l'", "a", True),
        (f"NOT ({ACCOUNT} StringEquals 'l')", "a", False),
        (f"(!(ActionMatches{{'*/blobs/read'}}) OR {ACCOUNT} StringEquals 'x')", "", False),
        (f"(!(ActionMatches{{'*/blobs/write'}}) OR {ACCOUNT} StringEquals 'x')", "", True),
        (
            "@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name] StringEqualsIgnoreCase 'A' "
            "AND @Resource[Microsoft.Storage/storageAccounts:name] StringNotEquals 'm'",
            "a",
            True,
        ),
    ],
)
def test_conditions(condition: str, container: str, expected: bool) -> None:
    assert holds(condition, Request("x/blobs/read", "l", container)) is expected


@pytest.mark.parametrize("condition", ["(", "@Resource[x:y] StringEquals 'a'", "a AND", "()", "1 = 1"])
def test_a_condition_that_cannot_be_read_is_no_condition_that_holds(condition: str) -> None:
    with pytest.raises(UnreadConditionError):
        holds(condition, Request("x"))
