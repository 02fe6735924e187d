"""The ASGI application behind storage accounts' host names."""

import logging
import sqlite3
from email.utils import formatdate

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.azure.cloud import Cloud
from sandbox.azure.errors import disk_is_full
from sandbox.azure.storage import accounts, blob_service, dfs_service
from sandbox.azure.storage.authorization import authenticate, check_network
from sandbox.azure.storage.call import Call
from sandbox.azure.storage.containers import all_files
from sandbox.azure.storage.content import content_of
from sandbox.azure.storage.errors import StorageError
from sandbox.azure.storage.request import Request

log = logging.getLogger(__name__)
ENDPOINTS = {"blob": blob_service.answer, "dfs": dfs_service.answer}
OLDEST = "2009-09-19"  # the version of a request that names none


def app(cloud: Cloud) -> ASGIApp:
    """Serves `ACCOUNT.{blob,dfs}.core.windows.net`, and refuses `{file,queue,table}`.

    Files that a killed sandbox left half-received are removed first.
    """
    content_of(cloud.directory).sweep(all_files(cloud))

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await _answer(cloud, request)
        except ClientDisconnect:
            return  # nobody is left to hear it
        except StorageError as error:
            response = _refusal(request, error)
        except (OSError, sqlite3.OperationalError) as error:
            log.exception("%s %s failed", request.method, request.raw_path)
            response = _refusal(
                request, StorageError("InsufficientDiskSpace" if disk_is_full(error) else "InternalError")
            )
        except Exception:
            log.exception("%s %s failed", request.method, request.raw_path)
            response = _refusal(request, StorageError("InternalError"))
        response.headers["x-ms-request-id"] = request.id
        response.headers["x-ms-version"] = request.version or request.query.get("sv") or OLDEST
        response.headers["date"] = formatdate(usegmt=True)
        response.headers["server"] = "Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0"
        if "x-ms-client-request-id" in request.headers:
            response.headers["x-ms-client-request-id"] = request.headers["x-ms-client-request-id"]
        await response(scope, receive, send)

    return serve


async def _answer(cloud: Cloud, request: Request) -> Response:
    request.parse()
    account = accounts.find(cloud, request.account)
    if account is None:
        text = f"The storage account '{request.account}' does not exist; in Azure its name would not resolve."
        raise StorageError("ResourceNotFound", text)
    if request.service not in ENDPOINTS:
        raise StorageError("NotImplemented", f"The sandbox emulates blob and dfs storage, not {request.service}.")
    check_network(cloud, account, request.service, client=request.client, network=request.network)
    return await ENDPOINTS[request.service](Call(cloud, account, request, authenticate(cloud, account, request)))


def _refusal(request: Request, error: StorageError) -> Response:
    headers = {"x-ms-error-code": error.code, **error.headers}
    if request.method == "HEAD" or error.status == 304:  # noqa: PLR2004
        return Response(status_code=error.status, headers=headers)
    if request.service == "dfs":
        return JSONResponse(error.json(request.id), error.status, headers=headers)
    return Response(error.xml(request.id), error.status, headers=headers, media_type="application/xml")
