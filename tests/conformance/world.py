"""The workspace that the tests expect: keys in its datastores, clusters and registries that they name."""

from pathlib import Path
from typing import Any

from tests.azure.client import Client
from tests.azure.ml.harness import REGION, Team, cluster, put, registry, team
from tests.conftest import SUBSCRIPTION, Sandbox

CLUSTERS = {"cpu-cluster": "STANDARD_DS2_V2", "testCompute": "STANDARD_DS1_V2", "gpu-cluster": "STANDARD_NV6"}
NODES = 4
FILLED = "sdk-test"
REGISTRIES = ("testFeed", "sdkv2-testFeed", FILLED, "UnsecureTest-testFeed", "UnsecureTest-hello-world")


def make(sandbox: Sandbox) -> Team:
    """Makes the workspace in a fresh sandbox."""
    made = team(Client(sandbox), keys=True)
    for name, size in CLUSTERS.items():
        put(made.azure, f"{made.id}/computes/{name}", _cluster(made, size))
    for name in REGISTRIES:
        put(made.azure, f"{made.needs.group}/providers/Microsoft.MachineLearningServices/registries/{name}", registry())
    return made


def _cluster(made: Team, size: str) -> dict[str, Any]:
    return cluster(made.needs, most=NODES, size=size, idle="PT600S")


def fill(folder: Path) -> None:
    """Puts into a registry what the tests expect there; this process must be signed in.

    Args:
        folder: The tests' configuration files.
    """
    from azure.ai.ml import MLClient, load_component, load_environment, load_model  # noqa: PLC0415 # as in `ml_client`
    from azure.identity import EnvironmentCredential  # noqa: PLC0415

    client = MLClient(EnvironmentCredential(), registry_name=FILLED)
    contents = folder / "registry_contents"
    client.environments.create_or_update(load_environment(contents / "environment.yml"))
    client.models.create_or_update(load_model(contents / "model.yml"))
    for component in ("hello.yml", "score.yml"):
        client.components.create_or_update(load_component(contents / component))


def variables(sandbox: Sandbox, made: Team) -> dict[str, str]:
    """What the tests read of their surroundings."""
    signed_in = sandbox.environment("owner")
    account = made.needs.ids["storageAccount"]
    path = f"{account}/listKeys"
    keys = made.azure.arm("POST", path, api="2024-01-01").json()["keys"]
    return {
        **signed_in,
        "AZURE_TEST_RUN_LIVE": "true",
        "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION,
        "ML_TENANT_ID": signed_in["AZURE_TENANT_ID"],
        "ML_CLIENT_ID": signed_in["AZURE_CLIENT_ID"],
        "ML_CLIENT_SECRET": signed_in["AZURE_CLIENT_SECRET"],
        "ML_SUBSCRIPTION_ID": SUBSCRIPTION,
        "ML_RESOURCE_GROUP": made.group,
        "ML_WORKSPACE_NAME": str(made.workspace["name"]),
        "ML_TEST_STORAGE_ACCOUNT_NAME": account.rsplit("/", 1)[-1],
        "ML_TEST_STORAGE_ACCOUNT_PRIMARY_KEY": keys[0]["value"],
        "ML_TEST_STORAGE_ACCOUNT_SECONDARY_KEY": keys[1]["value"],
        "AZUREML_RUN_POLLING_INTERVAL_MIN": "1",
        "ML_LOCATION": REGION,
    }
