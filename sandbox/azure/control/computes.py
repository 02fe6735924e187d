"""What Azure has no request for: the processes on the nodes of clusters, and the runs that wait for nodes."""

import resource
from collections import defaultdict
from pathlib import Path
from typing import Any

from sandbox.azure.arm.core import Body
from sandbox.azure.cloud import Cloud
from sandbox.azure.control.visible import visible
from sandbox.azure.ml.computes.kinds import NODES, TYPE
from sandbox.azure.ml.endpoints.online.served import KIND as SERVED
from sandbox.azure.ml.jobs.work import WORK
from sandbox.azure.ml.names import ONLINE_ENDPOINTS, workspace_id

Answer = dict[str, Any]
_GROUP, _RESIDENT = 2, 21  # fields of /proc/PID/stat after the name: the process's group, and its pages in memory


def nodes(cloud: Cloud, principal: str) -> Answer:
    """The nodes of clusters, and the processes of runs and of deployments' servers.

    Args:
        cloud: The local Azure.
        principal: Who looks; empty for the owner of the sandbox.
    """
    groups, runs = _groups(), _running(cloud)
    may_compute = visible(cloud.access, principal, f"{TYPE}/read")
    may_endpoint = visible(cloud.access, principal, f"{ONLINE_ENDPOINTS}/read")
    return {
        "nodes": [
            {
                "id": node["id"],
                "compute": node["compute"],
                "state": node["state"],
                "since": node["since"],
                "run": node["runId"],
                "vcpus": node["vcpus"],
                "quota": node["quota"],
                "processes": groups.of(runs.get(_run_key(node), {})),
            }
            for node in cloud.store.list(NODES)
            if may_compute(node["compute"])
        ],
        "deployments": [
            {"deployment": served["deployment"], "instances": served["instances"], "processes": groups.of(served)}
            for served in cloud.store.list(SERVED)
            if may_endpoint(served["deployment"])
        ],
    }


def queue(cloud: Cloud, principal: str) -> Answer:
    """The runs that have not ended, in the order of their submission.

    Args:
        cloud: The local Azure.
        principal: Who looks; empty for the owner of the sandbox.
    """
    may = visible(cloud.access, principal, f"{TYPE}/read")
    items = sorted(cloud.store.list(WORK), key=lambda work: str(work["submitted"]))
    return {
        "runs": [
            {
                "run": work["run"],
                "workspace": work["workspace"],
                "carrier": work["carrier"],
                "compute": work.get("compute"),
                "nodes": work.get("nodes"),
                "parent": work.get("parent"),
                "submitted": work["submitted"],
                "state": _state(work),
            }
            for work in items
            if may(work["workspace"])
        ]
    }


def _state(work: Body) -> str:
    if work["cancel"]:
        return "canceling"
    return "running" if work.get("taken") or work["carrier"] != "process" else "waiting"


def _running(cloud: Cloud) -> dict[str, Body]:
    """The runs that have processes, by workspace and name."""
    return {f"{work['workspace']}/{work['run']}".lower(): work for work in cloud.store.list(WORK)}


def _run_key(node: Body) -> str:
    return f"{workspace_id(node['compute'])}/{node['runId']}".lower()


class _Groups:
    """How many processes the machine has by group, and the memory of each; nothing where the system does not tell."""

    def __init__(self) -> None:
        self._resident: dict[int, list[int]] = defaultdict(list)

    def add(self, group: int, resident: int) -> None:
        self._resident[group].append(resident)

    def of(self, document: Body) -> list[Answer]:
        """The groups that a run or a server has, each by the pid of its first process."""
        return [
            {
                "pid": pid,
                "processes": len(self._resident.get(pid, ())),
                "residentBytes": sum(self._resident.get(pid, ())),
            }
            for pid, _ in document.get("processes", ())
        ]


def _groups() -> _Groups:
    found, page = _Groups(), resource.getpagesize()
    for path in Path("/proc").glob("[0-9]*"):
        try:
            fields = (path / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
            found.add(int(fields[_GROUP]), int(fields[_RESIDENT]) * page)
        except (OSError, ValueError, IndexError):  # it ended meanwhile
            continue
    return found
