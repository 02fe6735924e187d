"""`python -m department check` and the program say the same of a stack file, whatever is in it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from department.commands import check
from department.configuration import load_department
from sandbox.engine.project import Config, Project
from sandbox.engine.state.secrets import Secrets
from settings import Department, SettingsError, read_stack_file
from tests.conftest import Sandbox
from tests.program.harness import ROOT, run_function, stack_file
from tests.program.stack import Stack
from tests.proof.stacks import WIDE

KEY = "azureml-platform:department"
SECRETS = Secrets()


def _sealed(text: str) -> dict[str, str]:
    """A value as `pulumi config set --secret` writes it."""
    return {"secure": SECRETS.encrypt(text)}


def _changed(**changes: Any) -> dict[str, Any]:
    return {KEY: stack_file("dev") | changes}


def _text(value: Any) -> str:
    """The value as JSON in one text."""
    return json.dumps(value)


CASES: dict[str, tuple[Callable[[], dict[str, Any]], bool]] = {
    "as committed": (_changed, True),
    "no settings": (dict, False),
    "null": (lambda: {KEY: None}, False),
    "text": (lambda: {KEY: "bgmr"}, False),
    "JSON text, as config set without --path writes it": (lambda: {KEY: _text(stack_file("dev"))}, True),
    "a key without a namespace": (lambda: {"department": stack_file("dev")}, True),
    "a second key of the program": (lambda: _changed() | {"azureml-platform:departments": "x"}, False),
    "a key of a provider": (lambda: _changed() | {"azure-native:location": "eastus2"}, True),
    "a wrong value": (lambda: _changed(region="nowhere"), False),
    "an encrypted value": (lambda: _changed(admin=_sealed("user@domain.com")), True),
    "an encrypted value beside a wrong one": (
        lambda: _changed(admin=_sealed("user@domain.com"), region="nowhere"),
        False,
    ),
    "an encrypted person": (lambda: _changed(subscriptionAdmins=[_sealed("user1@site.com")]), True),
    "an encrypted whole": (lambda: {KEY: _sealed(_text(stack_file("dev")))}, True),
}


def _program(file: Path) -> list[Department]:
    """The department that the program reads, with the configuration that the engine makes of the file; [] if none."""
    read: list[Department] = []
    config = Config.load(Project.find(ROOT), "x", file, (), lambda _: SECRETS)
    try:
        run_function(lambda: read.append(load_department()), config=config.values, stack="x")
    except pulumi.RunError:
        assert not read
    return read


@pytest.fixture(autouse=True)
def passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "x")


@pytest.mark.parametrize("name", CASES)
def test_check_and_program_agree(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make, is_right = CASES[name]
    file = tmp_path / "Pulumi.x.yaml"
    file.write_text(yaml.safe_dump({"config": make()}))
    assert check.run([file], as_json=False) == (0 if is_right else 1), capsys.readouterr()
    told = capsys.readouterr()
    assert ("encrypted" in told.out) == ("encrypted" in name and is_right)
    assert bool(_program(file)) == is_right, told.err


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_check_reads_a_file_as_windows_writes_it_as_the_engine_does(encoding: str, tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.x.yaml"
    file.write_text(yaml.safe_dump({"config": _changed()}), encoding=encoding, newline="\r\n")
    assert _program(file) == [read_stack_file(file)]


def test_who_needs_an_encrypted_value_is_told_of_it(tmp_path: Path) -> None:
    """The costs and the quota are those of values that nobody but the program can read."""
    file = tmp_path / "Pulumi.x.yaml"
    file.write_text(yaml.safe_dump({"config": _changed(region=_sealed("eastus2"))}))
    with pytest.raises(SettingsError, match=r"department\.region: is encrypted .*write it in clear"):
        read_stack_file(file)


@pytest.mark.parametrize(("config", "explicit"), [({"pulumi:disable-default-providers": ["*"]}, True), ({}, False)])
def test_a_stack_without_default_providers(
    config: dict[str, Any], explicit: bool, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Every resource and lookup has a provider of the program's own; other stacks keep azuread's default one."""
    stack, file = Stack(sandbox, tmp_path, "wide"), tmp_path / "Pulumi.x.yaml"
    file.write_text(yaml.safe_dump({"config": {KEY: WIDE, **config}}))
    code, text = stack.run("preview", "--config-file", str(file), "--json")
    assert code == 0, text
    assert ("pulumi:providers:azuread::azuread" in text) == explicit
