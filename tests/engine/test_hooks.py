"""Resource hooks where this engine says or does more than the real one; the rest is compared in test_traces.py."""

import json
from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime import proto

from tests.engine.cloud import PROGRAM, Cloud
from tests.engine.stage import Stage

HOOKED = """
def asked(args):
    if {broken}:
        raise Exception("the hook broke")
    return False

Box("a", pulumi.ResourceOptions(hooks=pulumi.ResourceHookBinding(on_error=[pulumi.ErrorHook("asked", asked)])))
"""


class Broken(Cloud):
    """A cloud that refuses what a file in its parent folder names."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, self.refuse)

    def refuse(self, when: str, method: str) -> None:
        refused = self.folder.parent / "refused"
        if when == "before" and refused.exists() and refused.read_text() == method:
            raise RuntimeError("not now")


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    (tmp_path / "cloud").mkdir()
    made = Stage(tmp_path, lambda: Broken(tmp_path / "cloud"), package="cloud")
    made.program(PROGRAM)
    made.configure("dev")
    return made


def run(stage: Stage, command: str, *flags: str, broken: bool = False) -> tuple[int, str]:
    env = {"CLOUD_PROGRAM": HOOKED.format(broken=broken)}
    done = stage.pulumi(command, "-s", "dev", "--yes", "--skip-preview", *flags, env=env)
    return done.code, done.out + done.err


def test_a_failure_is_told_beside_what_is_wrong_with_its_hook(stage: Stage) -> None:
    (stage.work / "refused").write_text("Create")
    code, text = run(stage, "up", broken=True)
    assert code == 1
    assert "RuntimeError: not now" in text
    assert 'error hooks execution failed: error hook "asked" failed: the hook broke' in text


def test_a_destroy_without_the_program_tells_both_and_one_with_it_asks(stage: Stage) -> None:
    assert run(stage, "up")[0] == 0
    (stage.work / "refused").write_text("Delete")
    code, text = run(stage, "destroy")
    assert code == 1
    assert "RuntimeError: not now" in text
    assert 'error hook "asked" was not registered' in text
    code, text = run(stage, "destroy", "--run-program")
    assert code == 1
    assert "RuntimeError: not now" in text
    assert "error hook" not in text
    (stage.work / "refused").unlink()
    assert run(stage, "destroy", "--run-program")[0] == 0
    assert stage.export().get("resources", []) == []


def test_a_state_with_hooks_is_of_version_4_and_goes_both_ways(stage: Stage) -> None:
    assert run(stage, "up")[0] == 0
    file = stage.work / "state/.pulumi/stacks/traces/dev.json"
    assert {k: json.loads(file.read_text())[k] for k in ("version", "features")} == {
        "version": 4,
        "features": ["hooks"],
    }
    exported = json.loads(stage.pulumi("stack", "export", "-s", "dev").out)
    assert (exported["version"], exported["features"]) == (4, ["hooks"])
    assert [r["resourceHooks"] for r in exported["deployment"]["resources"] if "Box" in r["type"]] == [
        {"OnError": ["asked"]}
    ]
    given = stage.work / "given.json"
    given.write_text(json.dumps(exported))
    assert stage.pulumi("stack", "import", "-s", "dev", "--file", str(given)).code == 0
    again = stage.pulumi("stack", "export", "-s", "dev")
    assert json.loads(again.out)["deployment"]["resources"] == exported["deployment"]["resources"]
    given.write_text(json.dumps({**exported, "features": ["hooks", "views"]}))
    refused = stage.pulumi("stack", "import", "-s", "dev", "--file", str(given))
    assert refused.code == 1
    assert f"{given} uses views, which the embedded engine does not support" in refused.err
    assert run(stage, "destroy")[0] == 0
    assert json.loads(file.read_text())["version"] == 3


ASKING = """
async def ask(args):
    await pulumi.runtime.invoke_async("cloud:index:state", {}, pulumi.InvokeOptions(version="1.0.0"))
    return True

hooks = pulumi.ResourceHookBinding(on_error=[pulumi.ErrorHook("ask", ask)])
for n in range(40):
    Box(f"b{n}", pulumi.ResourceOptions(hooks=hooks))
"""


def test_hooks_of_many_resources_can_ask_the_provider_at_once(stage: Stage) -> None:
    """Every create fails once, so that all that carry out registrations wait for hooks."""
    refused: set[str] = set()

    class Once(Cloud):
        def Create(self, request: Any, context: Any) -> Any:
            if not request.preview and request.urn not in refused:
                refused.add(request.urn)
                raise RuntimeError("not now")
            return super().Create(request, context)

        def Invoke(self, request: Any, context: Any) -> Any:
            return proto.InvokeResponse()

    stage.provider = lambda: Once(stage.work / "cloud")
    flags = ("-s", "dev", "--yes", "-f", "--parallel", "2")
    done = stage.pulumi("up", *flags, env={"CLOUD_PROGRAM": ASKING})
    assert done.code == 0, done.out
    assert len(refused) == 40
    assert len(list((stage.work / "cloud").iterdir())) == 40
