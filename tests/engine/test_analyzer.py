"""A policy pack's process, and other plugins', by themselves."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.engine.carry_out.policies import Analyzer
from sandbox.engine.carry_out.providers.plugins import PluginProcess
from sandbox.engine.errors import EngineError

PACK = """
import os, pathlib
from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy

pathlib.Path("pid").write_text(str(os.getpid()))
named = ResourceValidationPolicy("named", "Has a name.", lambda args, report: None, EnforcementLevel.MANDATORY)
PolicyPack("pack", policies=[named])
"""


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    (tmp_path / "PulumiPolicy.yaml").write_text("runtime: python\nversion: 2.3.4\n")
    (tmp_path / "__main__.py").write_text(PACK)
    return tmp_path


def ended(pack: Path) -> bool:
    """Whether the pack's process is gone, or only waits for somebody to ask how it ended."""
    try:
        stat = Path(f"/proc/{int((pack / 'pid').read_text())}/stat").read_text()
    except FileNotFoundError:
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_version_is_that_of_the_packs_file(pack: Path) -> None:
    analyzer = Analyzer(pack, {}, {})
    try:
        assert (analyzer.name, analyzer.version) == ("pack", "2.3.4")
        assert not ended(pack)
    finally:
        analyzer.close()
    assert ended(pack)


def test_a_refused_configuration_leaves_no_process(pack: Path) -> None:
    with pytest.raises(EngineError, match="no_such_policy"):
        Analyzer(pack, {"no_such_policy": "mandatory"}, {})
    assert ended(pack)


def test_a_pack_ends_with_its_engine_however_that_ends(pack: Path) -> None:
    start = (
        "import sys, time; from pathlib import Path; from sandbox.engine.carry_out.policies import Analyzer\n"
        "analyzer = Analyzer(Path(sys.argv[1]), {}, {}); print('started', flush=True); time.sleep(60)"
    )
    engine = subprocess.Popen(
        [sys.executable, "-c", start, str(pack)], cwd=Path(__file__).parents[2], stdout=subprocess.PIPE
    )
    with engine:
        assert engine.stdout
        assert engine.stdout.readline() == b"started\n"
        assert not ended(pack)
        engine.kill()
    wait_until(lambda: ended(pack))


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ("print('no port', flush=True); time.sleep(60)", "no port"),
        ("sys.stdout.write('7' * 99); sys.stdout.flush(); time.sleep(60)", "7777"),
        ("sys.exit('broken')", "broken"),
    ],
)
def test_a_plugin_that_tells_no_port_is_ended_with_its_children(told: str, why: str, tmp_path: Path) -> None:
    child = "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']).pid"
    program = f"import pathlib, subprocess, sys, time; pathlib.Path('pid').write_text(str({child})); {told}"
    with pytest.raises(EngineError, match=f"did not start: it told no port but .*{why}"):
        PluginProcess([sys.executable, "-c", program], tmp_path)
    wait_until(lambda: ended(tmp_path))
