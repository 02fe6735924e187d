"""A workspace's jobs, models and other resources as the resource manager shows them, without azure-ai-ml's import.

azure-ai-ml takes seconds to load and reads each job into classes. Lists and descriptions need neither.
"""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from contract import TeamOutput
from jobs.history import client

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

API_VERSION = "2024-10-01"
MANAGER = "https://management.azure.com"


def asset_name(identity: Any) -> str:
    """Return an asset's name and version, as `name:1`, from its id; any other address stays as it is."""
    parts = str(identity or "").split("/")
    return f"{parts[-3]}:{parts[-1]}" if "versions" in parts[-2:-1] else str(identity or "")


def last_part(identity: Any) -> str:
    """Return the name at the end of an id; empty for none."""
    return str(identity or "").rsplit("/", 1)[-1]


class Resources:
    """Reads the resources below a team's workspace."""

    def __init__(self, team: TeamOutput, credential: TokenCredential) -> None:
        """Read the workspace of the team as the credential's person."""
        self._workspace = f"{MANAGER}{team.resource_id}"
        self._api = client(self._workspace, credential)

    def get(self, *names: str) -> dict[str, Any] | None:
        """Return a resource, such as `get("jobs", "NAME")`, or the workspace itself; None where there is none.

        Raises:
            AzureError: Azure was not reached, or refused.
        """
        path = "".join(f"/{quote(name, safe='')}" for name in names)
        return self._get(f"{self._workspace}{path}?api-version={API_VERSION}")

    def list(self, *names: str, **parameters: str) -> Iterator[dict[str, Any]]:
        """Yield the resources of a kind, such as `list("models")` or `list("models", "NAME", "versions")`.

        Args:
            names: The path below the workspace.
            parameters: Parameters of the query, such as `listViewType="All"`.

        Raises:
            AzureError: Azure was not reached, or refused.
        """
        path = "/".join(quote(name, safe="") for name in names)
        query = "".join(f"&{key}={quote(value)}" for key, value in parameters.items())
        address: str | None = f"{self._workspace}/{path}?api-version={API_VERSION}{query}"
        while address:
            page = self._get(address) or {}
            yield from page.get("value", [])
            address = page.get("nextLink")

    def deployments(self, kind: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """Yield each endpoint of a kind (`onlineEndpoints`, `batchEndpoints`) with each of its deployments.

        Raises:
            AzureError: Azure was not reached, or refused.
        """
        for endpoint in self.list(kind):
            for deployment in self.list(kind, endpoint["name"], "deployments"):
                yield endpoint, deployment

    def post(self, *names: str) -> dict[str, Any]:
        """Ask for an action of a resource, such as `post("onlineEndpoints", "NAME", "token")`; returns the answer.

        Raises:
            AzureError: Azure was not reached, or refused.
        """
        from azure.core.rest import HttpRequest  # noqa: PLC0415

        path = "/".join(quote(name, safe="") for name in names)
        address = f"{self._workspace}/{path}?api-version={API_VERSION}"
        response = self._api.send_request(HttpRequest("POST", address))
        response.raise_for_status()
        found: dict[str, Any] = response.json()
        return found

    def _get(self, address: str) -> dict[str, Any] | None:
        from azure.core.rest import HttpRequest  # noqa: PLC0415

        response = self._api.send_request(HttpRequest("GET", address))
        if response.status_code == HTTPStatus.NOT_FOUND:
            return None
        response.raise_for_status()
        found: dict[str, Any] = response.json()
        return found
