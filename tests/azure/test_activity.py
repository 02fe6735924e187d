"""What the control socket tells of clients' requests: who, by which right, without secrets, and bounded."""

import asyncio
import base64
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
import requests
from azure.core.exceptions import HttpResponseError
from azure.identity import DefaultAzureCredential
from azure.keyvault.secrets import SecretClient
from azure.storage.blob import BlobServiceClient, ContainerSasPermissions, generate_container_sas

from sandbox.ask import ask
from sandbox.azure.activity import Recorder, masking
from sandbox.azure.activity.recorder import MOST_BYTES, MOST_RECORDS
from sandbox.control import SandboxError
from tests.azure.activity import activity, asked
from tests.azure.client import ARM, LOGIN, READER, Client, unique, user_id
from tests.azure.ml.harness import BLOB_CONTRIBUTOR, SCIENTIST, VAULT_ADMINISTRATOR, account, grant, put
from tests.conftest import Sandbox

BLOB_WRITE = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write"


@pytest.fixture(scope="module")
def store(azure: Client) -> dict[str, Any]:
    """A storage account with keys, which the owner may use."""
    made = account(azure, azure.group(), keys=True)
    grant(azure, made["id"], user_id("user@domain.com"), BLOB_CONTRIBUTOR, "User")
    return made


@pytest.fixture
def bodies(shared_sandbox: Sandbox) -> Iterator[None]:
    """Bodies are kept during the test."""
    ask(shared_sandbox.directory, "POST", "/activity/bodies", {"on": True})
    yield
    ask(shared_sandbox.directory, "POST", "/activity/bodies", {"on": False})


def new_vault(azure: Client) -> str:
    """A vault's id."""
    vault = f"{azure.group()}/providers/Microsoft.KeyVault/vaults/{unique('kv')}"
    sku = {"family": "A", "name": "standard"}
    properties = {"tenantId": azure.tenant, "sku": sku, "enableRbacAuthorization": True}
    put(azure, vault, {"location": "eastus2", "properties": properties})
    return vault


def last(sandbox: Sandbox, **query: Any) -> dict[str, Any]:
    """The last request that the filters leave."""
    found = asked(sandbox, **query)
    assert found, query
    return found[-1]


def test_a_request_names_its_caller_its_right_and_the_assignment_that_gave_it(
    shared_sandbox: Sandbox, azure: Client, scientist: Client
) -> None:
    group = azure.group()
    assignment = azure.assign(group, SCIENTIST, READER).json()["id"]
    assert scientist.arm("GET", group).status_code == 200
    told = last(shared_sandbox, text=group, who="user2@site.com")
    assert (told["method"], told["host"], told["path"], told["query"]) == (
        "GET",
        "management.azure.com",
        group,
        "api-version=2024-03-01",
    )
    assert (told["outcome"], told["status"], told["missing"]) == ("allowed", 200, None)
    assert told["who"]["credential"] == "token"
    assert told["action"] == "Microsoft.Resources/subscriptions/resourceGroups/read"
    assert told["assignment"] == {"id": assignment, "role": "Reader", "scope": group, "principal": "user2@site.com"}
    assert told["milliseconds"] > 0
    assert told["client"].startswith("python-requests/")


def test_a_right_by_a_group_names_the_group(shared_sandbox: Sandbox, azure: Client, scientist: Client) -> None:
    group = azure.group()
    azure.assign(group, user_id("bluegranit-data-scientists"), READER)
    assert scientist.arm("GET", group).status_code == 200
    assert last(shared_sandbox, text=group, who="user2")["assignment"]["principal"] == "bluegranit-data-scientists"


def test_a_refused_request_names_the_missing_right_and_the_roles_that_have_it(
    shared_sandbox: Sandbox, azure: Client, scientist: Client
) -> None:
    group = azure.group()
    job = f"{group}/providers/Microsoft.MachineLearningServices/workspaces/w/jobs/{unique('job')}"
    assert scientist.arm("PUT", job, {"properties": {}}, api="2025-12-01").status_code == 403
    told = last(shared_sandbox, text=job, outcome="refused")
    assert (told["status"], told["code"], told["assignment"]) == (403, "AuthorizationFailed", None)
    assert told["missing"]["actions"] == ["Microsoft.MachineLearningServices/workspaces/jobs/write"]
    assert told["missing"]["scope"] == job
    assert told["missing"]["roles"][0] == "AzureML Data Scientist"
    assert told["missing"]["roles"].index("Contributor") < told["missing"]["roles"].index("Owner")


