"""MLflow's real clients inside jobs: plain MLflow over https, and the same with Azure ML's plugin."""

import itertools
import re
from pathlib import Path
from typing import Any

import pytest
from azure.ai.ml import MLClient, command
from azure.ai.ml.entities import Environment

from tests.azure.client import Client, unique
from tests.azure.ml.harness import Team
from tests.azure.ml.waiting import ended, log_text

HERE = Path(__file__).parent


@pytest.mark.parametrize(("name", "scheme"), [("plain", "https://"), ("azureml", "azureml://")])
def test_what_training_scripts_do(ml: MLClient, team: Team, name: str, scheme: str) -> None:
    model = unique("model")
    job = ml.jobs.create_or_update(
        command(
            code=str(HERE / "scripts"),
            command=f"python exercise.py {scheme} {model}",
            environment=Environment(name=name, image="unused", conda_file=str(HERE / "environments" / f"{name}.yml")),
            compute="cpu",
            experiment_name=f"with-{name}",
        )
    )
    run = str(job.name)
    assert ended(team, run) == "Completed", log_text(team, run)
    assert "all of it" in log_text(team, run)
    # what the script logged is there for azure-ai-ml and for a reader over REST
    assert ml.models.get(model, "1").type == "mlflow_model"
    data = team.plane("GET", "mlflow/v1.0", f"/api/2.0/mlflow/runs/get?run_id={run}").json()["run"]["data"]
    assert {one["key"]: one["value"] for one in data["metrics"]}["odd"] == "NaN"
    assert ml.jobs.get(run).experiment_name == f"with-{name}"


class TestRefusals:
    def test_no_token(self, team: Team) -> None:
        url = f"https://eastus2.api.azureml.ms/mlflow/v1.0{team.id}/api/2.0/mlflow/experiments/search"
        refused = team.azure.session.get(url)
        assert refused.status_code == 401 and refused.json()["error_code"] == "UNAUTHENTICATED"

    def test_a_token_for_something_else(self, team: Team) -> None:
        url = f"https://eastus2.api.azureml.ms/mlflow/v1.0{team.id}/api/2.0/mlflow/experiments/search"
        token = team.azure.token("https://storage.azure.com")
        refused = team.azure.session.get(url, headers={"Authorization": f"Bearer {token}"})
        assert refused.status_code == 401

    def test_a_stranger(self, team: Team, lead: Client) -> None:
        refused = team.by(lead).plane("POST", "mlflow/v1.0", "/api/2.0/mlflow/experiments/create", {"name": "x"})
        assert refused.status_code == 403 and refused.json()["error_code"] == "PERMISSION_DENIED"
        assert "experiments/write" in refused.json()["message"]

    def test_another_region(self, team: Team) -> None:
        token = team.azure.token("https://ml.azure.com")
        path = f"mlflow/v1.0{team.id}/api/2.0/mlflow/experiments/search"
        statuses = [
            team.azure.session.get(
                f"https://{region}.api.azureml.ms/{path}", headers={"Authorization": f"Bearer {token}"}
            ).status_code
            for region in ("eastus2", "westus")
        ]
        assert statuses == [200, 404]

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("runs/log-metric", {"run_id": "RUN", "key": "a"}),
            ("runs/log-metric", {"run_id": "RUN", "key": "../a", "value": 1}),
            ("runs/log-metric", {"run_id": "RUN", "key": "a" * 251, "value": 1}),
            ("runs/log-parameter", {"run_id": "RUN", "key": "a", "value": "x" * 6001}),
            ("runs/log-batch", {"run_id": "RUN", "metrics": [{"key": "a", "value": 1}] * 1001}),
            ("runs/update", {"run_id": "RUN", "status": "DREAMING"}),
            ("runs/search", {"experiment_ids": ["0"], "filter": "metrics.a >"}),
            ("runs/search", {"experiment_ids": ["0"], "max_results": -1}),
            ("runs/search", {"experiment_ids": ["0"], "page_token": "x"}),
        ],
        ids=str,
    )
    def test_what_is_wrong(self, team: Team, path: str, body: dict[str, object]) -> None:
        made = team.plane("POST", "mlflow/v1.0", "/api/2.0/mlflow/runs/create", {"experiment_id": "0"}).json()
        run = made["run"]["info"]["run_id"]
        sent = {key: run if value == "RUN" else value for key, value in body.items()}
        refused = team.plane("POST", "mlflow/v1.0", f"/api/2.0/mlflow/{path}", sent)
        assert refused.status_code == 400, refused.text
        assert refused.json()["error_code"] == "INVALID_PARAMETER_VALUE"

    @pytest.mark.parametrize(
        "path", ["RUN/artifacts/../../x", "RUN/artifacts/%2e%2e/x", "x", "..%2f..%2fx/y", "RUN/artifacts/a%00b"]
    )
    def test_paths_that_lead_elsewhere(self, team: Team, path: str) -> None:
        made = team.plane("POST", "mlflow/v1.0", "/api/2.0/mlflow/runs/create", {"experiment_id": "0"}).json()
        sent = path.replace("RUN", made["run"]["info"]["run_id"])
        refused = team.plane("PUT", "mlflow/v1.0", f"/api/2.0/mlflow-artifacts/artifacts/{sent}")
        assert refused.status_code in (400, 404), refused.text


def test_an_artifact_is_not_written_twice(team: Team) -> None:
    made = team.plane("POST", "mlflow/v1.0", "/api/2.0/mlflow/runs/create", {"experiment_id": "0"}).json()
    path = f"/experiments/Default/runs/{made['run']['info']['run_id']}/artifacts"

    def create() -> dict[str, Any]:
        sent = {"paths": [{"path": "a/b.txt"}]}
        answer: dict[str, Any] = team.plane("POST", "history/v1.0", f"{path}/batch/metadata", sent).json()
        return answer

    address = create()["artifactContentInformation"]["a/b.txt"]["contentUri"]
    headers = {"x-ms-blob-type": "BlockBlob", "x-ms-version": "2023-11-03"}
    assert team.azure.session.put(address, data=b"x", headers=headers).status_code == 201
    conflict = create()["errors"]["a/b.txt"]["error"]["message"]
    assert conflict.startswith("Resource Conflict: ArtifactId ExperimentRun/dcid.") and "already exists" in conflict
    listed = team.plane("GET", "history/v1.0", path).json()["value"]
    assert [one["path"] for one in listed] == ["a/b.txt"]
    content = team.plane("GET", "history/v1.0", f"{path}/contentinfo?path=a/b.txt").json()["contentUri"]
    assert team.azure.session.get(content).content == b"x"
    assert team.plane("GET", "history/v1.0", f"{path}/contentinfo?path=none").status_code == 404


def test_what_notebooks_log_in_a_curated_environment(ml: MLClient, team: Team) -> None:
    """Nested runs, figures, images and tables, with the packages that stand for the curated ones."""
    job = ml.jobs.create_or_update(
        command(
            code=str(HERE / "scripts"),
            command="python details.py",
            environment="azureml:AzureML-sklearn-1.0-ubuntu20.04-py38-cpu:33",
            compute="cpu",
        )
    )
    run = str(job.name)
    assert ended(team, run) == "Completed", log_text(team, run)
    assert "all of it" in log_text(team, run)
    chain = re.search(r"chain (.*)", log_text(team, run))
    assert chain is not None
    for above, below in itertools.pairwise(chain[1].split()):
        found = team.plane("GET", "history/v1.0", f"/runs/{below}").json()
        assert (found["parentRunId"], found["rootRunId"]) == (above, run)
