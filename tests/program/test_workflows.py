"""The workflows and pipelines: each `run:` step is carried out as a runner does, with the sandbox for Azure."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.azure.client import Client
from tests.conftest import ROOT, Sandbox
from tests.program import workflows
from tests.review.github import HEAD, REPOSITORY, FakeGitHub, event, running, zipped

GROUP = "bgmr-bluegranit-eastus2-dev"
WORKSPACE = "providers/Microsoft.MachineLearningServices/workspaces/bgmrbluegranite2devws"
TOLD = {
    "vars.AZURE_TENANT_ID": "", "vars.AZURE_CLIENT_ID": "", "vars.AZURE_SUBSCRIPTION_ID": "",
    "vars.PULUMI_SECRETS_PROVIDER": "", "matrix.stack": "dev", "github.token": "t0ken",
}  # fmt: skip


def pulumi_of_the_sandbox(folder: Path) -> Path:
    """A folder with something called `pulumi`: the sandbox's, as a runner has the real one."""
    folder.mkdir()
    command = folder / "pulumi"
    command.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m sandbox pulumi "$@"\n')
    command.chmod(0o755)
    return folder


def test_every_script_is_run_by_a_test_here() -> None:
    run_here = {("pull-request", "review"), ("publish-review", "publish"), ("deploy", "up"), ("deploy", "drift")}
    run_here |= {("deploy", "report"), ("live-preview", "preview")}
    scripted = {
        (file.stem, job)
        for file in workflows.WORKFLOWS.glob("*.yml")
        for job in workflows.workflow(file.stem)["jobs"]
        if file.stem != "ci"  # what runs this
    }
    assert scripted == run_here


def test_a_pull_request_is_reviewed_and_its_review_published(tmp_path: Path) -> None:
    there = workflows.copy(tmp_path)
    workflows.commit(there, "base")
    stack = there / "Pulumi.dev.yaml"
    stack.write_text(stack.read_text().replace("maxNodes: 2", "maxNodes: 3"))
    workflows.commit(there, "head")
    told = {
        "github.event.action != 'synchronize' && contains(github.event.pull_request.labels.*.name, 'accept-data-loss')":
        "false"
    }  # fmt: skip
    done = workflows.run("pull-request", "review", there, told)
    assert [one.returncode for one in done] == [0, 0], done[-1].stdout + done[-1].stderr
    report = (there / "review-report" / "review.json").read_bytes()
    assert json.loads(report)["made_by"] == "base"
    with running(FakeGitHub(archive=zipped(report))) as github:
        github.pull(5)
        (tmp_path / "event.json").write_text(json.dumps(event()))
        variables = {
            "GITHUB_API_URL": github.url,
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
        }
        done = workflows.run("publish-review", "publish", there, TOLD, **variables)
        assert [one.returncode for one in done] == [0, 0], done[-1].stderr
        [comment] = github.bodies("POST", "/issues/5/comments")
        assert "ds13-v2-2ndclust" in comment["body"]
        [status] = github.bodies("POST", f"/statuses/{HEAD}")
        assert status["state"] == "success"


def test_a_merge_is_brought_up_and_a_drift_is_told(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = workflows.copy(tmp_path)
    sandbox.sign_in(monkeypatch)
    monkeypatch.setenv("SANDBOX_DIR", str(sandbox.directory))
    monkeypatch.setenv("SANDBOX_ENGINE", "embedded")
    monkeypatch.setenv("PATH", f"{pulumi_of_the_sandbox(tmp_path / 'bin')}{os.pathsep}{os.environ['PATH']}")
    told = {**TOLD, "vars.PULUMI_BACKEND_URL": ""}
    done = workflows.run("deploy", "up", there, told)
    assert [one.returncode for one in done] == [0, 0], done[-1].stdout[-3000:] + done[-1].stderr[-3000:]
    workflows.commit(there, "merged")
    subprocess.run(["git", "-C", str(there), "update-ref", "refs/remotes/origin/main", "HEAD"], check=True, timeout=60)
    stack = there / "Pulumi.dev.yaml"
    stack.write_text(stack.read_text().replace("maxNodes: 2", "maxNodes: 3"))
    workflows.commit(there, "a branch")
    done = workflows.run("live-preview", "preview", there, {**told, "inputs.base": "main"})
    assert [one.returncode for one in done] == [0, 0], done[-1].stdout + done[-1].stderr
    assert "ds13-v2-2ndclust" in (there / "review-report" / "review.md").read_text()
    stack.write_text(stack.read_text().replace("maxNodes: 3", "maxNodes: 2"))
    done = workflows.run("deploy", "drift", there, told)
    assert [one.returncode for one in done] == [0, 0], done[-1].stdout + done[-1].stderr
    assert (there / "drift" / "dev.txt").read_text() == ""
    removed = Client(sandbox).arm(
        "DELETE", f"resourceGroups/{GROUP}/{WORKSPACE}/computes/ds3-v2-cluster", api="2025-12-01"
    )
    assert removed.ok, removed.text
    done = workflows.run("deploy", "drift", there, told)
    assert "ds3-v2-cluster" in (there / "drift" / "dev.txt").read_text()
    with running(FakeGitHub()) as github:
        variables = {
            "GITHUB_API_URL": github.url,
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_RUN_ID": "7",
        }
        done = workflows.run("deploy", "report", there, TOLD, **variables)
        assert [one.returncode for one in done] == [0, 0], done[-1].stderr
        [issue] = github.bodies("POST", "/issues")
        assert "ds3-v2-cluster" in issue["body"]


def test_pipelines_keep_no_secret_of_azures() -> None:
    folders = (".github/workflows", "examples/pipelines", "jobs/examples/model_release")
    for file in [file for folder in folders for file in (ROOT / folder).glob("*.yml")]:
        assert "CLIENT_SECRET" not in file.read_text(), file
        assert "secrets." not in file.read_text(), file


def test_nothing_but_the_publishing_workflow_has_rights_on_a_pull_request() -> None:
    for file in workflows.WORKFLOWS.glob("*.yml"):
        content: Any = yaml.safe_load(file.read_text())
        triggers = content[True]  # YAML 1.1 reads `on` as true
        assert "pull_request_target" not in triggers
        if "pull_request" in triggers:
            assert content["permissions"] == {"contents": "read"}
            assert all("permissions" not in job for job in content["jobs"].values())
        if "workflow_run" in triggers:
            uses = [step for job in content["jobs"].values() for step in job["steps"] if "uses" in step]
            assert not [step for step in uses if "ref" in step.get("with", {}) or "download" in step["uses"]]


def test_the_pipeline_to_copy_runs_what_the_workflow_runs() -> None:
    text = (ROOT / "examples" / "pipelines" / "azure-pipelines.yml").read_text()
    for command in ("bash .ci/deploy up prod", "bash .ci/deploy drift prod", "make setup"):
        assert command in text
    yaml.safe_load(text)