def test_what_a_service_refuses_by_itself_names_the_right_too(
    shared_sandbox: Sandbox, azure: Client, store: dict[str, Any], as_persona: Callable[[str], None]
) -> None:
    vault = new_vault(azure)
    as_persona("scientist")
    with DefaultAzureCredential() as credential:
        blobs = BlobServiceClient(store["properties"]["primaryEndpoints"]["blob"], credential)
        with pytest.raises(HttpResponseError):
            blobs.get_blob_client("data", "x").upload_blob(b"x")
        with pytest.raises(HttpResponseError):
            SecretClient(f"https://{vault.rsplit('/', 1)[1]}.vault.azure.net", credential).set_secret("a", "b")
    told = last(shared_sandbox, host=store["name"], outcome="refused")
    assert (told["missing"]["data"], told["missing"]["actions"][0]) == (True, BLOB_WRITE)
    assert told["missing"]["roles"][0] == "Storage Blob Data Contributor"
    assert told["client"].startswith("azsdk-python-storage-blob/")
    told = last(shared_sandbox, host=vault.rsplit("/", 1)[1], outcome="refused", status=403)
    assert told["missing"]["actions"] == ["Microsoft.KeyVault/vaults/secrets/setSecret/action"]
    assert "Key Vault Secrets Officer" in told["missing"]["roles"]


def test_what_is_shown_in_place_of_a_token_is_named(
    shared_sandbox: Sandbox, azure: Client, store: dict[str, Any], owner: None
) -> None:
    endpoint = store["properties"]["primaryEndpoints"]["blob"]
    key = azure.arm("POST", f"{store['id']}/listKeys", api="2024-01-01").json()["keys"][0]["value"]
    container = unique("c")
    BlobServiceClient(endpoint, key).create_container(container)
    assert last(shared_sandbox, host=store["name"])["who"]["credential"] == "account key"
    sas = generate_container_sas(
        store["name"],
        container,
        account_key=key,
        permission=ContainerSasPermissions(list=True),
        expiry=datetime.now(UTC) + timedelta(hours=1),
    )
    list(BlobServiceClient(endpoint, sas).get_container_client(container).list_blobs())
    told = last(shared_sandbox, host=store["name"])
    assert told["who"]["credential"] == "shared access signature"
    assert "comp=list" in told["query"]
    assert f"sig={masking.MASK}" in told["query"]
    with DefaultAzureCredential() as credential:
        now = datetime.now(UTC)
        BlobServiceClient(endpoint, credential).get_user_delegation_key(now, now + timedelta(hours=1))
    assert last(shared_sandbox, host=store["name"], text="generateUserDelegationKey")["outcome"] == "allowed"
    assert azure.session.get(f"{endpoint}{container}/x").status_code in (401, 404, 409)
    assert last(shared_sandbox, host=store["name"])["who"] == {
        "name": "",
        "objectId": "",
        "clientId": "",
        "credential": "",
    }
    azure.sign_in()
    told = last(shared_sandbox, host="login.microsoftonline.com", who="user@domain.com")
    assert told["who"]["credential"] == "client secret"


def test_a_host_that_is_not_emulated_is_told(shared_sandbox: Sandbox, azure: Client) -> None:
    host = f"{unique('h')}.example.org"
    with pytest.raises(requests.exceptions.ProxyError):
        azure.session.get(f"https://{host}/")
    assert last(shared_sandbox, host=host)["code"] == "HostNotEmulated"


