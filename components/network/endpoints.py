"""A team's virtual network with its private endpoints and their DNS zones."""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
from pulumi_azure_native import network, privatedns  # loaded when first used: a second that public teams do not pay

from catalogue.private_link import ALL_ZONES, ZONES
from components.network.modes import PrivateNetwork


@dataclass(frozen=True)
class PrivateLinksArgs:
    """A team's virtual network with its private endpoints.

    Attributes:
        network: The network to make or to use.
        network_name: Name of a network that is made; the endpoints' names begin with it.
        resource_group_name: Resource group of all that is made.
        location: Azure region.
        tags: Tags of all that takes tags.
    """

    network: PrivateNetwork
    network_name: str
    resource_group_name: pulumi.Input[str]
    location: str
    tags: Mapping[str, str] = field(default_factory=dict)


class PrivateLinks(pulumi.ComponentResource):
    """A virtual network with a subnet for endpoints and one for clusters, and the DNS zones that name the endpoints.

    Network and zones are made or given. `connect` adds an endpoint.

    Example:
        >>> from components.network.endpoints import PrivateLinks, PrivateLinksArgs
        >>> from components.network.modes import PrivateNetwork
        >>> private_links = PrivateLinks(
        ...     "forecast",
        ...     PrivateLinksArgs(
        ...         network=PrivateNetwork(address_space="10.20.0.0/24"),
        ...         network_name="forecastvnet", resource_group_name="forecast", location="eastus2",
        ...     ),
        ... )
        >>> pulumi.export("clusters", private_links.compute_subnet_id)

    Attributes:
        endpoint_subnet_id: Id of the subnet of the endpoints.
        compute_subnet_id: Id of the subnet of the clusters.
        own_zones: Whether the DNS zones are made. They know nothing else, so what exists already needs an endpoint
            here too. Given zones have its address from elsewhere, which another endpoint would replace.
    """

    endpoint_subnet_id: pulumi.Output[str]
    compute_subnet_id: pulumi.Output[str]
    own_zones: bool

    def __init__(self, name: str, args: PrivateLinksArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("azureml-platform:components:PrivateLinks", name, {}, opts)
        self._name, self._args = name, args
        given = args.network
        if given.endpoint_subnet_id and given.compute_subnet_id:
            self.endpoint_subnet_id = pulumi.Output.from_input(given.endpoint_subnet_id)
            self.compute_subnet_id = pulumi.Output.from_input(given.compute_subnet_id)
            network_id = self.endpoint_subnet_id.apply(lambda id_: id_.rsplit("/", 2)[0])
        else:
            network_id = self._make_network(str(given.address_space))
        self.own_zones = given.dns_zones_group_id is None
        self._zones = self._given_zones() or self._make_zones(network_id)
        self.register_outputs({"endpointSubnetId": self.endpoint_subnet_id, "computeSubnetId": self.compute_subnet_id})

    def _make_network(self, address_space: str) -> pulumi.Output[str]:
        args = self._args
        endpoints, compute = ipaddress.ip_network(address_space).subnets(prefixlen_diff=1)
        made = network.VirtualNetwork(
            f"{self._name}-network",
            virtual_network_name=args.network_name,
            resource_group_name=args.resource_group_name,
            location=args.location,
            address_space=network.AddressSpaceArgs(address_prefixes=[address_space]),
            # Inside the network, not beside it: azure-native loses the ones when it updates the others.
            subnets=[
                network.SubnetArgs(
                    name="endpoints",
                    address_prefix=str(endpoints),
                    network_security_group=self._security_group("endpoints", ["443", "445"]),
                    private_endpoint_network_policies="Enabled",
                ),
                network.SubnetArgs(
                    name="compute",
                    address_prefix=str(compute),
                    network_security_group=self._security_group("compute", ["*"]),
                    default_outbound_access=True,
                ),
            ],
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.endpoint_subnet_id = pulumi.Output.concat(made.id, "/subnets/endpoints")
        self.compute_subnet_id = pulumi.Output.concat(made.id, "/subnets/compute")
        return pulumi.Output.from_input(made.id)

    def _security_group(self, subnet: str, ports: Sequence[str]) -> "network.NetworkSecurityGroupArgs":
        """A subnet's filter: nothing comes in, but from the network itself on the ports."""
        rules = [
            self._rule("network", 100, access="Allow", source="VirtualNetwork", ports=ports),
            self._rule("others", 4000, access="Deny", source="*", ports=["*"]),
        ]
        made = network.NetworkSecurityGroup(
            f"{self._name}-{subnet}",
            network_security_group_name=f"{self._args.network_name}-{subnet}",
            resource_group_name=self._args.resource_group_name,
            location=self._args.location,
            security_rules=rules,
            tags=self._args.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return network.NetworkSecurityGroupArgs(id=made.id)

    @staticmethod
    def _rule(
        name: str, priority: int, *, access: str, source: str, ports: Sequence[str]
    ) -> "network.SecurityRuleArgs":
        anywhere = list(ports) == ["*"]
        return network.SecurityRuleArgs(
            name=name,
            priority=priority,
            direction="Inbound",
            access=access,
            protocol="*" if anywhere else "Tcp",
            source_address_prefix=source,
            source_port_range="*",
            destination_address_prefix="*",
            destination_port_range="*" if anywhere else None,
            destination_port_ranges=None if anywhere else list(ports),
        )

    def _given_zones(self) -> Mapping[str, pulumi.Output[str]]:
        group = self._args.network.dns_zones_group_id
        if group is None:
            return {}
        zones = f"{group}/providers/Microsoft.Network/privateDnsZones"
        return {zone: pulumi.Output.from_input(f"{zones}/{zone}") for zone in ALL_ZONES}

    def _make_zones(self, network_id: pulumi.Output[str]) -> Mapping[str, pulumi.Output[str]]:
        made = {}
        for zone in ALL_ZONES:
            own = privatedns.PrivateZone(
                f"{self._name}-{zone}",
                private_zone_name=zone,
                resource_group_name=self._args.resource_group_name,
                location="global",
                tags=_zone_tags(self._args.tags),
                opts=pulumi.ResourceOptions(parent=self),
            )
            privatedns.VirtualNetworkLink(
                f"{self._name}-{zone}",
                virtual_network_link_name=self._args.network_name,
                private_zone_name=own.name,
                resource_group_name=self._args.resource_group_name,
                location="global",
                registration_enabled=False,
                virtual_network=privatedns.SubResourceArgs(id=network_id),
                tags=_zone_tags(self._args.tags),
                opts=pulumi.ResourceOptions(parent=self),
            )
            made[zone] = pulumi.Output.from_input(own.id)
        return made

    def connect(self, purpose: str, target_id: pulumi.Input[str], part: str) -> pulumi.Resource:
        """Make a private endpoint.

        Args:
            purpose: Word for the endpoint's name, unique among the endpoints.
            target_id: Id of the resource that it leads to.
            part: Part of the resource, one of `ZONES`.
        """
        name = f"{self._args.network_name}-{purpose}"
        endpoint = network.PrivateEndpoint(
            f"{self._name}-{purpose}",
            private_endpoint_name=name,
            resource_group_name=self._args.resource_group_name,
            location=self._args.location,
            custom_network_interface_name=f"{name}-nic",
            subnet=network.SubnetArgs(id=self.endpoint_subnet_id),
            private_link_service_connections=[
                network.PrivateLinkServiceConnectionArgs(
                    name=purpose, private_link_service_id=target_id, group_ids=[part]
                )
            ],
            tags=self._args.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        group: pulumi.Resource = network.PrivateDnsZoneGroup(
            f"{self._name}-{purpose}",
            private_dns_zone_group_name="default",
            private_endpoint_name=endpoint.name,
            resource_group_name=self._args.resource_group_name,
            private_dns_zone_configs=[
                network.PrivateDnsZoneConfigArgs(name=zone.replace(".", "-"), private_dns_zone_id=self._zones[zone])
                for zone in ZONES[part]
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
        return group


def _zone_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags that a private DNS zone holds.

    It takes no name that starts with a digit, and none with a space, a parenthesis, `#` or `:`
    (learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations).
    """
    return {name: value for name, value in tags.items() if re.fullmatch(r"[^\d\s()#:][^\s()#:]*", name)}
