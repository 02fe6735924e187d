"""What an environment asks for: a conda file's Python version and packages, as requirements that pip understands."""

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from sandbox.yamlfile import read_yaml

# Packages that conda and PyPI call differently.
RENAMED = {
    "pytorch": "torch",
    "pytables": "tables",
    "opencv": "opencv-python-headless",
    "py-opencv": "opencv-python-headless",
    "py-xgboost": "xgboost",
    "matplotlib-base": "matplotlib",
    "dask-core": "dask",
    "msgpack-python": "msgpack",
}
INSTALLERS = {"pip", "setuptools", "wheel", "conda"}
# What conda brings that is no Python package: tools and libraries of the system.
_NATIVE = re.compile(
    r"lib(gcc|stdcxx|gomp|blas|lapack|curl|png|jpeg|xml2|ffi|uv).*|_libgcc.*|cuda.*|cudnn|nccl|gcc.*|gxx.*|openssl|"
    r"openmpi|mpich|mkl|openblas|r-.*|nodejs|git|make|cmake"
)
_CONDA = re.compile(r"(?:[\w.-]+::)?([A-Za-z0-9_.-]+)\s*(?:\[[^\]]*\])?\s*(.*)")
_KEY = re.compile(r"^\w+\s*:(?:\s|$)", re.MULTILINE)  # of a conda file; a requirements file has none
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class SpecificationError(Exception):
    """An environment that cannot be built here; the message says what is wrong with it."""


@dataclass(frozen=True)
class Specification:
    """What to install.

    Attributes:
        python: The Python version it asks for, such as `3.11`; empty for any.
        requirements: Lines of a requirements file, in the order given.
        differs: What of it cannot be had on this machine, for a warning.
    """

    python: str = ""
    requirements: tuple[str, ...] = ()
    differs: tuple[str, ...] = field(default=())


def specification(properties: dict[str, Any]) -> Specification:
    """What an environment version's properties ask for.

    Raises:
        SpecificationError: A build context, or a conda file that is not valid.
    """
    if properties.get("build"):
        raise SpecificationError(
            "An environment with a build context (a Dockerfile) cannot be built by the sandbox: describe it by an "
            "image and a conda file."
        )
    image, conda = properties.get("image"), properties.get("condaFile")
    if not conda:
        return Specification(differs=(f"the image {image} is not used: only what the host's Python has is there",))
    return parse(str(conda))


def parse(text: str) -> Specification:
    """A conda file, or a requirements file.

    Raises:
        SpecificationError: It is neither.
    """
    if not _KEY.search(text):
        return Specification(requirements=tuple(_requirement_lines(text.splitlines())))
    try:
        body = read_yaml(text)
    except yaml.YAMLError as error:
        raise SpecificationError(f"The conda file is no valid YAML: {error}") from error
    if not isinstance(body, dict):
        raise SpecificationError("The conda file must be a mapping with 'dependencies'.")
    python, lines, differs = "", list[str](), list[str]()
    dependencies = body.get("dependencies") or []
    if not isinstance(dependencies, list):
        raise SpecificationError("The conda file's 'dependencies' must be a list.")
    for one in dependencies:
        if isinstance(one, dict) and isinstance(one.get("pip"), list):
            lines += _requirement_lines([str(line) for line in one["pip"]])
        elif isinstance(one, str):
            name, version = _conda(one)
            if name == "python":
                python = version.lstrip("=<>~! ").rstrip(".*")
            elif _NATIVE.fullmatch(name):
                differs.append(f"the conda package {one} is no Python package and is left out")
            elif name not in INSTALLERS:
                lines.append(f"{RENAMED.get(name, name)}{_pip_version(version)}")
        else:
            raise SpecificationError(f"The conda file's dependency '{one}' is neither a package nor a pip list.")
    return Specification(python, tuple(lines), tuple(differs))


def _conda(text: str) -> tuple[str, str]:
    found = _CONDA.fullmatch(text.strip())
    if found is None or not _NAME.fullmatch(found[1]):
        raise SpecificationError(f"The conda file's dependency '{text}' is not valid.")
    return found[1].lower(), found[2].strip()


def _pip_version(version: str) -> str:
    """`=1.2` is any 1.2 to conda, `==1.2` exactly that; a build string after a second `=` is dropped."""
    if re.match(r"=[^=]", version):
        number = version[1:].split("=", maxsplit=1)[0].rstrip(".*")
        return f"=={number}.*" if number else ""
    exact = re.fullmatch(r"==([^=,]+)=[^=]+", version)
    if exact:
        return f"=={exact[1]}"
    if re.match(r"\d", version):
        return f"=={version.split(maxsplit=1)[0]}"
    return version


def _requirement_lines(lines: list[str]) -> list[str]:
    """Lines that pip understands, without those that name files of the author's machine.

    Raises:
        SpecificationError: A line needs such a file.
    """
    found = []
    for line in (raw.split(" #")[0].strip() for raw in lines):
        if not line or line.startswith("#"):
            continue
        if re.match(r"(-r|-c|-e|--requirement|--constraint|--editable|file:|\.{0,2}/)", line) or "\n" in line:
            raise SpecificationError(f"The requirement '{line}' names a file, which an environment does not have.")
        if not re.match(r"[A-Za-z0-9]|--\w", line):
            raise SpecificationError(f"The requirement '{line}' is not valid.")
        found.append(line)
    return found
