"""One wheel for others: the jobs client and the components, below one package, from an empty environment, offline."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.supply.wheel import build, install
from tools.hatch_build import WheelError, rewritten

IMPORT_ALL = """
import importlib, pkgutil, sys
for room in sys.argv[1:]:
    package = importlib.import_module(f"azureml_platform.{room}")
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith("__main__") and ".examples." not in module.name:
            importlib.import_module(module.name)
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""

PROGRAM = """
import pulumi
from azureml_platform.components.compute.cluster import ComputeCluster, ComputeClusterArgs
from azureml_platform.components.workspace.workspace import TeamWorkspace

class Mocks(pulumi.runtime.Mocks):
    def new_resource(self, args):
        print(args.typ, args.name)
        return [args.name, args.inputs]
    def call(self, args):
        return {"properties": {"computeType": "AmlCompute", "properties": {"vmSize": "STANDARD_DS3_V2"}}}

pulumi.runtime.set_mocks(Mocks())

@pulumi.runtime.test
def build():
    args = ComputeClusterArgs(
        resource_group_name="forecast", workspace_name="forecastws", cluster_name="train", location="eastus2",
        vm_size="STANDARD_DS3_V2", max_nodes=4,
    )
    return ComputeCluster("train", args).cluster_id

build()
assert issubclass(TeamWorkspace, pulumi.ComponentResource)
"""


@pytest.fixture(name="wheel", scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("wheel"))


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(cwd)}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120, check=False)


def top_level(scripts: Path) -> set[str]:
    (packages,) = (scripts.parent / "lib").glob("python*/site-packages")
    return {path.name.removesuffix(".py") for path in packages.iterdir()}


def rooms() -> set[str]:
    return {path.parent.name for path in ROOT.glob("*/__init__.py")}


def test_a_data_scientist_gets_the_client(wheel: Path, tmp_path: Path) -> None:
    scripts = install(wheel, "jobs", tmp_path / "venv")
    assert "azureml_platform" in top_level(scripts)
    assert top_level(scripts) & rooms() == set()
    assert "pulumi" not in top_level(scripts)
    helped = run(scripts / "azureml-jobs", "--help", cwd=tmp_path)
    assert helped.returncode == 0, helped.stderr
    assert "Usage: azureml-jobs" in helped.stdout
    imported = run(scripts / "python", "-c", IMPORT_ALL, "jobs", "contract", "terminal", "catalogue", cwd=tmp_path)
    assert imported.returncode == 0, imported.stderr
    assert set(imported.stdout.split()) & rooms() == set()
    alone = run(scripts / "azureml-jobs", "ps", cwd=tmp_path)
    assert alone.returncode == 1
    assert "no `pulumi` on PATH, and no sandbox" in alone.stderr
    assert "--outputs FILE" in alone.stderr
    wrong = run(scripts / "azureml-jobs", "ps", "--json", "--nothing", cwd=tmp_path)
    assert (wrong.returncode, wrong.stderr.splitlines()[-1][:23]) == (2, "'azureml-jobs ps --help"[:23])


def test_a_pulumi_project_gets_the_components(wheel: Path, tmp_path: Path) -> None:
    scripts = install(wheel, "components", tmp_path / "venv")
    assert top_level(scripts) & (rooms() | {"azure_ai_ml"}) == set()
    imported = run(scripts / "python", "-c", IMPORT_ALL, "components", "catalogue", cwd=tmp_path)
    assert imported.returncode == 0, imported.stderr
    assert set(imported.stdout.split()) & rooms() == set()
    built = run(scripts / "python", "-c", PROGRAM, cwd=tmp_path)
    assert built.returncode == 0, built.stderr
    assert built.stdout.splitlines() == [
        "azureml-platform:components:ComputeCluster train",
        "azure-native:machinelearningservices:Compute train",
    ]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("from jobs.runs import Run\n", "from azureml_platform.jobs.runs import Run\n"),
        ("if x:\n    from jobs import y  # why\n", "if x:\n    from azureml_platform.jobs import y  # why\n"),
        ("import contract\n", "from azureml_platform import contract\n"),
        ("import jobsite\nfrom json import loads\n", "import jobsite\nfrom json import loads\n"),
        ("'run `python -m jobs ps`'\n", "'run `azureml-jobs ps`'\n"),
    ],
)
def test_imports_and_commands_are_rewritten(source: str, expected: str) -> None:
    assert rewritten(source, "m.py", {"settings"}) == expected


@pytest.mark.parametrize("source", ["from settings import names", "import jobs.runs", "import os, contract"])
def test_what_the_wheel_cannot_have_is_refused(source: str) -> None:
    with pytest.raises(WheelError, match=r"^m\.py:1: "):
        rewritten(source, "m.py", {"settings"})
