"""Names of a team's resources: deterministic, without random parts, and never cut.

Azure's limits and the pages that give them:

- storage account: 3-24 lower-case letters and digits, unique in the world
- key vault: 3-24 letters, digits and hyphens, starts with a letter, unique in the world
- container registry: 5-50 letters and digits, unique in the world
- machine learning workspace: 3-33 letters, digits, hyphens and underscores
- resource group: 1-90 characters; identity: 3-128; Application Insights: 1-260; Log Analytics: 4-63
- virtual network: 2-64 letters, digits, dots, hyphens and underscores

Source: learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules, and for the
workspace its REST specification (`^[a-zA-Z0-9][a-zA-Z0-9_-]{2,32}$`).
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType

BASE_LIMIT = 19
"""Longest base: with its longest suffix and one character to spare it fits the 24 of a storage account or key vault."""

HASH_LENGTH = 4
"""Characters of the optional hash, 20 bits: they tell apart equal bases of different subscriptions, not teams."""

LIMITS: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        "resource_group": re.compile(r"[a-zA-Z0-9._()-]{0,89}[a-zA-Z0-9_()-]"),
        "workspace": re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{2,32}"),
        "work": re.compile(r"[a-z0-9]{3,24}"),
        "data": re.compile(r"[a-z0-9]{3,24}"),
        "lake": re.compile(r"[a-z0-9]{3,24}"),
        "registry": re.compile(r"[a-zA-Z0-9]{5,50}"),
        "vault": re.compile(r"[a-zA-Z](?!.*--)[a-zA-Z0-9-]{1,22}[a-zA-Z0-9]"),
        "insights": re.compile(r"[^%&\\?/\s]{1,260}"),
        "logs": re.compile(r"[a-zA-Z0-9][a-zA-Z0-9-]{2,61}[a-zA-Z0-9]"),
        "workspace_identity": re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{2,127}"),
        "network": re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}[a-zA-Z0-9_]"),
        "key_identity": re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{2,127}"),
        "node_identity": re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{2,127}"),
    }
)
"""What Azure accepts as the name of each resource of `TeamNames`."""


class NameTooLongError(ValueError):
    """A name that Azure would refuse; it is never cut, since two cut names can become one."""


@dataclass(frozen=True)
class TeamNames:
    """The names of one team's resources, each as Azure shows it."""

    resource_group: str
    workspace: str
    work: str
    data: str
    lake: str
    registry: str
    vault: str
    insights: str
    logs: str
    workspace_identity: str
    node_identity: str
    key_identity: str
    network: str


def team_names(
    *,
    department: str,
    team: str,
    region: str,
    region_abbreviation: str,
    environment: str,
    custom_name: str | None = None,
    unique_in_subscription: str | None = None,
) -> TeamNames:
    """Names of a team's resources.

    Args:
        department: Code of the department, up to 4 characters.
        team: Name of the team, up to 10 characters.
        region: Azure region, such as `eastus2`.
        region_abbreviation: Its two characters in names, such as `e2`.
        environment: `res`, `dev` or `pro`.
        custom_name: Takes the place of the resource group's name and of the base of all others.
        unique_in_subscription: Subscription id. If given, a short hash of it and the resource group makes
            the names that must be unique in the world (storage, vault, registry) so.

    Raises:
        NameTooLongError: If a name breaks Azure's limits; the message gives the name, its length and what to shorten.
    """
    group = custom_name or f"{department}-{team}-{region}-{environment}"
    base = custom_name or f"{department}{team}{region_abbreviation}{environment}"
    if len(base) > BASE_LIMIT:
        raise NameTooLongError(
            f"the base of the team's names, '{base}', has {len(base)} characters; at most {BASE_LIMIT} fit"
        )
    unique = base + (short_hash(unique_in_subscription, group) if unique_in_subscription else "")
    names = TeamNames(
        resource_group=group,
        workspace=f"{base}ws",
        work=f"{unique}work",
        data=f"{unique}data",
        lake=f"{unique}lake",
        registry=f"{unique}cr",
        vault=f"{unique}kv",
        insights=f"{base}ai",
        logs=f"{base}log",
        workspace_identity=f"{base}id",
        node_identity=f"{base}nodeid",
        key_identity=f"{base}keyid",
        network=f"{base}vnet",
    )
    _refuse_what_azure_refuses(names)
    return names


def model_registry_names(
    *, department: str, region: str, region_abbreviation: str, environment: str
) -> tuple[str, str]:
    """Names of the department's model registry and its resource group, which no team's can be."""
    return (
        f"{department}{region_abbreviation}{environment}models",
        f"{department}-modelregistry-{region}-{environment}",
    )


def short_hash(subscription_id: str, resource_group: str) -> str:
    """Four lower-case characters that a subscription and a resource group determine."""
    digest = hashlib.sha256(f"{subscription_id}/{resource_group}".lower().encode()).digest()
    return base64.b32encode(digest).decode().lower()[:HASH_LENGTH]


def _refuse_what_azure_refuses(names: TeamNames) -> None:
    for field in fields(names):
        name = getattr(names, field.name)
        if not LIMITS[field.name].fullmatch(name):
            raise NameTooLongError(
                f"the {field.name.replace('_', ' ')} name '{name}' ({len(name)} characters) is not "
                f"one that Azure accepts "
                f"({LIMITS[field.name].pattern}); shorten the team's name or customName"
            )
