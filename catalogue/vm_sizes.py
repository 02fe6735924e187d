"""The VM sizes known to the platform, from the dated table `vm_sizes.csv`, whose head names its sources."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_name("vm_sizes.csv")


@dataclass(frozen=True)
class VmSize:
    """One VM size.

    Attributes:
        name: As Azure ML writes it, in capitals: `STANDARD_DS3_V2`.
        family: Name of the vCPU quota that a dedicated node of this size draws on.
        vcpus: Virtual CPUs of a node.
        memory: Memory of a node in GiB.
        gpus: GPUs of a node.
        gpu: Model of the GPU, empty where there is none.
        retired: Day from which Azure starts no such node any more, if it has been named.
        successor: Size to take instead of a retired one.
    """

    name: str
    family: str
    vcpus: int
    memory: float
    gpus: int
    gpu: str
    retired: date | None
    successor: str


@cache
def known() -> Mapping[str, VmSize]:
    """All sizes of the table by name."""
    lines = (line for line in TABLE.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    return {row["size"]: _size(row) for row in csv.DictReader(lines)}


def _size(row: Mapping[str, str]) -> VmSize:
    return VmSize(
        name=row["size"],
        family=row["family"],
        vcpus=int(row["vcpus"]),
        memory=float(row["memory"]),
        gpus=int(row["gpus"]),
        gpu=row["gpu"],
        retired=date.fromisoformat(row["retired"]) if row["retired"] else None,
        successor=row["successor"],
    )


def find(name: str) -> VmSize | None:
    """The size of that name in any letter case, as Azure compares them; None if the table has none."""
    return known().get(name.upper())
