"""Secrets, as azure-keyvault-secrets drives them: refusals first."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.keyvault.secrets import SecretClient

from sandbox.azure.keyvault import secrets
from tests.azure.storage.harness import Azure, Credential

ADMINISTRATOR = "00482a5a-887f-4fb3-b363-3b7fe8e74483"  # Key Vault Administrator
OFFICER = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"  # Key Vault Secrets Officer
USER = "4633458b-17de-408a-b874-0445c86b69e6"  # Key Vault Secrets User
MARK = "a-value-that-must-not-lie-about-5d1f"
NewName = Callable[[], str]
Bare = Callable[[str, str, Any], requests.Response]


def client(azure: Azure, vault: str, credential: Any) -> SecretClient:
    return SecretClient(f"https://{vault}.vault.azure.net", credential, **azure.transport)


@pytest.fixture
def vault(azure: Azure, new_name: NewName) -> SecretClient:
    """An administrator's client of a new vault."""
    name = new_name()
    return client(azure, name, azure.assign(ADMINISTRATOR, azure.vault(name)))


@pytest.fixture
def bare(azure: Azure, new_name: NewName) -> Bare:
    """An administrator's plain requests to a new vault: verb, path and body."""
    name = new_name()
    token = azure.assign(ADMINISTRATOR, azure.vault(name)).get_token("https://vault.azure.net/.default").token

    def ask(method: str, path: str, body: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return azure.http().request(method, f"https://{name}.vault.azure.net/{path}", json=body, headers=headers)

    return ask


def refused(action: Callable[[], Any]) -> tuple[int, str, str]:
    """Status, code and inner code."""
    with pytest.raises(HttpResponseError) as error:
        action()
    found = error.value.error
    assert found is not None
    inner = (found.innererror or {}).get("code", "")
    return error.value.status_code or 0, str(found.code), str(inner)


# Refusals


def test_the_first_answer_is_a_challenge(azure: Azure, vault: SecretClient) -> None:
    answer = azure.http().get(f"{vault.vault_url}/secrets/a?api-version=7.5")
    tenant = azure.cloud.tokens.tenant_id
    expected = f'Bearer authorization="https://login.microsoftonline.com/{tenant}", resource="https://vault.azure.net"'
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, expected)
    assert answer.json()["error"]["code"] == "Unauthorized"


def test_a_token_must_be_for_vaults(azure: Azure, vault: SecretClient) -> None:
    class ForAnother(Credential):
        def get_token(self, *_: str, **__: Any) -> Any:
            return super().get_token("https://management.azure.com/.default")

    with pytest.raises(ClientAuthenticationError, match="Unauthorized"):
        client(azure, vault.vault_url.split("//")[1].split(".")[0], ForAnother(azure.cloud, "x")).get_secret("a")


def test_roles_decide_by_operation_and_secret(azure: Azure, new_name: NewName) -> None:
    name = new_name()
    scope = azure.vault(name)
    client(azure, name, azure.assign(OFFICER, scope)).set_secret("a", "1")
    nobody, user = Credential(azure.cloud, "nobody"), azure.assign(USER, f"{scope}/secrets/a")
    forbidden = (403, "Forbidden", "ForbiddenByRbac")
    with pytest.raises(HttpResponseError, match="getSecret/action") as error:
        client(azure, name, nobody).get_secret("a")
    assert "oid=nobody" in str(error.value)
    for action in (
        lambda: client(azure, name, nobody).set_secret("a", "2"),
        lambda: list(client(azure, name, nobody).list_properties_of_secrets()),
        lambda: client(azure, name, user).set_secret("a", "2"),
        lambda: client(azure, name, user).get_secret("b"),
        lambda: client(azure, name, user).begin_delete_secret("a"),
        lambda: list(client(azure, name, user).list_properties_of_secrets()),
    ):
        assert refused(action) == forbidden
    assert client(azure, name, user).get_secret("a").value == "1"


def test_access_policies_decide_where_roles_do_not(azure: Azure, new_name: NewName) -> None:
    name = new_name()
    policy = {"tenantId": azure.cloud.tokens.tenant_id, "objectId": "me", "permissions": {"secrets": ["Get", "set"]}}
    scope = azure.vault(name, enableRbacAuthorization=False, accessPolicies=[policy])
    administrator = azure.assign(ADMINISTRATOR, scope)
    assert refused(lambda: client(azure, name, administrator).get_secret("a")) == (403, "Forbidden", "AccessDenied")
    mine = client(azure, name, Credential(azure.cloud, "me"))
    assert mine.set_secret("a", "1").value == mine.get_secret("a").value == "1"
    assert refused(lambda: list(mine.list_properties_of_secrets())) == (403, "Forbidden", "AccessDenied")


