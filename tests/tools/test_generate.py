"""Generated files: a stale one is found, and written anew."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tools.generate import FILES


def tools(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tools", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{folder}:{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(name="copy")
def copied(tmp_path: Path) -> Path:
    """A folder with the tools and what they read and write; the other rooms are those of the repository."""
    for room in ("tools", "docs", "policies", "catalogue"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("requirements.txt", "pyproject.toml", *FILES):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    return tmp_path


def test_a_stale_file_is_named_and_written_anew(copy: Path) -> None:
    page, schema = copy / "docs" / "settings.md", copy / "docs" / "outputs.schema.json"
    right = page.read_text()
    page.write_text(right + "by hand\n")
    schema.unlink()
    checked = tools(copy, "generate", "--check")
    assert checked.returncode == 1
    assert sorted(checked.stderr.splitlines()) == [
        "docs/outputs.schema.json is stale: run `make generate`",
        "docs/settings.md is stale: run `make generate`",
    ]
    assert not schema.exists()
    assert tools(copy, "generate").returncode == 0
    assert page.read_text() == right
    assert schema.read_text() == (ROOT / "docs" / "outputs.schema.json").read_text()
    assert tools(copy, "generate", "--check").returncode == 0


def test_what_cannot_be_refreshed_is_refused(copy: Path) -> None:
    done = tools(copy, "refresh", "weather")
    assert done.returncode == 1
    assert done.stderr.startswith("error: 'weather' cannot be refreshed; choose from: prices")
