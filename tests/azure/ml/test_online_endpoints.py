"""Online endpoints and deployments, by azure-ai-ml and by plain requests: made, called, changed, removed."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.azure.client import unique
from tests.azure.ml.harness import REGION, Team

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

SCORE = """
import json, os
def init():
    global words
    with open(os.path.join(os.environ["AZUREML_MODEL_DIR"], "model", "words.txt")) as file:
        words = file.read()
    print("init is done")
def run(body):
    sent = json.loads(body)
    print("asked", sent)
    return {"words": words, "sent": sent}
"""
CONDA = Path(__file__).parent / "environments" / "serving.yml"


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `src/score.py` and `model/words.txt`."""
    folder = tmp_path_factory.mktemp("serving")
    (folder / "src").mkdir()
    (folder / "src" / "score.py").write_text(SCORE)
    (folder / "model").mkdir()
    (folder / "model" / "words.txt").write_text("hello")
    return folder


def test_an_endpoint_with_a_deployment_answers_by_key(ml: "MLClient", team: Team, code: Path, tmp_path: Path) -> None:
    from azure.ai.ml.entities import (  # noqa: PLC0415 # 2 seconds that most tests do without
        CodeConfiguration,
        Environment,
        ManagedOnlineDeployment,
        ManagedOnlineEndpoint,
        Model,
    )

    name = unique("ep")
    endpoint = ml.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name=name, auth_mode="key")).result()
    assert endpoint.provisioning_state == "Succeeded"
    assert endpoint.scoring_uri == f"https://{name}.{REGION}.inference.ml.azure.com/score"
    deployment = ManagedOnlineDeployment(
        name="blue",
        endpoint_name=name,
        model=Model(path=str(code / "model")),
        code_configuration=CodeConfiguration(code=str(code / "src"), scoring_script="score.py"),
        environment=Environment(image="mcr.microsoft.com/azureml/minimal", conda_file=str(CONDA)),
        instance_type="Standard_DS2_v2",
        instance_count=1,
    )
    made = ml.online_deployments.begin_create_or_update(deployment).result()
    assert made.provisioning_state == "Succeeded"
    endpoint.traffic = {"blue": 100}
    ml.online_endpoints.begin_create_or_update(endpoint).result()
    request = tmp_path / "request.json"
    request.write_text(json.dumps({"a": 1}))
    assert json.loads(ml.online_endpoints.invoke(name, request_file=str(request))) == {
        "words": "hello",
        "sent": {"a": 1},
    }
    assert "init is done" in ml.online_deployments.get_logs("blue", name, 100)
