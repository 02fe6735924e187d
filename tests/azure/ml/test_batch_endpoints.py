"""Batch endpoints by the unmodified azure-ai-ml and by plain requests: deployments, jobs, predictions, rights."""

import re
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from azure.ai.ml import Input, MLClient, Output
from azure.ai.ml.constants import BatchDeploymentOutputAction
from azure.ai.ml.constants._endpoint import EndpointInvokeFields
from azure.ai.ml.entities import (
    BatchEndpoint,
    BatchRetrySettings,
    CodeConfiguration,
    Environment,
    Model,
    ModelBatchDeployment,
    ModelBatchDeploymentSettings,
    PipelineComponentBatchDeployment,
)

from tests.azure.client import Client, error, unique
from tests.azure.ml.harness import REGION, Team, bare_environment, cluster, outcome
from tests.azure.ml.pipelines import Step, children, failures, steps
from tests.azure.ml.shapes import TIME, differences
from tests.azure.ml.waiting import ended, log_text

NODES = "batch"
API = "2023-10-01"
SCORE = """
    import os
    from pathlib import Path

    def init():
        global factor
        (path,) = Path(os.environ["AZUREML_MODEL_DIR"]).rglob("factor.txt")
        factor = int(path.read_text())

    def run(mini_batch):
        found = [f"{Path(one).name} {factor * int(Path(one).read_text())}" for one in mini_batch]
        for line in found:
            with open(os.path.join(os.environ["AZUREML_BI_OUTPUT_PATH"], "own.txt"), "a") as file:
                file.write(line + "\\n")
        return found
"""


@pytest.fixture(scope="module", autouse=True)
def nodes(team: Team) -> None:
    """A cluster of two nodes."""
    assert team.arm("PUT", f"/computes/{NODES}", cluster(team.needs, most=2)).status_code in (200, 201)


@pytest.fixture(autouse=True)
def own_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client keeps the headers of one call for all later ones of its process, with the deployment's name."""
    monkeypatch.setattr(EndpointInvokeFields, "DEFAULT_HEADER", dict(EndpointInvokeFields.DEFAULT_HEADER))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Five files with numbers."""
    folder = tmp_path / "data"
    folder.mkdir()
    for number in range(5):
        (folder / f"{number}.txt").write_text(str(number))
    return folder


@pytest.fixture
def endpoint(ml: MLClient) -> str:
    """A new endpoint's name."""
    name = unique("b")
    ml.batch_endpoints.begin_create_or_update(BatchEndpoint(name=name)).result()
    return name


def model(ml: MLClient, folder: Path) -> Model:
    """A registered model: a folder with a file."""
    own = folder / unique("m")
    own.mkdir()
    (own / "factor.txt").write_text("3")
    made: Model = ml.models.create_or_update(Model(name=unique("model"), path=str(own), type="custom_model"))
    return made


def deployed(ml: MLClient, endpoint: str, folder: Path, *, default: bool = True, **settings: Any) -> str:
    """A deployment of such a model; gives its name."""
    code, name = folder / unique("code"), unique("d")
    code.mkdir()
    (code / "score.py").write_text(dedent(settings.pop("script", SCORE)))
    deployment = ModelBatchDeployment(
        name=name,
        endpoint_name=endpoint,
        model=model(ml, folder),
        code_configuration=CodeConfiguration(code=str(code), scoring_script="score.py"),
        environment=Environment(name="none", image="python:3.11"),
        compute=NODES,
        settings=ModelBatchDeploymentSettings(
            **{"mini_batch_size": 2, "instance_count": 2, "max_concurrency_per_instance": 1, **settings}
        ),
    )
    ml.batch_deployments.begin_create_or_update(deployment).result()
    if default:
        found = ml.batch_endpoints.get(endpoint)
        found.defaults = {"deployment_name": name}
        ml.batch_endpoints.begin_create_or_update(found).result()
    return name


def rows(text: str) -> list[str]:
    return sorted(text.splitlines())


