"""The pipelines to copy: their commands are carried out here, in the sandbox, in the order of the file."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from department.__main__ import main as department
from tests.conftest import Sandbox
from tests.program.harness import ROOT
from tests.program.stack import Stack

CHECK = ".venv/bin/python -m department "


def commands(part: Any) -> Iterator[str]:
    """Every line of every script, at any depth."""
    if isinstance(part, list):
        for item in part:
            yield from commands(item)
    elif isinstance(part, dict):
        for key, value in part.items():
            if key in ("run", "script", "inlineScript"):
                yield from value.splitlines()
            else:
                yield from commands(value)


@pytest.mark.parametrize("name", ["github.yml", "azure-pipelines.yml"])
def test_what_a_pipeline_runs_works(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(ROOT)
    for variable, value in sandbox.environment("owner").items():
        monkeypatch.setenv(variable, value)
    stack, done = Stack(sandbox, tmp_path, "prod"), []
    for line in commands(yaml.safe_load((ROOT / "examples" / "pipelines" / name).read_text())):
        if line.startswith(CHECK):
            assert department(shlex.split(line.removeprefix(CHECK))) == 0
            done.append("check")
        elif line.startswith("pulumi "):
            words = [word for word in shlex.split(line)[1:] if word not in ("--stack", stack.name)]
            code, text = stack.run(*words)
            assert code == 0, text
            done.append(words[0])
    assert done == ["check", "preview", "up"]
    assert set(stack.outputs()["teams"]) == {"bluegranit", "forecast"}


def test_pipelines_keep_no_secret_of_azures() -> None:
    for file in (ROOT / "examples" / "pipelines").iterdir():
        text = file.read_text()
        assert "ARM_USE_OIDC" in text
        assert "CLIENT_SECRET" not in text