def secrets_everywhere(azure: Client, store: dict[str, Any], secret: str) -> list[str]:
    """Sends a secret in every place of requests; gives what the services answered that is secret, too."""
    jwt = f"eyJhbGciOiJSUzI1NiJ9.eyJvaWQi{secret}.{secret}"
    azure.send("GET", f"{ARM}/subscriptions?api-version=2022-12-01&sig={secret}&code={secret}&unknown={secret}")
    azure.send("GET", f"{ARM}/subscriptions/{jwt}?api-version=2022-12-01&{secret}")
    azure.send("GET", f"{ARM}/subscriptions/x%3Fsv%3D1%26sig%3D{secret}?api-version=2022-12-01")
    azure.send("GET", f"{ARM}/subscriptions/{quote('https://u:' + secret + '@host/', safe='')}?api-version=2022-12-01")
    headers = {
        "User-Agent": f"me Bearer {secret}",
        "Cookie": f"a={secret}",
        "x-ms-copy-source": f"https://h/?sig={secret}",
    }
    azure.send("GET", f"{ARM}/subscriptions?api-version=2022-12-01", headers=headers)
    for scheme in ("Bearer", "Basic", "SharedKey"):
        azure.session.get(
            f"{ARM}/subscriptions?api-version=2022-12-01", headers={"Authorization": f"{scheme} {secret}"}
        )
    azure.session.get(
        f"{store['properties']['primaryEndpoints']['blob']}c/b?sv=2024-08-04&sig={secret}&se=2030-01-01&sr=b"
    )
    deep: dict[str, Any] = {"accountKey": secret}
    for _ in range(60):
        deep = {"a": [deep]}
    azure.arm("PUT", f"resourceGroups/{unique('rg')}", {
        "location": "nowhere",
        "properties": {
            "password": secret, "clientSecret": {"value": secret}, "keys": [{"value": secret}], "sasUri": secret,
            "environmentVariables": {"ANY": secret}, "parameters": [{"name": "DB_PASSWORD", "value": secret}],
            "tags": [{"key": "api_key", "value": secret}], "connection": f"AccountName=a;AccountKey={secret};X=1",
            "address": f"https://a.blob.core.windows.net/c?sv=1&sig={secret}", "command": f"curl -H 'Bearer {secret}'",
            "nested": f'{{"sig": "https://h/?sig={secret}"}}', "git": f"https://me:{secret}@host/repo", "deep": deep,
            "pem": f"-----BEGIN PRIVATE KEY-----\n{secret}\n-----END PRIVATE KEY-----", "token_of": jwt,
        },
    })  # fmt: skip
    azure.session.post(
        f"{ARM}/subscriptions/x?api-version=2022-12-01",
        data=f'{{"password": "{secret}"',
        headers={"Authorization": f"Bearer {azure.token()}", "Content-Type": "application/json"},
    )
    azure.session.post(
        f"{LOGIN}/{azure.tenant}/oauth2/v2.0/token",
        data={
            "grant_type": "client_credentials",
            "scope": f"{ARM}/.default",
            "client_id": azure.credentials["client_id"],
            "client_secret": secret,
            "client_assertion": secret,
            secret + "=": secret,
        },
    )
    azure.session.post(f"{LOGIN}/{azure.tenant}/oauth2/token", data={"password": secret}, auth=("user", secret))
    application = azure.graph("POST", "/applications", {"displayName": unique("app")}).json()
    made = azure.graph("POST", f"/applications/{application['id']}/addPassword", {}).json()
    keys = azure.arm("POST", f"{store['id']}/listKeys", api="2024-01-01").json()["keys"]
    signed = azure.sign_in().json()["access_token"]
    return [made["secretText"], *(key["value"] for key in keys), signed, signed.rpartition(".")[2]]


