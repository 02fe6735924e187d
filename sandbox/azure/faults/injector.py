"""Makes a plan's faults happen, as ASGI middleware around every service."""

import asyncio
import json
import logging
import re
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.azure.faults.plan import FILE, Draws, Plan, PlanError, Rule, read_plan
from sandbox.azure.faults.refusals import LOGIN, refusal
from sandbox.azure.store import Store

_GUID = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}")
_OBJECT = re.compile(
    r"/(?:v1\.0|beta)/(?:serviceprincipals|applications|groups|users|directoryobjects)/([0-9a-f-]{36})\b"
)
_MADE = re.compile(r"/(?:v1\.0|beta)/(?:serviceprincipals|applications|groups|users)")
_IDENTITY = re.compile(r"/subscriptions/.*/providers/(microsoft\.managedidentity/userassignedidentities)/[^/]+")
_ASSIGNMENT = re.compile(r"/.*/providers/microsoft\.authorization/roleassignments/[^/]+")
_COMPUTE = re.compile(r"/subscriptions/.*/computes/[^/]+")
_VAULT = re.compile(r"/subscriptions/.*/providers/microsoft\.keyvault/vaults/[^/]+")
_STATUSES = {
    "throttle": (429, "TooManyRequests", "The request is being throttled (fault plan)."),
    "error": (500, "InternalServerError", "The server encountered an internal error (fault plan)."),
    "unavailable": (503, "ServiceUnavailable", "The service is unavailable now (fault plan)."),
}
_TAKEN = (
    "A vault with the same name already exists in deleted state. You need to either recover or purge existing key "
    "vault. (fault plan)"
)
_QUOTA = "The specified subscription has no vCPU quota left for the requested nodes. (fault plan)"


