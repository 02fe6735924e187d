"""`python -m tests.azure.cli`: runs the list of commands against a fresh sandbox and writes docs/azure-cli.md."""

import sys
import tempfile
from pathlib import Path

from tests.azure.cli import report
from tests.azure.cli.harness import NotInstalledError, carry_out_all, install
from tests.conftest import ROOT, Sandbox


def main() -> int:
    """Runs all; returns 1 where a command did not do what it must."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        try:
            binaries = install(place / "azure-cli")
        except NotInstalledError as error:
            print(error, file=sys.stderr)
            return 1
        sandbox = Sandbox(place / "sandbox")
        sandbox.directory.mkdir()
        sandbox.start()
        try:
            outcomes = carry_out_all(binaries, sandbox, place)
        finally:
            sandbox.stop()
    (ROOT / "docs" / "azure-cli.md").write_text(report.page(outcomes), encoding="utf-8")
    for outcome in outcomes:
        if outcome.problem:
            print(f"az {outcome.run}\n    {outcome.problem}", file=sys.stderr)
    return int(any(outcome.problem for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
