"""The service behind vaults' host names.

Source: learn.microsoft.com/rest/api/keyvault/secrets.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from urllib.parse import quote

from starlette.responses import JSONResponse, Response

from sandbox.azure.activity.record import note_scope
from sandbox.azure.cloud import Cloud
from sandbox.azure.front.errors import ServiceError
from sandbox.azure.front.request import Request
from sandbox.azure.front.routing import Route, Routes, compile_path
from sandbox.azure.front.service import Service
from sandbox.azure.keyvault import authorization as rights
from sandbox.azure.keyvault.authorization import Right, authenticate, check_network, require
from sandbox.azure.keyvault.errors import VaultError, bad_parameter, not_emulated
from sandbox.azure.keyvault.secrets import Document, Secrets, Vault, find_vault

MAX_RESULTS = 25  # learn.microsoft.com/rest/api/keyvault/secrets/get-secrets
VERSION = re.compile(r"7\.\d(-preview\.\d+)?|\d{4}-\d{2}-\d{2}(-preview)?|2016-10-01")


@dataclass(frozen=True)
class Call:
    """One authorized request about a vault.

    Attributes:
        vault: The vault.
        secrets: The vault's secrets.
        path: The request's path.
        name: The secret's name; empty for all.
        version: The version asked for; empty for the current one.
        query: The query's parameters, names in lower case.
        body: The JSON sent; empty for none.
    """

    vault: Vault
    secrets: Secrets
    path: str
    name: str
    version: str
    query: dict[str, str]
    body: Document


Operation = Callable[[Call], Response]


@dataclass(frozen=True)
class SecretRoute(Route[Operation]):
    """An operation on secrets.

    Attributes:
        right: What it needs.
    """

    right: Right


class Vaults(Service[Request]):
    """Answers for `VAULT.vault.azure.net`."""

    request_type = Request
    max_body = 64 * 1024  # a value has at most 25 KB

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    async def answer(self, request: Request) -> Response:
        """Finds the vault, checks token, network and right, and carries the operation out."""
        name = request.host.partition(".")[0]
        vault = find_vault(self._cloud, name)
        if vault is None:
            text = f"The key vault '{name}' does not exist, or is deleted; in Azure its name would not resolve."
            raise VaultError(404, "VaultNotFound", text)
        note_scope(vault.id)
        caller = authenticate(self._cloud, request.headers.get("authorization"))
        check_network(self._cloud, vault, request, caller)
        query = {key.lower(): value for key, value in request.query.items()}
        if not VERSION.fullmatch(query.get("api-version", "")):
            raise bad_parameter("api-version must be specified, such as api-version=7.5")
        path = request.path.rstrip("/")
        operation = ROUTES.find(request.method, path)
        if operation is None:
            raise not_emulated(f"{request.method} {path or '/'} of a vault; its operations on secrets it does")
        route, match = operation
        secret, version = (match.groupdict().get(part, "") for part in ("secret", "version"))
        require(self._cloud, vault, caller, route.right, secret)
        body = await self.json(request)
        return route.handle(Call(vault, Secrets(self._cloud, vault), path, secret, version, query, body))

    def finish(self, request: Request, response: Response) -> None:
        """Names the request and the service's version."""
        response.headers["x-ms-request-id"] = request.id
        response.headers["x-ms-keyvault-service-version"] = "1.9.0.0"

    def bad_body(self, status: int, problem: str) -> ServiceError:
        """Returns the refusal of a body in Key Vault's words."""
        return bad_parameter(problem) if status == 400 else VaultError(413, "RequestEntityTooLarge", problem)  # noqa: PLR2004 # Bad Request


def _list(call: Call, items: Iterable[Document]) -> Response:
    """A page of a list; the next one's address has the number of items seen."""
    try:
        limit = min(int(call.query.get("maxresults", MAX_RESULTS)), MAX_RESULTS)
        start = int(call.query.get("$skiptoken", "0"))
        page = list(islice(items, start, start + max(limit, 1) + 1))
    except ValueError as error:
        raise bad_parameter("maxresults and $skiptoken must be whole numbers.") from error
    if limit < 1:
        raise bad_parameter(f"maxresults must be between 1 and {MAX_RESULTS}.")
    following = None
    if len(page) > limit:
        token = quote(str(start + limit))
        path = f"https://{call.vault.name}.vault.azure.net{call.path}"
        following = f"{path}?api-version={call.query['api-version']}&$skiptoken={token}&maxresults={limit}"
    return JSONResponse({"value": page[:limit], "nextLink": following})


def _purge(call: Call) -> Response:
    call.secrets.purge(call.name)
    return Response(status_code=204)


def _shown(call: Call) -> Response:
    return JSONResponse(call.secrets.get(call.name, call.version))


def _updated(call: Call) -> Response:
    return JSONResponse(call.secrets.update(call.name, call.version, call.body))


def _recovered(call: Call) -> Response:
    return JSONResponse(call.secrets.recover(call.name))


def _deleted(call: Call) -> Response:
    return JSONResponse(call.secrets.get_deleted(call.name))


_TABLE: tuple[tuple[str, str, Right, Operation], ...] = (
    ("GET", "/secrets", rights.LIST, lambda call: _list(call, call.secrets.items())),
    ("PUT", "/secrets/{secret}", rights.SET, lambda call: JSONResponse(call.secrets.set(call.name, call.body))),
    ("GET", "/secrets/{secret}", rights.GET, _shown),
    ("GET", "/secrets/{secret}/versions", rights.LIST, lambda call: _list(call, call.secrets.versions(call.name))),
    (
        "GET",
        "/secrets/{secret}/{version}",
        rights.GET,
        lambda call: JSONResponse(call.secrets.get(call.name, call.version)),
    ),
    (
        "PATCH",
        "/secrets/{secret}",
        rights.UPDATE,
        lambda call: JSONResponse(call.secrets.update(call.name, "", call.body)),
    ),
    (
        "PATCH",
        "/secrets/{secret}/{version}",
        rights.UPDATE,
        lambda call: JSONResponse(call.secrets.update(call.name, call.version, call.body)),
    ),
    ("DELETE", "/secrets/{secret}", rights.DELETE, lambda call: JSONResponse(call.secrets.delete(call.name))),
    ("GET", "/deletedsecrets", rights.LIST, lambda call: _list(call, call.secrets.deleted())),
    (
        "GET",
        "/deletedsecrets/{secret}",
        rights.GET_DELETED,
        lambda call: JSONResponse(call.secrets.get_deleted(call.name)),
    ),
    (
        "POST",
        "/deletedsecrets/{secret}/recover",
        rights.RECOVER,
        lambda call: JSONResponse(call.secrets.recover(call.name)),
    ),
    ("DELETE", "/deletedsecrets/{secret}", rights.PURGE, _purge),
)
ROUTES = Routes(SecretRoute(method, compile_path(path), act, right) for method, path, right, act in _TABLE)
