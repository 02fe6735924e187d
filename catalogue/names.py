"""The names that Azure accepts for a workspace and the resources that belong to it.

Source: learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules, and for the
workspace its REST specification (`^[a-zA-Z0-9][a-zA-Z0-9_-]{2,32}$`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType


@dataclass(frozen=True)
class Limit:
    """The names that Azure accepts for one type of resource.

    Attributes:
        noun: What the type is called.
        pattern: The names that it accepts.
        meaning: The same in words.
        worldwide: Whether a name is unique in the world, and not just in its resource group or subscription.
        hyphens: Whether a name can have hyphens.
    """

    noun: str
    pattern: re.Pattern[str]
    meaning: str
    worldwide: bool = False
    hyphens: bool = True

    def spelled(self, part: str) -> str:
        """A part of a name as this type can have it: without hyphens and in lower case where it takes neither."""
        return part if self.hyphens else part.replace("-", "").lower()


_STORAGE = Limit(
    "a storage account",
    re.compile(r"[a-z0-9]{3,24}"),
    "3 to 24 lower-case letters and digits",
    worldwide=True,
    hyphens=False,
)
_IDENTITY = Limit(
    "an identity",
    re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{2,127}"),
    "3 to 128 letters, digits, hyphens and underscores, a letter or digit first",
)
_ML = Limit(
    "a workspace or registry of Azure ML",
    re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{2,32}"),
    "3 to 33 letters, digits, hyphens and underscores, a letter or digit first",
)
_GROUP = Limit(
    "a resource group",
    re.compile(r"[a-zA-Z0-9._()-]{0,89}[a-zA-Z0-9_()-]"),
    "1 to 90 letters, digits, dots, hyphens, underscores and parentheses, no dot at the end",
)

LIMITS: Mapping[str, Limit] = MappingProxyType(
    {
        "resource_group": _GROUP,
        "workspace": _ML,
        "work": _STORAGE,
        "data": _STORAGE,
        "lake": _STORAGE,
        "registry": Limit(
            "a container registry",
            re.compile(r"[a-zA-Z0-9]{5,50}"),
            "5 to 50 letters and digits",
            worldwide=True,
            hyphens=False,
        ),
        "vault": Limit(
            "a key vault",
            re.compile(r"[a-zA-Z](?!.*--)[a-zA-Z0-9-]{1,22}[a-zA-Z0-9]"),
            "3 to 24 letters, digits and single hyphens, a letter first and no hyphen at the end",
            worldwide=True,
        ),
        "insights": Limit(
            "Application Insights",
            re.compile(r"[^%&\\?/\s]{1,260}"),
            "1 to 260 characters without spaces and % & \\ ? /",
        ),
        "logs": Limit(
            "a Log Analytics workspace",
            re.compile(r"[a-zA-Z0-9][a-zA-Z0-9-]{2,61}[a-zA-Z0-9]"),
            "4 to 63 letters, digits and hyphens, no hyphen at either end",
        ),
        "workspace_identity": _IDENTITY,
        "network": Limit(
            "a virtual network",
            re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}[a-zA-Z0-9_]"),
            "2 to 64 letters, digits, dots, hyphens and underscores, a letter or digit first",
        ),
        "key_identity": _IDENTITY,
        "node_identity": _IDENTITY,
        "model_registry": _ML,
        "model_registry_group": _GROUP,
    }
)
"""The limits for each name of `TeamNames`, and for a department's model registry."""

SUFFIXES: Mapping[str, str] = MappingProxyType(
    {
        "workspace": "ws",
        "work": "work",
        "data": "data",
        "lake": "lake",
        "registry": "cr",
        "vault": "kv",
        "insights": "ai",
        "logs": "log",
        "workspace_identity": "id",
        "node_identity": "nodeid",
        "key_identity": "keyid",
        "network": "vnet",
    }
)
"""How the names of `TeamNames` end that have a common beginning."""


class NameRefusedError(ValueError):
    """A name that Azure would refuse; it is never cut, since two cut names can become one.

    Attributes:
        kind: Whose name it is: a key of `LIMITS`.
    """

    def __init__(self, kind: str, name: str) -> None:
        self.kind = kind
        super().__init__(
            f"Azure does not accept '{name}' ({len(name)} characters) as the name of {LIMITS[kind].noun}: "
            f"{LIMITS[kind].meaning}"
        )


def check_name(kind: str, name: str) -> str:
    """The name of a resource, if Azure accepts it.

    Args:
        kind: A key of `LIMITS`.
        name: The name.

    Raises:
        NameRefusedError: If Azure would refuse it.
    """
    if not LIMITS[kind].pattern.fullmatch(name):
        raise NameRefusedError(kind, name)
    return name


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
            NameRefusedError: The message gives the name, its length and what Azure accepts.
        """
        for field in fields(self):
            check_name(field.name, getattr(self, field.name))

    @classmethod
    def from_base(cls, resource_group: str, base: str, unique_base: str | None = None) -> "TeamNames":
        """Names that have a common beginning.

        Args:
            resource_group: Name of the resource group.
            base: Beginning of all other names. Where a type takes no hyphens, it stands there without them.
            unique_base: Beginning of the names that must be unique in the world; `base` if left out.

        Raises:
            NameRefusedError: If Azure would refuse a name.
        """
        unique = unique_base or base
        named = {
            kind: LIMITS[kind].spelled(unique if LIMITS[kind].worldwide else base) + suffix
            for kind, suffix in SUFFIXES.items()
        }
        return cls(resource_group=resource_group, **named)
