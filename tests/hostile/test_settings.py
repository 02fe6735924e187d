"""Stack files by the thousand: right, mutated, hostile. Each gives a graph, or is refused by key, soon and in words."""

import contextlib
import copy
import io
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract import StackOutputs
from department.__main__ import main
from tests.conftest import Sandbox
from tests.hostile.departments import ALWAYS, KNOWN, NOT_DRAWN, SCHEMA, departments
from tests.program.harness import ROOT, run_program, stack_file
from tests.program.stack import Stack

KEY = "azureml-platform:department"
SECONDS = 1.0  # of the processor, to check any file but those made as large as is allowed
MEMORY = 200_000_000  # bytes by which thousands of checks may make the process grow
HOSTILE = ["../../etc", "'; DROP TABLE x;--", "$(reboot)", "a\x00b", "\u202eevil", "𝔘𝔫𝔦", "=cmd|' /C calc'!A0", "${x}"]
HOSTILE += ["A" * 10_000, "\x1b[2J", "a\nb: c", "<<", "__proto__", "user@domain.com\u200b"]

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


DEV: Any = stack_file("dev")
WRITTEN = [DEV, *(yaml.safe_load(file.read_bytes()) for file in sorted((ROOT / "tests/proof/stacks").glob("*.yaml")))]


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """A right department with some places replaced, removed, doubled or renamed."""
    department = copy.deepcopy(draw(departments()) if draw(st.integers(0, 3)) == 0 else draw(st.sampled_from(WRITTEN)))
    for path in draw(st.lists(st.sampled_from(paths(department)[1:]), min_size=1, max_size=3)):
        place: Any = department
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


class _Quoting(yaml.SafeDumper):
    """Quotes texts such as 0348 and 1e5, which Go's YAML reads as numbers and Python's does not."""

    def represent_str(self, data: str) -> yaml.ScalarNode:
        """A text, quoted where it could be a number."""
        return self.represent_scalar(
            "tag:yaml.org,2002:str", data, style='"' if data[:1] in set("0123456789+-.") else None
        )


_Quoting.add_representer(str, _Quoting.represent_str)


def written(department: Any) -> bytes:
    """A stack file with this department."""
    return yaml.dump({"config": {KEY: department}}, Dumper=_Quoting, allow_unicode=True).encode()


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """The committed file with something put into a line."""
    lines = (ROOT / "Pulumi.dev.yaml").read_text().splitlines()
    at, column = draw(st.integers(0, len(lines) - 1)), draw(st.integers(0, 60))
    damage = draw(st.text(alphabet="{}[]:&*!|>-#%@`'\"\t \n\x00é", max_size=8))
    lines[at] = lines[at][:column] + damage + lines[at][column:]
    return "\n".join(lines).encode()


@st.composite
def tangled(draw: st.DrawFn) -> bytes:
    """YAML of anchors, aliases, merges, tags and nesting, right and wrong, in a department's place."""
    token = st.sampled_from(
        ["&a ", "&b ", "*a", "*b", "<<: ", "[", "]", "{", "}", ", ", ": ", "? ", "- ", "!!set ", "!!python/name:os.x ",
         "!!int ", "!!float ", "!x ", "!!merge ", "x", "k", "'", '"', "|", "\n", "\n  ", "0x1f", "1_0", "1:30", "~",
         "[*a,*a,*a]", "{<<: *a}", "&a [x,x]", '"\\ud800"', '"\\e[2J"', "---\n", "...\n", "%YAML 1.1\n"]
    )  # fmt: skip
    return f"config:\n  {KEY}: {''.join(draw(st.lists(token, max_size=40)))}".encode()


FILES = {
    "right": (departments().map(written), 2000),
    "mutated": (mutated().map(written), 4000),
    "anything in the department's place": (values.map(written), 1500),
    "anything": (st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)), 1000),
    "damaged": (damaged(), 1000),
    "tangled": (tangled(), 500),
}
"""What a stack file can be, and how many of the 10,000 are of it."""


