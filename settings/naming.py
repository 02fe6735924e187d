"""The section `naming`: an organization's own patterns for the names of resources."""

import string
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from catalogue.names import LIMITS, SUFFIXES
from settings.names import BASE, DEPARTMENT_FIELDS, FIELDS, GROUP, MODEL_REGISTRY, MODEL_REGISTRY_GROUP
from settings.spelling import did_you_mean
from settings.types import Section, fault

_KINDS: Mapping[str, str] = {
    "resource_group": "resource_group",
    "base": "base",
    "workspace": "workspace",
    "work_storage": "work",
    "data_storage": "data",
    "lake_storage": "lake",
    "container_registry": "registry",
    "key_vault": "vault",
    "application_insights": "insights",
    "log_workspace": "logs",
    "workspace_identity": "workspace_identity",
    "node_identity": "node_identity",
    "key_identity": "key_identity",
    "virtual_network": "network",
    "model_registry": "model_registry",
    "model_registry_group": "model_registry_group",
}
"""The type of resource that each pattern names: a key of `catalogue.names.LIMITS`, or the base."""

_BEFORE_BASE = (*DEPARTMENT_FIELDS, "team")


def _pattern(text: str, allowed: tuple[str, ...]) -> str:
    """The pattern.

    Raises:
        PydanticCustomError: If it has a field that is unknown here, or braces that are no field.
    """
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError:
        raise fault("'{text}' has a brace without its other one.", text=text) from None
    for _, name, format_, conversion in parts:
        if name is not None and (name not in allowed or format_ or conversion):
            raise fault(
                "'{name}' is no field here.{near} Fields: {known}.",
                name=f"{{{name}}}",
                near=did_you_mean(name, allowed),
                known=", ".join(f"{{{field}}}" for field in allowed),
            )
    return text


def _for_team(text: str) -> str:
    return _pattern(text, tuple(FIELDS))


def _for_group(text: str) -> str:
    return _pattern(text, _BEFORE_BASE)


def _for_base(text: str) -> str:
    return _pattern(text, (*_BEFORE_BASE, "hash"))


def _for_department(text: str) -> str:
    return _pattern(text, DEPARTMENT_FIELDS)


_Text = Annotated[str, Field(min_length=1, max_length=200)]
_TeamPattern = Annotated[_Text, AfterValidator(_for_team)]


def _team(kind: str, what: str) -> _TeamPattern | None:
    """A pattern of something that a team has."""
    name: _TeamPattern | None = Field(
        default=None,
        description=f"Name of {what}: {LIMITS[kind].meaning}. '{{base}}{SUFFIXES[kind]}' if left out.",
    )
    return name


class Naming(Section):
    """Patterns of names, for an organization that has its own: `rg-{department}-{team}-{environment}`.

    Fields stand in braces: department, team, region, regionAbbreviation, environment, hash and base. The team is
    `shared` in the names of what the teams share. The hash is 4 characters of subscription and resource group.
    Storage accounts and container registries take no hyphens: fields stand there without them, in lower case.
    Azure renames nothing: a change of a pattern makes the resource anew.
    """

    environment: str | None = Field(
        default=None,
        pattern=r"^[a-z][a-z0-9]{0,11}$",
        description="How names spell the environment, such as prod: up to 12 lower-case letters and digits.",
    )
    resource_group: Annotated[_Text, AfterValidator(_for_group)] | None = Field(
        default=None, description=f"Name of a team's resource group. '{GROUP}' if left out."
    )
    base: Annotated[_Text, AfterValidator(_for_base)] | None = Field(
        default=None, description=f"The field {{base}} of the other patterns. '{BASE}' if left out."
    )
    workspace: _TeamPattern | None = _team("workspace", "the workspace")
    work_storage: _TeamPattern | None = _team("work", "the workspace's storage account")
    data_storage: _TeamPattern | None = _team("data", "the team's storage account")
    lake_storage: _TeamPattern | None = _team("lake", "the data lake's storage account")
    container_registry: _TeamPattern | None = _team("registry", "the container registry")
    key_vault: _TeamPattern | None = _team("vault", "the key vault")
    application_insights: _TeamPattern | None = _team("insights", "Application Insights")
    log_workspace: _TeamPattern | None = _team("logs", "the Log Analytics workspace")
    workspace_identity: _TeamPattern | None = _team("workspace_identity", "the workspace's identity")
    node_identity: _TeamPattern | None = _team("node_identity", "the clusters' identity")
    key_identity: _TeamPattern | None = _team("key_identity", "the identity that reads the customer's key")
    virtual_network: _TeamPattern | None = _team("network", "the virtual network")
    model_registry: Annotated[_Text, AfterValidator(_for_department)] | None = Field(
        default=None, description=f"Name of the model registry. '{MODEL_REGISTRY}' if left out."
    )
    model_registry_group: Annotated[_Text, AfterValidator(_for_department)] | None = Field(
        default=None, description=f"Name of its resource group. '{MODEL_REGISTRY_GROUP}' if left out."
    )

    @property
    def patterns(self) -> Mapping[str, str]:
        """The patterns that are given, by what they name."""
        given = {kind: getattr(self, name) for name, kind in _KINDS.items()}
        return {kind: pattern for kind, pattern in given.items() if pattern is not None}


def key_of_kind(kind: str) -> str:
    """The key of the section whose pattern names a kind of resource."""
    name = next(name for name, named in _KINDS.items() if named == kind)
    return Naming.model_fields[name].alias or name
