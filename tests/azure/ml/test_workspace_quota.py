"""A workspace's own limit, as `updateQuotas` sets it, bounds its clusters.

Source: learn.microsoft.com/azure/machine-learning/how-to-manage-quotas, workspace-level quotas.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.azure.client import Client, error, unique
from tests.azure.ml import harness
from tests.azure.ml.harness import Team, cluster, command_job
from tests.azure.ml.test_computes import location
from tests.azure.ml.waiting import ended, status

FAMILY = "standardDSv2Family"  # of STANDARD_DS3_V2, with 4 vCPUs
OTHER = "STANDARD_D3_V2"  # of another family


@pytest.fixture
def limited(azure: Client) -> Iterator[Team]:
    """A team of its own; its limit and clusters go, so that no other test meets them among the usages."""
    team = harness.team(azure)
    yield team
    limit(azure, team, -1)
    for compute in team.arm("GET", "/computes").json()["value"]:
        team.arm("DELETE", f"/computes/{compute['name']}", underlyingResourceAction="Delete")


def limit(azure: Client, team: Team, vcpus: int) -> None:
    item = {"id": f"{team.id}/quotas/{FAMILY}", "limit": vcpus, "unit": "Count"}
    answer = location(azure, "POST", "updateQuotas", {"value": [item]}).json()["value"][0]
    assert answer["status"] == "Success"


def make(team: Team, *, least: int = 0, most: int = 2, size: str = "STANDARD_DS3_V2") -> Any:
    body = cluster(team.needs, most=most, size=size)
    body["properties"]["properties"]["vmPriority"] = "Dedicated"
    body["properties"]["properties"]["scaleSettings"]["minNodeCount"] = least
    return team.arm("PUT", f"/computes/{unique('c')[:16]}", body)


def submit(team: Team, compute: str, nodes: int) -> str:
    properties = command_job(team, computeId=compute, resources={"instanceCount": nodes})
    made = team.arm("PUT", f"/jobs/{unique('job')}", {"properties": properties})
    assert made.status_code == 201, made.text
    return str(made.json()["name"])


def test_a_clusters_first_nodes_must_fit(azure: Client, limited: Team) -> None:
    limit(azure, limited, 4)
    refused = make(limited, least=2)
    assert error(refused) == (400, "BadRequest")
    (detail,) = refused.json()["error"]["details"]
    assert detail["code"] == "ClusterMinNodesExceedCoreQuota"
    assert "The specified workspace has a standardDSv2Family family vCPU quota of 4" in detail["message"]
    assert make(limited, least=0).status_code == 201
    limit(azure, limited, -1)  # no limit of its own
    assert make(limited, least=2).status_code == 201


def test_a_cluster_grows_no_further(azure: Client, limited: Team) -> None:
    limit(azure, limited, 4)
    narrow, free = (make(limited, size=size).json()["id"] for size in ("STANDARD_DS3_V2", OTHER))
    both = submit(limited, narrow, 2)
    assert ended(limited, submit(limited, free, 2)) == "Completed"  # another family has no limit
    assert status(limited, both) == "Queued"
    limit(azure, limited, 8)
    assert ended(limited, submit(limited, free, 1)) == "Completed"
    assert ended(limited, both) == "Completed"
