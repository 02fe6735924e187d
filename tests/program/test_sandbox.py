"""The life of a stack against the sandbox: made, the same again, drifted, gone, its names freed, made again."""

import copy
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from azure.ai.ml import Input, MLClient, Output, command
from azure.ai.ml.entities import Environment
from azure.core.exceptions import HttpResponseError
from azure.identity import ClientSecretCredential, EnvironmentCredential
from azure.storage.blob import ContainerClient
from azure.storage.filedatalake import FileSystemClient

from department.__main__ import main as department
from tests.azure.client import Client, error
from tests.conftest import SUBSCRIPTION, Sandbox
from tests.program.contract import check
from tests.program.harness import ROOT, stack_file
from tests.program.stack import Stack


def test_the_life_of_the_dev_stack(signed_in: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stack, dev = Stack(signed_in, tmp_path), stack_file("dev")
    assert stack.preview(dev).code == 0
    assert "Microsoft.KeyVault/vaults" not in signed_in.command("status", "--json").stdout  # a preview makes nothing
    first = stack.up(dev)
    assert first.code == 0, first.text
    assert len(first.steps) == 47
    check(stack.outputs())
    second = stack.up(dev)
    assert (second.code, set(second.steps)) == (0, set())
    refreshed = stack.refresh(dev)
    assert (refreshed.code, set(refreshed.steps)) == (0, set()), refreshed.text
    assert set(stack.preview(dev).steps) == set()

    gone = stack.destroy(dev)
    assert gone.code == 0, gone.text
    file = str(ROOT / "Pulumi.dev.yaml")
    assert department(["purge", "--check", file]) == 1
    assert "bgmrbluegranite2devkv" in capsys.readouterr().out
    refused = stack.up(dev)
    assert refused.code == 1
    assert "already exists in deleted state" in refused.text
    assert stack.destroy(dev).code == 0

    assert department(["purge", file]) == 0
    assert "purged the key vault bgmrbluegranite2devkv" in capsys.readouterr().out
    assert department(["purge", "--check", file]) == 0
    again = stack.up(dev)
    assert again.code == 0, again.text


def test_production_comes_up_under_its_stricter_policies(signed_in: Sandbox, tmp_path: Path) -> None:
    prod = Stack(signed_in, tmp_path, "prod")
    done = prod.up(stack_file("prod"))
    assert done.code == 0, done.text
    check(prod.outputs())
    assert set(prod.outputs()["teams"]) == {"bluegranit", "forecast"}
    assert "vCPU quota" not in done.text  # a preview tells


def test_production_loses_people_but_no_data(signed_in: Sandbox, tmp_path: Path) -> None:
    prod, department = Stack(signed_in, tmp_path, "prod"), stack_file("prod")
    department["teams"] = department["teams"][:1]
    made = prod.up(department)
    assert made.code == 0, made.text
    department["teams"][0]["dataScientists"] = ["user1@site.com"]
    fewer = prod.up(department)
    assert fewer.code == 0, fewer.text
    assert set(fewer.steps) == {
        "delete RoleAssignment bluegranit-dataScientist-user2@site.com",
        "delete RoleAssignment bluegranit-user2@site.com-data",
    }
    refused = prod.destroy(department)
    assert refused.code == 1
    assert "protect" in refused.text
    assert "Microsoft.KeyVault/vaults" in signed_in.command("status", "--json").stdout

    department["protect"] = False
    made = prod.up(department)
    assert made.code == 0, made.text
    gone = prod.destroy(department)
    assert gone.code == 0, gone.text


NETWORKS = {
    "private": {"mode": "private", "addressSpace": "10.20.0.0/24"},
    "managed": {"mode": "managed", "outbound": [{"name": "pypi", "host": "pypi.org"}]},
}


@pytest.mark.parametrize("mode", NETWORKS)
def test_a_closed_stack_comes_up_is_used_stays_as_it_is_and_goes(
    mode: str, signed_in: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack, department = Stack(signed_in, tmp_path), stack_file("dev")
    department["network"] = NETWORKS[mode]
    made = stack.up(department)
    assert made.code == 0, made.text
    with monkeypatch.context() as shell:
        _become(shell, signed_in)
        if mode == "private":
            with pytest.raises(HttpResponseError, match="AuthorizationFailure"):
                _put_input()
            _become(shell, signed_in, "--network", "bgmrbluegranite2devvnet")
        _put_input()
        assert _doubled() == b"42"
    assert set(stack.preview(department).steps) == set()
    gone = stack.destroy(department)
    assert gone.code == 0, gone.text


def test_only_some_reach_a_restricted_file_system(
    signed_in: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = "0b6f7c1e-9a55-4f0e-8d31-6d1f5a7c2b44"
    department = stack_file("dev")
    lake = department["teams"][0]["lake"]
    lake["fileSystems"] = ["fs1", "persons"]
    lake["restricted"] = [{"fileSystem": "persons", "writers": ["admin1@site.com"]}]
    lake["feeds"] = [{"name": "factory", "objectId": feed, "fileSystems": ["persons"]}]
    stack = Stack(signed_in, tmp_path)
    made = stack.up(department)
    assert made.code == 0, made.text
    _become(monkeypatch, signed_in, persona="lead")
    _lake("persons").get_file_client("hr/a.txt").upload_data(b"1", overwrite=True)
    _lake("fs1").get_file_client("a.txt").upload_data(b"2", overwrite=True)
    _become(monkeypatch, signed_in)
    assert _lake("fs1").get_file_client("a.txt").download_file().readall() == b"2"
    _lake("fs1").get_file_client("b.txt").upload_data(b"3", overwrite=True)
    hidden = _lake("persons")
    for attempt in (
        lambda: hidden.get_file_client("hr/a.txt").download_file(),
        lambda: hidden.get_file_client("hr/b.txt").upload_data(b"4", overwrite=True),
        lambda: list(hidden.get_paths()),
    ):
        _is_forbidden(attempt)
    lake["restricted"][0]["readers"] = ["user2@site.com"]
    _become(monkeypatch, signed_in, persona="owner")
    admitted = stack.up(department)
    assert admitted.code == 0, admitted.text
    assert admitted.steps == {"create RoleAssignment bluegranit-persons.read-user2@site.com"}
    _become(monkeypatch, signed_in)
    assert _lake("persons").get_file_client("hr/a.txt").download_file().readall() == b"1"
    _is_forbidden(lambda: _lake("persons").get_file_client("hr/a.txt").upload_data(b"5", overwrite=True))


def test_only_some_reach_a_restricted_folder(
    signed_in: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By conditions of role assignments: what the others may not, they may not by any way around either."""
    department = stack_file("dev")
    lake = department["teams"][0]["lake"]
    lake["restricted"] = [{"fileSystem": "fs1", "folder": "hr/persons", "writers": ["admin1@site.com"]}]
    stack = Stack(signed_in, tmp_path)
    made = stack.up(department)
    assert made.code == 0, made.text
    assert stack.up(department).steps == frozenset()
    _become(monkeypatch, signed_in, persona="lead")
    _lake().get_file_client("hr/persons/a.txt").upload_data(b"1", overwrite=True)
    _lake().get_file_client("hr/persons-not/a.txt").upload_data(b"2", overwrite=True)
    assert [path.name for path in _lake().get_paths("hr/persons")] == ["hr/persons/a.txt"]
    _become(monkeypatch, signed_in)
    files = _lake()
    assert files.get_file_client("hr/persons-not/a.txt").download_file().readall() == b"2"
    files.get_file_client("hr/b.txt").upload_data(b"3", overwrite=True)
    files.get_directory_client("other/persons").create_directory()
    folder, above = files.get_directory_client("hr/persons"), files.get_directory_client("hr")
    blobs = ContainerClient("https://bgmrbluegranite2devlake.blob.core.windows.net", "fs1", EnvironmentCredential())
    forbidden: dict[str, Callable[[], object]] = {
        "read": files.get_file_client("hr/persons/a.txt").download_file,
        "read as a blob": blobs.get_blob_client("hr/persons/a.txt").download_blob,
        "look at": files.get_file_client("hr/persons/a.txt").get_file_properties,
        "write": lambda: files.get_file_client("hr/persons/b.txt").upload_data(b"4", overwrite=True),
        "delete": files.get_file_client("hr/persons/a.txt").delete_file,
        "move out": lambda: files.get_file_client("hr/persons/a.txt").rename_file("fs1/out.txt"),
        "move in": lambda: files.get_file_client("hr/b.txt").rename_file("fs1/hr/persons/b.txt"),
        "rename": lambda: folder.rename_directory("fs1/mine"),
        "rename what is above": lambda: above.rename_directory("fs1/mine"),
        "put another in its place": lambda: files.get_directory_client("other/persons").rename_directory(
            "fs1/hr/persons"
        ),
        "delete it": folder.delete_directory,
        "delete what is above": above.delete_directory,
        "open it by its list": lambda: folder.set_access_control(permissions="rwxrwxrwx"),
        "copy out": lambda: blobs.get_blob_client("copy.txt").start_copy_from_url(
            blobs.get_blob_client("hr/persons/a.txt").url
        ),
    }
    for what, attempt in forbidden.items():
        _is_forbidden(attempt, what)
    assert "hr/persons/a.txt" in [path.name for path in files.get_paths()]  # names are seen from above

    lake["restricted"][0] |= {"readers": ["user2@site.com"], "writers": ["admin1@site.com", "user1@site.com"]}
    _become(monkeypatch, signed_in, persona="owner")
    admitted = stack.up(department)
    assert admitted.code == 0, admitted.text
    assert admitted.steps == {
        "create RoleAssignment bluegranit-fs1.read-user2@site.com",
        "create RoleAssignment bluegranit-fs1-user1@site.com",
    }
    _become(monkeypatch, signed_in)
    assert _lake().get_file_client("hr/persons/a.txt").download_file().readall() == b"1"
    _is_forbidden(lambda: _lake().get_file_client("hr/persons/a.txt").upload_data(b"5", overwrite=True))
    _become(monkeypatch, signed_in, persona="owner")
    lake["restricted"] = []
    opened = stack.up(department)
    assert opened.code == 0, opened.text
    assert {step.split()[0] for step in opened.steps} == {"update", "delete"}
    _become(monkeypatch, signed_in)
    _lake().get_file_client("hr/persons/a.txt").upload_data(b"5", overwrite=True)


def test_the_example_of_a_feed_writes_what_it_names_and_nothing_else(signed_in: Sandbox, tmp_path: Path) -> None:
    example = yaml.safe_load((ROOT / "examples/feeds/Pulumi.feeds.yaml").read_text())
    department = example["config"]["azureml-platform:department"]
    lake = department["teams"][0]["lake"]
    lake["feeds"][0]["objectId"], own = Client(signed_in).application()  # such as a Data Factory's identity
    factory = ClientSecretCredential(own.tenant, **own.credentials)
    stack = Stack(signed_in, tmp_path)
    made = stack.up(department)
    assert made.code == 0, made.text
    address = "https://feedsalese2devlake.dfs.core.windows.net"
    landing, curated = (FileSystemClient(address, name, factory, retry_total=0) for name in ("landing", "curated"))
    for path in ("in.csv", "hr/persons/in.csv"):
        landing.get_file_client(path).upload_data(b"1", overwrite=True)
        assert landing.get_file_client(path).download_file().readall() == b"1"
    for attempt in (
        lambda: curated.get_file_client("out.csv").upload_data(b"2", overwrite=True),
        lambda: list(curated.get_paths()),
        lambda: landing.get_directory_client("/").set_access_control(permissions="rwxrwxrwx"),
    ):
        _is_forbidden(attempt)
    gone = stack.destroy(department)
    assert gone.code == 0, gone.text


def _is_forbidden(attempt: Callable[[], object], what: str = "") -> None:
    with pytest.raises(HttpResponseError) as refused:
        attempt()
    assert refused.value.status_code == 403, (what, refused.value)


def _become(shell: pytest.MonkeyPatch, sandbox: Sandbox, *where: str, persona: str = "scientist") -> None:
    """This process is the data scientist's, or another persona's."""
    for line in sandbox.command("env", "--persona", persona, *where).stdout.splitlines():
        name, _, value = line.removeprefix("export ").partition("=")
        shell.setenv(name, shlex.split(value)[0] if value else "")


def _lake(system: str = "fs1") -> FileSystemClient:
    address = "https://bgmrbluegranite2devlake.dfs.core.windows.net"
    return FileSystemClient(address, system, EnvironmentCredential(), retry_total=0)


def _put_input() -> None:
    _lake().get_file_client("in.txt").upload_data(b"21", overwrite=True)


def _doubled() -> bytes:
    """What a job on the team's cluster makes of the input, read from the lake."""
    group, workspace = "bgmr-bluegranit-eastus2-dev", "bgmrbluegranite2devws"
    ml = MLClient(EnvironmentCredential(), SUBSCRIPTION, group, workspace)
    run = ml.jobs.create_or_update(
        command(
            command="echo -n $(($(cat ${{inputs.number}}) * 2)) > ${{outputs.doubled}}/out.txt",
            environment=Environment(name="none", image="python:3.11"),
            compute="ds3-v2-cluster",
            inputs={"number": Input(type="uri_file", path="azureml://datastores/MLData/paths/in.txt")},
            outputs={"doubled": Output(type="uri_folder", path="azureml://datastores/MLData/paths/doubled/")},
        )
    )
    ml.jobs.stream(str(run.name))  # waits, and raises if the run fails
    return _lake().get_file_client("doubled/out.txt").download_file().readall()


def test_what_a_policy_forbids_is_not_made(signed_in: Sandbox, tmp_path: Path) -> None:
    department = stack_file("prod")
    department["teams"][0]["clusters"][0]["priority"] = "lowPriority"
    prod = Stack(signed_in, tmp_path, "prod")
    assert prod.preview(department).code == 1
    done = prod.up(department)
    assert done.code == 1
    assert "machinelearning-compute-allow-priorities" in done.text
    assert "create Compute bluegranit-train-cpu" not in done.steps


def test_wrong_settings_stop_a_command_without_a_traceback(signed_in: Sandbox, tmp_path: Path) -> None:
    department = stack_file("dev")
    department["teams"][0]["clusters"][0]["vmSize"] = "STANDARD_DS3_V22"
    done = Stack(signed_in, tmp_path).up(department)
    assert done.code == 1
    assert "teams[0].clusters[0].vmSize: 'STANDARD_DS3_V22' is not a known VM size" in done.text
    assert "Traceback" not in done.text
    assert "resourcePreEvent" not in done.text or not done.steps


def test_everybody_who_is_unknown_is_named_by_one_preview_with_the_key(signed_in: Sandbox, tmp_path: Path) -> None:
    department = stack_file("dev")
    team = department["teams"][0]
    team["leads"] = ["nobody@site.com", "user1@site.com"]
    team["dataScientists"] = [{"group": "no-such-group"}, "partner@contoso.com"]
    team["readers"] = ["nobody@site.com"]
    done = Stack(signed_in, tmp_path).preview(department)
    assert done.code == 1
    at = "azureml-platform:department.teams[0]"
    nobody = "no user of the tenant has the principal name or the mail address"
    assert f"{at}.leads[0]: {nobody} 'nobody@site.com'" in done.text
    assert f"{at}.readers[0]: {nobody} 'nobody@site.com'" in done.text
    assert f"{at}.dataScientists[0]: no security group of the tenant is 'no-such-group'" in done.text
    assert "has the form partner_contoso.com#EXT#@TENANT.onmicrosoft.com" in done.text
    assert f"{at}.leads[1]" not in done.text
    assert done.text.count(f"{at}.leads[0]") == 1


def test_a_guest_is_found_by_mail_and_anybody_by_object_id(signed_in: Sandbox, tmp_path: Path) -> None:
    guest = {
        "userPrincipalName": "partner_contoso.com#EXT#@site.onmicrosoft.com",
        "mail": "partner@contoso.com",
        "userType": "Guest",
        "displayName": "Partner",
        "mailNickname": "partner",
        "accountEnabled": True,
        "passwordProfile": {"password": "not-used-1"},
    }
    made = Client(signed_in).graph("POST", "/users", guest)
    assert made.status_code == 201, made.text
    department = stack_file("dev")
    team = department["teams"][0]
    team["dataScientists"] = ["Partner@contoso.com"]
    team["readers"] = [guest["userPrincipalName"]]
    team["leads"] = ["9a0b7f6e-2a57-4c0f-8d55-0c2a0f0d2a11"]
    done = Stack(signed_in, tmp_path).preview(department, "--diff")
    assert done.code == 0, done.text
    assert done.text.count(made.json()["id"]) >= 2
    assert "9a0b7f6e-2a57-4c0f-8d55-0c2a0f0d2a11" in done.text


AROUND_PULUMI = {
    "a node at rest": {"scaleSettings": {"minNodeCount": 1, "maxNodeCount": 2}},
    "another size": {"vmSize": "STANDARD_NC6S_V3"},
}


def test_azure_policy_refuses_what_is_made_around_pulumi(signed_in: Sandbox, tmp_path: Path) -> None:
    """The same two rules as the policy pack's, for whoever does not use Pulumi."""
    department = stack_file("dev")
    sizes = [one["vmSize"] for one in department["teams"][0]["clusters"]]
    department |= {"azurePolicy": "deny", "allowedVmSizes": sizes}
    made = Stack(signed_in, tmp_path).up(department)
    assert made.code == 0, made.text
    azure = Client(signed_in)
    group = "resourceGroups/bgmr-bluegranit-eastus2-dev/providers/Microsoft.MachineLearningServices"
    computes = f"{group}/workspaces/bgmrbluegranite2devws/computes"
    good = azure.arm("GET", f"{computes}/ds3-v2-cluster", api="2025-12-01").json()
    good = {key: good[key] for key in ("location", "tags", "identity", "properties")}
    good["identity"]["userAssignedIdentities"] = {key: {} for key in good["identity"]["userAssignedIdentities"]}
    for what, wrong in AROUND_PULUMI.items():
        for name in ("ds3-v2-cluster", "mine"):  # changed, and made
            body: dict[str, Any] = copy.deepcopy(good)
            body["properties"]["properties"] |= wrong
            refused = azure.arm("PUT", f"{computes}/{name}", body, api="2025-12-01")
            assert error(refused) == (403, "RequestDisallowedByPolicy"), (what, name)
    assert azure.arm("PUT", f"{computes}/mine", good, api="2025-12-01").status_code in (200, 201, 202)


def test_a_team_with_a_key_of_its_own_is_encrypted_with_it_and_stays_so(signed_in: Sandbox, tmp_path: Path) -> None:
    department = stack_file("dev") | {"keyVault": {"purgeProtection": True}}
    department["teams"][0] |= {"customerKey": {}}
    stack, azure = Stack(signed_in, tmp_path), Client(signed_in)
    made = stack.up(department)
    assert made.code == 0, made.text
    again = stack.preview(department)
    assert (again.code, set(again.steps)) == (0, set())
    group = "resourceGroups/bgmr-bluegranit-eastus2-dev/providers"
    workspace = f"{group}/Microsoft.MachineLearningServices/workspaces/bgmrbluegranite2devws"
    shown = azure.arm("GET", workspace, api="2025-12-01").json()["properties"]["encryption"]
    assert shown["keyVaultProperties"]["keyIdentifier"].startswith(
        "https://bgmrbluegranite2devkv.vault.azure.net/keys/platform/"
    )
    for name in ("work", "data", "lake"):
        account = azure.arm(
            "GET", f"{group}/Microsoft.Storage/storageAccounts/bgmrbluegranite2dev{name}", api="2024-01-01"
        )
        assert account.json()["properties"]["encryption"]["keySource"] == "Microsoft.Keyvault"
    registry = f"{group}/Microsoft.ContainerRegistry/registries/bgmrbluegranite2devcr"
    assert (
        azure.arm("GET", registry, api="2023-01-01-preview").json()["properties"]["encryption"]["status"] == "enabled"
    )

    tagged = stack.up(department | {"costCenter": "4711"})  # nothing comes of an encrypted resource's other changes
    assert tagged.code == 0, tagged.text
    assert not any("Key bluegranit-key" in step for step in tagged.steps)
    gone = stack.destroy(department)
    assert gone.code == 0, gone.text


def test_a_workspace_takes_no_key_later(signed_in: Sandbox, tmp_path: Path) -> None:
    stack, department = Stack(signed_in, tmp_path), stack_file("dev") | {"keyVault": {"purgeProtection": True}}
    department["registrySku"] = "Premium"
    made = stack.up(department)
    assert made.code == 0, made.text
    del department["registrySku"]
    department["teams"][0] |= {"customerKey": {"serviceSide": True}}
    refused = stack.up(department)
    assert refused.code == 1
    assert "turned on at creation, and never off" in refused.text  # the registry's
