"""What a user edits by hand: `config`, `stack rm`, `state`; the words and refusals are the real command line's."""

import json
import sys
from io import StringIO
from pathlib import Path

import pytest
import yaml

from tests.engine.cloud import PROGRAM, Cloud
from tests.engine.stage import SALT, Stage

FILE = f"""# yaml-language-server: $schema=x.json
encryptionsalt: {SALT}
config:
  traces:people: # in the order of their names
    - name: a  # the first
    - name: b
  # what follows is a text
  traces:text: |
    two
    lines
  aws:region: eu   # near
other: 1
"""
A, B, C = (f"urn:pulumi:dev::traces::cloud:index:Box::{name}" for name in "abc")


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    (tmp_path / "cloud").mkdir()
    stage = Stage(tmp_path, lambda: Cloud(tmp_path / "cloud"), package="cloud")
    stage.program(PROGRAM)
    (stage.project / "Pulumi.dev.yaml").write_text(FILE)
    return stage


@pytest.fixture
def made(stage: Stage) -> Stage:
    boxes = "a = Box('a')\nBox('b', of=a.made)\nBox('c', pulumi.ResourceOptions(protect=True))\n"
    assert stage.pulumi("up", "-s", "dev", "--yes", "-f", env={"CLOUD_PROGRAM": boxes}).code == 0
    return stage


def file(stage: Stage) -> str:
    return (stage.project / "Pulumi.dev.yaml").read_text()


def succeed(stage: Stage, *words: str) -> str:
    done = stage.pulumi(*words)
    assert done.code == 0, done.err
    return done.out


def refused(stage: Stage, *words: str, code: int = 1) -> str:
    done = stage.pulumi(*words)
    assert done.code == code, done.out
    assert "Traceback" not in done.err
    return done.err


def test_a_value_is_set_and_all_else_stays_as_it_is_written(stage: Stage) -> None:
    succeed(stage, "config", "set", "number", "1", "-s", "dev")
    assert file(stage) == FILE.replace("eu   # near\n", "eu   # near\n  traces:number: '1'\n")
    succeed(stage, "config", "-s", "dev", "set", "number", "x: y")
    assert file(stage) == FILE.replace("eu   # near\n", "eu   # near\n  traces:number: 'x: y'\n")
    succeed(stage, "config", "set", "aws:region", "us", "-s", "dev")
    assert "  aws:region: us   # near\n" in file(stage)
    succeed(stage, "config", "set", "text", "one line", "-s", "dev")
    assert "  traces:text: one line\n  aws:region" in file(stage)
    succeed(stage, "config", "rm", "number", "-s", "dev")
    succeed(stage, "config", "rm", "people", "-s", "dev")
    succeed(stage, "config", "rm", "absent", "-s", "dev")
    config = "  # what follows is a text\n  traces:text: one line\n  aws:region: us   # near\nother: 1\n"
    assert file(stage) == FILE[: FILE.index("  traces:people")] + config


def test_paths(stage: Stage) -> None:
    succeed(stage, "config", "set", "--path", "people[1].age", "5", "-s", "dev")
    succeed(stage, "config", "set", "--path", "people[2].old", "true", "-s", "dev")
    succeed(stage, "config", "set", "--path", "people[2].code", "007", "-s", "dev")
    people = [{"name": "a"}, {"name": "b", "age": 5}, {"old": True, "code": "007"}]
    assert yaml.safe_load(file(stage))["config"]["traces:people"] == people
    assert succeed(stage, "config", "get", "--path", "people[1].age", "-s", "dev") == "5\n"
    assert json.loads(succeed(stage, "config", "get", "people", "-s", "dev")) == people
    assert "there is no place [9]" in refused(stage, "config", "set", "--path", "people[9]", "x", "-s", "dev")
    assert "it is no object" in refused(stage, "config", "set", "--path", "aws:region.x", "x", "-s", "dev")


