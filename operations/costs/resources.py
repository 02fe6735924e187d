"""What the resources of a stack are charged for, from their types and inputs in Pulumi.

Which resource has which charge under which condition is Microsoft's:
learn.microsoft.com/azure/machine-learning/concept-plan-manage-cost and how-to-managed-network#pricing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from catalogue.meters import EVERYWHERE, HOURS, METERS, UNITS_A_MONTH, ServicePrices
from catalogue.prices import Prices, Priority
from operations.costs import assumptions
from operations.costs.assumptions import Use
from operations.costs.charges import ZERO, Charge, Range
from operations.costs.planned import PlannedResource
from settings.compute import EXPECTED_HOURS

_NATIVE = "azure-native"
_ML = f"{_NATIVE}:machinelearningservices"


class Billable(Protocol):
    """A resource of a stack; inputs in azure-native's names. What is not known yet is no text, number or mapping."""

    @property
    def type(self) -> str:
        """Its type in Pulumi."""

    @property
    def name(self) -> str:
        """Its name in Pulumi."""

    @property
    def team(self) -> str | None:
        """Name of its team."""

    @property
    def inputs(self) -> Mapping[str, Any]:
        """What the program gives."""


@dataclass(frozen=True)
class PriceBook:
    """The tables of prices.

    Attributes:
        nodes: Of VMs.
        services: Of all else.
    """

    nodes: Prices
    services: ServicePrices


@dataclass(frozen=True)
class _Stack:
    """All that the charges of one resource can depend on."""

    region: str
    book: PriceBook
    hours: Mapping[str, int]
    filtered: frozenset[str]  # names of workspaces with an outbound rule for a host


def charges(
    resources: Iterable[Billable], region: str, book: PriceBook, hours: Mapping[str, int] | None = None
) -> tuple[Charge, ...]:
    """What resources are charged for; a type that is not priced by time, node or use has no charge.

    Args:
        resources: The resources of a stack.
        region: Azure region of what names none.
        book: The prices.
        hours: Hours a month that a node is expected to be on, by the compute's name in Pulumi;
            `EXPECTED_HOURS` where left out.
    """
    listed = list(resources)
    filtered = frozenset(
        str(one.inputs.get("workspaceName"))
        for one in listed
        if one.type == f"{_ML}:ManagedNetworkSettingsRule" and _at(one, "properties", "type") == "FQDN"
    )
    stack = _Stack(region, book, hours or {}, filtered)
    return tuple(charge for one in listed if one.type in _PRICED for charge in _PRICED[one.type](one, stack))


def node_price(prices: Prices, region: str, size: str, priority: Priority) -> tuple[Decimal | None, bool]:
    """US dollars an hour of a node, None if no price is known; and whether that is only an upper bound.

    A low-priority node costs less than a dedicated one, whose price is taken where its own is not known.
    """
    own = prices.hourly(region, size, priority)
    hourly = own or prices.hourly(region, size, "dedicated")
    return hourly, own is None and hourly is not None


def _at(resource: Billable, *keys: str) -> Any:
    """The value of an input below keys; None where there is none, or where it is not known."""
    value: Any = resource.inputs
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _region(resource: Billable, stack: _Stack) -> str:
    location = resource.inputs.get("location")
    named = location.lower().replace(" ", "") if isinstance(location, str) else ""
    return stack.region if named in ("", "global") else named


def _metered(resource: Billable, stack: _Stack, meter: str, units: Range, *notes: str, by_use: bool = False) -> Charge:
    """A charge by a meter of `METERS`, at the price of the resource's region or, with a note, of another."""
    region, entry = _region(resource, stack), METERS[meter]
    found = stack.book.services.find(meter, region)
    elsewhere = found is not None and found.region not in (region, EVERYWHERE)
    return Charge(
        type=resource.type,
        name=resource.name,
        team=resource.team,
        what=entry.title,
        unit=entry.unit,
        units=units,
        price=found.price if found else None,
        as_of=found.as_of if found else None,
        source=found.source if found else "",
        notes=notes,
        by_use=by_use,
        price_of=found.region if found and elsewhere else "",
    )


