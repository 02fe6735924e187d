"""What the company's network and security teams give to the department of `stacks/Pulumi.private.yaml`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from catalogue.private_link import ZONES
from tests.azure.client import Client
from tests.conftest import SUBSCRIPTION

FILE = Path(__file__).parent / "stacks" / "Pulumi.private.yaml"
GROUP = "resourceGroups/hub-westeurope"
NETWORK = f"{GROUP}/providers/Microsoft.Network"


def department() -> Any:
    """The department of five teams."""
    return yaml.safe_load(FILE.read_text())["config"]["azureml-platform:department"]


def _bodies(tenant: str) -> Mapping[str, tuple[str, Any]]:
    """What there is, by its path below the subscription: API version and body."""
    here: dict[str, Any] = {"location": "westeurope"}
    subnets = {"endpoints": "10.61.0.0/24", "compute": "10.61.1.0/24"}
    network = {
        "addressSpace": {"addressPrefixes": ["10.61.0.0/23"]},
        "subnets": [{"name": name, "properties": {"addressPrefix": space}} for name, space in subnets.items()],
    }
    vault = {
        "tenantId": tenant,
        "sku": {"family": "A", "name": "standard"},
        "enableRbacAuthorization": True,
        "publicNetworkAccess": "Disabled",
    }
    zones = [f"{NETWORK}/privateDnsZones/{zone}" for zones in ZONES.values() for zone in zones]
    spoke = {"id": f"/subscriptions/{SUBSCRIPTION}/{NETWORK}/virtualNetworks/risk-spoke"}
    link = {"location": "global", "properties": {"registrationEnabled": False, "virtualNetwork": spoke}}
    return {
        GROUP: ("2024-03-01", here),
        f"{NETWORK}/virtualNetworks/risk-spoke": ("2024-05-01", {**here, "properties": network}),
        **{zone: ("2024-06-01", {"location": "global"}) for zone in zones},
        **{f"{zone}/virtualNetworkLinks/risk-spoke": ("2024-06-01", link) for zone in zones},
        f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces/hub-log": (
            "2023-09-01",
            {**here, "properties": {"sku": {"name": "PerGB2018"}, "retentionInDays": 90}},
        ),
        f"{GROUP}/providers/Microsoft.KeyVault/vaults/risk-claims-kv": ("2024-11-01", {**here, "properties": vault}),
    }


def make(azure: Client) -> None:
    """Make it all."""
    for path, (api, body) in _bodies(azure.tenant).items():
        made = azure.arm("PUT", path, body, api=api)
        assert made.status_code in (200, 201, 202), made.text


def read(azure: Client) -> Mapping[str, Any]:
    """All of it as it is, but for the private endpoints that lead there and lie there, and the records they bring."""
    found = {path: azure.arm("GET", path, api=api).json() for path, (api, _) in _bodies(azure.tenant).items()}
    for one in found.values():
        assert "error" not in one, one
        one.pop("etag", None)
        for key in ("privateEndpointConnections", "numberOfRecordSets"):
            one.get("properties", {}).pop(key, None)
        for subnet in one.get("properties", {}).get("subnets", ()):
            subnet["properties"].pop("privateEndpoints", None)
            subnet["properties"].pop("ipConfigurations", None)
            subnet.pop("etag", None)
    return found
