"""The ASGI application behind vaults' host names.

Source: learn.microsoft.com/rest/api/keyvault/secrets.
"""

import json
import logging
import re
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import quote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.azure.cloud import Cloud
from sandbox.azure.errors import failure
from sandbox.azure.keyvault import authorization as rights
from sandbox.azure.keyvault.authorization import Right, authenticate, check_network, require
from sandbox.azure.keyvault.errors import VaultError, bad_parameter, not_emulated
from sandbox.azure.keyvault.secrets import Document, Secrets, Vault, find_vault

log = logging.getLogger(__name__)
MAX_BODY = 64 * 1024  # bytes; a value has at most 25 KB
MAX_RESULTS = 25  # learn.microsoft.com/rest/api/keyvault/secrets/get-secrets
VERSION = re.compile(r"7\.\d(-preview\.\d+)?|\d{4}-\d{2}-\d{2}(-preview)?|2016-10-01")


@dataclass(frozen=True)
class Call:
    """One authenticated request about a vault.

    Attributes:
        secrets: The vault's.
        parts: The path's, without slashes.
        query: The query's parameters.
        body: The JSON sent; empty for none.
    """

    vault: Vault
    secrets: Secrets
    parts: list[str]
    query: dict[str, str]
    body: Document

    @property
    def name(self) -> str:
        """The secret's name."""
        return self.parts[1]

    @property
    def version(self) -> str:
        """The version asked for; empty for the current one."""
        return self.parts[2] if len(self.parts) > 2 else ""  # noqa: PLR2004


def app(cloud: Cloud) -> ASGIApp:
    """Serves `VAULT.vault.azure.net`."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await _answer(cloud, request)
        except ClientDisconnect:
            return  # nobody is left to hear it
        except VaultError as error:
            response = error.response()
        except Exception as error:
            log.exception("%s %s failed", request.method, request.url.path)
            failed = failure(error)
            response = VaultError(failed.status, failed.code, failed.message).response()
        response.headers["x-ms-request-id"] = str(uuid.uuid4())
        response.headers["x-ms-keyvault-service-version"] = "1.9.0.0"
        await response(scope, receive, send)

    return serve


async def _answer(cloud: Cloud, request: Request) -> Response:
    name = request.headers.get("host", "").partition(".")[0]
    vault = find_vault(cloud, name)
    if vault is None:
        text = f"The key vault '{name}' does not exist, or is deleted; in Azure its name would not resolve."
        raise VaultError(404, "VaultNotFound", text)
    caller = authenticate(cloud, request.headers.get("authorization"))
    check_network(cloud, vault, request, caller)
    query = {key.lower(): value for key, value in request.query_params.items()}
    if not VERSION.fullmatch(query.get("api-version", "")):
        raise bad_parameter("api-version must be specified, such as api-version=7.5")
    parts = [part for part in request.url.path.split("/") if part]
    right, act = _operation(request.method, parts)
    require(cloud, vault, caller, right, parts[1] if len(parts) > 1 else "")
    return act(Call(vault, Secrets(cloud, vault), parts, query, await _body(request)))


async def _body(request: Request) -> Document:
    raw = b""
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MAX_BODY:
            raise VaultError(413, "RequestEntityTooLarge", f"The request is larger than {MAX_BODY} bytes.")
    if not raw:
        return {}
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise bad_parameter(f"The request body is no JSON: {error}") from error
    if not isinstance(body, dict):
        raise bad_parameter("The request body must be a JSON object.")
    return body


Action = Callable[[Call], Response]


def _operation(method: str, parts: list[str]) -> tuple[Right, Action]:
    if not parts or parts[0] not in {"secrets", "deletedsecrets"}:
        raise not_emulated(f"/{'/'.join(parts[:1])} of a vault; secrets and deletedsecrets it does")
    shape = [parts[0], *(["NAME"] if len(parts) > 1 else []), *parts[2:]]
    if shape[:1] == ["secrets"] and len(shape) == 3 and shape[2] != "versions":  # noqa: PLR2004
        shape[2] = "VERSION"
    found = OPERATIONS.get(" ".join([method, *shape]))
    if found is None:
        raise not_emulated(f"{method} /{'/'.join(shape)} of a vault")
    return found


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
        path = f"https://{call.vault.name}.vault.azure.net/{'/'.join(call.parts)}"
        following = f"{path}?api-version={call.query['api-version']}&$skiptoken={token}&maxresults={limit}"
    return JSONResponse({"value": page[:limit], "nextLink": following})


def _purge(call: Call) -> Response:
    call.secrets.purge(call.name)
    return Response(status_code=204)


def _shown(document: dict[str, Any]) -> Response:
    return JSONResponse(document)


OPERATIONS: dict[str, tuple[Right, Action]] = {
    "GET secrets": (rights.LIST, lambda call: _list(call, call.secrets.items())),
    "PUT secrets NAME": (rights.SET, lambda call: _shown(call.secrets.set(call.name, call.body))),
    "GET secrets NAME": (rights.GET, lambda call: _shown(call.secrets.get(call.name))),
    "GET secrets NAME VERSION": (rights.GET, lambda call: _shown(call.secrets.get(call.name, call.version))),
    "GET secrets NAME versions": (rights.LIST, lambda call: _list(call, call.secrets.versions(call.name))),
    "PATCH secrets NAME": (rights.UPDATE, lambda call: _shown(call.secrets.update(call.name, "", call.body))),
    "PATCH secrets NAME VERSION": (
        rights.UPDATE,
        lambda call: _shown(call.secrets.update(call.name, call.version, call.body)),
    ),
    "DELETE secrets NAME": (rights.DELETE, lambda call: _shown(call.secrets.delete(call.name))),
    "GET deletedsecrets": (rights.LIST, lambda call: _list(call, call.secrets.deleted())),
    "GET deletedsecrets NAME": (rights.GET_DELETED, lambda call: _shown(call.secrets.get_deleted(call.name))),
    "POST deletedsecrets NAME recover": (rights.RECOVER, lambda call: _shown(call.secrets.recover(call.name))),
    "DELETE deletedsecrets NAME": (rights.PURGE, _purge),
}
"""By verb and path."""
