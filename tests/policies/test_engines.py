"""The pack under an engine: what blocks, what warns, what is changed, and what stops everything, with exit codes."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from policies import pack
from tests.conftest import ROOT, Sandbox
from tests.policies.analyzer import running
from tests.policies.platform import clean, everything

NODES = "machinelearning-compute-enforce-min-nodes-zero"
TLS = "storage-account-require-tls12"
PROGRAM = """
from pulumi_azure_native import resources, storage
group = resources.ResourceGroup("group", resource_group_name="tiny", location="eastus2")
storage.StorageAccount(
    "account", account_name="tinystore{name}", resource_group_name=group.name, location="eastus2", kind="StorageV2",
    sku=storage.SkuArgs(name="Standard_LRS"), minimum_tls_version="TLS1_0", allow_blob_public_access=False,
)
"""
CLUSTER = """
from pulumi_azure_native import machinelearningservices as ml
scale = ml.ScaleSettingsArgs(min_node_count=2, max_node_count=3, node_idle_time_before_scale_down="PT120S")
nodes = ml.AmlComputePropertiesArgs(
    vm_size="STANDARD_DS3_V2", remote_login_port_public_access="Disabled", scale_settings=scale
)
body = ml.AmlComputeArgs(compute_type="AmlCompute", disable_local_auth=True, properties=nodes)
ml.Compute("cpu", compute_name="cpu", workspace_name="tiny-ws", resource_group_name="tiny", location="eastus2",
           properties=body)
"""


@dataclass
class Project:
    """A program of somebody else's, with the pack."""

    folder: Path
    sandbox: Sandbox
    engine: Mapping[str, str]

    def run(self, operation: str, config: Any, *words: str, rules: Path = ROOT / "policies") -> tuple[int, str]:
        file = self.folder / "config.json"
        file.write_text(config if isinstance(config, str) else json.dumps(config))
        policies = ("--policy-pack", str(rules), "--policy-pack-config", str(file))
        done = self.sandbox.command("pulumi", operation, "-s", "dev", *policies, *words, cwd=self.folder, **self.engine)
        return done.returncode, done.stdout + done.stderr

    def up(self, config: Any) -> tuple[int, str]:
        return self.run("up", config, "--yes", "--skip-preview")


@pytest.fixture(params=["embedded", "pulumi"])
def project(request: pytest.FixtureRequest, shared_sandbox: Sandbox, tmp_path: Path) -> Project:
    if request.param == "pulumi" and not shutil.which("pulumi"):
        pytest.skip("the real pulumi is not on PATH")
    (tmp_path / "Pulumi.yaml").write_text(f"name: {tmp_path.name.replace('_', '-')[:60]}\nruntime: python\n")
    own = f"{abs(hash(tmp_path)) % 10**8:08}"
    (tmp_path / "__main__.py").write_text(PROGRAM.replace("{name}", own))
    return Project(tmp_path, shared_sandbox, {"SANDBOX_ENGINE": "embedded"} if request.param == "embedded" else {})


def test_a_mandatory_violation_blocks_before_the_resource_is_made(project: Project) -> None:
    code, text = project.up({TLS: "mandatory"})
    assert code != 0
    assert f"[mandatory]  {TLS}" in text
    assert "minimumTlsVersion is 'TLS1_0', it must be 'TLS1_2' or newer" in text
    exported = project.sandbox.command("pulumi", "stack", "export", "-s", "dev", cwd=project.folder, **project.engine)
    made = {one["type"] for one in json.loads(exported.stdout)["deployment"]["resources"]}
    assert "azure-native:storage:StorageAccount" not in made


def test_an_advisory_violation_warns(project: Project) -> None:
    code, text = project.run("preview", {TLS: "advisory"})
    assert code == 0
    assert f"[advisory]  {TLS}" in text and "[mandatory]" not in text


def test_a_remedy_shows_what_it_changes(project: Project) -> None:
    (project.folder / "__main__.py").write_text(CLUSTER)
    code, text = project.run("preview", {NODES: "remediate"}, "--diff")
    assert code == 0, text
    assert f"[remediate]  {NODES}" in text
    assert "minNodeCount" in text.replace(" ", "")
    code, text = project.run("preview", {NODES: "mandatory"})
    assert code != 0 and "minNodeCount is 2" in text


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({TLS: {"strict": "yes"}}, f"{TLS}: 'strict' must be true or false, it is 'yes'"),
        ({"storage-account-require-tls": "mandatory"}, "storage-account-require-tls"),
        ({TLS: "mandatry"}, "mandatry"),
        ("{", "config.json"),
    ],
)
def test_a_wrong_configuration_stops_everything(project: Project, config: Any, said: str) -> None:
    code, text = project.up(config)
    assert code != 0
    assert said in text and "Traceback" not in text
    assert "created" not in text


def test_a_broken_pack_stops_everything(project: Project) -> None:
    broken = project.folder / "pack"
    shutil.copytree(ROOT / "policies", broken, ignore=shutil.ignore_patterns("__pycache__"))
    (broken / "rules" / "storage.py").write_text("RULES = (")
    code, text = project.run("up", {TLS: "mandatory"}, "--yes", "--skip-preview", rules=broken)
    assert code != 0
    assert "SyntaxError" in text and "storage.py" in text
    assert "created" not in text


def test_the_folder_can_be_copied(tmp_path: Path) -> None:
    copied = tmp_path / "guard rails"
    shutil.copytree(ROOT / "policies", copied, ignore=shutil.ignore_patterns("__pycache__"))
    with running(copied) as analyzer:
        assert {policy.name for policy in analyzer.info().policies} == set(pack.rules())
        analyzer.configure(everything())
        assert analyzer.run(clean()).violations == []


def test_what_is_served_needs_pulumis_sdk_and_one_package_alone() -> None:
    """What the engine starts loads nothing of the project but the pack, and no command line."""
    program = (
        "import sys, runpy, importlib; import policies.serve;"
        "ours = {m.partition('.')[0] for m in sys.modules} & set(sys.argv[1:]); print(sorted(ours))"
    )
    rooms = ["terminal", "settings", "catalogue", "components", "contract", "jobs", "sandbox", "typer", "rich", "yaml"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program, *rooms], capture_output=True, text=True, check=True, env=environment
    )
    assert set(json.loads(done.stdout.replace("'", '"'))) <= {"yaml"}  # Pulumi's own SDK loads yaml
    named = {line.partition(">")[0] for line in (ROOT / "policies" / "requirements.txt").read_text().split()}
    assert named == {"pulumi-policy", "isodate"}


def test_versions_roles_and_marks_are_the_same_everywhere() -> None:
    from pulumi_policy import proxy  # noqa: PLC0415

    from catalogue import roles as platform  # noqa: PLC0415
    from policies import roles, values  # noqa: PLC0415

    assert f"version: {pack.VERSION}\n" in (ROOT / "policies" / "PulumiPolicy.yaml").read_text()
    for name in ("CONTRIBUTOR", "ACR_PULL", "BLOB_DATA_CONTRIBUTOR"):
        assert getattr(roles, name) == getattr(platform, name)
    marks = {value for name, value in vars(proxy).items() if name.startswith("UNKNOWN_")}
    assert values.MARKS.keys() == marks
