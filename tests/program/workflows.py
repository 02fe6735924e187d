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
_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


def workflow(name: str) -> Any:
    return yaml.safe_load((WORKFLOWS / f"{name}.yml").read_text())


def steps(name: str, job: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    """The scripts of a job, with the variables of job and step; expressions are not evaluated."""
    found = workflow(name)["jobs"][job]
    for step in found["steps"]:
        if "run" in step:
            yield step["run"], {**found.get("env", {}), **step.get("env", {})}


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
    name: str, job: str, folder: Path, expressions: Mapping[str, str], **variables: str
) -> list[subprocess.CompletedProcess[str]]:
    """Runs the steps of a job, until one fails, with the shell and options of GitHub's runners.

    Args:
        name: The workflow.
        job: Its job.
        folder: The checkout.
        expressions: What GitHub puts in place of expressions; none may be missing.
        variables: More variables.
    """
    done = []
    for script, env in steps(name, job):
        assert "${{" not in script, "an expression in a script is an injection"
        told = {key: _EXPRESSION.sub(lambda found: expressions[found[1]], str(value)) for key, value in env.items()}
        one = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script],
            cwd=folder, env={**os.environ, "GITHUB_ACTIONS": "true", **told, **variables},
            capture_output=True, text=True, timeout=280, check=False,
        )  # fmt: skip
        done.append(one)
        if one.returncode:
            break
    return done
