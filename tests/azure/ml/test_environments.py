"""Jobs' environments: built once, kept by content, whole or not at all; and what differs from what was asked for."""

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sandbox.azure.access.tokens import Caller
from sandbox.azure.cloud import Cloud, open_cloud
from sandbox.azure.ml import runs
from sandbox.azure.ml.computes.kinds import TYPE
from sandbox.azure.ml.environments.specification import Specification
from sandbox.azure.ml.runner import environment, process
from sandbox.azure.ml.runner.environment import BuildError, Environments
from sandbox.azure.ml.runner.service import Runner
from sandbox.azure.ml.scope import Scope
from sandbox.azure.storage import accounts, containers

WORKSPACE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
HOST = ".".join(str(part) for part in sys.version_info[:2])


def get(environments: Environments, wanted: Specification) -> tuple[Path, list[str], list[str]]:
    lines: list[str] = []
    path, differs = asyncio.run(environments.get(wanted, lines.append))
    return path, differs, lines


def test_the_same_content_is_built_once(tmp_path: Path) -> None:
    environments = Environments(tmp_path / "environments", {})
    first, _, built = get(environments, Specification(python=f"=={HOST}.*"))
    second, differs, ready = get(environments, Specification())
    assert first == second and not differs
    assert any("Building" in line for line in built) and not any("Building" in line for line in ready)
    assert (first / "bin" / "python").exists()


def test_two_jobs_at_once_build_it_once(tmp_path: Path) -> None:
    environments, lines = Environments(tmp_path / "environments", {}), list[str]()

    async def both() -> None:
        await asyncio.gather(*(environments.get(Specification(), lines.append) for _ in range(2)))

    asyncio.run(both())
    assert sum("Building" in line for line in lines) == 1


def test_what_cannot_be_installed_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    environments = Environments(tmp_path / "environments", {})
    with pytest.raises(BuildError, match="no-such-package"):
        get(environments, Specification(requirements=("no-such-package-of-that-name==9",)))
    assert list((tmp_path / "environments").iterdir()) == []


def test_what_a_killed_sandbox_left_is_swept(tmp_path: Path) -> None:
    (tmp_path / ".building-x" / "venv").mkdir(parents=True)
    environment.sweep(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_one_without_its_mark_is_made_anew(tmp_path: Path) -> None:
    environments = Environments(tmp_path / "environments", {})
    path, _, _ = get(environments, Specification())
    (path / environment.READY).unlink()
    _, _, lines = get(environments, Specification())
    assert any("Building" in line for line in lines)


def test_another_python_is_the_hosts_with_a_word_about_it(tmp_path: Path) -> None:
    _, differs, _ = get(Environments(tmp_path / "environments", {}), Specification(python="==3.7.*"))
    assert differs and "Python 3.7 is not on this machine" in differs[0]


def test_uv_does_not_get_the_way_to_the_gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, str] = {}

    async def start(command: object, *, environment: dict[str, str], **more: Any) -> Any:
        seen.update(environment)
        raise OSError("enough")

    monkeypatch.setattr(process, "start", start)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    with pytest.raises(OSError, match="enough"):
        get(Environments(tmp_path / "e", {"HTTPS_PROXY": "http://127.0.0.1:1", "https_proxy": "x"}), Specification())
    assert "HTTPS_PROXY" not in seen and seen["https_proxy"] == "http://proxy.example:3128"


@pytest.fixture
def refusing(tmp_path: Path) -> Iterator[Cloud]:
    """A local Azure that refuses what differs, with a workspace and a cluster."""
    cloud = open_cloud(tmp_path, {})
    cloud = replace(cloud, seed={**cloud.seed, "runner": {"environmentMismatch": "refuse"}})
    accounts.register(cloud, "acc", "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/acc")
    containers.create(cloud, "acc", "azureml")
    store = {
        "datastoreType": "AzureBlob",
        "accountName": "acc",
        "containerName": "azureml",
        "credentials": {"credentialsType": "AccountKey"},
    }
    scale = {"minNodeCount": 0, "maxNodeCount": 1, "nodeIdleTimeBeforeScaleDown": "PT60S"}
    inner = {"vmSize": "STANDARD_DS1_V2", "vmPriority": "LowPriority", "scaleSettings": scale}
    documents: dict[str, Any] = {
        "": {"type": "workspace", "location": "eastus2", "properties": {"workspaceId": "i"}, "identity": {}},
        "/datastores/workspaceartifactstore": {"type": "store", "name": "workspaceartifactstore", "properties": store},
        "/computes/cpu": {
            "type": TYPE,
            "location": "eastus2",
            "properties": {"computeType": "AmlCompute", "properties": inner},
        },
    }
    for path, body in documents.items():
        cloud.store.put("resource", (WORKSPACE + path).lower(), {"id": WORKSPACE + path, **body})
    try:
        yield cloud
    finally:
        cloud.store.close()


def test_the_setting_refuses_what_differs(refusing: Cloud) -> None:
    scope = Scope(refusing, Caller("o", "c"), refusing.store.get("resource", WORKSPACE.lower()) or {})
    asset = {"properties": {"image": "some:image"}}
    scope.put("mlAsset", asset, "environments", "e", "versions", "1")
    properties: dict[str, Any] = {
        "command": "true",
        "environmentId": f"{WORKSPACE}/environments/e/versions/1",
        "computeId": f"{WORKSPACE}/computes/cpu",
        "resources": {"instanceCount": 1},
        "distribution": None,
        "codeId": None,
        "inputs": {},
        "outputs": {},
        "environmentVariables": {},
        "limits": None,
        "identity": None,
    }
    job = {
        "name": "j",
        "properties": properties,
        "submitter": {"objectId": "o", "clientId": "c"},
        "systemData": {"createdAt": runs.now()},
    }
    scope.put(runs.JOB, job, "jobs", "j")
    runs.make_run(scope, "j", runs.experiment(scope, "x"))
    work = {
        "workspace": WORKSPACE,
        "run": "j",
        "carrier": "process",
        "nodes": 1,
        "compute": f"{WORKSPACE}/computes/cpu",
        "submitted": "",
        "cancel": False,
    }
    scope.put("mlWork", work, "j")

    async def run() -> None:
        runner = Runner(refusing)
        await runner.start()
        async with asyncio.timeout(30):
            while (scope.get(runs.RUN, "j") or {})["status"] not in runs.ENDED:
                await asyncio.sleep(0.05)
        await runner.stop()

    asyncio.run(run())
    ended = scope.get(runs.RUN, "j") or {}
    assert ended["status"] == "Failed"
    assert "image some:image is not used" in ended["error"]["error"]["message"]
    assert "environmentMismatch: refuse" in ended["error"]["error"]["message"]
