"""Changes of more than a stack file: rules, program, packages, a first commit, fifty teams; and a live preview."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.sdk_time import department
from sandbox.providers import plugins
from tests.conftest import Sandbox
from tests.program.stack import KEY
from tests.pulumi_on_path import install
from tests.review.harness import Project
from tests.review.pulls import BASE, IDLE, NODES, changes_of

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3600)]
FILE = BASE.replace("{code}", "p01")
MOST = 8
"""Nodes of a cluster, by policies/base.json."""


def reviewed(project: Project, tmp_path: Path, *words: str) -> tuple[int, dict[str, Any]]:
    """Exit code and report of a review."""
    done = project.review("--base", "main", "--json", *words, TMPDIR=str(tmp_path))
    assert done.stdout, done.stderr
    assert list(tmp_path.glob("azureml-review-*")) == []
    return done.returncode, json.loads(done.stdout)


def made(tmp_path: Path, files: Mapping[str, str]) -> Project:
    return Project.make(tmp_path / "project", files)


def test_a_change_of_the_rules_is_judged_by_the_bases_and_tells_what_it_would_do(tmp_path: Path) -> None:
    project = made(tmp_path, {"Pulumi.one.yaml": FILE.replace("maxNodes: 2", "maxNodes: 20")})
    rules = project.folder / "policies" / "base.json"
    text = rules.read_text()
    rules.write_text(
        text.replace(f'"maxNodes": {MOST}', '"maxNodes": 30').replace('"maxIdleSeconds": 900', '"maxIdleSeconds": 60')
    )
    code, report = reviewed(project, tmp_path)
    [stack] = report["stacks"]
    assert code == 1 and report["made_by"] == "head" and stack["state"] == "same"
    assert [one["rule"] for one in stack["violations"] if one["level"] == "mandatory"] == [NODES]
    assert {(one["rule"], one["state"]) for one in stack["under_new_rules"]} == {(NODES, "fixed"), (IDLE, "new")}


def test_the_heads_pack_is_never_run(tmp_path: Path) -> None:
    project = made(tmp_path, {"Pulumi.one.yaml": FILE})
    project.write(
        {"policies/pack.py": "raise SystemExit(3)", "Pulumi.one.yaml": FILE.replace("maxNodes: 2", "maxNodes: 20")}
    )
    code, report = reviewed(project, tmp_path)
    assert code == 1
    assert [one["rule"] for one in report["stacks"][0]["violations"] if one["state"] == "new"] == [NODES]


def test_a_program_that_fails_says_where(tmp_path: Path) -> None:
    project = made(tmp_path, {"Pulumi.one.yaml": FILE})
    main = project.folder / "__main__.py"
    main.write_text(main.read_text() + "\nraise ValueError('no such thing')\n")
    code, report = reviewed(project, tmp_path)
    [stack] = report["stacks"]
    assert (code, stack["state"]) == (1, "failed")
    said = stack["failures"][0]["message"]
    assert 'File "__main__.py"' in said and stack["costs"] is None and stack["access"] is None and not stack["changes"]
    assert "ValueError: no such thing" in said and f"line {len(main.read_text().splitlines())}, in <module>" in said


def test_a_resource_that_cannot_be_previewed_leaves_costs_and_access_open(tmp_path: Path) -> None:
    project = made(tmp_path, {"Pulumi.one.yaml": FILE})
    main = project.folder / "__main__.py"
    unknown = "import pulumi_azure_native\npulumi_azure_native.network.PublicIPAddress('p', resource_group_name='g')\n"
    main.write_text(unknown + main.read_text())
    code, report = reviewed(project, tmp_path)
    [stack] = report["stacks"]
    assert (code, stack["state"], stack["costs"], stack["access"]) == (1, "failed", None, None)
    assert "PublicIPAddress" in stack["failures"][0]["message"]
    assert {one["state"] for one in stack["violations"]} <= {"new", "standing"}


def test_a_program_gets_its_own_modules_and_packages_that_differ_are_told(tmp_path: Path) -> None:
    project = made(tmp_path, {"Pulumi.one.yaml": FILE})
    scalars = project.folder / "terminal" / "scalars.py"
    scalars.write_text(scalars.read_text() + "\nraise RuntimeError('the head has its own')\n")
    requirements = project.folder / "requirements.txt"
    requirements.write_text(requirements.read_text().replace("pydantic==", "pydantic==99."))
    _, report = reviewed(project, tmp_path)
    assert "RuntimeError: the head has its own" in report["stacks"][0]["failures"][0]["message"]
    [told] = [one for one in report["requirements"] if one["package"] == "pydantic"]
    assert told["head"].startswith("99.") and told["used"] == told["base"]


def test_an_empty_base(tmp_path: Path) -> None:
    project = made(tmp_path, {})
    project.git("checkout", "--quiet", "--orphan", "empty")
    project.git("rm", "--quiet", "-r", "--cached", ".")
    project.git("commit", "--quiet", "--allow-empty", "--message", "nothing")
    project.git("branch", "--force", "main", "empty")
    project.write({"Pulumi.one.yaml": FILE})
    _, report = reviewed(project, tmp_path)
    [stack] = report["stacks"]
    assert stack["state"] == "new" and {one.partition(" ")[0] for one in changes_of(stack)} == {"created"}


def test_only_stack_files_as_data_of_the_bases_program(tmp_path: Path) -> None:
    project = made(tmp_path, {"Pulumi.one.yaml": FILE, "Pulumi.two.yaml": FILE.replace("p01", "p02")})
    project.git("checkout", "--quiet", "-b", "change")
    project.write({"Pulumi.one.yaml": FILE.replace("maxNodes: 2", "maxNodes: 3")})
    project.commit()
    code, report = reviewed(project, tmp_path, "--head", "change", "--stack-files-only")
    assert (code, report["made_by"], report["untouched"]) == (0, "base", ["two"])
    assert changes_of(report["stacks"][0]) == ["updated Compute alpha-p01-cpu"]


def test_fifty_teams(tmp_path: Path) -> None:
    text = yaml.safe_dump({"config": {KEY: department(50, keep_version_aliases=False)}}, sort_keys=False)
    project = made(tmp_path, {"Pulumi.fifty.yaml": text})
    assert "maxNodes: 1" in text
    project.write({"Pulumi.fifty.yaml": text.replace("maxNodes: 1", "maxNodes: 2", 1)})
    _, report = reviewed(project, tmp_path)
    [stack] = report["stacks"]
    assert len(changes_of(stack)) == 1 and len(stack["groups"]) == 50


def test_live_takes_the_state_that_there_is(tmp_path: Path, sandbox: Sandbox) -> None:
    project = made(tmp_path, {"Pulumi.one.yaml": FILE})
    (tmp_path / "state").mkdir()
    plugins.install(tmp_path / "home")
    own = {
        **sandbox.environment(), "PATH": install(tmp_path / "bin"), "PULUMI_BACKEND_URL": (tmp_path / "state").as_uri(),
        "PULUMI_HOME": str(tmp_path / "home"), "PULUMI_CONFIG_PASSPHRASE": "x", "TMPDIR": str(tmp_path),
    }  # fmt: skip
    up = [
        str(tmp_path / "bin" / "pulumi"),
        "up",
        "--stack",
        "one",
        "--yes",
        "--skip-preview",
        "--cwd",
        str(project.folder),
    ]
    done = subprocess.run(up, env={**os.environ, **own}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    project.write({"Pulumi.one.yaml": FILE.replace("maxNodes: 2", "maxNodes: 20")})
    live = project.review("--base", "main", "--live", "--json", **own)
    assert live.returncode == 1, live.stderr
    report = json.loads(live.stdout)
    assert report["live"] and changes_of(report["stacks"][0]) == ["updated Compute alpha-p01-cpu"]
    assert [one["rule"] for one in report["stacks"][0]["violations"] if one["state"] == "new"] == [NODES]
