"""Names and addresses that several types of Azure Machine Learning share."""

import re
from typing import Any

NAMESPACE = "Microsoft.MachineLearningServices"
WORKSPACES = f"{NAMESPACE}/workspaces"
ONLINE_ENDPOINTS = f"{WORKSPACES}/onlineEndpoints"
ONLINE_DEPLOYMENTS = f"{ONLINE_ENDPOINTS}/deployments"
BATCH_ENDPOINTS = f"{WORKSPACES}/batchEndpoints"
BATCH_DEPLOYMENTS = f"{BATCH_ENDPOINTS}/deployments"
AUDIENCE = "https://ml.azure.com"
"""Whom tokens of Entra for Azure ML's own services are for."""
DEPLOYMENT_HEADER = "azureml-model-deployment"
"""The header of a request to an endpoint that names a deployment."""
_WORKSPACE = re.compile(
    r"/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft\.machinelearningservices/workspaces/[^/]+",
    re.IGNORECASE,
)


def workspace_id(resource_id: str) -> str:
    """The id of the workspace that a resource lies in; empty for none."""
    found = _WORKSPACE.match(resource_id)
    return found[0] if found else ""


def user_identities(resource: dict[str, Any]) -> list[str]:
    """The ids of a resource's user-assigned identities."""
    return list((resource.get("identity") or {}).get("userAssignedIdentities") or {})


def zulu(system: dict[str, Any]) -> dict[str, Any]:
    """`systemData` with times as the service for workspaces and connections writes them: with Z."""
    return {name: one.replace("+00:00", "Z") if name.endswith("At") else one for name, one in system.items()}
