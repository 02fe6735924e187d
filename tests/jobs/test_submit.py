"""`python -m jobs` on a real stack: the embedded engine brings it up, the sandbox runs the jobs."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import ROOT, Sandbox
from tests.pulumi_on_path import install as install_pulumi
from tests.supply.wheel import build, install

JOB = """
type: command
display_name: {name}
command: {command}
code: src
environment: {{image: "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04", conda_file: conda.yml}}
compute: azureml:ds3-v2-cluster
outputs: {{model: {{type: uri_folder}}}}
"""
CONDA = "name: none\ndependencies: [python=3.11]\n"


SESSION = """
import contextlib, io, json, sys
from jobs.__main__ import main
ended = []
for words in json.loads(sys.argv[1]):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(words)
    ended.append((code, out.getvalue(), err.getvalue()))
print(json.dumps(ended))
"""


@dataclass(frozen=True)
class Done:
    """How a command of a session ended."""

    returncode: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Platform:
    """The dev stack, up, and its people."""

    sandbox: Sandbox
    folder: Path

    def job(self, name: str, command: str) -> str:
        """A job's folder with this command."""
        folder = self.folder / name
        (folder / "src").mkdir(parents=True)
        (folder / "src" / "hello.py").write_text("print('hello from the cluster')\n")
        (folder / "conda.yml").write_text(CONDA)
        (folder / "job.yml").write_text(JOB.format(name=name, command=json.dumps(command)))
        return str(folder)

    def jobs(self, *words: str, persona: str = "scientist") -> subprocess.CompletedProcess[str]:
        """Runs `python -m jobs WORDS` as this person."""
        done = subprocess.run(
            [sys.executable, "-m", "jobs", *words, "--stack", "dev"],
            cwd=ROOT,
            env=self.environment(persona),
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert "Traceback (most recent call last)" not in done.stderr
        return done

    def session(self, *commands: tuple[str, ...], persona: str = "scientist") -> list[Done]:
        """Runs commands one after the other in one process, which loads azure-ai-ml once."""
        done = subprocess.run(
            [sys.executable, "-c", SESSION, json.dumps([[*words, "--stack", "dev"] for words in commands])],
            cwd=ROOT,
            env=self.environment(persona),
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return [Done(*one) for one in json.loads(done.stdout)]

    def environment(self, persona: str) -> dict[str, str]:
        """A person's shell. The SDK's shortest poll, as it otherwise waits for seconds after a run's end."""
        own = {"SANDBOX_DIR": str(self.sandbox.directory), "AZUREML_RUN_POLLING_INTERVAL_MIN": "1"}
        return {**os.environ, **self.sandbox.environment(persona), **own}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    folder = tmp_path_factory.mktemp("platform")
    sandbox = Sandbox(folder / ".sandbox")
    sandbox.start()
    try:
        done = sandbox.command("pulumi", "up", "-s", "dev", "--yes", "--skip-preview")
        assert done.returncode == 0, done.stdout + done.stderr
        yield Platform(sandbox, folder)
    finally:
        sandbox.stop()


@pytest.fixture(scope="module")
def hello(platform: Platform) -> str:
    """The name of a run that has completed."""
    done = platform.jobs("submit", platform.job("hello", "python hello.py"), "--stream", "--json")
    assert done.returncode == 0, done.stderr
    assert "hello from the cluster" in done.stderr
    run = json.loads(done.stdout)
    assert run["status"] == "Completed"
    return str(run["name"])


def test_a_run_is_listed_shown_and_its_log_read(platform: Platform, hello: str) -> None:
    listed = json.loads(platform.jobs("ps", "--json").stdout)
    assert hello in [run["name"] for run in listed]
    shown = json.loads(platform.jobs("show", hello, "--json").stdout)
    assert shown["cluster"] == "ds3-v2-cluster"
    assert "hello from the cluster" in platform.jobs("logs", hello).stdout


def test_the_installed_client_needs_the_outputs_alone(platform: Platform, hello: str, tmp_path: Path) -> None:
    client = install(build(tmp_path), "jobs", tmp_path / "venv") / "azureml-jobs"
    outputs = platform.sandbox.command("pulumi", "stack", "output", "-s", "dev", "--json")
    (tmp_path / "outputs.json").write_text(outputs.stdout)
    done = subprocess.run(
        [client, "ps", "--json", "--outputs", "outputs.json"],
        cwd=tmp_path,
        env=platform.environment("scientist"),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert hello in [run["name"] for run in json.loads(done.stdout)]


def test_a_failing_script_is_a_failed_run_with_its_log(platform: Platform) -> None:
    done = platform.jobs("submit", platform.job("failing", "python missing.py"), "--stream")
    assert done.returncode == 1
    assert re.search(r"error: run \S+ ended as Failed: .* Error: .*missing.py.*No such file", done.stderr), done.stderr
    assert "missing.py" in done.stdout


def test_cancel_ends_a_run(platform: Platform) -> None:
    run = json.loads(platform.jobs("submit", platform.job("long", "sleep 600"), "--json").stdout)["name"]
    assert platform.jobs("cancel", run).returncode == 0
    done = platform.jobs("logs", run, "--follow")
    assert "Canceled" in done.stdout + done.stderr


def test_who_has_no_right_to_the_lake_is_told_so(platform: Platform) -> None:
    """The platform's owner manages the lake's account, yet has no role on its data, as in Azure."""
    done = platform.jobs("submit", "highspenders", persona="owner")
    assert done.returncode == 1
    assert "input.csv cannot be uploaded to MLData" in done.stderr
    assert "Storage Blob Data Contributor" in done.stderr


@pytest.mark.parametrize(("workspace", "uploaded"), [("", True), ("other", False)])
def test_the_long_address_of_an_input(platform: Platform, workspace: str, uploaded: bool) -> None:
    """It names the workspace. Another workspace's place is not uploaded to."""
    outputs = json.loads(platform.sandbox.command("pulumi", "stack", "output", "-s", "dev", "--json").stdout)
    address = outputs["teams"]["bluegranit"]["datastores"]["MLData"]["uri"].replace(
        "/datastores", f"{workspace}/datastores"
    )
    name = f"long{workspace or 'own'}"
    folder = Path(platform.job(name, "python hello.py"))
    (folder / f"{name}.csv").write_text("1,2")
    with (folder / "job.yml").open("a") as job:
        job.write(f"inputs: {{data: {{type: uri_file, path: '{address}long/{name}.csv'}}}}\n")
    done = platform.jobs("submit", str(folder))
    assert done.returncode == 0, done.stderr
    assert (f"{name}.csv uploaded to MLData/long/{name}.csv" in done.stdout + done.stderr) == uploaded


def test_the_guides_own_client_code_runs(platform: Platform, hello: str) -> None:
    """The snippet with which the guide does the same without this module; `pulumi` is the embedded engine here."""
    guide = (ROOT / "docs" / "jobs.md").read_text()
    snippet = next(code for code in re.findall(r"```python\n(.*?)```", guide, re.DOTALL) if "MLClient" in code)
    command = platform.folder / "bin" / "pulumi"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nSANDBOX_ENGINE=embedded exec {sys.executable} -m sandbox pulumi "$@"\n')
    command.chmod(0o755)
    environment = platform.environment("scientist")
    done = subprocess.run(
        [sys.executable, "-c", snippet.replace("jobs/examples/highspenders", str(platform.folder / "hello"))],
        cwd=ROOT,
        env={**environment, "PATH": f"{command.parent}:{environment['PATH']}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "1", "the registered model's first version"


@pytest.mark.parametrize("engine", ["", "embedded"])
def test_a_pulumi_on_path_without_a_login_does_not_matter(platform: Platform, hello: str, engine: str) -> None:
    """The stack is in the sandbox's folder, where a bare `pulumi` would not look."""
    path = install_pulumi(platform.folder / "path")
    done = subprocess.run(
        [sys.executable, "-m", "jobs", "ps", "--json", "--stack", "dev"],
        cwd=ROOT,
        env={**platform.environment("scientist"), "PATH": path, "SANDBOX_ENGINE": engine},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert hello in [run["name"] for run in json.loads(done.stdout)]


def test_doctor_finds_a_data_scientist_fine_and_others_are_told_what_they_lack(platform: Platform) -> None:
    (scientist,) = platform.session(("doctor",))
    assert scientist.returncode == 0, scientist.stdout
    assert "WRONG" not in scientist.stdout
    assert "ok     datastore MLData: you may read and write it" in scientist.stdout
    assert "ok     cluster ds3-v2-cluster: " in scientist.stdout
    (owner,) = platform.session(("doctor", "--json"), persona="owner")
    assert owner.returncode == 1
    wrong = {one["check"]: one["said"] for one in json.loads(owner.stdout) if not one["fine"]}
    assert list(wrong) == ["datastore MLData"]
    assert "needed is the role Storage Blob Data Reader on file system fs1" in wrong["datastore MLData"]
