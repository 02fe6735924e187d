"""A policy pack's process, by itself."""

import os
from pathlib import Path

import pytest

from sandbox.engine.errors import EngineError
from sandbox.engine.policies import Analyzer

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
    """Whether the pack's process is gone."""
    try:
        os.kill(int((pack / "pid").read_text()), 0)
    except ProcessLookupError:
        return True
    return False


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
