"""`submit --local`: the job's file on this machine, without outputs, sign-in or cloud; and no process left behind."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Sandbox
from tests.jobs.platform import CONDA, Platform
from tests.jobs.test_cli import run, signed_out

JOB = """\
type: command
display_name: hello
command: python hello.py ${{inputs.data}} ${{outputs.model}}
code: src
environment: {image: i, conda_file: conda.yml}
compute: cheapest
inputs: {data: {type: uri_file, datastore: Lake, path: a/b.csv}}
outputs: {model: {type: uri_folder}}
"""
SCRIPT = """\
import pathlib, sys
text = pathlib.Path(sys.argv[1]).read_text()
out = pathlib.Path(sys.argv[2])
out.mkdir(parents=True, exist_ok=True)
(out / "model.txt").write_text(text)
print("read", text)
"""


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """The folder of a job that reads a file of a data lake and writes a model."""
    folder = tmp_path / "hello"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "hello.py").write_text(SCRIPT)
    (folder / "conda.yml").write_text(CONDA)
    (folder / "job.yml").write_text(JOB)
    return folder


def without_stack(folder: Path) -> dict[str, str]:
    """The variables of a shell that has no sandbox and no `pulumi`, and keeps its cache in the folder."""
    return {"SANDBOX_DIR": str(folder / "none"), "XDG_CACHE_HOME": str(folder), "PATH": "/usr/bin:/bin"}


@pytest.fixture
def here(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs `submit --local` where there is no stack."""

    def submit(*words: str) -> subprocess.CompletedProcess[str]:
        return run("submit", *words, "--local", cwd=tmp_path, timeout=200, **without_stack(tmp_path))

    return submit


def left_behind(folder: Path) -> list[Sandbox]:
    """The sandboxes that still run below a folder."""
    found = [Sandbox(path) for path in folder.glob("azureml-jobs/local/*/sandbox")]
    assert found
    return [one for one in found if one.command("status").returncode == 0]


def test_a_job_runs_here_and_leaves_its_outputs(
    here: Callable[..., subprocess.CompletedProcess[str]], job: Path, tmp_path: Path
) -> None:
    (job / "b.csv").write_text("1,2")
    done = here(str(job))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "read 1,2" in done.stdout
    assert (tmp_path / "local" / "hello" / "named-outputs" / "model" / "model.txt").read_text() == "1,2"
    assert not left_behind(tmp_path)
    failed = here(str(job), "--set", "command=exit 3")
    assert (failed.returncode, "ended as Failed" in failed.stderr) == (1, True), failed.stderr
    assert not (tmp_path / "local" / "hello" / "named-outputs").exists(), "of the run before"
    assert not left_behind(tmp_path)


def test_what_is_not_here_is_named_and_may_be_given(
    here: Callable[..., subprocess.CompletedProcess[str]], job: Path, tmp_path: Path
) -> None:
    absent = here(str(job))
    assert absent.returncode == 1
    assert "input data is not on this machine: azureml://datastores/Lake/paths/a/b.csv" in absent.stderr
    assert "--input data=PATH" in absent.stderr
    (tmp_path / "other.csv").write_text("3,4")
    given = here(str(job), "--input", "data=other.csv", "--to", "results", "--json")
    assert given.returncode == 0, given.stderr
    assert (tmp_path / "results" / "named-outputs" / "model" / "model.txt").read_text() == "3,4"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--register", "m"), 2, "--register needs a run in the workspace"),
        (("--stack", "dev"), 1, "no outputs of stack dev"),
    ],
)
def test_what_cannot_run_here(
    here: Callable[..., subprocess.CompletedProcess[str]], job: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    done = here(str(job), *words)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr


def test_a_change_runs_it_again(job: Path, tmp_path: Path) -> None:
    (job / "b.csv").write_text("first")
    command = [sys.executable, "-m", "jobs", "submit", str(job), "--local", "--watch"]
    shell = signed_out(without_stack(tmp_path))
    with subprocess.Popen(
        command, cwd=tmp_path, env=shell, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout

        def until(text: str) -> list[str]:
            lines = []
            for line in process.stdout or ():
                lines.append(line.rstrip())
                if text in line:
                    return lines
            raise AssertionError("\n".join(lines))

        assert "read first" in until("waiting for a change")
        (job / "src" / "hello.py").write_text("1 / 0\n")
        assert any("ZeroDivisionError" in line for line in until("waiting for a change"))
        (job / "src" / "hello.py").write_text(SCRIPT)
        assert "read first" in until("waiting for a change")
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 128 + signal.SIGTERM
    assert not left_behind(tmp_path)


def test_the_same_file_here_and_on_the_cluster(platform: Platform, tmp_path: Path) -> None:
    """From a shell of a sandbox, whose proxy must not lead the local one's packages astray."""
    folder = platform.job("both", "python hello.py")
    to = str(tmp_path / "results")
    for words in (("--local", "--to", to), ("--stream",)):
        done = platform.jobs("submit", folder, *words)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "hello from the cluster" in done.stdout
