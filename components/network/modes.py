"""How a team's resources are reached: publicly, by private endpoints in a network, or by Azure ML's managed network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pulumi


@dataclass(frozen=True)
class PublicNetwork:
    """Everything is reached over the internet, by those who have a role.

    Attributes:
        allowed_ips: Addresses and ranges from which storage, vault and registry are reached; all if empty. A
            workspace has no such list. The clusters' nodes have addresses of Azure's, which no list can name.
    """

    allowed_ips: Sequence[str] = ()


@dataclass(frozen=True)
class PrivateNetwork:
    """Nothing is reached but by private endpoints in a virtual network, which also holds the clusters.

    Attributes:
        address_space: Range of a network to make, half of it for the clusters. At a prefix length of 26, either
            half has 32 addresses, 5 of which are Azure's.
        endpoint_subnet_id: In place of it, a subnet of a network that exists, for the endpoints,
        compute_subnet_id: and one for the clusters.
        dns_zones_group_id: Resource group that has all `ZONES`, known to the network; they are made if left out.
    """

    address_space: str | None = None
    endpoint_subnet_id: str | None = None
    compute_subnet_id: str | None = None
    dns_zones_group_id: str | None = None

    def __post_init__(self) -> None:
        """Refuse half a network.

        Raises:
            ValueError: If not just one of an address space and two subnets is given.
        """
        subnets = (self.endpoint_subnet_id, self.compute_subnet_id)
        if (self.address_space is None) == (subnets == (None, None)) or (None in subnets and any(subnets)):
            raise ValueError("give either address_space, or both endpoint_subnet_id and compute_subnet_id")


@dataclass(frozen=True)
class FqdnRule:
    """Lets compute reach a host on the internet.

    Attributes:
        host: Its name, or `*.name`.
    """

    host: str


@dataclass(frozen=True)
class ServiceTagRule:
    """Lets compute reach a service of Azure.

    Attributes:
        tag: The service's tag, such as `DataFactory`.
        ports: Ports and ranges, as `80,443,5000-5010`.
        protocol: `TCP`, `UDP`, `ICMP` or `*`.
    """

    tag: str
    ports: str
    protocol: Literal["TCP", "UDP", "ICMP", "*"] = "TCP"


@dataclass(frozen=True)
class PrivateEndpointRule:
    """Lets compute reach one resource by a private endpoint.

    Attributes:
        resource_id: Id of the resource.
        subresource: Part of it: `blob`, `dfs`, `vault`, `sqlServer`, …
    """

    resource_id: pulumi.Input[str]
    subresource: str


OutboundRule = FqdnRule | ServiceTagRule | PrivateEndpointRule


@dataclass(frozen=True)
class ManagedNetwork:
    """Azure ML keeps the clusters in a network of its own, with private endpoints to the workspace's resources.

    Attributes:
        approved_only: Whether compute reaches only what rules name, or all of the internet.
        outbound: What compute may reach beside the workspace's own resources, by the rule's name.
        basic_firewall: Whether the firewall that rules with a host make is of the Basic tier, and not Standard.
        allowed_ips: Addresses and ranges from which people reach storage, vault and registry; all if empty.
    """

    approved_only: bool = True
    outbound: Mapping[str, OutboundRule] = field(default_factory=dict)
    basic_firewall: bool = False
    allowed_ips: Sequence[str] = ()


Network = PublicNetwork | PrivateNetwork | ManagedNetwork


@dataclass(frozen=True)
class Firewall:
    """From where a service is reached.

    Attributes:
        public: Whether from the internet at all.
        allowed: From which of its addresses; all if empty.
    """

    public: bool = True
    allowed: Sequence[str] = ()

    @property
    def default_action(self) -> str:
        """The firewall's answer to addresses that no rule names: Allow or Deny."""
        return "Deny" if self.allowed or not self.public else "Allow"

    @property
    def public_network_access(self) -> str:
        """The switch beside the list, in Azure's words."""
        return "Enabled" if self.public else "Disabled"


def firewall(network_: Network) -> Firewall:
    """The firewall of storage, vault and registry in a network."""
    return Firewall(public=False) if isinstance(network_, PrivateNetwork) else Firewall(allowed=network_.allowed_ips)
