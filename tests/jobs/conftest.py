"""What the tests of the jobs' room share: outputs as a stack prints them, and the example's own environment."""

import copy
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import started
from tests.jobs.platform import Platform

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "jobs" / "examples" / "highspenders"
WORKSPACE = (
    "/subscriptions/8b41ca0c-0c5a-4c01-b49b-5bb8d329cc27/resourceGroups/bgmr-bluegranit-eastus2-dev"
    "/providers/Microsoft.MachineLearningServices/workspaces/bgmrbluegranite2devws"
)
OUTPUTS: dict[str, Any] = {
    "contract": 1,
    "department": {
        "code": "bgmr",
        "environment": "dev",
        "region": "eastus2",
        "subscriptionId": "8b41ca0c-0c5a-4c01-b49b-5bb8d329cc27",
        "owner": "user@domain.com",
        "costCenter": "bgmr",
    },
    "teams": {
        "bluegranit": {
            "subscriptionId": "8b41ca0c-0c5a-4c01-b49b-5bb8d329cc27",
            "resourceGroup": "bgmr-bluegranit-eastus2-dev",
            "workspace": "bgmrbluegranite2devws",
            "location": "eastus2",
            "studioUrl": f"https://ml.azure.com/?wsid={WORKSPACE}",
            "trackingUri": f"azureml://eastus2.api.azureml.ms/mlflow/v1.0{WORKSPACE}",
            "clusters": {
                "ds3-v2-cluster": {
                    "vmSize": "STANDARD_DS3_V2",
                    "maxNodes": 1,
                    "priority": "lowPriority",
                    "idleMinutes": 2,
                },
                "ds13-v2-2ndclust": {
                    "vmSize": "STANDARD_D13_V2",
                    "maxNodes": 2,
                    "priority": "lowPriority",
                    "idleMinutes": 2,
                },
            },
            "datastores": {
                "MLData": {
                    "type": "AzureDataLakeGen2",
                    "account": "bgmrbluegranite2devlake",
                    "container": "fs1",
                    "uri": "azureml://subscriptions/8b41ca0c-0c5a-4c01-b49b-5bb8d329cc27/resourcegroups/"
                    "bgmr-bluegranit-eastus2-dev/workspaces/bgmrbluegranite2devws/datastores/MLData/paths/",
                }
            },
            "roles": {
                "teamLead": {"name": "lead", "id": "/providers/Microsoft.Authorization/roleDefinitions/1"},
                "dataScientist": {"name": "scientist", "id": "/providers/Microsoft.Authorization/roleDefinitions/2"},
            },
        }
    },
}


@pytest.fixture
def outputs() -> dict[str, Any]:
    """Outputs of the dev stack, to be changed at will."""
    return copy.deepcopy(OUTPUTS)


@pytest.fixture(scope="session")
def job_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of the environment that the example's conda.yml describes."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    conda = yaml.safe_load((EXAMPLE / "conda.yml").read_text())
    packages = next(part["pip"] for part in conda["dependencies"] if isinstance(part, dict))
    uv = str(Path(sys.executable).with_name("uv"))
    environment = {"UV_CACHE_DIR": str(ROOT / ".cache" / "uv"), **os.environ}
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, str(folder)], check=True, env=environment)
    python = folder / "bin" / "python"
    subprocess.run([uv, "pip", "install", "-q", "--python", str(python), *packages], check=True, env=environment)
    return python


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The dev stack, up in a sandbox of its own."""
    folder = tmp_path_factory.mktemp("platform")
    with started(folder / ".sandbox") as sandbox:
        done = sandbox.command("pulumi", "up", "-s", "dev", "--yes", "--skip-preview")
        assert done.returncode == 0, done.stdout + done.stderr
        yield Platform(sandbox, folder)