@pytest.mark.usefixtures("bodies")
def test_no_secret_is_shown_wherever_it_stands(
    shared_sandbox: Sandbox, azure: Client, store: dict[str, Any], owner: None
) -> None:
    secret = unique("hushhush")
    before = activity(shared_sandbox)["last"]
    vault = new_vault(azure)
    grant(azure, vault, user_id("user@domain.com"), VAULT_ADMINISTRATOR, "User")
    with DefaultAzureCredential() as credential:
        client = SecretClient(f"https://{vault.rsplit('/', 1)[1]}.vault.azure.net", credential)
        client.set_secret("a", secret)
        assert client.get_secret("a").value == secret
    name = vault.rpartition("/")[2]
    headers = {"Host": f"{name}.example", "Authorization": f"Bearer {azure.token('https://vault.azure.net')}"}
    spoofed = azure.session.get(f"https://{name}.vault.azure.net/secrets/a?api-version=7.5", headers=headers)
    assert spoofed.json()["value"] == secret  # the vault goes by the header, and so could a look at its host
    with DefaultAzureCredential() as credential:
        blobs = BlobServiceClient(store["properties"]["primaryEndpoints"]["blob"], credential)
        blobs.create_container(container := unique("c"))
        blobs.get_blob_client(container, "x.json").upload_blob(f'{{"note": "{secret}"}}')
    answered = secrets_everywhere(azure, store, secret)
    told = ask(shared_sandbox.directory, "GET", f"/activity?since={before}&limit=1000")
    text = repr(told)
    coded = [secret, quote(secret), base64.b64encode(secret.encode()).decode(), *answered]
    assert [text[max(0, at - 200) : at + 50] for one in coded if (at := text.find(one)) >= 0] == []
    shown = " ".join(one["requestBody"] for one in told["requests"])
    assert "'location': 'eastus2'" in shown.replace('"', "'")
    assert f"client_secret={masking.MASK}" in shown
    assert "grant_type=client_credentials" in shown


def test_the_studios_polls_push_nothing_out() -> None:
    recorder = Recorder()
    app = recorder.around(_answer)

    async def flood() -> None:
        for number, client in enumerate([b"me", *[b"sandbox-studio"] * (MOST_RECORDS + 10)]):
            headers = [(b"user-agent", client)]
            await app(
                {"type": "http", "method": "GET", "headers": headers, "query_string": b"", "path": f"/{number}"},
                _receive,
                _send,
            )

    asyncio.run(flood())
    assert recorder.records()[0].client == "me"
    assert recorder.dropped == 10


def test_an_error_code_is_a_code_and_no_other_text() -> None:
    recorder = Recorder()

    async def refuse(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 424, "headers": []})
        await send({"type": "http.response.body", "body": scope["path"].encode()})

    async def ask(answer: str) -> str:
        scope = {"type": "http", "method": "GET", "headers": [], "query_string": b"", "path": answer, "raw_path": b"/"}
        await recorder.around(refuse)(scope, _receive, _send)
        return recorder.records()[-1].code

    for answer, code in (
        ('{"error": {"code": "NotFound"}}', "NotFound"),
        ('{"error": "invalid_client"}', "invalid_client"),
        ('{"error": "the password hushhush is wrong"}', ""),
        ('{"error": {"code": ["x"]}}', ""),
        ("[" * 5000, ""),
        ("[]", ""),
    ):
        assert asyncio.run(ask(answer)) == code


def test_bodies_are_kept_only_while_that_is_on(shared_sandbox: Sandbox, azure: Client) -> None:
    name = unique("rg")
    azure.arm("PUT", f"resourceGroups/{name}", {"location": "eastus2"})
    assert last(shared_sandbox, text=name)["requestBody"] == ""
    assert ask(shared_sandbox.directory, "POST", "/activity/bodies", {"on": True}) == {"bodies": True}
    azure.arm("PUT", f"resourceGroups/{name}", {"location": "eastus2", "tags": {"a": "<script>"}})
    told = last(shared_sandbox, text=name)
    assert told["requestBody"] == '{"location": "eastus2", "tags": {"a": "<script>"}}'
    assert '"provisioningState": "Succeeded"' in told["responseBody"]
    ask(shared_sandbox.directory, "POST", "/activity/bodies", {"on": False})
    azure.arm("GET", f"resourceGroups/{name}")
    assert last(shared_sandbox, text=name)["responseBody"] == ""


