"""`python -m tests.azure.go.modules`: builds the Go program with each version of azidentity, where Go is installed.

`make prepare` runs it, as this needs a network. Without Go or without the modules it says so and ends with 0: the test
is then skipped.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
CACHE = HERE.parents[2] / ".cache" / "go"
VERSIONS = {"1.12.0": "azidentity-1.12.0.mod", "1.13.0": "azidentity-1.13.0.mod", "1.15.0": "go.mod"}
"""azidentity's versions, and the module file of each. The first two refuse metadata with another issuer."""


def binary(version: str) -> Path:
    """Where the program built with a version of azidentity is."""
    return CACHE / f"signin-{version}"


def build() -> list[str]:
    """Builds what is not built yet; gives a line for what could not be."""
    go = shutil.which("go")
    if go is None:
        return ["Go is not installed: the sign-in of Go programs is not tested"]
    missing = {version: module for version, module in VERSIONS.items() if not binary(version).exists()}
    with tempfile.TemporaryDirectory() as folder:  # modules and objects take 280 MB, and are not needed again
        return [
            problem for version, module in missing.items() if (problem := _build(go, version, module, Path(folder)))
        ]


def _build(go: str, version: str, module: str, folder: Path) -> str:
    """Builds one program; gives why it could not be, or nothing."""
    variables = {
        **os.environ,
        "GOMODCACHE": str(folder / "modules"),
        "GOCACHE": str(folder / "build"),
        "GOFLAGS": "-modcacherw",
        "GOTOOLCHAIN": "local",
        "CGO_ENABLED": "0",
    }
    command = [go, "build", f"-modfile={module}", "-o", str(binary(version)), "."]
    done = subprocess.run(command, cwd=HERE, env=variables, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode == 0:
        return ""
    lines = done.stderr.strip().splitlines() or ["no reason given"]
    return f"the Go program with azidentity {version} could not be built: {lines[-1]}"


if __name__ == "__main__":
    for problem in build():
        print(problem)
