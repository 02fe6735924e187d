"""Where clients find a registry, and its content: `REGION.api.azureml.ms/registrymanagement/` and `/mferp/`.

The resource manager has the registry itself. Sources: recordings, listed in docs/fidelity/registries.md.
"""

import inspect
import re
import uuid
from urllib.parse import parse_qsl

from starlette.responses import JSONResponse, Response

from sandbox.azure.access.tokens import Caller
from sandbox.azure.arm.core import Body, Call, parse_id
from sandbox.azure.cloud import Cloud
from sandbox.azure.front import routing
from sandbox.azure.front.errors import AzureError
from sandbox.azure.front.request import Request
from sandbox.azure.ml.operations import forget_old
from sandbox.azure.ml.registries import assets, sharing
from sandbox.azure.ml.scope import told_from
from sandbox.azure.ml.shared import REGISTRIES, RegistryScope, find
from sandbox.azure.privatelink import reaches

FRONT = "/mferp/managementfrontend"
_DISCOVERY = re.compile(r"/registrymanagement/v1\.0/registries/(?P<registry>[^/]+)/discovery", re.IGNORECASE)
_OPERATION = re.compile(r"/registry/v1\.0/operations/(?P<name>[^/]+)")
_REGISTRY = re.compile(
    rf"{FRONT}(?P<id>/subscriptions/[^/]+/resourcegroups/[^/]+/providers/{re.escape(REGISTRIES)}/(?P<name>[^/]+))"
    r"(?P<rest>/.*)",
    re.IGNORECASE,
)


class Registries:
    """Answers for the registries of one local Azure."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        forget_old(cloud, assets.OPERATION)
        table = [*assets.operations(), ("POST", "/import", "assets/write", sharing.share)]
        self._routes = routing.Routes(
            routing.Route(method, routing.compile_path(path), (right, handle)) for method, path, right, handle in table
        )

    @staticmethod
    def serves(path: str) -> bool:
        """Whether a path is of a registry."""
        return any(pattern.fullmatch(path) for pattern in (_DISCOVERY, _OPERATION, _REGISTRY))

    async def answer(self, request: Request, caller: Caller, body: Body) -> Response:
        """The answer to a request that is of a registry.

        Raises:
            AzureError: Any refusal.
        """
        discovery = _DISCOVERY.fullmatch(request.raw_path)
        if discovery is not None:
            return JSONResponse(self._discovery(discovery["registry"]))
        operation = _OPERATION.fullmatch(request.raw_path)
        if operation is not None:
            return assets.poll(self._cloud, operation["name"])
        found = _REGISTRY.fullmatch(request.raw_path)
        if found is None:
            raise AzureError(404, "NotFound", f"The sandbox does not emulate {request.method} {request.path}.")
        return await self._asset(request, caller, found, body)

    def _find(self, name: str) -> Body:
        registry = find(self._cloud.store, name)
        if registry is None:
            raise AzureError(404, "UserError", f"Registry with name {name} was not found.")
        return registry

    def _registry(self, name: str, network: str) -> Body:
        """The registry, where the network leads to it."""
        registry = self._find(name)
        closed = registry["properties"].get("publicNetworkAccess") == "Disabled"
        if closed and not reaches(self._cloud.store, network, registry["id"], "amlregistry"):
            raise AzureError(
                403,
                "Forbidden",
                f"Public network access of the registry '{registry['name']}' is disabled, and the request does not "
                "come by a private endpoint.",
            )
        return registry

    def _discovery(self, name: str) -> Body:
        """Where a registry is: everybody who can sign in may know."""
        registry = self._find(name)
        parts, region = registry["id"].split("/"), registry["location"]
        regions = [one["location"] for one in registry["properties"]["regionDetails"]]
        return {
            "registryId": str(uuid.uuid5(uuid.NAMESPACE_URL, registry["id"].lower())),
            "registryName": registry["name"],
            "tenantId": self._cloud.seed["tenantId"],
            "primaryRegion": region,
            "regions": regions,
            "subscriptionId": parts[2],
            "resourceGroup": parts[4],
            "workspaceName": None,
            "primaryRegionResourceProviderUri": f"https://{region}.api.azureml.ms/",
            "registryFqdns": {one: {"uri": f"https://{one}.api.azureml.ms"} for one in regions},
            "intellectualPropertyPublisher": registry["properties"].get("intellectualPropertyPublisher"),
        }

    async def _asset(self, request: Request, caller: Caller, found: re.Match[str], body: Body) -> Response:
        registry = self._registry(found["name"], request.network)
        operation = self._routes.find(request.method, found["rest"])
        if operation is None or registry["id"].lower() != found["id"].lower():
            raise AzureError(404, "NotFound", f"The sandbox does not emulate {request.method} {request.path}.")
        route, match = operation
        right, handle = route.handle
        scope = RegistryScope(self._cloud, caller, registry)
        scope.authorize(right)
        query = dict(reversed(parse_qsl(request.raw_query, keep_blank_values=True)))
        base = f"https://{request.headers.get('host', '')}{FRONT}"
        call = Call(self._cloud, caller, request.method, parse_id(f"{found['id']}{found['rest']}"), body, query, base)
        with told_from(registry):
            answer = handle(scope, call, match)
            if inspect.isawaitable(answer):
                answer = await answer
        return answer if isinstance(answer, Response) else JSONResponse(answer)
