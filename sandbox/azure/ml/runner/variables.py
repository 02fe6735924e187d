"""What a job's process sees of its run: `AZUREML_*`, `MLFLOW_*`, its identity's endpoint and the way to the gateway.

Source: azureml-mlflow 1.62 and azure-identity for what they read.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.azure import clock
from sandbox.azure.access.tokens import Caller
from sandbox.azure.arm.core import Body
from sandbox.azure.ml.names import AUDIENCE
from sandbox.azure.ml.scope import Scope
from sandbox.azure.privatelink import from_network

TOKEN_DAYS = 30  # the run token outlives any job
GATEWAY = (
    "HTTPS_PROXY",
    "https_proxy",
    "NO_PROXY",
    "no_proxy",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
)
KEPT = ("LANG", "LC_ALL", "TZ")
PLUGIN = "azureml/mlflow/__init__.py"


@dataclass(frozen=True)
class Place:
    """Where a job runs.

    Attributes:
        environment: Its virtual environment.
        home: Its home folder.
        temporary: Its folder for temporary files.
    """

    environment: Path
    home: Path
    temporary: Path


def run_token(scope: Scope, submitter: Caller) -> tuple[str, int]:
    """A token for the workspace's services as the submitter, and when it ends in seconds since 1970."""
    expires = clock.real_seconds() + TOKEN_DAYS * 24 * 3600
    return scope.cloud.tokens.issue(AUDIENCE, submitter, exp=expires)[0], expires


def tracking_uri(scope: Scope, environment: Path) -> str:
    """`azureml://` where the environment has azureml-mlflow; the same address over https for plain MLflow."""
    plugin = any(environment.glob(f"lib/python*/site-packages/{PLUGIN}"))
    return f"{'azureml' if plugin else 'https'}://{scope.workspace['location']}.api.azureml.ms/mlflow/v1.0{scope.id}"


def _gateway(client: Mapping[str, str], network: str) -> dict[str, str]:
    """The way to the gateway from a network."""
    found = {name: client[name] for name in GATEWAY if name in client}
    return from_network(found, network) if network else found


def base(scope: Scope, place: Place, network: str) -> dict[str, str]:
    """What every process of the workspace sees: where it is, its Python, and the way to the gateway."""
    words = scope.id.split("/")
    return {
        **{name: os.environ[name] for name in KEPT if name in os.environ},
        **_gateway(scope.cloud.client_environment, network),
        "PATH": f"{place.environment / 'bin'}:{os.environ.get('PATH', os.defpath)}",
        "VIRTUAL_ENV": str(place.environment),
        "HOME": str(place.home),
        "TMPDIR": str(place.temporary),
        "PYTHONUNBUFFERED": "1",
        "PIP_REQUIRE_VIRTUALENV": "1",  # the host's pip, which is on PATH, too, leaves the host alone
        "AZURE_TENANT_ID": scope.cloud.seed["tenantId"],
        "AZUREML_ARM_SUBSCRIPTION": words[2],
        "AZUREML_ARM_RESOURCEGROUP": words[4],
        "AZUREML_ARM_WORKSPACE_NAME": words[8],
    }


def variables(scope: Scope, run: Body, submitter: Caller, place: Place, network: str) -> dict[str, str]:
    """The variables, but for those of its rank, its identity and its inputs and outputs."""
    host = f"https://{scope.workspace['location']}.api.azureml.ms"
    token, expires = run_token(scope, submitter)
    return {
        **base(scope, place, network),
        "AZUREML_RUN_ID": run["runId"],
        "AZUREML_ROOT_RUN_ID": run.get("rootRunId") or run["runId"],
        "AZUREML_RUN_TOKEN": token,
        "AZUREML_RUN_TOKEN_EXPIRY": str(expires),
        "AZUREML_ARM_PROJECT_NAME": run["experimentName"],
        "AZUREML_EXPERIMENT_ID": run["experimentId"],
        "AZUREML_EXPERIMENT_SCOPE": f"{scope.id}/experiments/{run['experimentName']}",
        "AZUREML_WORKSPACE_ID": scope.workspace["properties"]["workspaceId"],
        "AZUREML_WORKSPACE_SCOPE": scope.id,
        "AZUREML_SERVICE_ENDPOINT": host,
        "AZUREML_RUN_HISTORY_SERVICE_ENDPOINT": host,
        "AZUREML_DISCOVERY_SERVICE_ENDPOINT": f"{host}/discovery",
        "MLFLOW_TRACKING_URI": tracking_uri(scope, place.environment),
        "MLFLOW_TRACKING_TOKEN": token,
        "MLFLOW_RUN_ID": run["runId"],
        "MLFLOW_EXPERIMENT_ID": run["experimentId"],
        "MLFLOW_EXPERIMENT_NAME": run["experimentName"],
    }