@pytest.mark.parametrize(
    ("properties", "inner"),
    [
        ({"publicNetworkAccess": "Disabled"}, "ForbiddenByConnection"),
        ({"networkAcls": {"defaultAction": "Deny", "ipRules": [{"value": "20.1.2.3"}]}}, "ForbiddenByFirewall"),
    ],
)
def test_a_vault_closed_to_the_public(azure: Azure, new_name: NewName, properties: dict[str, Any], inner: str) -> None:
    name = new_name()
    administrator = azure.assign(ADMINISTRATOR, azure.vault(name, **properties))
    assert refused(lambda: client(azure, name, administrator).get_secret("a")) == (403, "Forbidden", inner)


def test_an_absent_vault(azure: Azure) -> None:
    answer = azure.http().get("https://absent.vault.azure.net/secrets/a?api-version=7.5")
    assert (answer.status_code, "'absent' does not exist" in answer.text) == (404, True)


@pytest.mark.parametrize("call", ["get_secret", "update_secret_properties", "begin_delete_secret", "get_deleted_secret",
                                  "begin_recover_deleted_secret", "purge_deleted_secret"])  # fmt: skip
def test_an_absent_secret(vault: SecretClient, call: str) -> None:
    with pytest.raises(ResourceNotFoundError, match="SecretNotFound"):
        getattr(vault, call)("absent")


def test_an_absent_version(vault: SecretClient) -> None:
    vault.set_secret("a", "1")
    with pytest.raises(ResourceNotFoundError, match="SecretNotFound"):
        vault.get_secret("a", "0" * 32)


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("PUT", "secrets/a_b", {"value": "1"}, (400, "BadParameter")),
        ("PUT", "secrets/" + "a" * 128, {"value": "1"}, (400, "BadParameter")),
        ("PUT", "secrets/a", {}, (400, "BadParameter")),
        ("PUT", "secrets/a", {"value": 1}, (400, "BadParameter")),
        ("PUT", "secrets/a", {"value": "x" * 25601}, (400, "BadParameter")),
        ("PUT", "secrets/a", {"value": "x" * 70000}, (413, "RequestEntityTooLarge")),
        ("PUT", "secrets/a", {"value": "1", "tags": ["a"]}, (400, "BadParameter")),
        ("PUT", "secrets/a", {"value": "1", "attributes": {"exp": "soon"}}, (400, "BadParameter")),
        ("PUT", "secrets/a", [], (400, "BadParameter")),
        ("GET", "secrets?maxresults=0", None, (400, "BadParameter")),
        ("GET", "secrets?maxresults=many", None, (400, "BadParameter")),
        ("GET", "keys/a", None, (501, "NotImplemented")),
        ("POST", "secrets/a/backup", None, (501, "NotImplemented")),
    ],
)
def test_malformed_requests(bare: Bare, method: str, path: str, body: Any, expected: tuple[int, str]) -> None:
    answer = bare(method, f"{path}{'&' if '?' in path else '?'}api-version=7.5", body)
    assert (answer.status_code, answer.json()["error"]["code"]) == expected


def test_the_api_version_is_required(bare: Bare) -> None:
    for query in ("", "?api-version=new"):
        assert bare("GET", f"secrets{query}", None).status_code == 400
    assert bare("GET", "secrets?api-version=7.5", None).json() == {"value": [], "nextLink": None}


# Secrets


def test_versions(vault: SecretClient) -> None:
    first = vault.set_secret("Name", "1", content_type="text/plain", tags={"a": "b"})
    second = vault.set_secret("name", "2")
    assert (vault.get_secret("NAME").value, vault.get_secret("name", first.properties.version).value) == ("2", "1")
    assert first.properties.version != second.properties.version
    assert {one.version for one in vault.list_properties_of_secret_versions("name")} == {
        first.properties.version,
        second.properties.version,
    }
    (listed,) = vault.list_properties_of_secrets()
    assert (listed.name, listed.content_type) == ("Name", None)
    old = vault.get_secret("name", first.properties.version).properties
    assert (old.content_type, old.tags) == ("text/plain", {"a": "b"})
    assert old.recovery_level == "Recoverable+Purgeable"


