"""Tags that an organization's policies demand, in the forms of Azure's built-in and of custom definitions."""

from typing import Any

import pytest

from operations.demanded_tags import missing_tags
from operations.resourcemanager import AzureRefusedError
from settings import parse_department
from tests.operations.test_purge import Answer, Azure
from tests.program.harness import stack_file

DEV = parse_department(stack_file("dev") | {"tags": {"Site": "a"}}, "f")
DEFINITION = "/providers/Microsoft.Authorization/policyDefinitions/d"
BY_PARAMETER = "[concat('tags[', parameters('tagName'), ']')]"
"""How Azure's built-in definitions name a tag."""


def assigned(definition: str = DEFINITION, mode: str = "Default", tag: str | None = None) -> tuple[str, str, Answer]:
    properties: dict[str, Any] = {"policyDefinitionId": definition, "enforcementMode": mode}
    if tag:
        properties["parameters"] = {"tagName": {"value": tag}}
    return "GET", "/policyAssignments?", Answer(200, {"value": [{"name": "a1", "properties": properties}]})


def defined(condition: Any, effect: str = "deny") -> tuple[str, str, Answer]:
    rule = {"if": condition, "then": {"effect": effect}}
    parameters = {"effect": {"defaultValue": "Deny"}}
    return "GET", f"{DEFINITION}?", Answer(200, {"properties": {"policyRule": rule, "parameters": parameters}})


def absent(field: str) -> dict[str, Any]:
    return {"field": field, "exists": "false"}


@pytest.mark.parametrize(
    ("assignment", "definition", "tags"),
    [
        (assigned(tag="BusinessUnit"), defined(absent(BY_PARAMETER)), ["businessunit"]),
        (assigned(), defined({"allOf": [{"field": "type"}, absent("tags['BusinessUnit']")]}), ["businessunit"]),
        (assigned(), defined({"anyOf": [absent("tags.a"), absent("tags[b]")]}, "[parameters('effect')]"), ["a", "b"]),
        (assigned(), defined(absent("tags['SITE']")), []),  # given in the settings
        (assigned(), defined(absent("tags['costCenter']")), []),  # computed
        (assigned(), defined(absent("tags['x']"), "audit"), []),
        (assigned(mode="DoNotEnforce"), defined(absent("tags['x']")), []),
        (assigned(), defined({"not": absent("tags['x']")}), []),
        (assigned(), defined({"field": "tags['x']", "exists": "true"}), []),
        (assigned("/providers/Microsoft.Authorization/policySetDefinitions/s"), defined({}), []),
    ],
)
def test_what_is_demanded_and_not_given(assignment: Any, definition: Any, tags: list[str]) -> None:
    lines = list(missing_tags(DEV, Azure(assignment, definition)))
    assert [line.split("without the tag '")[1].split("'")[0] for line in lines] == tags
    assert all("assignment 'a1'" in line for line in lines)


def test_who_may_not_read_policies_is_told_so() -> None:
    with pytest.raises(AzureRefusedError):
        list(missing_tags(DEV, Azure()))
