"""Tags, regions and names of every resource of azure-native."""

import re
from collections.abc import Mapping
from typing import Any

from policies import azuretypes
from policies.links import named
from policies.model import NotApplicableError, Outcome, Problem, ResourceRule, Setting, Settings, Severity, Undecided
from policies.resources import Graph, Resource
from policies.rules.checks import listed, show, tag
from policies.values import UnknownValueError

ANY = "*"
GROUP = "resources:ResourceGroup"
_SOURCE = "This project: costs and owners are told apart by tags, data stays in its regions, names are recognised."
_DOCS = "https://learn.microsoft.com/azure/cloud-adoption-framework/ready/azure-best-practices/"


def _tags(resource: Resource, settings: Settings, _graph: Graph) -> Outcome:
    if not _takes_tags(resource):
        raise NotApplicableError("the type takes no tags")
    patterns: Mapping[str, Any] = settings.get("patterns", {})
    for name in settings["required"]:
        try:
            value = tag(resource, name)
        except UnknownValueError as error:
            yield Undecided(error.path, str(error))
            continue
        path, pattern = f"tags.{name}", patterns.get(name)
        if not value or not value.strip():
            yield Problem(f"the tag '{name}' is {show(value)}; required are {listed(settings['required'])}", path)
        elif pattern and not re.search(pattern, value):
            yield Problem(f"the tag '{name}' is {show(value)}, it must match {pattern}", path)


def _takes_tags(resource: Resource) -> bool:
    """Types with a location take tags, and what was given some; the assignment of a policy has a location alone."""
    if not azuretypes.is_azure(resource) or resource.kind.startswith("authorization:"):
        return False
    return _is_placed(resource) or "tags" in resource.inputs


def _is_placed(resource: Resource) -> bool:
    """Whether a resource has a region: Pulumi fills one in for the types that have one."""
    return azuretypes.find(resource.kind) is not None or "location" in resource.inputs


def _regions(resource: Resource, settings: Settings, graph: Graph) -> Outcome:
    if not azuretypes.is_azure(resource) or not _is_placed(resource):
        raise NotApplicableError("the resource has no region")
    location, allowed = resource.get("location"), settings["allowed"]
    if location is None:
        location = _of_group(resource, graph)
    if location is None:
        yield Undecided("location", "location is not set; the provider's default, or the group's region, is not known")
    elif _region(location) not in {"global", *map(_region, allowed)}:
        yield Problem(f"location is {show(location)}; allowed are {listed(allowed)}", "location")


def _of_group(resource: Resource, graph: Graph) -> Any:
    """The region of a resource's group, which azure-native takes where neither program nor provider says one."""
    try:
        group = named(resource, "resourceGroupName", graph, GROUP)
    except UnknownValueError:
        return None
    return group.get("location") if group else None


def _region(text: Any) -> str:
    """A region as Azure compares it: `East US 2` is `eastus2`."""
    return str(text).replace(" ", "").casefold()


def _names(resource: Resource, settings: Settings, _graph: Graph) -> Outcome:
    pattern = settings["patterns"].get(resource.kind)
    found = azuretypes.find(resource.kind)
    if pattern is None or found is None:
        raise NotApplicableError("the configuration has no pattern for names of this type")
    name = resource.get(found.named_by)
    if name is not None and not re.search(pattern, str(name)):
        yield Problem(f"{found.named_by} is {show(name)}, it must match {pattern}", found.named_by)


_PATTERNS = {"type": "object", "additionalProperties": {"type": "string", "format": "regex"}}

RULES = (
    ResourceRule(
        name="azure-resource-require-tags",
        title="Resources have the required tags.",
        kinds=(ANY,),
        check=_tags,
        severity=Severity.LOW,
        source=_SOURCE,
        url=f"{_DOCS}resource-tagging",
        remediation="Set the tag on the resource.",
        settings={
            "required": Setting(
                {
                    "type": "array",
                    "items": {"type": "string", "minLength": 1},
                    "minItems": 1,
                    "description": "Names of the tags, in any letter case.",
                },
                required=True,
            ),
            "patterns": Setting({**_PATTERNS, "description": "By tag, a regular expression for its value."}),
        },
        applies="Resources with a location, and those that were given tags.",
    ),
    ResourceRule(
        name="azure-resource-allow-regions",
        title="Resources are in allowed regions.",
        kinds=(ANY,),
        check=_regions,
        severity=Severity.MEDIUM,
        source=_SOURCE,
        url="https://learn.microsoft.com/azure/reliability/regions-list",
        remediation="Create the resource in an allowed region.",
        settings={
            "allowed": Setting(
                {
                    "type": "array",
                    "items": {"type": "string", "minLength": 1},
                    "minItems": 1,
                    "description": "Regions, such as eastus2; global is always allowed.",
                },
                required=True,
            )
        },
        applies="Resources with a location. One that is left out is its resource group's, as azure-native takes it.",
    ),
    ResourceRule(
        name="azure-resource-match-name-pattern",
        title="Names of resources follow the convention.",
        kinds=(ANY,),
        check=_names,
        severity=Severity.LOW,
        source=_SOURCE,
        url=f"{_DOCS}resource-naming",
        remediation="Name the resource by the pattern.",
        settings={
            "patterns": Setting(
                {
                    **_PATTERNS,
                    "propertyNames": {"enum": list(azuretypes.TYPES)},
                    "description": "By type, such as storage:StorageAccount, a regular expression.",
                },
                required=True,
            )
        },
        applies="Resources of the types that have a pattern.",
    ),
)
