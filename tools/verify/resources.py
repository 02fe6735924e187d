"""The subscription that is verified: requests to its resource manager, and the removal of what a run made in it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tools.generate import GenerateError

if TYPE_CHECKING:
    from azure.core.rest import HttpResponse

ARM = "https://management.azure.com"
TAG = "azureml-platform-verify"
"""Tag of everything that a run makes; its value is the run's name."""

GROUPS_API, ROLES_API, VAULTS_API, WORKSPACES_API = "2024-03-01", "2022-04-01", "2024-11-01", "2025-12-01"
_DEADLINE = 3600.0  # seconds; a private workspace's network takes half of that
_RUNNING = frozenset({"Accepted", "Creating", "Deleting", "InProgress", "Provisioning", "Running", "Updating"})


class VerifyError(GenerateError):
    """The verification cannot begin, or could not remove something; the text says what to do."""


@dataclass(frozen=True)
class Subscription:
    """A subscription in which a run makes resources, as whoever is signed in.

    Attributes:
        id: Its id.
        location: Region of all resources.
        run: Name of the run: value of the tag, and end of every group's name.
    """

    id: str
    location: str
    run: str

    @property
    def tags(self) -> dict[str, str]:
        """Tags of everything that the run makes."""
        return {TAG: self.run}

    @property
    def cost_center(self) -> str:
        """Cost centre of the run's stack, by which its groups are found: the program sets the tags itself."""
        return f"{TAG}-{self.run}"

    @cached_property
    def _client(self) -> Any:
        from azure.core import PipelineClient  # noqa: PLC0415 - seconds, which `--help` need not wait for
        from azure.core.pipeline import policies  # noqa: PLC0415
        from azure.identity import DefaultAzureCredential  # noqa: PLC0415

        sign = policies.BearerTokenCredentialPolicy(DefaultAzureCredential(), f"{ARM}/.default")
        return PipelineClient(ARM, policies=[policies.RetryPolicy(), sign])

    def send(self, method: str, path: str, api: str, body: Any = None, **query: str) -> HttpResponse:
        """Send a request; a path without a slash at its beginning lies below the subscription."""
        from azure.core.rest import HttpRequest  # noqa: PLC0415

        url = path if path.startswith(ARM) else ARM + (path if path[:1] == "/" else f"/subscriptions/{self.id}/{path}")
        parameters = {"api-version": api, **{f"${name}": value for name, value in query.items()}}
        request = HttpRequest(method, url, params=None if "api-version=" in url else parameters, json=body)
        answer: HttpResponse = self._client.send_request(request)
        return answer

    def outcome(self, accepted: HttpResponse) -> dict[str, Any]:
        """Wait for a long-running operation.

        Returns:
            Its last answer: of `Azure-AsyncOperation` with a status, of `Location` the resource.

        Raises:
            VerifyError: The operation has not ended within an hour.
        """
        url = accepted.headers.get("Azure-AsyncOperation") or accepted.headers.get("Location")
        if url is None:
            return dict(_json(accepted))
        end = time.monotonic() + _DEADLINE
        while time.monotonic() < end:
            answer = self.send("GET", url, "")
            body = _json(answer)
            if answer.status_code != 202 and body.get("status") not in _RUNNING:  # noqa: PLR2004 - Accepted
                return dict(body)
            time.sleep(float(answer.headers.get("Retry-After", 5)))
        raise VerifyError(f"an operation has not ended after an hour: {url}")

    def make(self, path: str, api: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Make a resource with the run's tags, and wait until it is there.

        Returns:
            The resource as a GET shows it.

        Raises:
            VerifyError: Azure refused, or the creation failed; the text has Azure's words.
        """
        accepted = self.send("PUT", path, api, {**body, "tags": self.tags})
        if accepted.status_code not in (200, 201, 202):
            raise VerifyError(f"PUT {path}: {accepted.status_code} {accepted.text()}")
        outcome = self.outcome(accepted)
        if outcome.get("status") in ("Failed", "Canceled"):
            raise VerifyError(f"PUT {path}: {outcome}")
        return dict(_json(self.send("GET", path, api)))

    def group(self, name: str) -> str:
        """Make a resource group of the run; returns its id."""
        path = f"/subscriptions/{self.id}/resourceGroups/verify-{name}-{self.run}"
        return str(self.make(path, GROUPS_API, {"location": self.location})["id"])

    def remove(self) -> Iterator[str]:
        """Remove everything that the run made; yields a line for each thing, and for what could not be removed."""
        for group in self._groups():
            for workspace in self._below(group["id"], "Microsoft.MachineLearningServices/workspaces"):
                gone = self.send("DELETE", f"{ARM}{workspace}?api-version={WORKSPACES_API}&forceToPurge=true", "")
                yield self._told(workspace, gone)
            yield from self._remove_roles(group["id"])
            vaults = [vault.lower() for vault in self._below(group["id"], "Microsoft.KeyVault/vaults")]
            yield self._told(group["id"], self.send("DELETE", group["id"], GROUPS_API))
            deleted = _json(self.send("GET", "providers/Microsoft.KeyVault/deletedVaults", VAULTS_API)).get("value", [])
            for vault in deleted:
                if vault["properties"]["vaultId"].lower() in vaults:
                    yield self._told(vault["id"], self.send("POST", f"{vault['id']}/purge", VAULTS_API))

    def _groups(self) -> list[dict[str, Any]]:
        tags = {**self.tags, "costCenter": self.cost_center}
        queries = [f"tagName eq '{name}' and tagValue eq '{value}'" for name, value in tags.items()]
        answers = [_json(self.send("GET", "resourcegroups", GROUPS_API, filter=query)) for query in queries]
        return [group for answer in answers for group in answer.get("value", [])]

    def _below(self, group: str, kind: str) -> list[str]:
        listed = _json(self.send("GET", f"{group}/resources", GROUPS_API, filter=f"resourceType eq '{kind}'"))
        return [resource["id"] for resource in listed.get("value", [])]

    def _remove_roles(self, group: str) -> Iterator[str]:
        roles = f"{group}/providers/Microsoft.Authorization/roleDefinitions"
        for role in _json(self.send("GET", roles, ROLES_API, filter="type eq 'CustomRole'")).get("value", []):
            if [scope.lower() for scope in role["properties"]["assignableScopes"]] == [group.lower()]:
                yield self._told(role["id"], self.send("DELETE", role["id"], ROLES_API))

    def _told(self, what: str, answer: HttpResponse) -> str:
        if answer.status_code == 202:  # noqa: PLR2004 - Accepted
            outcome = self.outcome(answer)
            if outcome.get("status") in ("Failed", "Canceled"):
                return f"NOT removed: {what}: {outcome.get('error')}"
        elif answer.status_code not in (200, 204, 404):
            return f"NOT removed: {what}: {answer.status_code} {answer.text()}"
        return f"removed: {what}"


def _json(answer: HttpResponse) -> Any:
    return answer.json() if answer.content else {}
