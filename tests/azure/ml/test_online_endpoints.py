"""Online endpoints and their deployments in the resource manager, by azure-ai-ml and by plain requests."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from tests.azure.client import READER, Client, unique, user_id
from tests.azure.ml import harness, serving
from tests.azure.ml.harness import REGION, Team, grant, granted
from tests.azure.ml.serving import ECHO, Endpoint, outcome
from tests.azure.ml.shapes import GUID, TIME, differences, refusal
from tests.azure.ml.waiting import until

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
    return {"words": words, "sent": json.loads(body)}
"""
AUTH = {"authMode": "Key"}
READER_OF_BLOBS = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
LEAD = user_id("admin1@site.com")


@pytest.fixture(scope="module")
def environment(team: Team) -> str:
    return serving.environment(team)


@pytest.fixture(scope="module")
def served(team: Team, environment: str) -> Endpoint:
    """An endpoint with two deployments, `blue` with all the traffic."""
    made = serving.endpoint(team)
    for name in ("blue", "green"):
        done = made.served(name, ECHO, environmentId=environment, environmentVariables={"WORD": name})
        assert done["status"] == "Succeeded", (done, made.logs(name))
    made.traffic(blue=100)
    return made


def test_azure_ai_ml_makes_calls_reads_and_removes(ml: "MLClient", tmp_path: Path) -> None:
    """The whole life, by the unmodified client of the data scientist."""
    from azure.ai.ml.entities import (  # noqa: PLC0415 # 2 seconds that most tests do without
        CodeConfiguration,
        Environment,
        ManagedOnlineDeployment,
        ManagedOnlineEndpoint,
        Model,
    )
    from azure.ai.ml.exceptions import MlException  # noqa: PLC0415
    from azure.core.exceptions import ResourceNotFoundError  # noqa: PLC0415

    for file, text in (("src/score.py", SCORE), ("model/words.txt", "hello"), ("request.json", '{"a": 1}')):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(text)
    name = unique("ep")
    endpoint = ml.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name=name, auth_mode="key")).result()
    assert endpoint.provisioning_state == "Succeeded"
    assert endpoint.scoring_uri == f"https://{name}.{REGION}.inference.ml.azure.com/score"
    deployment = ManagedOnlineDeployment(
        name="blue",
        endpoint_name=name,
        model=Model(path=str(tmp_path / "model")),
        code_configuration=CodeConfiguration(code=str(tmp_path / "src"), scoring_script="score.py"),
        environment=Environment(image="mcr.microsoft.com/azureml/minimal", conda_file=str(serving.CONDA)),
        instance_type="Standard_DS2_v2",
        instance_count=1,
    )
    with pytest.raises(MlException, match="docker"):
        ml.online_deployments.begin_create_or_update(deployment, local=True)
    made = ml.online_deployments.begin_create_or_update(deployment).result()
    assert made.provisioning_state == "Succeeded"
    endpoint.traffic = {"blue": 100}
    ml.online_endpoints.begin_create_or_update(endpoint).result()
    answer = ml.online_endpoints.invoke(name, request_file=str(tmp_path / "request.json"))
    assert json.loads(answer) == {"words": "hello", "sent": {"a": 1}}
    assert "init is done" in ml.online_deployments.get_logs("blue", name, 100)
    assert "Download completed" in ml.online_deployments.get_logs(
        "blue", name, 100, container_type="storage-initializer"
    )
    old = ml.online_endpoints.get_keys(name).primary_key
    ml.online_endpoints.begin_regenerate_keys(name, key_type="primary").result()
    assert ml.online_endpoints.get_keys(name).primary_key != old
    made = ml.online_deployments.get("blue", name)
    made.instance_count = 2
    assert ml.online_deployments.begin_create_or_update(made).result().instance_count == 2
    assert [one.name for one in ml.online_deployments.list(name)] == ["blue"]
    assert name in {one.name for one in ml.online_endpoints.list()}
    ml.online_endpoints.begin_delete(name).result()
    with pytest.raises(ResourceNotFoundError):
        ml.online_endpoints.get(name)


