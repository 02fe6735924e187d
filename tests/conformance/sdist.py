"""azure-ai-ml's sdist with its tests, and the environment that runs them: both below `.soak`, from PyPI."""

import importlib.metadata
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import yaml

from tests.program.harness import ROOT
from tests.results import FOLDER

PACKAGE = "azure-ai-ml"
HERE = Path(__file__).parent
HOME = FOLDER / "conformance"
UV = Path(sys.executable).with_name("uv")


class UnavailableError(Exception):
    """The sdist or a package cannot be had; the message says why."""


def version() -> str:
    """The version of azure-ai-ml that this project pins."""
    return importlib.metadata.version(PACKAGE)


def source() -> Path:
    """The unpacked sdist, with our configuration files where it has none.

    Raises:
        UnavailableError: It cannot be downloaded, or has no tests.
    """
    name = f"{PACKAGE.replace('-', '_')}-{version()}"
    archive, folder = HOME / f"{name}.tar.gz", HOME / name
    HOME.mkdir(parents=True, exist_ok=True)
    if not archive.exists():
        words = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", PACKAGE]
        _run([*words, "--dest", str(HOME), f"{PACKAGE}=={version()}"], "the sdist cannot be downloaded")
    if not folder.exists():
        with tarfile.open(archive) as packed:
            packed.extractall(HOME, filter="data")
    if not (folder / "tests" / "conftest.py").exists():
        raise UnavailableError(f"{archive.name} has no tests")
    for file in sorted((HERE / "configs").glob("*.yaml")):
        _lay(file, folder / "tests" / "test_configs")
    return folder


def _lay(file: Path, target: Path) -> None:
    """The files that one of ours describes: text as it is, anything else as YAML."""
    for name, content in (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).items():
        if name.startswith("."):  # parts that others refer to
            continue
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else yaml.dump(content, sort_keys=False, Dumper=_Plain)
        path.write_text(text, encoding="utf-8")


class _Plain(yaml.SafeDumper):
    """Writes what several places share in full at each."""

    def ignore_aliases(self, data: object) -> bool:
        del data
        return True


def python() -> Path:
    """The interpreter of the tests' environment: the packages that this project pins, and those of the tests.

    Raises:
        UnavailableError: A package cannot be had.
    """
    folder, wanted = HOME / "venv", HERE / "packages.txt"
    mark, key = folder / ".made-from", (ROOT / "requirements.txt").read_text() + wanted.read_text()
    if not (mark.exists() and mark.read_text() == key):
        _run([str(UV), "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)], "no environment")
        at = ["--quiet", "--python", str(folder / "bin" / "python")]
        _run([str(UV), "pip", "sync", *at, str(ROOT / "requirements.txt")], "a package cannot be had")
        _run([str(UV), "pip", "install", *at, "-r", str(wanted)], "a package cannot be had")
        mark.write_text(key)
    return folder / "bin" / "python"


def _run(words: list[str], wrong: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "UV_OFFLINE"}
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise UnavailableError(f"{wrong}: {last}")
