"""What a review cannot begin with, and what ends it early: one message, exit code 2 (or 130), nothing left behind."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.review.harness import Project
from tests.review.pulls import BASE

FILE = BASE.replace("{code}", "u01")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    made = Project.make(tmp_path_factory.mktemp("usage") / "project", {"Pulumi.dev.yaml": FILE})
    yield made
    assert made.git("status", "--porcelain") == ""
    assert len(made.git("worktree", "list").splitlines()) == 1


def refused(project: Project, tmp_path: Path, *words: str, **variables: str) -> str:
    """The message of a review that does not begin."""
    done = project.review(*words, TMPDIR=str(tmp_path), **variables)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert "Traceback" not in done.stderr and list(tmp_path.glob("azureml-review-*")) == []
    return done.stderr


def test_a_revision_that_is_not_there(project: Project, tmp_path: Path) -> None:
    assert "no revision 'nowhere'" in refused(project, tmp_path, "--base", "nowhere")
    assert "no revision '--output=x'" in refused(project, tmp_path, "--base=--output=x")


def test_a_stack_that_is_not_there(project: Project, tmp_path: Path) -> None:
    said = refused(project, tmp_path, "--base", "main", "--stack", "prod")
    assert "no stack 'prod'" in said and "dev" in said


def test_a_loss_of_nothing(project: Project, tmp_path: Path) -> None:
    assert "'alpha-lake' is no URN" in refused(project, tmp_path, "--base", "main", "--accept-loss", "alpha-lake")
    urn = "urn:pulumi:prod::azureml-platform::azure-native:storage:StorageAccount::alpha-lake"
    said = refused(project, tmp_path, "--base", "main", "--accept-loss", urn)
    assert "stack 'prod'" in said and "dev" in said


def test_a_loss_in_a_stack_that_is_not_reviewed_is_told(project: Project, tmp_path: Path) -> None:
    urn = "urn:pulumi:dev::azureml-platform::azure-native:storage:StorageAccount::alpha-lake"
    done = project.review("--base", "main", "--accept-loss", urn, TMPDIR=str(tmp_path))
    assert done.returncode == 0 and f"--accept-loss {urn}: its stack is not previewed" in done.stdout


def test_no_base(project: Project, tmp_path: Path) -> None:
    assert "--base" in refused(project, tmp_path, "--stack", "dev")


def test_two_forms(project: Project, tmp_path: Path) -> None:
    assert "one form" in refused(project, tmp_path, "--base", "main", "--json", "--html")


def test_files_that_cannot_be_read_or_written(project: Project, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    assert "is a file" in refused(project, tmp_path, "--base", "main", "--output", str(file))
    for wrong in (tmp_path / "nothing", tmp_path):
        command = [sys.executable, "-m", "review", "render", str(wrong)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (2, "") and str(wrong) in done.stderr, done.stderr


def test_no_git(project: Project, tmp_path: Path) -> None:
    assert "git is not installed" in refused(project, tmp_path, "--base", "main", PATH=str(tmp_path))


def test_no_repository_and_no_project(project: Project, tmp_path: Path) -> None:
    alone = Project(tmp_path / "alone")
    alone.folder.mkdir()
    assert "no Pulumi.yaml" in refused(alone, tmp_path, "--base", "main")
    shutil.copy(project.folder / "Pulumi.yaml", alone.folder)
    said = refused(alone, tmp_path, "--base", "main", GIT_CEILING_DIRECTORIES=str(tmp_path))
    assert "not a git repository" in said


def test_more_than_stack_files(project: Project, tmp_path: Path) -> None:
    project.write({"__main__.py": "raise SystemExit"})
    try:
        said = refused(project, tmp_path, "--base", "main", "--stack-files-only")
        assert "also __main__.py" in said
    finally:
        project.git("checkout", "--quiet", ".")


def test_live_without_pulumi(project: Project, tmp_path: Path) -> None:
    git = tmp_path / "bin"
    git.mkdir()
    (git / "git").symlink_to(shutil.which("git") or "git")
    said = refused(project, tmp_path, "--base", "main", "--live", "--stack", "dev", PATH=str(git))
    assert "not on PATH" in said


def test_a_sandbox_that_cannot_start(project: Project, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(ROOT / "review", broken / "review")
    for room in ("terminal", "settings", "catalogue", "contract", "operations", "policies"):
        (broken / room).symlink_to(ROOT / room)
    (broken / "sandbox" / "azure").mkdir(parents=True)
    shutil.copy(ROOT / "sandbox" / "azure" / "seed.yaml", broken / "sandbox" / "azure")
    (broken / "sandbox" / "__init__.py").touch()
    (broken / "sandbox" / "__main__.py").write_text("raise SystemExit('error: no room on this machine')")
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "review", "--base", "main", "--stack", "dev", "--project", str(project.folder)],
        cwd=broken, env={**os.environ, "TMPDIR": str(temporary)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert "cannot start: no room on this machine" in done.stderr and "Traceback" not in done.stderr
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_end_before_time_leaves_no_process_and_no_folder(
    project: Project, tmp_path: Path, number: signal.Signals
) -> None:
    command = [sys.executable, "-m", "review", "--base", "main", "--stack", "dev", "--project", str(project.folder)]
    with subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "TMPDIR": str(tmp_path)}, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr
        assert "bringing" in process.stderr.readline()  # the sandbox runs, and the engine is beginning
        while list(tmp_path.iterdir()):  # whoever is impatient does not end the tidying up
            process.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.1)
        rest = process.stderr.read()
    assert process.returncode == 130 and "Traceback" not in rest, rest
    assert list(tmp_path.iterdir()) == []
    assert _processes(str(tmp_path)) == []


def test_an_end_while_the_sandbox_starts_leaves_nothing_either(project: Project, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "review", "--base", "main", "--stack", "dev", "--project", str(project.folder)]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        while not any(_has(entry, str(tmp_path), "daemon") for entry in Path("/proc").glob("[0-9]*")):
            assert process.poll() is None, process.stderr.read()
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert process.returncode == 130 and "Traceback" not in rest, rest
    assert list(tmp_path.iterdir()) == []
    assert _processes(str(tmp_path)) == []


def _processes(part: str) -> list[str]:
    """The commands of processes that were started with a text in their environment, which end at once if at all."""
    deadline = time.monotonic() + 10
    while found := [entry.name for entry in Path("/proc").glob("[0-9]*") if _has(entry, part)]:
        if time.monotonic() > deadline:
            return found
    return []


def _has(process: Path, part: str, command: str = "") -> bool:
    try:
        called = command.encode() in (process / "cmdline").read_bytes()
        return called and part.encode() in (process / "environ").read_bytes() and process.name != str(os.getpid())
    except OSError:
        return False
