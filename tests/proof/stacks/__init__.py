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
    without_key = {key: value for key, value in team.items() if key != "customerKey"}  # needs purge protection
    federated, *_, with_secret = team["automation"]
    return {
        **WIDE,
        # what nobody takes back is off
        "protect": False,
        "keyVault": {"purgeProtection": False, "retentionDays": 7},
        "azurePolicy": "audit",
        "teams": [{**without_key, "automation": [federated, with_secret]}],
    }


BASE = _base()


def _networked() -> dict[str, dict[str, Any]]:
    networks, existing = CHECKED["networks"], CHECKED["existing"]
    teams = {team["name"]: team for team in (*networks["teams"], *existing["teams"])}
    fenced = {key: value for key, value in teams["fenced"].items() if key != "instances"}
    own = {"name": "own", "clusters": [{"name": "own", "vmSize": "STANDARD_DS3_V2", "maxNodes": 1}]}
    return {
        "private": {
            **networks,
            "code": "spok",
            "network": {"mode": "private", "addressSpace": "10.30.0.0/24"},
            "teams": [own, teams["spoke"]],
        },
        "managed": {
            **networks,
            "code": "mana",
            "shared": {},
            "network": fenced.pop("network"),
            "teams": [fenced],
        },
        "existing": {
            **existing,
            "code": "gues",
            "teams": [teams["tenant"], {"name": "guest", "existing": teams["guest"]["existing"]}],
        },
    }


NETWORKED = _networked()
"""Small departments whose networks, shared and existing services are edited, beside private.yaml's."""
