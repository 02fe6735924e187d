"""Tags that the organization's policies demand and that the settings do not give.

A policy with the effect deny refuses a resource without the tag. What is read here are rules of the form that
Azure's built-in "Require a tag on resources" has: a condition that a tag does not exist
(learn.microsoft.com/azure/azure-resource-manager/management/tag-policies).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from operations.resourcemanager import ARM, Send, body_of
from settings import Department

_API = "2023-04-01"
_TAG = re.compile(r"tags(?:\[(?:'([^']+)'|([^'\]]+))\]|\.([^.\[\]]+))")
_FROM_PARAMETER = re.compile(r"\[concat\('tags\[', *(?:'''', *)?parameters\('(\w+)'\), *(?:'''', *)?'\]'\)\]")


def missing_tags(department: Department, send: Send) -> Iterator[str]:
    """One line for each tag that an assignment in force demands of the subscription's resources.

    Raises:
        AzureRefusedError: If Azure does not answer, or does not let the caller read policies.
    """
    given = {name.lower() for team in department.teams for name in department.tags_of(team)}
    path = (
        f"/subscriptions/{department.subscription_id}/providers/Microsoft.Authorization/policyAssignments"
        f"?api-version={_API}"
    )
    for assignment in _pages(path, send):
        properties = assignment.get("properties", {})
        definition = str(properties.get("policyDefinitionId", ""))
        if properties.get("enforcementMode") == "DoNotEnforce" or "/policydefinitions/" not in definition.lower():
            continue
        rule = body_of(send("GET", f"{definition}?api-version={_API}", None)).get("properties", {})
        for tag in sorted(_demanded(rule, _values(rule, properties)) - given):
            yield (
                f"The policy assignment '{assignment.get('name')}' refuses resources without the tag '{tag}'. "
                f"Give it in the settings: tags: {{{tag}: ...}}."
            )


def _pages(path: str, send: Send) -> Iterator[Mapping[str, Any]]:
    while path:
        body = body_of(send("GET", path, None))
        yield from body.get("value", ())
        path = str(body.get("nextLink") or "").removeprefix(ARM)


def _values(rule: Mapping[str, Any], assigned: Mapping[str, Any]) -> Mapping[str, Any]:
    """The values of a rule's parameters: those assigned, else the defaults."""
    defaults = {name: one.get("defaultValue") for name, one in (rule.get("parameters") or {}).items()}
    return defaults | {name: one.get("value") for name, one in (assigned.get("parameters") or {}).items()}


def _demanded(rule: Mapping[str, Any], parameters: Mapping[str, Any]) -> set[str]:
    """Names of tags without which a rule refuses a resource, in lower case."""
    policy = rule.get("policyRule") or {}
    effect = _resolved((policy.get("then") or {}).get("effect"), parameters)
    if str(effect).lower() != "deny":
        return set()
    return {tag.lower() for tag in _absent_tags(policy.get("if"), parameters)}


def _absent_tags(condition: object, parameters: Mapping[str, Any]) -> Iterator[str]:
    """Tags that a condition wants absent. A negated condition is no demand that can be read here."""
    if not isinstance(condition, Mapping):
        return
    for inner in (*(condition.get("allOf") or ()), *(condition.get("anyOf") or ())):
        yield from _absent_tags(inner, parameters)
    if str(condition.get("exists", "")).lower() == "false" and (tag := _tag(str(condition.get("field")), parameters)):
        yield tag


def _tag(field: str, parameters: Mapping[str, Any]) -> str | None:
    if named := _FROM_PARAMETER.fullmatch(field):
        value = parameters.get(named[1])
        return str(value) if value else None
    plain = _TAG.fullmatch(field)
    return next(filter(None, plain.groups()), None) if plain else None


def _resolved(value: object, parameters: Mapping[str, Any]) -> object:
    named = re.fullmatch(r"\[parameters\('(\w+)'\)\]", str(value))
    return parameters.get(named[1]) if named else value
