"""Conda files: their match specifications as requirements that pip understands.

Source: docs.conda.io, "Package match specifications" and "Creating an environment from a file"; PyPI, conda-forge for
the names. What conda brings that is no Python package is left out, by name where it is known, else when PyPI lacks it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import translate
from functools import cache
from pathlib import Path

import yaml

from sandbox.azure.ml.environments import requirements
from sandbox.azure.ml.environments.errors import SpecificationError
from sandbox.yamlfile import read_yaml

# Packages that conda and PyPI call differently.
RENAMED = {
    "brotli-python": "brotli",
    "dask-core": "dask",
    "importlib_metadata": "importlib-metadata",
    "jupyter_core": "jupyter-core",
    "lightgbm-cpu": "lightgbm",
    "matplotlib-base": "matplotlib",
    "msgpack-python": "msgpack",
    "opencv": "opencv-python-headless",
    "protobuf-python": "protobuf",
    "py-lightgbm": "lightgbm",
    "py-opencv": "opencv-python-headless",
    "py-xgboost": "xgboost",
    "py-xgboost-cpu": "xgboost",
    "pyarrow-core": "pyarrow",
    "pytables": "tables",
    "python-duckdb": "duckdb",
    "python-flatbuffers": "flatbuffers",
    "python-graphviz": "graphviz",
    "python-xxhash": "xxhash",
    "pytorch": "torch",
    "pytorch-cpu": "torch",
    "qtconsole-base": "qtconsole",
    "ruamel_yaml": "ruamel.yaml",
    "seaborn-base": "seaborn",
    "tensorflow-base": "tensorflow",
    "tensorflow-cpu": "tensorflow",
    "uvicorn-standard": "uvicorn[standard]",
}
INSTALLERS = frozenset({"pip", "setuptools", "wheel", "conda", "mamba"})
_NATIVE_FILE = Path(__file__).with_name("native.txt")
_PYTHON_AFTER_ALL = frozenset(
    {"libarchive-c", "libcst", "libpysal", "librosa", "libsass", "libtaxii", "libtmux", "libusb1"}
)
_MATCH = re.compile(r"(?:[^\s:\[\]]+::)?([A-Za-z0-9_][\w.-]*)\s*(\[[^\]]*\])?\s*(.*?)\s*(\[[^\]]*\])?")
_NUMBER = r"\d[\w.*+!]*"
_RELEASE = re.compile(r"\d+(\.\d+)*")
_PUBLIC = re.compile(r"\d+(\.\d+)*(\.?(a|b|rc|post|dev)\d+)*")


@dataclass
class Conda:
    """What a conda file asks for.

    Attributes:
        python: The Python version, as PEP 440 has it; empty for any.
        requirements: Lines for pip.
        packages: Those of the lines that stand for conda packages.
        left_out: A sentence's beginning for each package that is left out.
    """

    python: str = ""
    requirements: list[str] = field(default_factory=list)
    packages: set[str] = field(default_factory=set)
    left_out: list[str] = field(default_factory=list)

    def add(self, package: str) -> None:
        """Takes one match specification, such as `numpy=1.26`, `conda-forge::numpy>=1.2,<2` or `xz=5.4.6=h5eee18b_0`.

        Raises:
            SpecificationError: It is none.
        """
        name, version = _match(package)
        if name == "python":
            self.python = re.sub(r"^==(\d+\.\d+)$", r"==\1.*", version)  # 3.11 is meant, not 3.11.0
        elif _native(name):
            self.left_out.append(f"the conda package {package} is no Python package and is left out")
        elif name not in INSTALLERS:
            line = f"{RENAMED.get(name, name)}{version}"
            self.requirements.append(line)
            self.packages.add(line)


def read(text: str, include: Callable[[str], list[str]] | None = None) -> Conda:
    """A conda file.

    Args:
        text: The file.
        include: Gives the lines of a requirements file that its pip list names; without it there is none.

    Raises:
        SpecificationError: It is none.
    """
    try:
        body = read_yaml(text)
    except yaml.YAMLError as error:
        raise SpecificationError(f"The conda file is no valid YAML: {error}") from error
    if not isinstance(body, dict):
        raise SpecificationError("The conda file must be a mapping with 'dependencies'.")
    dependencies = body.get("dependencies") or []
    if not isinstance(dependencies, list):
        raise SpecificationError("The conda file's 'dependencies' must be a list.")
    found = Conda()
    for one in dependencies:
        if isinstance(one, dict) and isinstance(one.get("pip") or [], list):
            for line in one.get("pip") or []:
                found.requirements += requirements.lines(str(line), include)
        elif isinstance(one, str):
            found.add(one)
        else:
            raise SpecificationError(f"The conda file's dependency '{one}' is neither a package nor a pip list.")
    return found


def _native(name: str) -> bool:
    return name not in _PYTHON_AFTER_ALL and _natives().fullmatch(name) is not None


@cache
def _natives() -> re.Pattern[str]:
    listed = _NATIVE_FILE.read_text(encoding="utf-8").splitlines()
    return re.compile("|".join(["_.*", *(translate(one) for one in listed if one and one[0] != "#")]))


def _match(text: str) -> tuple[str, str]:
    """Name and version of a match specification; the version as PEP 440 has it, without the build."""
    found = _MATCH.fullmatch(re.sub(r"\s#.*", "", text).strip())
    if found is None:
        raise SpecificationError(f"The conda file's dependency '{text}' is not valid.")
    bracket = re.search(r"version\s*=\s*['\"]?([^'\"\]]*)", found[2] or found[4] or "")
    version = _pep440(bracket[1] if bracket else found[3])
    if version is None:
        raise SpecificationError(f"The conda file's dependency '{text}' is not valid: '{found[3]}' is no version.")
    return found[1].lower(), version


def _pep440(version: str) -> str | None:
    """`=1.2` and `1.2.*` are any 1.2 to conda, `==1.2` and `1.2` exactly that; a build may follow. None: no version."""
    version = version.strip()
    if version in {"", "*", "=", "=*"} or "|" in version:  # alternatives are beyond pip: any version
        return ""
    spaced = re.fullmatch(rf"(={{0,2}}\s*{_NUMBER})(?:\s*=\s*|\s+)[\w.*+]+", version)  # with a build
    version = spaced[1] if spaced else version
    parts = [_clause(part.strip()) for part in version.split(",")]
    return None if None in parts else ",".join(part for part in parts if part)


def _clause(text: str) -> str | None:
    """One part of a version: as PEP 440 has it, empty for any version, None for no version at all."""
    found = re.fullmatch(rf"(={{1,2}}|>=|<=|>|<|!=|~=|)\s*({_NUMBER})", text)
    if text == "*" or found is None:
        return "" if text == "*" else None
    sign, number = found[1], found[2].rstrip(".*")
    if not _PUBLIC.fullmatch(number):  # `2024a`, `9e`: conda alone has such versions
        return ""
    any_of = sign == "=" or (found[2].endswith("*") and sign in {"", "==", "!="})
    if any_of and not _RELEASE.fullmatch(number):
        any_of = False
    return f"{sign if sign in {'>=', '<=', '>', '<', '!=', '~='} else '=='}{number}{'.*' if any_of else ''}"
