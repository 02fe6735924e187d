"""A local Azure with storage accounts and vaults, in a thread, behind its gateway."""

import asyncio
import re
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import requests
import trustme
from azure.core.credentials import AccessToken
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sandbox.azure.access.tokens import Caller
from sandbox.azure.activity import Recorder
from sandbox.azure.cloud import Cloud, open_cloud
from sandbox.azure.front.gateway import Gateway
from sandbox.azure.keyvault.app import Vaults
from sandbox.azure.storage import accounts
from sandbox.azure.storage.app import Storage

Result = TypeVar("Result")
GROUP = "/subscriptions/8b41ca0c-0c5a-4c01-b49b-5bb8d329cc27/resourceGroups/rg"
CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"  # Storage Blob Data Contributor
READER = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"  # Storage Blob Data Reader
OWNER = "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"  # Storage Blob Data Owner
PATTERNS: dict[str, type[Storage] | type[Vaults]] = {
    r"[a-z0-9]+\.(blob|dfs|file|queue|table)\.core\.windows\.net": Storage,
    r"[a-z0-9-]+\.vault\.azure\.net": Vaults,
}


class Credential:
    """What azure-identity would give: tokens of one principal."""

    def __init__(self, cloud: Cloud, object_id: str) -> None:
        self.cloud, self.object_id = cloud, object_id

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        audience = scopes[0].removesuffix("/.default")
        token, lifetime = self.cloud.tokens.issue(audience, Caller(self.object_id, "client"))
        return AccessToken(token, 2_000_000_000 + lifetime)


@dataclass
class Azure:
    """The running local Azure."""

    cloud: Cloud
    port: int
    ca: Path
    loop: asyncio.AbstractEventLoop

    @property
    def transport(self) -> dict[str, Any]:
        """What points an Azure client here."""
        return {
            "proxies": {"https": f"http://127.0.0.1:{self.port}"},
            "connection_verify": str(self.ca),
            "retry_total": 0,
        }

    def do(self, action: Callable[..., Result], *arguments: Any, **keywords: Any) -> Result:
        """Runs something on the gateway's event loop, where the store is used."""

        async def run() -> Result:
            return action(*arguments, **keywords)

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(30)

    def account(self, name: str, **properties: Any) -> str:
        """Makes a storage account as the resource manager does; returns its first key."""
        resource_id = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/{name}"
        body = {
            "id": resource_id,
            "name": name,
            "properties": properties,
            "kind": "StorageV2",
            "sku": {"name": "Standard_LRS"},
        }
        self.do(self.cloud.store.put, "resource", resource_id.lower(), body)
        self.do(accounts.register, self.cloud, name, resource_id)
        return self.do(accounts.keys, self.cloud, name)[0]

    def vault(self, name: str, **properties: Any) -> str:
        """Makes a vault as the resource manager does; returns its resource id."""
        resource_id = f"{GROUP}/providers/Microsoft.KeyVault/vaults/{name}"
        properties = {"enableRbacAuthorization": True, "softDeleteRetentionInDays": 90, **properties}
        body = {"id": resource_id, "name": name, "location": "eastus2", "properties": properties}
        self.do(self.cloud.store.put, "resource", resource_id.lower(), body)
        self.do(self.cloud.store.put, "vault", name.lower(), {"id": resource_id})
        return resource_id

    def assign(self, role: str, scope: str, principal: str | None = None) -> Credential:
        """Gives a role to a principal, a new one if none is named; returns its credential."""
        principal = principal or str(uuid.uuid4())
        assignment = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
        properties = {"scope": scope, "principalId": principal, "roleDefinitionId": f"/x/{role}"}
        self.do(
            self.cloud.store.put, "roleAssignment", assignment.lower(), {"id": assignment, "properties": properties}
        )
        return Credential(self.cloud, principal)

    def http(self) -> requests.Session:
        """Plain HTTP by way of the gateway."""
        session = requests.Session()
        session.trust_env = False  # another sandbox's variables may be set
        session.proxies = {"https": f"http://127.0.0.1:{self.port}"}
        session.verify = str(self.ca)
        return session


def account_id(name: str) -> str:
    """An account's resource id."""
    return f"{GROUP}/providers/Microsoft.Storage/storageAccounts/{name}"


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """The gateway's own page, which nobody asks for here."""
    await Response(status_code=404)(scope, receive, send)


@contextmanager
def running(directory: Path) -> Iterator[Azure]:
    """Runs a local Azure in a folder."""
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(directory / "ca.pem"))
    cloud = open_cloud(directory, {})
    loop = asyncio.new_event_loop()

    async def start() -> asyncio.Server:
        recorder = Recorder()
        hosts = [(re.compile(pattern), recorder.around(make(cloud))) for pattern, make in PATTERNS.items()]
        return await Gateway(ca, hosts, refuse, str).start(socket.create_server(("127.0.0.1", 0)))

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(start(), loop).result(30)
    try:
        yield Azure(cloud, server.sockets[0].getsockname()[1], directory / "ca.pem", loop)
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        cloud.store.close()
