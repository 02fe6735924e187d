"""Runs the tests and writes docs/conformance.md: `python -m tests.conformance [--only COMPONENT…] [TEST…]`."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from tests.conformance import sdist, world
from tests.conformance.report import summary
from tests.conftest import Sandbox
from tests.program.harness import ROOT

SUITES = (
    "code_asset",
    "dataset",
    "datastore",
    "environment",
    "model",
    "compute",
    "component",
    "command_job",
    "sweep_job",
    "online_services",
    "batch_services",
    "pipeline_job",
    "dsl",
    "schedule",
    "registry",
)
DOCUMENT = ROOT / "docs" / "conformance.md"
SECONDS = 180  # of one test


def main() -> int:
    """1 where the bar is not met."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="tests at a time")
    parser.add_argument("--results", type=Path, help="keep the results here and leave the page alone")
    parser.add_argument("tests", nargs="*", help="suites or tests below azure-ai-ml's tests; all by default")
    arguments = parser.parse_args()
    try:
        folder, python = sdist.source(), sdist.python()
    except sdist.UnavailableError as error:
        print(f"Skipped: azure-ai-ml's own tests need its sdist from PyPI: {error}")
        return 0
    results = arguments.results or sdist.HOME / "results.jsonl"
    results.unlink(missing_ok=True)
    sandbox = Sandbox(sdist.HOME / "sandbox")
    sandbox.command("stop")
    sandbox.start()
    try:
        sandbox.command("reset")
        made = world.make(sandbox)
        surroundings = world.variables(sandbox, made)
        os.environ.update(surroundings)
        world.fill(folder / "tests" / "test_configs")
        chosen = [f"tests/{one}/e2etests" if one in SUITES else f"tests/{one}" for one in arguments.tests or SUITES]
        environment = {**surroundings, "CONFORMANCE_RESULTS": str(results.resolve())}
        _pytest([str(python), "-m", "pytest", *_words(folder, arguments.workers), *chosen], folder, environment)
    finally:
        sandbox.stop()
    found = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
    text, met = summary(found, sdist.version())
    print(text)
    if not arguments.tests and not arguments.results:
        DOCUMENT.write_text(text, encoding="utf-8")
    return 0 if met else 1


def _words(folder: Path, workers: int) -> list[str]:
    """pytest's options: none of this project's, our plugin, so many workers."""
    plain = ["--rootdir", str(folder), "-c", os.devnull, "-p", "plugin", "-p", "no:cacheprovider", "-m", "e2etest"]
    spread = ["-n", str(workers), "--dist", "loadscope"] if workers > 1 else []
    return [*plain, "-q", "--tb=short", "--timeout", str(SECONDS), "--continue-on-collection-errors", *spread]


def _pytest(command: list[str], folder: Path, surroundings: dict[str, str]) -> None:
    """Runs the tests in the sdist's folder, as their paths need."""
    here = Path(__file__).parent
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AZURE_", "UV_"))},
        **surroundings,
        "PYTHONPATH": os.pathsep.join([str(here / "devtools"), str(here), str(folder / "tests")]),
    }
    subprocess.run(command, cwd=folder, env=environment, check=False, stdout=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
