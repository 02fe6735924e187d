"""The pipelines of `model_release`, run as GitHub and Azure DevOps do, with a small model in place of the example's."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from jobs.errors import JobError
from jobs.gate import Rule, hold
from jobs.runs import Run
from tests.conftest import ROOT, started
from tests.jobs.platform import CONDA, Platform
from tests.jobs.test_runs import LOG
from tests.program import workflows
from tests.program.harness import stack_file
from tests.program.stack import Stack

EXAMPLE = ROOT / "jobs" / "examples" / "model_release"
GITHUB, DEVOPS = EXAMPLE / "github.yml", EXAMPLE / "azure-pipelines.yml"
ORGANIZATION = "3a2b1c0d-0000-4000-8000-00000000000a"
RELEASE = {
    "name": "release",
    "github": {"repository": "contoso/forecast", "environment": "prod"},
    "azureDevOps": {
        "organizationId": ORGANIZATION,
        "organization": "contoso",
        "project": "forecast",
        "serviceConnection": "model-release",
    },
}
ISSUERS = {
    "GET": ("https://token.actions.githubusercontent.com", "repo:contoso/forecast:environment:prod", "value"),
    "POST": (f"https://vstoken.dev.azure.com/{ORGANIZATION}", "sc://contoso/forecast/model-release", "oidcToken"),
}
TRAIN = """\
import pathlib, sys
import mlflow_free as log
log.metrics("roc_auc", [float(sys.argv[1])])
out = pathlib.Path(sys.argv[2]); out.mkdir(parents=True, exist_ok=True)
(out / "answer.txt").write_text(sys.argv[3])
"""
JOB = """\
type: command
command: python train.py ${{{{inputs.quality}}}} ${{{{outputs.model}}}} ${{{{inputs.answer}}}}
code: src
environment: {{image: i, conda_file: conda.yml}}
compute: cheapest
inputs: {{quality: {quality}, answer: {answer}}}
outputs: {{model: {{type: uri_folder}}}}
"""
SCORE = """\
import json, os, pathlib

def init():
    global answer
    answer = float(next(pathlib.Path(os.environ["AZUREML_MODEL_DIR"]).rglob("answer.txt")).read_text())

def run(body):
    return {"scores": [answer for _ in json.loads(body)["data"]]}
"""
DEPLOYMENT = """\
name: any
endpoint_name: any
model: azureml:small@latest
code_configuration: {code: score, scoring_script: score.py}
environment: {image: i, conda_file: conda.yml}
instance_type: Standard_DS3_v2
instance_count: 1
"""
FILES = {
    "src/train.py": TRAIN,
    "src/mlflow_free.py": LOG,
    "score/score.py": SCORE,
    "conda.yml": CONDA,
    "deployment.yml": DEPLOYMENT,
    "request.json": json.dumps({"data": [{"a": 1}, {"a": 2}]}),
}


@contextmanager
def issuing(platform: Platform) -> Iterator[str]:
    """The address where a runner asks for its pipeline's token: GitHub by GET, Azure DevOps by POST."""

    class Issuer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.headers["Authorization"].lower() == "bearer of-this-run"
            issuer, subject, key = ISSUERS[self.command]
            done = platform.sandbox.command("token", "--issuer", issuer, "--subject", subject)
            body = json.dumps({key: done.stdout.strip()}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Issuer)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/token?api-version=1"
    finally:
        server.shutdown()
        server.server_close()


