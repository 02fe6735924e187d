"""Managed identities inside jobs: the token endpoint that `MSI_ENDPOINT` names, and `OBO_ENDPOINT` for the submitter.

azure-identity's `ManagedIdentityCredential` asks it as it does on Azure ML computes: GET with `resource`, perhaps
`clientid`, and the header `secret`. Source: azure-identity, _credentials/azure_ml.py.
"""

import asyncio
import json
import secrets
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from sandbox.azure import clock
from sandbox.azure.access.tokens import Caller
from sandbox.azure.cloud import Cloud

Find = Callable[[str], Caller | None]
"""The identity for a client id, the default one for an empty id, the submitter for `SUBMITTER`."""
SUBMITTER = "submitter"
OBO = "/obo/"  # azure-ai-ml's on-behalf-of credential sends no header, so the address holds the secret
MAX_HEAD = 16 * 1024  # bytes
TIMEOUT = 10.0  # seconds for a request's head


class IdentityEndpoint:
    """Serves all running jobs on one loopback port; each knows its own secret only."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._jobs: dict[str, Find] = {}
        self._server: asyncio.Server | None = None
        self._url = ""

    async def start(self) -> None:
        """Listens.

        Raises:
            OSError: No port is free.
        """
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=MAX_HEAD)
        self._url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def variables(self, secret: str, default: Caller | None, *, on_behalf: bool) -> dict[str, str]:
        """Where a job gets tokens of its compute's identity, and of its submitter if it runs on behalf of that."""
        found = {"MSI_ENDPOINT": f"{self._url}/msi/token", "MSI_SECRET": secret}
        if default is not None:
            found["DEFAULT_IDENTITY_CLIENT_ID"] = default.client_id
        if on_behalf:
            found |= {"AZUREML_OBO_ENABLED": "True", "OBO_ENDPOINT": f"{self._url}{OBO}{secret}"}
        return found

    def stop(self) -> None:
        """Stops listening."""
        if self._server is not None:
            self._server.close()

    def admit(self, find: Find) -> str:
        """The secret with which a job gets tokens of its identities."""
        secret = secrets.token_urlsafe(32)
        self._jobs[secret] = find
        return secret

    def dismiss(self, secret: str) -> None:
        """The secret is worth nothing any more."""
        self._jobs.pop(secret, None)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(TIMEOUT):
                head = await reader.readuntil(b"\r\n\r\n")
            status, body = self._answer(head.decode("latin-1"))
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            status, body = 400, {"error": "invalid_request", "error_description": "No request head came."}
        data = json.dumps(body).encode()
        writer.write(
            f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n"
            "Connection: close\r\n\r\n".encode()
            + data
        )
        writer.close()

    def _answer(self, head: str) -> tuple[int, dict[str, str]]:
        line, *rest = head.split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (one.partition(":") for one in rest)}
        method, _, target = line.partition(" ")
        query = {name: values[0] for name, values in parse_qs(urlsplit(target.split(" ")[0]).query).items()}
        path = urlsplit(target.split(" ")[0]).path
        on_behalf = path.startswith(OBO)
        secret = path.removeprefix(OBO) if on_behalf else headers.get("secret", "")
        find = self._jobs.get(secret)
        if method != "GET" or find is None:
            return 401, {"error": "unauthorized_client", "error_description": "The header 'secret' is not a job's."}
        if not query.get("resource"):
            return 400, {"error": "invalid_request", "error_description": "The parameter 'resource' is missing."}
        client_id = query.get("clientid") or query.get("client_id", "")
        caller = find(SUBMITTER if on_behalf else client_id)
        if caller is None:
            return 400, {
                "error": "invalid_request",
                "error_description": f"The compute has no managed identity {client_id}".strip(),
            }
        token, lifetime = self._cloud.tokens.issue(query["resource"], caller)
        return 200, {
            "access_token": token,
            "expires_on": str(clock.real_seconds() + lifetime),
            "resource": query["resource"],
            "token_type": "Bearer",
            "client_id": caller.client_id,
        }
