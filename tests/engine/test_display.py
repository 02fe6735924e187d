"""What the user reads: lines, tree, --diff and --json, colours off."""

import io
import json
import re
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.engine.context import Options
from sandbox.engine.show import choose, display, tree
from sandbox.engine.state.resources import Resource
from sandbox.engine.steps import CreateStep
from sandbox.engine.workspace import Workspace
from tests.engine.stage import TRACES, Run, Stage, load

PROGRAM = f"""
import sys
sys.path.insert(0, {str(TRACES)!r})
import os, pulumi
from pulumi_trace import Component, ResourceOptions, Thing

v = int(os.environ["V"])
team = Component("team")
under = ResourceOptions(parent=team)
key = pulumi.Output.secret(f"x{{v}}")
a = Thing("a", under, size=v, r_zone=v // 2, tags={{"k": v, "same": 1}}, s_key=key)
Thing("b", under, of=a.serial, list=[1, 2, v])
if v == 1:
    Thing("gone")
if v == 3:
    Thing("bad", fail="create")
team.register_outputs({{}})
pulumi.export("serial", a.serial)
pulumi.export("secret", a.s_key)
pulumi.export("size", v)
if v == 2:
    pulumi.export("new", {{"list": [1]}})
"""


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    stage = Stage(tmp_path, load(TRACES / "provider.py", "provider").Provider)
    stage.configure("dev")
    stage.program(PROGRAM)
    return stage


def run(stage: Stage, v: int, *words: str) -> Run:
    return stage.pulumi(*words, "-s", "dev", "--parallel=1", env={"V": str(v), "NO_COLOR": "1"})


def timeless(text: str) -> str:
    """The text without durations, URNs' ids and trailing blanks."""
    text = re.sub(r"\(\d+\.\d+s\)|\(\d+s\)", "(T)", text)
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "<id>", text)
    return (
        "\n".join(line.rstrip() for line in re.sub(r"Duration: \d+s", "Duration: T", text).splitlines()).strip() + "\n"
    )


def test_lines_of_a_first_update(stage: Stage) -> None:
    head, rows, rest = re.split(r"(?s)(?<=:\n\n)(.*)(?=Outputs:)", timeless(run(stage, 1, "up", "--yes", "-f").out))
    assert head == "Updating (dev):\n\n"
    assert sorted(rows.splitlines()) == [  # what does not depend on one another comes in any order
        " +  pulumi:pulumi:Stack traces-dev created (T)",
        " +  pulumi:pulumi:Stack traces-dev creating (T)",
        " +  trace:index:Thing a created (T)",
        " +  trace:index:Thing a creating (T)",
        " +  trace:index:Thing b created (T)",
        " +  trace:index:Thing b creating (T)",
        " +  trace:index:Thing gone created (T)",
        " +  trace:index:Thing gone creating (T)",
        " +  traces:index:Component team creating (T)",
    ]
    assert rows.index("a created") < rows.index("b creating")
    assert (
        rest
        == """Outputs:
    secret: [secret]
    serial: "serial-a-1"
    size  : 1

Resources:
    + 5 created

Duration: T
"""
    )


def test_lines_of_a_preview_with_a_replacement(stage: Stage) -> None:
    run(stage, 1, "up", "--yes", "-f")
    assert (
        timeless(run(stage, 2, "preview").out)
        == """Previewing update (dev):

    pulumi:pulumi:Stack traces-dev
 ++ trace:index:Thing a create replacement [diff: ~r_zone,s_key,size,tags; replaces for r_zone]
 +- trace:index:Thing a replace [diff: ~r_zone,s_key,size,tags; replaces for r_zone]
 ~  trace:index:Thing b update [diff: ~list,of]
 -  trace:index:Thing gone delete
 -- trace:index:Thing a delete original [diff: ~r_zone,s_key,size,tags; replaces for r_zone]
Outputs:
  + new   : {
        list: [
            [0]: 1
        ]
    }
  ~ secret: [secret] => [secret]
  ~ serial: "serial-a-1" => [unknown]
  ~ size  : 1 => 2

Resources:
    ~ 1 to update
    - 1 to delete
    +-1 to replace
    3 changes. 2 unchanged
"""
    )


def test_lines_of_a_failure(stage: Stage) -> None:
    run(stage, 2, "up", "--yes", "-f")
    done = run(stage, 3, "up", "--yes", "-f", "--continue-on-error")
    assert done.code == 1
    assert " +  trace:index:Thing bad **creating failed**\n" in done.out
    assert "Diagnostics:\n  trace:index:Thing (bad):\n    error: create failed as asked\n" in done.out
    assert "  pulumi:pulumi:Stack (traces-dev):\n    error: update failed\n" in done.out
    assert "    2 errored\n" in done.out, "the stack counts, too"


