"""Outputs for a job that runs here while no stack's outputs can be read: the clusters and datastores that it names."""

from __future__ import annotations

import json
import re
from typing import Any

from contract import CONTRACT
from jobs.defaults import CHEAPEST
from jobs.lake import LAKE
from jobs.local.platform import VM_SIZE
from jobs.outputs import Outputs, parse
from jobs.submission.fit import ADDRESS, OWN_DATASTORES, SERVERLESS, path_of, steps

TEAM, WORKSPACE = "local", "this-machine"
_NODES = 4  # of each cluster: enough for a distributed job on one machine


def describe(job: Any) -> Outputs:
    """Return outputs of a team that has what the job names, and one cluster where it names none."""
    subscription = "00000000-0000-4000-8000-000000000002"
    workspace = f"/subscriptions/{subscription}/resourceGroups/{TEAM}"
    workspace += f"/providers/Microsoft.MachineLearningServices/workspaces/{WORKSPACE}"
    return parse(
        json.dumps(
            {
                "contract": CONTRACT,
                "department": {
                    "code": TEAM,
                    "environment": "dev",
                    "region": "eastus2",
                    "subscriptionId": subscription,
                    "owner": TEAM,
                    "costCenter": TEAM,
                },
                "teams": {
                    TEAM: {
                        "subscriptionId": subscription,
                        "resourceGroup": TEAM,
                        "workspace": WORKSPACE,
                        "location": "eastus2",
                        "studioUrl": f"https://ml.azure.com/?wsid={workspace}",
                        "trackingUri": f"azureml://eastus2.api.azureml.ms/mlflow/v1.0{workspace}",
                        "clusters": {name: _cluster() for name in _clusters(job) or [TEAM]},
                        "datastores": {
                            name: _datastore(name, number, subscription)
                            for number, name in enumerate(sorted(_datastores(job)))
                        },
                        "roles": {"teamLead": _ROLE, "dataScientist": _ROLE},
                    }
                },
            }
        ),
        "this machine",
    )


_ROLE = {"name": TEAM, "id": TEAM}


def _cluster() -> dict[str, Any]:
    price = {"hourly": 0.0, "asOf": "2026-01-01"}
    return {
        "vmSize": VM_SIZE,
        "maxNodes": _NODES,
        "priority": "dedicated",
        "idleMinutes": 2,
        "price": price,
    }


def _datastore(name: str, number: int, subscription: str) -> dict[str, Any]:
    place = (
        f"azureml://subscriptions/{subscription}/resourcegroups/{TEAM}/workspaces/{WORKSPACE}/datastores/{name}/paths/"
    )
    return {"type": LAKE, "account": f"locallake{number}", "container": "files", "uri": place}


def _clusters(job: Any) -> list[str]:
    settings = getattr(job, "settings", None)
    named = [getattr(step, "compute", None) for _, step in steps(job)] + [getattr(settings, "default_compute", None)]
    names = {re.sub(r"^(?:azureml:)?(?:/.*/computes/)?", "", str(one)) for one in named if one}
    return sorted(name for name in names if name not in (CHEAPEST, SERVERLESS) and not name.startswith("${{"))


def _datastores(job: Any) -> set[str]:
    found = set()
    for _, step in steps(job):
        for group in ("inputs", "outputs"):
            for given in dict(getattr(step, group, None) or {}).values():
                if address := ADDRESS.fullmatch(path_of(given) or ""):
                    found.add(address["datastore"])
    default = getattr(getattr(job, "settings", None), "default_datastore", None)
    if default:
        found.add(str(default).removeprefix("azureml:"))
    return found - set(OWN_DATASTORES)