class Faults:
    """The plan of a sandbox's folder, at work. An empty or absent plan costs a look at the file a request.

    Args:
        directory: The sandbox's folder.
        store: Tells which resources exist.
    """

    def __init__(self, directory: Path, store: Store) -> None:
        self._directory, self._store = directory, store
        self._file: tuple[int, int, int] | None = None
        self._set(Plan())

    def around(self, app: ASGIApp) -> ASGIApp:
        """The application with the plan's faults in front of it."""

        async def faulty(scope: Scope, receive: Receive, send: Send) -> None:
            self._look()
            if scope["type"] != "http" or not self._plan.rules:
                await app(scope, receive, send)
                return
            await self._serve(_Request(app, scope, receive, send))

        return faulty

    def settling(self, assignment: str) -> bool:
        """Whether the role assignment of this lowercased id has no effect yet."""
        return self._young("late-roles", assignment)

    def preempts(self) -> float | None:
        """Returns after how many seconds a job's low-priority node is lost, or None if it stays."""
        self._look()
        for rule in self._plan.rules:
            if rule.kind == "preemption" and self._strikes(rule):
                logging.info("fault preemption: a node in %s seconds", rule.seconds)
                return rule.seconds
        return None

    def _set(self, plan: Plan) -> None:
        self._plan, self._draws = plan, Draws(plan.seed)
        self._struck: dict[Rule, int] = {}
        self._drawn: dict[tuple[Rule, str], bool] = {}
        self._made: dict[str, float] = {}

    def _look(self) -> None:
        """Reads a changed plan; the counts start again."""
        try:
            status = (self._directory / FILE).stat()
            file = (status.st_ino, status.st_mtime_ns, status.st_size)
        except OSError:
            file = None
        if file == self._file:
            return
        self._file = file
        try:
            self._set(read_plan(self._directory))
        except PlanError as error:
            logging.error("no faults: %s", error)  # noqa: TRY400 # the message says it all
            self._set(Plan())

    async def _serve(self, request: "_Request") -> None:
        hidden = await self._hidden(request)
        if hidden is not None:
            await request.answer(hidden)
            return
        for rule in self._plan.rules:
            act = _ACTS.get(rule.kind)
            if act is None or not rule.matches(request.host, request.method, request.path):
                continue
            if self._applies(rule, request) and self._strikes(rule, request.method, request.host, request.shape):
                logging.info("fault %s: %s %s%s", rule.kind, request.method, request.host, request.path)
                await act(rule, request)
                return
        await self._watched(request)

    def _applies(self, rule: Rule, request: "_Request") -> bool:
        """Whether this kind of fault can happen to the request."""
        if rule.kind == "expired-token":
            return request.headers.get("authorization", "").lower().startswith("bearer ")
        pattern = {"quota": _COMPUTE, "soft-deleted": _VAULT}.get(rule.kind)
        if pattern is None:
            return True
        made = request.method == "PUT" and pattern.fullmatch(request.path)
        return bool(made) and self._store.get("resource", request.path) is None

    def _strikes(self, rule: Rule, *what: object) -> bool:
        if rule.count is not None and self._struck.get(rule, 0) >= rule.count:
            return False
        struck = self._draws.below(rule.probability, self._plan.rules.index(rule), *what)
        self._struck[rule] = self._struck.get(rule, 0) + struck
        return struck

    def _once(self, rule: Rule, thing: str) -> bool:
        """Decides once for a thing; later calls give the same decision."""
        if (rule, thing) not in self._drawn:
            self._drawn[rule, thing] = self._strikes(rule)
        return self._drawn[rule, thing]

    async def _watched(self, request: "_Request") -> None:
        """Serves the request; remembers when it made a principal or a role assignment."""
        graph = request.method == "POST" and _MADE.fullmatch(request.path)
        identity = request.method == "PUT" and _IDENTITY.fullmatch(request.path)
        if request.method == "PUT" and _ASSIGNMENT.fullmatch(request.path):
            self._made.setdefault(request.path, time.monotonic())
        if not graph and not identity:
            await request.serve()
            return
        body = await request.serve_and_keep()
        made_id = body.get("id") if graph else (body.get("properties") or {}).get("principalId")
        if isinstance(made_id, str):
            self._made.setdefault(made_id.lower(), time.monotonic())

    async def _hidden(self, request: "_Request") -> Response | None:
        """The refusal of a request about a principal that is not known everywhere yet."""
        if not self._made:
            return None
        if (
            request.method == "GET"
            and (named := _OBJECT.match(request.path))
            and self._young("new-principal", named[1])
        ):
            text = f"Resource '{named[1]}' does not exist (replication delay)."
            return refusal(request.host, 404, "Request_ResourceNotFound", text, {})
        if request.method != "PUT" or not _ASSIGNMENT.fullmatch(request.path):
            return None
        properties = (await request.body()).get("properties") or {}
        principal = str(properties.get("principalId", "")).lower()
        if properties.get("principalType") or not self._young("new-principal", principal):
            return None
        text = f"Principal {principal.replace('-', '')} does not exist in the directory yet (replication delay)."
        return refusal(request.host, 400, "PrincipalNotFound", text, {})

    def _young(self, kind: str, thing: str) -> bool:
        """Whether a principal or an assignment was made too short a while ago for a rule of the kind."""
        made = self._made.get(thing)
        return made is not None and any(
            time.monotonic() < made + rule.seconds and self._once(rule, thing)
            for rule in self._plan.rules
            if rule.kind == kind
        )


