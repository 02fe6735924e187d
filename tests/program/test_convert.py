"""amls_admin's two published files, from convert to a stack that is up: what the scripts did silently wrong is right.

Names and values are those of the published files; only subscription and people are the sandbox's.
"""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from department.__main__ import main as department
from tests.azure.client import Client, user_id
from tests.conftest import SUBSCRIPTION, Sandbox
from tests.program.stack import KEY, Stack
from tests.settings.test_convert import PUBLISHED

CFORD, ALATHROP, MQUINN = "admin1@site.com", "user1@site.com", "user2@site.com"
ML, BLOB_DATA_CONTRIBUTOR = "Microsoft.MachineLearningServices", "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
POWERFUL = {  # Owner, Contributor, User Access Administrator: no person has one
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    "b24988ac-6180-42a0-ab88-20f7382dd24c",
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
}


def published(**workspace: Any) -> str:
    """The file, with the sandbox's subscription and people."""
    config = copy.deepcopy(PUBLISHED)
    config["workspace"] |= workspace
    text: str = yaml.safe_dump(config)
    for name, person in (("cford", CFORD), ("alathrop", ALATHROP), ("mquinn", MQUINN)):
        text = text.replace(f"{name}@blue-granite.com", person)
    return text.replace(PUBLISHED["workspace"]["subscription"], SUBSCRIPTION)


@pytest.mark.parametrize(
    ("workspace", "group", "base"),
    [
        ({}, "bgmr-bluegranit-eastus2-dev", "bgmrbluegranite2dev"),
        ({"custom_name": "mycustomamls", "create_dls": "y"}, "mycustomamls", "mycustomamls"),
    ],
    ids=["config.yml", "custom_config.yml with a lake"],
)
def test_a_published_file_becomes_a_platform(
    signed_in: Sandbox, tmp_path: Path, workspace: dict[str, Any], group: str, base: str
) -> None:
    source, target = tmp_path / "config.yml", tmp_path / "Pulumi.converted.yaml"
    source.write_text(published(**workspace))
    assert department(["convert", str(source), "--output", str(target)]) == 0
    assert department(["check", str(target)]) == 0
    stack, settings = Stack(signed_in, tmp_path), yaml.safe_load(target.read_text())["config"][KEY]
    previewed = stack.preview(settings)
    assert previewed.code == 0, previewed.text
    done = stack.up(settings)
    assert done.code == 0, done.text
    assert previewed.steps == {step for step in done.steps if not step.startswith("create azuread default")}

    azure = Client(signed_in)
    id_ = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}"
    found = {
        one["id"].removeprefix(f"{id_}/providers/"): one for one in azure.arm("GET", f"{id_}/resources").json()["value"]
    }
    # names are whole, and accounts are both there
    accounts = {name.rsplit("/", 1)[1] for name in found if name.startswith("Microsoft.Storage/storageAccounts/")}
    assert accounts == {f"{base}work", f"{base}data"} | ({f"{base}lake"} if workspace else set())
    # no tag says that everything expired in 2019
    assert all("expires" not in (one.get("tags") or {}) for one in found.values())
    # a lake that is wanted is one
    if workspace:
        lake = azure.arm("GET", f"{id_}/providers/Microsoft.Storage/storageAccounts/{base}lake").json()
        assert lake["properties"]["isHnsEnabled"] is True
    # no keys: neither in the vault, nor of the accounts, nor of the registry
    listed = azure.arm("GET", f"{id_}/providers/Microsoft.KeyVault/vaults/{base}kv/secrets").json()
    assert listed["value"] == []
    for account in accounts:
        shown = azure.arm("GET", f"{id_}/providers/Microsoft.Storage/storageAccounts/{account}").json()
        assert shown["properties"]["allowSharedKeyAccess"] is False
    registry = azure.arm("GET", f"{id_}/providers/Microsoft.ContainerRegistry/registries/{base}cr").json()
    assert registry["properties"]["adminUserEnabled"] is False
    # clusters have no administrator with a known password, and give nodes back after two minutes
    computes = azure.arm("GET", f"{id_}/providers/{ML}/workspaces/{base}ws/computes").json()["value"]
    assert {one["name"] for one in computes} == {"ds3-v2-cluster", "ds13-v2-2ndclust", "nv6-gpucluster"}
    for one in computes:
        compute = one["properties"]["properties"]
        assert compute["scaleSettings"]["nodeIdleTimeBeforeScaleDown"] == "PT120S"
        assert "userAccountCredentials" not in json.dumps(one)
        assert compute["remoteLoginPortPublicAccess"] == "Disabled"
    # every data scientist has the role, and nobody more than a role of the team's
    path = f"{id_}/providers/Microsoft.Authorization/roleAssignments"
    roles: dict[str, set[str]] = {}
    for one in azure.arm("GET", path).json()["value"]:
        if one["properties"]["scope"].startswith(id_):
            role = one["properties"]["roleDefinitionId"].rsplit("/", 1)[1]
            roles.setdefault(one["properties"]["principalId"], set()).add(role)
    told = stack.outputs()["teams"]["bluegranit"]["roles"]
    lead, scientist = (told[role]["id"].rsplit("/", 1)[1] for role in ("teamLead", "dataScientist"))
    expected = {CFORD: {lead}, ALATHROP: {lead, scientist}, MQUINN: {scientist}}
    for person, own in expected.items():
        assert roles[user_id(person)] == own | {BLOB_DATA_CONTRIBUTOR}
        assert not roles[user_id(person)] & POWERFUL