class Repository:
    """A checkout with the small model's job, its pipelines' variables, and the runs of its pipelines."""

    def __init__(self, folder: Path, platform: Platform, stack: Stack, issuer: str) -> None:
        self.folder, self._platform = workflows.copy(folder), platform
        outputs = stack.outputs()
        release = outputs["teams"]["bluegranit"]["automation"]["release"]
        (self.folder / "outputs.json").write_text(json.dumps(outputs))
        for name, text in FILES.items():
            path = self.folder / "small" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self._expressions = {"vars.AZURE_TENANT_ID": release["tenantId"], "vars.AZURE_CLIENT_ID": release["clientId"]}
        env = platform.environment("scientist")
        own = {key: env[key] for key in env if not key.startswith(("AZURE_CLIENT", "AZURE_TENANT", "ARM_"))}
        places = {"DEPLOYMENT": "small/deployment.yml", "REQUEST": "small/request.json", "JOBS_OUTPUTS": "outputs.json"}
        self._common = own | {"JOB": "small", "MODEL": "small", "ENDPOINT": "small"} | places
        self._github = {"ACTIONS_ID_TOKEN_REQUEST_URL": issuer, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of-this-run"}
        self._devops = {
            "SYSTEM_OIDCREQUESTURI": issuer,
            "SYSTEM_ACCESSTOKEN": "of-this-run",
            "AZURESUBSCRIPTION_TENANT_ID": release["tenantId"],
            "AZURESUBSCRIPTION_CLIENT_ID": release["clientId"],
            "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID": "1",
        }

    def _merge(self, quality: float, answer: float) -> None:
        (self.folder / "small" / "job.yml").write_text(JOB.format(quality=quality, answer=answer))

    def on_github(self, quality: float, answer: float, since: str = "") -> list[subprocess.CompletedProcess[str]]:
        """Releases a model of this quality, which answers with this number; or goes on since a step."""
        self._merge(quality, answer)
        variables = {**self._common, **self._github}
        return workflows.run(GITHUB, "release", self.folder, self._expressions, since, **variables)

    def on_azure_devops(self, quality: float, answer: float) -> list[subprocess.CompletedProcess[str]]:
        """The same on Azure DevOps."""
        self._merge(quality, answer)
        return workflows.run_on_azure_devops(DEVOPS, self.folder, **self._common, **self._devops)

    def as_untrusted(self) -> subprocess.CompletedProcess[str]:
        """A command on GitHub in the name of an application that trusts no pipeline."""
        person = self._platform.environment("scientist")
        names = {"AZURE_TENANT_ID": person["AZURE_TENANT_ID"], "AZURE_CLIENT_ID": person["AZURE_CLIENT_ID"]}
        environment = {**os.environ, **self._common, **self._github, **names}
        return subprocess.run(
            [sys.executable, "-m", "jobs", "ps"],
            cwd=self.folder, env=environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    def served(self) -> dict[str, tuple[str, int]]:
        """The model and the traffic of each deployment."""
        listed = json.loads(self._platform.jobs("deploy", "ls", "--json").stdout)
        return {one["deployment"]: (one["model"], one["traffic"]) for one in listed}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    folder = tmp_path_factory.mktemp("release")
    with started(folder / ".sandbox") as sandbox:
        stack = Stack(sandbox, folder)
        department = stack_file("dev")
        department["teams"][0]["automation"] = [RELEASE]
        done = stack.up(department)
        assert done.code == 0, done.text
        platform = Platform(sandbox, folder)
        with issuing(platform) as address:
            yield Repository(folder, platform, stack, address)


@pytest.mark.skipif(not shutil.which("jq"), reason="the pipelines need jq, which their runners have")
def test_a_release_a_worse_model_and_two_that_fail_their_smoke_test(repository: Repository) -> None:
    done = repository.on_github(quality=0.8, answer=0.5)
    assert [one.returncode for one in done] == [0] * 7, done[-1].stdout + done[-1].stderr
    assert "serves nothing yet" in done[2].stdout
    assert "the answer is as it should be" in done[5].stdout
    assert repository.served() == {"blue": ("small:1", 100)}

    done = repository.on_github(quality=0.79, answer=0.5)
    assert [bool(one.returncode) for one in done] == [False, False, True]
    assert "is worse than small:1, which serves, in roc_auc" in done[-1].stderr

    done = repository.on_azure_devops(quality=0.9, answer=7)
    assert done[-1].returncode == 1, done[-1].stderr
    assert "7.0 is no probability" in done[-1].stderr
    assert "traffic of small: blue 100 %" in done[-1].stdout
    assert repository.served() == {"blue": ("small:1", 100), "green": ("small:2", 0)}

    done = repository.on_github(quality=0.9, answer=7, since="Smoke test")  # of the release that just failed
    assert [bool(one.returncode) for one in done] == [True, False]
    assert "7.0 is no probability" in done[0].stderr
    assert "traffic of small: blue 100 %" in done[-1].stdout


def test_a_pipeline_that_nobody_trusts_is_told_what_must_be_there(repository: Repository) -> None:
    done = repository.as_untrusted()
    assert (done.returncode, done.stdout) == (1, "")
    assert "cannot sign in to Azure: AADSTS70025" in done.stderr
    assert "an automation in the team's stack file trusts" in done.stderr


@pytest.mark.parametrize(
    ("rule", "value", "allowed"),
    [
        (Rule("auc"), 0.8, True),
        (Rule("auc"), 0.79, False),
        (Rule("auc", tolerance=0.02), 0.79, True),
        (Rule("loss", lower_is_better=True), 0.79, True),
        (Rule("loss", lower_is_better=True), 0.81, False),
        (Rule("auc", tolerance=9), float("nan"), False),
    ],
)
def test_what_the_gate_lets_through_beside_a_model_of_0_8(rule: Rule, value: float, *, allowed: bool) -> None:
    run = Run("r", "r", "e", "Completed", "c", "", "", metrics={rule.metric: value})
    (held,) = hold(run, "m:1", {rule.metric: "0.8"}, [rule])
    assert held.allowed is allowed


@pytest.mark.parametrize(
    ("status", "metrics", "properties", "said"),
    [
        ("Running", {"auc": 1.0}, {"auc": "0.8"}, "is Running: only a completed run"),
        ("Completed", {"loss": 1.0}, {"auc": "0.8"}, "run r has no metric 'auc'; its metrics: loss"),
        ("Completed", {"auc": 1.0}, {}, "model m:1, which serves, has no metric 'auc'"),
    ],
)
def test_what_the_gate_cannot_hold_is_refused(
    status: str, metrics: dict[str, float], properties: dict[str, str], said: str
) -> None:
    run = Run("r", "r", "e", status, "c", "", "", metrics=metrics)
    with pytest.raises(JobError, match=said):
        hold(run, "m:1", properties, [Rule("auc")])


def test_both_pipelines_run_the_same_commands() -> None:
    on_github = [step["run"] for step, _ in workflows.steps(GITHUB, "release")]
    text = DEVOPS.read_text()
    assert [line for line in on_github if line not in text] == []
