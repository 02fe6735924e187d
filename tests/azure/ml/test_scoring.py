"""Requests to online endpoints: who may, what comes back, and what is refused with which status."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.azure.client import Client, unique
from tests.azure.ml import serving
from tests.azure.ml.harness import Team
from tests.azure.ml.serving import Endpoint

SCRIPT = """
import json, os, time
from azureml_inference_server_http.api.aml_response import AMLResponse
def init():
    pass
def run(body):
    sent = json.loads(body)
    if "sleep" in sent:
        time.sleep(sent["sleep"])
    if "status" in sent:
        return AMLResponse({"own": True}, sent["status"], json_str=True)
    if "fail" in sent:
        raise ValueError(sent["fail"])
    return {"sent": sent, "word": os.environ["WORD"]}
"""


@pytest.fixture(scope="module")
def served(team: Team) -> Endpoint:
    """An endpoint with `blue`, whose requests may take two seconds."""
    made = serving.endpoint(team)
    limits = {"requestTimeout": "PT2S", "maxConcurrentRequestsPerInstance": 1}
    environment = serving.environment(team)
    done = made.served(
        "blue", SCRIPT, environmentId=environment, environmentVariables={"WORD": "b"}, requestSettings=limits
    )
    assert done["status"] == "Succeeded", (done, made.logs("blue"))
    made.traffic(blue=100)
    return made


class TestAnswers:
    def test_headers_are_those_of_the_service(self, served: Endpoint) -> None:
        answer = served.score({"a": 1})
        assert (answer.status_code, answer.json()) == (200, {"sent": {"a": 1}, "word": "b"})
        assert answer.headers["azureml-model-deployment"] == answer.headers["azureml-model-session"] == "blue"
        assert answer.headers["Server"] == "azureml-frontdoor"
        assert answer.headers["x-ms-server-version"].startswith("azmlinfsrv/")
        assert answer.headers["x-ms-run-function-failed"] == "False"
        assert float(answer.headers["x-ms-run-fn-exec-ms"]) >= 0
        assert answer.headers["x-ms-request-id"] and answer.headers["x-request-id"]

    def test_ids_of_the_client_come_back(self, served: Endpoint) -> None:
        answer = served.score({}, headers={"x-ms-client-request-id": "mine", "x-request-id": "also-mine"})
        assert answer.headers["x-ms-client-request-id"] == "mine"
        assert answer.headers["x-request-id"] == "also-mine"

    def test_swagger_and_health(self, served: Endpoint) -> None:
        assert served.score(to="/swagger.json", method="GET").json()["swagger"] == "2.0"
        assert served.score(to="/", method="GET").text == "Healthy"

    def test_a_deployment_is_chosen_by_a_header(self, served: Endpoint) -> None:
        assert served.score({}, headers={"azureml-model-deployment": "Blue"}).status_code == 200
        assert served.score({}, headers={"azureml-model-deployment": "green"}).status_code == 404


class TestRefusals:
    def test_a_failing_script_is_424_and_its_log_says_why(self, served: Endpoint) -> None:
        answer = served.score({"fail": "no such thing"})
        assert answer.status_code == 424
        assert answer.headers["ms-azureml-model-error-statuscode"] == "500"
        assert answer.headers["ms-azureml-model-error-reason"] == "model_error"
        assert answer.headers["x-ms-run-function-failed"] == "True"
        assert "no such thing" in served.logs("blue") and "no such thing" not in answer.text

    def test_a_status_of_the_scripts_own_is_424(self, served: Endpoint) -> None:
        answer = served.score({"status": 418})
        assert (answer.status_code, answer.json()) == (424, {"own": True})
        assert answer.headers["ms-azureml-model-error-statuscode"] == "418"

    def test_another_path_is_404(self, served: Endpoint) -> None:
        assert served.score({}, to="/predict").status_code == 404

    def test_no_endpoint_is_404(self, served: Endpoint) -> None:
        assert Endpoint(served.team, unique("none")).score({}, secret="x").status_code == 404

    def test_no_traffic_is_404(self, team: Team) -> None:
        assert serving.endpoint(team).score({}).status_code == 404

    def test_too_slow_is_408(self, served: Endpoint) -> None:
        assert served.score({"sleep": 2.1}).status_code == 408

    def test_too_many_at_once_are_429(self, served: Endpoint) -> None:
        """Twice the one that is allowed for its one instance; the second waits, perhaps for too long."""
        secret, gate = served.key(), threading.Barrier(6)

        def one(_: int) -> int:
            gate.wait()
            return served.score({"sleep": 0.9}, secret=secret).status_code

        with ThreadPoolExecutor(6) as pool:
            found = sorted(pool.map(one, range(6)))
        assert found[0] == 200 and found[1] in (200, 408) and found[2:] == [429] * 4


class TestAccess:
    def test_nothing_wrong_or_anothers_key_is_401(self, served: Endpoint, team: Team) -> None:
        other = serving.endpoint(team)
        for secret in ("", "wrong", other.key(), team.azure.token("https://ml.azure.com")):
            assert served.score({}, secret=secret).status_code == 401, secret
        assert served.score({}, headers={"Authorization": f"Basic {served.key()}"}).status_code == 401

    def test_a_regenerated_key_ends_the_old_one(self, served: Endpoint) -> None:
        old, other = served.key("secondary"), served.key()
        done = served.arm("POST", "/regenerateKeys", {"keyType": "Secondary", "keyValue": old})
        assert serving.outcome(served.team, done)["status"] == "Succeeded"
        assert served.score({}, secret=old).status_code == 401
        assert served.score({}, secret=served.key("secondary")).status_code == 200
        assert served.score({}, secret=other).status_code == 200

    def test_a_key_can_be_set(self, served: Endpoint) -> None:
        served.arm("POST", "/regenerateKeys", {"keyType": "Secondary", "keyValue": "chosen-by-somebody"})
        assert served.key("secondary") == "chosen-by-somebody"

    @pytest.fixture(scope="class")
    def tokens(self, team: Team) -> dict[str, Endpoint]:
        """An endpoint for each kind of token, without a deployment: who may is told that there is none."""
        return {mode: serving.endpoint(team, authMode=mode) for mode in ("AMLToken", "AADToken")}

    def test_its_own_token_opens_one_endpoint(self, tokens: dict[str, Endpoint], team: Team) -> None:
        one, other = tokens["AMLToken"], serving.endpoint(team, authMode="AMLToken")
        given = one.arm("POST", "/token").json()
        assert given["tokenType"] == "Bearer" and given["refreshAfterTimeUtc"] < given["expiryTimeUtc"]
        assert one.score({}, secret=given["accessToken"]).status_code == 404
        assert other.score({}, secret=given["accessToken"]).status_code == 401

    def test_keys_and_tokens_are_for_their_mode(self, tokens: dict[str, Endpoint], served: Endpoint) -> None:
        assert tokens["AMLToken"].arm("POST", "/listKeys").status_code == 400
        assert tokens["AADToken"].arm("POST", "/token").status_code == 400
        assert served.arm("POST", "/token").status_code == 400

    def test_a_token_of_entra_needs_the_right_to_score(
        self, tokens: dict[str, Endpoint], scientist: Client, lead: Client
    ) -> None:
        one = tokens["AADToken"]
        assert one.score({}, secret=scientist.token("https://ml.azure.com")).status_code == 404
        assert one.score({}, secret=lead.token("https://ml.azure.com")).status_code == 401
        assert one.score({}, secret=scientist.token("https://management.azure.com")).status_code == 401

    @pytest.mark.parametrize("mode", ["AMLToken", "AADToken"])
    def test_an_expired_token_is_401(self, tokens: dict[str, Endpoint], mode: str) -> None:
        one = tokens[mode]
        audience = (
            "https://ml.azure.com" if mode == "AADToken" else f"https://ml.azure.com{one.team.id}{one.path}".lower()
        )
        secret = serving.expired(one.team, audience)
        assert one.score({}, secret=secret).status_code == 401


def test_an_endpoint_without_public_access_is_for_private_clients(team: Team) -> None:
    made = serving.endpoint(team, publicNetworkAccess="Disabled")
    assert made.score({}).status_code == 403


MODEL = """
flavors:
  python_function:
    code: code
    env: {conda: conda.yaml}
    loader_module: doubles
    python_version: 3.11.7
