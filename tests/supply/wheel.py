"""The wheel, installed into an empty environment, as another project has it.

`python -m tests.supply.wheel` does so once with a network (`make prepare`), so that the tests need none: uv keeps what
the packages say of themselves.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.conftest import ROOT
from tools.hatch_build import EXTRAS

UV = Path(sys.executable).with_name("uv")


def build(folder: Path) -> Path:
    """Build the wheel, without a network."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (wheel,) = folder.glob("*.whl")
    return wheel


def install(wheel: Path, extra: str, folder: Path) -> Path:
    """Install the wheel and what an extra brings, in the project's versions; returns the folder of its scripts."""
    requirement = f"azureml-platform[{extra}] @ {wheel.as_uri()}"
    into = ["--python", str(folder / "bin" / "python"), "--constraint", str(ROOT / "requirements.txt")]
    for command in (["venv", str(folder)], ["pip", "install", *into, requirement]):
        subprocess.run(
            [UV, "--quiet", *command],
            env={**os.environ, "UV_CACHE_DIR": str(ROOT / ".cache" / "uv")},
            check=True,
            timeout=240,
        )
    return folder / "bin"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=ROOT / ".cache") as made:
        for needed in EXTRAS:
            install(build(Path(made)), needed, Path(made) / needed)