def _timed(resource: Billable, stack: _Stack, meter: str, count: int = 1, *notes: str) -> Charge:
    """A charge for every hour, day or month that a resource is there."""
    return _metered(resource, stack, meter, Range.always(UNITS_A_MONTH[METERS[meter].unit] * count), *notes)


def _used(resource: Billable, stack: _Stack, meter: str, use: Use, factor: Decimal = Decimal(1)) -> Charge:
    units = Range(use.idle, use.busy, use.busy) * factor
    return _metered(resource, stack, meter, units, f"assumed: {use.words}", by_use=True)


def _registry(resource: Billable, stack: _Stack) -> Iterator[Charge]:
    tier = _at(resource, "sku", "name")
    if f"registry-{str(tier).lower()}" in METERS:
        yield _timed(resource, stack, f"registry-{str(tier).lower()}")


def _storage(resource: Billable, stack: _Stack) -> Iterator[Charge]:
    yield _used(resource, stack, _redundancy(_at(resource, "sku", "name")), assumptions.STORED)


def _redundancy(sku: Any) -> str:
    """The meter of a storage account's tier; zone-redundant or geo-redundant, else the local one."""
    words = str(sku).upper()
    return "storage-zrs" if words.endswith("_ZRS") else "storage-grs" if "GRS" in words else "storage-lrs"


def _logs(resource: Billable, stack: _Stack) -> Iterator[Charge]:
    yield _used(resource, stack, "log-ingestion", assumptions.LOGS)
    days = resource.inputs.get("retentionInDays")
    if isinstance(days, int | float) and days > assumptions.RETENTION_INCLUDED:
        months = (Decimal(int(days)) - assumptions.RETENTION_INCLUDED) / assumptions.MONTH_DAYS
        yield _used(resource, stack, "log-retention", assumptions.LOGS, months)


def _vault(resource: Billable, stack: _Stack) -> Iterator[Charge]:
    yield _used(resource, stack, "key-vault-operations", assumptions.SECRETS)


def _workspace(resource: Billable, stack: _Stack) -> Iterator[Charge]:
    """A workspace's managed network and, with a customer's key, what keeps its metadata in the subscription."""
    network = resource.inputs.get("managedNetwork")
    if isinstance(network, Mapping) and network.get("isolationMode") == "AllowOnlyApprovedOutbound":
        own = f"{len(_REQUIRED_ENDPOINTS)} that Azure ML makes: {', '.join(_REQUIRED_ENDPOINTS)}"
        yield _timed(resource, stack, "private-endpoint", len(_REQUIRED_ENDPOINTS), own)
        if _filters_hosts(resource, network, stack):
            tier = str(network.get("firewallSku") or "Standard").lower()
            yield _timed(resource, stack, f"firewall-{tier}", 1, "there only with an outbound rule for a host")
    if resource.inputs.get("encryption") and not resource.inputs.get("enableServiceSideCMKEncryption"):
        yield _timed(resource, stack, "cosmos-db")
        yield _timed(resource, stack, "search")
        yield _used(resource, stack, "storage-lrs", assumptions.STORED)


_REQUIRED_ENDPOINTS = ("workspace", "storage blob", "storage file", "key vault", "container registry")
"""What a managed network that lets out approved traffic only leads to by itself, whatever their public access.

Source: learn.microsoft.com/azure/machine-learning/how-to-managed-network, "list of required rules".
"""


def _filters_hosts(resource: Billable, network: Mapping[str, Any], stack: _Stack) -> bool:
    """Whether a managed network has a firewall: it is there only with an FQDN rule in approved-outbound mode."""
    rules = network.get("outboundRules")
    inline = rules.values() if isinstance(rules, Mapping) else ()
    return resource.inputs.get("workspaceName") in stack.filtered or any(
        isinstance(rule, Mapping) and rule.get("type") == "FQDN" for rule in inline
    )


def _outbound_rule(resource: Billable, stack: _Stack) -> Iterator[Charge]:
    if _at(resource, "properties", "type") == "PrivateEndpoint":
        yield _timed(resource, stack, "private-endpoint")


