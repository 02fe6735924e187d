"""Who may do what: refusals first."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import jwt
import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.storage.blob import (
    AccountSasPermissions,
    BlobSasPermissions,
    BlobServiceClient,
    ContainerSasPermissions,
    ResourceTypes,
    Services,
    generate_account_sas,
    generate_blob_sas,
    generate_container_sas,
)
from azure.storage.filedatalake import DataLakeServiceClient, DirectorySasPermissions, generate_directory_sas

from sandbox.azure.storage import accounts, sas
from tests.azure.storage.harness import CONTRIBUTOR, OWNER, READER, Azure, Credential, account_id

NewName = Callable[[], str]
SOON = datetime.now(UTC) + timedelta(hours=1)
PAST = datetime.now(UTC) - timedelta(hours=1)


def client(azure: Azure, name: str, credential: Any) -> BlobServiceClient:
    return BlobServiceClient(f"https://{name}.blob.core.windows.net", credential=credential, **azure.transport)


def refused(action: Callable[[], Any]) -> str:
    with pytest.raises(HttpResponseError) as error:
        action()
    return str(error.value.response.headers["x-ms-error-code"])  # type: ignore[union-attr]


@pytest.fixture
def data(azure: Azure, new_name: NewName) -> tuple[str, str]:
    """An account with the container `data` and the blob `a/one` in it; and the account's key."""
    name = new_name()
    key = azure.account(name)
    container = client(azure, name, key).create_container("data")
    container.upload_blob("a/one", b"1")
    return name, key


def read(azure: Azure, name: str, credential: Any, blob: str = "a/one", container: str = "data") -> bytes:
    found = client(azure, name, credential).get_blob_client(container, blob).download_blob().readall()
    assert isinstance(found, bytes)
    return found


def write(azure: Azure, name: str, credential: Any, blob: str = "a/one", container: str = "data") -> None:
    client(azure, name, credential).get_blob_client(container, blob).upload_blob(b"2", overwrite=True)


# Anonymous callers and keys


def test_anonymous_callers_are_challenged(azure: Azure, data: tuple[str, str]) -> None:
    url = f"https://{data[0]}.blob.core.windows.net/data/a/one"
    answer = azure.http().get(url, headers={"x-ms-version": "2023-11-03"})
    assert (answer.status_code, answer.headers["x-ms-error-code"]) == (401, "NoAuthenticationInformation")
    tenant = azure.cloud.tokens.tenant_id
    assert answer.headers["WWW-Authenticate"] == (
        f"Bearer authorization_uri=https://login.microsoftonline.com/{tenant}/oauth2/authorize "
        "resource_id=https://storage.azure.com"
    )
    assert azure.http().get(url).headers["x-ms-error-code"] == "PublicAccessNotPermitted"
    assert azure.http().get(url + "?sig=c2ln").headers["x-ms-error-code"] == "AuthenticationFailed"


def test_a_public_container_is_read_by_anybody_where_the_account_allows_it(azure: Azure, new_name: NewName) -> None:
    name = new_name()
    service = client(azure, name, azure.account(name, allowBlobPublicAccess=True))
    service.create_container("open", public_access="blob").upload_blob("one", b"1")
    service.create_container("closed").upload_blob("one", b"1")
    base = f"https://{name}.blob.core.windows.net"
    assert azure.http().get(f"{base}/closed/one").status_code == 404
    assert azure.http().get(f"{base}/open?restype=container&comp=list").status_code == 404
    assert azure.http().put(f"{base}/open/one", data=b"2", headers={"x-ms-blob-type": "BlockBlob"}).status_code == 404
    assert azure.http().get(f"{base}/open/one").content == b"1"


def test_public_containers_need_the_account_s_permission(azure: Azure, data: tuple[str, str]) -> None:
    service = client(azure, *data)
    assert refused(lambda: service.create_container("open", public_access="blob")) == "PublicAccessNotPermitted"


def test_another_key_is_refused(azure: Azure, data: tuple[str, str], new_name: NewName) -> None:
    other = azure.account(new_name())
    with pytest.raises(ClientAuthenticationError, match="AuthenticationFailed"):
        read(azure, data[0], other)