def test_nothing_to_do(stage: Stage) -> None:
    run(stage, 1, "up", "--yes", "-f")
    text = timeless(run(stage, 1, "up", "--yes", "-f").out)
    assert "Resources:\n    5 unchanged\n" in text
    assert "Thing" not in text
    assert " same" not in text
    assert text.count("trace:index:Thing") < run(stage, 1, "preview", "--show-sames").out.count("trace:index:Thing")


def test_refresh_and_destroy(stage: Stage) -> None:
    run(stage, 1, "up", "--yes", "-f")
    (stage.work / "files/world.json").write_text('{"gone-1": null, "a-1": {"size": 7, "r_zone": 0}}')
    text = run(stage, 1, "refresh", "--yes").out
    assert "Previewing refresh (dev):" in text
    assert " -  trace:index:Thing gone delete\n" in text
    assert "    ~ 1 updated\n    - 1 deleted\n    2 changes. 3 unchanged\n" in text
    text = timeless(run(stage, 1, "destroy", "--yes").out)
    assert "Previewing destroy (dev):" in text
    assert "    - 4 deleted\n" in text
    assert text.endswith("If you want to remove the stack completely, run `pulumi stack rm dev`.\n")


def test_diff_shows_every_property_that_changes(stage: Stage) -> None:
    run(stage, 1, "up", "--yes", "-f")
    text = timeless(run(stage, 2, "preview", "--diff").out)
    assert (
        """        ++trace:index:Thing: (create-replacement)
            [id=a-1]
            [urn=urn:pulumi:dev::traces::traces:index:Component$trace:index:Thing::a]
            [provider=urn:pulumi:dev::traces::pulumi:providers:trace::default_1_0_0::<id>]
            [replaced for r_zone]
          ~ r_zone: 0 => 1
          ~ s_key: [secret] => [secret]
          ~ size: 1 => 2
          ~ tags: {
              ~ k: 1 => 2
            }
"""
        in text
    )
    assert (
        """          ~ list: [
              ~ [2]: 1 => 2
            ]
          ~ of: "serial-a-1" => [unknown]
"""
        in text
    )
    assert "    - trace:index:Thing: (delete)\n        [id=gone-1]\n" in text
    assert "x1" not in text


def test_preview_json_is_pulumis_digest(stage: Stage) -> None:
    run(stage, 1, "up", "--yes", "-f")
    digest = json.loads(run(stage, 2, "preview", "--json").out)
    assert digest["changeSummary"] == {"delete": 1, "replace": 1, "same": 2, "update": 1}
    steps = {(s["op"], s["urn"].split("::")[-1]): s for s in digest["steps"]}
    pairs = {("same", "traces-dev"), ("replace", "a"), ("create-replacement", "a"), ("update", "b"), ("delete", "gone")}
    assert set(steps) == pairs
    replaced = steps["create-replacement", "a"]
    assert replaced["replaceReasons"] == ["r_zone"]
    assert replaced["diffReasons"] == ["r_zone", "s_key", "size", "tags"]
    assert replaced["detailedDiff"]["r_zone"] == {"kind": "update-replace", "inputDiff": True}
    assert replaced["oldState"]["inputs"]["s_key"] == "[secret]"
    assert replaced["newState"]["inputs"]["size"] == 2
    assert digest["duration"] > 0


def test_up_json_streams_pulumis_events(stage: Stage) -> None:
    done = run(stage, 1, "up", "--yes", "-f", "--json")
    events = [json.loads(line) for line in done.out.splitlines()]
    assert [e["sequence"] for e in events] == list(range(1, len(events) + 1))
    kinds = [next(k for k in e if k not in ("sequence", "timestamp")) for e in events]
    assert kinds[0] == "preludeEvent"
    assert kinds[-1] == "summaryEvent"
    assert events[-1]["summaryEvent"]["resourceChanges"] == {"create": 5}
    assert kinds.count("resourcePreEvent") == 6
    failed = run(stage, 3, "up", "--yes", "-f", "--json")
    assert any("resOpFailedEvent" in json.loads(line) for line in failed.out.splitlines())


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    screen = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("LINES", "20")
    for module in (choose, display):
        monkeypatch.setattr(module, "sys", type("Sys", (), {"stdout": screen, "stderr": screen}))
    yield screen


