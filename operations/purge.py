"""The remains of a deleted stack on Azure: key vaults and workspaces whose names are blocked until they are purged.

azure-native deletes both softly and cannot purge or recover them: the next up of the same stack is refused.
`python -m department purge --check|purge Pulumi.dev.yaml` finds and frees the names.

Sources: learn.microsoft.com/rest/api/keyvault/keyvault/vaults (getDeleted, purgeDeleted), and
learn.microsoft.com/azure/machine-learning/concept-soft-delete. Azure has no request that tells whether a workspace of a
name is softly deleted; a purge of one that is not answers that there is none.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from operations.resourcemanager import ARM, AzureRefusedError, Response, Send, body_of
from settings import Department

_VAULT_API = "2024-11-01"
_WORKSPACE_API = "2025-12-01"
_GROUP_API = "2024-03-01"
_POLL_SECONDS = 2.0
_LONGEST_SECONDS = 600.0
_UNDER_WAY = frozenset({"Accepted", "InProgress", "Pending", "Running"})
_ACCEPTED, _NO_CONTENT, _NOT_FOUND = 202, 204, 404


@dataclass(frozen=True)
class DeletedVault:
    """A key vault that Azure keeps.

    Attributes:
        name: Its name, which no new vault can take.
        team: The team whose vault it was.
        until: When Azure purges it by itself, as Azure writes it.
        protected: Whether nobody can purge it earlier.
    """

    name: str
    team: str
    until: str
    protected: bool


def deleted_vaults(department: Department, send: Send) -> Iterator[DeletedVault]:
    """The softly deleted vaults that block a team's vault name.

    Raises:
        AzureRefusedError: If Azure does not answer the question.
    """
    for team in department.teams:
        if team.existing.key_vault_id:
            continue
        name = department.names(team).vault
        response = send("GET", _deleted_vault(department, name), None)
        if response.status_code == _NOT_FOUND:
            continue
        properties = body_of(response).get("properties", {})
        yield DeletedVault(
            name=name,
            team=team.name,
            until=str(properties.get("scheduledPurgeDate", "")),
            protected=properties.get("purgeProtectionEnabled") is True,
        )


def purge_vault(department: Department, vault: DeletedVault, send: Send) -> None:
    """Remove a softly deleted vault, with its secrets, for good.

    Raises:
        AzureRefusedError: If Azure refuses it, as it does for a protected vault.
    """
    _finish(send("POST", _deleted_vault(department, vault.name, "/purge"), None), send)


def purge_workspaces(department: Department, send: Send) -> list[str]:
    """Remove the teams' workspaces for good, whether softly deleted or still there; those that were removed.

    A workspace is purged through its resource group, which a destroy has taken away: it is made for the
    purpose and removed again.

    Raises:
        AzureRefusedError: If Azure refuses it.
    """
    purged = []
    for team in department.teams:
        names = department.names(team)
        group = f"/subscriptions/{department.subscription_id}/resourceGroups/{department.resource_group(team)}"
        workspace = f"{group}/providers/Microsoft.MachineLearningServices/workspaces/{names.workspace}"
        missing = send("GET", f"{group}?api-version={_GROUP_API}", None).status_code == _NOT_FOUND
        if missing:
            made = send("PUT", f"{group}?api-version={_GROUP_API}", {"location": department.region})
            _finish(made, send)
        try:
            response = send("DELETE", f"{workspace}?api-version={_WORKSPACE_API}&forceToPurge=true", None)
            if response.status_code not in (_NOT_FOUND, _NO_CONTENT):
                _finish(response, send)
                purged.append(names.workspace)
        finally:
            if missing:
                _finish(send("DELETE", f"{group}?api-version={_GROUP_API}", None), send)
    return purged


def _deleted_vault(department: Department, name: str, action: str = "") -> str:
    location = f"/subscriptions/{department.subscription_id}/providers/Microsoft.KeyVault/locations/{department.region}"
    return f"{location}/deletedVaults/{name}{action}?api-version={_VAULT_API}"


def _finish(response: Response, send: Send) -> None:
    """Wait until Azure has done what it accepted."""
    deadline = time.monotonic() + _LONGEST_SECONDS
    address = None
    while body_of(response).get("status") in _UNDER_WAY or response.status_code == _ACCEPTED:
        address = response.headers.get("Azure-AsyncOperation") or response.headers.get("Location") or address
        if address is None:
            return
        if time.monotonic() > deadline:
            raise AzureRefusedError(f"the operation runs longer than {_LONGEST_SECONDS:.0f} seconds: {address}")
        time.sleep(float(response.headers.get("Retry-After", _POLL_SECONDS)))
        response = send("GET", address.removeprefix(ARM), None)
