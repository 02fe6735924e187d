"""The nodes of clusters: brought up on demand within the maximum and the quota, taken down when they were idle."""

from typing import Any

from sandbox.azure.arm.core import Body
from sandbox.azure.cloud import Cloud
from sandbox.azure.ml import runs
from sandbox.azure.ml.computes import NODES, seconds
from sandbox.azure.ml.locations import vcpus_in_use
from sandbox.azure.ml.runner.clock import Clock
from sandbox.azure.ml.sizes import DEDICATED, LOW_PRIORITY, quota, sizes


class Nodes:
    """The nodes of one local Azure's clusters.

    Args:
        cloud: It.
        clock: Tells how long a node was idle.
    """

    def __init__(self, cloud: Cloud, clock: Clock) -> None:
        self._cloud, self._store, self._clock = cloud, cloud.store, clock

    def forget_all(self) -> None:
        """No node outlives the sandbox that brought it up."""
        for key, _ in list(self._store.items(NODES)):
            self._store.delete(NODES, key)

    def take(self, compute: Body, run: str) -> str | None:
        """A node of the cluster for a run, idle or new; None where there is none now."""
        nodes = list(self._store.list(NODES, compute["id"].lower() + "/"))
        idle = next((node for node in nodes if node["state"] == "idle"), None)
        name = str(idle["id"]) if idle is not None else self._new(compute, nodes)
        if name is not None:
            self.set(compute, name, "preparing", run)
        return name

    def _new(self, compute: Body, nodes: list[Body]) -> str | None:
        inner = compute["properties"]["properties"]
        if len(nodes) >= inner["scaleSettings"]["maxNodeCount"]:
            return None
        size = sizes()[inner["vmSize"]]
        family = LOW_PRIORITY if inner["vmPriority"] == "LowPriority" else size.family
        used = vcpus_in_use(self._cloud, compute["location"])
        totals = (family,) if family == LOW_PRIORITY else (family, DEDICATED)
        if any(used[one] + size.vcpus > quota(self._cloud, compute["location"], one) for one in totals):
            return None
        taken = {node["id"] for node in nodes}
        name = next(f"tvmps_{number:08x}_d" for number in range(len(nodes) + 1) if f"tvmps_{number:08x}_d" not in taken)
        body = {
            "id": name,
            "compute": compute["id"],
            "location": compute["location"],
            "quota": family,
            "vcpus": size.vcpus,
            "state": "preparing",
            "since": runs.now(),
            "runId": None,
        }
        self._store.put(NODES, _key(compute, name), body)
        return name

    def set(self, compute: Body, node: str, state: str, run: str | None) -> None:
        """Changes a node's state, if it is still there."""
        key = _key(compute, node)
        body = self._store.get(NODES, key)
        if body is not None:
            self._store.put(NODES, key, {**body, "state": state, "since": runs.now(), "runId": run})

    def release(self, compute: Body, node: str, *, lost: bool) -> None:
        """A run has left its node, which is idle now, or lost."""
        if lost:
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
                if spare > 0 and node["state"] == "idle" and self._clock.seconds_since(node["since"]) >= patience:
                    self._store.delete(NODES, key)
                    spare -= 1


def _key(compute: Body, node: str) -> str:
    return f"{compute['id']}/{node}".lower()
