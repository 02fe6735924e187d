"""How the teams' resources are reached."""

from typing import Literal, Self

from pydantic import Field, model_validator

from settings.ids import ResourceGroupId, ResourceId, SubnetId
from settings.types import Cidr, Entries, IpRange, Section, fault, key_of

_ONLY_IN = {
    ("private",): ("address_space", "endpoint_subnet_id", "compute_subnet_id", "dns_zones_group_id"),
    ("managed",): ("outbound_access", "outbound", "basic_firewall"),
    ("public", "managed"): ("allowed_ips",),
}
"""The fields that mean something only in these modes."""


class Outbound(Section):
    """Something that compute in a managed network may reach: a host, a service of Azure, or one resource.

    A host makes Azure ML create an Azure Firewall, for which Azure charges. The owner of a resource approves its
    private endpoint, or gives the workspace's identity the role Azure AI Enterprise Network Connection Approver on it.
    """

    name: str = Field(
        pattern=r"^[a-z][a-z0-9-]{1,30}[a-z0-9]$",
        description="Name of the rule: 3 to 32 lower-case letters, digits and hyphens, starting with a letter.",
    )
    host: str | None = Field(
        default=None,
        pattern=r"^(\*\.)?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$",
        description="A host on the internet, such as pypi.org or *.pythonhosted.org.",
    )
    service_tag: str | None = Field(
        default=None, pattern=r"^[A-Za-z0-9.]{2,64}$", description="A service of Azure by its tag, such as DataFactory."
    )
    ports: str = Field(
        default="443",
        pattern=r"^\d{1,5}(-\d{1,5})?(,\d{1,5}(-\d{1,5})?)*$",
        description="Ports of the service: 80,443,5000-5010.",
    )
    protocol: Literal["TCP", "UDP", "ICMP", "*"] = Field(default="TCP", description="Protocol of the service.")
    resource_id: ResourceId | None = Field(default=None, description="Id of a resource, reached by a private endpoint.")
    subresource: str | None = Field(
        default=None,
        min_length=1,
        max_length=64,
        description="Part of the resource, such as blob, dfs, vault or sqlServer.",
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if [self.host, self.service_tag, self.resource_id].count(None) != 2:  # noqa: PLR2004 - two of the three
            raise fault("names one of host, serviceTag and resourceId.")
        if (self.resource_id is None) != (self.subresource is None):
            raise fault("has resourceId and subresource together or neither.")
        return self


class Network(Section):
    """How the teams' resources are reached.

    - `public`: over the internet, by everybody who has a role.
    - `private`: only through private endpoints in a virtual network, which also holds the clusters.
    - `managed`: Azure ML keeps the clusters in a network of its own, with private endpoints to the workspace's
      resources. People come over the internet.

    allowedIps limits who reaches storage, key vault and registry; Azure ML offers no such list for a workspace.
    With mode `public`, clusters have changing addresses, which allowedIps cannot name.
    """

    mode: Literal["public", "private", "managed"] = Field(
        default="public", description="'public', 'private' or 'managed'."
    )
    allowed_ips: Entries[IpRange] = Field(
        default=(),
        description=(
            "Public and managed: IPv4 addresses and ranges that reach storage, vault and registry. All if left out."
        ),
    )
    address_space: Cidr | None = Field(
        default=None,
        description=(
            "Private: range of a virtual network to make, with a prefix length of 16 to 26. Half of it is for clusters."
        ),
    )
    endpoint_subnet_id: SubnetId | None = Field(
        default=None, description="Private, in place of addressSpace: a subnet that exists, for the private endpoints."
    )
    compute_subnet_id: SubnetId | None = Field(
        default=None, description="Private, in place of addressSpace: a subnet that exists, for the clusters."
    )
    dns_zones_group_id: ResourceGroupId | None = Field(
        default=None,
        description=(
            "Private: id of a resource group with all private DNS zones, linked to the network; those of queues and "
            "tables too. Zones are made if left out."
        ),
    )
    outbound_access: Literal["approved", "internet"] | None = Field(
        default=None,
        description=(
            "Managed: 'approved' lets compute reach only what 'outbound' names, 'internet' all of the internet. "
            "'approved' if left out; Azure cannot go back from it."
        ),
    )
    outbound: Entries[Outbound] = Field(
        default=(),
        description="Managed: what compute may reach beside the workspace's own resources and the team's data.",
    )
    basic_firewall: bool = Field(
        default=False,
        description=(
            "Managed, with a host in 'outbound': takes the Azure Firewall's Basic tier, which costs less than Standard."
        ),
    )

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        for modes, names in _ONLY_IN.items():
            if self.mode not in modes and (keys := self._given(names)):
                raise fault("has mode '{mode}', in which {keys} mean nothing.", mode=self.mode, keys=" and ".join(keys))
        subnets = (self.endpoint_subnet_id, self.compute_subnet_id)
        if self.mode == "private" and (self.address_space is None) != all(subnets):
            raise fault("is private and needs either addressSpace, or both endpointSubnetId and computeSubnetId.")
        if self.basic_firewall and not any(rule.host for rule in self.outbound):
            raise fault("has basicFirewall, but no host in outbound, so there is no firewall.")
        if self.outbound_access == "internet" and any(rule.resource_id is None for rule in self.outbound):
            raise fault("allows all of the internet, where only rules with a resourceId mean something.")
        return self

    def _given(self, names: tuple[str, ...]) -> list[str]:
        """The keys of those fields that have another value than their default."""
        fields = type(self).model_fields
        return sorted(key_of(name, fields[name]) for name in names if getattr(self, name) != fields[name].default)