class TestRecorded:
    """Against recordings of azure-ai-ml's online_services tests; docs/fidelity/serving.md has their names."""

    def test_an_endpoint(self, team: Team) -> None:
        made = Endpoint(team, unique("ep"))
        put = made.put(description="a sample", properties={}, mirrorTraffic={}, traffic={})
        assert put.status_code == 201
        status = re.compile(
            rf"https://management\.azure\.com/subscriptions/{GUID.pattern}/providers/Microsoft\.MachineLearningServices/"
            rf"locations/{REGION}/mfeOperationsStatus/oeidp:{GUID.pattern}:{GUID.pattern}\?api-version={serving.API}"
        )
        assert status.fullmatch(put.headers["Azure-AsyncOperation"])
        assert put.headers["x-ms-async-operation-timeout"] == "PT30M"
        assert put.headers["Location"].endswith(f"{team.id}{made.path}?api-version={serving.API}")
        expected: dict[str, Any] = {
            "id": team.id + made.path,
            "name": made.name,
            "type": "Microsoft.MachineLearningServices/workspaces/onlineEndpoints",
            "location": REGION,
            "kind": "Managed",
            "tags": {},
            "identity": {"type": "SystemAssigned", "principalId": GUID, "tenantId": GUID},
            "systemData": {"createdAt": TIME, "createdBy": str, "lastModifiedAt": TIME},
            "properties": {
                "description": "a sample",
                "properties": {
                    "azureml.onlineendpointid": (team.id + made.path).lower(),
                    "AzureAsyncOperationUri": status,
                },
                "scoringUri": None,
                "swaggerUri": None,
                "authMode": "Key",
                "provisioningState": "Creating",
                "compute": None,
                "traffic": {},
                "mirrorTraffic": {},
                "publicNetworkAccess": "Enabled",
            },
        }
        assert differences(expected, put.json()) == []
        running = team.azure.send("GET", put.headers["Azure-AsyncOperation"]).json()
        name = put.headers["Azure-AsyncOperation"].rpartition("/")[2].partition("?")[0]
        poll = {
            "id": re.compile(rf"/subscriptions/.*/mfeOperationsStatus/{name}"),
            "name": name,
            "startTime": TIME,
            "endTime": "0001-01-01T00:00:00+00:00",
            "percentComplete": 0.0,
            "status": "Updating",
        }
        assert differences(poll, running) == []
        assert differences({**poll, "endTime": TIME, "status": "Succeeded"}, outcome(team, put)) == []
        expected["properties"] |= {
            "scoringUri": f"https://{made.name}.{REGION}.inference.ml.azure.com/score",
            "swaggerUri": f"https://{made.name}.{REGION}.inference.ml.azure.com/swagger.json",
            "provisioningState": "Succeeded",
        }
        assert differences(expected, made.get()) == []
        gone = made.arm("DELETE")
        assert (gone.status_code, gone.text) == (202, "null")
        assert "/mfeOperationResults/oeidp:" in gone.headers["Location"]
        assert outcome(team, gone)["status"] == "Succeeded"
        assert team.azure.send("GET", gone.headers["Location"]).status_code == 200
        assert made.arm("DELETE").status_code == 204

    def test_a_deployment(self, served: Endpoint) -> None:
        probe = {
            "failureThreshold": 30,
            "successThreshold": 1,
            "timeout": "PT2S",
            "period": "PT10S",
            "initialDelay": "PT10S",
        }
        shown = served.get("/deployments/blue")
        expected = {
            "appInsightsEnabled": False,
            "egressPublicNetworkAccess": "Enabled",
            "endpointComputeType": "Managed",
            "instanceType": "STANDARD_F2S_V2",
            "livenessProbe": probe,
            "readinessProbe": probe,
            "modelMountPath": None,
            "privateNetworkConnection": False,
            "provisioningState": "Succeeded",
            "requestSettings": {
                "maxQueueWait": "PT0S",
                "requestTimeout": "PT5S",
                "maxConcurrentRequestsPerInstance": 1,
            },
            "scaleSettings": {"scaleType": "Default"},
        }
        assert differences(expected, {key: shown["properties"][key] for key in expected}) == []
        assert shown["sku"] == {"name": "Default", "tier": "Standard", "capacity": 1}
        assert shown["properties"]["environmentVariables"] == {
            "WORD": "blue",
            "AML_APP_ROOT": "/var/azureml-app/src",
            "AZUREML_ENTRY_SCRIPT": "score.py",
        }


