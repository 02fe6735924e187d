"""Every resource that takes tags has the five of the department and the further ones, whatever setting made it."""

import json

from sandbox.providers.resources import describe
from tests.program.harness import run_program
from tests.proof.stacks import WIDE

KEYS = {"department", "team", "environment", "owner", "costCenter", "BusinessUnit", "Cost Center"}
ONLY_WHERE_SHARED = KEYS - {"team"}
"""What belongs to no one team has the others."""


def test_all_that_takes_tags_has_them() -> None:
    department = json.loads(json.dumps(WIDE, default=str))
    department["tags"] = {"BusinessUnit": "sales", "Cost Center": "a DNS zone takes no name with a space"}
    run = run_program(department, stack="wide")
    without, tagged = set(), set()
    for resource in run.resources:
        described = describe(resource.type)
        if described is None or "tags" not in described.body.parts:
            continue
        found = {key: value for key, value in (resource.inputs.get("tags") or {}).items() if value}
        dns = {"Cost Center"} if resource.type.startswith("azure-native:privatedns:") else set()
        if found.keys() not in (KEYS - dns, ONLY_WHERE_SHARED - dns):
            without.add(f"{resource.type} {resource.name}")
        tagged.add(resource.type)
    assert without == set()
    assert len(tagged) >= 9
