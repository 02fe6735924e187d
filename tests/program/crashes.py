"""The long run of kills of the engine: `python -m tests.program.crashes`. Every point at which it can be killed.

These are every provider call (before and after it) and every write of the state (before, in the middle, after) of the
dev stack's up, update and destroy. What SIGKILL leaves is what the files hold at that moment, so one run, copied at
each of its points, shows what a kill at each would leave; points that leave the same are recovered from once.

That recording stays in `.soak/crashes/` until all of it has been recovered from, because the order of what an operation
does is not the same in each run: so a number says the same point in every run that goes on. Each recovery is a line in
`.soak/crashes.jsonl` as soon as it is there; docs/soak-crashes.md is written from the lines whenever a run ends.
"""

import argparse
import json
import os
import queue
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.program.harness import ROOT
from tests.program.recovery import OPERATIONS, Site, Wanted, undisturbed
from tests.program.zygote import Zygote
from tests.results import FOLDER, Results, when

DOCUMENT = ROOT / "docs" / "soak-crashes.md"
MEMORY = Path("/dev/shm")
RECORDED = FOLDER / "crashes"
TOLD = 20  # points from a line of progress to the next
HEAD = """# Kills of the engine

`make soak` runs `tests/program/crashes.py` and writes this page. It goes on where it was stopped:
`.soak/crashes.jsonl` has a line for each result. Remove the folder to begin again.

A **point** is a moment at which SIGKILL may strike the engine:

- in the dev stack's up, in an update that makes, changes, deletes and replaces resources, and in its destroy;
- before and after every provider call;
- before, in the middle of and after every write of the state.

The operation runs once. At each point the files are copied as a kill would leave them. Points that leave the
same files are recovered from once.

A **recovery** does what [engine.md](engine.md) says: `cancel`, `refresh` with pending creates imported or
cleared, and the operation again. Then state and Azure must be what an undisturbed operation leaves, secrets
included. Nothing is pending, no lock and no journal is left, and the database is sound. Only ids, times and
keys may differ. The engine does not wait between two polls of a long-running operation, since the sandbox has
done it at once.

## Last result
"""


@dataclass(frozen=True)
class Point:
    """A moment of which a copy is kept.

    Attributes:
        operation: Which was under way.
        number: How many moments were before it.
        place: The call or the write.
        folder: The copy.
    """

    operation: str
    number: int
    place: str
    folder: Path

    @property
    def key(self) -> str:
        """Says it."""
        return f"{self.operation} {self.number} {self.place}"


def main(argv: list[str] | None = None) -> int:
    """Recovers from what has no result yet; 1 where a recovery fails or is missing."""
    parser = argparse.ArgumentParser(prog="python -m tests.program.crashes", description=__doc__)
    parser.add_argument("--minutes", type=float, default=0, help="begin nothing new after these; 0: without end")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="recoveries at a time")
    args = parser.parse_args(argv)
    end = time.monotonic() + args.minutes * 60 if args.minutes else float("inf")
    results = Results("crashes.jsonl")
    with tempfile.TemporaryDirectory(dir=MEMORY if os.access(MEMORY, os.W_OK) else None) as scratch:
        with Zygote() as zygote:
            if not RECORDED.exists():
                _record(zygote, Path(scratch) / "recorded")
            life = undisturbed(zygote, Path(scratch) / "life")
        told, distinct = _recorded()
        done = {one["key"] for one in results.all()}
        left = sorted((point for point in distinct if point.key not in done), key=lambda point: point.number)
        print(f"{sum(told.values())} points, {len(distinct)} that differ, {len(left)} to recover from", flush=True)
        _Recoveries(life, left, results, end, Path(scratch)).run(args.workers)
    text, good = summary(told, distinct, results.all())
    DOCUMENT.write_text(text, encoding="utf-8")
    print(text)
    return 0 if good else 1


def _record(zygote: Zygote, directory: Path) -> None:
    """Runs the three operations, and keeps a copy at each of their points."""
    whole = RECORDED.with_suffix(".new")
    shutil.rmtree(whole, ignore_errors=True)  # of a run that was stopped here
    with Site(zygote, directory) as site:
        for operation in OPERATIONS:
            (whole / operation).mkdir(parents=True)
            site.complete(operation, record=str(whole / operation))
    whole.rename(RECORDED)