def test_a_secret_is_encrypted_and_shown_only_where_asked_for(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", StringIO("open sesame\n"))
    succeed(stage, "config", "set", "--secret", "word", "-s", "dev")
    stored = yaml.safe_load(file(stage))
    assert stored["config"]["traces:word"]["secure"].startswith("v1:")
    assert stored["encryptionsalt"] == SALT
    assert "open sesame" not in file(stage)
    shown = succeed(stage, "config", "-s", "dev")
    assert [line.split() for line in shown.splitlines()][:2] == [["KEY", "VALUE"], ["aws:region", "eu"]]
    assert ["word", "[secret]"] in [line.split() for line in shown.splitlines()]
    assert succeed(stage, "config", "get", "word", "-s", "dev") == "open sesame\n"
    assert "open sesame" in succeed(stage, "config", "-s", "dev", "--show-secrets")
    listed = json.loads(succeed(stage, "config", "-s", "dev", "--json"))
    assert listed["traces:word"] == {"secret": True}
    assert listed["traces:people"]["objectValue"] == [{"name": "a"}, {"name": "b"}]


def test_the_first_secret_brings_the_salt_and_the_stack_takes_it(stage: Stage) -> None:
    (stage.project / "Pulumi.dev.yaml").unlink()
    succeed(stage, "config", "set", "--secret", "word", "hidden", "-s", "dev")
    assert list(yaml.safe_load(file(stage))) == ["encryptionsalt", "config"]
    succeed(stage, "config", "set", "plain", "seen", "-s", "dev")
    exporting = "pulumi.export('word', pulumi.Config().require_secret('word'))"
    done = stage.pulumi("up", "-s", "dev", "--yes", "-f", env={"CLOUD_PROGRAM": exporting})
    assert done.code == 0, done.out
    assert succeed(stage, "stack", "output", "word", "--show-secrets", "-s", "dev") == "hidden\n"


@pytest.mark.parametrize(
    ("text", "words", "message"),
    [
        (FILE, ("get", "nope"), "configuration key 'nope' not found for stack 'dev'"),
        (FILE, ("set", "a:b:c", "x"), "could not parse a:b:c as a configuration key"),
        (FILE, ("set", "--path", "a[", "x"), "'a[' is not a property path"),
        ("config: [\n", ("set", "b", "2"), "is not valid YAML"),
    ],
)
def test_config_refuses(text: str, words: tuple[str, ...], message: str, stage: Stage) -> None:
    (stage.project / "Pulumi.dev.yaml").write_text(text)
    assert message in refused(stage, "config", *words, "-s", "dev")
    assert file(stage) == text


@pytest.mark.parametrize("text", ["", "config:\n", "config: {}\n", "other: 1", "config:\nother: 1\n"])
def test_the_first_key_of_a_file(text: str, stage: Stage) -> None:
    (stage.project / "Pulumi.dev.yaml").write_text(text)
    succeed(stage, "config", "set", "b", "2", "-s", "dev")
    assert yaml.safe_load(file(stage)) == {**(yaml.safe_load(text) or {}), "config": {"traces:b": "2"}}


def test_a_stack_is_removed_only_when_it_is_empty(made: Stage) -> None:
    succeed(made, "stack", "select", "dev")
    assert "dev*" in succeed(made, "stack", "ls")
    assert json.loads(succeed(made, "stack", "ls", "--json"))[0]["current"] is True
    assert "'dev' still has resources; removal rejected" in refused(made, "stack", "rm", "dev", "--yes")
    assert made.export()["resources"]
    assert succeed(made, "stack", "rm", "dev", "--yes", "--force") == "Stack 'dev' has been removed!\n"
    assert json.loads(succeed(made, "stack", "ls", "--json")) == []
    assert "no stack named 'dev' found" in refused(made, "stack", "rm", "dev", "--yes", code=6)
    assert "no stack selected" in refused(made, "stack", "export")
    assert file(made) == FILE, "its configuration stays"


def test_a_resource_is_forgotten(made: Stage) -> None:
    def urns() -> list[str]:
        return [r["urn"] for r in made.export()["resources"] if ":Box" in r["urn"]]

    assert 'because the following resources depend on it:\n * "b"' in refused(made, "state", "delete", A, "-s", "dev")
    assert "because it is protected" in refused(made, "state", "delete", C, "-s", "dev")
    assert f"\n  {A}\n" in refused(made, "state", "delete", A[:-1], "-s", "dev")
    assert sorted(urns()) == [A, B, C]
    assert succeed(made, "state", "delete", A, "-s", "dev", "--target-dependents") == "2 resources deleted\n"
    assert succeed(made, "state", "delete", C, "-s", "dev", "--force") == "Resource deleted\n"
    assert urns() == []
    assert len(list((made.work / "cloud").iterdir())) == 3, "what is forgotten stays where it is"


def test_protection_by_hand(made: Stage) -> None:
    def protected() -> list[str]:
        return [r["urn"] for r in made.export()["resources"] if r.get("protect")]

    assert succeed(made, "state", "unprotect", C, "-s", "dev") == "1 resources unprotected\n"
    assert protected() == []
    succeed(made, "state", "protect", A, B, "-s", "dev")
    assert sorted(protected()) == [A, B]
    assert "is protected" in made.pulumi("destroy", "-s", "dev", "--yes", "-f").out
    assert succeed(made, "state", "unprotect", "--all", "-s", "dev") == "All resources unprotected\n"
    assert made.pulumi("destroy", "-s", "dev", "--yes", "-f").code == 0
    assert made.pulumi("state", "protect", "-s", "dev").code == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "config:\n  traces:new: x\n"),
        ("# only this\n", "# only this\nconfig:\n  traces:new: x\n"),
        ("config:\n", "config:\n  traces:new: x\n"),
        ("config: {a: 1}\n", "config: {a: 1, traces:new: x}\n"),
        ("config:\n    a:\n        - b: [1, 2]\n", "config:\n    a:\n        - b: [1, 2]\n    traces:new: x\n"),
        ("config:\r\n  a: 1 # one\r\n", "config:\r\n  a: 1 # one\r\n  traces:new: x\r\n"),
        ("config:\n  new: 'y'\n", "config:\n  new: x\n"),
    ],
)
def test_files_keep_their_own_form(stage: Stage, before: str, after: str) -> None:
    path = stage.project / "Pulumi.dev.yaml"
    path.write_bytes(before.encode())
    succeed(stage, "config", "set", "new", "x", "-s", "dev")
    assert path.read_bytes().decode() == after


@pytest.mark.parametrize("value", ["1", "true", "2026-11-20", "null", "~", "x: y", "- a", "two\nlines", "", "äöü", "#"])
def test_a_text_stays_a_text(stage: Stage, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", StringIO(value))
    succeed(stage, "config", "set", "word", "-s", "dev")
    assert succeed(stage, "config", "get", "word", "-s", "dev") == f"{value}\n"
