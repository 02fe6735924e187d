"""`make verify-azure` with the sandbox in the subscription's place: it asks, tests, removes, reports, verifies rows."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.azure.client import Client
from tests.conftest import ROOT, Sandbox
from tools.verify.report import Result, markdown, verify_rows
from tools.verify.resources import VerifyError

PAGE = """# Page

| Behaviour | Source |
|---|---|
| First thing \\| more | documented: somewhere; the code assumed |
| Second thing | **assumed** (our guess) |
| Third thing | documented |
"""
WHERE = "2026-11-29, eastus2"


def results(**outcomes: str) -> list[Result]:
    return [Result(f"test_{row}", "page.md", f"{row} thing", outcome, "text") for row, outcome in outcomes.items()]


def test_rows_that_hold_are_verified(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    found = results(First="passed", Second="passed", Third="passed")
    assert verify_rows(tmp_path, found, where=WHERE) == ["page.md: First thing", "page.md: Second thing"]
    assert page.read_text() == PAGE.replace("the code assumed", f"the code **verified** ({WHERE})").replace(
        "**assumed** (our", f"**verified** ({WHERE}) (our"
    )


def test_rows_that_differ_or_were_skipped_stay_assumed(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(PAGE)
    found = [*results(First="passed", Second="skipped"), *results(First="failed")]
    assert verify_rows(tmp_path, found, where=WHERE) == []
    assert (tmp_path / "page.md").read_text() == PAGE


def test_a_row_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(PAGE)
    with pytest.raises(VerifyError, match="0 rows begin with 'Fourth thing'"):
        verify_rows(tmp_path, results(Fourth="passed"), where=WHERE)


def test_the_report_has_what_differed() -> None:
    report = markdown(results(First="passed", Second="failed"), ["removed: x"], [], where=WHERE, real=True)
    assert "### test_Second\n\n```\ntext\n```" in report
    assert "test_First |" in report
    assert "- removed: x" in report


def verify(sandbox: Sandbox, folder: Path, *options: str, answer: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tools", "verify-azure", "--report", str(folder / "report.md"), *options],
        cwd=ROOT,
        env={**os.environ, **sandbox.environment("owner")},
        input=answer,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def groups(sandbox: Sandbox) -> list[str]:
    listed = Client(sandbox).arm("GET", "resourcegroups").json()["value"]
    return [group["name"] for group in listed if group["name"].startswith("verify-")]


def test_nothing_is_made_unless_the_answer_is_yes(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    before = groups(shared_sandbox)
    done = verify(shared_sandbox, tmp_path, answer="n\n")
    assert done.returncode == 1
    assert "subscription 8b41ca0c-0c5a-4c01-b49b-5bb8d329cc27, region eastus2" in done.stdout
    assert "Traceback" not in done.stderr
    assert (groups(shared_sandbox), list(tmp_path.iterdir())) == (before, [])


def test_a_run_verifies_rows_and_removes_what_it_made(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    before = groups(shared_sandbox)
    pages = tmp_path / "fidelity"
    shutil.copytree(ROOT / "docs" / "fidelity", pages)
    wrong = pages / "arm.md"  # a row that the tests do not find true is not verified
    done = verify(shared_sandbox, tmp_path, "--yes", "--pages", str(pages), "-k", "read_only_lock or secret_is_not")
    assert done.returncode == 0, done.stdout + done.stderr
    assert groups(shared_sandbox) == before
    assert done.stdout.count("\nremoved: ") == 2, "the group, and its vault for good"
    assert done.stdout.count("NOT removed") == 0
    changed = [line for line in wrong.read_text().splitlines() if "**verified** (" in line]
    assert [line[:12] for line in changed] == ["| ReadOnly a", "| Secrets th"]
    report = (tmp_path / "report.md").read_text()
    assert report.startswith("# Verified against the sandbox, which proves nothing about Azure")
    assert "| test_a_read_only_lock_blocks_actions | arm.md: ReadOnly also blocks PUT | passed |" in report


def test_the_projects_own_pages_are_not_changed_by_a_sandbox(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    before = (ROOT / "docs" / "fidelity" / "arm.md").read_text()
    done = verify(shared_sandbox, tmp_path, "--yes", "-k", "test_tags_have_limits")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (ROOT / "docs" / "fidelity" / "arm.md").read_text() == before
