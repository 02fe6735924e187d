"""Departments for the proof: one that uses every setting, and a smaller one whose settings are edited one by one."""

from pathlib import Path
from typing import Any

import yaml

WIDE: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "wide.yaml").read_text())


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