class TestFailures:
    """A deployment that cannot be served is failed, and its log says why."""

    def test_of_scripts(self, team: Team, environment: str) -> None:
        made = serving.endpoint(team)
        scripts = {
            "init": (
                "def init():\n    raise RuntimeError('no model here')\ndef run(body):\n    return 1",
                "no model here",
            ),
            "norun": ("def init():\n    pass", "does not have a run() function"),
            "import": ("import nothing_of_this_name", "nothing_of_this_name"),
        }
        accepted = {
            name: made.deploy(
                name,
                codeConfiguration={"codeId": serving.code(team, script), "scoringScript": "score.py"},
                environmentId=environment,
            )
            for name, (script, _) in scripts.items()
        }
        for name, (_, problem) in scripts.items():
            done = outcome(team, accepted[name])
            assert (done["status"], done["error"]["code"]) == ("Failed", "ResourceNotReady")
            assert made.get(f"/deployments/{name}")["properties"]["provisioningState"] == "Failed"
            assert problem in made.logs(name)
        made.traffic(init=100)
        assert made.score({}).status_code == 404

    def test_of_the_models_path(self, team: Team, environment: str) -> None:
        made = serving.endpoint(team)
        address = serving.uploaded(team, {"model/words.txt": "hello"})
        model = serving.registered(team, "models", {"modelUri": f"{address}/other", "modelType": "custom_model"})
        done = made.served("blue", ECHO, environmentId=environment, model=model)
        assert (done["status"], done["error"]["code"]) == ("Failed", "BadArgument")
        assert "other" in made.logs("blue", "StorageInitializer")

    def test_of_the_environment(self, team: Team) -> None:
        made = serving.endpoint(team)
        conda = "dependencies:\n- pip:\n  - no-package-of-this-name-at-all==1.0\n"
        done = made.served("blue", ECHO, environmentId=serving.environment(team, conda))
        assert (done["status"], done["error"]["code"]) == ("Failed", "ImageBuildFailure")
        assert "no-package-of-this-name-at-all" in made.logs("blue")

    def test_of_an_identity_without_roles(self, team: Team, environment: str) -> None:
        """Its own identity gets them from the service; one that users assign needs them from the platform."""
        made = Endpoint(team, unique("ep"))
        identity = harness.identity(team.azure, team.needs.group)
        users = {"type": "UserAssigned", "userAssignedIdentities": {identity["id"]: {}}}
        put = made.arm("PUT", "", {"location": REGION, "identity": users, "properties": AUTH})
        assert outcome(team, put)["status"] == "Succeeded"
        done = made.served("blue", ECHO, environmentId=environment)
        assert (done["status"], done["error"]["code"]) == ("Failed", "BadArgument")
        assert identity["properties"]["principalId"] in made.logs("blue", "StorageInitializer")
        grant(team.azure, team.needs.ids["storageAccount"], identity["properties"]["principalId"], READER_OF_BLOBS)
        assert made.served("blue", ECHO, environmentId=environment)["status"] == "Succeeded"


class TestTraffic:
    @pytest.mark.parametrize(
        ("weights", "problem"),
        [
            ({"traffic": {"blue": 50}}, "The sum of all weights must be 0 or 100, not 50."),
            ({"traffic": {"blue": 101}}, "must be a whole number from 0 to 100"),
            ({"traffic": {"red": 100}}, "Deployment 'red' does not exist"),
            ({"mirrorTraffic": {"green": 60}}, "At most 50 percent can be mirrored"),
            ({"mirrorTraffic": {"green": 10, "blue": 10}}, "to one deployment only"),
            ({"traffic": {"blue": 100}, "mirrorTraffic": {"blue": 10}}, "has live traffic"),
        ],
    )
    def test_wrong_weights_are_refused(self, served: Endpoint, weights: dict[str, Any], problem: str) -> None:
        answer = served.put(**weights)
        detail = {"code": "InferencingClientCallFailed", "message": re.compile(f".*{problem}.*"), "details": []}
        expected = refusal(REGION, "The request is invalid.", "BadArgument", details=[{**detail, "additionalInfo": []}])
        assert (answer.status_code, differences(expected, answer.json())) == (400, [])

    def test_no_deployment_with_traffic_is_deleted(self, served: Endpoint) -> None:
        answer = served.arm("DELETE", "/deployments/blue")
        assert answer.status_code == 400
        assert "Can't delete deployment [blue] with non-zero traffic weight" in answer.text

    def test_green_takes_over_from_blue(self, served: Endpoint) -> None:
        assert served.score({}).json()["word"] == "blue"
        served.traffic(green=100, blue=0)
        assert served.score({}).json()["word"] == "green"
        assert served.get()["properties"]["traffic"] == {"green": 100}
        served.traffic(blue=100)

    def test_mirrored_requests_get_the_live_answer(self, served: Endpoint) -> None:
        assert served.put(traffic={"blue": 100}, mirrorTraffic={"green": 50}).status_code == 200
        before = served.logs("green").count("POST /score")
        assert all(served.score({}).json()["word"] == "blue" for _ in range(20))
        until(lambda: served.logs("green").count("POST /score") > before, "a copy")
        served.traffic(blue=100)