class TestModels:
    def test_from_model_to_predictions(
        self, ml: MLClient, team: Team, endpoint: str, data: Path, tmp_path: Path
    ) -> None:
        name = deployed(ml, endpoint, tmp_path, retry_settings=BatchRetrySettings(max_retries=1, timeout=30))
        assert ml.batch_endpoints.get(endpoint).defaults.deployment_name == name
        found = ml.batch_deployments.get(name, endpoint)
        assert (found.output_file_name, found.error_threshold, found.mini_batch_size) == ("predictions.csv", -1, 2)
        job = ml.batch_endpoints.invoke(endpoint, inputs={"data": Input(type="uri_folder", path=str(data))})
        assert ended(team, job.name) == "Completed", failures(team, job.name)
        ml.jobs.download(job.name, download_path=tmp_path / "down")
        wanted = [f"{number}.txt {3 * number}" for number in range(5)]
        assert rows((tmp_path / "down" / "predictions.csv").read_text()) == wanted
        assert rows((tmp_path / "down" / "own.txt").read_text()) == wanted
        (child,) = children(team, job.name).values()
        assert child["displayName"] == "batchscoring" and child["computeRequest"]["nodeCount"] == 2
        shown = ml.jobs.get(job.name)
        assert shown.tags["azureml.batchrun"] == "true" and shown.properties["runSource"] == "BatchDeployment"
        assert shown.experiment_name == endpoint
        assert [one.name for one in ml.batch_endpoints.list_jobs(endpoint)] == [job.name]
        assert [one.name for one in ml.batch_deployments.list_jobs(endpoint, name=name)] == [job.name]
        (listed,) = ml.batch_endpoints.list_jobs(endpoint)
        assert listed.status == "Completed" and listed.type.endswith("batchEndpoints/deployments/jobs")

    def test_a_named_deployment_an_output_of_ones_own_and_a_job_name(
        self, ml: MLClient, team: Team, endpoint: str, data: Path, tmp_path: Path
    ) -> None:
        name, wanted = deployed(ml, endpoint, tmp_path, default=False), unique("job")
        uri = f"azureml://datastores/workspaceblobstore/paths/{wanted}/out.csv"
        job = ml.batch_endpoints.invoke(
            endpoint,
            deployment_name=name,
            inputs={"data": Input(type="uri_file", path=str(data / "4.txt"))},
            outputs={"score": Output(type="uri_file", path=uri)},
            job_name=wanted,
        )
        assert job.name == wanted
        assert ended(team, job.name) == "Completed", failures(team, job.name)
        ml.jobs.download(job.name, download_path=tmp_path / "down")
        (found,) = (one for one in (tmp_path / "down").rglob("out.csv"))
        assert found.read_text() == "4.txt 12\n"

    def test_summary_only_and_a_threshold(
        self, ml: MLClient, team: Team, endpoint: str, data: Path, tmp_path: Path
    ) -> None:
        deployed(
            ml,
            endpoint,
            tmp_path,
            output_action=BatchDeploymentOutputAction.SUMMARY_ONLY,
            output_file_name=None,
            error_threshold=0,
            script="def run(mini_batch): return mini_batch[1:]",
            retry_settings=BatchRetrySettings(max_retries=0, timeout=30),
        )
        job = ml.batch_endpoints.invoke(endpoint, inputs={"data": Input(type="uri_folder", path=str(data))})
        assert ended(team, job.name) == "Failed"
        (child,) = children(team, job.name).values()
        assert "items failed, and the error threshold is 0" in log_text(team, child["runId"])

    @pytest.mark.soak  # builds an environment with MLflow and pandas
    def test_an_mlflow_model_without_code(self, ml: MLClient, team: Team, endpoint: str, tmp_path: Path) -> None:
        folder = tmp_path / "mlmodel"
        folder.mkdir()
        (folder / "MLmodel").write_text("flavors:\n  python_function:\n    loader_module: twice\n    code: code\n")
        (folder / "code").mkdir()
        (folder / "code" / "twice.py").write_text(
            "class Twice:\n    def predict(self, table): return list(table['x'] * 2)\n"
            "def _load_pyfunc(path): return Twice()\n"
        )
        (folder / "conda.yaml").write_text("dependencies:\n- python=3.11\n- pip:\n  - mlflow\n")
        made = ml.models.create_or_update(Model(name=unique("model"), path=str(folder), type="mlflow_model"))
        name = unique("d")
        deployment = ModelBatchDeployment(name=name, endpoint_name=endpoint, model=made, compute=NODES)
        ml.batch_deployments.begin_create_or_update(deployment).result()
        (tmp_path / "rows.csv").write_text("x\n1\n5\n")
        job = ml.batch_endpoints.invoke(
            endpoint, deployment_name=name, inputs={"data": Input(type="uri_file", path=str(tmp_path / "rows.csv"))}
        )
        assert ended(team, job.name) == "Completed", failures(team, job.name)
        ml.jobs.download(job.name, download_path=tmp_path / "down")
        assert (tmp_path / "down" / "predictions.csv").read_text() == "0 2 rows.csv\n1 10 rows.csv\n"


