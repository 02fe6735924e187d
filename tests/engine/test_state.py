"""The state: Pulumi's own checkpoint read and written alike, secrets, locks, and a real stack taken over."""

import json
import shutil
import socket
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.engine.errors import EngineError
from sandbox.engine.state.backend import Backend
from sandbox.engine.state.checkpoint import Codec
from sandbox.engine.state.secrets import Secrets
from sandbox.engine.values import SECRET, SIG
from tests.engine.stage import PASSPHRASE, SALT, TRACES, Stage, environment, load

REAL = TRACES / "real-state"
REAL_PASSPHRASE = {"PULUMI_CONFIG_PASSPHRASE": "correct horse battery staple"}


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path, load(TRACES / "provider.py", "provider").Provider)


# ---- round trips


def traced_deployments() -> list[tuple[str, dict[str, Any]]]:
    """Every checkpoint of every trace, secrets as the real state has them."""

    def stored(v: Any) -> Any:
        if isinstance(v, dict):
            return (
                {SIG: SECRET, "plaintext": json.dumps(stored(v["<secret>"]))}
                if set(v) == {"<secret>"}
                else {k: stored(x) for k, x in v.items()}
            )
        return [stored(x) for x in v] if isinstance(v, list) else v

    found = []
    for file in sorted(TRACES.parent.glob("*traces/traces/*.json")):
        for number, step in enumerate(json.loads(file.read_text())["steps"]):
            if step["checkpoint"] != "unchanged":
                found.append((f"{file.stem}[{number}]", stored(step["checkpoint"])))
    return found


def test_every_checkpoint_of_the_real_engine_round_trips() -> None:
    deployments = traced_deployments()
    assert len(deployments) > 100
    with environment({"PULUMI_CONFIG_PASSPHRASE": PASSPHRASE}):
        encrypted, shown = Codec(Secrets(SALT)), Codec(Secrets(SALT), show_secrets=True)
        for name, deployment in deployments:
            hidden = encrypted.dump_deployment(encrypted.load_deployment(deployment))
            assert '"plaintext"' not in json.dumps(hidden), name
            again = shown.dump_deployment(encrypted.load_deployment(hidden))
            for key in ("resources", "pending_operations"):
                assert [readable(x) for x in again.get(key, [])] == [readable(x) for x in deployment.get(key, [])], name


def readable(v: Any) -> Any:
    """Secrets compared by value: how their JSON is spaced does not count."""
    if isinstance(v, dict):
        return {k: json.loads(x) if k == "plaintext" else readable(x) for k, x in v.items()}
    return [readable(x) for x in v] if isinstance(v, list) else v


keys = st.text(string.ascii_letters, min_size=1)
values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(keys, inner, max_size=4)
        | inner.map(lambda v: {SIG: SECRET, "value": v})
    ),
    max_leaves=12,
)


@given(st.dictionaries(keys, values, max_size=4))
@settings(max_examples=200, deadline=None)
def test_any_value_survives_the_state(inputs: dict[str, Any]) -> None:
    with environment({"PULUMI_CONFIG_PASSPHRASE": PASSPHRASE}):
        codec = Codec(Secrets(SALT))
        resource = codec.load({"urn": "urn:pulumi:s::p::a:b:C::n", "custom": True, "type": "a:b:C"})
        resource.inputs = inputs
        stored = json.loads(json.dumps(codec.dump(resource)))
        assert codec.load(stored).inputs == inputs


def test_a_secret_that_does_not_change_keeps_its_ciphertext() -> None:
    with environment({"PULUMI_CONFIG_PASSPHRASE": PASSPHRASE}):
        codec = Codec(Secrets(SALT))
        stored = {"urn": "urn:pulumi:s::p::a:b:C::n", "custom": True, "type": "a:b:C"}
        resource = codec.load(stored)
        resource.inputs = {"a": {SIG: SECRET, "value": "s"}, "b": {SIG: SECRET, "value": "s"}}
        first = codec.dump(resource)
        fresh = Codec(Secrets(SALT))
        assert fresh.dump(fresh.load(first)) == first
        assert first["inputs"]["a"] != first["inputs"]["b"], "equal secrets must not show that they are equal"


# ---- a real stack


