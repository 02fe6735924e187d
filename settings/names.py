"""Names of a team's resources: deterministic, without random parts, and never cut."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from catalogue.names import LIMITS, SUFFIXES, TeamNames, check_name

FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "department": "code of the department",
        "team": "name of the team; `shared` for what the teams share",
        "region": "Azure region, such as `eastus2`",
        "regionAbbreviation": "the region in short, such as `e2`",
        "environment": "the environment, as `naming.environment` spells it",
        "hash": "4 characters that subscription and resource group determine",
        "base": "`customName`, or what the pattern `base` gives",
    }
)
"""The fields that a pattern can have in braces, each with its meaning."""

DEPARTMENT_FIELDS = ("department", "region", "regionAbbreviation", "environment")
"""The fields that do not depend on a team."""

CODE_LIMIT, TEAM_LIMIT, REGION_LIMIT = 10, 20, 8
"""Most characters of a department's code, a team's name and a region's abbreviation; each name has its own limit."""

SHARED = "shared"
"""The word in place of the team's name, in the names of resources that the teams share."""

HASH_LENGTH = 4
"""Characters of the optional hash, 20 bits: they tell apart equal bases of different subscriptions, not teams."""

GROUP = "{department}-{team}-{region}-{environment}"
BASE = "{department}{team}{regionAbbreviation}{environment}"
MODEL_REGISTRY = "{department}{regionAbbreviation}{environment}models"
MODEL_REGISTRY_GROUP = "{department}-modelregistry-{region}-{environment}"
"""Patterns where the settings give no other. No team's names can be those of the model registry."""


@dataclass(frozen=True)
class Scheme:
    """How a department's resources are named.

    Attributes:
        department: Code of the department.
        region: Azure region, such as `eastus2`.
        region_abbreviation: The region in names, such as `e2`.
        environment: The environment as names spell it.
        subscription_id: The subscription, for the hash.
        unique_names: Whether names that must be unique in the world have the hash, where no pattern is given.
        patterns: Patterns in place of the usual ones, by the names of `catalogue.names.LIMITS`, and by `base`.
    """

    department: str
    region: str
    region_abbreviation: str
    environment: str
    subscription_id: str = ""
    unique_names: bool = False
    patterns: Mapping[str, str] = field(default_factory=dict)

    def team(self, team: str, custom_name: str | None = None) -> TeamNames:
        """Names of a team's resources.

        Args:
            team: Name of the team.
            custom_name: Takes the place of the resource group's name and of the base of all others.

        Raises:
            NameRefusedError: If a name breaks Azure's limits; the message gives the name, its length and the limits.
        """
        values = {**self._values, "team": team}
        group = custom_name or _filled(self.patterns.get("resource_group", GROUP), values)
        values["hash"] = short_hash(self.subscription_id, group)
        values["base"] = custom_name or _filled(self.patterns.get("base", BASE), values)
        named = {
            kind: _filled(self._pattern(kind), {name: LIMITS[kind].spelled(value) for name, value in values.items()})
            for kind in SUFFIXES
        }
        return TeamNames(resource_group=group, **named)

    def model_registry(self) -> tuple[str, str]:
        """Names of the department's model registry and its resource group.

        Raises:
            NameRefusedError: As `team`.
        """
        defaults = {"model_registry": MODEL_REGISTRY, "model_registry_group": MODEL_REGISTRY_GROUP}
        registry, group = (
            check_name(kind, _filled(self.patterns.get(kind, usual), self._values)) for kind, usual in defaults.items()
        )
        return registry, group

    @property
    def _values(self) -> dict[str, str]:
        parts = (self.department, self.region, self.region_abbreviation, self.environment)
        return dict(zip(DEPARTMENT_FIELDS, parts, strict=True))

    def _pattern(self, kind: str) -> str:
        hash_ = "{hash}" if self.unique_names and LIMITS[kind].worldwide else ""
        return self.patterns.get(kind, f"{{base}}{hash_}{SUFFIXES[kind]}")


def _filled(pattern: str, values: Mapping[str, str]) -> str:
    return pattern.format_map(values)


def secret_name(prefix: str, name: str, *, shared_vault: bool) -> str:
    """Name of a service principal's secret in a vault.

    Args:
        prefix: What tells the team from others in the tenant, such as `bgmr bluegranit dev`.
        name: The service principal's name in the team.
        shared_vault: Whether others may use the vault, too.
    """
    own = f"{name}-password"
    return f"{prefix.replace(' ', '-')}-{own}" if shared_vault else own


def short_hash(subscription_id: str, resource_group: str) -> str:
    """Four lower-case characters that a subscription and a resource group determine."""
    digest = hashlib.sha256(f"{subscription_id}/{resource_group}".lower().encode()).digest()
    return base64.b32encode(digest).decode().lower()[:HASH_LENGTH]