mlflow_version: 3.17.2
model_uuid: 0f2f5c1d9d4b4c0f8f3a6f1f2a7b9c1d
"""
DOUBLES = """
class Doubles:
    def predict(self, given, params=None):
        if isinstance(given, dict):
            return {name: value * 2 for name, value in given.items()}
        return given * (params or {}).get("by", 2)
def _load_pyfunc(path):
    return Doubles()
"""


class TestModelsWithoutCode:
    """The contract of Microsoft's public scoring script for MLflow models."""

    @pytest.fixture(scope="class")
    def model(self, team: Team) -> Endpoint:
        made = serving.endpoint(team)
        conda = (serving.CONDA.parent / "model.yml").read_text()
        files: dict[str, str | bytes] = {"m/MLmodel": MODEL, "m/conda.yaml": conda, "m/code/doubles.py": DOUBLES}
        address = serving.uploaded(team, files)
        model = serving.registered(team, "models", {"modelUri": f"{address}/m", "modelType": "mlflow_model"})
        done = serving.outcome(team, made.deploy("blue", model=model))
        assert done["status"] == "Succeeded", (done, made.logs("blue"), made.logs("blue", "StorageInitializer"))
        made.traffic(blue=100)
        return made

    @pytest.mark.parametrize(
        ("sent", "answered"),
        [
            ({"columns": ["a", "b"], "index": [0, 1], "data": [[1, 2], [3, 4]]}, [{"a": 2, "b": 4}, {"a": 6, "b": 8}]),
            ([[1, 2], [3, 4]], [[2, 4], [6, 8]]),
            ({"x": [1, 2]}, {"x": [2, 4]}),
        ],
    )
    def test_tables_lists_and_tensors(self, model: Endpoint, sent: object, answered: object) -> None:
        assert model.score({"input_data": sent}).json() == answered

    def test_other_bodies_are_refused(self, model: Endpoint) -> None:
        answer = model.score({"inputs": [1]})
        assert (answer.status_code, answer.headers["ms-azureml-model-error-statuscode"]) == (424, "400")
        assert "input_data" in answer.text


