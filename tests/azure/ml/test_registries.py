"""Registries of Azure ML by the unmodified client: what one workspace makes or promotes, another one uses."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.azure.client import Client, unique, user_id
from tests.azure.ml import harness, serving
from tests.azure.ml.harness import SCIENTIST, Team, grant, put
from tests.azure.ml.pipelines import completed
from tests.azure.ml.waiting import details, ended, log_text
from tests.conftest import SUBSCRIPTION

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

REGISTRY_USER = "1823dd4f-9b8c-4ab6-ab4e-7397a3684615"
DATAPLANE = "2021-10-01-dataplanepreview"


def make_registry(team: Team, **properties: Any) -> dict[str, Any]:
    """A registry with an account in its region."""
    path = f"{team.needs.group}/providers/Microsoft.MachineLearningServices/registries/{unique('reg')}"
    return put(team.azure, path, harness.registry(**properties))


@pytest.fixture(scope="module")
def registry(team: Team) -> dict[str, Any]:
    """A registry that the data scientist uses."""
    made = make_registry(team)
    grant(team.azure, made["id"], SCIENTIST, REGISTRY_USER, "User")
    return made


@pytest.fixture
def shared(registry: dict[str, Any], ml: "MLClient") -> "MLClient":
    """The client of the registry."""
    from azure.ai.ml import MLClient  # noqa: PLC0415 # slow to import
    from azure.identity import EnvironmentCredential  # noqa: PLC0415

    return MLClient(EnvironmentCredential(), registry_name=registry["name"])


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A model's folder."""
    folder = tmp_path / "weights"
    (folder / "deep").mkdir(parents=True)
    (folder / "model.txt").write_text("42")
    (folder / "deep" / "more.txt").write_text("43")
    return folder


def test_a_model_is_made_read_listed_and_downloaded(shared: "MLClient", files: Path, tmp_path: Path) -> None:
    from azure.ai.ml.entities import Model  # noqa: PLC0415 # slow to import

    name = unique("m")
    made = shared.models.create_or_update(Model(name=name, version="3", path=files, description="deep"))
    assert (made.name, made.version, made.description) == (name, "3", "deep")
    assert made.id == f"azureml://registries/{shared.models._registry_name}/models/{name}/versions/3"
    assert shared.models.get(name, label="latest").version == "3"
    assert name in [one.name for one in shared.models.list()]
    assert [one.version for one in shared.models.list(name=name)] == ["3"]
    shared.models.download(name, "3", download_path=str(tmp_path / "down"))
    down = {path.name: path.read_text() for path in (tmp_path / "down").rglob("*.txt")}
    assert down == {"model.txt": "42", "more.txt": "43"}


def test_a_jobs_inputs_code_and_environment_come_from_a_registry(
    shared: "MLClient", ml: "MLClient", team: Team, files: Path, tmp_path: Path
) -> None:
    from azure.ai.ml import Input, command, dsl, load_component  # noqa: PLC0415 # slow to import
    from azure.ai.ml.entities import Environment, Model  # noqa: PLC0415

    name, registry = unique("s"), shared.models._registry_name
    model = shared.models.create_or_update(Model(name=name, version="1", path=files))
    environment = shared.environments.create_or_update(Environment(name=name, version="1", image="python:3.11"))
    assert environment.id == f"azureml://registries/{registry}/environments/{name}/versions/1"
    job = command(
        command="cat ${{inputs.model}}/model.txt",
        inputs={"model": Input(type="custom_model", path=model.id)},
        environment=environment.id,
        compute="cpu",
    )
    run = ml.jobs.create_or_update(job).name
    assert ended(team, run) == "Completed", log_text(team, run)
    assert "42" in log_text(team, run)

    code = tmp_path / "src"
    code.mkdir()
    (code / "say.py").write_text("print('from the registry')")
    (tmp_path / "component.yml").write_text(
        f"type: command\nname: {name}\nversion: '1'\ncommand: python say.py\ncode: ./src\n"
        f"environment: azureml://registries/{registry}/environments/{name}/versions/1\n"
    )
    shared.components.create_or_update(load_component(tmp_path / "component.yml"))
    step = shared.components.get(name, "1")

    @dsl.pipeline(None, default_compute="cpu")
    def whole() -> None:
        step()

    completed(ml, team, whole())


