"""The section `network`: how the components are reached."""

from components.network.modes import (
    FqdnRule,
    ManagedNetwork,
    Network,
    OutboundRule,
    PrivateEndpointRule,
    PrivateNetwork,
    PublicNetwork,
    ServiceTagRule,
)
from settings import Network as NetworkSettings
from settings import Outbound


def network_from(settings: NetworkSettings) -> Network:
    """The network of the components, from that of the settings."""
    if settings.mode == "private":
        return PrivateNetwork(
            address_space=settings.address_space,
            endpoint_subnet_id=settings.endpoint_subnet_id,
            compute_subnet_id=settings.compute_subnet_id,
            dns_zones_group_id=settings.dns_zones_group_id,
        )
    if settings.mode == "managed":
        return ManagedNetwork(
            approved_only=settings.outbound_access == "approved",
            basic_firewall=settings.basic_firewall,
            outbound={rule.name: _outbound(rule) for rule in settings.outbound},
            allowed_ips=settings.allowed_ips,
        )
    return PublicNetwork(settings.allowed_ips)


def _outbound(rule: Outbound) -> OutboundRule:
    if rule.host:
        return FqdnRule(rule.host)
    if rule.service_tag:
        return ServiceTagRule(rule.service_tag, rule.ports, rule.protocol)
    return PrivateEndpointRule(str(rule.resource_id), str(rule.subresource))