def test_properties_change_without_a_new_version(vault: SecretClient) -> None:
    made = vault.set_secret("a", "1", tags={"a": "b"})
    expires = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    vault.update_secret_properties("a", made.properties.version, content_type="text/csv", expires_on=expires)
    found = vault.get_secret("a")
    assert (found.properties.version, found.value) == (made.properties.version, "1")
    assert (found.properties.content_type, found.properties.expires_on) == ("text/csv", expires)
    assert found.properties.tags == {"a": "b"}
    vault.update_secret_properties("a", enabled=False, tags={})
    assert refused(lambda: vault.get_secret("a")) == (403, "Forbidden", "SecretDisabled")
    (listed,) = vault.list_properties_of_secrets()
    assert (listed.enabled, listed.tags) == (False, {})


def test_lists_come_in_pages(vault: SecretClient) -> None:
    for number in range(30):
        vault.set_secret(f"s{number:02}", "1")
    assert [one.name for one in vault.list_properties_of_secrets()] == [f"s{number:02}" for number in range(30)]
    pages = [len(list(page)) for page in vault.list_properties_of_secrets(max_page_size=12).by_page()]
    assert pages == [12, 12, 6]


def test_a_deleted_secret_is_recovered_or_purged(vault: SecretClient) -> None:
    vault.set_secret("a", "1")
    vault.set_secret("a", "2")
    deleted = vault.begin_delete_secret("a").result()
    assert deleted.scheduled_purge_date is not None
    assert deleted.deleted_date is not None
    assert deleted.scheduled_purge_date - deleted.deleted_date == timedelta(days=90)
    with pytest.raises(ResourceNotFoundError, match="SecretNotFound"):
        vault.get_secret("a")
    with pytest.raises(ResourceExistsError, match="deleted but recoverable") as error:
        vault.set_secret("a", "3")
    assert (error.value.error.innererror or {}).get("code") == "ObjectIsDeletedButRecoverable"  # type: ignore[union-attr]
    assert [one.name for one in vault.list_deleted_secrets()] == ["a"]
    assert list(vault.list_properties_of_secrets()) == []
    vault.begin_recover_deleted_secret("a").result()
    assert vault.get_secret("a").value == "2"
    assert len(list(vault.list_properties_of_secret_versions("a"))) == 2
    vault.begin_delete_secret("a").result()
    vault.purge_deleted_secret("a")
    assert list(vault.list_deleted_secrets()) == []
    vault.set_secret("a", "new")
    assert len(list(vault.list_properties_of_secret_versions("a"))) == 1


def test_a_protected_vault_purges_nothing(azure: Azure, new_name: NewName) -> None:
    name = new_name()
    scope = azure.vault(name, enablePurgeProtection=True, softDeleteRetentionInDays=7)
    vault = client(azure, name, azure.assign(ADMINISTRATOR, scope))
    assert vault.set_secret("a", "1").properties.recovery_level == "CustomizedRecoverable"
    vault.begin_delete_secret("a").result()
    with pytest.raises(HttpResponseError, match="purge protection is enabled"):
        vault.purge_deleted_secret("a")
    assert vault.get_deleted_secret("a").name == "a"


def test_a_deleted_secret_goes_when_its_time_is_over(azure: Azure, vault: SecretClient) -> None:
    vault.set_secret("a", "1")
    vault.begin_delete_secret("a").result()
    key = f"{vault.vault_url.split('//')[1].split('.')[0]}/a"
    document = azure.do(azure.cloud.store.get, "secret", key)
    assert document is not None
    document["deleted"]["purge"] = 1
    azure.do(azure.cloud.store.put, "secret", key, document)
    assert list(vault.list_deleted_secrets()) == []
    assert vault.set_secret("a", "2").value == "2"


def test_values_are_not_in_the_store_in_clear(azure: Azure, vault: SecretClient) -> None:
    vault.set_secret("a", MARK)
    assert vault.get_secret("a").value == MARK
    files = list(azure.cloud.directory.rglob("*"))
    assert any(file.name == "azure.db" for file in files)
    assert not any(MARK.encode() in file.read_bytes() for file in files if file.is_file())


def test_a_purged_vault_s_secrets_are_gone(azure: Azure, new_name: NewName) -> None:
    name, other = new_name(), new_name()
    for one in (name, other):
        client(azure, one, azure.assign(ADMINISTRATOR, azure.vault(one))).set_secret("a", "1")
    azure.do(secrets.delete_vault, azure.cloud, name)
    kept = azure.do(lambda: {key.split("/")[0] for key, _ in azure.cloud.store.items("secretVersion")})
    assert name not in kept
    assert other in kept
