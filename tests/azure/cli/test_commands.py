"""azure-cli from PyPI does what Microsoft's pages say: the whole list of commands, in the long runs."""

from pathlib import Path

import pytest

from tests.azure.cli.harness import NotInstalledError, carry_out_all, install, read
from tests.conftest import Sandbox


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_each_command_does_what_it_must(sandbox: Sandbox, tmp_path: Path) -> None:
    try:
        binaries = install(tmp_path / "azure-cli")
    except NotInstalledError as error:
        pytest.skip(str(error))
    fresh = Sandbox(tmp_path / "sandbox")
    fresh.directory.mkdir()
    fresh.start()
    try:
        outcomes = carry_out_all(binaries, fresh, tmp_path)
    finally:
        fresh.stop()
    assert [(outcome.run, outcome.problem) for outcome in outcomes if outcome.problem] == []


def test_the_list_is_long_enough() -> None:
    _, commands = read()
    assert len(commands) >= 135
    assert sum(bool(command.refused) for command in commands) >= 25
