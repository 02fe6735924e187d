"""The ASGI application of `REGION.api.azureml.ms`."""

import inspect
import logging
import re
from collections.abc import Iterable
from urllib.parse import unquote

from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope

from sandbox.azure.arm.core import Body
from sandbox.azure.cloud import Cloud
from sandbox.azure.errors import AzureError, failure
from sandbox.azure.ml.access import AccessError
from sandbox.azure.ml.names import WORKSPACES
from sandbox.azure.ml.plane import artifacts, assets, experiments, files, history, logged, mlflow, registry, tracking
from sandbox.azure.ml.plane.routing import MAX_BODY, Request, Route
from sandbox.azure.ml.scope import Scope
from sandbox.azure.ml.uris import AddressError
from sandbox.azure.privatelink import network_of, reaches
from sandbox.azure.storage.errors import StorageError

AUDIENCES = ("https://ml.azure.com", "https://management.azure.com", "https://management.core.windows.net")
SERVICES = ("api", "history", "artifact", "mlflow", "modelregistry", "dataset", "data", "metric", "execution")
_PATH = re.compile(
    r"/(?P<service>[a-z]+)/v\d\.\d(?P<workspace>/subscriptions/[^/]+/resourcegroups/[^/]+/providers/"
    r"microsoft\.machinelearningservices/workspaces/[^/]+)(?P<rest>/.*)?",
    re.IGNORECASE,
)


class Plane:
    """Answers for all regions; a workspace is found in its own only."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._routes: dict[str, list[Route]] = {
            "history": [*history.ROUTES, *artifacts.RUN_ROUTES],
            "artifact": [*artifacts.ROUTES],
            "data": [*assets.DATA_ROUTES],
            "modelregistry": [*assets.MODEL_ROUTES],
            "mlflow": [*experiments.ROUTES, *tracking.ROUTES, *logged.ROUTES, *registry.ROUTES, *files.ROUTES],
        }

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        http = HttpRequest(scope, receive)
        is_mlflow = http.scope["path"].lower().startswith("/mlflow/")
        try:
            response = await self._answer(http)
        except ClientDisconnect:
            return
        except AzureError as error:
            response = mlflow.mlflow_error(error) if is_mlflow else error.response()
        except (AccessError, AddressError, StorageError) as error:
            refused = AzureError(400, "UserError", str(error))
            response = mlflow.mlflow_error(refused) if is_mlflow else refused.response()
        except Exception as error:
            logging.exception("%s %s failed", http.method, http.url.path)
            response = failure(error).response()
        await response(scope, receive, send)

    async def _answer(self, http: HttpRequest) -> Response:
        raw = http.scope.get("raw_path", b"").split(b"?")[0].decode("latin-1") or http.scope["path"]
        region = http.headers.get("host", "").split(".")[0].lower()
        if raw.lower().rstrip("/") == "/discovery" or raw.lower().startswith("/discovery/"):
            host = f"https://{region}.api.azureml.ms"
            return JSONResponse(dict.fromkeys(SERVICES, host))
        caller = self._cloud.tokens.check(http.headers.get("authorization"), *AUDIENCES)
        found = _PATH.fullmatch(raw)
        if found is None or found["service"].lower() not in self._routes:
            raise _no_path(http)
        rest = found["rest"] or ""
        route, match = self._find(found["service"].lower(), http.method, rest) or (None, None)
        if route is None or match is None:
            raise _no_path(http)
        workspace_id = unquote(found["workspace"])
        self._cloud.access.authorize(caller, f"{WORKSPACES}/{route.action}", workspace_id)
        workspace = self._cloud.store.get("resource", workspace_id.lower())
        if workspace is None or workspace["location"] != region:
            name = workspace_id.rsplit("/", 1)[-1]
            raise AzureError(404, "WorkspaceNotFound", f"The workspace '{name}' was not found in region {region}.")
        self._check_network(workspace, network_of(http.scope))
        request = Request(
            Scope(self._cloud, caller, workspace),
            http,
            f"https://{http.headers.get('host', '')}{raw[: len(raw) - len(rest)]}",
            dict(reversed(http.query_params.multi_items())),
            {name: unquote(value) for name, value in match.groupdict().items()},
            b"" if route.streams else await _body(http),
        )
        answer = route.handle(request)
        if inspect.isawaitable(answer):
            answer = await answer
        return answer if isinstance(answer, Response) else JSONResponse(answer if answer is not None else {})

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

    def _find(self, service: str, method: str, rest: str) -> tuple[Route, re.Match[str]] | None:
        candidates: Iterable[Route] = self._routes[service]
        for one in candidates:
            match = one.pattern.fullmatch(rest)
            if match is not None and one.method == method:
                return one, match
        return None


def app(cloud: Cloud) -> Plane:
    """What answers for `REGION.api.azureml.ms`."""
    return Plane(cloud)


async def _body(http: HttpRequest) -> bytes:
    raw = b""
    async for part in http.stream():
        raw += part
        if len(raw) > MAX_BODY:
            raise AzureError(413, "RequestEntityTooLarge", f"The request is larger than {MAX_BODY} bytes.")
    return raw


def _no_path(http: HttpRequest) -> AzureError:
    return AzureError(404, "NotFound", f"The sandbox does not emulate {http.method} {http.url.path}.")
