"""VM sizes and their prices, from the pack's own copy of the platform's tables, whose heads name their sources."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

_DATA = Path(__file__).with_name("data")
_PARTS = re.compile(r"STANDARD_([A-Z]+)\d+(?:-\d+)?([A-Z]*)(?:_[A-Z0-9]+)??(?:_(V\d+))?")
FALLBACK_REGION = "eastus"


@dataclass(frozen=True)
class VmSize:
    """One VM size.

    Attributes:
        name: As Azure ML writes it, in capitals: `STANDARD_DS3_V2`.
        family: Name of the vCPU quota that a dedicated node of this size draws on.
        vcpus: Virtual CPUs of a node.
    """

    name: str
    family: str
    vcpus: int


@cache
def known() -> Mapping[str, VmSize]:
    """All sizes of the table by name."""
    return {row["size"]: VmSize(row["size"], row["family"], int(row["vcpus"])) for row in _rows("vm_sizes.csv")}


def families() -> list[str]:
    """The vCPU quotas of the table's sizes."""
    return sorted({size.family for size in known().values()})


def find(name: str) -> VmSize | None:
    """The size of that name in any letter case; None if the table has none."""
    return known().get(name.upper())


@cache
def _prices() -> Mapping[tuple[str, str], Mapping[str, str]]:
    return {(row["size"], row["priority"]): row for row in _rows("vm_prices.csv") if row["size"] != "asOf"}


def hourly(name: str, region: str | None, *, low_priority: bool = False) -> float | None:
    """US dollars an hour of a node, None where it is not known.

    Args:
        name: The size.
        region: Azure region; the table's most usual one if it is None.
        low_priority: Whether the node may be taken away.
    """
    row = _prices().get((name.upper(), "lowPriority" if low_priority else "dedicated"))
    text = row.get((region or FALLBACK_REGION).replace(" ", "").lower(), "") if row else ""
    return float(text) if text else None


def matches(name: str, pattern: str) -> bool:
    """Whether a size is the one that a list names, or of the family: `Standard_DS3_v2`, `Standard_DSv2*`."""
    name, pattern = name.upper(), pattern.upper()
    if not pattern.endswith("*"):
        return name == pattern
    return fnmatchcase(name, pattern) or fnmatchcase(_series(name), _plain(pattern))


def nearest(name: str, patterns: Iterable[str], region: str | None) -> list[VmSize]:
    """The three sizes among the allowed ones that are nearest in vCPUs, then in price."""
    wanted, price = find(name), hourly(name, region)
    allowed = [size for size in known().values() if any(matches(size.name, pattern) for pattern in patterns)]

    def distance(size: VmSize) -> tuple[float, float, str]:
        own = hourly(size.name, region)
        apart = abs(own - price) if own is not None and price is not None else float("inf")
        return (abs(size.vcpus - wanted.vcpus) if wanted else 0, apart, size.name)

    return sorted(allowed, key=distance)[:3]


def _series(name: str) -> str:
    """The series of a size, such as `STANDARDDSV2`: by the table, else by the name's own parts."""
    if size := find(name):
        return _plain(size.family).removesuffix("FAMILY")
    match = _PARTS.fullmatch(name)
    return "STANDARD" + "".join(part or "" for part in match.groups()) if match else _plain(name)


def _plain(text: str) -> str:
    return re.sub(r"[^A-Z0-9*]", "", text.upper())


def _rows(file: str) -> Iterator[Mapping[str, str]]:
    lines = (_DATA / file).read_text(encoding="utf-8").splitlines()
    yield from csv.DictReader(line for line in lines if not line.startswith("#"))
