"""Runs the `run:` steps of a workflow as GitHub does, in a copy of the project."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import ROOT

WORKFLOWS = ROOT / ".github" / "workflows"
_LEFT = (
    ".git",
    ".venv",
    ".cache",
    ".sandbox",
    ".mypy_cache",
    ".ruff_cache",
    ".hypothesis",
    "__pycache__",
    "drift",
    "dist",
)
_CONDITION = re.compile(r"failure\(\)|steps\.(?P<step>\w+)\.outcome == 'success'")
_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


def workflow(name: str | Path) -> Any:
    file = name if isinstance(name, Path) else WORKFLOWS / f"{name}.yml"
    return yaml.safe_load(file.read_text())


def steps(name: str | Path, job: str) -> Iterator[tuple[Any, Mapping[str, str]]]:
    """The steps of a job that run a script, with the variables of job and step; expressions are not evaluated."""
    found = workflow(name)["jobs"][job]
    for step in found["steps"]:
        if "run" in step:
            yield step, {**found.get("env", {}), **step.get("env", {})}


def copy(folder: Path) -> Path:
    """A checkout of the project as it is now, with the environment that is here."""
    there = folder / "checkout"
    shutil.copytree(ROOT, there, ignore=shutil.ignore_patterns(*_LEFT))
    (there / ".venv").symlink_to(ROOT / ".venv")
    return there


def commit(folder: Path, message: str) -> None:
    """Commits all that is in a checkout."""
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@t", "-c", "init.defaultBranch=main", "-C", str(folder)]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", message]):
        subprocess.run([*git, *words], check=True, capture_output=True, timeout=60)


def run(
    name: str | Path, job: str, folder: Path, expressions: Mapping[str, str], since: str = "", **variables: str
) -> list[subprocess.CompletedProcess[str]]:
    """Runs the steps of a job with the shell and options of GitHub's runners; after a failure, those for a failure.

    Args:
        name: The workflow, by name or file.
        job: Its job.
        folder: The checkout.
        expressions: What GitHub puts in place of expressions; none may be missing.
        since: The name of the step to begin with; those before it count as fine. All steps if left out.
        variables: More variables.
    """
    done: list[subprocess.CompletedProcess[str]] = []
    found = list(steps(name, job))
    first = next((n for n, (step, _) in enumerate(found) if step.get("name") == since), 0)
    fine = {step.get("id", "") for step, _ in found[:first]}
    for step, env in found[first:]:
        script = step["run"]
        if not _due(step.get("if", ""), any(one.returncode for one in done), fine):
            continue
        assert "${{" not in script, "an expression in a script is an injection"
        told = {key: _EXPRESSION.sub(lambda found: expressions[found[1]], str(value)) for key, value in env.items()}
        done.append(_bash(script, folder, {"GITHUB_ACTIONS": "true", **told, **variables}))
        if not done[-1].returncode:
            fine.add(step.get("id", ""))
    return done


def _due(condition: str, failed: bool, fine: set[str]) -> bool:
    """Whether a step runs: without a condition, while none has failed; `failure()`, and that another step was fine."""
    if not condition:
        return not failed
    parts = [_CONDITION.fullmatch(part.strip()) for part in condition.split("&&")]
    assert all(parts), f"not evaluated here: {condition}"
    return failed and all(part["step"] in fine for part in parts if part and part["step"])


def run_on_azure_devops(file: Path, folder: Path, **variables: str) -> list[subprocess.CompletedProcess[str]]:
    """Runs the scripts of a pipeline for Azure DevOps, until one fails: those of `script` and of the task AzureCLI.

    Args:
        file: The pipeline, with one job.
        folder: The checkout.
        variables: More variables.
    """
    pipeline = yaml.safe_load(file.read_text())
    done = []
    for step in pipeline["jobs"][0]["strategy"]["runOnce"]["deploy"]["steps"]:
        script = step.get("script") or step.get("inputs", {}).get("inlineScript")
        if script:
            done.append(_bash(script, folder, {**pipeline["variables"], **variables}))
            if done[-1].returncode:
                break
    return done


def _bash(script: str, folder: Path, variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script],
        cwd=folder, env={**os.environ, **variables}, capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
