"""Which host names the local Azure answers for, and with what."""

import re
from collections.abc import Callable
from typing import Any, Protocol

from sandbox.azure.activity import Recorder
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
    permissions,
    policy,
    privatedns,
    privatelinks,
    securitygroups,
    shares,
    tags,
    vaultkeys,
)
from sandbox.azure.arm import keyvault as vaults
from sandbox.azure.arm import storage as storage_accounts
from sandbox.azure.arm.app import ResourceManager
from sandbox.azure.arm.core import ResourceType
from sandbox.azure.cloud import Cloud
from sandbox.azure.faults import Faults
from sandbox.azure.identity.entra import Entra
from sandbox.azure.identity.graph.app import Graph
from sandbox.azure.keyvault.app import Vaults
from sandbox.azure.logs.app import HOSTS as LOGS
from sandbox.azure.logs.app import Logs
from sandbox.azure.ml import arm as workspaces
from sandbox.azure.ml.inference.app import HOSTS as ENDPOINTS
from sandbox.azure.ml.inference.app import Inference
from sandbox.azure.ml.plane.app import WorkspaceServices
from sandbox.azure.prices import Prices
from sandbox.azure.storage.app import Storage
from sandbox.azure.timers import Timekeeper


class Provider(Protocol):
    """A module of a resource provider."""

    @property
    def resource_types(self) -> Callable[[Cloud], list[ResourceType]]:
        """The module's resource types."""


PROVIDERS: tuple[Provider, ...] = (
    authorization,
    consumption,
    containerregistry,
    groups,
    insights,
    managedidentity,
    network,
    operationalinsights,
    policy,
    privatedns,
    privatelinks,
    securitygroups,
    shares,
    tags,
    storage_accounts,
    vaultkeys,
    vaults,
    workspaces,
)
ROUTES = (containerregistry, groups, operations, permissions, storage_accounts, tags, vaults, workspaces)


def resource_manager(cloud: Cloud) -> ResourceManager:
    """management.azure.com, with every provider's types and routes."""
    operations.forget_old(cloud)
    types = [kind for provider in PROVIDERS for kind in provider.resource_types(cloud)]
    return ResourceManager(cloud, types, [route for module in ROUTES for route in module.routes()])


def timekeeper(cloud: Cloud) -> Timekeeper:
    """What carries out what the services have set a time for."""
    return Timekeeper(cloud, workspaces.timers())


def hosts(cloud: Cloud, faults: Faults, recorder: Recorder) -> list[tuple[re.Pattern[str], Any]]:
    """The gateway's table: patterns of whole host names, and the ASGI applications that answer for them."""
    table: dict[str, Any] = {
        r"management\.azure\.com": resource_manager(cloud),
        r"login\.microsoftonline\.com": Entra(cloud),
        r"graph\.microsoft\.com": Graph(cloud),
        r"[a-z0-9-]+\.(blob|dfs)\.core\.windows\.net": Storage(cloud),
        r"[a-z0-9-]+\.vault\.azure\.net": Vaults(cloud),
        r"[a-z0-9-]+\.api\.azureml\.ms": WorkspaceServices(cloud),
        ENDPOINTS: Inference(cloud),
        LOGS: Logs(cloud),
        r"prices\.azure\.com": Prices(),
    }
    cloud.access.settling = faults.settling
    return [
        (re.compile(pattern), recorder.around(faults.around(one), private=isinstance(one, Storage | Vaults)))
        for pattern, one in table.items()
    ]