def test_whoever_goes_on_from_a_number_misses_nothing(shared_sandbox: Sandbox, azure: Client) -> None:
    name = unique("n")
    since = activity(shared_sandbox)["last"]
    for number in range(7):
        azure.arm("GET", f"resourceGroups/{name}{number}")
    seen: list[str] = []
    while page := activity(shared_sandbox, since=since, limit=3, text=name):
        if not page["requests"]:
            break
        assert len(page["requests"]) <= 3
        assert page["last"] > since
        seen += [one["path"].rpartition("/")[2] for one in page["requests"]]
        since = page["last"]
    assert seen == [f"{name}{number}" for number in range(7)]


def test_a_principal_sees_its_own_requests_and_those_about_what_it_may_read(
    shared_sandbox: Sandbox, azure: Client, scientist: Client
) -> None:
    seen, unseen = azure.group(), azure.group()
    azure.assign(seen, SCIENTIST, READER)
    own = f"resourceGroups/{unique('own')}"
    scientist.arm("GET", own)
    paths = {one["path"] for one in asked(shared_sandbox, principal=SCIENTIST)}
    assert seen in paths
    assert any(path.endswith(own) for path in paths)
    assert unseen not in paths
    assert unseen in {one["path"] for one in asked(shared_sandbox)}


@pytest.mark.parametrize(
    "query",
    ["since=-1", "since=x", "since=" + "9" * 30, "limit=1001", "limit=%F0%9D%9F%98", "colour=red", "outcome=good"],
)
def test_questions_that_are_refused(shared_sandbox: Sandbox, query: str) -> None:
    with pytest.raises(SandboxError, match=query.partition("=")[0]):
        ask(shared_sandbox.directory, "GET", f"/activity?{query}")
    with pytest.raises(SandboxError, match="'on'"):
        ask(shared_sandbox.directory, "POST", "/activity/bodies", {"on": "yes"})


def test_nothing_of_it_comes_by_the_port(shared_sandbox: Sandbox, azure: Client) -> None:
    port = azure.session.proxies["https"].rpartition(":")[2]
    for path in ("activity", "nodes", "queue", "clock/timers"):
        assert azure.session.get(f"http://127.0.0.1:{port}/{path}").status_code == 404


async def _answer(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    status = 403 if scope["path"] == "/refused" else 200
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"a": "' + b"x" * 5000 + b'"}'})


async def _receive() -> dict[str, Any]:
    return {"type": "http.request", "body": b'{"a": "' + b"y" * 60000 + b'"}'}


async def _send(message: Any) -> None:
    del message


@pytest.mark.parametrize(
    ("count", "length", "bodies"), [(MOST_RECORDS + 500, 10, False), (2000, 60000, False), (500, 10, True)]
)
def test_a_flood_takes_bounded_memory_and_leaves_refusals(count: int, length: int, bodies: bool) -> None:
    recorder = Recorder()
    recorder.bodies = bodies
    app = recorder.around(_answer)
    long = [(name, b"h" * length) for name in (b"host", b"user-agent")]
    common = {"type": "http", "method": "GET", "headers": [*long, (b"content-type", b"application/json")]}

    async def ask(path: str) -> None:
        await app(
            {**common, "path": path, "raw_path": path.encode(), "query_string": b"prefix=" + b"q" * length},
            _receive,
            _send,
        )

    async def flood() -> None:
        await ask("/refused")
        for number in range(count):
            await ask(f"/{number:06}/" + "p" * length)

    asyncio.run(flood())
    kept = recorder.records()
    assert 100 < len(kept) < count
    assert len(kept) <= MOST_RECORDS + 1
    assert sum(one.size for one in kept) <= MOST_BYTES + 65536
    assert (kept[0].path, kept[0].status) == ("/refused", 403)
    assert kept[-1].path.startswith(f"/{count - 1:06}/")
    assert recorder.dropped == count + 1 - len(kept)
    assert all(len(one.path) + len(one.query) + len(one.client) + len(one.host) < 4096 for one in kept)
    assert all(len(one.request_body) + len(one.response_body) <= 2 * masking.MAX_SHOWN + 2 for one in kept)
    assert bool(kept[-1].request_body and kept[-1].response_body) == bodies
