"""Who deploys needs the rights of docs/deploy.md: with just these a stack comes up and goes, with any one less not."""

import copy
import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox import pulumi
from sandbox.environment import persona_environment
from tests.azure.client import CONTRIBUTOR, Client
from tests.conftest import ROOT, SUBSCRIPTION, Sandbox
from tests.program.stack import Done, Stack

PAGE = (ROOT / "docs" / "deploy.md").read_text()
ROLE = json.loads(PAGE[PAGE.index("```json\n") + 8 : PAGE.index("\n```", PAGE.index("```json\n"))])
ACTIONS: list[str] = ROLE["permissions"][0]["actions"]
WRITES = [action for action in ACTIONS if action.endswith("/write")]
PERMISSIONS = {
    "User.Read.All": "df021288-bdef-4463-88db-98f22de89214",
    "Group.Read.All": "5b567255-7703-4780-807c-7be8301ae99b",
    "Group.ReadWrite.All": "62a82d76-70ea-41e2-9197-370581804d09",
    "Application.ReadWrite.All": "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9",
}
REFUSED = re.compile(
    r"AuthorizationFailed|Authorization_RequestDenied|does not have authorization|Insufficient privileges"
)
SMALL: dict[str, Any] = {
    "code": "dep",
    "environment": "dev",
    "region": "eastus2",
    "regionAbbreviation": "e2",
    "subscriptionId": SUBSCRIPTION,
    "admin": "user@domain.com",
    "teams": [
        {"name": "one", "leads": ["admin1@site.com"], "dataScientists": [{"group": "bluegranit-data-scientists"}]}
    ],
}
FULL: dict[str, Any] = {
    **SMALL,
    "protect": True,
    "azurePolicy": "audit",
    "teams": [
        {
            "name": "one",
            "groups": True,
            "leads": ["admin1@site.com"],
            "automation": [{"name": "release", "github": {"repository": "contoso/one", "branch": "main"}}],
        }
    ],
}


class Deployer:
    """An application with rights of its own, as which a stack is deployed."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.azure = Client(sandbox)
        self.id, own = self.azure.application()
        known = {name.upper(): value for name, value in own.credentials.items()}
        self.variables = {f"{prefix}_{name}": value for prefix in ("ARM", "AZURE") for name, value in known.items()}
        self.role = str(uuid.uuid4())

    def contributes(self) -> None:
        answer = self.azure.assign(
            f"/subscriptions/{SUBSCRIPTION}", self.id, CONTRIBUTOR, principalType="ServicePrincipal"
        )
        assert answer.status_code == 201, answer.text

    def may(self, *actions: str) -> None:
        """Gives it the custom role with these actions; with others, if it has it."""
        scope = f"/subscriptions/{SUBSCRIPTION}"
        path = f"{scope}/providers/Microsoft.Authorization/roleDefinitions/{self.role}"
        body = {**copy.deepcopy(ROLE), "assignableScopes": [scope], "permissions": [{"actions": list(actions)}]}
        answer = self.azure.arm("PUT", path, {"properties": {**body, "type": "CustomRole"}}, api="2022-04-01")
        assert answer.status_code == 201, answer.text
        self.azure.assign(scope, self.id, self.role, name=self.role, principalType="ServicePrincipal")

    def permitted(self, *permissions: str) -> None:
        graph = self.azure.graph("GET", "/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')").json()["id"]
        for name in permissions:
            body = {"principalId": self.id, "resourceId": graph, "appRoleId": PERMISSIONS[name]}
            answer = self.azure.graph("POST", f"/servicePrincipals/{self.id}/appRoleAssignments", body)
            assert answer.status_code == 201, answer.text


@pytest.fixture
def deployer(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployer]:
    made = Deployer(sandbox)
    owners = persona_environment
    monkeypatch.setattr(pulumi, "persona_environment", lambda *known: {**owners(*known), **made.variables})
    yield made


def refused(done: Done) -> None:
    assert done.code != 0
    assert REFUSED.search(done.text), done.text[-2000:]


def test_an_application_without_permissions_reads_nothing_of_the_directory(
    deployer: Deployer, sandbox: Sandbox, tmp_path: Path
) -> None:
    deployer.contributes()
    deployer.may(*ACTIONS)
    assert Stack(sandbox, tmp_path, under_policy=False).preview(SMALL).code != 0
    deployer.permitted("User.Read.All", "Group.Read.All")
    previewed = Stack(sandbox, tmp_path, under_policy=False).preview(SMALL)
    assert previewed.code == 0, previewed.text


@pytest.mark.soak
def test_with_just_these_rights_a_stack_comes_up_and_goes(deployer: Deployer, sandbox: Sandbox, tmp_path: Path) -> None:
    deployer.contributes()
    deployer.may(*ACTIONS)
    deployer.permitted("User.Read.All", "Group.ReadWrite.All", "Application.ReadWrite.All")
    stack = Stack(sandbox, tmp_path, under_policy=False)
    done = stack.up(FULL)
    assert done.code == 0, done.text
    open_ = {**FULL, "protect": False}
    without(deployer, "locks/delete")
    refused(stack.up(open_))
    deployer.may(*ACTIONS)
    done = stack.up(open_)
    assert done.code == 0, done.text
    for action in (
        "roleAssignments/delete",
        "roleDefinitions/delete",
        "policyAssignments/delete",
        "policyDefinitions/delete",
    ):
        without(deployer, action)
        refused(stack.destroy(open_))
    deployer.may(*ACTIONS)
    done = stack.destroy(open_)
    assert done.code == 0, done.text


def without(deployer: Deployer, end: str) -> None:
    deployer.may(*(action for action in ACTIONS if not action.endswith(end)))


@pytest.mark.soak
@pytest.mark.parametrize(
    "missing", [*WRITES, "Contributor", "User.Read.All", "Group.ReadWrite.All", "Application.ReadWrite.All"]
)
def test_with_any_one_less_it_is_refused(deployer: Deployer, sandbox: Sandbox, tmp_path: Path, missing: str) -> None:
    if missing != "Contributor":
        deployer.contributes()
    deployer.may(*(action for action in ACTIONS if action != missing))
    names = ("User.Read.All", "Group.ReadWrite.All", "Application.ReadWrite.All")
    deployer.permitted(*(name for name in names if name != missing))
    refused(Stack(sandbox, tmp_path, under_policy=False).up(FULL))


@pytest.mark.soak
@pytest.mark.parametrize("missing", ["User.Read.All", "Group.Read.All"])
def test_a_stack_without_groups_and_automation_only_reads_the_directory(
    deployer: Deployer, sandbox: Sandbox, tmp_path: Path, missing: str
) -> None:
    deployer.contributes()
    deployer.may(*ACTIONS)
    deployer.permitted(*({"User.Read.All", "Group.Read.All"} - {missing}))
    stack = Stack(sandbox, tmp_path, under_policy=False)
    assert stack.up(SMALL).code != 0
    deployer.permitted(missing)
    done = stack.up(SMALL)
    assert done.code == 0, done.text
