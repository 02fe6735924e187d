"""The long runs: many seeds, and the sandbox killed at many moments. `make soak`; the last result is in docs/soak.md.

`SOAK_SEEDS` and `SOAK_KILLS` say how many (200 and 100 unless set).
"""

import os
import random
import signal
import threading
import time
from pathlib import Path

import pytest

from sandbox import control
from tests.azure.client import Client, unique
from tests.conftest import Sandbox
from tests.faults.sweep import life, plan
from tests.faults.test_stack import KINDS

pytestmark = pytest.mark.soak
SEEDS, KILLS = int(os.environ.get("SOAK_SEEDS", "200")), int(os.environ.get("SOAK_KILLS", "100"))


@pytest.mark.parametrize(("share", "runs", "least"), [(0.05, 1, 0.95), (0.2, 3, 1.0)], ids=["5 %", "20 %"])
def test_seeds(share: float, runs: int, least: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    each, failed = 1 - (1 - share) ** (1 / len(KINDS)), list[str]()
    for seed in range(SEEDS):
        folder = tmp_path / str(seed)
        folder.mkdir()
        sandbox = Sandbox(folder / ".sandbox")
        sandbox.start()
        for name, value in sandbox.environment("owner").items():
            monkeypatch.setenv(name, value)
        plan(sandbox, seed, *(f"{kind},probability={each:.6f},seconds=0" for kind in KINDS))
        tried = life(sandbox, folder, runs=runs)
        sandbox.stop()
        assert not any("Traceback" in text for one in tried for text in one.texts)
        failed += [f"seed {seed} {one.operation}: {one.texts[-1]}" for one in tried if not one.runs][:1]
    print(
        f"{SEEDS - len(failed)} of {SEEDS} seeds at {share:.0%} of requests, at most {runs} runs each",
        *failed,
        sep="\n",
    )
    assert SEEDS - len(failed) >= least * SEEDS


def test_what_was_acknowledged_survives_sigkill(sandbox: Sandbox) -> None:
    chance, acknowledged = random.Random(1), list[str]()
    for _ in range(KILLS):
        running = control.require(sandbox.directory)
        client = Client(sandbox)
        client.token()
        timer = threading.Timer(chance.uniform(0.0, 0.3), os.kill, (running.pid, signal.SIGKILL))
        timer.start()
        killed_by = time.monotonic() + 30
        try:
            while time.monotonic() < killed_by:
                acknowledged.append(client.group(unique("rg")))
        except OSError:
            pass  # the connection broke: not acknowledged
        timer.join()
        while control.find(sandbox.directory) is not None:
            assert time.monotonic() < killed_by, "the process is still there"
        sandbox.start()
        found = {one["id"] for one in Client(sandbox).arm("GET", "resourceGroups").json()["value"]}
        assert set(acknowledged) <= found
    print(f"{KILLS} kills, {len(acknowledged)} acknowledged groups, none lost")
    assert len(acknowledged) > KILLS