class TestPipelines:
    def test_a_component_with_literals_and_data(
        self, ml: MLClient, team: Team, endpoint: str, data: Path, tmp_path: Path
    ) -> None:
        step: Step = steps(tmp_path)
        count = step(
            "count",
            "echo $(ls ${{inputs.data}} | wc -l) ${{inputs.word}} > ${{outputs.out}}/n.txt",
            {"data": {"type": "uri_folder"}, "word": {"type": "string"}},
            {"out": {"type": "uri_folder"}},
        )
        from azure.ai.ml import dsl  # noqa: PLC0415

        @dsl.pipeline(None, name=unique("pc"))
        def whole(data: Input, word: str) -> Any:
            node = count(data=data, word=word)
            return {"out": node.outputs.out}

        component = whole(data=Input(type="uri_folder", path="azureml://datastores/lake/paths/x/"), word="w").component
        registered = ml.components.create_or_update(component, version="1")
        plain = PipelineComponentBatchDeployment(name=unique("d"), endpoint_name=endpoint, component=registered)
        assert ml.batch_deployments.begin_create_or_update(plain).result().settings == {}
        name = unique("d")
        deployment = PipelineComponentBatchDeployment(
            name=name, endpoint_name=endpoint, component=registered, settings={"default_compute": NODES}
        )
        ml.batch_deployments.begin_create_or_update(deployment).result()
        job = ml.batch_endpoints.invoke(
            endpoint,
            deployment_name=name,
            inputs={
                "data": Input(type="uri_folder", path=str(data)),
                "word": Input(type="string", default="hello"),
            },
        )
        assert ended(team, job.name) == "Completed", failures(team, job.name)
        ml.jobs.download(job.name, download_path=tmp_path / "down", output_name="out")
        (found,) = (tmp_path / "down").rglob("n.txt")
        assert found.read_text().split() == ["5", "hello"]
        assert ml.jobs.get(job.name).tags["azureml.jobtype"] == "azureml.pipelinejob"