def test_a_regenerated_key_is_refused_and_the_other_one_goes_on(azure: Azure, data: tuple[str, str]) -> None:
    name, old = data
    azure.do(accounts.regenerate_key, azure.cloud, name, 1)
    first, second = azure.do(accounts.keys, azure.cloud, name)
    assert refused(lambda: read(azure, name, old)) == "AuthenticationFailed"
    assert read(azure, name, first) == read(azure, name, second) == b"1"


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ("x-ms-meta-more", "1"),
        ("x-ms-date", "Mon, 01 Jan 2024 00:00:00 GMT"),
        ("Authorization", "SharedKey other:c2ln"),
        ("Authorization", "Basic c2ln"),
        ("Authorization", "SharedKey"),
    ],
)
def test_a_signed_request_must_not_be_altered(azure: Azure, data: tuple[str, str], change: str, value: str) -> None:
    def alter(request: Any) -> None:
        request.http_request.headers[change] = value

    blob = client(azure, *data).get_blob_client("data", "a/one")
    assert blob.get_blob_properties().size == 1
    altered = client(azure, *data).get_blob_client("data", "a/one")
    policy = altered._pipeline._impl_policies[-1]
    original = policy.send

    def send(request: Any) -> Any:
        alter(request)
        return original(request)

    policy.send = send  # type: ignore[method-assign]
    assert refused(altered.get_blob_properties) == "AuthenticationFailed"


def test_an_old_signature_is_refused(azure: Azure, data: tuple[str, str]) -> None:
    name, key = data
    url = f"https://{name}.blob.core.windows.net/data/a/one"
    for age, status in ((timedelta(minutes=20), 403), (timedelta(minutes=5), 200)):
        date = (datetime.now(UTC) - age).strftime("%a, %d %b %Y %H:%M:%S GMT")
        headers = {"x-ms-date": date, "x-ms-version": "2023-11-03"}
        signed = "GET" + "\n" * 12 + f"x-ms-date:{date}\nx-ms-version:2023-11-03\n/{name}/data/a/one"
        headers["Authorization"] = f"SharedKey {name}:{sas.sign(key, signed)}"
        assert azure.http().get(url, headers=headers).status_code == status


def test_metadata_s_names_are_signed_in_the_service_s_order(azure: Azure, data: tuple[str, str]) -> None:
    metadata = {"a1": "1", "a_b": "2", "ab": "3", "aB_c": "4", "b": "5", "A": "6"}
    blob = client(azure, *data).get_blob_client("data", "a/one")
    blob.set_blob_metadata(metadata)
    assert blob.get_blob_properties().metadata == metadata


def test_where_keys_are_off_neither_a_key_nor_what_it_signs_is_accepted(azure: Azure, new_name: NewName) -> None:
    name = new_name()
    key = azure.account(name, allowSharedKeyAccess=False)
    permission = AccountSasPermissions(read=True, list=True)
    token = generate_account_sas(name, key, ResourceTypes(container=True, object=True), permission, SOON)
    service = generate_container_sas(name, "data", key, permission=ContainerSasPermissions(read=True), expiry=SOON)
    for credential in (key, token, service):
        assert refused(partial(read, azure, name, credential)) == "KeyBasedAuthenticationNotPermitted"


# Tokens


def test_a_token_without_a_role_can_do_nothing(azure: Azure, data: tuple[str, str]) -> None:
    nobody = Credential(azure.cloud, "00000000-0000-0000-0000-000000000000")
    service = client(azure, data[0], nobody)
    for action in (
        lambda: read(azure, data[0], nobody),
        lambda: write(azure, data[0], nobody),
        lambda: service.create_container("more"),
        lambda: service.delete_container("data"),
        lambda: list(service.list_containers()),
        lambda: list(service.get_container_client("data").list_blobs()),
        lambda: service.get_user_delegation_key(datetime.now(UTC), SOON),
    ):
        assert refused(action) == "AuthorizationPermissionMismatch"


