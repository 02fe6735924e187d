"""Names of a team's resources: deterministic, without random parts, and never cut."""

import base64
import hashlib

from catalogue.names import NameTooLongError, TeamNames

BASE_LIMIT = 19
"""Longest base: with its longest suffix and one character to spare it fits the 24 of a storage account or key vault."""

CODE_LIMIT, TEAM_LIMIT, REGION_LENGTH = 4, 10, 2
"""Characters of a department's code, a team's name and a region's abbreviation; with an environment: one base."""

SHARED = "shared"
"""What stands for the team's name in the names of what the teams share."""

HASH_LENGTH = 4
"""Characters of the optional hash, 20 bits: they tell apart equal bases of different subscriptions, not teams."""


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
        department: Code of the department.
        team: Name of the team.
        region: Azure region, such as `eastus2`.
        region_abbreviation: The region in names, such as `e2`.
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
    return TeamNames.from_base(group, base, unique)


def model_registry_names(
    *, department: str, region: str, region_abbreviation: str, environment: str
) -> tuple[str, str]:
    """Names of the department's model registry and its resource group, which no team's can be."""
    return (
        f"{department}{region_abbreviation}{environment}models",
        f"{department}-modelregistry-{region}-{environment}",
    )


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
