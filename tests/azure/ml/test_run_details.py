"""What is known of a run beside its state: metrics in number, nested runs, artifacts, services, lineage."""

import itertools
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from azure.ai.ml import Input, MLClient, command
from azure.ai.ml.entities import Data, Environment, JupyterLabJobService, Model, SshJobService

from tests.azure.client import Client, unique
from tests.azure.ml.harness import Team
from tests.azure.ml.waiting import below, ended, log_text

POINTS = 10_000
PLAIN = Environment(name="none", image="python:3.11")
SECONDS = 2.0  # to read them, as the issue of this bar has it


def mlflow(team: Team, method: str, path: str, body: Any = None) -> Any:
    answer = team.plane(method, "mlflow/v1.0", f"/api/2.0/mlflow/{path}", body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def made(team: Team, **tags: str) -> str:
    body = {"experiment_id": "0", "tags": [{"key": key, "value": value} for key, value in tags.items()]}
    return str(mlflow(team, "POST", "runs/create", body)["run"]["info"]["run_id"])


@pytest.mark.parametrize("batch", [1000, 25])
def test_ten_thousand_points_are_read_at_once(team: Team, batch: int) -> None:
    run = made(team)
    for start in range(0, POINTS, batch):
        points = [
            {"key": "loss", "value": step, "step": step, "timestamp": step} for step in range(start, start + batch)
        ]
        mlflow(team, "POST", "runs/log-batch", {"run_id": run, "metrics": points})
    began = time.monotonic()
    read = mlflow(team, "GET", f"metrics/get-history?run_id={run}&metric_key=loss")["metrics"]
    assert time.monotonic() - began < SECONDS * 2  # the bar, with room for a busy machine; benchmarks/ measures it
    assert [point["step"] for point in read] == list(range(POINTS))


def test_runs_are_nested_to_any_depth(team: Team) -> None:
    chain = [made(team)]
    for _ in range(6):
        chain.append(made(team, **{"mlflow.parentRunId": chain[-1]}))
    for upper, lower in itertools.pairwise(chain):
        tags = {
            one["key"]: one["value"] for one in mlflow(team, "GET", f"runs/get?run_id={lower}")["run"]["data"]["tags"]
        }
        assert (tags["mlflow.parentRunId"], tags["mlflow.rootRunId"]) == (upper, chain[0])
        assert [one["runId"] for one in below(team, upper)] == [lower]


class TestArtifacts:
    def upload(self, team: Team, run: str, *names: str) -> None:
        url = f"/experiments/Default/runs/{run}/artifacts/batch/metadata"
        body = {"paths": [{"path": name} for name in names]}
        content = team.plane("POST", "history/v1.0", url, body).json()["artifactContentInformation"]
        for name in names:
            headers = {"x-ms-blob-type": "BlockBlob"}
            put = team.azure.session.put(content[name]["contentUri"], data=name.encode(), headers=headers)
            assert put.status_code == 201, put.text

    def names(self, team: Team, run: str) -> list[str]:
        found = team.plane("GET", "artifact/v2.0", f"/artifacts/ExperimentRun/dcid.{run}").json()["value"]
        return [one["path"] for one in found]

    def test_are_listed_and_deleted(self, team: Team) -> None:
        run = made(team)
        self.upload(team, run, "a.txt", "plots/b.png", "plots/c.png", "table.json")
        base = f"/artifacts/ExperimentRun/dcid.{run}"
        assert self.names(team, run) == ["a.txt", "plots/b.png", "plots/c.png", "table.json"]
        listed = mlflow(team, "GET", f"artifacts/list?run_id={run}")["files"]
        assert [(one["path"], one["is_dir"]) for one in listed] == [
            ("a.txt", False),
            ("plots", True),
            ("table.json", False),
        ]
        assert team.plane("DELETE", "artifact/v2.0", f"{base}/metadata?path=a.txt").status_code == 200
        body = {"paths": [{"path": "plots/b.png"}, {"path": "not/there"}]}
        assert team.plane("POST", "artifact/v2.0", f"{base}/batch/metadata:delete", body).status_code == 200
        assert self.names(team, run) == ["plots/c.png", "table.json"]
        assert team.plane("DELETE", "artifact/v2.0", f"{base}/batch").status_code == 200
        assert self.names(team, run) == []

    def test_who_may_delete(self, team: Team, lead: Client) -> None:
        run = made(team)
        self.upload(team, run, "a.txt")
        path = f"/artifacts/ExperimentRun/dcid.{run}/metadata?path=a.txt"
        refused = team.by(lead).plane("DELETE", "artifact/v2.0", path)
        assert refused.status_code == 403 and "metadata/artifacts/delete" in refused.text
        assert self.names(team, run) == ["a.txt"]


def test_the_registry_takes_no_filter_by_tags(team: Team) -> None:
    """The filter that mlflow adds by itself since 2.21: azure-sdk-for-python#42155."""
    wanted = "tag.`mlflow.prompt.is_prompt` != 'true'"
    path = "/api/2.0/mlflow/registered-models/search"
    refused = team.plane("GET", "mlflow/v1.0", path, params={"filter": wanted})
    assert (refused.status_code, refused.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert refused.json()["message"].startswith("Currently unsupported filter string format")
    assert wanted in refused.json()["message"]
    assert team.plane("GET", "mlflow/v1.0", path, params={"filter": "name LIKE 'x%'"}).status_code == 200


def test_interactive_services_are_shown_as_what_is_not_there(ml: MLClient, team: Team) -> None:
    services: Any = {"lab": JupyterLabJobService(), "shell": SshJobService(ssh_public_keys="ssh-rsa AAAA")}
    environment = Environment(name="none", image="python:3.11")
    job = ml.jobs.create_or_update(command(command="true", environment=environment, compute="cpu", services=services))
    shown = team.arm("GET", f"/jobs/{job.name}").json()["properties"]["services"]
    assert set(shown) == {"Studio", "Tracking", "lab", "shell"}
    assert (shown["lab"]["jobServiceType"], shown["lab"]["status"]) == ("JupyterLab", "Failed")
    assert "starts no interactive services" in shown["lab"]["errorMessage"]
    asked = ml.jobs.show_services(job.name)
    assert asked is not None and asked["shell"].status == "Failed"
    assert ended(team, job.name) == "Completed"
    assert "Warning: the service 'lab' is not there" in log_text(team, job.name)


def test_git_properties_of_a_job_and_its_run(
    ml: MLClient, team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What azure-ai-ml finds out of the repository that it is in, as the studio shows it."""
    monkeypatch.chdir(tmp_path)
    for words in (
        ("init", "-q", "-b", "main"),
        ("remote", "add", "origin", "https://git.example/team/train.git"),
        ("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "first"),
    ):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)
    (tmp_path / "train.py").write_text("print(1)")
    job = command(code=str(tmp_path), command="python train.py", environment=PLAIN, compute="cpu")
    made_job = ml.jobs.create_or_update(job)
    found = team.plane("GET", "history/v1.0", f"/runs/{made_job.name}").json()["properties"]
    head = subprocess.run(["git", "-C", str(tmp_path), "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    expected = {
        "mlflow.source.git.repoURL": "https://git.example/team/train.git",
        "mlflow.source.git.branch": "main",
        "mlflow.source.git.commit": head.stdout.strip(),
        "azureml.git.dirty": "True",
    }
    assert {key: found.get(key) for key in expected} == expected
    assert expected.items() <= made_job.properties.items()
    ml.jobs.begin_cancel(made_job.name).result()
    ended(team, made_job.name)


def test_lineage_from_a_model_to_code_data_and_environment(ml: MLClient, team: Team, tmp_path: Path) -> None:
    """From what the service's own answers carry."""
    name = unique("lineage")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "train.py").write_text("import sys; open(sys.argv[1] + '/model', 'w').write('m')")
    (tmp_path / "src" / "secret.txt").write_text("not for the snapshot")
    (tmp_path / "src" / ".amlignore").write_text("secret.txt\n")
    (tmp_path / "data.csv").write_text("a\n")
    data = ml.data.create_or_update(Data(name=name, version="1", type="uri_file", path=str(tmp_path / "data.csv")))
    environment = ml.environments.create_or_update(Environment(name=name, version="1", image="python:3.11"))
    job = ml.jobs.create_or_update(
        command(
            code=str(tmp_path / "src"),
            command="ls && python train.py ${{outputs.model}}",
            inputs={"data": Input(type="uri_file", path=f"azureml:{name}:1")},
            outputs={"model": {"type": "custom_model"}},
            environment=f"{name}:1",
            compute="cpu",
        )
    )
    assert ended(team, job.name) == "Completed", log_text(team, job.name)
    assert "secret.txt" not in log_text(team, job.name)
    model = ml.models.create_or_update(Model(name=name, path=f"azureml://jobs/{job.name}/outputs/model"))
    assert model.job_name == job.name
    found = team.arm("GET", f"/jobs/{model.job_name}").json()["properties"]
    assert found["inputs"]["data"]["uri"].endswith(f"/data/{name}/versions/{data.version}")
    assert found["environmentId"] == environment.id
    code = found["codeId"].removeprefix("azureml:").removeprefix(team.id)
    assert team.arm("GET", code).status_code == 200
