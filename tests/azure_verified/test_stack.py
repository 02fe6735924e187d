"""A whole stack: up, unchanged, a job on its cluster, destroyed. In Azure this takes the pulumi CLI."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.azure_verified.conftest import RUN
from tests.conftest import ROOT
from tools.verify.resources import Subscription

JOB = """
type: command
command: echo hello from the cluster
environment: {image: "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04", conda_file: conda.yml}
"""
PEOPLE = "AZURE_VERIFY_USER"


def stack_file(azure: Subscription, folder: Path) -> Path:
    """A department of its own with one team, whose lead is whoever `AZURE_VERIFY_USER` names."""
    person = os.environ.get(PEOPLE, "user@domain.com")
    team = {
        "name": "verify",
        "leads": [person],
        "dataScientists": [person],
        "clusters": [{"name": "cluster", "vmSize": "STANDARD_DS3_V2", "maxNodes": 1, "priority": "lowPriority"}],
    }
    department = {
        "code": f"v{azure.run[:3]}",
        "environment": "dev",
        "region": azure.location,
        "regionAbbreviation": "vr",
        "subscriptionId": azure.id,
        "admin": person,
        "costCenter": azure.cost_center,
        "teams": [team],
    }
    file = folder / "Pulumi.verify.yaml"
    file.write_text(yaml.safe_dump({"config": {"azureml-platform:department": department}}))
    return file


@pytest.mark.azure_verified
def test_a_stack_comes_up_runs_a_job_and_goes(azure: Subscription, tmp_path: Path) -> None:
    pulumi = [sys.executable, "-m", "sandbox", "pulumi"]
    if RUN:
        pulumi = [shutil.which("pulumi") or pytest.skip("install the pulumi CLI")]
        _ = os.environ.get(PEOPLE) or pytest.skip(f"set {PEOPLE} to your user principal name")
    backend = {"PULUMI_BACKEND_URL": f"file://{tmp_path}", "PULUMI_CONFIG_PASSPHRASE": azure.run}
    config = ["--stack", "verify", "--config-file", str(stack_file(azure, tmp_path))]

    def run(*command: str) -> str:
        environment = {**os.environ, **backend, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run(*pulumi, "stack", "init", "verify")
    try:
        up = ("up", "--yes", "--skip-preview", *config)
        assert "created" in run(*pulumi, *up)
        again = run(*pulumi, *up)
        assert "unchanged" in again
        assert "created" not in again
        outputs: dict[str, Any] = json.loads(run(*pulumi, "stack", "output", "--json", "--stack", "verify"))
        (tmp_path / "outputs.json").write_text(json.dumps(outputs))
        (tmp_path / "job.yml").write_text(JOB)
        (tmp_path / "conda.yml").write_text("name: none\ndependencies: [python=3.11]\n")
        submit = ("submit", str(tmp_path), "--stream", "--json", "--outputs", str(tmp_path / "outputs.json"))
        assert json.loads(run(sys.executable, "-m", "jobs", *submit))["status"] == "Completed"
    finally:
        run(*pulumi, "destroy", "--yes", "--skip-preview", *config)