def test_a_reader_reads_and_lists_only(azure: Azure, data: tuple[str, str]) -> None:
    reader = azure.assign(READER, account_id(data[0]))
    service = client(azure, data[0], reader)
    for action in (
        lambda: write(azure, data[0], reader),
        lambda: write(azure, data[0], reader, "new"),
        lambda: service.get_blob_client("data", "a/one").delete_blob(),
        lambda: service.get_blob_client("data", "a/one").set_blob_metadata({"a": "b"}),
        lambda: service.get_blob_client("data", "a/one").set_http_headers(),
        lambda: service.get_blob_client("data", "b").create_append_blob(),
        lambda: service.create_container("more"),
    ):
        assert refused(action) == "AuthorizationPermissionMismatch"
    assert read(azure, data[0], reader) == b"1"
    assert [one.name for one in service.get_container_client("data").list_blobs()] == ["a/one"]
    assert [one.name for one in service.list_containers()] == ["data"]


def test_a_role_at_a_container_holds_there_alone(azure: Azure, data: tuple[str, str]) -> None:
    name, key = data
    client(azure, name, key).create_container("other").upload_blob("a/one", b"1")
    some = azure.assign(CONTRIBUTOR, f"{account_id(name)}/blobServices/default/containers/data")
    assert refused(lambda: read(azure, name, some, container="other")) == "AuthorizationPermissionMismatch"
    assert refused(lambda: write(azure, name, some, container="other")) == "AuthorizationPermissionMismatch"
    write(azure, name, some)
    assert read(azure, name, some) == b"2"


@pytest.mark.parametrize(
    "claims",
    [{"aud": "https://management.azure.com"}, {"exp": 1_500_000_000}, {"nbf": 2_500_000_000}],
    ids=["audience", "expired", "not yet valid"],
)
def test_a_token_must_be_for_storage_and_valid_now(azure: Azure, data: tuple[str, str], claims: dict[str, Any]) -> None:
    some = azure.assign(OWNER, account_id(data[0]))

    class Altered:
        def get_token(self, *_: str, **__: Any) -> Any:
            good = some.get_token("https://storage.azure.com/.default")
            body = {**jwt.decode(good.token, options={"verify_signature": False}), **claims}
            token = jwt.encode(body, azure.cloud.tokens._key, algorithm="RS256")
            return type(good)(token, good.expires_on)

    assert read(azure, data[0], some) == b"1"
    with pytest.raises(ClientAuthenticationError) as error:
        read(azure, data[0], Altered())
    headers = error.value.response.headers  # type: ignore[union-attr]
    assert headers["x-ms-error-code"] == "InvalidAuthenticationInfo"
    assert "authorization_uri" in headers["WWW-Authenticate"]


def test_a_token_needs_a_version_that_knows_tokens(azure: Azure, data: tuple[str, str]) -> None:
    some = azure.assign(OWNER, account_id(data[0]))
    token = some.get_token("https://storage.azure.com/.default").token
    url = f"https://{data[0]}.blob.core.windows.net/data/a/one"
    headers = {"Authorization": f"Bearer {token}"}
    assert azure.http().get(url, headers=headers).status_code == 403
    assert azure.http().get(url, headers={**headers, "x-ms-version": "2017-11-09"}).status_code == 200


def test_only_an_owner_of_data_or_of_the_file_sets_access(azure: Azure, new_name: NewName) -> None:
    name = new_name()
    key = azure.account(name, isHnsEnabled=True)
    endpoint = f"https://{name}.dfs.core.windows.net"
    DataLakeServiceClient(endpoint, credential=key, **azure.transport).create_file_system("fs1").create_file("theirs")
    contributor = azure.assign(CONTRIBUTOR, account_id(name))
    lake = DataLakeServiceClient(endpoint, credential=contributor, **azure.transport).get_file_system_client("fs1")
    theirs = lake.get_file_client("theirs")
    assert refused(lambda: theirs.set_access_control(permissions="0777")) == "AuthorizationPermissionMismatch"
    mine = lake.create_file("mine")
    mine.set_access_control(permissions="0777")
    assert mine.get_access_control()["permissions"] == "rwxrwxrwx"
    assert mine.get_access_control()["owner"] == contributor.object_id


