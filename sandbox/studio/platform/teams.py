"""The resource groups that a persona sees, by department and team, with all that is in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.studio.azure import API, Azure, Refused
from sandbox.studio.platform import access, graph
from sandbox.studio.platform.computes import Computes
from sandbox.studio.platform.prices import Book
from sandbox.studio.workspaces import WORKSPACES, subscriptions

GROUPS_API = "2021-04-01"
APIS = {
    "microsoft.storage": "2024-01-01",
    "microsoft.keyvault": "2024-11-01",
    "microsoft.managedidentity": "2023-01-31",
    "microsoft.insights": "2020-02-02",
    "microsoft.operationalinsights": "2023-09-01",
    "microsoft.containerregistry": "2023-07-01",
    "microsoft.network": "2024-05-01",
    "microsoft.authorization": access.API,
    "microsoft.consumption": "2023-11-01",
}
"""The version to ask for, by the resource's namespace; Azure ML's for the rest."""
CHILDREN = ("computes", "onlineEndpoints", "batchEndpoints")
UNSEEN = (403, 404)


def api_of(resource_id: str) -> str:
    """The version to ask for, by the last provider that an id names; that of groups where it names none."""
    _, found, rest = resource_id.lower().rpartition("/providers/")
    return APIS.get(rest.partition("/")[0], API) if found else GROUPS_API


class Teams:
    """Reads the teams.

    Args:
        azure: Asks as the persona.
        computes: Reads their computes.
        book: Has the prices.
    """

    def __init__(self, azure: Azure, computes: Computes, book: Book) -> None:
        self._azure, self._computes, self._book = azure, computes, book

    def groups(self) -> list[dict[str, Any]]:
        """All resource groups, by department and team."""
        found = [
            _group(group)
            for one in subscriptions(self._azure)
            for group in self._azure.listed(f"/subscriptions/{one}/resourcegroups", api=GROUPS_API)
        ]
        return sorted(found, key=lambda one: (one["department"], one["team"], one["group"]))

    def read(self, group: Mapping[str, Any]) -> dict[str, Any]:
        """A group with all that is in it."""
        listed = self._seen(f"{group['id']}/resources")
        bodies = self._azure.all(self._whole, listed)
        workspaces = [one for one in bodies if one["type"].lower() == WORKSPACES.lower()]
        children = [
            {"location": workspace["location"], **child}
            for workspace in workspaces
            for kind in CHILDREN
            for child in self._seen(f"{workspace['id']}/{kind}")
        ]
        online = [one for one in children if one["type"].endswith("/onlineEndpoints")]
        children += [
            {"location": one["location"], **each} for one in online for each in self._seen(f"{one['id']}/deployments")
        ]
        resources = [self._resource(one) for one in (*bodies, *children)]
        for workspace in workspaces:
            self._add_data(workspace, resources)
        costs = [one["cost"]["monthly"] for one in resources if one["cost"] and one["cost"]["monthly"] is not None]
        computes = filter(None, (self._computes.read(one) for one in children if one["type"].endswith("/computes")))
        return {
            **group,
            "monthly": round(sum(costs), 2),
            "budgets": [_budget(one) for one in self._seen(f"{group['id']}/providers/Microsoft.Consumption/budgets")],
            "computes": list(computes),
            "resources": resources,
        }

    def _seen(self, path: str) -> list[dict[str, Any]]:
        """A list; empty where the persona may not see it."""
        try:
            return list(self._azure.listed(path, api=api_of(path)))
        except Refused as refused:
            if refused.status in UNSEEN:
                return []
            raise

    def _whole(self, listed: dict[str, Any]) -> dict[str, Any]:
        """The resource itself, or what the list tells of it where the persona may see no more."""
        try:
            return {**listed, **self._azure.arm(listed["id"], api=api_of(listed["id"]))}
        except Refused:
            return listed

    def _resource(self, body: Mapping[str, Any]) -> dict[str, Any]:
        parent = str(body["id"]).lower().rpartition("/")[0].rpartition("/")[0]
        return {
            "id": body["id"],
            "type": body["type"],
            "kind": graph.title(body["type"]),
            "name": body["name"],
            "location": body.get("location"),
            "sku": (body.get("sku") or {}).get("name"),
            "state": (body.get("properties") or {}).get("provisioningState"),
            "uses": sorted(graph.uses(body) | {parent}),
            "cost": self._book.cost(body),
        }

    def _add_data(self, workspace: Mapping[str, Any], resources: list[dict[str, Any]]) -> None:
        """A workspace uses the accounts of its datastores, which have names and no ids."""
        names = {one["properties"].get("accountName") for one in self._seen(f"{workspace['id']}/datastores")}
        own = next(one for one in resources if one["id"] == workspace["id"])
        accounts = {one["id"].lower() for one in resources if one["kind"] == "Storage account" and one["name"] in names}
        own["uses"] = sorted({*own["uses"], *accounts})


def _group(body: Mapping[str, Any]) -> dict[str, Any]:
    tags = body.get("tags") or {}
    own = {name: tags.get(name, "") for name in ("department", "team", "environment", "owner")}
    return {"id": body["id"], "group": body["name"], "region": body["location"], **own}


def _budget(body: Mapping[str, Any]) -> dict[str, Any]:
    own = body["properties"]
    return {"name": body["name"], "amount": own["amount"], "grain": own["timeGrain"], "id": body["id"]}