def test_what_a_workspace_shares_is_in_the_registry(
    ml: "MLClient", shared: "MLClient", registry: dict[str, Any], files: Path, tmp_path: Path
) -> None:
    from azure.ai.ml.entities import Environment, Model  # noqa: PLC0415 # slow to import

    name = unique("p")
    ml.models.create_or_update(Model(name=name, version="1", path=files, tags={"from": "work"}))
    where = {"share_with_name": f"{name}x", "share_with_version": "7", "registry_name": registry["name"]}
    promoted = ml.models.share(name, "1", **where)
    assert (promoted.version, promoted.tags) == ("7", {"from": "work"})
    shared.models.download(f"{name}x", "7", download_path=str(tmp_path / "down"))
    assert (tmp_path / "down" / f"{name}x" / "weights" / "deep" / "more.txt").read_text() == "43"
    with pytest.raises(Exception, match="already exists in registry"):
        ml.models.share(name, "1", **where)

    ml.environments.create_or_update(Environment(name=name, version="1", image="python:3.11"))
    ml.environments.share(name, "1", share_with_name=name, share_with_version="2", registry_name=registry["name"])
    assert shared.environments.get(name, "2").image == "python:3.11"


def test_data_is_made_and_read(shared: "MLClient", ml: "MLClient", team: Team, tmp_path: Path) -> None:
    from azure.ai.ml import Input, command  # noqa: PLC0415 # slow to import
    from azure.ai.ml.entities import Data  # noqa: PLC0415

    (tmp_path / "numbers.csv").write_text("1,2\n")
    name = unique("d")
    made = shared.data.create_or_update(
        Data(name=name, version="1", type="uri_file", path=str(tmp_path / "numbers.csv"))
    )
    assert shared.data.get(name, "1").id == made.id
    job = command(
        command="cat ${{inputs.data}}",
        inputs={"data": Input(type="uri_file", path=made.id)},
        environment=ml.environments.create_or_update(_plain()).id,
        compute="cpu",
    )
    run = ml.jobs.create_or_update(job).name
    assert ended(team, run) == "Completed"
    assert "1,2" in log_text(team, run)


def _plain() -> Any:
    from azure.ai.ml.entities import Environment  # noqa: PLC0415 # slow to import

    return Environment(name=unique("e"), version="1", image="python:3.11")


def plane(client: Client, registry: dict[str, Any], method: str, path: str, body: Any = None) -> Any:
    """A request to the registry's content."""
    url = f"https://{harness.REGION}.api.azureml.ms/mferp/managementfrontend{registry['id']}{path}"
    headers = {"Authorization": f"Bearer {client.token('https://management.azure.com')}"}
    return client.session.request(method, url, json=body, headers=headers, params={"api-version": DATAPLANE})


def test_rights(team: Team, lead: Client, registry: dict[str, Any]) -> None:
    name = unique("r")
    environment = {"properties": {"image": "python:3.11"}}
    one = f"/environments/{name}/versions/1"
    assert plane(team.azure, registry, "PUT", one, environment).status_code == 202
    upload = {"assetId": f"azureml://registries/{registry['name']}/models/{name}/versions/1"}
    calls: list[tuple[str, str, Any, str]] = [
        ("GET", one, None, "read"),
        ("GET", "/models", None, "read"),
        ("PUT", one, environment, "write"),
        ("PUT", f"/tempdatarefs/{name}/versions/1", upload, "write"),
        ("POST", "/import", {"properties": {}}, "write"),
        ("DELETE", one, None, "delete"),
    ]
    for method, path, body, right in calls:
        refused = plane(lead, registry, method, path, body)
        assert (refused.status_code, f"registries/assets/{right}" in refused.text) == (403, True), refused.text
    job = {
        "jobType": "Command",
        "command": "true",
        "computeId": f"{team.id}/computes/cpu",
        "environmentId": f"azureml://registries/{registry['name']}/environments/{name}/versions/1",
    }
    with harness.granted(team.azure, team.id, user_id("admin1@site.com"), harness.ML_SCIENTIST):
        unable = team.by(lead).arm("PUT", f"/jobs/{unique('j')}", {"properties": job})
    assert (unable.status_code, "registries/assets/read" in unable.text) == (403, True), unable.text
    grant(team.azure, registry["id"], user_id("admin1@site.com"), REGISTRY_USER, "User")
    assert plane(lead, registry, "GET", one).status_code == 200
    assert plane(lead, registry, "DELETE", one).status_code == 200