# Shared access signatures


def account_sas(data: tuple[str, str], **changes: Any) -> str:
    given: dict[str, Any] = {
        "resource_types": ResourceTypes(service=True, container=True, object=True),
        "permission": AccountSasPermissions(read=True, list=True),
        "expiry": SOON,
        "services": Services(blob=True),
        **changes,
    }
    return generate_account_sas(data[0], data[1], **given)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"expiry": PAST}, "AuthenticationFailed"),
        ({"start": SOON, "expiry": SOON + timedelta(hours=1)}, "AuthenticationFailed"),
        ({"permission": AccountSasPermissions(write=True)}, "AuthorizationPermissionMismatch"),
        ({"resource_types": ResourceTypes(container=True)}, "AuthorizationResourceTypeMismatch"),
        ({"services": Services(queue=True)}, "AuthorizationServiceMismatch"),
        ({"ip": "10.0.0.1-10.0.0.9"}, "AuthorizationSourceIPMismatch"),
    ],
)
def test_an_account_sas_holds_for_what_it_says(
    azure: Azure, data: tuple[str, str], changes: dict[str, Any], code: str
) -> None:
    assert refused(lambda: read(azure, data[0], account_sas(data, **changes))) == code
    assert read(azure, data[0], account_sas(data, ip="127.0.0.1")) == b"1"


def test_an_account_sas_lists_containers(azure: Azure, data: tuple[str, str]) -> None:
    assert [one.name for one in client(azure, data[0], account_sas(data)).list_containers()] == ["data"]
    token = account_sas(data, permission=AccountSasPermissions(read=True))
    assert refused(lambda: list(client(azure, data[0], token).list_containers())) == "AuthorizationPermissionMismatch"


@pytest.mark.parametrize(
    ("old", "new"),
    [("sp=r", "sp=rw"), ("&sr=b", "&sr=c"), ("se=", "se=9"), ("&sig=", "&sig=A"), ("sr=b", "sr=x")],
)
def test_a_sas_must_not_be_altered(azure: Azure, data: tuple[str, str], old: str, new: str) -> None:
    permission = BlobSasPermissions(read=True)
    token = generate_blob_sas(data[0], "data", "a/one", account_key=data[1], permission=permission, expiry=SOON)
    assert read(azure, data[0], token) == b"1"
    assert old in token
    assert refused(lambda: read(azure, data[0], token.replace(old, new))) == "AuthenticationFailed"


def test_a_sas_for_a_blob_or_container_holds_there_alone(azure: Azure, data: tuple[str, str]) -> None:
    name, key = data
    client(azure, name, key).get_container_client("data").upload_blob("a/two", b"2")
    client(azure, name, key).create_container("other").upload_blob("a/one", b"1")
    for token in (
        generate_blob_sas(
            name, "data", "a/two", account_key=key, permission=BlobSasPermissions(read=True), expiry=SOON
        ),
        generate_container_sas(name, "other", key, permission=ContainerSasPermissions(read=True), expiry=SOON),
    ):
        assert refused(partial(read, azure, name, token)) == "AuthenticationFailed"


def test_a_sas_for_a_container_lists_reads_and_writes_but_manages_nothing(azure: Azure, data: tuple[str, str]) -> None:
    name, key = data
    permission = ContainerSasPermissions(read=True, list=True, write=True, delete=True)
    token = generate_container_sas(name, "data", key, permission=permission, expiry=SOON)
    container = client(azure, name, token).get_container_client("data")
    for action in (container.get_container_properties, container.delete_container, container.create_container):
        assert refused(action) == "AuthorizationPermissionMismatch"
    container.upload_blob("b", b"3")
    assert sorted(container.list_blob_names()) == ["a/one", "b"]
    container.delete_blob("b")


def test_creating_is_not_replacing(azure: Azure, data: tuple[str, str]) -> None:
    name, key = data
    permission = ContainerSasPermissions(create=True)
    token = generate_container_sas(name, "data", key, permission=permission, expiry=SOON)
    assert refused(lambda: write(azure, name, token)) == "AuthorizationPermissionMismatch"
    write(azure, name, token, "new")


