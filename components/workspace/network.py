"""How a team's workspace is wired to its network: private endpoints, the managed network and its outbound rules."""

import pulumi
from pulumi_azure_native import machinelearningservices as ml

from components.network.endpoints import PrivateLinks, PrivateLinksArgs
from components.network.modes import (
    FqdnRule,
    ManagedNetwork,
    Network,
    OutboundRule,
    PrivateEndpointRule,
    PrivateNetwork,
    ServiceTagRule,
)
from components.workspace.dependencies import Dependencies
from components.workspace.group import TeamGroup


def make_private_links(group: TeamGroup) -> PrivateLinks | None:
    """The virtual network of a team whose network is private."""
    if not isinstance(group.args.network, PrivateNetwork):
        return None
    return PrivateLinks(
        group.logical_name,
        PrivateLinksArgs(
            network=group.args.network,
            network_name=group.args.names.network,
            resource_group_name=group.name,
            location=group.args.location,
            tags=group.args.tags,
        ),
        opts=group.child(),
    )


def connect_endpoints(
    private_links: PrivateLinks | None, needs: Dependencies, workspace: ml.Workspace
) -> list[pulumi.Resource]:
    """Private endpoints of the workspace and of the resources that it is made with."""
    if private_links is None:
        return []
    targets = {
        "work-blob": (needs.work.id, "blob"),
        "work-file": (needs.work.id, "file"),
        # Batch endpoints and parallel steps: learn.microsoft.com/azure/machine-learning/how-to-secure-batch-endpoint
        "work-queue": (needs.work.id, "queue"),
        "work-table": (needs.work.id, "table"),
        "data-blob": (needs.data.id, "blob"),
        "workspace": (workspace.id, "amlworkspace"),
    }
    if needs.vault or private_links.own_zones:
        targets["vault"] = (needs.vault_id, "vault")
    if needs.registry or private_links.own_zones:
        targets["registry"] = (needs.registry_id, "registry")
    return [private_links.connect(purpose, id_, part) for purpose, (id_, part) in targets.items()]


def serverless_settings(private_links: PrivateLinks | None) -> ml.ServerlessComputeSettingsArgs | None:
    """Jobs without a cluster run in the clusters' subnet; from elsewhere they would not reach the team's data."""
    if private_links is None:
        return None
    return ml.ServerlessComputeSettingsArgs(
        serverless_compute_custom_subnet=private_links.compute_subnet_id, serverless_compute_no_public_ip=True
    )


def managed_network(network: Network) -> ml.ManagedNetworkSettingsArgs | None:
    """The settings of a network that Azure ML manages."""
    if not isinstance(network, ManagedNetwork):
        return None
    mode = ml.IsolationMode
    return ml.ManagedNetworkSettingsArgs(
        isolation_mode=mode.ALLOW_ONLY_APPROVED_OUTBOUND if network.approved_only else mode.ALLOW_INTERNET_OUTBOUND,
        firewall_sku=ml.FirewallSku.BASIC if network.basic_firewall else None,
    )


def outbound_properties(
    rule: OutboundRule,
) -> ml.FqdnOutboundRuleArgs | ml.ServiceTagOutboundRuleArgs | ml.PrivateEndpointOutboundRuleArgs:
    """An outbound rule in Azure ML's form."""
    own = ml.RuleCategory.USER_DEFINED
    match rule:
        case FqdnRule(host):
            return ml.FqdnOutboundRuleArgs(type="FQDN", category=own, destination=host)
        case ServiceTagRule(tag, ports, protocol):
            to = ml.ServiceTagDestinationArgs(
                action=ml.RuleAction.ALLOW, service_tag=tag, port_ranges=ports, protocol=protocol
            )
            return ml.ServiceTagOutboundRuleArgs(type="ServiceTag", category=own, destination=to)
        case PrivateEndpointRule(resource_id, subresource):
            target = ml.PrivateEndpointDestinationArgs(
                service_resource_id=resource_id, subresource_target=subresource, spark_enabled=False
            )
            return ml.PrivateEndpointOutboundRuleArgs(type="PrivateEndpoint", category=own, destination=target)
