"""Each fault as an unmodified Azure client meets it."""

import time
import uuid
from collections.abc import Iterator

import jwt
import pytest
from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError
from azure.identity import DefaultAzureCredential
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.storage.blob import BlobServiceClient, LinearRetry

from tests.azure.client import READER, Client, unique
from tests.conftest import SUBSCRIPTION, Sandbox, started
from tests.faults.sweep import clear, plan, struck

ARM_ONLY = "host=management.azure.com,path=*/resourcegroups/*"


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox for faults, which no other test sees."""
    with started(tmp_path_factory.mktemp("faulty") / ".sandbox") as sandbox:
        yield sandbox


@pytest.fixture
def azure(faulty: Sandbox) -> Iterator[Client]:
    """The owner, signed in before any fault; no faults afterwards."""
    client = Client(faulty)
    client.token()
    client.token("https://graph.microsoft.com")
    yield client
    clear(faulty)


@pytest.fixture
def groups(faulty: Sandbox, azure: Client, monkeypatch: pytest.MonkeyPatch) -> ResourceManagementClient:
    faulty.sign_in(monkeypatch)
    return ResourceManagementClient(DefaultAzureCredential(), SUBSCRIPTION)


def happened(sandbox: Sandbox, before: int) -> list[str]:
    return struck(sandbox)[before:]


@pytest.mark.parametrize("kind", ["throttle", "error", "unavailable", "reset-before", "reset-after", "slow"])
def test_the_client_outlives_two_of_each(kind: str, faulty: Sandbox, groups: ResourceManagementClient) -> None:
    name, before = unique("rg"), len(struck(faulty))
    plan(faulty, 1, f"{kind},{ARM_ONLY},count=2,seconds=1")
    began = time.monotonic()
    assert groups.resource_groups.create_or_update(name, {"location": "eastus2"}).location == "eastus2"
    assert groups.resource_groups.get(name).name == name
    assert happened(faulty, before) == [kind, kind]
    if not kind.startswith("reset"):
        assert time.monotonic() - began >= 2  # Retry-After is honoured, a slow answer is slow


def test_more_refusals_than_the_client_has_patience_for_reach_the_caller(
    faulty: Sandbox, groups: ResourceManagementClient
) -> None:
    plan(faulty, 1, f"unavailable,{ARM_ONLY},seconds=0")
    with pytest.raises(HttpResponseError) as raised:
        groups.resource_groups.get("x")
    assert raised.value.status_code == 503
    assert "fault plan" in str(raised.value)


@pytest.mark.parametrize(("kind", "exists"), [("reset-before", False), ("reset-after", True), ("truncated", True)])
def test_the_effect_of_a_broken_request(kind: str, exists: bool, faulty: Sandbox, azure: Client) -> None:
    name = unique("rg")
    plan(faulty, 1, f"{kind},method=PUT,{ARM_ONLY},count=1")
    with pytest.raises(OSError):  # requests' errors are
        azure.arm("PUT", f"resourceGroups/{name}", {"location": "eastus2"})
    assert (azure.arm("GET", f"resourceGroups/{name}").status_code == 200) is exists


def test_a_truncated_answer_is_no_answer_to_a_client(faulty: Sandbox, groups: ResourceManagementClient) -> None:
    name = unique("rg")
    groups.resource_groups.create_or_update(name, {"location": "eastus2"})
    plan(faulty, 1, f"truncated,method=GET,{ARM_ONLY},count=1")
    try:
        found = groups.resource_groups.get(name)
    except AzureError:  # never half a resource
        found = groups.resource_groups.get(name)
    assert found.location == "eastus2"


def test_an_expired_token_is_refused_once(faulty: Sandbox, groups: ResourceManagementClient) -> None:
    plan(faulty, 1, f"expired-token,{ARM_ONLY},count=1")
    with pytest.raises(ClientAuthenticationError, match="ExpiredAuthenticationToken"):
        groups.resource_groups.get("x")
    assert groups.resource_groups.check_existence("x") is False


def test_blobs_arrive_whole_through_resets_and_busy_answers(faulty: Sandbox, azure: Client) -> None:
    group, account = azure.group(), "faultyblobs"  # a name of its own would draw other faults each time
    body = {"location": "eastus2", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}
    path = f"{group}/providers/Microsoft.Storage/storageAccounts/{account}"
    assert azure.arm("PUT", path, body, api="2024-01-01").status_code < 300
    key = azure.arm("POST", f"{path}/listKeys", api="2024-01-01").json()["keys"][0]["value"]
    environment = faulty.environment()
    service = BlobServiceClient(
        f"https://{account}.blob.core.windows.net",
        credential=key,
        proxies={"https": environment["HTTPS_PROXY"]},
        connection_verify=environment["SSL_CERT_FILE"],
        retry_policy=LinearRetry(
            backoff=0, random_jitter_range=0, retry_total=9, retry_connect=9, retry_read=9, retry_status=9
        ),
        max_single_put_size=4096,
        max_block_size=4096,
        max_single_get_size=4096,
        max_chunk_get_size=4096,
    )
    before, content = len(struck(faulty)), uuid.uuid4().bytes * 4096
    kinds = ("unavailable", "throttle", "reset-before", "reset-after")
    container = service.create_container("box")
    plan(faulty, 5, *(f"{kind},host=*.blob.*,probability=0.1,seconds=0" for kind in kinds))
    container.upload_blob("b", content, overwrite=True)
    assert container.download_blob("b").readall() == content
    assert set(happened(faulty, before)) == set(kinds)


def test_a_new_cluster_is_over_quota_and_a_new_vault_has_a_deleted_ones_name(faulty: Sandbox, azure: Client) -> None:
    plan(faulty, 1, "quota,count=1", "soft-deleted,count=1")
    group = azure.group()
    vault = azure.arm("PUT", f"{group}/providers/Microsoft.KeyVault/vaults/{unique('kv')}", {}, api="2024-11-01")
    assert (vault.status_code, vault.json()["error"]["code"]) == (409, "ConflictError")
    path = f"{group}/providers/Microsoft.MachineLearningServices/workspaces/w/computes/c"
    cluster = azure.arm("PUT", path, {}, api="2024-10-01")
    assert cluster.json()["error"]["details"][0]["code"] == "ClusterMinNodesExceedCoreQuota"


def test_a_new_principal_is_known_everywhere_only_later(faulty: Sandbox, azure: Client) -> None:
    plan(faulty, 1, "new-principal,seconds=600")
    group = azure.group()
    body = {"displayName": "g", "mailEnabled": False, "mailNickname": unique("g"), "securityEnabled": True}
    made = azure.graph("POST", "/groups", body)
    assert made.status_code == 201, made.text
    principal = made.json()["id"]
    assert azure.graph("GET", f"/groups/{principal}").status_code == 404
    refused = azure.assign(group, principal, READER)
    assert refused.json()["error"]["code"] == "PrincipalNotFound"
    assert azure.assign(group, principal, READER, principalType="Group").status_code == 201
    clear(faulty)
    assert azure.graph("GET", f"/groups/{principal}").status_code == 200


def test_a_role_takes_effect_only_later(faulty: Sandbox, azure: Client) -> None:
    plan(faulty, 1, "late-roles,seconds=600")
    group = azure.group()
    scientist = Client(faulty, "scientist")
    path = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group.rsplit('/', 1)[1]}"
    claims_id = azure_object_id(scientist)
    assert azure.assign(group, claims_id, READER).status_code == 201
    assert scientist.arm("GET", path).status_code == 403
    clear(faulty)
    assert scientist.arm("GET", path).status_code == 200


def azure_object_id(client: Client) -> str:
    return str(jwt.decode(client.token(), options={"verify_signature": False})["oid"])


def test_the_same_seed_strikes_the_same_requests(faulty: Sandbox, azure: Client) -> None:
    def statuses(seed: int) -> list[int]:
        plan(faulty, seed, f"error,{ARM_ONLY},probability=0.3,seconds=0")
        return [azure.arm("GET", "resourceGroups/nothing").status_code for _ in range(40)]

    first = statuses(3)
    clear(faulty)
    assert statuses(3) == first
    assert statuses(4) != first
    assert {404, 500} == set(first)


def test_a_damaged_plan_is_no_plan(faulty: Sandbox, azure: Client) -> None:
    (faulty.directory / "faults.json").write_text("{")
    assert azure.arm("GET", "resourceGroups").status_code == 200
    assert "is no fault plan" in faulty.log()
