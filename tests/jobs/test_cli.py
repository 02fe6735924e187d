"""The command line as people meet it: processes, exit codes, one clear message and never a traceback."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.conftest import EXAMPLE, OUTPUTS, ROOT

JOB = """\
type: command
command: echo hello
environment: {image: ubuntu}
"""
LAKE = OUTPUTS["teams"]["bluegranit"]["datastores"]["MLData"]["uri"].replace("MLData", "Lake")


def signed_out(variables: dict[str, str]) -> dict[str, str]:
    """The variables of a shell in which nobody is signed in, with some more."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AZURE_", "ARM_"))}
    kept = {key: value for key, value in kept.items() if key.lower() not in ("https_proxy", "http_proxy")}
    cache = os.environ.get("XDG_CACHE_HOME", os.devnull)  # a file: the user's own names stay as they are
    own = {"PYTHONPATH": str(ROOT), "AZURE_TOKEN_CREDENTIALS": "EnvironmentCredential", "XDG_CACHE_HOME": cache}
    return kept | own | variables


def run(*arguments: str, cwd: Path = ROOT, timeout: float = 60, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m jobs` as somebody who is signed in nowhere."""
    command = [sys.executable, "-m", "jobs", *arguments]
    return subprocess.run(
        command, cwd=cwd, env=signed_out(variables), capture_output=True, text=True, timeout=timeout, check=False
    )


def saved(folder: Path, outputs: Any) -> str:
    """Save outputs, or any text, as a file; returns its path."""
    file = folder / "outputs.json"
    file.write_text(outputs if isinstance(outputs, str) else json.dumps(outputs))
    return str(file)


def refused(done: subprocess.CompletedProcess[str], *said: str, code: int = 1) -> None:
    """Assert a failure with one message that says all of this."""
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 5
    for part in said:
        assert part in done.stderr


def test_help_is_quick_because_it_loads_no_client() -> None:
    script = "import sys, jobs.__main__ as m\ntry: m.main(['--help'])\nfinally: print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert all(command in done.stdout for command in ("submit", "ps", "logs", "show", "cancel"))
    assert not {"azure.core", "azure.ai.ml", "pydantic", "requests"} & set(done.stderr.split())


@pytest.mark.parametrize(
    "arguments", [[], ["sumbit"], ["submit"], ["ps", "--steam"], ["logs"], ["show"], ["cancel", "a", "b"]]
)
def test_wrong_usage_exits_with_2(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "'python -m jobs" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("env --format yaml", "'yaml' is not one of 'config.json', 'az', 'exports'"),
        ("env --format az --automation seed", "--format prints no secret"),
        ("schedule create x highspenders", "say when: either --cron"),
        ("schedule create x highspenders --every year", "'year' is not one of 'minute', 'hour'"),
        ("schedule create x highspenders --every day --at 6", "a time is written HH:MM"),
        ("schedule create x highspenders --every day --on 1", "--on goes with --every week"),
        ("schedule create x highspenders --every month --on mon", "--on mon: must be a day of the week"),
        ("schedule create x highspenders --every week --on 1", "is a day of the month"),
        ("schedule create x highspenders --every hour --at 06:30", "not with hour"),
        ("schedule create x highspenders --cron 0_7_*_*_* --at 06:30", "--at and --on go with --every"),
        ("data register x README.md --type file", "'file' is not one of 'uri_file', 'uri_folder', 'mltable'"),
        ("models register x README.md --type model", "'model' is not one of 'custom_model', 'mlflow_model'"),
        ("ps --status cancelled", "--status cancelled: must be one of NotStarted,"),
        ("ps --watch --json", "leave out --json"),
        ("cost --from tomorrow", "--from tomorrow: write a day as 2026-11-01"),
        ("compare one_run", "compare needs two runs"),
        ("cancel latest", "latest: name the run, as `python -m jobs ps` lists it"),
        ("retry latest~1", "latest~1: name the run"),
        ("submit highspenders --watch", "--watch goes with --local"),
        ("submit highspenders --to there", "--to goes with --local"),
        ("submit highspenders --local --register m", "--register needs a run in the workspace"),
        ("submit highspenders --input data", "--input data: write NAME=VALUE"),
    ],
)
def test_wrong_words_exit_with_2_before_anything_is_asked(words: str, said: str) -> None:
    """Without outputs or a sign-in: the words are judged first."""
    refused(run(*words.split(), "--stack", "nowhere"), said, code=2)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "is not JSON"),
        ("[]", "these are not a department's outputs"),
        (OUTPUTS | {"contract": 2}, "is of contract 2, and this version of jobs reads contract 1"),
        (OUTPUTS | {"teams": {"bluegranit": {}}}, "teams.bluegranit.subscriptionId: Field required"),
    ],
)
def test_a_wrong_outputs_file(tmp_path: Path, content: Any, said: str) -> None:
    file = saved(tmp_path, content)
    refused(run("ps", "--outputs", file), file, said)


def test_a_missing_outputs_file(tmp_path: Path) -> None:
    refused(run("ps", "--outputs", f"{tmp_path}/none.json"), f"{tmp_path}/none.json: No such file", "--json")


def test_outputs_of_another_stack(tmp_path: Path) -> None:
    file = saved(tmp_path, OUTPUTS)
    refused(run("ps", "--outputs", file, "--stack", "prod"), "department bgmr, environment dev, not of stack prod")


def test_an_unknown_team(tmp_path: Path) -> None:
    done = run("ps", "--outputs", saved(tmp_path, OUTPUTS), "--team", "redgranit")
    refused(done, "no team 'redgranit'; its teams: bluegranit")


def test_a_team_without_service_principals(tmp_path: Path) -> None:
    refused(
        run("env", "--outputs", saved(tmp_path, OUTPUTS)), "no service principal of bgmrbluegranite2devws has a secret"
    )


def test_which_service_principal_is_not_guessed(tmp_path: Path) -> None:
    outputs = json.loads(json.dumps(OUTPUTS))
    one = {"clientId": "c", "tenantId": "t", "vault": "kv"}
    outputs["teams"]["bluegranit"]["automation"] = {n: {**one, "secretName": f"{n}-password"} for n in ("b", "a")}
    refused(run("env", "--outputs", saved(tmp_path, outputs)), "--automation is needed", "with a secret: a, b")


def test_the_workspace_for_plain_clients(tmp_path: Path) -> None:
    file = saved(tmp_path, OUTPUTS)
    (tmp_path / "config.json").write_text(run("env", "--format", "config.json", "--outputs", file).stdout)
    with (tmp_path / "config.json").open() as config:
        assert json.load(config)["workspace_name"] == "bgmrbluegranite2devws"
    from azure.ai.ml import MLClient  # noqa: PLC0415 # seconds that most tests do without
    from azure.identity import EnvironmentCredential  # noqa: PLC0415

    assert MLClient.from_config(EnvironmentCredential(), path=tmp_path).workspace_name == "bgmrbluegranite2devws"
    defaults = run("env", "--format", "az", "--outputs", file).stdout.splitlines()[1]
    assert defaults == "az configure --defaults group=bgmr-bluegranit-eastus2-dev workspace=bgmrbluegranite2devws"
    assert "export MLFLOW_TRACKING_URI=azureml://" in run("env", "--format", "exports", "--outputs", file).stdout


def test_an_unknown_example() -> None:
    refused(
        run("submit", "lowspenders"),
        "'lowspenders' is no example",
        "distributed, distributed/pytorch, excel_to_parquet, highspenders, report",
    )


def test_an_unknown_cluster(tmp_path: Path) -> None:
    done = run("submit", "highspenders", "--outputs", saved(tmp_path, OUTPUTS), "--cluster", "gpu")
    refused(done, "bgmrbluegranite2devws has no cluster 'gpu'; choose with --cluster from: ds13-v2-2ndclust, ds3-v2")


@pytest.mark.parametrize(
    ("job", "said"),
    [
        (JOB, "--cluster is needed, as the job names none; clusters of bgmrbluegranite2devws: ds13-v2-2ndclust, ds3"),
        (JOB + "compute: azureml:nowhere\n", "has no cluster 'nowhere'; choose with --cluster from: "),
        (
            JOB + "compute: ds3-v2-cluster\n"
            "inputs: {data: {type: uri_file, path: 'azureml://datastores/Lake/paths/a.csv'}}\n",
            "has no datastore 'Lake'; its datastores: MLData",
        ),
        (
            JOB + f"compute: ds3-v2-cluster\ninputs: {{data: {{type: uri_file, path: '{LAKE}a.csv'}}}}\n",
            "has no datastore 'Lake'; its datastores: MLData",
        ),
        (JOB.replace("command: echo hello\n", ""), "job.yml: command: Missing data for required field."),
        (JOB + "computer: x\nlimits: {timeout: long}\n", "job.yml:5: limits: timeout: Not a valid integer."),
        (JOB.replace("image: ubuntu", "image: x, conda_file: no.yml"), "job.yml:3: environment: No such file"),
        (JOB.replace("command\n", "comand\n"), "job.yml: Unsupported job type: comand."),
        (
            "type: command\n\tcommand: x\n",
            "job.yml:2: found ",
        ),
        ("", "job.yml: the file is empty; a job is a mapping"),
        ("- 1\n", "job.yml: the file has no keys; a job is a mapping"),
        ("type: pipeline\njobs: {}\n", "job.yml: the pipeline has no steps: add them below jobs"),
    ],
)
def test_a_wrong_job(tmp_path: Path, job: str, said: str) -> None:
    (tmp_path / "job.yml").write_text(job)
    refused(run("submit", str(tmp_path), "--outputs", saved(tmp_path, OUTPUTS)), said)


def test_nobody_is_signed_in(tmp_path: Path) -> None:
    done = run("ps", "--outputs", saved(tmp_path, OUTPUTS))
    refused(done, "not signed in to Azure", "az login", "python -m sandbox env")


def test_credentials_that_are_set_to_nothing(tmp_path: Path) -> None:
    file = saved(tmp_path, OUTPUTS)
    done = run("ps", "--outputs", file, AZURE_TENANT_ID="t", AZURE_CLIENT_ID="", AZURE_CLIENT_SECRET="s")
    refused(done, "AZURE_… variables", "client_id should be")


def test_a_proxy_that_does_not_answer(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    file, proxy = saved(tmp_path, OUTPUTS), f"127.0.0.1:{port}"
    for form in (f"http://{proxy}", proxy, f"http://user:secret@{proxy}"):
        done = run("ps", "--outputs", file, HTTPS_PROXY=form)
        refused(done, f"nothing answers at HTTPS_PROXY={proxy}", "python -m sandbox start")
    around = run("ps", "--outputs", file, HTTPS_PROXY=proxy, NO_PROXY="management.azure.com")
    refused(around, "not signed in to Azure")


def test_the_example_is_found_from_anywhere(tmp_path: Path) -> None:
    file = saved(tmp_path, OUTPUTS)
    for source in ("highspenders", str(EXAMPLE), str(EXAMPLE / "job.yml")):
        refused(run("submit", source, "--outputs", file, cwd=tmp_path), "not signed in")