def test_a_small_server_stands_in_where_the_inference_server_cannot_be_had(team: Team) -> None:
    """An environment whose index does not have it gets a server with the same contract; its log says so."""
    conda = "dependencies:\n- pip:\n  - --index-url http://127.0.0.1:9/simple\n"  # an index that nobody reaches
    made = serving.endpoint(team)
    script = SCRIPT.replace("return {", "return {'headers': request_headers.get('X-Mine'), ").replace(
        "run(body)", "run(body, request_headers)"
    )
    environment = serving.environment(team, conda)
    done = made.served("blue", script, environmentId=environment, environmentVariables={"WORD": "b"})
    assert done["status"] == "Succeeded", (done, made.logs("blue"))
    made.traffic(blue=100)
    answer = made.score({"a": 1}, headers={"X-Mine": "yes"})
    assert answer.json() == {"headers": "yes", "sent": {"a": 1}, "word": "b"}
    assert float(answer.headers["x-ms-run-fn-exec-ms"]) >= 0
    assert made.score({"fail": "here"}).headers["ms-azureml-model-error-statuscode"] == "500"
    assert made.score({"status": 418}).json() == {"own": True}
    assert made.score(to="/swagger.json", method="GET").json()["swagger"] == "2.0"
    assert "a server with its contract stands for it" in made.logs("blue")
    failed = made.served(
        "green", "def init():\n    raise RuntimeError('no model')\ndef run(body): pass", environmentId=environment
    )
    assert (failed["status"], "no model" in made.logs("green")) == ("Failed", True)


class TestRecordedRequests:
    """`appInsightsEnabled`: requests are rows of AppRequests, which the logs' API reads."""

    @pytest.fixture(scope="class")
    def asked(self, served: Endpoint) -> Endpoint:
        shown = served.get("/deployments/blue")["properties"]
        kept = ("codeConfiguration", "environmentId", "environmentVariables", "requestSettings")
        put = served.deploy("blue", **{name: shown[name] for name in kept}, appInsightsEnabled=True)
        assert serving.outcome(served.team, put)["status"] == "Succeeded"
        for body in ({"a": 1}, {"fail": "x"}, {"a": 2}):
            served.score(body)
        return served

    def logs(self, endpoint: Endpoint, query: str, client: Client | None = None) -> requests.Response:
        azure, component = client or endpoint.team.azure, endpoint.team.needs.ids["applicationInsights"]
        shown = endpoint.team.azure.arm("GET", component, api="2020-02-02").json()["properties"]
        url = f"https://api.loganalytics.io/v1{shown['WorkspaceResourceId']}/query"
        return azure.send("POST", url, {"query": query})

    @pytest.mark.parametrize(
        ("query", "rows"),
        [
            (
                "AppRequests | where AppRoleName == '{name}' | project ResultCode, Success | order by ResultCode asc",
                [["200", True], ["200", True], ["500", False]],
            ),
            ("AppRequests | where AppRoleName == '{name}' and Success == false | count", [[1]]),
            (
                "AppRequests\n| where TimeGenerated > ago(1h) and AppRoleName == '{name}'\n"
                "| summarize count() by AppRoleInstance",
                [["blue", 3]],
            ),
            ("AppRequests | where AppRoleName == '{name}' | top 1 by TimeGenerated | project Name", [["POST /score"]]),
            ("AppRequests | where AppRoleName == '{name}' and Url != 'this and that' | count", [[3]]),
            ("AppRequests | where TimeGenerated < ago(1h) and AppRoleName == '{name}' | take 5", []),
        ],
    )
    def test_queries_that_are_answered(self, asked: Endpoint, query: str, rows: list[list[object]]) -> None:
        answer = self.logs(asked, query.replace("{name}", asked.name))
        assert answer.status_code == 200, answer.text
        (table,) = answer.json()["tables"]
        assert (table["name"], table["rows"]) == ("PrimaryResult", rows)

    @pytest.mark.parametrize(
        ("query", "named"),
        [
            ("AppTraces | take 1", "AppTraces"),
            ("AppRequests | join kind=inner (AppTraces) on Id", "operator 'join'"),
            ("AppRequests | where Nothing == 1", "column 'Nothing'"),
            ("AppRequests | where Name matches regex 'x'", "condition"),
            ("AppRequests | summarize avg(DurationMs) by Name", "summarize avg(DurationMs)"),
            ("", "no table ''"),
        ],
    )
    def test_others_are_refused_by_name(self, asked: Endpoint, query: str, named: str) -> None:
        answer = self.logs(asked, query)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadArgumentError")
        assert named in answer.json()["error"]["message"]

    def test_they_need_the_right_to_query(self, asked: Endpoint, lead: Client) -> None:
        answer = self.logs(asked, "AppRequests | count", lead)
        assert answer.status_code == 403
        assert "Microsoft.OperationalInsights/workspaces/query/read" in answer.text
