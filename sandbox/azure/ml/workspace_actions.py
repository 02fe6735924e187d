"""What a workspace does besides being made and deleted: its keys, features, diagnosis and outbound dependencies.

Source: learn.microsoft.com/rest/api/azureml/workspaces and workspace-features.
"""

import re

from starlette.responses import Response

from sandbox.azure.arm.core import Action, Body, Call
from sandbox.azure.arm.operations import accepted_result
from sandbox.azure.arm.resources import Route, resource_route
from sandbox.azure.ml.names import WORKSPACES
from sandbox.azure.ml.operations import WORKSPACE, accepted

RENAMED_KEYS = "2025-01-01"  # the first API version with `userStorageArmId`; before it was `userStorageResourceId`
DIAGNOSES = (
    "applicationInsightsResults",
    "containerRegistryResults",
    "dnsResolutionResults",
    "keyVaultResults",
    "networkSecurityRuleResults",
    "otherResults",
    "requiredResourceProviders",
    "resourceLockResults",
    "storageAccountResults",
    "userDefinedRouteResults",
)
# learn.microsoft.com/azure/machine-learning/how-to-access-azureml-behind-firewall
OUTBOUND = {
    "Azure Active Directory": ("login.microsoftonline.com",),
    "Azure Portal": ("management.azure.com",),
    "Azure Machine Learning": ("{region}.api.azureml.ms", "{region}.experiments.azureml.net"),
    "Azure Storage": ("{storage}.blob.core.windows.net", "{storage}.file.core.windows.net"),
    "Azure Key Vault": ("{vault}.vault.azure.net",),
}


def _resync(call: Call, workspace: Body) -> Response:
    """Takes over keys that were changed; the sandbox reads them anew each time."""
    return accepted(call, WORKSPACE, workspace, None, status=202)


def _diagnose(call: Call, workspace: Body) -> Response:
    """Finds nothing wrong: what a workspace cannot work with is refused when it is made."""
    return accepted_result(call, {"value": {name: [] for name in DIAGNOSES}})


def _features(call: Call, workspace: Body, match: re.Match[str]) -> Body:
    """The features of the workspace's edition: none is switched on by itself."""
    return {"value": []}


def _outbound(call: Call, workspace: Body, match: re.Match[str]) -> Body:
    """The addresses that computes in a network of the workspace must reach."""
    names = {
        "region": workspace["location"],
        "storage": workspace["properties"]["storageAccount"].rsplit("/", 1)[-1],
        "vault": workspace["properties"]["keyVault"].rsplit("/", 1)[-1],
    }
    return {
        "value": [
            {
                "category": category,
                "properties": {
                    "category": category,
                    "endpoints": [
                        {"domainName": host.format(**names), "endpointDetails": [{"port": 443}]} for host in hosts
                    ],
                },
            }
            for category, hosts in OUTBOUND.items()
        ]
    }


def keys_for_version(call: Call, keys: Body) -> Body:
    """The answer of `listKeys` with the names of the asked API version."""
    if call.api_version >= RENAMED_KEYS:
        return keys
    renamed = {"userStorageArmId": "userStorageResourceId"}
    return {renamed.get(name, name): value for name, value in keys.items()}


ACTIONS: dict[str, Action] = {
    "resynckeys": _resync,
    "diagnose": _diagnose,
}
"""POST actions by lowercased name."""


def routes() -> list[Route]:
    """Lists below a workspace that are no resources."""
    return [
        resource_route("GET", WORKSPACES, "/features", "features/read", _features),
        resource_route(
            "GET",
            WORKSPACES,
            "/outboundNetworkDependenciesEndpoints",
            "outboundNetworkDependenciesEndpoints/read",
            _outbound,
        ),
    ]