class TestRequests:
    @pytest.fixture
    def path(self, team: Team) -> str:
        """A new endpoint's path."""
        path = f"/batchEndpoints/{unique('b')}"
        made = team.arm("PUT", path, {"location": REGION, "properties": {"authMode": "aadToken"}}, API)
        assert made.status_code == 201, made.text
        assert outcome(team.azure, made)["status"] == "Succeeded"
        return path

    def test_what_is_answered(self, team: Team) -> None:
        """batch_services/…test_batch_endpoint_create, 2023-12"""
        name = unique("b")
        sent = {
            "location": REGION,
            "tags": {"t": "v"},
            "properties": {"authMode": "aadToken", "description": "d", "properties": {"p": "v"}},
        }
        made = team.arm("PUT", f"/batchEndpoints/{name}", sent, API)
        id_ = f"{team.id}/batchEndpoints/{name}"
        expected: dict[str, Any] = {
            "id": id_,
            "name": name,
            "type": "Microsoft.MachineLearningServices/workspaces/batchEndpoints",
            "location": REGION,
            "tags": {"t": "v"},
            "systemData": {"createdAt": TIME, "createdBy": str, "lastModifiedAt": TIME},
            "properties": {
                "description": "d",
                "properties": {
                    "p": "v",
                    "BatchEndpointCreationApiVersion": API,
                    "azureml.onlineendpointid": id_,
                },
                "scoringUri": None,
                "swaggerUri": None,
                "authMode": "AADToken",
                "defaults": {"deploymentName": None},
                "provisioningState": "Creating",
            },
        }
        assert made.status_code == 201
        assert not differences(expected, made.json())
        assert re.search(r"/mfeOperationsStatus/bebes:[0-9a-f-]+:[0-9a-f-]+\?", made.headers["Azure-AsyncOperation"])
        assert made.headers["Location"] == f"https://management.azure.com{id_}?api-version={API}"
        assert made.headers["x-ms-async-operation-timeout"] == "PT30M"
        state = team.azure.send("GET", made.headers["Azure-AsyncOperation"]).json()
        assert set(state) == {"id", "name", "status"}
        assert outcome(team.azure, made)["status"] == "Succeeded"
        shown = team.arm("GET", f"/batchEndpoints/{name}", api=API).json()
        expected["properties"] |= {
            "scoringUri": f"https://{name}.{REGION}.inference.ml.azure.com/jobs",
            "provisioningState": "Succeeded",
        }
        assert not differences(expected, shown)
        assert name in {one["name"] for one in team.arm("GET", "/batchEndpoints", api=API).json()["value"]}
        gone = team.arm("DELETE", f"/batchEndpoints/{name}", api=API)
        assert gone.status_code == 202 and gone.text == "null"
        missing = team.arm("GET", f"/batchEndpoints/{name}", api=API)
        assert missing.status_code == 404
        assert f"An endpoint with the name '{name}' does not exist in the workspace" in missing.text
        more = {one["type"]: one["info"]["value"] for one in missing.json()["error"]["additionalInfo"]}
        assert more["InnerError"] == {
            "code": "NotFound",
            "innerError": {"code": "EndpointNotFound", "innerError": None},
        }

    @pytest.mark.parametrize(
        ("properties", "says"),
        [
            ({"authMode": "Key"}, "AADToken only"),
            ({"authMode": "AADToken", "defaults": {"deploymentName": "none"}}, "'none' is not there"),
        ],
    )
    def test_endpoints_that_are_refused(self, team: Team, properties: dict[str, Any], says: str) -> None:
        sent = {"location": REGION, "properties": properties}
        refused = team.arm("PUT", f"/batchEndpoints/{unique('b')}", sent, API)
        assert refused.status_code == 400 and says in refused.text

    def test_a_name_is_taken_once_in_a_region(self, team: Team, keyed_team: Team, path: str) -> None:
        sent = {"location": REGION, "properties": {"authMode": "aadToken"}}
        refused = keyed_team.arm("PUT", path, sent, API)
        assert refused.status_code == 400 and "unique within a region" in refused.text
        online = team.arm(
            "PUT", path.replace("batch", "online"), {"location": REGION, "properties": {"authMode": "Key"}}
        )
        assert online.status_code == 400

    @pytest.mark.parametrize(
        ("changes", "target"),
        [
            ({"model": None}, "model"),
            ({"compute": None}, "compute"),
            ({"compute": "nowhere"}, "computeId"),
            ({"codeConfiguration": None}, "codeConfiguration"),
            ({"codeConfiguration": {"codeId": "azureml:none:1", "scoringScript": "s.py"}}, "codeConfiguration"),
            ({"environmentId": "azureml:nothing:7"}, "environmentId"),
            ({"environmentId": "azureml:AzureML-sklearn-1.0-ubuntu20.04-py38-cpu:33"}, "environmentId"),
            ({"resources": {"instanceCount": 9}}, "resources.instanceCount"),
            (
                {"deploymentConfiguration": {"deploymentConfigurationType": "PipelineComponent", "componentId": {}}},
                "deploymentConfiguration.componentId",
            ),
        ],
    )
    def test_deployments_that_are_refused(self, team: Team, path: str, changes: dict[str, Any], target: str) -> None:
        sent = {"location": REGION, "properties": {**self.body(team), **changes}}
        refused = team.arm("PUT", f"{path}/deployments/d1x", sent, "2024-01-01-preview")
        assert error(refused) == (400, "UserError"), refused.text
        assert refused.json()["error"]["target"] == f"properties.{target}"

    def test_a_deployments_life(self, team: Team, path: str) -> None:
        at = f"{path}/deployments/d1x"
        made = team.arm("PUT", at, {"location": REGION, "properties": self.body(team)}, "2024-01-01-preview")
        assert made.status_code == 201 and outcome(team.azure, made)["status"] == "Succeeded", made.text
        found = team.arm("GET", at, api=API).json()["properties"]
        assert found["retrySettings"] == {"maxRetries": 3, "timeout": "PT30S"}
        assert (found["outputAction"], found["loggingLevel"]) == ("AppendRow", "Info")
        default = {"authMode": "aadToken", "defaults": {"deploymentName": "d1x"}}
        assert team.arm("PUT", path, {"location": REGION, "properties": default}, API).status_code == 200
        assert team.arm("DELETE", at, api=API).status_code == 202
        assert team.arm("GET", at, api=API).status_code == 404
        assert team.arm("GET", path, api=API).json()["properties"]["defaults"] == {"deploymentName": None}
        orphan = team.arm("PUT", "/batchEndpoints/none9/deployments/d1x", {"location": REGION, "properties": {}}, API)
        assert orphan.status_code == 404

    @staticmethod
    def body(team: Team) -> dict[str, Any]:
        """A deployment of a model, code and environment that are there."""
        uri = "azureml://datastores/lake/paths/m"
        team.arm("PUT", "/models/some/versions/1", {"properties": {"modelUri": uri, "modelType": "custom_model"}})
        code = "https://x.blob.core.windows.net/c/src"
        team.arm("PUT", "/codes/some/versions/1", {"properties": {"codeUri": code}}, "2023-04-01")
        return {
            "compute": f"{team.id}/computes/{NODES}",
            "model": {"referenceType": "Id", "assetId": f"{team.id}/models/some/versions/1"},
            "codeConfiguration": {"codeId": f"{team.id}/codes/some/versions/1", "scoringScript": "s.py"},
            "environmentId": bare_environment(team),
        }


