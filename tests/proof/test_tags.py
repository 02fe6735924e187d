"""Every resource that takes tags has the five of the department, whatever setting made it."""

import json

from sandbox.providers.resources import describe
from tests.program.harness import run_program
from tests.proof.stacks import WIDE

KEYS = {"department", "team", "environment", "owner", "costCenter"}
ONLY_WHERE_SHARED = {"department", "environment", "owner", "costCenter"}
"""What belongs to no one team has the others."""


def test_all_that_takes_tags_has_them() -> None:
    run = run_program(json.loads(json.dumps(WIDE, default=str)), stack="wide")
    without, tagged = set(), set()
    for resource in run.resources:
        described = describe(resource.type)
        if described is None or "tags" not in described.body.parts:
            continue
        found = {key: value for key, value in (resource.inputs.get("tags") or {}).items() if value}
        if found.keys() not in (KEYS, ONLY_WHERE_SHARED):
            without.add(f"{resource.type} {resource.name}")
        tagged.add(resource.type)
    assert without == set()
    assert len(tagged) >= 9
