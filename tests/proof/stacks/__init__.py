"""Departments for the proof: they use every setting together, and are smaller where settings are edited one by one."""

from pathlib import Path
from typing import Any

import yaml

CHECKED: dict[str, dict[str, Any]] = {
    name: yaml.safe_load((Path(__file__).parent / f"{name}.yaml").read_text())
    for name in ("wide", "private", "networks", "existing")
}
"""Brought up in this order, since what the later ones are given is the earlier ones'."""
WIDE = CHECKED["wide"]


def _base() -> dict[str, Any]:
    team = WIDE["teams"][0]
    federated, *_, with_secret = team["automation"]
    return {
        **WIDE,
        # what nobody takes back is off
        "protect": False,
        "keyVault": {"purgeProtection": False, "retentionDays": 7},
        "azurePolicy": "audit",
        "teams": [{**team, "automation": [federated, with_secret]}],
    }


BASE = _base()
