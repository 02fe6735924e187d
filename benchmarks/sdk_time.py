"""SDK time of the program: milliseconds a resource, beside the same program with azure-native's version aliases kept.

`python benchmarks/sdk_time.py [--teams N] [--rounds N] [--write]` runs the program against a resource monitor in the
same process, which answers at once: what is measured is the program and Pulumi's SDK, no engine and no provider. Both
variants run in turn, so that a busy machine hits them alike; the best round of each counts. `--write` puts the
result into docs/benchmarks/program.md.
"""

import argparse
import gc
import string
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a file, it knows only its own folder

from benchmarks.report import write
from settings import parse_department
from tests.program.harness import run_program, stack_file

LIMIT = 8.0
"""Milliseconds a resource that the program may cost."""


def department(teams: int, *, keep_version_aliases: bool) -> Any:
    """The dev stack's department with that many teams like its one."""
    stack = stack_file("dev")
    [team] = stack["teams"]
    named = [
        {
            **team,
            "name": f"team{i:03d}",
            "clusters": [
                {**cluster, "name": f"c{i:03d}{string.ascii_lowercase[j]}"}
                for j, cluster in enumerate(team["clusters"])
            ],
        }
        for i in range(teams)
    ]
    raw = {**stack, "teams": named, "keepVersionAliases": keep_version_aliases}
    parse_department(raw, "benchmark")
    return raw


def measure(teams: int, *, keep_version_aliases: bool) -> tuple[int, float]:
    """Resources registered, and seconds for one run."""
    raw = department(teams, keep_version_aliases=keep_version_aliases)
    gc.collect()
    start = time.perf_counter()
    run = run_program(raw)
    return len(run.resources), time.perf_counter() - start


def main() -> int:
    """Exit code 1 if the program costs more than the limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teams", type=int, default=10, help="teams of the department (default 10)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each variant (default 3)")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks/program.md")
    options = parser.parse_args()
    measure(1, keep_version_aliases=True)  # imports
    resources, dropped, kept = 0, float("inf"), float("inf")
    for _ in range(options.rounds):
        resources, seconds = measure(options.teams, keep_version_aliases=False)
        dropped = min(dropped, seconds * 1000 / resources)
        resources, seconds = measure(options.teams, keep_version_aliases=True)
        kept = min(kept, seconds * 1000 / resources)
    lines = [
        "| program | resources | ms a resource |",
        "|---|---|---|",
        f"| version aliases dropped (as it is) | {resources} | {dropped:.2f} |",
        f"| version aliases kept (`keepVersionAliases: true`) | {resources} | {kept:.2f} |",
        f"| ratio | | {kept / dropped:.1f} |",
    ]
    print("\n".join(lines))
    print(f"limit {LIMIT} ms a resource: {'kept' if dropped <= LIMIT else 'BROKEN'}")
    if options.write:
        words = (
            f"{options.teams} teams as in the dev stack; best of {options.rounds} rounds in turn.\n"
            f"The program may cost {LIMIT:g} ms a resource. Again: `python benchmarks/sdk_time.py --write`."
        )
        write("program", "SDK time of the program", words, lines)
    return 0 if dropped <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
