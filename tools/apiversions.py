"""The API versions of resource types, newest first, from the aliases of the pinned azure-native SDK.

`GET /subscriptions/ID/providers/NAMESPACE` of the sandbox shows them, and clients choose by them.
"""

import json
import re
from pathlib import Path

from tools.coverage import emulated_types
from tools.generate import GenerateError

SDK = "pulumi_azure_native"
_ALIAS = re.compile(r"azure-native:[a-z]+/v(\d{4})(\d{2})(\d{2})(preview|privatepreview|beta)?:")
# The module and resource of the SDK for a resource type; a type that is not here has the versions of the type above it.
MODULES = {
    "Microsoft.Authorization/locks": "authorization/management_lock_by_scope",
    "Microsoft.Authorization/policyAssignments": "authorization/policy_assignment",
    "Microsoft.Authorization/policyDefinitions": "authorization/policy_definition",
    "Microsoft.Authorization/roleAssignments": "authorization/role_assignment",
    "Microsoft.Authorization/roleDefinitions": "authorization/role_definition",
    "Microsoft.Consumption/budgets": "consumption/budget",
    "Microsoft.ContainerRegistry/registries": "containerregistry/registry",
    "Microsoft.CostManagement/budgets": "costmanagement/budget",
    "Microsoft.Insights/components": "applicationinsights/component",
    "Microsoft.Insights/diagnosticSettings": "monitor/diagnostic_setting",
    "Microsoft.Insights/diagnosticSettingsCategories": "monitor/diagnostic_setting",
    "Microsoft.KeyVault/vaults": "keyvault/vault",
    "Microsoft.KeyVault/vaults/keys": "keyvault/key",
    "Microsoft.KeyVault/vaults/secrets": "keyvault/secret",
    "Microsoft.MachineLearningServices/locations": "machinelearningservices/workspace",
    "Microsoft.MachineLearningServices/registries": "machinelearningservices/registry",
    "Microsoft.MachineLearningServices/workspaces": "machinelearningservices/workspace",
    "Microsoft.ManagedIdentity/userAssignedIdentities": "managedidentity/user_assigned_identity",
    "Microsoft.Network/networkSecurityGroups": "network/network_security_group",
    "Microsoft.Network/privateDnsZones": "privatedns/private_zone",
    "Microsoft.Network/privateEndpoints": "network/private_endpoint",
    "Microsoft.Network/virtualNetworks": "network/virtual_network",
    "Microsoft.OperationalInsights/workspaces": "operationalinsights/workspace",
    "Microsoft.Resources/subscriptions/resourceGroups": "resources/resource_group",
    "Microsoft.Resources/tags": "resources/resource_group",
    "Microsoft.Storage/storageAccounts": "storage/storage_account",
}


def page() -> str:
    """The versions by resource type, as JSON."""
    versions = {name: _versions(_module(name)) for name in sorted(emulated_types())}
    return json.dumps(versions, indent=1) + "\n"


def _module(resource_type: str) -> str:
    name = resource_type
    while name not in MODULES and "/" in name:
        name = name.rpartition("/")[0]
    if name not in MODULES:
        raise GenerateError(f"tools/apiversions.py names no SDK resource for {resource_type}: add a row to MODULES")
    return MODULES[name]


def _versions(module: str) -> list[str]:
    text = (_sdk() / f"{module}.py").read_text(encoding="utf-8")
    found = {(f"{year}-{month}-{day}", stage) for year, month, day, stage in _ALIAS.findall(text)}
    return [f"{day}-{stage}" if stage else day for day, stage in sorted(found, key=_age, reverse=True)]


def _age(version: tuple[str, str]) -> tuple[str, bool]:
    """A preview comes before the version of the same day."""
    return version[0], not version[1]


def _sdk() -> Path:
    import pulumi_azure_native  # noqa: PLC0415 # takes half a second

    return Path(str(pulumi_azure_native.__file__)).parent
