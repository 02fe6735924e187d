"""`python -m jobs` on a real stack: the embedded engine brings it up, the sandbox runs the jobs."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.jobs.platform import Platform
from tests.pulumi_on_path import install as install_pulumi
from tests.supply.wheel import build, install


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


def test_a_full_cluster_and_a_name_that_is_taken(platform: Platform) -> None:
    """The cluster has one node. A run is cancelled while it waits, and while it runs."""
    submit = ("submit", platform.job("full", "sleep 600"), "--set")
    commands = {
        "first": (*submit, "name=full_first"),
        "second": (*submit, "name=full_second"),
        "waits": ("show", "full_second", "--json"),
        "taken": (*submit, "name=full_first"),
        "waiting cancelled": ("cancel", "full_second"),
        "running cancelled": ("cancel", "full_first"),
    }
    done = dict(zip(commands, platform.session(*commands.values()), strict=True))
    failed = {name: one.stderr for name, one in done.items() if one.returncode}
    assert set(failed) == {"taken"}, failed
    assert "there is a run 'full_first' already" in failed["taken"]
    waits = json.loads(done["waits"].stdout)
    assert (waits["status"], waits["waits_for"]) == ("Queued", "all 1 nodes of ds3-v2-cluster are busy")
    assert done["waiting cancelled"].stdout == "run full_second is Canceled\n"
    assert done["running cancelled"].stdout.startswith("run full_first is Cancel")


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
    path = f"{command.parent}:{platform.environment('scientist')['PATH']}"
    done = platform.python(
        "-c", snippet.replace("jobs/examples/highspenders", str(platform.folder / "hello")), PATH=path
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "1", "the registered model's first version"


@pytest.mark.parametrize("engine", ["", "embedded"])
def test_a_pulumi_on_path_without_a_login_does_not_matter(platform: Platform, hello: str, engine: str) -> None:
    """The stack is in the sandbox's folder, where a bare `pulumi` would not look."""
    path = install_pulumi(platform.folder / "path")
    done = platform.python("-m", "jobs", "ps", "--json", "--stack", "dev", PATH=path, SANDBOX_ENGINE=engine)
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
