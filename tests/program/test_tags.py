"""Tags of an organization: one that a policy demands, and one that somebody else puts on."""

from pathlib import Path
from typing import Any

from tests.azure.client import Client
from tests.conftest import Sandbox
from tests.program.harness import stack_file
from tests.program.stack import Stack

POLICY: dict[str, Any] = {
    "mode": "All",
    "policyRule": {
        "if": {
            "allOf": [
                {"field": "type", "equals": "Microsoft.Resources/subscriptions/resourceGroups"},
                {"field": "tags['BusinessUnit']", "exists": "false"},
            ]
        },
        "then": {"effect": "deny"},
    },
}


def test_a_demanded_tag_is_told_given_and_a_foreign_one_stays(signed_in: Sandbox, tmp_path: Path) -> None:
    azure, stack, department = Client(signed_in), Stack(signed_in, tmp_path), stack_file("dev")
    definition = azure.arm("PUT", "providers/Microsoft.Authorization/policyDefinitions/unit", {"properties": POLICY})
    assert definition.status_code == 201, definition.text
    body = {"properties": {"policyDefinitionId": definition.json()["id"]}}
    made = azure.arm("PUT", "providers/Microsoft.Authorization/policyAssignments/unit", body)
    assert made.status_code == 201, made.text
    told = stack.preview(department)
    assert told.code == 0, told.text
    assert "The policy assignment 'unit' refuses resources without the tag 'businessunit'" in told.text

    department |= {"tags": {"BusinessUnit": "sales"}, "ignoreTags": ["CreatedBy"]}
    assert "policy assignment" not in stack.preview(department).text
    up = stack.up(department)
    assert up.code == 0, up.text

    group = "resourceGroups/bgmr-bluegranit-eastus2-dev"
    assert azure.arm("PATCH", group, {"tags": tags_of(azure, group) | {"CreatedBy": "portal"}}).status_code == 200
    assert stack.refresh(department).code == 0
    assert stack.preview(department).steps == frozenset()
    department["tags"]["BusinessUnit"] = "marketing"
    changed = stack.up(department)
    assert changed.code == 0, changed.text
    tags = tags_of(azure, group)
    assert (tags["BusinessUnit"], tags["CreatedBy"], tags["team"]) == ("marketing", "portal", "bluegranit")
    assert "CreatedBy" not in stack.outputs()["teams"]["bluegranit"]["tags"]


def tags_of(azure: Client, group: str) -> dict[str, str]:
    tags: dict[str, str] = azure.arm("GET", group).json()["tags"]
    return tags
