"""Microsoft.Network's private DNS: zones, links to networks, record sets, and the records of private endpoints."""

import copy
import ipaddress
import re
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from sandbox.azure.arm.core import Body, Call, ResourceId, ResourceType, Rule, invalid, properties_of
from sandbox.azure.arm.network import NAME, reference
from sandbox.azure.cloud import Cloud
from sandbox.azure.front.errors import AzureError
from sandbox.azure.privatelink import ENDPOINTS

ZONES = "Microsoft.Network/privateDnsZones"
# learn.microsoft.com/azure/private-link/private-endpoint-dns: zones that are not called as the names they stand for
PUBLIC = {"vaultcore.azure.net": "vault.azure.net"}


class PrivateZone(ResourceType):
    """`Microsoft.Network/privateDnsZones`."""

    type = ZONES
    global_location = True
    # learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules: 2 to 34 labels
    name_pattern = re.compile(
        r"(?=.{1,253}$)(?:[a-zA-Z0-9_](?:[a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?\.){1,33}[a-zA-Z0-9-]{1,63}"
    )

    def prepare(self, call: Call, old: Body | None) -> Body:
        """Adds the zone's limits."""
        properties = {
            "maxNumberOfRecordSets": 25000,
            "maxNumberOfVirtualNetworkLinks": 1000,
            "maxNumberOfVirtualNetworkLinksWithRegistration": 100,
            "provisioningState": "Succeeded",
        }
        return {"location": "global", "tags": call.body.get("tags") or {}, "properties": properties}

    def present(self, call: Call, resource: Body) -> Body:
        """Adds the number of record sets and links."""
        counts = {
            "numberOfRecordSets": len(all_records(call.cloud, resource["id"])),
            "numberOfVirtualNetworkLinks": sum(1 for _ in _links(call.cloud, resource)),
        }
        return {**resource, "properties": {**resource["properties"], **counts}}

    def before_delete(self, call: Call, resource: Body) -> None:
        """Refuses to delete a zone with links."""
        if any(True for _ in _links(call.cloud, resource)):
            raise AzureError(
                409, "CannotDeleteResource", "Can not delete resource before nested resources are deleted."
            )


def _links(cloud: Cloud, zone: Body) -> Iterator[Body]:
    return cloud.store.list("resource", f"{zone['id']}/virtualNetworkLinks/".lower())


class VirtualNetworkLink(ResourceType):
    """`Microsoft.Network/privateDnsZones/virtualNetworkLinks`: which networks see a zone."""

    type = f"{ZONES}/virtualNetworkLinks"
    global_location = True
    name_pattern = NAME
    required = ("properties.virtualNetwork.id",)
    fields: ClassVar[Mapping[str, Rule]] = {"properties.registrationEnabled": bool}

    def validate(self, call: Call, old: Body | None) -> None:
        """Requires that the network exists and has no other link to the zone."""
        network = reference(call, "properties.virtualNetwork", call.body["properties"]["virtualNetwork"])["id"].lower()
        for link in self.below(call.cloud, call.id.key.rpartition("/")[0] + "/"):
            same = properties_of(link)["virtualNetwork"]["id"].lower() == network
            if same and link["name"].lower() != call.id.name.lower():
                raise AzureError(
                    409, "Conflict", f"A virtual network link to '{network}' exists already: '{link['name']}'."
                )

    def prepare(self, call: Call, old: Body | None) -> Body:
        """Adds the link's state."""
        sent = copy.deepcopy(call.body["properties"])
        state = {"virtualNetworkLinkState": "Completed", "provisioningState": "Succeeded"}
        properties = {"registrationEnabled": False, **sent, **state}
        return {"location": "global", "tags": call.body.get("tags") or {}, "properties": properties}


