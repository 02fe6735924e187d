"""Stack files by the thousand: valid, mutated, hostile. Each is valid or refused by key, soon, without a traceback."""

import contextlib
import copy
import io
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.settings.__main__ import main
from tests.program.harness import ROOT, stack_file

KEY = "azureml-platform:department"
SECONDS = 2.0  # of the processor, for any file of this size
HOSTILE = ["../../etc", "'; DROP TABLE x;--", "$(reboot)", "a\x00b", "\u202eevil", "𝔘𝔫𝔦", "=cmd|' /C calc'!A0", "${x}"]
HOSTILE.append("A" * 10_000)

leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.sampled_from(HOSTILE), st.dates()
)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=10), inner, max_size=4)),
    max_leaves=12,
)


def paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(path for key, one in inner for path in paths(one, (*at, key)))]


DEPARTMENT = stack_file("dev")
PLACES = [path for path in paths(DEPARTMENT) if path]


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """The committed department with some places replaced, removed, doubled or renamed."""
    department = copy.deepcopy(DEPARTMENT)
    for path in draw(st.lists(st.sampled_from(PLACES), min_size=1, max_size=3)):
        place = department
        try:
            for key in path[:-1]:
                place = place[key]
            old = place[path[-1]]
        except (KeyError, IndexError, TypeError):
            continue  # an earlier mutation took it away
        if not isinstance(place, dict | list):
            continue  # an earlier mutation put a text there
        how = draw(st.sampled_from(["replace", "remove", "wrap", "key", "double"]))
        if how == "replace":
            place[path[-1]] = draw(values)
        elif how == "remove":
            del place[path[-1]]
        elif how == "wrap":
            place[path[-1]] = draw(st.sampled_from([[old], {"x": old}, str(old)]))
        elif how == "key" and isinstance(place, dict):
            place[draw(st.one_of(st.text(max_size=12), st.sampled_from(HOSTILE), st.integers()))] = old
        elif isinstance(place, list):
            place.append(copy.deepcopy(old))
    return department


def check(content: bytes) -> tuple[int, list[dict[str, Any]]]:
    """`python -m components.settings check --json` of a file with this content: exit code and result."""
    output = io.StringIO()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "Pulumi.dev.yaml"
        file.write_bytes(content)
        began = time.process_time()
        with contextlib.redirect_stdout(output):
            code = main(["check", "--json", str(file)])
        assert time.process_time() - began < SECONDS
    return code, json.loads(output.getvalue())


def holds(content: bytes) -> int:
    """Checks what every file must give; returns the exit code."""
    code, [result] = check(content)
    assert code in (0, 1)
    assert bool(result["problems"]) is (code == 1)
    for problem in result["problems"]:
        assert problem["key"].startswith(KEY)
        assert 0 < len(problem["message"]) < 2000
        assert "Traceback" not in problem["message"]
    return code


RELAXED = settings(deadline=None, suppress_health_check=list(HealthCheck))


@settings(RELAXED, max_examples=400)
@given(mutated())
def test_a_mutated_department(department: Any) -> None:
    holds(yaml.safe_dump({"config": {KEY: department}}, allow_unicode=True).encode())


@settings(RELAXED, max_examples=200)
@given(values)
def test_anything_in_the_departments_place(value: Any) -> None:
    assert holds(yaml.safe_dump({"config": {KEY: value}}, allow_unicode=True).encode()) == 1


@settings(RELAXED, max_examples=200)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_anything_as_a_file(content: bytes) -> None:
    assert holds(content) == 1


@settings(RELAXED, max_examples=200)
@given(st.integers(0, 400), st.integers(0, 60), st.text(alphabet="{}[]:&*!|>-#%@`'\"\t \n\x00é", max_size=8))
def test_the_committed_file_damaged(line: int, column: int, damage: str) -> None:
    lines = (ROOT / "Pulumi.dev.yaml").read_text().splitlines()
    at = line % len(lines)
    lines[at] = lines[at][:column] + damage + lines[at][column:]
    holds("\n".join(lines).encode())


BOMB = "".join(
    f"{new}: &{new} [{','.join(['*' + old] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
HURTING = {
    "bomb": "a: &a [x,x,x,x,x,x,x,x,x]\n" + BOMB,
    "cycle": "config: &c\n  again: *c\n",
    "deep list": "[" * 5_000,
    "deep mapping": "{a: " * 5_000,
    "many keys": "config:\n" + "".join(f"  k{n}: v\n" for n in range(20_000)),
    "python tag": f"config: {{'{KEY}': !!python/object/apply:os.system ['true']}}",
    "binary": f"config: {{'{KEY}': {{code: !!binary aGVsbG8=}}}}",
    "broken binary": f"config: {{'{KEY}': {{code: !!binary '%%%%'}}}}",
    "timestamp": f"config: {{'{KEY}': {{code: !!timestamp 2026-01-01}}}}",
    "broken timestamp": f"config: {{'{KEY}': {{code: !!timestamp x}}}}",
    "set": f"config: {{'{KEY}': !!set {{a, b}}}}",
    "complex key": f"config: {{'{KEY}': {{? [a, b] : c}}}}",
    "long number": f"config: {{'{KEY}': {{code: {'9' * 5000}}}}}",
    "infinity": f"config: {{'{KEY}': {{code: .inf}}}}",
    "byte order mark": "\ufeffconfig: {}",
    "two documents": "--- a\n--- b\n",
    "wrong merge": "config: {<<: [{a: 1}, 3]}",
}


@pytest.mark.parametrize("content", HURTING.values(), ids=HURTING)
def test_yaml_made_to_hurt(content: str) -> None:
    assert holds(content.encode()) == 1
