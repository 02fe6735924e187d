"""Every room's command line: quick to answer what it can do, one message for wrong usage, completion."""

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT

DOORS = {
    "department": ["check", "convert", "costs", "quota", "purge"],
    "policies": ["list", "explain", "config", "check"],
    "review": ["changes", "render"],
    "jobs": ["submit", "ps", "logs", "show", "cancel"],
    "sandbox": ["start", "stop", "status", "env", "pulumi"],
    "tools": ["generate", "refresh", "pictures", "docs", "verify-azure"],
}
HEAVY = {"azure.core", "azure.ai.ml", "azure.identity", "pulumi", "pydantic", "requests", "yaml", "starlette"}
HELP = """
import runpy, sys
room = sys.argv[1]
sys.argv = [room, "--help"]
try:
    runpy.run_module(room, run_name="__main__", alter_sys=True)
finally:
    print(*sys.modules, file=sys.stderr)
"""


def run(*words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, *words], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("room", DOORS)
def test_help_lists_the_commands_and_loads_nothing_heavy(room: str) -> None:
    done = run("-c", HELP, room)
    assert done.returncode == 0, done.stderr
    assert all(command in done.stdout for command in DOORS[room])
    assert HEAVY & set(done.stderr.split()) == set()


@pytest.mark.parametrize("room", DOORS)
def test_wrong_usage_is_one_message(room: str) -> None:
    for words in (["nothing-of-the-kind"], [DOORS[room][0], "--nothing-of-the-kind"]):
        done = run("-m", room, *words)
        assert (done.returncode, done.stdout) == (2, "")
        message, hint = done.stderr.splitlines()
        assert message.startswith("error: No such ")
        assert hint.startswith(f"'python -m {room}")
        assert hint.endswith("--help' lists what is allowed.")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_stream_that_is_closed_is_no_fault(closed: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = ["sh", "-c", f'"$0" -m jobs --help {closed}', sys.executable]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("room", DOORS)
def test_each_has_a_script_for_completion(room: str) -> None:
    done = run("-m", room, "--show-completion")
    assert done.returncode == 0, done.stderr
    assert f"_azureml_platform_{room}()" in done.stdout
