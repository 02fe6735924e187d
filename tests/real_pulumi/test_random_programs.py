"""Random programs, step by step under the real engine and under ours: the same calls, events, outputs and state."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.engine.stage import TRACES, Run, Stage, load, read_lines
from tests.engine.test_traces import UUID, compare, observe
from tests.real_pulumi.generate import DECLARED, steps

pytestmark = [
    pytest.mark.skipif(shutil.which("pulumi") is None, reason="no `pulumi` on PATH: the real engine is not tested"),
    pytest.mark.timeout(1200),  # the real command line is started dozens of times, seconds each
]

LOADING = f"""
import json, os, sys
sys.path[:0] = {[str(DECLARED.parent), str(TRACES)]}
from declared import declare
declare(json.loads(os.environ["TRACE_STEP"]))
"""


class RealStage(Stage):
    """The same project under the real `pulumi`, with the provider as a plugin."""

    def __post_init__(self) -> None:
        super().__post_init__()
        plugin = self.work / "home/plugins/resource-trace-v1.0.0/pulumi-resource-trace"
        plugin.parent.mkdir(parents=True)
        plugin.write_text(f'#!/bin/sh\nexec {sys.executable} -u {TRACES}/provider.py "$@"\n')
        plugin.chmod(0o755)
        runtime = f"runtime: {{name: python, options: {{toolchain: pip, virtualenv: {sys.prefix}}}}}\n"
        (self.project / "Pulumi.yaml").write_text(f"name: {self.name}\n{runtime}")
        self.env |= dict.fromkeys(("PULUMI_SKIP_UPDATE_CHECK", "PULUMI_DEBUG_COMMANDS"), "true")
        self.env |= {"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true"}
        self._real("stack", "init", "dev")

    def pulumi(self, *argv: str, env: Mapping[str, str] = {}) -> Run:
        """Run a command of the real command line."""
        log = self.work / "events.json"
        log.unlink(missing_ok=True)
        words = [word for word in argv if (argv[0], word) != ("preview", "--yes")]
        if argv[0] in ("up", "preview", "refresh", "destroy"):
            words += ["--event-log", str(log)]
        done = self._real(*words, env=env)
        return Run(done.returncode, done.stdout, done.stderr, [_complete(event) for event in read_lines(log)])

    def _real(self, *words: str, env: Mapping[str, str] = {}) -> subprocess.CompletedProcess[str]:
        command = ["pulumi", *words, "--non-interactive", "--color=never"]
        environment = {**os.environ, **self.env, **env}
        return subprocess.run(
            command, cwd=self.project, env=environment, capture_output=True, text=True, timeout=180, check=False
        )


def _complete(event: dict[str, Any]) -> dict[str, Any]:
    """An event with the fields that the real log leaves out when they are empty."""
    for body in (event[kind] for kind in event if kind.endswith("Event")):
        if "metadata" in body:
            body["metadata"] = {"old": None, "new": None, "keys": [], **body["metadata"]}
        if "severity" in body:
            body |= {"urn": body.get("urn", ""), "ephemeral": body.get("ephemeral", False)}
    found: dict[str, Any] = json.loads(json.dumps(event), object_hook=_masked)
    return found


def _masked(value: dict[str, Any]) -> dict[str, Any]:
    """A secret as the comparison knows it, not as a masked ciphertext."""
    return {**value, "value": "[secret]"} if "ciphertext" in value else value


def test_a_random_program_fares_as_under_the_real_engine(seed: int, tmp_path: Path) -> None:
    provider = load(TRACES / "provider.py", "provider").Provider
    stages = {}
    for kind in (RealStage, Stage):
        work = tmp_path / kind.__name__
        work.mkdir()
        stages[kind] = kind(work, provider)
        stages[kind].program(LOADING)
    names: dict[str, str] = {}
    ids: dict[str, str] = {}
    for number, step in enumerate(steps(seed)):
        real, ours = (observe(stages[kind], TRACES, tmp_path, **step) for kind in (RealStage, Stage))
        expected = json.loads(
            re.sub(UUID, lambda m: names.setdefault(m.group(), f"<id {len(names) + 1}>"), json.dumps(real))
        )
        difference = compare({**expected, "order": []}, ours, ids)
        assert not difference, f"seed {seed}, step {number} ({step}):\n" + "\n".join(difference)
