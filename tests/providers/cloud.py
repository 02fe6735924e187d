"""A cloud that says what a test tells it to, behind the real gateway: TLS, proxy and host names are as they are.

It is for what the local Azure does not do on demand: failing late, being busy, losing connections. Without a script it
keeps what is PUT, which is enough to see the requests.
"""

import asyncio
import base64
import json
import re
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trustme
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from sandbox.azure.front.gateway import Gateway

TENANT = "11111111-1111-1111-1111-111111111111"
SUBSCRIPTION = "22222222-2222-2222-2222-222222222222"
CLAIMS = {"tid": TENANT, "oid": "caller-object", "appid": "caller-client"}


@dataclass
class Asked:
    """One request that arrived."""

    method: str
    host: str
    path: str
    query: dict[str, str]
    body: Any
    headers: dict[str, str]


Answer = tuple[int, Any] | tuple[int, Any, dict[str, str]] | Callable[[Asked], tuple[int, Any]]


@dataclass
class Cloud:
    """What arrived, what is kept and what is to be answered."""

    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    kept: dict[str, Any] = field(default_factory=dict)
    lifetime: int = 3600
    _script: list[tuple[str, str, list[Answer]]] = field(default_factory=list)
    signed_in: int = 0

    def say(self, method: str, path: str, *answers: Answer) -> None:
        """Answers requests of this method, whose path ends so, one after the other."""
        self._script.append((method, path, list(answers)))

    def calls(self, *methods: str) -> list[str]:
        """`METHOD path` of what arrived."""
        return [f"{one.method} {one.path}" for one in self.asked if not methods or one.method in methods]

    def last(self, method: str) -> Asked:
        return [one for one in self.asked if one.method == method][-1]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        raw = await request.body()
        asked = Asked(
            request.method,
            request.headers["host"],
            request.url.path,
            dict(request.query_params),
            json.loads(raw) if raw and "json" in request.headers.get("content-type", "") else raw.decode(),
            dict(request.headers),
        )
        if asked.host == "login.microsoftonline.com":
            response = self._token(asked)
        else:
            self.asked.append(asked)
            response = self._response(self._scripted(asked) or self._keep(asked))
        await response(scope, receive, send)

    def _token(self, asked: Asked) -> Response:
        self.signed_in += 1
        if "client_secret=right" not in asked.body:
            return JSONResponse({"error": "invalid_client", "error_description": "AADSTS7000215: wrong secret"}, 401)
        claims = base64.urlsafe_b64encode(json.dumps(CLAIMS).encode()).decode().rstrip("=")
        return JSONResponse({"access_token": f"e30.{claims}.c2ln", "expires_in": self.lifetime})

    def _scripted(self, asked: Asked) -> Any:
        for method, path, answers in self._script:
            if asked.method == method and asked.path.endswith(path) and answers:
                answer = answers.pop(0)
                return answer(asked) if callable(answer) else answer
        return None

    @staticmethod
    def _response(answer: Any) -> Response:
        status, body, headers = (*answer, {})[:3]
        if status == 204 or body is None:
            return Response(status_code=status, headers=headers)
        return JSONResponse(body, status, headers=headers)

    def _keep(self, asked: Asked) -> Any:
        if asked.host == "graph.microsoft.com":
            return Directory(self.kept).answer(asked)
        path = asked.path.lower()
        if asked.method in ("PUT", "PATCH"):
            self.kept[path] = {"id": asked.path, "name": asked.path.rsplit("/", 1)[-1], **asked.body}
            return 200, self.kept[path]
        if asked.method == "DELETE":
            return (200 if self.kept.pop(path, None) else 204), None
        if asked.method == "GET" and path in self.kept:
            return 200, self.kept[path]
        return 404, error("ResourceNotFound", f"The Resource '{asked.path}' was not found.")


