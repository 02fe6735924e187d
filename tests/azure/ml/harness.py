"""A team's workspace as the platform's program makes it, by plain requests: identities, roles, storage without keys."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests

from tests.azure.client import CONTRIBUTOR, READER, Client, unique, user_id
from tests.conftest import SUBSCRIPTION

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

REGION = "eastus2"
ML_API = "2025-12-01"
RUNNING = ("InProgress", "Creating", "Updating", "Deleting")
"""The states of operations that go on."""
BLOB_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
VAULT_ADMINISTRATOR = "00482a5a-887f-4fb3-b363-3b7fe8e74483"
ML_SCIENTIST = "f6c7c914-8db3-469d-8ca1-694a8f32e121"
SCIENTIST = user_id("user2@site.com")
APIS = {
    "Microsoft.Storage": "2024-01-01",
    "Microsoft.KeyVault": "2024-11-01",
    "Microsoft.ManagedIdentity": "2023-01-31",
    "Microsoft.Insights": "2020-02-02",
    "Microsoft.OperationalInsights": "2023-09-01",
    "Microsoft.ContainerRegistry": "2023-01-01-preview",
    "Microsoft.MachineLearningServices": ML_API,
}


def put(azure: Client, resource_id: str, body: Any) -> dict[str, Any]:
    """Makes a resource; gives it as the resource manager answers."""
    namespace = resource_id.rpartition("/providers/")[2].split("/")[0]
    made = azure.arm("PUT", resource_id, body, api=APIS[namespace])
    assert made.status_code in (200, 201, 202), made.text
    if "Azure-AsyncOperation" in made.headers:
        outcome(azure, made)
    elif made.status_code == 202:  # an account's
        read = azure.send("GET", made.headers["Location"])
        assert read.status_code == 200, read.text
    found: dict[str, Any] = azure.arm("GET", resource_id, api=APIS[namespace]).json()
    return found


def outcome(azure: Client, accepted: requests.Response, seconds: float = 30) -> dict[str, Any]:
    """How an accepted operation ended."""
    deadline = time.monotonic() + seconds
    while True:
        answer: dict[str, Any] = azure.send("GET", accepted.headers["Azure-AsyncOperation"]).json()
        if answer["status"] not in RUNNING:
            return answer
        assert time.monotonic() < deadline, (answer, azure.sandbox.log())
        time.sleep(0.02)


@dataclass(frozen=True)
class Needs:
    """What a workspace hangs on.

    Attributes:
        group: The resource group's id.
        ids: By property of the workspace: storageAccount, keyVault, applicationInsights, containerRegistry.
        identity: The workspace's identity, as a resource.
        nodes: The clusters' identity, as a resource.
        lake: The data lake's account, as a resource.
    """

    group: str
    ids: dict[str, str]
    identity: dict[str, Any]
    nodes: dict[str, Any]
    lake: dict[str, Any]

    def workspace_id(self, name: str) -> str:
        """The id of a workspace in the group."""
        return f"{self.group}/providers/Microsoft.MachineLearningServices/workspaces/{name}"

    def body(self, **properties: Any) -> dict[str, Any]:
        """A workspace's body."""
        return {
            "location": REGION,
            "identity": {"type": "UserAssigned", "userAssignedIdentities": {self.identity["id"]: {}}},
            "properties": {
                "friendlyName": "test",
                "primaryUserAssignedIdentity": self.identity["id"],
                "systemDatastoresAuthMode": "identity",
                **self.ids,
                **properties,
            },
        }


def account(
    azure: Client, group: str, *, hierarchical: bool = False, keys: bool = False, **more: Any
) -> dict[str, Any]:
    """Makes a storage account."""
    body = {
        "location": REGION,
        "kind": "StorageV2",
        "sku": {"name": "Standard_LRS"},
        "properties": {"isHnsEnabled": hierarchical, "allowSharedKeyAccess": keys, **more},
    }
    return put(azure, f"{group}/providers/Microsoft.Storage/storageAccounts/{unique('st')}", body)


