"""Datastores in the resource manager."""

from typing import Any

import pytest

from tests.azure.client import Client, error, unique
from tests.azure.ml.harness import Team

BLOB: dict[str, Any] = {"datastoreType": "AzureBlob", "accountName": "someaccount", "containerName": "c"}


def body(credentials: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"properties": {**BLOB, "credentials": credentials, **more}}


@pytest.mark.parametrize(
    ("sent", "target"),
    [
        ({**body({"credentialsType": "None"}, accountName="")}, "properties.accountName"),
        ({**body({"credentialsType": "None"}, containerName=None)}, "properties.containerName"),
        ({**body({"credentialsType": "AccountKey"})}, "properties.credentials.secrets.key"),
        ({**body({"credentialsType": "Sas", "secrets": {}})}, "properties.credentials.secrets.sasToken"),
        (
            {**body({"credentialsType": "ServicePrincipal", "clientId": "x", "secrets": {"clientSecret": "s"}})},
            "properties.credentials.tenantId",
        ),
        ({**body({"credentialsType": "Kerberos"})}, "properties.credentials.credentialsType"),
        ({**body({"credentialsType": "None"}, datastoreType="AzureDataLakeGen1")}, "properties.datastoreType"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_lacks_something_is_refused(team: Team, sent: dict[str, Any], target: str) -> None:
    refused = team.arm("PUT", f"/datastores/{unique('d')}", sent)
    assert refused.status_code == 400
    assert refused.json()["error"]["target"] == target


def test_a_bad_name_is_refused(team: Team) -> None:
    assert error(team.arm("PUT", "/datastores/-x", body({"credentialsType": "None"}))) == (400, "ValidationError")


@pytest.mark.parametrize(
    ("credentials", "secrets"),
    [
        (
            {"credentialsType": "AccountKey", "secrets": {"secretsType": "AccountKey", "key": "MARKED-KEY"}},
            {"key": "MARKED-KEY"},
        ),
        (
            {"credentialsType": "Sas", "secrets": {"secretsType": "Sas", "sasToken": "MARKED-SAS"}},
            {"sasToken": "MARKED-SAS"},
        ),
        (
            {
                "credentialsType": "ServicePrincipal",
                "clientId": "c",
                "tenantId": "t",
                "secrets": {"secretsType": "ServicePrincipal", "clientSecret": "MARKED-SECRET"},
            },
            {"clientSecret": "MARKED-SECRET"},
        ),
    ],
    ids=["key", "sas", "service principal"],
)
def test_secrets_go_in_and_come_out_by_their_own_action(
    team: Team, credentials: dict[str, Any], secrets: dict[str, str]
) -> None:
    name = unique("d")
    made = team.arm("PUT", f"/datastores/{name}", body(credentials))
    assert made.status_code == 201 and "MARKED" not in made.text
    assert "MARKED" not in team.arm("GET", f"/datastores/{name}").text
    listed = team.arm("POST", f"/datastores/{name}/listSecrets").json()
    assert listed == {"secretsType": credentials["credentialsType"], **secrets}
    # the store has it sealed: nothing in the sandbox's folder shows it
    folder = team.azure.sandbox.directory
    assert not any(b"MARKED" in path.read_bytes() for path in folder.glob("azure.db*"))


def test_an_update_without_the_secret_keeps_it(team: Team) -> None:
    name = unique("d")
    team.arm("PUT", f"/datastores/{name}", body({"credentialsType": "AccountKey", "secrets": {"key": "a"}}))
    team.arm("PUT", f"/datastores/{name}", body({"credentialsType": "AccountKey"}, description="d"))
    assert team.arm("POST", f"/datastores/{name}/listSecrets").json()["key"] == "a"
    assert team.arm("GET", f"/datastores/{name}").json()["properties"]["description"] == "d"


def test_one_by_identity_has_no_secrets(team: Team) -> None:
    assert error(team.arm("POST", "/datastores/workspaceblobstore/listSecrets")) == (400, "UserError")


def test_the_keyed_workspace_gives_the_accounts_key(keyed_team: Team) -> None:
    key = keyed_team.arm("POST", "/datastores/workspaceblobstore/listSecrets").json()["key"]
    account = keyed_team.needs.ids["storageAccount"]
    keys = keyed_team.azure.arm("POST", f"{account}/listKeys", api="2024-01-01").json()["keys"]
    assert key == keys[0]["value"]


def test_reading_secrets_is_a_right_of_its_own(team: Team, scientist: Client) -> None:
    """The built-in data scientist has `workspaces/*/action`, and so this one; a reader has not."""
    path = f"{team.id}/datastores/workspaceblobstore/listSecrets"
    assert error(scientist.arm("POST", path, api="2025-12-01")) == (400, "UserError")
    lead = Client(team.azure.sandbox, "lead")
    assert error(lead.arm("POST", path, api="2025-12-01")) == (403, "AuthorizationFailed")


def test_the_default_one_is_found(team: Team) -> None:
    found = team.arm("GET", "/datastores", isDefault="true").json()["value"]
    assert [one["name"] for one in found] == ["workspaceblobstore"]
    found = team.arm("GET", "/datastores", searchText="FILESTORE").json()["value"]
    assert [one["name"] for one in found] == ["workspacefilestore"]


def test_a_deleted_one_is_gone_with_its_secret(team: Team) -> None:
    name = unique("d")
    team.arm("PUT", f"/datastores/{name}", body({"credentialsType": "AccountKey", "secrets": {"key": "a"}}))
    assert team.arm("DELETE", f"/datastores/{name}").status_code == 200
    assert team.arm("GET", f"/datastores/{name}").status_code == 404
    refused = team.arm("PUT", f"/datastores/{name}", body({"credentialsType": "AccountKey"}))
    assert refused.status_code == 400
