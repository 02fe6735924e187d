"""axe-core, which looks for what keys, screen readers and weak eyes cannot use: `python -m tests.studio.axe` gets it.

It is npm's package, kept below `.cache`; where there is no npm, its tests are skipped.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

from tests.conftest import ROOT
from tools.browser import Browser

VERSION = "4.14.1"
SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
FILE = ROOT / ".cache" / "axe" / f"axe-{VERSION}.min.js"
SERIOUS = ("serious", "critical")
RUN = "axe.run(document, {resultTypes: ['violations']}).then(found => found.violations)"


def fetch() -> Path | None:
    """The script, fetched if need be; None where there is no npm or no network."""
    if not FILE.exists():
        npm = shutil.which("npm")
        if npm is None:
            return None
        FILE.parent.mkdir(parents=True, exist_ok=True)
        command = [npm, "pack", "--silent", "--ignore-scripts", f"axe-core@{VERSION}"]
        if subprocess.run(command, cwd=FILE.parent, capture_output=True, check=False).returncode:
            return None
        with tarfile.open(FILE.parent / f"axe-core-{VERSION}.tgz") as packed:
            script = packed.extractfile("package/axe.min.js")
            assert script is not None
            FILE.write_bytes(script.read())
    found = hashlib.sha256(FILE.read_bytes()).hexdigest()
    assert found == SHA256, f"{FILE} is not the pinned axe-core: {found}"
    return FILE


def violations(browser: Browser, script: Path) -> list[str]:
    """What is serious on the page that the browser shows: rule and element."""
    browser.evaluate(script.read_text(encoding="utf-8"))
    answer = browser.call("Runtime.evaluate", expression=RUN, awaitPromise=True, returnByValue=True)
    found: list[dict[str, Any]] = answer["result"]["value"]
    return [
        f"{one['id']}: {node['html'][:200]} ({node.get('failureSummary', '')[:300]})"
        for one in found
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]


if __name__ == "__main__":
    print(fetch() or "axe-core could not be fetched: npm is not there, or does not answer; its tests are skipped")
    sys.exit(0)