def test_a_tree_on_a_terminal(stage: Stage, terminal: Terminal) -> None:
    run(stage, 1, "up", "--yes", "-f")
    terminal.truncate(0)
    run(stage, 2, "up", "--yes", "-f")
    text = timeless(re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", terminal.getvalue()))
    last = text[text.rindex("Type") :].split("Outputs:")[0].strip()
    tree = [re.sub(r"  +", "  ", line) for line in last.splitlines()]
    replaced = "[diff: ~r_zone,s_key,size,tags; replaces for r_zone]"
    assert tree[:2] == ["Type  Name  Status  Info", "  pulumi:pulumi:Stack  traces-dev"]
    assert sorted(re.sub("[├└│─]", "", line).replace(" ", "") for line in tree[2:]) == sorted(
        line.replace(" ", "")
        for line in (
            "traces:index:Component team",
            f"+- trace:index:Thing a replaced (T) {replaced}",
            "~ trace:index:Thing b updated (T) [diff: ~list,of]",
            "- trace:index:Thing gone deleted (T)",
        )
    )


def test_five_hundred_resources_fit_the_screen(tmp_path: Path, terminal: Terminal) -> None:
    stage = Stage(tmp_path, load(TRACES / "provider.py", "provider").Provider)
    stage.configure("dev")
    stage.program(PROGRAM + "for n in range(500): Thing(f'many{n}')\n")
    args = stage.pulumi("up", "-s", "dev", "--yes", "-f", env={"V": "2", "NO_COLOR": "1"})
    assert args.code == 0
    frames = terminal.getvalue().split("rows in all")
    assert len(frames) > 1, "while it ran, the rows were cut"
    shown = [frame.count("many") for frame in frames[1:-1]]
    assert all(count <= 20 for count in shown), shown
    assert terminal.getvalue().count("many499") >= 1, "the end lists all that changed"


@given(
    parents=st.lists(st.integers(-1, 40), max_size=40),
    states=st.lists(st.sampled_from(["busy", "done", "failed", "component"]), min_size=40, max_size=40),
    room=st.integers(1, 45),
)
def test_what_is_shown_of_a_large_tree_is_a_tree(parents: list[int], states: list[str], room: int) -> None:
    rows = {}
    for number, (parent, state) in enumerate(zip(parents, states, strict=False)):
        urn = f"urn:pulumi:dev::p::t:i:T::{number}"
        above = f"urn:pulumi:dev::p::t:i:T::{parent}" if -1 < parent < number else ""
        step = CreateStep(Resource(urn, "t:i:T", custom=state != "component", parent=above))
        rows[urn] = display.Row(step, "create", 1.0, ended=2.0 * (state == "done"), failed=state == "failed")
    args = Namespace(kind="up", show_sames=False, suppress_outputs=False, color="never")
    project = Workspace.__new__(Workspace)
    project.stack, project.packs = cast("Any", Namespace(name="dev", project="p")), ()
    live = tree.Tree(args, project, Options())
    kept = live._fitting(rows, set(rows), room)
    assert len(kept) <= room
    assert all(rows[urn].step.res.parent in {"", *kept} for urn in kept), "no row hangs in the air"
    assert len(kept) == len(rows) or room < len(rows)
    shown = [row for _, row in live._tree(rows, kept)]
    assert sorted(row.step.urn for row in shown) == sorted(kept)
    tops = [urn for urn in rows if rows[urn].failed and not rows[urn].step.res.parent]
    assert len(kept.intersection(tops)) == min(len(tops), room) or any(rows[urn].failed for urn in kept - set(tops))


def test_options_alone_that_change_are_shown(stage: Stage) -> None:
    protected = "Thing('a', ResourceOptions(protect={}))\n"
    head = PROGRAM.split("v = int", maxsplit=1)[0]
    stage.program(head + protected.format(False))
    assert run(stage, 1, "up", "--yes", "-f").code == 0
    stage.program(head + protected.format(True))
    assert "    trace:index:Thing a  [diff: ~protect]\n" in run(stage, 1, "preview").out


def test_a_preview_shows_outputs_that_change_alone(stage: Stage) -> None:
    run(stage, 1, "up", "--yes", "-f")
    assert "Outputs:" not in run(stage, 1, "preview").out
    stage.program("raise ValueError('no')\n")
    assert "Outputs:" not in run(stage, 1, "preview").out


def test_outputs_are_aligned_and_long_texts_cut(stage: Stage) -> None:
    stage.program(
        "import pulumi\npulumi.export('a', None)\npulumi.export('long', {'x': 'y' * 160, 'zz': 'b\\n' * 9})\n"
    )
    shown = run(stage, 1, "up", "--yes", "-f").out
    assert '    long: {\n        x : "' + "y" * 150 + '..."\n' in shown
    assert 'zz: "b\\nb\\nb\\n..."' in shown


def test_messages_of_a_digest_are_as_the_real_ones(stage: Stage) -> None:
    stage.program("import pulumi\npulumi.log.warn('look')\n")
    digest = json.loads(run(stage, 1, "preview", "--json").out)
    assert digest["diagnostics"] == [{"message": "warning: look\n", "severity": "warning"}]
    assert all("outputs" not in step.get("newState", {}) for step in digest["steps"])
