"""A workspace like the team's in the local sandbox: the same names, so that the job's file fits both."""

from __future__ import annotations

import time
import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from contract import DatastoreOutput, TeamOutput
from jobs.errors import JobError
from jobs.history import client
from jobs.lake import LAKE
from jobs.resources import API_VERSION, MANAGER

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

# Versions of the REST API, by provider.
_VERSIONS = {
    "Microsoft.Storage": "2024-01-01",
    "Microsoft.KeyVault": "2024-11-01",
    "Microsoft.ManagedIdentity": "2023-01-31",
    "Microsoft.Insights": "2020-02-02",
    "Microsoft.Authorization": "2022-04-01",
    "Microsoft.MachineLearningServices": API_VERSION,
}
_GROUPS = "2021-04-01"
# Built-in roles: learn.microsoft.com/azure/role-based-access-control/built-in-roles.
_CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
_BLOBS = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
_SECRETS = "00482a5a-887f-4fb3-b363-3b7fe8e74483"
VM_SIZE = "STANDARD_DS3_V2"
"""Of every cluster: the nodes are this machine."""
_SECONDS = 60.0


def build(team: TeamOutput, credential: TokenCredential) -> None:
    """Make the team's workspace with its clusters and datastores; what is there stays as it is.

    Raises:
        JobError: The sandbox refused something.
    """
    _Builder(team, credential).build()


class _Builder:
    def __init__(self, team: TeamOutput, credential: TokenCredential) -> None:
        self._team = team
        self._group = f"/subscriptions/{team.subscription_id}/resourceGroups/{team.resource_group}"
        self._api = client(MANAGER, credential)

    def build(self) -> None:
        team = self._team
        self._put(self._group, {}, _GROUPS)
        identity = self._put(f"{self._group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/local", {})
        for role in (_CONTRIBUTOR, _SECRETS, _BLOBS):
            self._assign(identity["properties"]["principalId"], "ServicePrincipal", role)
        self._assign(self._owner(), "User", _BLOBS)
        identities = {"type": "UserAssigned", "userAssignedIdentities": {identity["id"]: {}}}
        self._workspace(identities)
        for name, cluster in team.clusters.items():
            scale = {"minNodeCount": 0, "maxNodeCount": cluster.max_nodes, "nodeIdleTimeBeforeScaleDown": "PT10M"}
            own = {"vmSize": VM_SIZE, "vmPriority": "LowPriority", "scaleSettings": scale}
            body = {"identity": identities, "properties": {"computeType": "AmlCompute", "properties": own}}
            self._put(f"{team.resource_id}/computes/{name}", body)
        for name, store in team.datastores.items():
            if store.type != "AzureFile":  # a share has no place here; a job that uses it is told so
                self._datastore(name, store)

    def _workspace(self, identities: dict[str, Any]) -> None:
        vault = {
            "tenantId": self._tenant(),
            "sku": {"family": "A", "name": "standard"},
            "enableRbacAuthorization": True,
        }
        insights = {"kind": "web", "properties": {"Application_Type": "web"}}
        needs = {
            "storageAccount": self._account("localjobs", hierarchical=False),
            "keyVault": self._part("Microsoft.KeyVault/vaults/localjobs", {"properties": vault}),
            "applicationInsights": self._part("Microsoft.Insights/components/localjobs", insights),
        }
        (primary,) = identities["userAssignedIdentities"]
        own = {"primaryUserAssignedIdentity": primary, "systemDatastoresAuthMode": "identity"}
        self._put(self._team.resource_id, {"identity": identities, "properties": {**own, **needs}})

    def _datastore(self, name: str, store: DatastoreOutput) -> None:
        account = self._account(store.account, hierarchical=store.type == LAKE)
        own: dict[str, Any] = {"datastoreType": store.type, "accountName": store.account}
        self._put(f"{account}/blobServices/default/containers/{store.container}", {})
        own |= {"filesystem" if store.type == LAKE else "containerName": store.container}
        body = {"properties": {**own, "credentials": {"credentialsType": "None"}}}
        self._put(f"{self._team.resource_id}/datastores/{name}", body)

    def _account(self, name: str, *, hierarchical: bool) -> str:
        body = {"kind": "StorageV2", "sku": {"name": "Standard_LRS"}, "properties": {"isHnsEnabled": hierarchical}}
        return self._part(f"Microsoft.Storage/storageAccounts/{name}", body)

    def _part(self, path: str, body: dict[str, Any]) -> str:
        return str(self._put(f"{self._group}/providers/{path}", body)["id"])

    def _tenant(self) -> str:
        return str(self._send("GET", "/subscriptions", None, _GROUPS)["value"][0]["tenantId"])

    def _owner(self) -> str:
        """Return the object id of the one user, who owns the subscription and nothing in its storage."""
        path = f"/subscriptions/{self._team.subscription_id}/providers/Microsoft.Authorization/roleAssignments"
        found = self._send("GET", path, None, _VERSIONS["Microsoft.Authorization"])["value"]
        return str(found[0]["properties"]["principalId"])

    def _assign(self, principal: str, kind: str, role: str) -> None:
        name = uuid.uuid5(uuid.NAMESPACE_URL, f"{principal}/{role}")
        provider = "/providers/Microsoft.Authorization"
        definition = f"/subscriptions/{self._team.subscription_id}{provider}/roleDefinitions/{role}"
        own = {"principalId": principal, "principalType": kind, "roleDefinitionId": definition}
        self._put(f"{self._group}{provider}/roleAssignments/{name}", {"properties": own})

    def _put(self, path: str, body: dict[str, Any], version: str | None = None) -> dict[str, Any]:
        """Make a resource, wait until it is there, and return it."""
        version = version or _VERSIONS[path.rpartition("/providers/")[2].partition("/")[0]]
        self._send("PUT", path, {"location": self._team.location, **body}, version)
        end = time.monotonic() + _SECONDS
        while time.monotonic() < end:
            found = self._send("GET", path, None, version)
            state = found.get("properties", {}).get("provisioningState", "Succeeded")
            if state in ("Failed", "Canceled"):
                break
            if state == "Succeeded" and found:
                return found
            time.sleep(0.05)
        raise JobError(f"this machine's workspace cannot be made: {path}")

    def _send(self, method: str, path: str, body: Any, version: str) -> dict[str, Any]:
        from azure.core.rest import HttpRequest  # noqa: PLC0415 - `python -m jobs --help` is quick without it

        request = HttpRequest(method, f"{MANAGER}{path}?api-version={version}", json=body)
        response = self._api.send_request(request)
        if response.status_code == HTTPStatus.NOT_FOUND and method == "GET":
            return {}
        response.raise_for_status()
        found: dict[str, Any] = response.json() if response.content else {}
        return found
