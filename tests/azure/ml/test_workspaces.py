"""Workspaces in the resource manager: what is refused, what comes late, what is there from the start."""

import pytest
import requests

from tests.azure.client import Client, error, unique, user_id
from tests.azure.ml import harness
from tests.azure.ml.harness import ML_API, Needs, Team, account, outcome


@pytest.fixture(scope="module")
def needs(azure: Client) -> Needs:
    return harness.dependencies(azure)


def make(azure: Client, needs: Needs, body: object, name: str | None = None) -> requests.Response:
    return azure.arm("PUT", needs.workspace_id(name or unique("ws")), body, api=ML_API)


@pytest.mark.parametrize("missing", ["storageAccount", "keyVault"])
def test_needs_storage_and_vault(azure: Client, needs: Needs, missing: str) -> None:
    refused = make(azure, needs, needs.body(**{missing: None}))
    assert error(refused) == (400, "ValidationError")
    assert refused.json()["error"]["message"].startswith("Missing dependent resources in workspace json")
    assert refused.json()["error"]["target"] == f"properties.{missing}"


def test_refuses_a_dependency_that_is_not_there(azure: Client, needs: Needs) -> None:
    refused = make(azure, needs, needs.body(keyVault=needs.ids["keyVault"] + "x"))
    assert error(refused) == (400, "ValidationError")


def test_refuses_a_dependency_of_another_type(azure: Client, needs: Needs) -> None:
    refused = make(azure, needs, needs.body(keyVault=needs.ids["storageAccount"]))
    assert error(refused) == (400, "ValidationError")


def test_dependencies_must_be_readable(azure: Client, lead: Client, needs: Needs) -> None:
    name = unique("ws")
    role = azure.arm(
        "PUT",
        f"{needs.group}/providers/Microsoft.Authorization/roleDefinitions/{'11111111-2222-4333-8444-' + name[2:14]}",
        {
            "properties": {
                "roleName": name,
                "assignableScopes": [needs.group],
                "permissions": [
                    {
                        "actions": [
                            "Microsoft.MachineLearningServices/workspaces/*",
                            "Microsoft.MachineLearningServices/workspaces/write",
                            "Microsoft.ManagedIdentity/*",
                        ]
                    }
                ],
            }
        },
        api="2022-05-01-preview",
    )
    assert role.status_code == 201, role.text
    azure.assign(needs.group, user_id("admin1@site.com"), role.json()["name"], principalType="User")
    refused = lead.arm("PUT", needs.workspace_id(name), needs.body(), api=ML_API)
    assert error(refused) == (403, "LinkedAuthorizationFailed")
    assert "Microsoft.Storage/storageAccounts/read" in refused.json()["error"]["message"]


def test_a_bad_name_is_refused(azure: Client, needs: Needs) -> None:
    assert error(make(azure, needs, needs.body(), "x" * 34)) == (400, "ValidationError")


@pytest.mark.parametrize("kind", ["Hub", "Project", "FeatureStore"])
def test_other_kinds_are_refused(azure: Client, needs: Needs, kind: str) -> None:
    assert error(make(azure, needs, {**needs.body(), "kind": kind})) == (400, "ValidationError")


def test_hierarchical_storage_fails_late(azure: Client, needs: Needs) -> None:
    name = unique("ws")
    accepted = make(azure, needs, needs.body(storageAccount=needs.lake["id"]), name)
    assert accepted.status_code == 202
    ended = outcome(azure, accepted)
    assert (ended["status"], ended["error"]["message"]) == ("Failed", "Cannot use storage with HNS enabled.")
    left = azure.arm("GET", needs.workspace_id(name), api=ML_API).json()
    assert left["properties"]["provisioningState"] == "Failed"


def test_an_identity_without_its_roles_fails_late_naming_the_role(azure: Client) -> None:
    needs = harness.dependencies(azure, roles=False)
    name = unique("ws")
    ended = outcome(azure, make(azure, needs, needs.body(), name))
    assert ended["status"] == "Failed"
    assert "Contributor" in ended["error"]["message"] and needs.ids["storageAccount"] in ended["error"]["message"]
    harness.give_roles(azure, needs)
    again = make(azure, needs, needs.body(), name)
    assert again.status_code in (200, 202), again.text
    assert azure.arm("GET", f"{needs.workspace_id(name)}/datastores", api=ML_API).json()["value"]


def test_shows_its_addresses_and_identity(team: Team) -> None:
    shown = team.azure.arm("GET", team.id, api=ML_API).json()
    properties = shown["properties"]
    assert properties["discoveryUrl"] == "https://eastus2.api.azureml.ms/discovery"
    assert properties["mlFlowTrackingUri"] == f"azureml://eastus2.api.azureml.ms/mlflow/v1.0{team.id}"
    users = shown["identity"]["userAssignedIdentities"]
    assert users[team.needs.identity["id"]]["principalId"] == team.needs.identity["properties"]["principalId"]


def test_has_datastores_and_containers_from_the_start(team: Team) -> None:
    stores = {one["name"]: one["properties"] for one in team.arm("GET", "/datastores").json()["value"]}
    assert {"workspaceblobstore", "workspaceartifactstore", "workspacefilestore", "workspaceworkingdirectory"} <= set(
        stores
    )
    unique_id = team.workspace["properties"]["workspaceId"]
    assert stores["workspaceblobstore"]["containerName"] == f"azureml-blobstore-{unique_id}"
    assert stores["workspaceblobstore"]["credentials"] == {"credentialsType": "None"}
    containers = team.azure.arm(
        "GET", f"{team.needs.ids['storageAccount']}/blobServices/default/containers", api="2024-01-01"
    ).json()["value"]
    assert {"azureml", f"azureml-blobstore-{unique_id}"} <= {one["name"] for one in containers}