def identity(azure: Client, group: str) -> dict[str, Any]:
    """Makes a user-assigned identity."""
    path = f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{unique('id')}"
    return put(azure, path, {"location": REGION})


def grant(azure: Client, scope: str, principal: str, role: str, kind: str = "ServicePrincipal") -> None:
    """Assigns a role."""
    made = azure.assign(scope, principal, role, principalType=kind)
    assert made.status_code == 201, made.text


@contextmanager
def granted(azure: Client, scope: str, principal: str, role: str, kind: str = "User") -> Iterator[None]:
    """Assigns a role for a while: the sandbox is shared, and other tests expect a refusal."""
    made = azure.assign(scope, principal, role, principalType=kind)
    assert made.status_code == 201, made.text
    try:
        yield
    finally:
        azure.send("DELETE", f"https://management.azure.com{made.json()['id']}?api-version=2022-04-01")


def dependencies(azure: Client, *, keys: bool = False, roles: bool = True) -> Needs:
    """Makes what a workspace hangs on, and its identities with their roles."""
    group = azure.group()
    providers = f"{group}/providers"
    tenant = azure.tenant
    vault = {
        "location": REGION,
        "properties": {"tenantId": tenant, "sku": {"family": "A", "name": "standard"}, "enableRbacAuthorization": True},
    }
    logs = put(
        azure,
        f"{providers}/Microsoft.OperationalInsights/workspaces/{unique('log')}",
        {"location": REGION, "properties": {"sku": {"name": "PerGB2018"}}},
    )
    insights = {
        "location": REGION,
        "kind": "web",
        "properties": {"Application_Type": "web", "WorkspaceResourceId": logs["id"]},
    }
    registry = {"location": REGION, "sku": {"name": "Standard"}, "properties": {"adminUserEnabled": False}}
    ids = {
        "storageAccount": account(azure, group, keys=keys)["id"],
        "keyVault": put(azure, f"{providers}/Microsoft.KeyVault/vaults/{unique('kv')}", vault)["id"],
        "applicationInsights": put(azure, f"{providers}/Microsoft.Insights/components/{unique('ai')}", insights)["id"],
        "containerRegistry": put(azure, f"{providers}/Microsoft.ContainerRegistry/registries/{unique('cr')}", registry)[
            "id"
        ],
    }
    needs = Needs(group, ids, identity(azure, group), identity(azure, group), account(azure, group, hierarchical=True))
    if roles:
        give_roles(azure, needs)
    return needs


def give_roles(azure: Client, needs: Needs) -> None:
    """The roles that the workspace's and the nodes' identities need, and those of the data scientist."""
    own, nodes = (one["properties"]["principalId"] for one in (needs.identity, needs.nodes))
    for scope in needs.ids.values():
        grant(azure, scope, own, CONTRIBUTOR)
    grant(azure, needs.ids["keyVault"], own, VAULT_ADMINISTRATOR)
    grant(azure, needs.ids["storageAccount"], own, BLOB_CONTRIBUTOR)
    for scope in (needs.ids["storageAccount"], needs.lake["id"]):
        grant(azure, scope, nodes, BLOB_CONTRIBUTOR)
        grant(azure, scope, SCIENTIST, BLOB_CONTRIBUTOR, "User")
    # Reader as well: read literally, `workspaces/*/read` does not hold `workspaces/read`.
    for role in (ML_SCIENTIST, READER):
        grant(azure, needs.group, SCIENTIST, role, "User")


