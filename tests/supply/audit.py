"""`python -m tests.supply.audit`: are vulnerabilities known of the pinned packages? Asks pip-audit, run by uv.

Exit code 0: all were looked up and none is known. 1: some are, and are listed. 77: not all could be looked up, so
nothing was shown; the reason is told. pip-audit asks pypi.org's own interface, which a mirror of packages lacks.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PIP_AUDIT = "pip-audit==2.10.0"
PASSED, VULNERABLE, SKIPPED = 0, 1, 77  # the last as automake's tests say it
SECONDS = 300


def verdict(output: str, complaints: str) -> tuple[int, list[str]]:
    """Exit code and lines for a person, from what pip-audit wrote.

    Args:
        output: Its JSON; anything else where it failed.
        complaints: Its standard error.
    """
    try:
        packages: list[dict[str, Any]] = json.loads(output)["dependencies"]
    except (ValueError, KeyError, TypeError):
        reason = (complaints.strip() or "it wrote nothing").splitlines()[-1]
        return SKIPPED, [f"SKIPPED, nothing was looked up: {reason[:300]}"]
    bad = [
        f"{package['name']} {package['version']}: {known['id']}, mended in {', '.join(known['fix_versions']) or 'none'}"
        for package in packages
        for known in package.get("vulns", ())
    ]
    unknown = [package["name"] for package in packages if "vulns" not in package]
    if bad:
        return VULNERABLE, [*bad, f"{len(bad)} known vulnerabilities in {len(packages)} packages"]
    if unknown or not packages:
        return SKIPPED, [f"SKIPPED: {len(unknown)} of {len(packages)} packages could not be looked up from here"]
    return PASSED, [f"{len(packages)} packages, no vulnerability known"]


def main() -> int:
    """Runs it."""
    run = [str(Path(sys.executable).with_name("uv")), "tool", "run", "--from", PIP_AUDIT, "pip-audit"]
    which = ["-r", "requirements.txt", "--disable-pip", "--require-hashes"]
    options: dict[str, Any] = {
        "env": {"UV_CACHE_DIR": str(ROOT / ".cache" / "uv"), **os.environ},  # nothing is left outside the tree
        "cwd": ROOT,
        "timeout": SECONDS,
    }
    command = [*run, *which, "--format", "json", "--progress-spinner", "off"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    except (OSError, subprocess.TimeoutExpired) as error:
        code, lines = verdict("", str(error))
    else:
        code, lines = verdict(done.stdout, done.stderr)
    for line in lines:
        print(f"audit: {line}")
    return code


if __name__ == "__main__":
    sys.exit(main())