class TestChanges:
    def test_instances_come_and_go_without_another_server(self, served: Endpoint) -> None:
        def workers() -> set[int]:
            return {served.score({}, headers={"azureml-model-deployment": "green"}).json()["pid"] for _ in range(20)}

        (first,) = workers()
        patched = served.arm("PATCH", "/deployments/green", {"sku": {"name": "Default", "capacity": 2}})
        assert patched.json()["properties"]["provisioningState"] == "Scaling"
        assert outcome(served.team, patched)["status"] == "Succeeded"
        until(lambda: workers() > {first}, "another worker")
        assert served.get("/deployments/green")["sku"]["capacity"] == 2

    def test_other_code_takes_the_place_of_the_old(self, team: Team, environment: str) -> None:
        """While it is brought up the old answers; where it fails the old stays."""
        made = serving.endpoint(team)
        assert made.served("blue", ECHO, environmentId=environment)["status"] == "Succeeded"
        made.traffic(blue=100)
        code = serving.code(team, "def init():\n    1 / 0\ndef run(body):\n    return 1")
        given: dict[str, Any] = {
            "codeConfiguration": {"codeId": code, "scoringScript": "score.py"},
            "environmentId": environment,
        }
        put = made.deploy("blue", **given)
        assert put.json()["properties"]["provisioningState"] == "Updating"
        assert made.deploy("blue", **given).status_code == 200  # as a client does whose answer got lost
        assert made.deploy("blue", **given, environmentVariables={"A": "b"}).status_code == 409
        assert made.score({}).status_code == 200
        assert outcome(team, put)["status"] == "Failed"
        assert made.score({}).status_code == 200
        new = made.served("blue", "def init(): pass\ndef run(body):\n    return 'new'", environmentId=environment)
        assert new["status"] == "Succeeded"
        assert made.score({}).json() == "new"

    def test_a_deleted_endpoint_leaves_no_server(self, team: Team, environment: str) -> None:
        made = serving.endpoint(team)
        assert made.served("blue", ECHO, environmentId=environment)["status"] == "Succeeded"
        pid = made.score({}, headers={"azureml-model-deployment": "blue"}).json()["pid"]
        assert outcome(team, made.arm("DELETE"))["status"] == "Succeeded"
        until(lambda: not Path(f"/proc/{pid}").exists(), "the server's end")
        assert made.arm("GET", "/deployments/blue").status_code == 404
        assert outcome(team, made.put())["status"] == "Succeeded"  # the name is free again

    def test_a_model_that_is_served_stays(self, team: Team, environment: str) -> None:
        made = serving.endpoint(team)
        address = serving.uploaded(team, {"model/words.txt": "hello"})
        model = serving.registered(team, "models", {"modelUri": f"{address}/model", "modelType": "custom_model"})
        assert made.served("blue", SCORE, environmentId=environment, model=model)["status"] == "Succeeded"
        path = model.removeprefix(team.id)
        for one in (path, path.rpartition("/versions")[0]):
            assert team.arm("DELETE", one).status_code == 409
        outcome(team, made.arm("DELETE", "/deployments/blue"))
        assert team.arm("DELETE", path).status_code == 200


