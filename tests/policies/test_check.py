"""`python -m policies check`: a stack judged from a file, without an engine."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.policies.analyzer import ROOT
from tests.policies.documents import FORMS, resource

COMPUTE = "azure-native:machinelearningservices:Compute"
RULE = "machinelearning-compute-enforce-min-nodes-zero"
Form = Callable[[Sequence[Mapping[str, Any]]], str]


def cluster(name: str = "cpu", nodes: Any = 0, **more: Any) -> dict[str, Any]:
    scale = {"minNodeCount": nodes, "maxNodeCount": 2, "nodeIdleTimeBeforeScaleDown": "PT120S"}
    properties = {"vmSize": "STANDARD_DS3_V2", "scaleSettings": scale}
    inputs = {"properties": {"computeType": "AmlCompute", "disableLocalAuth": True, "properties": properties}}
    return resource(COMPUTE, name, inputs, **more)


def check(*words: str, file: Path | None = None, given: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "policies", "check", str(file or "-"), *words]
    return subprocess.run(command, input=given, capture_output=True, text=True, cwd=ROOT, check=False, timeout=60)


def found(*words: str, given: str) -> list[tuple[str, str, str]]:
    """(rule, kind, level) of all findings, and that the exit code fits them."""
    ran = check("--json", *words, given=given)
    report = json.loads(ran.stdout)
    assert ran.returncode == report["blocks"], ran.stderr
    return [(one["rule"], one["kind"], one["level"]) for one in report["findings"]]


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize(
    ("nodes", "told"),
    [
        (0, []),
        (2, [(RULE, "violation", "mandatory")]),
        ("[secret]", [(RULE, "undecided", "advisory")]),
        ("[unknown]", [(RULE, "undecided", "advisory")]),
        ("output<string>", [(RULE, "undecided", "advisory")]),
        ("04da6b54-80e4-46f7-96ec-b56ff0331ba9", [(RULE, "undecided", "advisory")]),
        ({"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x:y"},
         [(RULE, "undecided", "advisory")]),
        ({"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "plaintext": "2"},
         [(RULE, "violation", "mandatory")]),
        ({"4dabf18193072939515e22adb298388d": "d0e6a833031e9bbcd3f4e8bde6ca49a4"}, [(RULE, "undecided", "advisory")]),
    ],
)  # fmt: skip
def test_state_preview_and_event_log_are_judged_alike(form: Form, nodes: Any, told: list[tuple[str, str, str]]) -> None:
    assert found(given=form([cluster(nodes=nodes)])) == told
