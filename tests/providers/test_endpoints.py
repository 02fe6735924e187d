"""Online endpoints and deployments by azure-native's stand-in against the local Azure: up, update, destroy."""

from typing import Any

import pytest

from sandbox.providers.azure_native import AzureNative
from tests.azure.client import Client, unique
from tests.azure.ml import harness, serving
from tests.azure.ml.harness import REGION
from tests.azure.ml.serving import Endpoint
from tests.conftest import Sandbox
from tests.providers.driver import Aborted, Resource, configured

ML = "azure-native:machinelearningservices:"


def test_an_endpoint_and_its_deployment_from_up_to_destroy(shared_sandbox: Sandbox, owner: None) -> None:
    team = harness.team(Client(shared_sandbox))
    provider, name = configured(AzureNative()), unique("ep")
    place = {"resourceGroupName": team.group, "workspaceName": team.workspace["name"], "endpointName": name}
    base = {**place, "location": REGION}
    given: dict[str, Any] = {**base, "identity": {"type": "SystemAssigned"}, "properties": {"authMode": "Key"}}
    endpoint = Resource(provider, f"{ML}OnlineEndpoint", name).create(given)
    assert endpoint.outputs["properties"]["scoringUri"] == f"https://{name}.{REGION}.inference.ml.azure.com/score"
    properties = {
        "endpointComputeType": "Managed",
        "environmentId": serving.environment(team),
        "codeConfiguration": {"codeId": serving.code(team, serving.ECHO), "scoringScript": "score.py"},
        "instanceType": "STANDARD_F2S_V2",
    }
    served = {**base, "deploymentName": "blue", "properties": properties, "sku": {"name": "Default", "capacity": 1}}
    deployment = Resource(provider, f"{ML}OnlineDeployment", "blue").create(served)
    assert deployment.outputs["properties"]["provisioningState"] == "Succeeded"
    endpoint.update({**given, "properties": {"authMode": "Key", "traffic": {"blue": 100}}})
    assert not endpoint.diff(endpoint.checked(endpoint.inputs)).changed
    assert endpoint.refresh() and deployment.refresh()
    assert Endpoint(team, name).score({"a": 1}).json()["sent"] == {"a": 1}
    deployment.update({**served, "sku": {"name": "Default", "capacity": 2}})
    assert deployment.outputs["sku"]["capacity"] == 2
    with pytest.raises(Aborted, match="non-zero traffic weight"):
        deployment.delete()
    endpoint.delete()
    assert not endpoint.refresh() and not deployment.refresh()


def test_a_deployment_that_fails_says_so_to_pulumi(shared_sandbox: Sandbox, owner: None) -> None:
    team = harness.team(Client(shared_sandbox))
    made = serving.endpoint(team)
    code = {"codeId": serving.code(team, "def init(): 1 / 0\ndef run(body): pass"), "scoringScript": "score.py"}
    properties = {
        "endpointComputeType": "Managed",
        "environmentId": serving.environment(team),
        "codeConfiguration": code,
    }
    inputs = {
        "resourceGroupName": team.group,
        "workspaceName": team.workspace["name"],
        "endpointName": made.name,
        "deploymentName": "blue",
        "location": REGION,
        "sku": {"name": "Default", "capacity": 1},
        "properties": {**properties, "instanceType": "STANDARD_F2S_V2"},
    }
    with pytest.raises(Aborted, match="ResourceNotReady"):
        Resource(configured(AzureNative()), f"{ML}OnlineDeployment", "blue").create(inputs)