def check(content: bytes) -> tuple[int, list[dict[str, Any]], float]:
    """`python -m department check --json` of this content: exit code, result, seconds of the processor."""
    output = io.StringIO()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "Pulumi.dev.yaml"
        file.write_bytes(content)
        began = time.process_time()
        with contextlib.redirect_stdout(output):
            code = main(["check", "--json", str(file)])
        taken = time.process_time() - began
    return code, json.loads(output.getvalue()), taken


def holds(content: bytes, seconds: float = SECONDS) -> int:
    """Checks what every file must give; returns the exit code."""
    code, [result], taken = check(content)
    if taken >= seconds:  # the whole process's garbage may have been collected meanwhile: a slow file is slow again
        taken = check(content)[2]
    assert taken < seconds
    assert code in (0, 1)
    assert bool(result["problems"]) is (code == 1)
    for problem in result["problems"]:
        assert problem["key"].startswith(KEY)
        assert 0 < len(problem["message"]) < 2000
        assert "Traceback" not in problem["message"]
        assert (problem["key"] + problem["message"]).isprintable()
    return code


def relaxed(examples: int, *, new: bool) -> settings:
    """Drawn anew each time, or always the same."""
    checks = list(HealthCheck)
    return settings(
        deadline=None, suppress_health_check=checks, max_examples=examples, derandomize=not new, database=None
    )


def sweep(kind: str, share: float, *, new: bool) -> None:
    """Some of the 10,000."""
    strategy, examples = FILES[kind]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    @relaxed(int(examples * share), new=new)
    @given(strategy)
    def each(content: bytes) -> None:
        code = holds(content)
        assert code == 0 or kind != "right"

    each()
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < MEMORY


@pytest.mark.parametrize("kind", FILES)
def test_each_stack_file_is_right_or_refused_by_key(kind: str) -> None:
    sweep(kind, 0.08, new=False)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", FILES)
def test_ten_thousand_stack_files(kind: str) -> None:
    sweep(kind, 1, new=True)


def test_what_is_known_of_settings_is_of_settings_that_there_are() -> None:
    sections = {"Department": SCHEMA, **SCHEMA["$defs"]}
    places = {f"{name}.{key}" for name, section in sections.items() for key in section.get("properties", ())}
    assert {*ALWAYS, *KNOWN, *NOT_DRAWN} <= places


# ---- through the program


def refused(department: Any) -> list[str]:
    """The keys that `check` refuses."""
    _, [result], _ = check(written(department))
    return [problem["key"] for problem in result["problems"]]


def gives_a_graph(department: Any, *, preview: bool) -> None:
    """The program builds what `check` accepts, and refuses what it refuses, by the same key."""
    keys = refused(department)
    try:
        run = run_program(department, preview=preview)
    except pulumi.RunError as error:
        assert keys, str(error)
        assert all(f"Pulumi.dev.yaml: {key}: " in str(error) for key in keys)
        return
    assert keys == []
    urns = [one.urn for one in run.resources]
    assert len(set(urns)) == len(urns)
    known = {*urns, "urn:pulumi:dev::azureml-platform::pulumi:pulumi:Stack::azureml-platform-dev"}
    for one in run.resources:
        assert one.dependencies <= known
        assert one.parent in known
    if not preview:
        ids = [one.id.lower() for one in run.resources if one.type.startswith("azure-native:")]
        assert len(set(ids)) == len(ids), "two resources are one in Azure"
        StackOutputs.model_validate(run.outputs, strict=False)


def graphs(examples: int, *, new: bool) -> None:
    """The program's graphs of right and mutated departments."""

    @relaxed(examples, new=new)
    @given(st.one_of(departments(), mutated().map(lambda one: yaml.safe_load(yaml.safe_dump(one)))), st.booleans())
    def each(department: Any, preview: bool) -> None:
        gives_a_graph(json.loads(json.dumps(department, default=str)), preview=preview)

    each()


def test_what_is_accepted_gives_a_graph() -> None:
    graphs(12, new=False)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_what_is_accepted_gives_a_graph_hundreds_of_times() -> None:
    graphs(400, new=True)


