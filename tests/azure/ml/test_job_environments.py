"""Jobs in environments of all forms, by the unmodified azure-ai-ml: curated names, build contexts, changed content."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from azure.ai.ml import Input, MLClient, command
from azure.ai.ml.entities import AmlCompute, BuildContext, Environment
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobServiceClient

from tests.azure.ml import harness
from tests.azure.ml.harness import Team, cluster
from tests.azure.ml.waiting import ended, log_text

CURATED = "AzureML-sklearn-1.0-ubuntu20.04-py38-cpu"


@pytest.fixture
def source(tmp_path: Path) -> Callable[[str], str]:
    """A code folder with a script `train.py`."""

    def make(script: str) -> str:
        (tmp_path / "src").mkdir(exist_ok=True)
        (tmp_path / "src" / "train.py").write_text(dedent(script))
        return str(tmp_path / "src")

    return make


def test_the_snippet_that_introductions_print_runs_as_printed(
    keyed_team: Team, as_persona: Callable[[str], None], source: Callable[[str], str], tmp_path: Path, monkeypatch: Any
) -> None:
    as_persona("owner")
    code = source(
        """
        import argparse
        import pandas
        from sklearn.linear_model import LinearRegression
        parser = argparse.ArgumentParser()
        parser.add_argument("--data")
        data = pandas.read_csv(parser.parse_args().data)
        model = LinearRegression().fit(data[["x"]], data["y"])
        print("slope", round(float(model.coef_[0]), 3))
        """
    )
    account = keyed_team.needs.ids["storageAccount"].rsplit("/", 1)[-1]
    store = keyed_team.arm("GET", "/datastores/workspaceblobstore").json()["properties"]["containerName"]
    key = keyed_team.azure.arm("POST", f"{keyed_team.needs.ids['storageAccount']}/listKeys", api="2024-01-01").json()
    service = BlobServiceClient(f"https://{account}.blob.core.windows.net", key["keys"][0]["value"])
    service.get_blob_client(store, "data/train.csv").upload_blob("x,y\n1,2\n2,4\n3,6\n", overwrite=True)
    monkeypatch.chdir(Path(code).parent)
    ml_client = harness.ml_client(keyed_team)

    compute = AmlCompute(
        name="cpu-cluster-prod",
        size="STANDARD_DS3_V2",
        min_instances=0,
        max_instances=4,
        idle_time_before_scale_down=180,
    )
    ml_client.compute.begin_create_or_update(compute).result()
    job = command(
        code="./src",
        command="python train.py --data ${{inputs.training_data}}",
        inputs={
            "training_data": Input(type="uri_file", path="azureml://datastores/workspaceblobstore/paths/data/train.csv")
        },
        environment=f"{CURATED}@latest",
        compute="cpu-cluster-prod",
    )
    returned = ml_client.jobs.create_or_update(job)

    assert ended(keyed_team, returned.name) == "Completed", log_text(keyed_team, returned.name)
    told = log_text(keyed_team, returned.name)
    assert "slope 2.0" in told
    assert "Warning: the curated image mcr.microsoft.com/azureml/curated/sklearn-1.0-ubuntu20.04-py38-cpu" in told


@pytest.mark.parametrize(
    "reference",
    [
        "azureml://registries/azureml/environments/sklearn-1.5/versions/3",
        "azureml://registries/azureml/environments/sklearn-1.5/labels/latest",
        "azureml:AzureML-sklearn-1.5:3",
        "azureml:AzureML-sklearn-1.5@latest",
        f"azureml:{CURATED}:33",
    ],
)
def test_curated_environments_are_known_in_each_form(team: Team, reference: str) -> None:
    """A job that asks for one is taken, and keeps the reference as it was sent."""
    body = {"jobType": "Command", "command": "true", "computeId": f"{team.id}/computes/cpu", "environmentId": reference}
    name = f"curated-{abs(hash(reference))}"
    made = team.arm("PUT", f"/jobs/{name}", {"properties": body})
    assert made.status_code == 201, made.text
    assert made.json()["properties"]["environmentId"] == reference
    team.arm("POST", f"/jobs/{name}/cancel")


@pytest.mark.parametrize(
    "reference",
    [
        "azureml://registries/azureml/environments/no-such-one/versions/1",
        "azureml://registries/contoso/environments/sklearn-1.5/versions/1",
        "azureml:AzureML-sklearn-1.5:99999",
        "azureml:AzureML-no-such-one@latest",
    ],
)
def test_what_is_not_curated_is_refused_with_what_is(team: Team, reference: str) -> None:
    body = {"jobType": "Command", "command": "true", "computeId": f"{team.id}/computes/cpu", "environmentId": reference}
    refused = team.arm("PUT", "/jobs/no-such", {"properties": body})
    assert refused.status_code == 400
    message = refused.json()["error"]["message"]
    assert reference in message and "sklearn-1.5" in message and "conda file" in message


def test_a_curated_environment_is_shown_as_the_service_shows_it(ml: MLClient, team: Team) -> None:
    found = ml.environments.get(CURATED, version="1")
    assert found.id == f"{team.id}/environments/{CURATED}/versions/1"
    latest = ml.environments.get("AzureML-sklearn-1.5", label="latest")
    assert int(latest.version) >= 50
    shown = team.arm("GET", f"/environments/{CURATED}/versions/1").json()["properties"]
    assert (shown["environmentType"], shown["autoRebuild"], shown["condaFile"]) == ("Curated", "OnBaseImageUpdate", "")


def test_a_build_context_that_only_installs_packages(ml: MLClient, team: Team, tmp_path: Path) -> None:
    context = tmp_path / "context"
    context.mkdir()
    (context / "requirements.txt").write_text("mlflow-skinny==3.17.2\n")
    lines = [
        "FROM mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04",
        "COPY requirements.txt .",
        "RUN pip install -r requirements.txt",
        "ENV GREETING='hello there' PATH=/opt/x",
    ]
    (context / "Dockerfile").write_text("\n".join(lines))
    environment = Environment(name="context", build=BuildContext(path=str(context)))
    job = command(
        command="python -c 'import mlflow; print(mlflow.__version__)'; echo $GREETING; "
        "pip install idna && touch $HOME/done; ls $HOME",
        environment=environment,
        compute="cpu",
    )
    name = str(ml.jobs.create_or_update(job).name)
    assert ended(team, name) == "Completed", log_text(team, name)
    assert "hello there" in log_text(team, name)
    assert "Warning: jobs reach no package index here" in log_text(team, name) and "done" not in log_text(team, name)
    assert "3.17.2" in log_text(team, name) and "the image mcr.microsoft.com/azureml/openmpi4.1.0" in log_text(
        team, name
    )

    (context / "Dockerfile").write_text("\n".join([*lines, "RUN make install"]))
    more = command(command="true", environment=Environment(build=BuildContext(path=str(context))), compute="cpu")
    refused = str(ml.jobs.create_or_update(more).name)
    assert ended(team, refused) == "Failed"
    assert "Dockerfile line 5: RUN make install: 'make' does more than install packages" in log_text(team, refused)


@pytest.mark.parametrize(
    "line", ['cat "${{inputs.x}}"', "cat '${{inputs.x}}'", "cat ${{inputs.x}}", 'cat "$(ls ${{inputs.x}})"']
)
def test_quotes_around_an_expression(ml: MLClient, team: Team, line: str) -> None:
    client = team.azure
    url = f"https://{team.needs.lake['name']}.blob.core.windows.net/fs1/sales%202024/report%20(final).csv"
    headers = {"x-ms-blob-type": "BlockBlob", "x-ms-version": "2023-11-03"}
    token = type(client)(client.sandbox, "scientist").token("https://storage.azure.com")
    put = client.session.put(url, data=b"all of it", headers={**headers, "Authorization": f"Bearer {token}"})
    assert put.status_code == 201, put.text
    given = Input(type="uri_file", path="azureml://datastores/lake/paths/sales 2024/report (final).csv")
    environment = Environment(name="none", image="python:3.11")
    job = command(command=line, inputs={"x": given}, environment=environment, compute="cpu")
    name = str(ml.jobs.create_or_update(job).name)
    assert ended(team, name) == "Completed", log_text(team, name)
    assert "all of it" in log_text(team, name)


def test_numbers_and_truth_values_of_variables_are_text(ml: MLClient, team: Team) -> None:
    environment = Environment(name="none", image="python:3.11")
    job = command(command='echo "$A $B $C"', environment=environment, compute="cpu")
    job.environment_variables = {"A": True, "B": 2, "C": "x"}
    name = str(ml.jobs.create_or_update(job).name)
    assert ended(team, name) == "Completed", log_text(team, name)
    assert "true 2 x" in log_text(team, name)


def test_a_literal_needs_a_value(ml: MLClient) -> None:
    environment = Environment(name="none", image="python:3.11")
    job = command(command="echo ${{inputs.x}}", inputs={"x": ""}, environment=environment, compute="cpu")
    with pytest.raises(HttpResponseError, match="The Value field is required"):
        ml.jobs.create_or_update(job)


def test_a_size_with_gpus_runs_on_cpu_with_a_warning(ml: MLClient, team: Team) -> None:
    body = cluster(team.needs, size="STANDARD_NV6")
    made = team.arm("PUT", "/computes/gpus", body)
    assert made.status_code in (200, 201), made.text
    environment = Environment(name="none", image="python:3.11")
    name = str(ml.jobs.create_or_update(command(command="true", environment=environment, compute="gpus")).name)
    assert ended(team, name) == "Completed", log_text(team, name)
    assert "Warning: the 1 GPU(s) of STANDARD_NV6 are not there: the job runs on CPU." in log_text(team, name)


@pytest.mark.parametrize(
    ("kind", "instead"),
    [("AutoML", "train models in a command"), ("Spark", "PySpark in local mode"), ("Labeling", "command")],
)
def test_other_types_of_jobs_are_refused_with_what_to_do_instead(team: Team, kind: str, instead: str) -> None:
    refused = team.arm("PUT", "/jobs/no-such", {"properties": {"jobType": kind}})
    assert refused.status_code == 400
    assert f"'{kind}'" in refused.json()["error"]["message"] and instead in refused.json()["error"]["message"]


@pytest.mark.parametrize("kind", ["Kubernetes", "VirtualMachine", "Databricks", "SynapseSpark"])
def test_attached_computes_are_refused_with_what_to_do_instead(team: Team, kind: str) -> None:
    refused = team.arm("PUT", "/computes/attached", {"location": "eastus2", "properties": {"computeType": kind}})
    assert refused.status_code == 400
    assert f"'{kind}'" in refused.json()["error"]["message"] and "AmlCompute" in refused.json()["error"]["message"]