class Directory:
    """As much of Microsoft Graph as azuread's resources need."""

    def __init__(self, kept: dict[str, Any]) -> None:
        self._kept = kept

    def answer(self, asked: Asked) -> Any:
        parts = asked.path.removeprefix("/v1.0/").split("/")
        handlers = {"GET": self._get, "POST": self._post, "PATCH": self._patch, "DELETE": self._delete}
        return handlers[asked.method](parts, asked)

    def _objects(self, collection: str) -> dict[str, Any]:
        found: dict[str, Any] = self._kept.setdefault(collection, {})
        return found

    def _find(self, parts: list[str]) -> Any:
        one = self._objects(parts[0]).get(parts[1])
        if one is not None and len(parts) > 2:
            inner = one.get(parts[2], [])
            return next((x for x in inner if x["id"] == parts[3]), None) if len(parts) > 3 else inner
        return one

    def _get(self, parts: list[str], asked: Asked) -> Any:
        if len(parts) == 1:
            terms = dict(re.findall(r"(\w+) eq '?((?:[^' ]|'')+)'?", asked.query.get("$filter", "")))
            rows = [
                one
                for one in self._objects(parts[0]).values()
                if all(str(one.get(k)).lower() == v.replace("''", "'").lower() for k, v in terms.items())
            ]
            return 200, {"value": rows}
        found = self._find(parts)
        if found is None:
            return 404, error("Request_ResourceNotFound", f"Resource '{parts[-1]}' does not exist.")
        return 200, {"value": found} if isinstance(found, list) else found

    def _post(self, parts: list[str], asked: Asked) -> Any:
        if len(parts) == 1:
            body = {"id": str(uuid.uuid4()), "appId": str(uuid.uuid4()), **asked.body}
            for key in [key for key in body if key.endswith("@odata.bind")]:
                body[key.split("@")[0]] = [{"id": one.rsplit("/", 1)[-1]} for one in body.pop(key)]
            self._objects(parts[0])[body["id"]] = body
            return 201, body
        one = self._objects(parts[0])[parts[1]]
        if parts[2] == "addPassword":
            made = {"keyId": str(uuid.uuid4()), **asked.body["passwordCredential"]}
            one.setdefault("passwordCredentials", []).append(made)
            return 200, {**made, "secretText": "s3cret-of-" + made["keyId"]}
        if parts[2] == "removePassword":
            one["passwordCredentials"] = [c for c in one["passwordCredentials"] if c["keyId"] != asked.body["keyId"]]
            return 204, None
        if parts[-1] == "$ref":
            one.setdefault(parts[2], []).append({"id": asked.body["@odata.id"].rsplit("/", 1)[-1]})
            return 204, None
        made = {"id": str(uuid.uuid4()), **asked.body}
        one.setdefault(parts[2], []).append(made)
        return 201, made

    def _patch(self, parts: list[str], asked: Asked) -> Any:
        self._find(parts).update(asked.body)
        return 204, None

    def _delete(self, parts: list[str], asked: Asked) -> Any:
        if len(parts) == 2:
            self._objects(parts[0]).pop(parts[1], None)
        else:
            one = self._objects(parts[0])[parts[1]]
            one[parts[2]] = [x for x in one[parts[2]] if x["id"] != parts[3]]
        return 204, None


def error(code: str, message: str) -> dict[str, Any]:
    """Azure's error body."""
    return {"error": {"code": code, "message": message}}


@contextmanager
def serving(directory: Path) -> Iterator[tuple[Cloud, dict[str, str]]]:
    """A running cloud and the environment of its clients."""
    ca, cloud, loop = trustme.CA(), Cloud(), asyncio.new_event_loop()
    bundle = directory / "ca.pem"
    ca.cert_pem.write_to_path(str(bundle))
    hosts = r"(management\.azure\.com|login\.microsoftonline\.com|graph\.microsoft\.com|[a-z0-9-]+\.vault\.azure\.net)"

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await cloud(scope, receive, send)

    gateway = Gateway(ca, [(re.compile(hosts), application)], application, str)
    server = loop.run_until_complete(gateway.start(socket.create_server(("127.0.0.1", 0))))
    cloud.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    credentials = {
        "TENANT_ID": TENANT,
        "CLIENT_ID": "caller-client",
        "CLIENT_SECRET": "right",
        "SUBSCRIPTION_ID": SUBSCRIPTION,
    }
    try:
        yield (
            cloud,
            {
                "HTTPS_PROXY": f"http://127.0.0.1:{cloud.port}",
                "https_proxy": f"http://127.0.0.1:{cloud.port}",
                "NO_PROXY": "",
                "no_proxy": "",
                "SSL_CERT_FILE": str(bundle),
                **{f"{prefix}_{name}": value for prefix in ("ARM", "AZURE") for name, value in credentials.items()},
            },
        )
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