def _recorded() -> tuple[dict[str, int], list[Point]]:
    """How many points each operation has, and all that differ."""
    told, distinct = {}, []
    for operation in OPERATIONS:
        lines = (RECORDED / operation / "points.jsonl").read_text(encoding="utf-8").splitlines()
        every = [json.loads(line) for line in lines]
        told[operation] = len(every)
        names = {one["same as"] for one in every}
        first = [one for one in every if f"{one['number']:04}" in names]
        distinct += [
            Point(operation, one["number"], one["place"], RECORDED / operation / one["same as"]) for one in first
        ]
    return told, distinct


class _Recoveries:
    """Recovers from points, some at a time, and keeps how it went."""

    def __init__(self, life: dict[str, Wanted], left: list[Point], results: Results, end: float, scratch: Path) -> None:
        self._life, self._results, self._end, self._scratch = life, results, end, scratch
        self._ids = life["up"].ids | life["update"].ids
        self._left: queue.SimpleQueue[Point] = queue.SimpleQueue()
        for point in left:
            self._left.put(point)
        self._of, self._done, self._failed = len(left), 0, 0
        self._began, self._lock = time.monotonic(), threading.Lock()

    def run(self, workers: int) -> None:
        with ThreadPoolExecutor(workers) as pool:
            for worker in [pool.submit(self._work) for _ in range(workers)]:
                worker.result()

    def _work(self) -> None:
        with Zygote() as zygote, suppress(queue.Empty):
            while time.monotonic() < self._end:
                point = self._left.get_nowait()
                began = time.monotonic()
                failure = self._recover(zygote, point)
                with self._lock:
                    self._keep(point, failure, time.monotonic() - began)

    def _recover(self, zygote: Zygote, point: Point) -> str:
        """What went wrong; empty where nothing did."""
        directory = shutil.copytree(point.folder, self._scratch / point.operation / point.folder.name)
        try:
            with Site(zygote, directory) as site:
                site.recover(self._ids)
                site.complete(point.operation)
                self._life[point.operation].compare(site, point.place)
        except AssertionError as error:
            return str(error)[-4000:] or "a check failed"
        finally:
            shutil.rmtree(directory)
        return ""

    def _keep(self, point: Point, failure: str, seconds: float) -> None:
        told = {"operation": point.operation, "place": point.place, "failure": failure, "seconds": round(seconds, 1)}
        self._results.keep(point.key, told)
        if not failure:
            shutil.rmtree(point.folder)
        self._done += 1
        self._failed += bool(failure)
        if failure or self._done % TOLD == 0 or self._done == self._of:
            rate = self._done / (time.monotonic() - self._began)
            print(
                f"{time.strftime('%H:%M:%S')} {self._done} of {self._of}, {self._failed} failed, {rate:.1f} a second, "
                f"{(self._of - self._done) / rate / 60:.0f} minutes to go: {point.key} {failure}".rstrip(),
                flush=True,
            )


def summary(told: dict[str, int], distinct: list[Point], results: list[dict[str, Any]]) -> tuple[str, bool]:
    """The page, and whether every point that differs has been recovered from.

    Args:
        told: Operation -> how many points it has.
        distinct: Those that differ.
        results: Of this run and of those before.
    """
    wanted = {point.key for point in distinct}
    found = {one["key"]: one for one in results if one["key"] in wanted}
    failed = [one for one in found.values() if one["failure"]]
    rows = [
        (operation, count, sum(point.operation == operation for point in distinct), _of(operation, found.values()),
         _of(operation, failed)) for operation, count in told.items()
    ]  # fmt: skip
    lines = [
        HEAD + when(list(found.values())),
        *([] if len(found) == len(wanted) else [f"\n**Not complete: {len(found)} of {len(wanted)}.**"]),
        "",
        "| Operation | Points | That differ | Recovered from | Failed |",
        "|---|---|---|---|---|",
        *(f"| {' | '.join(map(str, row))} |" for row in rows),
        f"| all | {' | '.join(str(sum(column)) for column in list(zip(*rows, strict=True))[1:])} |",
        *(["", "Failed:", ""] if failed else []),
        *(f"- {one['key']}: `{' '.join(one['failure'].split())[-600:].replace('`', chr(39))}`" for one in failed),
    ]
    return "\n".join(lines) + "\n", len(found) == len(wanted) and not failed


def _of(operation: str, results: Iterable[dict[str, Any]]) -> int:
    return sum(one["operation"] == operation for one in results)


if __name__ == "__main__":
    sys.exit(main())
