"""A department's preview under the embedded engine: milliseconds a resource above the SDK alone, for 10, 50, 200 teams.

`python benchmarks/departments.py [--teams N ...] [--write]`: the program itself, with teams like the dev stack's, and
with the five of `tests/program/stacks/Pulumi.private.yaml` in private networks, once with the SDK against a monitor in
the same process that answers at once, once under the engine with the stand-ins for azure-native and azuread and a
sandbox, which answers what the program looks up. `--write` puts the result into docs/benchmarks/departments.md.
"""

import argparse
import gc
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a file, it knows only its own folder

from benchmarks.report import peak_memory, write
from benchmarks.sdk_time import department
from sandbox.process import COLLECT_EVERY
from tests.conftest import Sandbox
from tests.program.harness import run_program
from tests.program.hub import department as private
from tests.program.stack import Stack

ROUNDS = 2
"""Of departments up to this many resources; of larger ones, one."""
SMALL = 3000


def alone(raw: object) -> tuple[int, float]:
    """Resources, and seconds of the SDK alone."""
    gc.collect()
    begun = time.perf_counter()
    run = run_program(raw, preview=True)
    return len(run.resources), time.perf_counter() - begun


def previewed(stack: Stack, raw: object) -> float:
    """Seconds of a preview under the engine, without the policy pack."""
    gc.collect()
    begun = time.perf_counter()
    code, text = stack.run("preview", "--config-file", stack.configure(raw), "--non-interactive")
    assert code == 0, text[-3000:]
    return time.perf_counter() - begun


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teams", type=int, nargs="+", default=[10, 50, 200])
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks/departments.md")
    options = parser.parse_args()
    lines = [
        "| teams | resources | SDK alone, s | preview, s | SDK alone, ms a resource | engine above it, ms | peak, MB |",
        "|---|---|---|---|---|---|---|",
    ]
    gc.set_threshold(COLLECT_EVERY)  # as the engine's process does: the SDK alone gains from it as much
    with tempfile.TemporaryDirectory() as folder:
        sandbox = Sandbox(Path(folder) / ".sandbox")
        sandbox.start()
        try:
            stack = Stack(sandbox, Path(folder))
            previewed(stack, department(1, keep_version_aliases=False))  # imports
            asked = {str(teams): department(teams, keep_version_aliases=False) for teams in options.teams}
            for teams, raw in {"5, private": private(), **asked}.items():
                count, sdk = alone(raw)
                engine = previewed(stack, raw)
                for _ in range(ROUNDS - 1 if count <= SMALL else 0):
                    sdk, engine = min(sdk, alone(raw)[1]), min(engine, previewed(stack, raw))
                each, above = sdk / count * 1000, (engine - sdk) / count * 1000
                lines.append(
                    f"| {teams} | {count} | {sdk:.1f} | {engine:.1f} | {each:.2f} | {above:.2f} | {peak_memory():.0f} |"
                )
                print(lines[-1], flush=True)
        finally:
            sandbox.stop()
    print("\n".join(lines))
    if options.write:
        words = (
            "The program with five teams in private networks, and with teams like the dev stack's. Measured are a\n"
            "preview under the embedded engine, with the stand-in providers, a sandbox and no policy pack, and the\n"
            "SDK alone. Both have the engine's setting of the garbage collector. The SDK alone waits for its outputs\n"
            "in its own way, and its monitor unpacks every request, so the engine can be quicker. Again: `python\n"
            "benchmarks/departments.py --write`."
        )
        write("departments", "A department's preview", words, lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