def test_a_user_delegation_sas_can_do_what_its_delegator_may(azure: Azure, data: tuple[str, str]) -> None:
    name, _ = data
    reader = azure.assign(READER, account_id(name))
    key = client(azure, name, reader).get_user_delegation_key(datetime.now(UTC), SOON)
    permission = ContainerSasPermissions(read=True, write=True, list=True)
    token = generate_container_sas(name, "data", user_delegation_key=key, permission=permission, expiry=SOON)
    assert refused(lambda: write(azure, name, token)) == "AuthorizationPermissionMismatch"
    assert read(azure, name, token) == b"1"
    azure.assign(CONTRIBUTOR, account_id(name), reader.object_id)
    write(azure, name, token)


def test_a_user_delegation_sas_of_an_account_without_keys(azure: Azure, new_name: NewName) -> None:
    name = new_name()
    azure.account(name, allowSharedKeyAccess=False)
    some = azure.assign(CONTRIBUTOR, account_id(name))
    container = client(azure, name, some).create_container("data")
    container.upload_blob("a/one", b"1")
    key = client(azure, name, some).get_user_delegation_key(datetime.now(UTC), SOON)
    permission = BlobSasPermissions(read=True)
    good = generate_blob_sas(name, "data", "a/one", user_delegation_key=key, permission=permission, expiry=SOON)
    key.value = "c2VjcmV0"
    forged = generate_blob_sas(name, "data", "a/one", user_delegation_key=key, permission=permission, expiry=SOON)
    assert refused(lambda: read(azure, name, forged)) == "AuthenticationFailed"
    assert read(azure, name, good) == b"1"


def test_a_user_delegation_sas_bound_to_a_user_needs_that_user_s_token(azure: Azure, data: tuple[str, str]) -> None:
    name, _ = data
    delegator, user = azure.assign(READER, account_id(name)), Credential(azure.cloud, "the-user")
    key = client(azure, name, delegator).get_user_delegation_key(datetime.now(UTC), SOON)
    token = generate_blob_sas(
        name,
        "data",
        "a/one",
        user_delegation_key=key,
        permission=BlobSasPermissions(read=True),
        expiry=SOON,
        user_delegation_oid="the-user",
    )
    url = f"https://{name}.blob.core.windows.net/data/a/one?{token}"
    bearer = {
        one.object_id: {"Authorization": f"Bearer {one.get_token('https://storage.azure.com').token}"}
        for one in (user, delegator)
    }
    version = {"x-ms-version": "2026-02-06"}
    assert azure.http().get(url, headers=version).status_code == 401
    assert azure.http().get(url, headers={**version, **bearer[delegator.object_id]}).status_code == 403
    assert azure.http().get(url, headers={**version, **bearer["the-user"]}).content == b"1"


@pytest.mark.parametrize(
    ("start", "end"),
    [(timedelta(0), timedelta(days=8)), (timedelta(hours=2), timedelta(hours=1)), (-timedelta(2), -timedelta(1))],
)
def test_a_user_delegation_key_lives_for_seven_days_at_most(
    azure: Azure, data: tuple[str, str], start: timedelta, end: timedelta
) -> None:
    some = client(azure, data[0], azure.assign(READER, account_id(data[0])))
    now = datetime.now(UTC)
    assert refused(lambda: some.get_user_delegation_key(now + start, now + end)) == "OutOfRangeInput"


def test_a_key_cannot_ask_for_a_user_delegation_key(azure: Azure, data: tuple[str, str]) -> None:
    assert (
        refused(lambda: client(azure, *data).get_user_delegation_key(datetime.now(UTC), SOON)) == "AuthenticationFailed"
    )