def _model_registry(resource: Billable, stack: _Stack) -> Iterator[Charge]:
    """A registry of Azure ML: in each of its regions a Premium container registry and a storage account."""
    regions = resource.inputs.get("regionDetails")
    for details in regions if isinstance(regions, list | tuple) else ():
        if isinstance(details, Mapping):
            region = str(details.get("location") or stack.region)
            there = PlannedResource(resource.type, resource.name, resource.team, {"location": region})
            yield _timed(there, stack, "registry-premium", 1, f"Azure ML makes it in {region}")
            yield _used(there, stack, _redundancy(_storage_type(details)), assumptions.STORED)


def _storage_type(details: Mapping[str, Any]) -> Any:
    accounts = details.get("storageAccountDetails")
    for account in accounts if isinstance(accounts, list | tuple) else ():
        made = account.get("systemCreatedStorageAccount") if isinstance(account, Mapping) else None
        if isinstance(made, Mapping):
            return made.get("storageAccountType")
    return None


def _compute(resource: Billable, stack: _Stack) -> Iterator[Charge]:
    kind, size = _at(resource, "properties", "computeType"), _at(resource, "properties", "properties", "vmSize")
    if not isinstance(size, str):
        return
    if kind == "ComputeInstance":
        yield _nodes(resource, stack, size.upper(), "dedicated", 1)
        yield _timed(resource, stack, "disk-p10", 1, "also while the instance is stopped")
        yield _timed(resource, stack, "load-balancer", 1, "also while the instance is stopped")
    elif kind == "AmlCompute":
        low = _at(resource, "properties", "properties", "vmPriority") == "LowPriority"
        most = _at(resource, "properties", "properties", "scaleSettings", "maxNodeCount")
        count = int(most) if isinstance(most, int | float) else 0
        yield _nodes(resource, stack, size.upper(), "lowPriority" if low else "dedicated", count)
        units = UNITS_A_MONTH[METERS["load-balancer"].unit]
        busy = units * -(-count // assumptions.BALANCED_NODES)
        yield _metered(
            resource,
            stack,
            "load-balancer",
            Range(units, busy, busy),
            "one load balancer for each 50 nodes, the first also while there are none",
        )


def _nodes(resource: Billable, stack: _Stack, size: str, priority: Priority, count: int) -> Charge:
    region = _region(resource, stack)
    hourly, upper_bound = node_price(stack.book.nodes, region, size, priority)
    hours = Decimal(stack.hours.get(resource.name, EXPECTED_HOURS))
    low = ", low priority" if priority == "lowPriority" else ""
    return Charge(
        type=resource.type,
        name=resource.name,
        team=resource.team,
        what=f"{count} × {size}{low}",
        unit="hour",
        units=Range(ZERO, hours * count, Decimal(HOURS) * count),
        price=hourly,
        as_of=stack.book.nodes.as_of(region),
        source="catalogue/vm_prices.csv",
        notes=(f"assumed: a node is on for {hours} hours a month",),
        price_of=f"{size}, dedicated" if upper_bound else "",
        upper_bound=upper_bound,
    )


def _each(meter: str) -> Callable[[Billable, _Stack], Iterator[Charge]]:
    """The pricing of a type that has one charge whatever its inputs."""

    def priced(resource: Billable, stack: _Stack) -> Iterator[Charge]:
        yield _timed(resource, stack, meter)

    return priced


_PRICED: Mapping[str, Callable[[Billable, _Stack], Iterator[Charge]]] = {
    f"{_NATIVE}:containerregistry:Registry": _registry,
    f"{_NATIVE}:keyvault:Vault": _vault,
    f"{_NATIVE}:network:NatGateway": _each("nat-gateway"),
    f"{_NATIVE}:network:PrivateEndpoint": _each("private-endpoint"),
    f"{_NATIVE}:network:PublicIPAddress": _each("public-ip"),
    f"{_NATIVE}:operationalinsights:Workspace": _logs,
    f"{_NATIVE}:privatedns:PrivateZone": _each("private-dns-zone"),
    f"{_NATIVE}:storage:StorageAccount": _storage,
    f"{_ML}:Compute": _compute,
    f"{_ML}:ManagedNetworkSettingsRule": _outbound_rule,
    f"{_ML}:Registry": _model_registry,
    f"{_ML}:Workspace": _workspace,
}
"""How each type is priced. Networks, security groups, roles, identities, locks, budgets and policies are free."""
