"""Container registries: the tier that each needs, and who shares one."""

from typing import get_args

from settings.department import Department
from settings.team import Team
from settings.types import PRODUCTION, RegistrySku


def needs_premium(team: Team) -> bool:
    """Whether a team's registry must be Premium.

    Only that tier has private endpoints, a list of addresses and a customer's key
    (learn.microsoft.com/azure/container-registry/container-registry-skus).
    """
    return team.network.mode != "public" or bool(team.network.allowed_ips) or team.customer_key is not None


def registry_tier(department: Department, team: Team) -> RegistrySku:
    """Tier of a team's container registry."""
    if needs_premium(team):
        return "Premium"
    return department.registry_sku or ("Standard" if department.environment == PRODUCTION else "Basic")


def shared_registry_tier(department: Department) -> RegistrySku:
    """Tier of the registry that the teams share: the highest that one of them needs."""
    return max((registry_tier(department, team) for team in department.teams), key=get_args(RegistrySku).index)


def shares_registry(department: Department, team: Team) -> bool:
    """Whether a team uses the registry that is made for all."""
    return department.shared.registry and team.existing.registry_id is None


def connects_shared_registry(department: Department, team: Team) -> bool:
    """Whether a team makes the endpoint by which its network reaches the registry that is made for all.

    Given DNS zones name one address for it, so one of the teams that are given the same zones makes it.
    """

    def zones(other: Team) -> str | None:
        if other.network.mode != "private" or not shares_registry(department, other):
            return None
        return (other.network.dns_zones_group_id or other.name).lower()

    own = zones(team)
    return own is not None and team.name_on_azure == min(
        other.name_on_azure for other in department.teams if zones(other) == own
    )