def test_a_registrys_asset_leads_to_no_other_account(team: Team, registry: dict[str, Any]) -> None:
    """Who writes an asset names its address: the registry signs for its own files alone."""
    account = harness.account(team.azure, team.needs.group)
    put(team.azure, f"{account['id']}/blobServices/default/containers/closed", {})
    name = unique("x")
    foreign = f"https://{account['name']}.blob.core.windows.net/closed/secret.txt"
    one = f"/data/{name}/versions/1"
    body = {"properties": {"dataUri": foreign, "dataType": "uri_file"}}
    assert plane(team.azure, registry, "PUT", one, body).status_code == 202
    asset = f"azureml://registries/{registry['name']}{one}"
    given = {"data": {"jobInputType": "uri_file", "uri": asset}}
    job = harness.command_job(team, "cat ${{inputs.data}}", inputs=given)
    run = unique("j")
    assert team.arm("PUT", f"/jobs/{run}", {"properties": job}).status_code == 201
    assert ended(team, run) == "Failed"
    assert "AuthorizationPermissionMismatch" in str(details(team, run)["error"])


def test_discovery_and_what_is_not_there(team: Team, registry: dict[str, Any]) -> None:
    host = "https://westus.api.azureml.ms/registrymanagement/v1.0/registries"
    headers = {"Authorization": f"Bearer {team.azure.token('https://management.azure.com')}"}
    found = team.azure.session.get(f"{host}/{registry['name']}/discovery", headers=headers).json()
    assert (found["registryName"], found["primaryRegion"]) == (registry["name"], harness.REGION)
    assert found["primaryRegionResourceProviderUri"] == f"https://{harness.REGION}.api.azureml.ms/"
    assert (found["subscriptionId"], found["resourceGroup"]) == (SUBSCRIPTION, team.group)
    assert team.azure.session.get(f"{host}/nosuchregistry/discovery", headers=headers).status_code == 404
    assert team.azure.session.get(f"{host}/{registry['name']}/discovery").status_code == 401
    assert plane(team.azure, registry, "GET", "/models/none/versions/1").status_code == 404


def test_a_closed_registry_is_reached_by_its_endpoint_alone(team: Team) -> None:
    closed = make_registry(team, publicNetworkAccess="Disabled")
    refused = plane(team.azure, closed, "GET", "/models")
    assert (refused.status_code, "private endpoint" in refused.text) == (403, True)


def test_a_deleted_registry_leaves_nothing(team: Team) -> None:
    gone = make_registry(team)
    name = unique("g")
    upload = {"assetId": f"azureml://registries/{gone['name']}/models/{name}/versions/1"}
    place = plane(team.azure, gone, "PUT", f"/tempdatarefs/{name}/versions/1", upload).json()
    address = place["blobReferenceForConsumption"]["credential"]["sasUri"]
    blob = address.replace("?", "/file?")
    headers = {"x-ms-blob-type": "BlockBlob"}
    assert team.azure.session.put(blob, data=b"x", headers=headers).status_code == 201
    assert team.azure.arm("DELETE", gone["id"], api=harness.ML_API).status_code == 202
    assert team.azure.session.get(blob).status_code in (403, 404)
    assert plane(team.azure, gone, "GET", "/models").status_code == 404


def test_a_model_of_a_registry_is_served(shared: "MLClient", files: Path, team: Team, scientist: Client) -> None:
    """It is read as who deploys it."""
    from azure.ai.ml.entities import Model  # noqa: PLC0415 # loads the client

    made = shared.models.create_or_update(Model(name=unique("m"), version="1", path=str(files)))
    mine = team.by(scientist)
    script = "import os\ndef init(): pass\ndef run(body): return os.listdir(os.environ['AZUREML_MODEL_DIR'])"
    one = serving.endpoint(mine)
    done = one.served("blue", script, environmentId=serving.environment(mine), model=made.id)
    assert done["status"] == "Succeeded", (done, one.logs("blue", "StorageInitializer"))
    assert one.score({}, headers={"azureml-model-deployment": "blue"}).json() == [files.name]
    one.arm("DELETE")
