"""What Azure accepts as names of a workspace and of what belongs to it.

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

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType

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

    def __post_init__(self) -> None:
        """Refuse what Azure would refuse.

        Raises:
            NameTooLongError: The message gives the name, its length, what Azure accepts and what to shorten.
        """
        for field in fields(self):
            name = getattr(self, field.name)
            if not LIMITS[field.name].fullmatch(name):
                raise NameTooLongError(
                    f"the {field.name.replace('_', ' ')} name '{name}' ({len(name)} characters) is not one that Azure "
                    f"accepts ({LIMITS[field.name].pattern}); shorten the team's name or customName"
                )

    @classmethod
    def from_base(cls, resource_group: str, base: str, unique_base: str | None = None) -> "TeamNames":
        """Names that have a common beginning.

        Args:
            resource_group: Name of the resource group.
            base: Beginning of all other names.
            unique_base: Beginning of the names that must be unique in the world; `base` if left out.

        Raises:
            NameTooLongError: If Azure would refuse a name.
        """
        unique = unique_base or base
        return cls(
            resource_group=resource_group,
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
