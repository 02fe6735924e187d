"""Requests to online endpoints: who may, which deployment, and what its server says."""

import asyncio
import time

from starlette.responses import Response

from sandbox.azure.activity.record import note_caller, note_missing
from sandbox.azure.arm.core import Body
from sandbox.azure.cloud import Cloud
from sandbox.azure.front.errors import AzureError
from sandbox.azure.front.request import Request
from sandbox.azure.ml.durations import seconds
from sandbox.azure.ml.endpoints.online import credentials, traffic
from sandbox.azure.ml.endpoints.online.live import Live, board
from sandbox.azure.ml.inference.forward import HOP, Answer, Headers, forward
from sandbox.azure.ml.inference.records import record
from sandbox.azure.ml.inference.refusals import ScoringError
from sandbox.azure.ml.names import AUDIENCE, DEPLOYMENT_HEADER, ONLINE_ENDPOINTS

PATHS = ("/score", "/swagger.json", "/")
UNSENT = HOP | {b"authorization", DEPLOYMENT_HEADER.encode()}
STARTING = 60.0  # seconds that a request waits for a server that starts, as after a start of the sandbox
OK = 200


class Online:
    """Answers for the online endpoints of one local Azure."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud, self._board = cloud, board(cloud.store)
        self._mirrored: set[asyncio.Task[None]] = set()

    async def answer(self, endpoint: Body, request: Request, body: bytes) -> Response:
        """The answer of one of the endpoint's deployments.

        Raises:
            ScoringError: The service refuses the request, or the deployment gives no answer in time.
        """
        self._authorize(endpoint, request)
        if request.path not in PATHS:
            raise ScoringError(404, f"The endpoint has no path '{request.path}': it has {', '.join(PATHS)}.")
        deployment = self._deployment(endpoint, request.headers.get(DEPLOYMENT_HEADER, ""))
        begun, status = time.perf_counter(), 0
        try:
            answer = await self._ask(deployment, request, body)
            status = answer.status
        except ScoringError as refusal:
            status = refusal.status
            raise
        finally:
            if deployment["properties"]["appInsightsEnabled"]:
                record(self._cloud, deployment, request, status, (time.perf_counter() - begun) * 1000)
        if DEPLOYMENT_HEADER not in request.headers:
            self._mirror(endpoint, request, body)
        return _shown(answer, deployment)

    def _authorize(self, endpoint: Body, request: Request) -> None:
        """Checks the key or token. All refusals are alike, so that nobody learns which part was wrong."""
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not given or not self._opens(endpoint, given.strip()):
            text = "The key or token is missing, wrong or expired, or gives no right to score at this endpoint."
            raise ScoringError(401, text)

    def _opens(self, endpoint: Body, given: str) -> bool:
        mode = endpoint["properties"]["authMode"]
        if mode == "Key":
            is_key = credentials.is_key(self._cloud, endpoint, given)
            if is_key:
                note_caller("endpoint key")
            return is_key
        try:
            audience = credentials.audience(endpoint) if mode == "AMLToken" else AUDIENCE
            caller = self._cloud.tokens.check(f"Bearer {given}", audience)
        except AzureError:
            return False
        action = f"{ONLINE_ENDPOINTS}/score/action"
        if mode == "AMLToken" or self._cloud.access.allows(caller.object_id, action, endpoint["id"]):
            return True
        note_missing((action,), endpoint["id"])
        return False

    def _deployment(self, endpoint: Body, named: str) -> Body:
        """The deployment that the request names, or one by the traffic's weights."""
        name = named.lower() or traffic.choose(endpoint["properties"])
        found = self._cloud.store.get("resource", f"{endpoint['id']}/deployments/{name}".lower()) if name else None
        if found is None:
            what = f"no deployment '{named}'" if named else "no deployment with a positive weight"
            raise ScoringError(404, f"The endpoint '{endpoint['name']}' has {what}.")
        return found

    async def _ask(self, deployment: Body, request: Request, body: bytes) -> Answer:
        server = await self._server(deployment)
        settings = deployment["properties"]["requestSettings"]
        most = 2 * settings["maxConcurrentRequestsPerInstance"] * deployment["sku"]["capacity"]
        if server.pending >= most:
            raise ScoringError(429, f"The deployment has {most} requests already: too many pending requests.")
        target = request.raw_path + (f"?{request.raw_query}" if request.raw_query else "")
        limit = seconds(settings["requestTimeout"])
        try:
            with server:
                async with asyncio.timeout(limit):
                    return await forward(server.address, request.method, target, _sent(request), body)
        except TimeoutError as error:
            raise ScoringError(408, f"The model took longer than {limit:g} seconds.") from error
        except OSError as error:
            raise ScoringError(424, f"The model's container gave no answer: {error}.", reason="model_error") from error

    async def _server(self, deployment: Body) -> Live:
        key = deployment["id"].lower()
        starting = deployment["properties"]["provisioningState"] != "Failed"
        found = self._board.now(key) or (await self._board.get(key, STARTING) if starting else None)
        if found is None:
            raise ScoringError(404, f"The deployment '{deployment['name']}' is not ready.")
        return found

    def _mirror(self, endpoint: Body, request: Request, body: bytes) -> None:
        """A copy for another deployment, whose answer nobody gets."""
        name = traffic.mirror(endpoint["properties"])
        if name:
            task = asyncio.create_task(self._copy(endpoint, name, request, body))
            self._mirrored.add(task)
            task.add_done_callback(self._mirrored.discard)

    async def _copy(self, endpoint: Body, name: str, request: Request, body: bytes) -> None:
        try:
            await self._ask(self._deployment(endpoint, name), request, body)
        except ScoringError:
            return  # the caller has the answer of the live deployment


def _sent(request: Request) -> Headers:
    """The headers that the model's server gets; every request has an id."""
    found = [(name, value) for name, value in request.scope["headers"] if name not in UNSENT]
    if "x-request-id" not in request.headers:
        found.append((b"x-request-id", request.id.encode()))
    return found


def _shown(answer: Answer, deployment: Body) -> Response:
    """The server's answer with the service's headers: 424 in place of what is not 200."""
    response = Response(answer.body, OK if answer.status == OK else 424)
    response.raw_headers += [(name, value) for name, value in answer.headers if name not in HOP]
    for name in (DEPLOYMENT_HEADER, "azureml-model-session"):
        response.headers[name] = deployment["name"]
    if answer.status != OK:
        response.headers["ms-azureml-model-error-statuscode"] = str(answer.status)
        response.headers["ms-azureml-model-error-reason"] = "model_error"
    return response