def real_project(stage: Stage) -> None:
    for name in ("Pulumi.yaml", "Pulumi.dev.yaml"):
        shutil.copy(REAL / name, stage.project / name)
    stage.program(f"import sys\nsys.path.insert(0, {str(TRACES)!r})\n" + (REAL / "__main__.py").read_text())


@pytest.mark.parametrize("way", ["import", "stack file"])
@pytest.mark.parametrize("salt", ["in Pulumi.dev.yaml", "in the state alone"])
def test_a_real_state_is_taken_over(stage: Stage, way: str, salt: str) -> None:
    real_project(stage)
    if salt == "in the state alone":
        (stage.project / "Pulumi.dev.yaml").write_text("config:\n  traces:password: hunter2 ü\n  traces:plain: x\n")
    if way == "import":
        done = stage.pulumi("stack", "import", "-s", "dev", "--file", str(REAL / "export.json"), env=REAL_PASSPHRASE)
        assert done.code == 0, done.err
    else:
        place = stage.work / "state/.pulumi/stacks/traces/dev.json"
        place.parent.mkdir(parents=True)
        shutil.copy(REAL / "stack-file.json", place)
    for flags, expected in (((), "outputs.json"), (("--show-secrets",), "outputs-shown.json")):
        done = stage.pulumi("stack", "output", "--json", "-s", "dev", *flags, env=REAL_PASSPHRASE)
        assert done.out == (REAL / expected).read_text(), done.err
    (stage.work / "files/counts.json").write_text("{}")
    secret = [] if salt == "in Pulumi.dev.yaml" else ["--expect-no-changes"]
    done = stage.pulumi("up", "-s", "dev", "--yes", "--skip-preview", *secret, env=REAL_PASSPHRASE)
    assert done.code == 0, done.out + done.err
    assert done.events[-1]["summaryEvent"]["resourceChanges"] == {"same": 4}


def test_what_is_exported_has_the_real_shape(stage: Stage) -> None:
    real_project(stage)
    stage.pulumi("stack", "import", "-s", "dev", "--file", str(REAL / "export.json"), env=REAL_PASSPHRASE)
    done = stage.pulumi("stack", "export", "-s", "dev", env=REAL_PASSPHRASE)
    ours, real = json.loads(done.out), json.loads((REAL / "export.json").read_text())
    assert shape(ours) == shape(real)
    assert ours["deployment"]["resources"] == real["deployment"]["resources"], "ciphertexts included"
    stored = json.loads((stage.work / "state/.pulumi/stacks/traces/dev.json").read_text())
    assert shape(stored) == shape(json.loads((REAL / "stack-file.json").read_text()))


def shape(v: Any) -> Any:
    """The keys and kinds of a value, in order."""
    if isinstance(v, dict):
        return [(k, shape(x)) for k, x in v.items()]
    return [shape(x) for x in v] if isinstance(v, list) else type(v).__name__


def test_a_wrong_passphrase_is_said(stage: Stage) -> None:
    real_project(stage)
    for words in (("stack", "import", "--file", str(REAL / "export.json")), ("preview",)):
        done = stage.pulumi(*words, "-s", "dev", env={"PULUMI_CONFIG_PASSPHRASE": "wrong"})
        assert (done.code, done.out) == (1, "")
        assert "incorrect passphrase: PULUMI_CONFIG_PASSPHRASE" in done.err
        assert "Traceback" not in done.err


def test_no_passphrase_is_said(stage: Stage, tmp_path: Path) -> None:
    real_project(stage)
    del stage.env["PULUMI_CONFIG_PASSPHRASE"]
    done = stage.pulumi("preview", "-s", "dev")
    assert done.code == 1
    assert "passphrase must be set with PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE" in done.err
    done = stage.pulumi("preview", "-s", "dev", env={"PULUMI_CONFIG_PASSPHRASE_FILE": str(tmp_path / "absent")})
    assert "unable to read PULUMI_CONFIG_PASSPHRASE_FILE" in done.err
    (tmp_path / "file").write_text(REAL_PASSPHRASE["PULUMI_CONFIG_PASSPHRASE"] + "\n")
    done = stage.pulumi("preview", "-s", "dev", env={"PULUMI_CONFIG_PASSPHRASE_FILE": str(tmp_path / "file")})
    assert done.code == 0


