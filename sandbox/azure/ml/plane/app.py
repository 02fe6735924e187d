"""The service of `REGION.api.azureml.ms`."""

import inspect
import re
from urllib.parse import parse_qsl, unquote

from starlette.responses import JSONResponse, Response

from sandbox.azure.access.tokens import Caller
from sandbox.azure.arm.core import Body
from sandbox.azure.cloud import Cloud
from sandbox.azure.front.errors import AzureError, ServiceError
from sandbox.azure.front.request import Request as HttpRequest
from sandbox.azure.front.routing import Routes
from sandbox.azure.front.service import Service
from sandbox.azure.ml.access import AccessError
from sandbox.azure.ml.names import AUDIENCE, WORKSPACES
from sandbox.azure.ml.plane import (
    artifacts,
    assets,
    batch,
    datastores,
    experiments,
    files,
    history,
    logged,
    mlflow,
    registry,
    tracking,
)
from sandbox.azure.ml.plane.routing import Request, Route
from sandbox.azure.ml.registries.door import Registries
from sandbox.azure.ml.scope import Scope
from sandbox.azure.ml.uris import AddressError
from sandbox.azure.privatelink import reaches

AUDIENCES = (AUDIENCE, "https://management.azure.com", "https://management.core.windows.net")
SERVICES = ("api", "history", "artifact", "mlflow", "modelregistry", "dataset", "data", "metric", "execution")
ROUTES: dict[str, list[Route]] = {
    "history": [*history.ROUTES, *artifacts.RUN_ROUTES],
    "artifact": artifacts.ROUTES,
    "data": assets.DATA_ROUTES,
    "datastore": datastores.ROUTES,
    "mferp": batch.ROUTES,
    "modelregistry": assets.MODEL_ROUTES,
    "mlflow": [*experiments.ROUTES, *tracking.ROUTES, *logged.ROUTES, *registry.ROUTES, *files.ROUTES],
}
"""The operations of each service."""
_PATH = re.compile(
    r"/(?P<service>[a-z]+)/(?:v\d\.\d|managementfrontend)(?P<workspace>/subscriptions/[^/]+/resourcegroups/[^/]+/providers/"
    r"microsoft\.machinelearningservices/workspaces/[^/]+)(?P<rest>/.*)?",
    re.IGNORECASE,
)


class WorkspaceServices(Service[HttpRequest]):
    """Answers for all regions; a workspace is found in its own only."""

    request_type = HttpRequest
    max_body = 16 * 1024 * 1024  # a batch of metrics has at most 1 MB

    def __init__(self, cloud: Cloud) -> None:
        self._cloud, self._registries = cloud, Registries(cloud)
        self._routes = {service: Routes(routes) for service, routes in ROUTES.items()}

    def emulates(self, method: str, path: str) -> bool:
        """Whether there is an operation for a path, such as docs/coverage.md lists."""
        if self._registries.serves(path):
            return True
        parts = _PATH.fullmatch(path)
        routes = self._routes.get(parts["service"].lower()) if parts else None
        return bool(parts and routes and routes.find(method, parts["rest"] or ""))

    def refuse(self, request: HttpRequest, refusal: ServiceError) -> Response:
        """In MLflow's form below `/mlflow/`; storage's refusals as this service's own."""
        error = refusal if isinstance(refusal, AzureError) else AzureError(400, "UserError", str(refusal))
        return mlflow.mlflow_error(error) if request.path.lower().startswith("/mlflow/") else error.response()

    async def answer(self, request: HttpRequest) -> Response:
        """Finds the operation, checks token, right, workspace and network, and carries it out."""
        region = request.host.partition(".")[0]
        address = request.raw_path.lower()
        if address.rstrip("/") == "/discovery" or address.startswith("/discovery/"):
            return JSONResponse(dict.fromkeys(SERVICES, f"https://{region}.api.azureml.ms"))
        caller = self._cloud.tokens.check(request.headers.get("authorization"), *AUDIENCES)
        if self._registries.serves(request.raw_path):
            return await self._registries.answer(request, caller, await self.json(request))
        parts = _PATH.fullmatch(request.raw_path)
        rest = (parts["rest"] or "") if parts else ""
        routes = self._routes.get(parts["service"].lower()) if parts else None
        operation = routes.find(request.method, rest) if routes else None
        if parts is None or operation is None:
            raise AzureError(404, "NotFound", f"The sandbox does not emulate {request.method} {request.path}.")
        route, match = operation
        call = Request(
            Scope(self._cloud, caller, self._workspace(caller, unquote(parts["workspace"]), region, route, request)),
            request,
            f"https://{request.headers.get('host', '')}{request.raw_path.removesuffix(rest)}",
            dict(reversed(parse_qsl(request.raw_query, keep_blank_values=True))),
            {name: unquote(value) for name, value in match.groupdict().items()},
            b"" if route.streams else await self.body(request),
        )
        try:
            answer = route.handle(call)
            if inspect.isawaitable(answer):
                answer = await answer
        except (AccessError, AddressError) as error:
            raise AzureError(400, "UserError", str(error)) from error
        return answer if isinstance(answer, Response) else JSONResponse(answer if answer is not None else {})

    def _workspace(self, caller: Caller, workspace_id: str, region: str, route: Route, request: HttpRequest) -> Body:
        """The workspace, where the caller has the operation's right and the network leads to it."""
        self._cloud.access.authorize(caller, f"{WORKSPACES}/{route.action}", workspace_id)
        workspace = self._cloud.store.get("resource", workspace_id.lower())
        if workspace is None or workspace["location"] != region:
            name = workspace_id.rsplit("/", 1)[-1]
            raise AzureError(404, "WorkspaceNotFound", f"The workspace '{name}' was not found in region {region}.")
        self._check_network(workspace, request.network)
        return workspace

    def _check_network(self, workspace: Body, network: str) -> None:
        """Refuses a client on the internet, or in a network that does not lead here, where the workspace is private."""
        if workspace["properties"].get("publicNetworkAccess") != "Disabled":
            return
        if not reaches(self._cloud.store, network, workspace["id"], "amlworkspace"):
            raise AzureError(
                403,
                "Forbidden",
                f"Public network access of the workspace '{workspace['name']}' is disabled, and the request does not "
                "come by a private endpoint.",
            )