def test_a_system_identity_gets_its_role_from_the_service(azure: Client) -> None:
    needs = harness.dependencies(azure, roles=False)
    body = {**needs.body(primaryUserAssignedIdentity=None), "identity": {"type": "SystemAssigned"}}
    made = harness.put(azure, needs.workspace_id(unique("ws")), body)
    principal = made["identity"]["principalId"]
    assigned = azure.arm(
        "GET",
        f"{needs.group}/providers/Microsoft.Authorization/roleAssignments",
        api="2022-04-01",
    ).json()["value"]
    assert any(one["properties"]["principalId"] == principal for one in assigned)
    for scope, role in (
        (needs.group, "b78c5d69-af96-48a3-bf8d-a8b4d589de94"),
        (needs.ids["storageAccount"], "ba92f5b4-2d11-453d-a403-e96b0029c9fe"),
        (needs.ids["storageAccount"], "69566ab7-960f-475b-8e7c-b3118f30c6bd"),
        (needs.ids["keyVault"], "00482a5a-887f-4fb3-b363-3b7fe8e74483"),
    ):
        again = azure.assign(scope, principal, role, principalType="ServicePrincipal")
        assert error(again) == (409, "RoleAssignmentExists")


def test_a_system_identity_stays(azure: Client) -> None:
    needs = harness.dependencies(azure)
    system = {**needs.body(primaryUserAssignedIdentity=None), "identity": {"type": "SystemAssigned"}}
    made, other = (needs.workspace_id(unique("ws")) for _ in range(2))
    harness.put(azure, made, system)
    refused = azure.arm("PUT", made, needs.body(), api=ML_API)
    assert error(refused) == (400, "BadRequest")
    both = {**needs.body(), "identity": {**needs.body()["identity"], "type": "SystemAssigned,UserAssigned"}}
    assert azure.arm("PUT", made, both, api=ML_API).status_code == 200
    harness.put(azure, other, needs.body())
    assert error(azure.arm("PUT", other, system, api=ML_API)) == (400, "BadRequest")


@pytest.fixture(scope="module")
def workspace(azure: Client, needs: Needs) -> str:
    return str(harness.put(azure, needs.workspace_id(unique("ws")), needs.body())["id"])


class TestUpdates:
    def test_storage_cannot_change(self, azure: Client, needs: Needs, workspace: str) -> None:
        other = account(azure, needs.group)["id"]
        refused = azure.arm("PUT", workspace, needs.body(storageAccount=other), api=ML_API)
        assert error(refused) == (400, "BadRequest")
        assert refused.json()["error"]["message"] == "Storage Account update is not supported yet"

    def test_the_vault_cannot_change(self, azure: Client, needs: Needs, workspace: str) -> None:
        refused = azure.arm("PUT", workspace, needs.body(keyVault=needs.ids["keyVault"] + "2"), api=ML_API)
        assert error(refused) == (400, "BadRequest")

    def test_other_properties_can_and_the_id_stays(self, azure: Client, needs: Needs, workspace: str) -> None:
        before = azure.arm("GET", workspace, api=ML_API).json()
        changed = azure.arm("PUT", workspace, needs.body(friendlyName="other"), api=ML_API)
        assert changed.status_code == 200, changed.text
        after = azure.arm("GET", workspace, api=ML_API).json()
        assert after["properties"]["friendlyName"] == "other"
        assert after["properties"]["workspaceId"] == before["properties"]["workspaceId"]

    def test_a_patch_keeps_the_rest(self, azure: Client, workspace: str) -> None:
        azure.arm("PATCH", workspace, {"tags": {"a": "b"}, "properties": {"description": "d"}}, api=ML_API)
        after = azure.arm("GET", workspace, api=ML_API).json()
        assert (after["tags"], after["properties"]["description"]) == ({"a": "b"}, "d")
        assert after["properties"]["storageAccount"]


class TestSoftDelete:
    def test_the_name_is_taken_until_it_is_purged(self, azure: Client, needs: Needs) -> None:
        name = unique("ws")
        workspace = needs.workspace_id(name)
        harness.put(azure, workspace, needs.body())
        assert azure.arm("DELETE", workspace, api=ML_API).status_code == 202
        refused = make(azure, needs, needs.body(), name)
        assert error(refused) == (400, "BadRequest")
        assert refused.json()["error"]["message"].startswith(
            "Soft-deleted workspace exists. Please purge or recover it."
        )
        purged = azure.send(
            "DELETE",
            f"https://management.azure.com{workspace}",
            params={"api-version": ML_API, "forceToPurge": "true"},
        )
        assert purged.status_code == 202
        assert make(azure, needs, needs.body(), name).status_code == 202

    def test_force_to_purge_leaves_nothing(self, azure: Client, needs: Needs) -> None:
        name = unique("ws")
        harness.put(azure, needs.workspace_id(name), needs.body())
        azure.send(
            "DELETE",
            f"https://management.azure.com{needs.workspace_id(name)}",
            params={"api-version": ML_API, "forceToPurge": "true"},
        )
        assert make(azure, needs, needs.body(), name).status_code == 202