@dataclass(frozen=True)
class Team:
    """A workspace with a cluster `cpu` of one node, and a datastore `lake` on the file system `fs1`."""

    azure: Client
    needs: Needs
    workspace: dict[str, Any]

    @property
    def id(self) -> str:
        """The workspace's id."""
        return str(self.workspace["id"])

    @property
    def group(self) -> str:
        """The resource group's name."""
        return self.needs.group.rsplit("/", 1)[-1]

    def by(self, client: Client) -> "Team":
        """The same workspace, for the requests of another client."""
        return Team(client, self.needs, self.workspace)

    def arm(self, method: str, path: str, body: Any = None, api: str = ML_API, **query: str) -> requests.Response:
        """A request below the workspace."""
        return self.azure.send(
            method,
            f"https://management.azure.com{self.id}{path}",
            body,
            params={
                "api-version": api,
                **{name.replace("_", "$", 1) if name[0] == "_" else name: value for name, value in query.items()},
            },
        )

    def plane(self, method: str, service: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        """A request to the workspace's own services."""
        host = f"https://{REGION}.api.azureml.ms"
        token = self.azure.token("https://ml.azure.com")
        headers = {"Authorization": f"Bearer {token}"}
        return self.azure.session.request(
            method, f"{host}/{service}{self.id}{path}", json=body, headers=headers, **options
        )


def cluster(
    needs: Needs, *, most: int = 1, size: str = "STANDARD_DS3_V2", idle: str = "PT60S", **more: Any
) -> dict[str, Any]:
    """A cluster's body."""
    return {
        "location": REGION,
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {needs.nodes["id"]: {}}},
        "properties": {
            "computeType": "AmlCompute",
            "properties": {
                "vmSize": size,
                "vmPriority": "LowPriority",
                "scaleSettings": {"minNodeCount": 0, "maxNodeCount": most, "nodeIdleTimeBeforeScaleDown": idle},
                **more,
            },
        },
    }


def bare_environment(team: Team) -> str:
    """The id of an environment without packages, which is made if it is not there."""
    path = "/environments/none/versions/1"
    made = team.arm("PUT", path, {"properties": {"image": "python:3.11"}})
    assert made.ok, made.text
    return team.id + path


def command_job(team: Team, command: str = "true", **more: Any) -> dict[str, Any]:
    """A command job as the REST API takes it, on the cluster `cpu`, in an environment without packages."""
    return {
        "jobType": "Command",
        "command": command,
        "computeId": f"{team.id}/computes/cpu",
        "environmentId": bare_environment(team),
        **more,
    }


def registry(**properties: Any) -> dict[str, Any]:
    """A registry's body, with an account in its region."""
    region = {
        "location": REGION,
        "acrDetails": [{"systemCreatedAcrAccount": {"acrAccountSku": "Premium"}}],
        "storageAccountDetails": [
            {"systemCreatedStorageAccount": {"storageAccountType": "Standard_LRS", "storageAccountHnsEnabled": False}}
        ],
    }
    return {
        "location": REGION,
        "identity": {"type": "SystemAssigned"},
        "properties": {"regionDetails": [region], **properties},
    }


def ml_client(team: Team) -> "MLClient":
    """The unmodified client of the workspace, as whoever this process is."""
    from azure.ai.ml import MLClient  # noqa: PLC0415 # 2 seconds that most tests do without
    from azure.identity import EnvironmentCredential  # noqa: PLC0415

    return MLClient(EnvironmentCredential(), SUBSCRIPTION, team.group, team.workspace["name"])


def team(azure: Client, *, keys: bool = False) -> Team:
    """Makes a whole team."""
    needs = dependencies(azure, keys=keys)
    properties = {} if not keys else {"systemDatastoresAuthMode": "accessKey"}
    workspace = put(azure, needs.workspace_id(unique("ws")), needs.body(**properties))
    assert workspace["properties"]["provisioningState"] == "Succeeded", workspace
    put(azure, f"{workspace['id']}/computes/cpu", cluster(needs))
    files = f"{needs.lake['id']}/blobServices/default/containers/fs1"
    put(azure, files, {})
    lake = {
        "datastoreType": "AzureDataLakeGen2",
        "accountName": needs.lake["name"],
        "filesystem": "fs1",
        "credentials": {"credentialsType": "None"},
    }
    put(azure, f"{workspace['id']}/datastores/lake", {"properties": lake})
    return Team(azure, needs, workspace)