class _Request:
    """One request on its way to its service."""

    def __init__(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        self._app, self._scope, self._receive, self._send = app, scope, receive, send
        self.headers = Headers(scope=scope)
        self.host = self.headers.get("host", "").partition(":")[0].lower()
        self.method: str = scope["method"]
        self.path: str = scope["path"].lower()
        self.shape = _GUID.sub("*", self.path)
        """The path without what differs from run to run."""
        self._early: list[Message] = []

    async def answer(self, response: Response) -> None:
        """Returns the fault's answer, which takes the place of the service's."""
        await response(self._scope, self._receive, self._send)

    async def serve(self, send: Send | None = None) -> None:
        """Passes the request on to its service."""
        await self._app(self._scope, self._next, send or self._send)

    async def _next(self) -> Message:
        return self._early.pop(0) if self._early else await self._receive()

    async def body(self) -> dict[str, Any]:
        """The request's JSON; the service still gets it."""
        while not self._early or (self._early[-1]["type"] == "http.request" and self._early[-1].get("more_body")):
            self._early.append(await self._receive())
        return _object(b"".join(message.get("body", b"") for message in self._early))

    async def serve_and_keep(self) -> dict[str, Any]:
        """Serves the request and gives the answer's JSON."""
        parts: list[bytes] = []

        async def keep(message: Message) -> None:
            parts.append(message.get("body", b""))
            await self._send(message)

        await self.serve(keep)
        return _object(b"".join(parts))

    async def serve_unheard(self) -> list[Message]:
        """Lets the service do its work, and gives what it would have answered."""
        heard: list[Message] = []

        async def hear(message: Message) -> None:
            heard.append(message)

        await self.serve(hear)
        return heard

    async def send_half(self, messages: list[Message]) -> None:
        """Sends the head and the first half of the body, then closes."""
        body = b"".join(message.get("body", b"") for message in messages)
        if not body or self.method == "HEAD":
            await self.reset()
            return
        head = dict(messages[0])
        headers = [(name, value) for name, value in head["headers"] if name.lower() != b"content-length"]
        head["headers"] = [*headers, (b"content-length", str(len(body)).encode())]
        await self._send(head)
        await self._send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        self._scope["state"]["transport"].close()
        await self._gone()

    async def reset(self) -> None:
        """Ends the connection with a TCP reset."""
        transport = self._scope["state"]["transport"]
        linger = struct.pack("ii", 1, 0)  # on, for no time: what is unsent is dropped, the peer gets RST
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()
        await self._gone()

    async def _gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass


def _object(text: bytes) -> dict[str, Any]:
    try:
        body = json.loads(text)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


async def _refuse(rule: Rule, request: _Request) -> None:
    status, code, message = _STATUSES[rule.kind]
    headers = {"Retry-After": f"{rule.seconds:.0f}"}
    await request.answer(refusal(request.host, status, code, message, headers))


async def _expire(rule: Rule, request: _Request) -> None:
    code, text = "ExpiredAuthenticationToken", "The access token expiry UTC time has passed. (fault plan)"
    headers = {"WWW-Authenticate": f'Bearer authorization_uri="https://{LOGIN}/", error="invalid_token"'}
    await request.answer(refusal(request.host, 401, code, text, headers))


async def _over_quota(rule: Rule, request: _Request) -> None:
    details = [{"code": "ClusterMinNodesExceedCoreQuota", "message": _QUOTA}]
    await request.answer(refusal(request.host, 400, "BadRequest", "The request is invalid.", {}, details=details))


async def _soft_deleted(rule: Rule, request: _Request) -> None:
    await request.answer(refusal(request.host, 409, "ConflictError", _TAKEN, {}))


async def _reset_before(rule: Rule, request: _Request) -> None:
    await request.reset()


async def _reset_after(rule: Rule, request: _Request) -> None:
    await request.serve_unheard()
    await request.reset()


async def _truncate(rule: Rule, request: _Request) -> None:
    await request.send_half(await request.serve_unheard())


async def _slow(rule: Rule, request: _Request) -> None:
    await asyncio.sleep(rule.seconds)
    await request.serve()


_ACTS: dict[str, Callable[[Rule, _Request], Awaitable[None]]] = {
    "throttle": _refuse,
    "error": _refuse,
    "unavailable": _refuse,
    "expired-token": _expire,
    "quota": _over_quota,
    "soft-deleted": _soft_deleted,
    "reset-before": _reset_before,
    "reset-after": _reset_after,
    "truncated": _truncate,
    "slow": _slow,
}
