"""`python -m sandbox pulumi`: one command line for the embedded engine and the real one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.azure.client import Client, unique
from tests.conftest import Sandbox

PROGRAM = """
import pulumi
from pulumi_azure_native import resources

group = resources.ResourceGroup("one", resource_group_name={name!r}, location="eastus2")
pulumi.export("group", group.name)
pulumi.export("secret", pulumi.Output.secret("marked"))
"""

# Stands for the real engine, which no machine here has: notes what it was called with, and does to the stack file what
# the real one does at `stack init`, `stack rm` and `destroy --remove` (stack_remove.go, destroy.go of 3.259.0).
STAND_IN = """#!{python}
import json, os, pathlib, sys

words = sys.argv[1:]
kept = {{name: value for name, value in os.environ.items() if name.startswith(("PULUMI_", "ARM_", "HTTPS_"))}}
with open({log!r}, "a") as log:
    log.write(json.dumps({{"words": words, "environment": kept, "directory": os.getcwd()}}) + "\\n")
if words[:2] == ["stack", "init"]:
    folder = pathlib.Path(words[words.index("--cwd") + 1])
    (folder / f"Pulumi.{{words[2]}}.yaml").write_text("encryptionsalt: v1:salt\\n")
    state = pathlib.Path(os.environ["PULUMI_BACKEND_URL"].removeprefix("file://")) / ".pulumi/stacks/tiny"
    state.mkdir(parents=True, exist_ok=True)
    (state / f"{{words[2]}}.json").write_text("{{}}")
if (words[:2] == ["stack", "rm"] and "--preserve-config" not in words) or "--remove" in words:
    pathlib.Path("Pulumi.dev.yaml").unlink()
if "--config-file" in words:
    file = pathlib.Path(words[words.index("--config-file") + 1])
    file.write_text(file.read_text() + "# written by the engine\\n")
sys.exit(3 if "fail" in words else 0)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A Pulumi project with one resource group."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: tiny\nruntime: python\n")
    (folder / "Pulumi.dev.yaml").write_text("config:\n  tiny:x: y\n")
    (folder / "__main__.py").write_text(PROGRAM.format(name=unique("rg")))
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_the_embedded_engine_brings_a_stack_up_and_down(sandbox: Sandbox, project: Path) -> None:
    before = tree(project)
    embedded = {"SANDBOX_ENGINE": "embedded"}
    up = sandbox.command("pulumi", "up", "-s", "dev", "--yes", cwd=project, **embedded)
    assert up.returncode == 0, up.stdout + up.stderr
    outputs = sandbox.command("pulumi", "stack", "output", "--json", "-s", "dev", cwd=project, **embedded)
    group = json.loads(outputs.stdout)["group"]
    azure = Client(sandbox)
    assert azure.arm("GET", f"resourceGroups/{group}").status_code == 200
    again = sandbox.command("pulumi", "up", "-s", "dev", "--yes", "--expect-no-changes", cwd=project, **embedded)
    assert again.returncode == 0, again.stdout + again.stderr
    assert tree(project) == before
    passphrase = sandbox.directory / "pulumi" / "passphrase"
    assert passphrase.stat().st_mode & 0o777 == 0o600
    for path in (sandbox.directory / "pulumi").rglob("*.json*"):
        assert b"marked" not in path.read_bytes()
    sandbox.stop()  # what needs no Azure goes on
    outputs = sandbox.command("pulumi", "stack", "output", "--json", "-s", "dev", cwd=project, **embedded)
    assert outputs.returncode == 0, outputs.stderr
    sandbox.start()
    down = sandbox.command("pulumi", "destroy", "-s", "dev", "--yes", cwd=project, **embedded)
    assert down.returncode == 0, down.stdout + down.stderr
    assert Client(sandbox).arm("GET", f"resourceGroups/{group}").status_code == 404


