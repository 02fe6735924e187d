"""Clusters and instances: nodes now, at most, in line, the quota that they count against, and what they cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from sandbox.ask import ask
from sandbox.studio.azure import Azure, Refused
from sandbox.studio.platform import access
from sandbox.studio.platform.prices import HOURS, Book
from sandbox.studio.workspaces import WORKSPACES

CLUSTER, INSTANCE = "AmlCompute", "ComputeInstance"
ACTIONS = {"Running": ("stop", "restart"), "Stopped": ("start",)}
"""What can be done with an instance in a state."""


class Computes:
    """Reads the computes of a persona's workspaces.

    Args:
        azure: Asks Azure as the persona.
        directory: The sandbox's folder: Azure has no request for queues and processes.
        book: Has the prices.
    """

    def __init__(self, azure: Azure, directory: Path, book: Book) -> None:
        self._azure, self._book = azure, book
        runs = ask(directory, "GET", f"/queue?principal={azure.object_id}")["runs"]
        self._waiting = Counter(str(one["compute"]).lower() for one in runs if one["state"] == "waiting")
        self._nodes: list[dict[str, Any]] = ask(directory, "GET", f"/nodes?principal={azure.object_id}")["nodes"]
        self._listed = cache(self._list)

    def read(self, body: Mapping[str, Any]) -> dict[str, Any] | None:
        """A cluster or an instance; None for another kind."""
        kind = body["properties"]["computeType"]
        return {CLUSTER: self._cluster, INSTANCE: self._instance}.get(kind, lambda _: None)(body)

    def _common(self, body: Mapping[str, Any], *, low: bool) -> dict[str, Any]:
        inner = body["properties"]["properties"]
        return {
            "id": body["id"],
            "name": body["name"],
            "kind": body["properties"]["computeType"],
            "size": inner["vmSize"],
            "hourly": self._book.node(body["location"], inner["vmSize"], low=low),
            "quota": self._quota(body, inner["vmSize"], low=low),
            "waiting": self._waiting[body["id"].lower()],
            "priority": "instance",
            "processes": [],
            "actions": [],
        }

    def _cluster(self, body: Mapping[str, Any]) -> dict[str, Any]:
        inner = body["properties"]["properties"]
        low = inner["vmPriority"] == "LowPriority"
        common, scale = self._common(body, low=low), inner["scaleSettings"]
        price, nodes = common["hourly"], inner["currentNodeCount"]
        return common | {
            "priority": "low priority" if low else "dedicated",
            "nodes": nodes,
            "running": inner["nodeStateCounts"]["runningNodeCount"],
            "minimum": scale["minNodeCount"],
            "maximum": scale["maxNodeCount"],
            "idle": scale.get("nodeIdleTimeBeforeScaleDown"),
            "hourlyNow": None if price is None else round(price * nodes, 4),
            "monthlyMost": None if price is None else round(price * (scale["maxNodeCount"] or 0) * HOURS, 2),
            "processes": [
                {name: one[name] for name in ("id", "state", "since", "run", "processes")}
                for one in self._nodes
                if one["compute"].lower() == body["id"].lower()
            ],
        }

    def _instance(self, body: Mapping[str, Any]) -> dict[str, Any]:
        state = body["properties"]["properties"]["state"]
        held = access.permissions(self._azure, body["id"])
        possible = [
            action for action in ACTIONS.get(state, ()) if access.may(held, f"{WORKSPACES}/computes/{action}/action")
        ]
        return self._common(body, low=False) | {"state": state, "actions": possible}

    def _list(self, location: str, what: str, subscription: str) -> list[dict[str, Any]]:
        path = f"/subscriptions/{subscription}/providers/Microsoft.MachineLearningServices/locations/{location}/{what}"
        try:
            return list(self._azure.listed(path))
        except Refused:
            return []  # whoever sees one group alone may not ask about the subscription

    def _quota(self, body: Mapping[str, Any], size: str, *, low: bool) -> dict[str, Any] | None:
        """The vCPUs in use and their limit: of the size's family, or of all low-priority nodes."""
        place = body["location"], body["id"].split("/")[2]
        families = {one["name"].upper(): one["family"] for one in self._listed(place[0], "vmSizes", place[1])}
        pool, kind = (
            ("TotalLowPriorityCores", "lowPriorityCores") if low else (families.get(size.upper()), "dedicatedCores")
        )
        usages = self._listed(place[0], "usages", place[1])
        found = next((one for one in usages if one["name"]["value"] == pool and f"/{kind}/" in one["type"]), None)
        return found and {
            "name": found["name"]["localizedValue"],
            "used": found["currentValue"],
            "limit": found["limit"],
        }
