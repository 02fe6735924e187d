"""Where jobs run: nodes of clusters, brought up on demand and taken down when they were idle; instances.

An instance runs a job for each of its vCPUs at a time. Source: learn.microsoft.com/azure/machine-learning/
concept-compute-instance.
"""

import itertools
from collections import Counter
from typing import Any

from sandbox.azure import clock
from sandbox.azure.arm.core import Body
from sandbox.azure.cloud import Cloud
from sandbox.azure.ml import power, runs, serverless
from sandbox.azure.ml.computes.kinds import INSTANCE, NODES, TYPE
from sandbox.azure.ml.durations import seconds
from sandbox.azure.ml.locations import vcpus_in_use
from sandbox.azure.ml.names import workspace_id
from sandbox.azure.ml.sizes import DEDICATED, LOW_PRIORITY, quota, sizes, workspace_quota


class Nodes:
    """The nodes of one local Azure's clusters.

    Args:
        cloud: It.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud, self._store = cloud, cloud.store
        self._on_instances: Counter[str] = Counter()  # jobs by the instance's id

    def forget_all(self) -> None:
        """Removes all nodes from the store: none outlives the sandbox that started it. Instances are idle."""
        self._store.clear(NODES)
        instances = (one for one in self._store.resources(TYPE) if one["properties"]["computeType"] == INSTANCE)
        power.count_running(self._store, instances)

    def take(self, compute: Body, run: str, count: int) -> list[str] | None:
        """Nodes of the compute for a run, idle or new; None where there are not so many now."""
        if compute["properties"]["computeType"] == INSTANCE:
            return self._take_instance(compute)
        nodes = list(self._store.list(NODES, compute["id"].lower() + "/"))
        idle = [str(node["id"]) for node in nodes if node["state"] == "idle"][:count]
        missing = count - len(idle)
        if missing and not self._may_grow(compute, len(nodes), missing):
            return None
        with self._store.transaction():
            found = [*idle, *self._new(compute, {node["id"] for node in nodes}, missing)]
            for name in found:
                self.set(compute, name, "preparing", run)
        return found

    def _take_instance(self, compute: Body) -> list[str] | None:
        inner = compute["properties"]["properties"]
        if inner["state"] != "Running" or self._on_instances[compute["id"]] >= sizes()[inner["vmSize"]].vcpus:
            return None
        self._on_instances[compute["id"]] += 1
        power.in_use(self._store, compute)
        return [str(compute["name"])]

    def _may_grow(self, compute: Body, there: int, more: int) -> bool:
        inner = compute["properties"]["properties"]
        most = inner["scaleSettings"]["maxNodeCount"]
        if most is not None and there + more > most:
            return False
        used, vcpus = vcpus_in_use(self._cloud, compute["location"]), sizes()[inner["vmSize"]].vcpus * more
        family = _family(inner)
        totals = (family,) if family == LOW_PRIORITY else (family, DEDICATED)
        workspace = workspace_id(compute["id"])
        own = workspace_quota(self._cloud, workspace, family)
        if own is not None and vcpus_in_use(self._cloud, compute["location"], workspace)[family] + vcpus > own:
            return False
        return all(used[one] + vcpus <= quota(self._cloud, compute["location"], one) for one in totals)

    def _new(self, compute: Body, taken: set[str], count: int) -> list[str]:
        inner = compute["properties"]["properties"]
        free = (name for number in itertools.count() if (name := f"tvmps_{number:08x}_d") not in taken)
        names = list(itertools.islice(free, count))
        for name in names:
            body = {
                "id": name,
                "compute": compute["id"],
                "location": compute["location"],
                "quota": _family(inner),
                "vcpus": sizes()[inner["vmSize"]].vcpus,
                "state": "preparing",
                "since": runs.now(),
                "runId": None,
            }
            self._store.put(NODES, _key(compute, name), body)
        return names

    def set(self, compute: Body, node: str, state: str, run: str | None) -> None:
        """Changes a node's state, if it is still there."""
        key = _key(compute, node)
        body = self._store.get(NODES, key)
        if body is not None:
            self._store.put(NODES, key, {**body, "state": state, "since": runs.now(), "runId": run})

    def release(self, compute: Body, nodes: list[str], *, lost: bool) -> None:
        """A run has left its nodes, which are idle now, or lost; serverless ones were made for it alone."""
        if compute["properties"]["computeType"] == INSTANCE:
            self._on_instances[compute["id"]] -= 1
            now = self._store.get("resource", compute["id"].lower())
            if now is not None and not self._on_instances[compute["id"]]:
                power.count_idle(self._store, now)
            return
        for node in nodes:
            if lost or serverless.is_serverless(compute["id"]):
                self._store.delete(NODES, _key(compute, node))
            else:
                self.set(compute, node, "idle", None)

    def scale_down(self) -> None:
        """Takes nodes away that were idle for their cluster's time, down to its least number."""
        by_compute: dict[str, list[tuple[str, Body]]] = {}
        for key, node in self._store.items(NODES):
            by_compute.setdefault(node["compute"], []).append((key, node))
        for compute_id, nodes in by_compute.items():
            compute = self._store.get("resource", compute_id.lower())
            scale: dict[str, Any] = (compute or {"properties": {"properties": {"scaleSettings": {}}}})["properties"][
                "properties"
            ]["scaleSettings"]
            spare = len(nodes) - scale.get("minNodeCount", 0)
            patience = seconds(scale.get("nodeIdleTimeBeforeScaleDown", "PT0S"))
            for key, node in nodes:
                if spare > 0 and node["state"] == "idle" and clock.since(node["since"]) >= patience:
                    self._store.delete(NODES, key)
                    spare -= 1


def _family(inner: Body) -> str:
    """What a cluster's nodes count against."""
    return LOW_PRIORITY if inner["vmPriority"] == "LowPriority" else sizes()[inner["vmSize"]].family


def _key(compute: Body, node: str) -> str:
    return f"{compute['id']}/{node}".lower()
