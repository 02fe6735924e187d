"""The workspaces that a persona sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.studio.azure import ARM, Azure, quoted

SUBSCRIPTIONS_API = "2022-12-01"
WORKSPACES = "Microsoft.MachineLearningServices/workspaces"


@dataclass(frozen=True)
class Workspace:
    """A workspace.

    Attributes:
        id: Its resource id.
        name: Its name.
        group: Its resource group.
        region: Where it is.
    """

    id: str
    name: str
    group: str
    region: str

    @property
    def arm(self) -> str:
        """Its address at the resource manager."""
        return ARM + quoted(self.id)

    def plane(self, service: str, path: str) -> str:
        """An address of one of its own services, such as `history` or `mlflow`."""
        return f"https://{self.region}.api.azureml.ms/{service}/v1.0{quoted(self.id)}{path}"

    def mlflow(self, path: str) -> str:
        """An address of its MLflow server, such as `/runs/search`."""
        return f"https://{self.region}.api.azureml.ms/mlflow/v1.0{quoted(self.id)}/api/2.0/mlflow{path}"


def subscriptions(azure: Azure) -> list[str]:
    """The ids of all subscriptions that the persona sees."""
    return [one["subscriptionId"] for one in azure.listed("/subscriptions", api=SUBSCRIPTIONS_API)]


def workspaces(azure: Azure) -> list[Workspace]:
    """All that the persona sees, by name."""
    found = azure.all(
        lambda one: [*azure.listed(f"/subscriptions/{one}/providers/{WORKSPACES}")],
        subscriptions(azure),
    )
    return sorted((_read(one) for part in found for one in part), key=lambda one: one.name)


def _read(body: dict[str, Any]) -> Workspace:
    return Workspace(body["id"], body["name"], body["id"].split("/")[4], body["location"])


def find(among: Sequence[Workspace], wanted: str | None) -> Workspace | None:
    """The workspace of an id, in any letter case, with its provider or, as runs' addresses have it, without.

    Without an id the first.
    """
    if not wanted:
        return among[0] if among else None
    return next((one for one in among if _short(one.id) == _short(wanted)), None)


def _short(workspace_id: str) -> str:
    return workspace_id.rstrip("/").lower().replace("/providers/microsoft.machinelearningservices", "", 1)
