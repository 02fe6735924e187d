"""What gets in: pinned packages with hashes, licences that are allowed; and what an audit may be believed."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.supply.audit import PASSED, SKIPPED, VULNERABLE, verdict
from tools.licences import LicenceError, allowed, licence, listing, packages

REQUIREMENTS = (ROOT / "requirements.txt").read_text()


@pytest.mark.parametrize("file", ["requirements.txt", "tests/proof/models.txt"])
def test_every_package_is_pinned_with_hashes(file: str) -> None:
    blocks = re.split(r"\n(?=\S)", (ROOT / file).read_text().strip())
    pinned = [block for block in blocks if not block.startswith("#")]
    assert len(pinned) > 1
    assert all(re.match(r"[\w.-]+(\[[\w,-]+\])?==[\w.+!]+", block) and "--hash=sha256:" in block for block in pinned)


def test_setting_up_takes_nothing_without_a_hash(tmp_path: Path) -> None:
    lines = [
        line for line in (ROOT / "Makefile").read_text().splitlines() if "pip sync" in line or "pip install" in line
    ]
    assert len(lines) == 2
    assert all("--require-hashes" in line for line in lines)
    loose = tmp_path / "requirements.txt"
    loose.write_text("idna==3.11\n")
    uv = str(Path(sys.executable).with_name("uv"))
    command = [
        uv,
        "pip",
        "install",
        "--require-hashes",
        "--dry-run",
        "--offline",
        "--target",
        str(tmp_path),
        "-r",
        str(loose),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "hash" in done.stderr


def test_each_exception_from_the_security_rules_has_its_reason() -> None:
    rooms = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]
    lines = [line for room in rooms for file in (ROOT / room).rglob("*.py") for line in file.read_text().splitlines()]
    found = [line for line in lines if re.search(r"# noqa: .*\bS\d{3}", line)]
    assert len(found) > 10
    assert [line for line in found if re.search(r"\bS\d{3}(, [A-Z]+\d+)*$", line)] == []


def test_the_list_of_licences_is_of_all_packages() -> None:
    text = (ROOT / "docs" / "licences.md").read_text()
    assert all(f"| {name} | {version} |" in text for name, version in packages(REQUIREMENTS))


@pytest.mark.parametrize(
    ("expression", "may"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("MIT OR GPL-3.0-only", True),
        ("MIT AND GPL-3.0-only", False),
        ("Proprietary", False),
    ],
)
def test_a_licence_that_is_not_allowed_is_refused(expression: str, may: bool) -> None:
    assert allowed(expression) is may
    found = {("idna", "1.0"): "BSD-3-Clause", ("thing", "2.0"): expression}
    if may:
        assert f"| thing | 2.0 | {expression} |" in listing(found)
    else:
        with pytest.raises(LicenceError, match=r"thing 2\.0"):
            listing(found)


def test_a_package_that_tells_no_licence_or_is_another_version_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "silent-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: silent\nVersion: 1.0\nLicense: see the file\n")
    monkeypatch.syspath_prepend(tmp_path)
    for name, version, said in (("silent", "1.0", "no licence"), ("silent", "2.0", "pinned"), ("absent", "1", "setup")):
        with pytest.raises(LicenceError, match=said):
            licence(name, version)


def report(*found: dict[str, Any]) -> str:
    return json.dumps({"dependencies": [{"name": f"p{n}", **one} for n, one in enumerate(found)], "fixes": []})


FINE: dict[str, Any] = {"version": "1", "vulns": []}
BAD = {"version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]}
UNKNOWN = {"skip_reason": "Dependency not found on PyPI and could not be audited: p (1)"}


@pytest.mark.parametrize(
    ("output", "code", "said"),
    [
        (report(FINE, FINE), PASSED, "2 packages, no vulnerability"),
        (report(FINE, BAD, UNKNOWN), VULNERABLE, "p1 1: PYSEC-1, mended in 2"),
        (report(FINE, UNKNOWN), SKIPPED, "SKIPPED: 1 of 2"),
        (report(), SKIPPED, "SKIPPED"),
        ("", SKIPPED, "no route to host"),
        ("Traceback", SKIPPED, "SKIPPED"),
    ],
)
def test_only_what_was_looked_up_is_called_safe(output: str, code: int, said: str) -> None:
    found, lines = verdict(output, "some\nno route to host\n")
    assert found == code
    assert said in "\n".join(lines)


def test_actions_are_pinned_by_commit() -> None:
    folders = (".github/workflows", "examples/pipelines", "jobs/examples/model_release")
    files = [file for folder in folders for file in (ROOT / folder).glob("*.yml")]
    uses = [line for file in files for line in file.read_text().splitlines() if "uses:" in line.split()]
    assert len(uses) > 5
    assert [line for line in uses if not re.search(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)] == []