# ---- found, and made to hurt

BOMB = "".join(
    f"{new}: &{new} [{','.join(['*' + old] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + BOMB
HURTING = {
    "bomb": BOMB,
    "cycle": "config: &c\n  again: *c\n",
    "deep list": "[" * 5_000,
    "deep mapping": "{a: " * 5_000,
    "deep blocks": "".join(" " * n + "a:\n" for n in range(1_000)),
    "many keys": "config:\n" + "".join(f"  k{n}: v\n" for n in range(20_000)),
    "many directives": "".join(f"%TAG !e{n}! tag:x\n" for n in range(40_000)) + "--- a",
    "too large": "a" * 1_000_001,
    "python tag": f"config: {{'{KEY}': !!python/object/apply:os.system ['true']}}",
    "binary": f"config: {{'{KEY}': {{code: !!binary aGVsbG8=}}}}",
    "broken binary": f"config: {{'{KEY}': {{code: !!binary '%%%%'}}}}",
    "timestamp": f"config: {{'{KEY}': {{code: !!timestamp 2026-01-01}}}}",
    "broken timestamp": f"config: {{'{KEY}': {{code: !!timestamp x}}}}",
    "set": f"config: {{'{KEY}': !!set {{a, b}}}}",
    "complex key": f"config: {{'{KEY}': {{? [a, b] : c}}}}",
    "key behind an anchor": f"config: {{'{KEY}': {{a: &k x, *k : c}}}}",
    "long number": f"config: {{'{KEY}': {{code: {'9' * 5000}}}}}",
    "no number": f"config: {{'{KEY}': {{code: !!int }}}}",
    "no truth": f"config: {{'{KEY}': {{code: !!bool x}}}}",
    "infinity": f"config: {{'{KEY}': {{code: .inf}}}}",
    "half a character": f"config: {{'{KEY}': {{code: \"\\ud800\"}}}}",
    "terminal": f"config: {{'{KEY}': {{\"\\e[2J\": 1}}}}",
    "terminal, twice": '{"\\e[2J": 1, "\\e[2J": 2}',
    "byte order mark": "\ufeffconfig: {}",
    "two documents": "--- a\n--- b\n",
    "wrong merge": "config: {<<: [{a: 1}, 3]}",
}


@pytest.mark.parametrize("content", HURTING.values(), ids=HURTING)
def test_yaml_made_to_hurt(content: str) -> None:
    assert holds(content.encode()) == 1


SPEAKING: dict[str, dict[str, Any]] = {
    "sizes": {"allowedVmSizes": ["\x1b[2J"]},
    "subscription": {"subscriptionId": "\x1b[2J", "teams": [{"name": "t", "lake": {"accountId": "x"}}]},
}


@pytest.mark.parametrize("changes", SPEAKING.values(), ids=SPEAKING)
def test_a_message_tells_a_terminal_nothing(changes: dict[str, Any]) -> None:
    assert holds(written({**DEV, **changes})) == 1


def test_merged_mappings_are_read_as_yaml_means_them(tmp_path: Path) -> None:
    from settings.yamlfile import read_yaml  # noqa: PLC0415

    file = tmp_path / "x.yaml"
    text = "one: &one {a: 1, b: 1}\ntwo: &two {b: 2, c: 2}\nboth:\n  <<: [*one, *two]\n  a: 0\nquoted: {'<<': x}\n"
    file.write_text(text)
    expected = {**yaml.safe_load(text.replace("'<<'", "q")), "quoted": {"<<": "x"}}
    assert read_yaml(file).value == expected
    assert read_yaml(file).value["both"] == {"a": 0, "b": 1, "c": 2}


def entries(count: int, entry: Any) -> list[Any]:
    return [entry(n) for n in range(count)]


def huge() -> Iterator[tuple[str, Any, int]]:
    """Large departments, each against something that looks through all of it; and the exit code."""
    dev, team = DEV, DEV["teams"][0]
    size = {"vmSize": "STANDARD_DS3_V2", "maxNodes": 1}

    def of_teams(*teams: Any) -> Any:
        return {**dev, "teams": list(teams)}

    yield "unknown keys", {**dev, **{f"regio{n}": 1 for n in range(40_000)}}, 1
    yield "teams of nothing", of_teams(*entries(90_000, lambda _: {})), 1
    yield (
        "unlike sizes",
        of_teams({**team, "clusters": entries(12_000, lambda n: {"name": f"c{n}", "vmSize": f"S_{n}"})}),
        1,
    )
    stores = entries(12_000, lambda n: {"name": f"d{n}", "fileSystem": f"fx{n}"})
    lake = {"fileSystems": entries(12_000, lambda n: f"fs{n}"), "datastores": stores}
    yield "datastores of nothing", of_teams({**team, "lake": lake}), 1
    yield "one name", of_teams(*entries(30_000, lambda _: {"name": "t"})), 1
    yield (
        "ended",
        of_teams({**team, "leads": entries(15_000, lambda n: {"user": f"u{n}@a.b", "until": "2020-01-01"})}),
        1,
    )
    clusters = entries(8_000, lambda n: {"name": f"c{n}", **size})
    yield (
        "not allowed",
        {**of_teams({**team, "clusters": clusters}), "allowedVmSizes": entries(30_000, lambda n: f"S_{n}")},
        1,
    )
    yield "long key", {**dev, "r" * 100: 1, "k" * 900_000: 1}, 1
    yield "long user", {**dev, "admin": "a@" + "b." * 450_000 + "c"}, 1
    right = entries(2_500, lambda n: {"name": f"t{n}", "clusters": [{"name": f"c{n}a", **size}], "leads": ["a@b.com"]})
    yield "right", of_teams(*right), 0


CHILD = """
import json, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))  # the machine's memory is not ours to fill
from tests.hostile.test_settings import holds
for line in sys.stdin:
    name, content = json.loads(line)
    code = holds(content.encode(), seconds=20)
    print(json.dumps([name, code, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024]), flush=True)
"""


def test_the_largest_files_take_neither_time_nor_memory_without_end() -> None:
    files = [(name, "config:\n  '" + KEY + "': " + json.dumps(department), code) for name, department, code in huge()]
    assert all(250_000 < len(content) < 1_000_000 for _, content, _ in files)
    lines = "".join(json.dumps(file[:2]) + "\n" for file in [("small", "config: {}", 1), *files])
    command = [sys.executable, "-c", CHILD]
    done = subprocess.run(command, input=lines, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    (_, _, before), *found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(name, code) for name, code, _ in found] == [(name, code) for name, _, code in files]
    assert max(peak for _, _, peak in found) - before < MEMORY + 100_000_000


# ---- through the engine


def previews(stack: Stack, examples: int, *, new: bool) -> None:
    """A preview by the embedded engine of mutated departments."""

    @relaxed(examples, new=new)
    @given(mutated())
    def each(department: Any) -> None:
        done = stack.preview(department)
        assert "Traceback" not in done.text
        assert done.code in (0, 1), done.text
        keys = refused(department)
        if keys:
            assert done.code == 1
            assert KEY in done.text

    each()


def test_the_engine_refuses_as_the_check_does(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    previews(Stack(shared_sandbox, tmp_path), 4, new=False)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_the_engine_refuses_as_the_check_does_dozens_of_times(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    previews(Stack(shared_sandbox, tmp_path), 60, new=True)


@pytest.mark.parametrize(
    "name", ["bomb", "cycle", "deep list", "python tag", "broken timestamp", "no number", "no truth", "many directives"]
)
def test_the_engine_itself_refuses_what_is_made_to_hurt(shared_sandbox: Sandbox, tmp_path: Path, name: str) -> None:
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text(HURTING[name])
    began = time.process_time()
    code, text = Stack(shared_sandbox, tmp_path).run("preview", "--config-file", str(file))
    assert code == 1
    assert re.search(r"^error: .*Pulumi\.dev\.yaml", text, re.MULTILINE), text
    assert "Traceback" not in text
    assert len(text) < 2000
    assert time.process_time() - began < 5 * SECONDS
