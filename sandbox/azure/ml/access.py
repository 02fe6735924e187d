"""Access to data as the datastore's credential, or an identity's role assignments, allow it."""

import hmac
from dataclasses import dataclass

from sandbox.azure import clock
from sandbox.azure.access.tokens import Caller
from sandbox.azure.arm.core import Body
from sandbox.azure.cloud import Cloud
from sandbox.azure.identity.graph.credentials import secret_hash
from sandbox.azure.ml.datastores import SECRETS
from sandbox.azure.ml.scope import Scope
from sandbox.azure.ml.uris import Location
from sandbox.azure.sealed import unseal
from sandbox.azure.storage import accounts, containers
from sandbox.azure.storage.authorization import Grant, KeyGrant, Right, authenticate, check_network
from sandbox.azure.storage.container import Blob, Container
from sandbox.azure.storage.errors import StorageError
from sandbox.azure.storage.request import Request

STORAGE = "https://storage.azure.com"
VERSION = "2023-11-03"  # of the storage service that is asked
NODE = "192.0.2.1"  # a node's address, which Azure gives and no list of an account has


class AccessError(Exception):
    """Data cannot be reached; the message says with which credential and why."""


@dataclass(frozen=True)
class Place:
    """A location that was opened.

    Attributes:
        container: Its container.
        path: The path in it.
        grant: What the credential allows.
        words: The location and the credential, for messages.
    """

    container: Container
    path: str
    grant: Grant
    words: str

    def require(self, right: Right, path: str = "") -> None:
        """Checks a right.

        Raises:
            AccessError: It is not there.
        """
        try:
            self.grant.require(right, self.container.name, path)
        except StorageError as error:
            raise AccessError(f"No permission on {self.words}: {error.code}.") from error

    def file(self) -> Blob | None:
        """The file at the path; None for none, or for a folder."""
        blob = self.container.find(self.path)
        return None if blob is None or blob.folder else blob


def outside(location: Location) -> str:
    """Says of a location outside this Azure that it is not there, and the command that places such files."""
    web = f"'{location.address}' lies on another web server."
    storage = f"There is no container '{location.container}' in a storage account '{location.account}'."
    return (
        f"{web if '.' in location.account else storage} The sandbox has no internet: place the files of a public one "
        f"with `python -m sandbox public {location.account}/{location.container} FOLDER`."
    )


def open_place(scope: Scope, location: Location, identity: Caller | None, network: str | None = None) -> Place:
    """Opens a location with its datastore's credential, or with the identity where that has none.

    Args:
        scope: The workspace.
        location: The location.
        identity: Who reads or writes where the datastore has no credential.
        network: Id of the network of the node that does so, empty for the internet; None for Azure ML itself, which
            storage accounts trust.

    Raises:
        AccessError: There is no such account or container, or no valid credential.
    """
    cloud = scope.cloud
    account = accounts.find(cloud, location.account)
    where = f"{location.account}/{location.container}/{location.path}"
    if account is None:
        raise AccessError(outside(location))
    if containers.get(cloud, location.account, location.container) is None:
        raise AccessError(f"There is no container '{location.container}' in the storage account '{account.name}'.")
    try:
        if network is not None:
            kind = (location.datastore or {"properties": {}})["properties"].get("datastoreType")
            service = "dfs" if kind == "AzureDataLakeGen2" else "blob"
            check_network(cloud, account, service, client=NODE, network=network)
        grant, words = _grant(scope, location, account, identity)
    except StorageError as error:
        raise AccessError(f"No access to {where}: {error.code}.") from error
    return Place(Container(cloud, account, location.container, grant.owner), location.path, grant, f"{where} {words}")


def _grant(scope: Scope, location: Location, account: accounts.Account, identity: Caller | None) -> tuple[Grant, str]:
    cloud = scope.cloud
    if location.sas:
        return _by_sas(cloud, account, location, location.sas), "with the address's signature"
    credentials = (location.datastore or {"properties": {}})["properties"].get("credentials", {})
    kind = credentials.get("credentialsType", "None")
    kept = cloud.store.get(SECRETS, location.datastore["id"].lower()) if location.datastore else None
    secret = unseal(cloud.directory, kept["sealed"]) if kept else ""
    if kind == "AccountKey":
        if account.properties.get("allowSharedKeyAccess") is False:
            raise StorageError("KeyBasedAuthenticationNotPermitted")
        if secret and secret not in accounts.keys(cloud, account.name):
            raise StorageError("AuthenticationFailed")
        return KeyGrant(), "with the account's key"
    if kind == "Sas":
        return _by_sas(cloud, account, location, secret.lstrip("?")), "with the datastore's SAS"
    if kind == "ServicePrincipal":
        identity = _service_principal(cloud, credentials, secret)
    if identity is None:
        raise AccessError(
            f"{location.account}/{location.container} is accessed by identity, and there is none: give the cluster a "
            "managed identity, or the job `identity: user_identity`."
        )
    return _by_token(cloud, account, location, identity), f"as the identity {identity.object_id}"


def _request(account: accounts.Account, location: Location, query: str, headers: dict[str, str]) -> Request:
    """A request as a node would send it, for the storage service to authenticate."""
    named = {"host": f"{account.name}.blob.core.windows.net", "x-ms-version": VERSION, **headers}
    path = f"/{location.container}/{location.path}"

    async def no_body() -> dict[str, object]:
        return {"type": "http.request", "body": b""}

    request = Request(
        {
            "type": "http",
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in named.items()],
            "client": ("127.0.0.1", 0),
            "state": {},
        },
        no_body,
    )
    request.parse()
    return request


def _by_sas(cloud: Cloud, account: accounts.Account, location: Location, sas: str) -> Grant:
    return authenticate(cloud, account, _request(account, location, sas, {}))


def _by_token(cloud: Cloud, account: accounts.Account, location: Location, identity: Caller) -> Grant:
    token, _ = cloud.tokens.issue(STORAGE, identity)
    return authenticate(cloud, account, _request(account, location, "", {"authorization": f"Bearer {token}"}))


def _service_principal(cloud: Cloud, credentials: Body, secret: str) -> Caller:
    """The principal behind a client id and secret, as Entra knows it.

    Raises:
        AccessError: The pair is not valid.
    """
    client_id, now = credentials["clientId"].lower(), clock.now().isoformat()
    found = {
        kind: next((one for one in cloud.store.list(kind) if one["appId"] == client_id), None)
        for kind in ("application", "servicePrincipal")
    }
    principal = found["servicePrincipal"]
    kept = [one for each in found.values() for one in (each or {}).get("passwordCredentials", [])]
    given = secret_hash(secret)
    valid = any(hmac.compare_digest(one["_hash"], given) and one["endDateTime"] > now for one in kept)
    if principal is None or not valid:
        raise AccessError(f"The datastore's service principal '{client_id}' cannot sign in: its secret is not valid.")
    return Caller(principal["id"], client_id)