def test_a_sas_for_a_directory_holds_below_it(azure: Azure, new_name: NewName) -> None:
    name = new_name()
    key = azure.account(name, isHnsEnabled=True)
    endpoint = f"https://{name}.dfs.core.windows.net"
    files = DataLakeServiceClient(endpoint, credential=key, **azure.transport).create_file_system("fs1")
    for path in ("a/b/one", "a/two"):
        files.get_file_client(path).upload_data(b"1", overwrite=True)
    permission = DirectorySasPermissions(read=True, list=True)
    token = generate_directory_sas(name, "fs1", "a/b", key, permission=permission, expiry=SOON)
    limited = DataLakeServiceClient(endpoint, credential=token, **azure.transport).get_file_system_client("fs1")
    assert refused(lambda: limited.get_file_client("a/two").download_file()) == "AuthenticationFailed"
    assert refused(lambda: list(limited.get_paths("a"))) == "AuthenticationFailed"
    assert limited.get_file_client("a/b/one").download_file().readall() == b"1"
    assert [one.name for one in limited.get_paths("a/b")] == ["a/b/one"]


@pytest.mark.parametrize(("version", "lines"), [("2018-03-28", 13), ("2018-11-09", 15), ("2020-12-06", 16)])
def test_older_versions_sign_fewer_fields(azure: Azure, data: tuple[str, str], version: str, lines: int) -> None:
    """Source: learn.microsoft.com/rest/api/storageservices/create-service-sas, the string-to-sign by version."""
    name, key = data
    fields = {"sv": version, "sr": "c", "sp": "r", "se": SOON.strftime(sas.FORMAT)}
    text = sas.service_text(fields, f"/blob/{name}/data", {}, {})
    assert len(text.split("\n")) == lines
    token = "&".join(f"{field}={value}" for field, value in fields.items()) + "&sig=" + sas.sign(key, text)
    assert read(azure, name, token.replace("+", "%2B").replace("/", "%2F")) == b"1"


def test_signatures_made_for_others_are_accepted(azure: Azure, data: tuple[str, str]) -> None:
    name, _ = data
    reader = azure.assign(READER, account_id(name))
    by_user = azure.do(
        sas.make_user_delegation_sas,
        azure.cloud,
        name,
        "data",
        delegator=reader.object_id,
        permissions="rcwl",
        expires=SOON,
    )
    assert refused(lambda: write(azure, name, by_user, "new")) == "AuthorizationPermissionMismatch"
    assert read(azure, name, by_user) == b"1"


# Networks


@pytest.mark.parametrize(
    "properties",
    [
        {"publicNetworkAccess": "Disabled"},
        {"networkAcls": {"defaultAction": "Deny"}},
        {"networkAcls": {"defaultAction": "Deny", "ipRules": [{"value": "20.1.2.0/24", "action": "Allow"}]}},
    ],
)
def test_an_account_closed_to_the_public_refuses_even_its_key(
    azure: Azure, new_name: NewName, properties: dict[str, Any]
) -> None:
    name = new_name()
    key = azure.account(name, **properties)
    assert refused(lambda: client(azure, name, key).create_container("data")) == "AuthorizationFailure"


def test_an_allowed_address_gets_in(azure: Azure, new_name: NewName) -> None:
    name = new_name()
    key = azure.account(name, networkAcls={"defaultAction": "Deny", "ipRules": [{"value": "127.0.0.0/30"}]})
    client(azure, name, key).create_container("data")


def test_unknown_accounts_and_services_are_refused_clearly(azure: Azure, data: tuple[str, str]) -> None:
    absent = azure.http().get("https://absent.blob.core.windows.net/data/a")
    assert (absent.status_code, "'absent' does not exist" in absent.text) == (404, True)
    for service in ("file", "queue", "table"):
        answer = azure.http().get(f"https://{data[0]}.{service}.core.windows.net/")
        assert (answer.status_code, f"not {service}" in answer.text) == (501, True)


def test_keys_are_not_in_the_store_in_clear(azure: Azure, data: tuple[str, str]) -> None:
    files = list(azure.cloud.directory.glob("azure.db*"))
    assert files
    assert not any(data[1].encode() in file.read_bytes() for file in files)
    assert (azure.cloud.directory / "seal.key").stat().st_mode & 0o777 == 0o600
