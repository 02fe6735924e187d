"""The service behind storage accounts' host names."""

from collections.abc import Awaitable, Callable

from starlette.responses import JSONResponse, Response

from sandbox.azure import clock
from sandbox.azure.activity.record import note_scope
from sandbox.azure.cloud import Cloud
from sandbox.azure.front.errors import ServiceError, disk_is_full
from sandbox.azure.front.service import Service
from sandbox.azure.storage import accounts, blob_service, dfs_service, public
from sandbox.azure.storage.authorization import authenticate, check_network
from sandbox.azure.storage.call import Call, date
from sandbox.azure.storage.containers import all_files
from sandbox.azure.storage.content import content_of
from sandbox.azure.storage.errors import StorageError
from sandbox.azure.storage.request import Request

ENDPOINTS: dict[str, Callable[[Call], Awaitable[Response]]] = {
    "blob": blob_service.answer,
    "dfs": dfs_service.answer,
}
OLDEST = "2009-09-19"  # the version of a request that names none


class Storage(Service[Request]):
    """Answers for `ACCOUNT.{blob,dfs}.core.windows.net`, and refuses `{file,queue,table}`.

    Files that a killed sandbox left half-received are removed first.
    """

    request_type = Request

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        content_of(cloud.directory).sweep(all_files(cloud))

    async def answer(self, request: Request) -> Response:
        """Finds the account, checks the network and who calls, and hands on to the endpoint."""
        request.parse()
        account = accounts.find(self._cloud, request.account)
        if account is None:
            there = public.answer(self._cloud.directory, request)
            if there is not None:
                return there
            text = f"The storage account '{request.account}' does not exist; in Azure its name would not resolve."
            raise StorageError("ResourceNotFound", text)
        note_scope(account.id)
        if request.service not in ENDPOINTS:
            raise StorageError("NotImplemented", f"The sandbox emulates blob and dfs storage, not {request.service}.")
        check_network(self._cloud, account, request.service, client=request.client, network=request.network)
        grant = authenticate(self._cloud, account, request)
        return await ENDPOINTS[request.service](Call(self._cloud, account, request, grant))

    def refuse(self, request: Request, refusal: ServiceError) -> Response:
        """Writes XML for Blob, JSON for Data Lake."""
        headers = {"x-ms-error-code": refusal.code, **refusal.headers}
        if request.method == "HEAD" or refusal.status == 304 or not isinstance(refusal, StorageError):  # noqa: PLR2004 # Not Modified
            return Response(status_code=refusal.status, headers=headers)
        if request.service == "dfs":
            return JSONResponse(refusal.json(request.id), refusal.status, headers=headers)
        return Response(refusal.xml(request.id), refusal.status, headers=headers, media_type="application/xml")

    def failure(self, error: Exception) -> ServiceError:
        """Returns what the service says when the sandbox itself failed, with storage's codes."""
        return StorageError("InsufficientDiskSpace" if disk_is_full(error) else "InternalError")

    def finish(self, request: Request, response: Response) -> None:
        """Adds the headers of every answer."""
        every = {
            "x-ms-request-id": request.id,
            "x-ms-version": request.version or request.query.get("sv") or OLDEST,
            "date": date(int(clock.real().timestamp())),
            "server": "Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0",
        }
        if "x-ms-client-request-id" in request.headers:
            every["x-ms-client-request-id"] = request.headers["x-ms-client-request-id"]
        response.raw_headers += [(name.encode(), value.encode("latin-1")) for name, value in every.items()]