class PrivateDnsZoneGroup(ResourceType):
    """`Microsoft.Network/privateEndpoints/privateDnsZoneGroups`: which zones know the endpoint's names."""

    type = f"{ENDPOINTS}/privateDnsZoneGroups"
    tracked = False
    name_pattern = NAME
    required = ("properties.privateDnsZoneConfigs",)
    fields: ClassVar[Mapping[str, Rule]] = {"properties.privateDnsZoneConfigs": list}

    def validate(self, call: Call, old: Body | None) -> None:
        """Requires that the zones exist and that the endpoint has no other group."""
        for number, config in enumerate(call.body["properties"]["privateDnsZoneConfigs"]):
            path = f"properties.privateDnsZoneConfigs[{number}].properties.privateDnsZoneId"
            reference(call, path, {"id": properties_of(config).get("privateDnsZoneId")})
        others = self.below(call.cloud, call.id.key.rpartition("/")[0] + "/")
        if old is None and any(True for _ in others):
            raise AzureError(
                400,
                "MultiplePrivateDnsZoneGroupsNotAllowed",
                f"Private endpoint {call.id.parent} has a private DNS zone group already; it can have one.",
            )

    def prepare(self, call: Call, old: Body | None) -> Body:
        """Adds to each zone the records that the endpoint gets."""
        endpoint = call.resource(call.id.parent) or {}
        names = properties_of(endpoint)["customDnsConfigs"]
        configs = copy.deepcopy(call.body["properties"]["privateDnsZoneConfigs"])
        for config in configs:
            zone = config["properties"]["privateDnsZoneId"].rsplit("/", 1)[-1].lower()
            own = zone.removeprefix("privatelink.")
            public = PUBLIC.get(own, own)
            config["properties"]["recordSets"] = [
                {
                    "recordType": "A",
                    "recordSetName": dns["fqdn"].removesuffix(f".{public}"),
                    "fqdn": f"{dns['fqdn'].removesuffix(f'.{public}')}.{zone}",
                    "ttl": 10,
                    "provisioningState": "Succeeded",
                    "ipAddresses": dns["ipAddresses"],
                }
                for dns in names
                if dns["fqdn"].endswith(f".{public}")
            ]
        return {"properties": {"privateDnsZoneConfigs": configs, "provisioningState": "Succeeded"}}


# The property that holds a type's records, and whether it is a list.
RECORDS = {
    "A": "aRecords",
    "AAAA": "aaaaRecords",
    "CNAME": "cnameRecord",
    "MX": "mxRecords",
    "PTR": "ptrRecords",
    "SOA": "soaRecord",
    "SRV": "srvRecords",
    "TXT": "txtRecords",
}
SINGLE = ("CNAME", "SOA")  # types with one record instead of a list
_LABEL = r"[a-zA-Z0-9_](?:[a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?"
RELATIVE_NAME = re.compile(rf"@|(?:\*|{_LABEL})(?:\.{_LABEL})*")
DEFAULT_TTL = 3600  # seconds, for what an endpoint does not write


