"""Networks that a program makes."""

from collections.abc import Mapping
from typing import Any, Final

from policies.baseline import controls
from policies.model import (
    Counterpart,
    Level,
    NotApplicableError,
    Outcome,
    Problem,
    ResourceRule,
    Settings,
    Severity,
    Undecided,
)
from policies.resources import Graph, Resource
from policies.rules.checks import alike
from policies.values import Unknown, UnknownValueError, known

NETWORK: Final = "network:VirtualNetwork"
SUBNET: Final = "network:Subnet"
GROUP: Final = "network:NetworkSecurityGroup"
_NONE = ("GatewaySubnet", "AzureFirewallSubnet", "AzureFirewallManagementSubnet", "RouteServerSubnet")
"""Subnets of Azure's own services, which take no security group.

Source: learn.microsoft.com/azure/virtual-network/virtual-network-vnet-plan-design-arm and PSRule's AZR-000263.
"""


def _security_group(resource: Resource, _settings: Settings, graph: Graph) -> Outcome:
    if resource.kind == SUBNET:
        name = resource.get("subnetName") or resource.get("name")
        yield from _of_subnet(resource, "networkSecurityGroup", resource.inputs, name, graph)
        return
    subnets = resource.get("subnets")
    if not subnets:
        raise NotApplicableError("the network has no subnets of its own here")
    for index, subnet in enumerate(subnets):
        path = f"subnets[{index}]"
        if isinstance(subnet, Unknown):
            yield Undecided(path, str(UnknownValueError(path, subnet.kind)))
        else:
            yield from _of_subnet(resource, f"{path}.networkSecurityGroup", subnet, subnet.get("name"), graph)


def _of_subnet(resource: Resource, path: str, subnet: Mapping[str, Any], name: Any, graph: Graph) -> Outcome:
    if any(alike(name, one) for one in _NONE):
        return
    try:
        group = known(subnet.get("networkSecurityGroup"), path)
    except UnknownValueError as error:
        if not graph.sources(resource, path.partition("[")[0], GROUP):
            yield Undecided(error.path, str(error))
        return
    if not (isinstance(group, Mapping) and group.get("id")):
        yield Problem(f"{path} of the subnet {name} is not set", path)


RULES = (
    ResourceRule(
        name="network-subnet-require-security-group",
        title="Every subnet has a network security group.",
        kinds=(NETWORK, SUBNET),
        check=_security_group,
        severity=Severity.MEDIUM,
        level=Level.ADVISORY,
        counterparts=(
            Counterpart("Azure Policy", "e71308d3-144b-4262-b144-efdc3cc90517"),
            Counterpart("PSRule", "AZR-000263"),
            Counterpart("checkov", "CKV2_AZURE_31"),
            *controls("NS-1"),
        ),
        url="https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview",
        remediation="Set networkSecurityGroup.id of the subnet.",
        applies="Subnets, but for those of gateways, firewalls and route servers.",
    ),
)
