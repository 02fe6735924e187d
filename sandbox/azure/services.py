"""Which host names the local Azure answers for, and with what."""

import importlib
import re
from typing import Any

from sandbox.azure import entra, graph
from sandbox.azure.arm import (
    authorization,
    consumption,
    containerregistry,
    groups,
    insights,
    managedidentity,
    network,
    operationalinsights,
    operations,
    policy,
)
from sandbox.azure.arm import keyvault as vaults
from sandbox.azure.arm import storage as storage_accounts
from sandbox.azure.arm.app import ResourceManager
from sandbox.azure.cloud import Cloud
from sandbox.azure.gateway import Application
from sandbox.azure.ml import arm as machine_learning

PROVIDERS: tuple[Any, ...] = (
    authorization,
    consumption,
    containerregistry,
    groups,
    insights,
    managedidentity,
    network,
    operationalinsights,
    policy,
    storage_accounts,
    vaults,
    machine_learning,
)
ROUTES = (groups, operations, storage_accounts, vaults, machine_learning)


def _optional(module: str, name: str) -> Any:
    """Until every room is there: a module's part, or None."""
    try:
        return getattr(importlib.import_module(module), name, None)
    except ImportError:
        return None


def resource_manager(cloud: Cloud) -> ResourceManager:
    """management.azure.com, with every provider's types and routes."""
    types = [one for provider in PROVIDERS for one in provider.resource_types(cloud)]
    return ResourceManager(cloud, types, [one for module in ROUTES for one in module.routes()])


def hosts(cloud: Cloud) -> list[tuple[re.Pattern[str], Application]]:
    """The gateway's table: patterns of whole host names, and who answers for them."""
    table: list[tuple[str, Application]] = [
        (r"management\.azure\.com", resource_manager(cloud)),
        (r"login\.microsoftonline\.com", entra.app(cloud)),
        (r"graph\.microsoft\.com", graph.app(cloud)),
    ]
    for pattern, module in (
        (r"[a-z0-9-]+\.(blob|dfs)\.core\.windows\.net", "sandbox.azure.storage"),
        (r"[a-z0-9-]+\.vault\.azure\.net", "sandbox.azure.keyvault"),
        (r"[a-z0-9-]+\.api\.azureml\.ms", "sandbox.azure.ml"),
    ):
        made = _optional(module, "app")
        if made is not None:
            try:
                table.append((pattern, made(cloud)))
            except NotImplementedError:
                continue
    return [(re.compile(pattern), application) for pattern, application in table]


def runner(cloud: Cloud) -> Any:
    """What carries jobs out, or None until it is there."""
    made = _optional("sandbox.azure.ml", "Runner")
    return None if made is None else made(cloud)
