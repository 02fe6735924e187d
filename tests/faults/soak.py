"""The long runs: `python -m tests.faults.soak`. Seeds of faults, and the sandbox killed at random moments.

Each result is a line in `.soak/results.jsonl` as soon as it is there: a soak that was stopped goes on where it was, and
docs/soak.md is written anew from all lines whenever it ends.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Sandbox
from tests.faults.kills import KILLS, Killed
from tests.faults.plans import BARS, BEYOND, Bar
from tests.faults.report import summary
from tests.faults.sweep import Life, plan, quick, small_example, struck, unclear
from tests.program.harness import ROOT
from tests.results import Results

DOCUMENT = ROOT / "docs" / "soak.md"


def main(argv: list[str] | None = None) -> int:
    """Runs what has no result yet; 1 where a bar is not met."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.soak", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="lives under each plan")
    parser.add_argument("--kills", type=int, default=100, help="kills of the sandbox in all")
    parser.add_argument("--minutes", type=float, default=0, help="begin nothing new after these; 0: without end")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="lives and kills at a time")
    args = parser.parse_args(argv)
    results = Results("results.jsonl")
    end = time.monotonic() + args.minutes * 60 if args.minutes else float("inf")
    with tempfile.TemporaryDirectory() as scratch:
        _go_on(list(_work(args.seeds, args.kills)), results, Path(scratch), args.workers, end)
    text, met = summary(results.all(), args.seeds, args.kills)
    DOCUMENT.write_text(text, encoding="utf-8")
    print(text)
    return 0 if met else 1


def _work(seeds: int, kills: int) -> Iterator[str]:
    """All that is to be done, each kind spread over the whole, so that a part of it is a fair sample."""
    for number in range(max(seeds, kills)):
        for bar in (*BARS.values(), BEYOND):
            if number < seeds * bar.part:
                yield f"{bar.name} {number}"
        if number < kills:
            yield f"kill {number}"


def _go_on(work: list[str], results: Results, scratch: Path, workers: int, end: float) -> None:
    """Do what has no result yet, each in a process that has done little before."""
    known = {one["key"] for one in results.all()}
    left = iter([key for key in work if key not in known])
    done, running = len(known), dict[Future[dict[str, Any]], str]()
    with ProcessPoolExecutor(workers, get_context("spawn"), initializer=_hurry, max_tasks_per_child=20) as pool:
        while True:
            while len(running) < workers and time.monotonic() < end and (key := next(left, None)):
                running[pool.submit(_result, key, scratch)] = key
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                done += 1
                kept = results.keep(running.pop(future), future.result())
                print(f"{time.strftime('%H:%M:%S')} {done}/{len(work)} {_line(kept)}", flush=True)


def _hurry() -> None:
    quick(pytest.MonkeyPatch())


def _result(key: str, scratch: Path) -> dict[str, Any]:
    name, _, number = key.rpartition(" ")
    if name == "kill":
        return _kill(list(KILLS)[int(number) % len(KILLS)], int(number), scratch)
    return _life(BEYOND if name == BEYOND.name else BARS[name], int(number), scratch)


def _life(bar: Bar, seed: int, scratch: Path) -> dict[str, Any]:
    folder = scratch / f"{bar.name}-{seed}"
    folder.mkdir()
    sandbox, rules = Sandbox(folder / ".sandbox"), bar.rules(seed)
    sandbox.directory.mkdir(mode=0o700)
    environments = scratch / f"environments-{os.getpid()}"  # a job's packages are built once in a process
    environments.mkdir(exist_ok=True)
    (sandbox.directory / "environments").symlink_to(environments)
    try:
        with pytest.MonkeyPatch.context() as patch:
            sandbox.start()
            sandbox.sign_in(patch)
            plan(sandbox, seed, *rules)
            tried = list(Life(sandbox, folder, 3, small_example(folder)).go())
        faults = Counter(struck(sandbox))
        sandbox.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    texts = [(one.operation, text) for one in tried for text in one.texts]
    return {
        "bar": bar.name,
        "seed": seed,
        "kind": rules[0].partition(",")[0] if len(rules) == 1 else "",
        "runs": {one.operation: one.runs for one in tried},
        "faults": faults,
        "seconds": round(sum(one.seconds for one in tried), 1),
        "unclear": [[name, why, text[-2000:]] for name, text in texts if (why := unclear(text))],
        "said": [[name, text[-600:]] for name, text in texts],
    }


def _kill(kind: str, number: int, scratch: Path) -> dict[str, Any]:
    folder = scratch / f"kill-{number}"
    folder.mkdir()
    began = time.monotonic()
    try:
        found: Killed = KILLS[kind](folder, number)
    except AssertionError as error:
        found = Killed(0, str(error)[:2000] or "a check failed")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {"bar": "kill", "seed": number, "kind": kind, "seconds": round(time.monotonic() - began, 1), **asdict(found)}


def _line(result: dict[str, Any]) -> str:
    if result["bar"] == "kill":
        return f"{result['key']} ({result['kind']}): {result['lost'] or str(result['acknowledged']) + ' acknowledged'}"
    return f"{result['key']} {result['kind']} {result['runs']} {sum(result['faults'].values())} faults"


if __name__ == "__main__":
    sys.exit(main())