class TestRefusals:
    @pytest.mark.parametrize("name", ["ab", "1abc", "a" * 33, "abc-", "a_b"])
    def test_of_names(self, team: Team, name: str) -> None:
        assert Endpoint(team, name).put().status_code == 400

    def test_of_a_name_that_is_taken_in_the_region(self, team: Team, keyed_team: Team) -> None:
        made = serving.endpoint(team)
        answer = Endpoint(keyed_team, made.name.upper()).put()
        assert answer.status_code == 400
        assert "Endpoint name needs to be unique within a region." in answer.text

    @pytest.mark.parametrize(
        ("properties", "status", "problem"),
        [
            ({"endpointComputeType": "Kubernetes"}, 400, "leave `compute` out"),
            ({"model": "/x/models/absent/versions/1"}, 404, "was not found"),
            ({"environmentId": "/x/environments/absent/versions/1"}, 404, "was not found"),
            ({"environmentId": None}, 400, "needs an environment"),
            ({"codeConfiguration": None}, 400, "needs a code configuration"),
            ({"instanceType": "Standard_Nothing"}, 400, "is not supported"),
            ({"scaleSettings": {"scaleType": "TargetUtilization"}}, 400, "Default alone"),
            ({"requestSettings": {"requestTimeout": "PT181S"}}, 400, "at most 180 seconds"),
            ({"requestSettings": {"requestTimeout": "5"}}, 400, "ISO 8601"),
            ({"livenessProbe": {"failureThreshold": 0}}, 400, "from 1 on"),
            ({"environmentVariables": {"A": 1}}, 400, "must be a string"),
        ],
    )
    def test_of_deployments(
        self, served: Endpoint, environment: str, properties: dict[str, Any], status: int, problem: str
    ) -> None:
        code = served.get("/deployments/blue")["properties"]["codeConfiguration"]
        answer = served.deploy("red", **{"codeConfiguration": code, "environmentId": environment, **properties})
        assert (answer.status_code, problem in answer.text) == (status, True), answer.text
        assert served.arm("GET", "/deployments/red").status_code == 404

    @pytest.mark.parametrize("capacity", [0, 51])
    def test_of_instances(self, served: Endpoint, environment: str, capacity: int) -> None:
        code = served.get("/deployments/blue")["properties"]["codeConfiguration"]
        answer = served.deploy("red", capacity, codeConfiguration=code, environmentId=environment)
        assert (answer.status_code, "1 to 50 instances" in answer.text) == (400, True)

    def test_of_more_than_the_quota(self, served: Endpoint, environment: str) -> None:
        """A fifth more than is asked for, rounded up; what deployments use counts as that of clusters does."""
        code = served.get("/deployments/blue")["properties"]["codeConfiguration"]
        given: dict[str, Any] = {
            "codeConfiguration": code,
            "environmentId": environment,
            "instanceType": "Standard_DS3_v2",
        }
        answer = served.deploy("red", 6, **given)
        message = answer.json()["error"]["details"][0]["message"]
        assert answer.json()["error"]["details"][0]["code"] == "InferencingClientCreateDeploymentFailed"
        assert re.search(
            r"Not enough quota available for STANDARD_DS3_V2 .* usage/limit: \d+/24\. Additional needed: 32", message
        )

    def test_of_an_endpoint_on_kubernetes(self, team: Team) -> None:
        answer = Endpoint(team, unique("ep")).put(compute="kubernetes")
        assert (answer.status_code, "not emulated by the sandbox" in answer.text) == (400, True)

    @pytest.mark.parametrize("body", [{"containerType": "Other"}, {"tail": 0}, {"tail": "x"}])
    def test_of_logs(self, served: Endpoint, body: dict[str, Any]) -> None:
        assert served.arm("POST", "/deployments/blue/getLogs", body).status_code == 400