class TestInvocation:
    @staticmethod
    def post(
        client: Client, endpoint: str, sent: Any, *, audience: str = "https://ml.azure.com", **headers: str
    ) -> Any:
        token = client.token(audience or "https://ml.azure.com")
        url = f"https://{endpoint}.{REGION}.inference.ml.azure.com/jobs"
        return client.session.post(url, json=sent, headers={"Authorization": f"Bearer {token}", **headers})

    @pytest.fixture
    def ready(self, team: Team) -> str:
        """An endpoint with a default deployment."""
        name = unique("b")
        properties: dict[str, Any] = {"authMode": "aadToken"}
        made = team.arm("PUT", f"/batchEndpoints/{name}", {"location": REGION, "properties": properties}, API)
        assert made.status_code == 201, made.text
        sent = {"location": REGION, "properties": TestRequests.body(team)}
        made = team.arm("PUT", f"/batchEndpoints/{name}/deployments/d1x", sent, "2024-01-01-preview")
        assert made.status_code == 201, made.text
        properties["defaults"] = {"deploymentName": "d1x"}
        team.arm("PUT", f"/batchEndpoints/{name}", {"location": REGION, "properties": properties}, API)
        return name

    @pytest.mark.parametrize(
        ("properties", "status", "says"),
        [
            ({}, 400, "takes one input of data"),
            ({"inputData": {"a": {"jobInputType": "Parquet", "uri": "x"}}}, 400, "Parquet"),
            ({"inputData": {"a": {"jobInputType": "UriFolder"}}}, 400, "needs a uri"),
            ({"inputData": {"a": {"jobInputType": "Literal", "uri": "x"}}}, 400, "Literal"),
            ({"name": "no/name", "inputData": {}}, 400, "no/name"),
        ],
    )
    def test_calls_that_are_refused(
        self, team: Team, ready: str, properties: dict[str, Any], status: int, says: str
    ) -> None:
        refused = self.post(team.azure, ready, {"properties": properties})
        assert refused.status_code == status and says in refused.text, refused.text

    def test_who_may(self, team: Team, lead: Client, scientist: Client, ready: str) -> None:
        sent = {"properties": {"inputData": {"UriFolder": {"uri": "azureml://datastores/lake/paths/in/"}}}}
        assert self.post(scientist, ready, sent).status_code == 200
        for answer, status, says in (
            (self.post(lead, ready, sent), 403, "batchEndpoints/jobs/write"),
            (self.post(scientist, ready, sent, audience="https://management.azure.com"), 401, "token"),
            (self.post(scientist, ready, sent, **{"azureml-model-deployment": "none"}), 404, "no deployment 'none'"),
            (self.post(scientist, "nobody9", sent), 404, "no endpoint"),
        ):
            assert answer.status_code == status and says in answer.text, answer.text
        listed = team.by(lead).plane(
            "GET", "mferp/managementfrontend", f"/batchEndpoints/{ready}/jobs?api-version=2020-09-01-dataplanepreview"
        )
        assert listed.status_code == 403 and "batchEndpoints/jobs/read" in listed.text
        for method, path in (("PUT", ""), ("DELETE", ""), ("PUT", "/deployments/d1x"), ("DELETE", "/deployments/d1x")):
            sent_ = {"location": REGION, "properties": {"authMode": "aadToken"}}
            refused = lead.arm(method, f"{team.id}/batchEndpoints/{ready}{path}", sent_, api=API)
            assert error(refused) == (403, "AuthorizationFailed"), refused.text

    def test_no_default_deployment(self, team: Team) -> None:
        name = unique("b")
        team.arm("PUT", f"/batchEndpoints/{name}", {"location": REGION, "properties": {"authMode": "aadToken"}}, API)
        refused = self.post(team.azure, name, {"properties": {}})
        assert refused.status_code == 400 and "no default deployment" in refused.text