class RecordSet(ResourceType):
    """`Microsoft.Network/privateDnsZones/A` and the other types: the records of a name.

    Source: learn.microsoft.com/rest/api/dns/privatedns/record-sets.
    """

    tracked = False
    name_pattern = RELATIVE_NAME
    name_error = ("BadRequest", "The record set name '{name}' is not valid.")

    def __init__(self, record_type: str) -> None:
        self._record_type, self._field = record_type, RECORDS[record_type]
        self.type = f"{ZONES}/{record_type}"  # type: ignore[misc] # one class for eight types

    def find(self, cloud: Cloud, resource_id: ResourceId) -> Body | None:
        """A stored set, or the set that endpoints wrote."""
        records = self.below(cloud, resource_id.parent.lower() + "/")
        return next((record for record in records if record["name"].lower() == resource_id.name.lower()), None)

    def below(self, cloud: Cloud, prefix: str) -> list[Body]:
        """The zone's sets of this type, by name."""
        zone = cloud.store.get("resource", prefix.rstrip("/").removesuffix(f"/{self._record_type.lower()}"))
        if zone is None or zone["type"] != ZONES:
            return []
        written = self._written(cloud, zone)
        stored = {record["name"].lower(): record for record in super().below(cloud, zone["id"].lower() + "/")}
        return [record for _, record in sorted({**written, **stored}.items())]

    def _written(self, cloud: Cloud, zone: Body) -> dict[str, Body]:
        """The records that exist without a PUT: the start of authority, and the addresses of private endpoints."""
        if self._record_type == "SOA":
            return {"@": self._set(zone, "@", {"ttl": DEFAULT_TTL, "soaRecord": _start_of_authority()})}
        if self._record_type != "A":
            return {}
        sets = {}
        for config in _endpoint_records(cloud, zone["id"]):
            addresses = [{"ipv4Address": address} for address in config["ipAddresses"]]
            name = config["recordSetName"]
            sets[name.lower()] = self._set(zone, name, {"ttl": config["ttl"], "aRecords": addresses})
        return sets

    def _set(self, zone: Body, name: str, properties: Body) -> Body:
        full = zone["name"] if name == "@" else f"{name}.{zone['name']}"
        return {
            "id": f"{zone['id']}/{self._record_type}/{name}",
            "name": name,
            "type": self.type,
            "etag": str(uuid.uuid5(uuid.NAMESPACE_URL, str(properties))),
            "properties": {"fqdn": f"{full}.", "isAutoRegistered": False, **properties},
        }

    def validate(self, call: Call, old: Body | None) -> None:
        """Refuses records of another type, invalid addresses, and a CNAME beside other records."""
        body = properties_of(call.body)
        records, kind = body.get(self._field), dict if self._record_type in SINGLE else list
        if records is not None and not isinstance(records, kind):
            raise invalid(f"properties.{self._field}", f"'properties.{self._field}' must be a {kind.__name__}.")
        others = sorted(name for name in RECORDS.values() if name != self._field and body.get(name))
        if others:
            raise invalid(f"properties.{others[0]}", f"A record set of type {self._record_type} has no '{others[0]}'.")
        if self._record_type in ("A", "AAAA"):
            self._check_addresses(body.get(self._field) or [])
        self._check_alone(call)

    def _check_addresses(self, records: list[Any]) -> None:
        version4 = self._record_type == "A"
        name, kind = ("ipv4Address", ipaddress.IPv4Address) if version4 else ("ipv6Address", ipaddress.IPv6Address)
        for number, record in enumerate(records):
            path = f"properties.{self._field}[{number}].{name}"
            try:
                kind(record[name])
            except (ValueError, TypeError, KeyError) as error:
                raise AzureError(400, "BadRequest", f"'{path}' is no valid address.", target=path) from error

    def _check_alone(self, call: Call) -> None:
        """A name with a CNAME has no other records."""
        mine = self._record_type == "CNAME"
        if mine and call.id.name == "@":
            raise AzureError(400, "BadRequest", "A record set of type CNAME cannot be at the zone's apex '@'.")
        zone = call.id.key.rsplit("/", 2)[0]
        for record in all_records(call.cloud, zone):
            same = record["name"].lower() == call.id.name.lower() and record["type"] != self.type
            if same and (mine or record["type"].endswith("/CNAME")):
                text = "A CNAME record set cannot coexist with other record sets of the same name."
                raise AzureError(400, "BadRequest", f"The record set '{call.id.name}' cannot be made: {text}")

    def prepare(self, call: Call, old: Body | None) -> Body:
        """Adds the full name, the lifetime and the ETag."""
        zone = call.resource(call.id.key.rsplit("/", 2)[0]) or {}
        sent = {name: value for name, value in copy.deepcopy(properties_of(call.body)).items() if value is not None}
        empty: Any = {} if self._record_type in SINGLE else []
        shown = self._set(zone, call.id.name, {"ttl": DEFAULT_TTL, self._field: empty, **sent})
        return {**shown, "etag": str(uuid.uuid4())}


def _start_of_authority() -> Body:
    return {
        "email": "azureprivatedns-host.microsoft.com",
        "expireTime": 2419200,
        "host": "azureprivatedns.net",
        "minimumTtl": 10,
        "refreshTime": 3600,
        "retryTime": 300,
        "serialNumber": 1,
    }


def _endpoint_records(cloud: Cloud, zone_id: str) -> Iterator[Body]:
    """The records that private endpoints write into a zone."""
    for group in cloud.store.resources(PrivateDnsZoneGroup.type):
        for config in group["properties"]["privateDnsZoneConfigs"]:
            if config["properties"]["privateDnsZoneId"].lower() == zone_id.lower():
                yield from config["properties"]["recordSets"]


def all_records(cloud: Cloud, zone_id: str) -> list[Body]:
    """All record sets of a zone."""
    return [record for kind in RECORD_SETS for record in kind.below(cloud, zone_id.lower() + "/")]


class AllRecords(ResourceType):
    """`Microsoft.Network/privateDnsZones/ALL`: the record sets of all types."""

    type = f"{ZONES}/ALL"
    tracked = False
    methods = frozenset({"GET"})

    def below(self, cloud: Cloud, prefix: str) -> list[Body]:
        """All record sets of the zone."""
        return all_records(cloud, prefix.rstrip("/").removesuffix("/all"))


RECORD_SETS = [RecordSet(name) for name in RECORDS]


def resource_types(cloud: Any) -> list[ResourceType]:
    """The resource types of this module."""
    return [PrivateZone(), VirtualNetworkLink(), PrivateDnsZoneGroup(), *RECORD_SETS, AllRecords()]