class TestRights:
    """Each operation needs its own action, by a role with all the others."""

    @pytest.mark.parametrize(
        ("method", "path", "action"),
        [
            ("GET", "", "onlineEndpoints/read"),
            ("PUT", "", "onlineEndpoints/write"),
            ("DELETE", "", "onlineEndpoints/delete"),
            ("POST", "/listKeys", "onlineEndpoints/listKeys/action"),
            ("POST", "/regenerateKeys", "onlineEndpoints/regenerateKeys/action"),
            ("POST", "/token", "onlineEndpoints/token/action"),
            ("GET", "/deployments", "onlineEndpoints/deployments/read"),
            ("GET", "/deployments/blue", "onlineEndpoints/deployments/read"),
            ("PUT", "/deployments/blue", "onlineEndpoints/deployments/write"),
            ("PATCH", "/deployments/blue", "onlineEndpoints/deployments/write"),
            ("DELETE", "/deployments/blue", "onlineEndpoints/deployments/delete"),
            ("POST", "/deployments/blue/getLogs", "onlineEndpoints/deployments/getLogs/action"),
            ("GET", "/deployments/blue/skus", "onlineEndpoints/deployments/skus/read"),
        ],
    )
    def test_of_operations(self, served: Endpoint, lead: Client, method: str, path: str, action: str) -> None:
        as_lead = Endpoint(served.team.by(lead), served.name)
        answer = as_lead.arm(method, path, {})
        assert answer.status_code == 403
        assert f"Microsoft.MachineLearningServices/workspaces/{action}'".lower() in answer.text.lower()

    def test_readers_read_and_get_no_keys(self, served: Endpoint, lead: Client) -> None:
        as_reader = Endpoint(served.team.by(lead), served.name)
        with granted(served.team.azure, served.team.id, LEAD, READER):
            assert as_reader.arm("GET").status_code == 200
            assert as_reader.arm("POST", "/listKeys").status_code == 403

    def test_a_data_scientist_deploys_and_scores(self, served: Endpoint, scientist: Client) -> None:
        mine = Endpoint(served.team.by(scientist), served.name)
        assert mine.score({}).json()["word"] == "blue"
        assert mine.arm("POST", "/deployments/blue/getLogs", {}).status_code == 200


def test_instances_that_fit_are_listed(served: Endpoint) -> None:
    shown = served.get("/deployments/blue/skus")["value"][0]
    assert shown["sku"] == {"name": "Default", "tier": "Standard"}
    assert shown["capacity"] == {"default": 1, "minimum": 1, "maximum": 50, "scaleType": "Manual"}


def test_the_servers_identity_is_the_endpoints(team: Team, environment: str) -> None:
    """Its process gets tokens as jobs do; a role is what lets it read."""
    script = """
import json, os, urllib.request
def init():
    pass
def run(body):
    url = os.environ["MSI_ENDPOINT"] + "?resource=https://storage.azure.com&api-version=2017-09-01"
    asked = urllib.request.Request(url, headers={"secret": os.environ["MSI_SECRET"]})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked) as answer:
        return json.load(answer)
"""
    made = serving.endpoint(team)
    assert made.served("blue", script, environmentId=environment)["status"] == "Succeeded"
    answer = made.score({}, headers={"azureml-model-deployment": "blue"})
    assert answer.status_code == 200, answer.text
    principal = made.get()["identity"]["principalId"]
    payload = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
    assert (payload["oid"], payload["aud"]) == (principal, "https://storage.azure.com")


def test_a_server_that_hangs_is_started_again(team: Team, environment: str) -> None:
    """Its liveness probe fails, as nothing else answers meanwhile."""
    script = "import json, time\ndef init(): pass\ndef run(body):\n    time.sleep(json.loads(body)['sleep'])"
    probe = {"period": "PT1S", "timeout": "PT1S", "failureThreshold": 2}
    requests = {"requestTimeout": "PT1S"}
    made = serving.endpoint(team)
    done = made.served("blue", script, environmentId=environment, livenessProbe=probe, requestSettings=requests)
    assert done["status"] == "Succeeded"
    made.traffic(blue=100)
    assert made.score({"sleep": 600}).status_code == 408
    until(lambda: "The liveness probe failed 2 times" in made.logs("blue"), "the probe's failure")
    until(lambda: made.score({"sleep": 0}).status_code == 200, "an answer")


def test_what_is_missing_is_told(team: Team, environment: str) -> None:
    made = serving.endpoint(team)
    collected = {"collections": {"model_inputs": {"dataCollectionMode": "Enabled"}}}
    assert made.served("blue", ECHO, environmentId=environment, dataCollector=collected)["status"] == "Succeeded"
    assert "Warning: requests are not collected as data" in made.logs("blue")
