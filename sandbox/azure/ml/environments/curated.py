"""Microsoft's curated environments: which there are, and what stands for each of them here.

`curated.json` is a table of facts that `make refresh` writes (`tools/curated.py`). A name is known in three forms:
`AzureML-NAME` of a workspace, NAME in the registry `azureml`, and NAME alone where a registry is named beside it.
"""

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sandbox.azure.ml.environments.specification import Specification

TABLE = Path(__file__).with_name("curated.json")
REGISTRY = "azureml"
PREFIX = "AzureML-"
LATEST = "latest"
MLFLOW = "azureml-mlflow"
BOUNDED = (1, 61)  # from this version on it says which MLflow it works with
INSTEAD_OF_OLDER = f"{MLFLOW}==1.62.0.post5"
"""Stands for a pin that would take any MLflow."""
BEFORE_LOGGED_MODELS = "mlflow-skinny<3"
"""The MLflow beside it, as images of that age have: `log_model` of MLflow 3 fails at the service."""
# Version 1 of the SDK and its parts: they hold other packages back, and no job of version 2 needs them.
_FIRST_SDK = re.compile(r"azureml-(?!mlflow$|inference-server-http$|fsspec$).*|azure-ml(-component)?")
# Tools for looking into a process, and parts for GPUs: the first need rights, the second a device.
_LEFT_OUT = re.compile(r"torch-tb-profiler|py-spy|nvidia-.*|horovod|deepspeed|apex|mpi4py|onnxruntime-.*")
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True)
class Curated:
    """One curated environment.

    Attributes:
        name: Its name in the registry.
        latest: The number of its latest version; empty where that is not public.
        deprecated: Whether its source is gone from the repository.
        python: The Python version, as PEP 440 has it.
        packages: The requirements of the latest version.
        gpu: Whether it is made for GPUs.
        loose: By Python version, what stands for the requirements that have no wheel for it, by package.
        source: The tag of the release.
    """

    name: str
    latest: str
    deprecated: bool
    python: str
    packages: tuple[str, ...]
    gpu: bool
    loose: Mapping[str, Mapping[str, str]]
    source: str

    @property
    def names(self) -> list[str]:
        """The names of the packages that are installed here."""
        return [name for one in self.packages if not left_out(name := name_of(one))]

    def image(self, version: str) -> str:
        """The image that the service runs it in."""
        return f"mcr.microsoft.com/azureml/curated/{self.name}:{version}"


def name_of(requirement: str) -> str:
    """The package's name in a requirement."""
    found = _NAME.match(requirement)
    return found[0].lower() if found else requirement


def left_out(package: str) -> bool:
    """Whether a package is not installed here."""
    return bool(_FIRST_SDK.fullmatch(package) or _LEFT_OUT.fullmatch(package))


def loosened(row: Curated, loose: Mapping[str, str]) -> list[str]:
    """The requirements that are installed here; those of `loose` stand for those of the same package."""
    kept = [(name_of(one), one) for one in row.packages if not left_out(name_of(one))]
    pin = dict(kept).get(MLFLOW)
    stands, more = dict(loose), list[str]()
    if pin is not None:
        older = _number(pin.partition("==")[2]) < BOUNDED
        stands[MLFLOW], more = (INSTEAD_OF_OLDER, [BEFORE_LOGGED_MODELS]) if older else (pin, [])
    return [stands.get(name) or re.sub(r"\[and-cuda\]|\+cu\d+", "", one) for name, one in kept] + more


@cache
def _table() -> dict[str, Curated]:
    rows = json.loads(TABLE.read_text(encoding="utf-8"))["rows"] if TABLE.exists() else []
    return {row["name"].lower(): Curated(**{**row, "packages": tuple(row["packages"])}) for row in rows}


def find(name: str) -> Curated | None:
    """The curated environment of a name, with `AzureML-` before it or without; letters in either case."""
    return _table().get(name.lower().removeprefix(PREFIX.lower()))


def number(row: Curated, version: str) -> str:
    """The version's number: of `latest` the highest, of a number itself; empty where there is no such version."""
    if version in {LATEST, "default"}:
        return row.latest or "1"
    known = version.isdecimal() and 1 <= int(version) <= int(row.latest or sys.maxsize)
    return version if known else ""


def names() -> list[str]:
    """The names of all, as a registry has them."""
    return sorted(row.name for row in _table().values())


def specification(row: Curated, version: str) -> Specification:
    """What stands for a version of it here.

    Args:
        row: The environment.
        version: The version asked for.
    """
    host = f"{sys.version_info.major}.{sys.version_info.minor}"
    loose = row.loose.get(host) or row.loose.get(max(row.loose, key=_number, default=""), {})
    gone = sorted({name_of(one) for one in row.packages if left_out(name_of(one))})
    differs = [f"the curated image {row.image(version)} is not used: its packages come from PyPI"]
    if row.deprecated and not row.latest:
        differs.append(f"the content of {row.name} is not public: that of {row.source} stands for it")
    elif version != row.latest:
        differs.append(f"version {version} has the packages of version {row.latest}")
    if loose:
        differs.append(f"no wheel of the pinned version for Python {host}, so instead: {', '.join(loose.values())}")
    if gone:
        differs.append(f"left out: {', '.join(gone)}")
    if row.gpu:
        differs.append("the environment is made for GPUs: it runs on CPU")
    pins = {name_of(one): one for one in row.packages}
    return Specification(
        python=row.python,
        requirements=tuple(loosened(row, loose)),
        differs=tuple(differs),
        instead=(
            tuple(loosened(row, {name: same_major(one) for name, one in pins.items()})),
            tuple(loosened(row, {name: name for name in pins})),
        ),
    )


def same_major(requirement: str) -> str:
    """Widens a pin: `pandas~=1.3.0` becomes `pandas>=1.3.0,<2`. Without a pin, only the name is left."""
    pinned = re.search(r"(?:==|~=)\s*((\d+)[\w.]*)", requirement)
    name = name_of(requirement)
    return f"{name}>={pinned[1]},<{int(pinned[2]) + 1}" if pinned else name


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())