def test_the_real_engine_gets_the_same_and_changes_no_tracked_file(sandbox: Sandbox, project: Path) -> None:
    folder = project.parent / "bin"
    folder.mkdir()
    log = project.parent / "calls.txt"
    (folder / "pulumi").write_text(STAND_IN.format(python=sys.executable, log=str(log)))
    (folder / "pulumi").chmod(0o755)
    path = {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    before = tree(project)
    for words, code in (
        (("up", "-s", "dev", "--yes"), 0),
        (("preview", "--stack=dev", "fail"), 3),
        (("stack", "ls"), 0),
    ):
        assert sandbox.command("pulumi", *words, cwd=project, **path).returncode == code
    assert tree(project) == before
    calls = [json.loads(line) for line in log.read_text().splitlines()]
    init, up, preview, ls = (call["words"] for call in calls)
    assert init[:3] == ["stack", "init", "dev"]
    assert up[:4] == ["up", "-s", "dev", "--yes"]
    copy = Path(up[up.index("--config-file") + 1])
    assert copy.is_relative_to(sandbox.directory)
    assert preview[-2:] == ["--config-file", str(copy)]
    assert ls == ["stack", "ls"]
    text = copy.read_text()
    assert "encryptionsalt: v1:salt" in text
    assert "tiny:x: y" in text
    environment = calls[1]["environment"]
    assert environment["PULUMI_BACKEND_URL"] == (sandbox.directory / "pulumi").as_uri()
    assert environment["ARM_CLIENT_SECRET"] == sandbox.environment()["ARM_CLIENT_SECRET"]
    assert environment["HTTPS_PROXY"] == sandbox.environment()["HTTPS_PROXY"]
    assert environment["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] == "true"
    plugins = list(Path(environment["PULUMI_HOME"]).glob("plugins/resource-*/pulumi-resource-*"))
    assert {plugin.name for plugin in plugins} == {"pulumi-resource-azure-native", "pulumi-resource-azuread"}
    assert all(os.access(plugin, os.X_OK) for plugin in plugins)
    forced = sandbox.command("pulumi", "--help", cwd=project, **path, SANDBOX_ENGINE="embedded")
    assert forced.returncode == 0
    assert len(log.read_text().splitlines()) == len(calls)


@pytest.fixture
def real(project: Path) -> dict[str, str]:
    """The PATH on which the stand-in for the real engine comes first."""
    folder = project.parent / "bin"
    folder.mkdir()
    (folder / "pulumi").write_text(STAND_IN.format(python=sys.executable, log=str(project.parent / "calls.txt")))
    (folder / "pulumi").chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


def calls(project: Path) -> list[list[str]]:
    return [json.loads(line)["words"] for line in (project.parent / "calls.txt").read_text().splitlines()]


@pytest.mark.parametrize(
    "words", [("stack", "rm", "dev", "--yes"), ("destroy", "-s", "dev", "--yes", "--remove"), ("stack", "rm", "-sdev")]
)
def test_the_real_engine_leaves_the_stack_file_of_a_removed_stack(
    sandbox: Sandbox, project: Path, real: dict[str, str], words: tuple[str, ...]
) -> None:
    before = tree(project)
    for command in (("up", "-s", "dev", "--yes"), words):
        assert sandbox.command("pulumi", *command, cwd=project, **real).returncode == 0
    assert tree(project) == before
    last = calls(project)[-1]
    assert (last[:2], "--preserve-config" in last) == (["stack", "rm"], True)
    assert not list((sandbox.directory / "pulumi" / "stacks").rglob("Pulumi.dev.yaml"))


@pytest.mark.parametrize(
    "words", [("destroy", "-s", "dev"), ("refresh", "-s", "dev"), ("import", "a:b:C", "n", "i", "-sdev")]
)
def test_only_an_update_makes_a_stack(
    sandbox: Sandbox, project: Path, real: dict[str, str], words: tuple[str, ...]
) -> None:
    assert sandbox.command("pulumi", *words, "--yes", cwd=project, **real).returncode == 0
    assert [call[0] for call in calls(project)] == [words[0]]
    assert calls(project)[0][-2] == "--config-file"


def test_the_real_engine_must_be_told_the_stack(sandbox: Sandbox, project: Path) -> None:
    folder = project.parent / "bin"
    folder.mkdir()
    (folder / "pulumi").write_text("#!/bin/sh\nexit 0\n")
    (folder / "pulumi").chmod(0o755)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    done = sandbox.command("pulumi", "up", cwd=project, PATH=path)
    assert (done.returncode, done.stderr) == (1, "error: say which stack `pulumi up` works on: --stack NAME\n")
    (project / "Pulumi.yaml").unlink()
    done = sandbox.command("pulumi", "up", "-s", "dev", cwd=project, PATH=path)
    assert done.returncode == 1
    assert "Pulumi.yaml is no Pulumi project file" in done.stderr


def test_a_usage_error_is_the_engines(sandbox: Sandbox, project: Path) -> None:
    done = sandbox.command("pulumi", "upp", cwd=project, SANDBOX_ENGINE="embedded")
    assert done.returncode == 1  # as the real one
    assert "Traceback" not in done.stderr


def test_the_installed_plugins_start(sandbox: Sandbox, tmp_path: Path) -> None:
    """As the real engine starts one: the port is the first line that it prints."""
    from sandbox.providers import plugins  # noqa: PLC0415

    plugins.install(tmp_path)
    for plugin in tmp_path.glob("plugins/resource-*/pulumi-resource-*"):
        command = [str(plugin), "127.0.0.1:1"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline().strip().isdigit()
            process.terminate()
