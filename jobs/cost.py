"""What a team's runs and endpoints used, by person and experiment: node hours, and their price by the contract.

It is no bill: nodes that wait for work, storage and networks are not in it, and prices have a date.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from jobs.resources import last_part
from jobs.runs import PARENTS
from jobs.workspace import Workspace


@dataclass(frozen=True)
class Period:
    """From when (inclusive) to when, in UTC."""

    start: datetime
    end: datetime

    def hours(self, start: str | None, end: str | None) -> float:
        """Return the hours of a stretch that lie in the period; one that has not ended goes on until now."""
        if not start:
            return 0.0
        first = max(datetime.fromisoformat(start), self.start)
        last = min(datetime.fromisoformat(end) if end else datetime.now(UTC), self.end)
        return max(0.0, (last - first) / timedelta(hours=1))


@dataclass
class Use:
    """What somebody used.

    Attributes:
        person: Who submitted or deployed it.
        what: The experiment, or the online endpoint.
        count: How many runs, or deployments.
        hours: Node hours, by VM size or cluster.
        cost: US dollars of the hours whose price is known.
        unpriced: Node hours without a price.
    """

    person: str
    what: str
    count: int = 0
    hours: dict[str, float] = field(default_factory=dict)
    cost: float = 0.0
    unpriced: float = 0.0

    @property
    def node_hours(self) -> float:
        """All node hours."""
        return sum(self.hours.values())

    def add(self, where: str, hours: float, price: float | None) -> None:
        """Count one more run or deployment."""
        self.count += 1
        self.hours[where] = self.hours.get(where, 0.0) + hours
        if price is None:
            self.unpriced += hours
        else:
            self.cost += hours * price


def runs(workspace: Workspace, period: Period) -> list[Use]:
    """Add up the runs of a period; the dearest first. Steps and trials count for who submitted the whole.

    Raises:
        AzureError: Azure was not reached, or refused.
    """
    jobs = {one["name"]: one for one in workspace.resources.list("jobs", listViewType="All")}
    records = [
        record
        for experiment in sorted({one["properties"].get("experimentName") or "" for one in jobs.values()} - {""})
        for record in workspace.history.of_experiment(experiment)
    ]
    parents = {record["parentRunId"] for record in records if record.get("parentRunId")}
    found: dict[tuple[str, str], Use] = {}
    for record in records:
        root = jobs.get(record.get("rootRunId") or record["runId"])
        if root is None or record["runId"] in parents or _is_empty(record, root):
            continue
        hours = period.hours(record.get("startTimeUtc"), record.get("endTimeUtc"))
        if hours == 0:
            continue
        own = root["properties"]
        key = (_person(root), own.get("experimentName") or "")
        cluster, nodes = _place(record, own)
        known = workspace.team.clusters.get(cluster)
        price = known.price.hourly if known and known.price else None
        found.setdefault(key, Use(*key)).add(cluster, hours * nodes, price)
    return _dearest_first(found.values())


def _is_empty(record: dict[str, Any], root: dict[str, Any]) -> bool:
    """Return whether a run used no node: a pipeline or sweep without a step, or a step that was reused."""
    reused = str((record.get("properties") or {}).get("azureml.isreused")).lower() == "true"
    return reused or (record["runId"] == root["name"] and root["properties"].get("jobType") in PARENTS)


def _place(record: dict[str, Any], own: dict[str, Any]) -> tuple[str, int]:
    """Return the cluster of a run, and how many of its nodes it has."""
    compute, asked = record.get("compute") or {}, record.get("computeRequest") or {}
    nodes = compute.get("instanceCount") or asked.get("nodeCount") or (own.get("resources") or {}).get("instanceCount")
    return last_part(compute.get("target") or record.get("target") or own.get("computeId")), int(nodes or 1)


def _person(resource: dict[str, Any]) -> str:
    return str((resource.get("systemData") or {}).get("createdBy") or "unknown")


def endpoints(workspace: Workspace, period: Period) -> list[Use]:
    """Add up the online deployments that are there now, from when they were made.

    The price of an instance is that of a dedicated cluster's node of the same VM size.

    Raises:
        AzureError: Azure was not reached, or refused.
    """
    prices = dict(_dedicated(workspace))
    found: dict[tuple[str, str], Use] = {}
    for endpoint, one in workspace.resources.deployments("onlineEndpoints"):
        size = str(one["properties"].get("instanceType") or "")
        count = int((one.get("sku") or {}).get("capacity") or 1)
        hours = period.hours((one.get("systemData") or {}).get("createdAt"), None)
        if hours:
            key = (_person(one), endpoint["name"])
            found.setdefault(key, Use(*key)).add(size, hours * count, prices.get(size.lower()))
    return _dearest_first(found.values())


def _dearest_first(uses: Iterable[Use]) -> list[Use]:
    return sorted(uses, key=lambda one: (-one.cost, -one.node_hours, one.what))


def _dedicated(workspace: Workspace) -> Iterator[tuple[str, float]]:
    """Yield the price of a VM size for each dedicated cluster, and each whose price is that of a dedicated node."""
    for cluster in workspace.team.clusters.values():
        if cluster.price and (cluster.priority == "dedicated" or cluster.price.upper_bound):
            yield cluster.vm_size.lower(), cluster.price.hourly
