"""`python -m tools.curated`: the table of curated environments, anew from its public source.

Source: the releases of the repository Azure/azureml-assets, which are tagged `environment/NAME/VERSION` and hold the
Dockerfile with its files. Kept are facts alone: name, latest version, Python, packages. Which pins have no wheel for
the Pythons that this project runs on is found by uv, so that a job's environment is the same every time.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path

from uv import find_uv_bin

from sandbox.azure.ml.environments import dockerfile
from sandbox.azure.ml.environments.curated import TABLE, Curated, loosened, name_of, same_major
from sandbox.azure.ml.environments.errors import SpecificationError

REPOSITORY = "https://github.com/Azure/azureml-assets"
CLONE = Path(".cache") / "azureml-assets"
MOST = 300  # seconds for one question to uv, on a busy machine
PYTHONS = ("3.11", "3.12", "3.13")
# Families that people name in jobs and that are of use without a GPU; the others are parts of Microsoft's components.
FAMILIES = re.compile(r"(sklearn|lightgbm|tensorflow-2.1|acpt-pytorch-2|minimal-(py|ubuntu)|mlflow|mldesigner).*")
# Names of before 2022, which the repository does not have: assumed to be what their successor is. Source of the names:
# the tests of azure-ai-ml 1.35.2 and Microsoft's tutorials.
EARLIER = {
    "sklearn-0.24-ubuntu18.04-py37-cpu": "sklearn-1.0",
    "sklearn-1.0-ubuntu20.04-py38-cpu": "sklearn-1.0",
    "lightgbm-3.2-ubuntu18.04-py37-cpu": "lightgbm-3.3",
    "lightgbm-3.2-ubuntu20.04-py38-cpu": "lightgbm-3.3",
    "minimal-ubuntu18.04-py37-cpu-inference": "minimal-ubuntu20.04-py38-cpu-inference",
    "pytorch-1.10-ubuntu18.04-py38-cuda11-gpu": "acpt-pytorch-2.0-cuda11.7",
    "tensorflow-2.4-ubuntu18.04-py37-cuda11-gpu": "tensorflow-2.12-cuda11",
    "tensorflow-2.7-ubuntu20.04-py38-cuda11-gpu": "tensorflow-2.12-cuda11",
}


def main() -> int:
    """Writes the table."""
    parser = argparse.ArgumentParser(prog=f"python -m {__spec__.name}", description=__doc__)
    parser.add_argument("--clone", type=Path, help=f"a clone that is there; by default {CLONE} is made or updated")
    repository = parser.parse_args().clone or _clone()
    rows = [row for name, tags in _releases(repository).items() if (row := _row(repository, name, tags)) is not None]
    with ThreadPoolExecutor(2) as pool:
        rows = list(pool.map(_loosened, rows))
    known = {row.name: row for row in rows}
    rows += [replace(known[new], name=old, deprecated=True, latest="") for old, new in EARLIER.items()]
    commit = _git(repository, "rev-parse", "HEAD").strip()
    head = {"source": REPOSITORY, "commit": commit, "made by": "make refresh"}
    lines = ",\n".join(json.dumps(asdict(row)) for row in sorted(rows, key=lambda row: row.name))
    TABLE.write_text(f'{{"head": {json.dumps(head)},\n"rows": [\n{lines}\n]}}\n', encoding="utf-8")
    print(f"{TABLE.name}: {len(rows)} environments of {REPOSITORY} at {commit[:12]}")
    return 0


def _clone() -> Path:
    if CLONE.exists():
        _git(CLONE, "fetch", "--tags", "--quiet")
    else:
        command = ["git", "clone", "--quiet", "--bare", "--filter=blob:none", REPOSITORY, str(CLONE)]
        subprocess.run(command, check=True)
    return CLONE


def _git(repository: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(repository), *words], capture_output=True, text=True, check=True)
    return done.stdout


@cache
def _head(repository: Path) -> str:
    """The files of the newest commit."""
    return _git(repository, "ls-tree", "-r", "--name-only", "HEAD", "assets")


def _releases(repository: Path) -> dict[str, list[int]]:
    """The versions of each environment."""
    found: dict[str, list[int]] = {}
    for tag in _git(repository, "tag", "--list", "environment/*").split():
        _, name, version = tag.split("/", 2)
        if version.isdecimal() and FAMILIES.fullmatch(name):
            found.setdefault(name, []).append(int(version))
    return found


def _row(repository: Path, name: str, versions: list[int]) -> Curated | None:
    """The table's row for the latest release; None where the release has no Dockerfile."""
    latest = max(versions)
    tag, folder = f"environment/{name}/{latest}", f"latest/environment/{name}/context/"
    with tempfile.TemporaryDirectory() as scratch:
        for file in _git(repository, "ls-tree", "-r", "--name-only", tag, folder).splitlines():
            target = Path(scratch) / file.removeprefix(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(_git(repository, "show", f"{tag}:{file}"), encoding="utf-8")
        try:
            found = dockerfile.read(Path(scratch), leave=lambda part: None)
        except SpecificationError as error:
            print(f"{name}: left out: {error}")
            return None
    packages = [one for one in found.requirements if not one.startswith("-")]
    return Curated(
        name=name,
        latest=str(latest),
        deprecated=not re.search(rf"/environments/{re.escape(name)}/asset\.yaml$", _head(repository), re.MULTILINE),
        python=found.python,
        packages=tuple(dict.fromkeys(packages)),
        gpu="cuda" in name or "gpu" in name,
        loose={},
        source=tag,
    )


def _loosened(row: Curated) -> Curated:
    """The row with replacements for its pins, by Python: for pins without a wheel, then for pins in conflict.

    Another version of the same major number stands for a pin, or any version where there is no wheel of that either.
    """
    found: dict[str, dict[str, str]] = {}
    pins = {name_of(one): one for one in row.packages}
    for python in PYTHONS:
        loose: dict[str, str] = {}
        for alone in ("--no-deps", ""):
            while message := _unsolved(row, python, loose, alone):
                left = [name for name in row.names if loose.get(name) != name]
                if not left:
                    print(f"{row.name}: cannot be installed on Python {python}: {message[:300]}")
                    break
                named = [name for name in left if re.search(rf"\b{re.escape(name)}[\s=<>~!]", message)]
                for name in named[:1] if alone else (named or left):
                    loose[name] = name if name in loose else same_major(pins[name])
        found[python] = loose
        print(f"{row.name}: Python {python}: {', '.join(loose.values()) or 'as pinned'}", flush=True)
    return replace(row, loose=found)


def _unsolved(row: Curated, python: str, loose: dict[str, str], alone: str) -> str:
    """The message with which uv finds no set of wheels; empty where it finds one."""
    lines = "\n".join(loosened(row, loose))
    command = [find_uv_bin(), "pip", "compile", "--quiet", "--no-build", "--python-version", python, "-"]
    try:
        done = subprocess.run(
            [*command, *filter(None, [alone])], input=lines, capture_output=True, text=True, check=False, timeout=MOST
        )
    except subprocess.TimeoutExpired:
        return "no answer in time"
    return done.stderr.lower() if done.returncode else ""


if __name__ == "__main__":
    sys.exit(main())
