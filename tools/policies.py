"""What the policy pack has of the rest of the repository: copies, so that its folder can be taken elsewhere."""

from __future__ import annotations

import tomllib
from pathlib import Path

from policies import config

ROOT = Path(__file__).resolve().parents[1]


def project() -> str:
    """Return PulumiPolicy.yaml with the project's version."""
    head, mark, _ = (ROOT / "policies" / "PulumiPolicy.yaml").read_text(encoding="utf-8").rpartition("version: ")
    version: str = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    return f"{head}{mark}{version}\n"


def vm_sizes() -> str:
    """Return the table of VM sizes."""
    return (ROOT / "catalogue" / "vm_sizes.csv").read_text(encoding="utf-8")


def vm_prices() -> str:
    """Return the table of VM prices."""
    return (ROOT / "catalogue" / "vm_prices.csv").read_text(encoding="utf-8")


def dev() -> str:
    """Return the configuration of the stack `dev`, its layers merged."""
    return config.merged_text("dev")


def prod() -> str:
    """Return the configuration of the stack `prod`, its layers merged."""
    return config.merged_text("prod")
