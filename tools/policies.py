"""What the policy pack has of the rest of the repository: copies, so that its folder can be taken elsewhere."""

from __future__ import annotations

from pathlib import Path

from policies import config

ROOT = Path(__file__).resolve().parents[1]


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
