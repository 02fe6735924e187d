"""SIGKILL of the engine in the dev stack's up, update and destroy: the documented recovery ends where no kill leads to.

This is a fixed sample of real kills, one upon the other; `python -m tests.program.crashes` recovers from every point.
"""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.program.recovery import OPERATIONS, Site, Wanted, undisturbed
from tests.program.zygote import Zygote

KILLS = 4  # of each operation
FURTHEST = {"up": 180, "update": 180, "destroy": 80}  # points that a kill lets pass


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    with Zygote() as started:
        yield started


@pytest.fixture(scope="module")
def life(zygote: Zygote, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Wanted]:
    return undisturbed(zygote, tmp_path_factory.mktemp("life") / ".sandbox")


@pytest.mark.timeout(900)  # twelve recoveries: a busy machine takes its time
def test_killed_again_and_again(zygote: Zygote, life: dict[str, Wanted], tmp_path: Path) -> None:
    """Twelve real kills, each recovered from as docs/engine.md tells, each before the operation has come to its end."""
    chance = random.Random(1)
    with Site(zygote, tmp_path / ".sandbox") as site:
        for operation in OPERATIONS:
            for _ in range(KILLS):
                number = chance.randrange(20, FURTHEST[operation])
                assert site.operate(operation, kill=number) == -9, f"{operation} has fewer points than {number}"
                site.recover(life["up"].ids | life["update"].ids)
            site.complete(operation)
            life[operation].compare(site, operation)