def test_no_secret_is_stored_or_printed_in_clear(stage: Stage) -> None:
    stage.program(
        f"import sys\nsys.path.insert(0, {str(TRACES)!r})\nimport pulumi\nfrom pulumi_trace import Thing\n"
        "word = pulumi.Config().require_secret('word')\n"
        "a = Thing('a', password=word, nested={'deep': [word]}, s_token=word)\n"
        "pulumi.export('password', a.password)\npulumi.export('nested', a.nested)\n"
    )
    stage.configure("dev", secret={"word": "PLANTED"})
    shown = ""
    for words in (
        ["up", "--yes"],
        ["up", "--yes", "--diff"],
        ["preview", "--json"],
        ["up", "-y", "-f", "--json"],
        ["stack", "output"],
        ["stack", "output", "--json"],
        ["stack", "export"],
    ):
        done = stage.pulumi(*words, "-s", "dev")
        assert done.code == 0, done.err
        shown += done.out + done.err + json.dumps(done.events)
    assert "PLANTED" not in shown
    assert "[secret]" in shown
    for file in (stage.work / "state").rglob("*"):
        if file.is_file():
            assert b"PLANTED" not in file.read_bytes(), file


# ---- the backend


def test_only_files_are_a_backend(stage: Stage) -> None:
    done = stage.pulumi("preview", "-s", "dev", env={"PULUMI_BACKEND_URL": "s3://bucket"})
    assert done.code == 1
    assert "the backend 's3://bucket' is not supported: the embedded engine keeps state in files" in done.err


def test_the_second_engine_gets_a_clear_lock_message(stage: Stage) -> None:
    stage.program("")
    stack = Backend(f"file://{stage.work}/state").stack("traces", "dev")
    stack.lock()
    try:
        done = stage.pulumi("up", "-s", "dev", "--yes", "--skip-preview")
        assert done.code == 1
        assert "the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end" in done.err
        assert f"@{socket.gethostname()} (pid " in done.err
        assert "stale" not in done.err
        assert stage.pulumi("preview", "-s", "dev").code == 0, "a preview changes nothing, so it needs no lock"
    finally:
        stack.unlock()
    assert stage.pulumi("up", "-s", "dev", "--yes", "--skip-preview").code == 0


def test_two_engines_that_lock_at_once_do_not_both_go_on(tmp_path: Path) -> None:
    backend = Backend(f"file://{tmp_path}")
    first, second = backend.stack("p", "s"), backend.stack("p", "s")
    first.lock()
    with pytest.raises(EngineError, match="currently locked by 1"):
        second.lock()
    first.unlock()
    second.lock()


def test_a_damaged_stack_file_is_said(stage: Stage) -> None:
    place = stage.work / "state/.pulumi/stacks/traces/dev.json"
    place.parent.mkdir(parents=True)
    for text, message in (("{", "cannot be read"), ('{"version": 2}', "has version 2; only 3"), ("", "cannot be read")):
        place.write_text(text)
        done = stage.pulumi("stack", "output", "-s", "dev")
        assert done.code == 1
        assert message in done.err
        assert str(place) in done.err


def test_an_import_of_something_else_is_refused(stage: Stage, tmp_path: Path) -> None:
    for text in ("nonsense", "[]", '{"version": 3}', '{"version": 1, "deployment": {}}'):
        (tmp_path / "given.json").write_text(text)
        done = stage.pulumi("import", "-s", "dev", "--file", str(tmp_path / "given.json"))
        assert done.code == 1
        assert "given.json" in done.err
    strange = {
        "version": 3,
        "deployment": {"resources": [{"urn": "urn:pulumi:x::y::a:b:C::n", "custom": True, "type": "a:b:C"}]},
    }
    (tmp_path / "given.json").write_text(json.dumps(strange))
    done = stage.pulumi("import", "-s", "dev", "--file", str(tmp_path / "given.json"))
    assert "the state has resources of x/y, not of dev/traces; use --force" in done.err
    assert stage.pulumi("import", "-s", "dev", "--force", "--file", str(tmp_path / "given.json")).code == 0
