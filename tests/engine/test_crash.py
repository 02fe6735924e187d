"""SIGKILL at every provider call and every write of the state: what was pending is told, and the recovery converges."""

import json
from pathlib import Path

import pytest

from tests.engine.site import Point, Site, run_apart, up_on_a_full_disk

BEFORE = """
a = Box("a", size=1)
b = Box("b", of=a.made, kind="x")
c = Box("c", of=b.made)
gone = Box("gone", of=a.made)
pulumi.export("c", c.made)
"""
AFTER = """
a = Box("a", size=2)
b = Box("b", of=a.made, kind="y")
c = Box("c", of=b.made, more=pulumi.Output.secret("s"))
d = Box("d", of=c.made)
pulumi.export("d", d.made)
"""
UP = ("up", "--yes", "--skip-preview", "--parallel=1")
DESTROY = ("destroy", "--yes", "--skip-preview", "--parallel=1")


@pytest.mark.parametrize("writes", [False, True], ids=["provider calls", "state writes"])
@pytest.mark.parametrize("case", ["up", "update", "destroy"])
def test_kill_and_recover_at_every_point(case: str, writes: bool, tmp_path: Path) -> None:
    program, words = {"up": (BEFORE, UP), "update": (AFTER, UP), "destroy": (BEFORE, DESTROY)}[case]
    wanted = Site(tmp_path / "wanted")
    prepare(wanted, case)
    assert wanted.run(program, *words).code == 0
    number = 0
    while True:
        site = Site(tmp_path / f"site{number}")
        prepare(site, case)
        if not site.killed(program, *words, point=Point(number), writes=writes):
            break
        site.recover(program, *words)
        assert site.contents() == wanted.contents(), f"killed at point {number}"
        assert site.state() == wanted.state(), f"killed at point {number}"
        again = site.run(program, "preview", "--json")
        if case != "destroy":
            assert set(json.loads(again.out)["changeSummary"]) == {"same"}
        number += 1
    assert number >= 8, "the run has more points than that"


def prepare(site: Site, case: str) -> None:
    assert site.run("", "stack", "init").code == 0
    if case != "up":
        assert site.up(BEFORE).code == 0


def test_what_was_pending_is_told(tmp_path: Path) -> None:
    site = Site(tmp_path / "site")

    assert site.killed(BEFORE, *UP, point=Point(0, "after Create"), writes=False)
    locked = site.up(BEFORE)
    assert locked.code == 1
    assert "the stack is currently locked by 1 lock(s)" in locked.err
    assert "no longer runs, so the lock is stale" in locked.err
    assert site.run(BEFORE, "cancel", "--yes").code == 0
    told = site.up(BEFORE)
    assert told.code == 1
    assert "urn:pulumi:dev::traces::cloud:index:Box::a, interrupted while creating" in told.out
    assert "cannot create a: it exists already" in told.out
    wrong = site.run(BEFORE, "refresh", "--yes", "-f", "--import-pending-creates", "urn:nonsense", "x")
    assert wrong.code == 1
    assert "did not correspond to a pending create; pending are: urn:pulumi:dev" in wrong.err


def test_a_full_disk_is_said_and_survived(tmp_path: Path) -> None:
    site = Site(tmp_path / "site")
    prepare(site, "up")
    code = run_apart(up_on_a_full_disk, site.work, BEFORE, tmp_path / "said")
    said = (tmp_path / "said").read_text()
    assert code == 1, said
    assert "journal" in said
    assert "cannot be written: File too large" in said
    assert "Traceback" not in said
    site.recover(BEFORE, *UP)
    assert sorted(site.contents()) == ["a", "b", "c", "gone"]
