"""Requests to batch endpoints: who may, which deployment, and the job that begins.

Source: learn.microsoft.com/azure/machine-learning/how-to-authenticate-batch-endpoint.
"""

import json

from starlette.responses import JSONResponse, Response

from sandbox.azure.access.tokens import Caller
from sandbox.azure.activity.record import note_missing
from sandbox.azure.arm.core import Body
from sandbox.azure.cloud import Cloud
from sandbox.azure.front.errors import AzureError
from sandbox.azure.front.request import Request
from sandbox.azure.ml.access import AccessError
from sandbox.azure.ml.endpoints.batch.invocation import invoke
from sandbox.azure.ml.errors import UserError
from sandbox.azure.ml.inference.refusals import ScoringError
from sandbox.azure.ml.names import AUDIENCE, BATCH_ENDPOINTS, DEPLOYMENT_HEADER, workspace_id
from sandbox.azure.ml.scope import Scope, told_from
from sandbox.azure.ml.uris import AddressError

PATH = "/jobs"


class Batch:
    """Answers for the batch endpoints of one local Azure."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def answer(self, endpoint: Body, request: Request, body: bytes) -> Response:
        """Begins a job.

        Raises:
            ScoringError: The service in front refuses the request.
        """
        caller = self._caller(request)
        if request.path.rstrip("/") != PATH or request.method != "POST":
            raise ScoringError(404, f"The endpoint takes POST {PATH} only, not {request.method} {request.path}.")
        named = request.headers.get(DEPLOYMENT_HEADER, "")
        self._authorize(caller, endpoint, named=bool(named))
        workspace = self._cloud.store.get("resource", workspace_id(endpoint["id"]).lower()) or {}
        try:
            with told_from(workspace):
                made = invoke(
                    Scope(self._cloud, caller, workspace),
                    endpoint,
                    self._deployment(endpoint, named),
                    _properties(body),
                )
        except AzureError as error:
            return error.response()
        except (AccessError, AddressError) as error:
            return UserError(400, str(error), "BadArgument").response()
        return JSONResponse(made)

    def _caller(self, request: Request) -> Caller:
        try:
            return self._cloud.tokens.check(request.headers.get("authorization"), AUDIENCE)
        except AzureError as error:
            text = f"The token is missing, wrong or expired, or is not for {AUDIENCE}."
            raise ScoringError(401, text) from error

    def _authorize(self, caller: Caller, endpoint: Body, *, named: bool) -> None:
        needed = ["jobs/write", *(["deployments/jobs/write"] if named else [])]
        for one in needed:
            if not self._cloud.access.allows(caller.object_id, f"{BATCH_ENDPOINTS}/{one}", endpoint["id"]):
                note_missing((f"{BATCH_ENDPOINTS}/{one}",), endpoint["id"])
                raise ScoringError(403, f"The caller has not the right {BATCH_ENDPOINTS}/{one}.")

    def _deployment(self, endpoint: Body, named: str) -> Body:
        """The deployment that the request names, or the endpoint's default."""
        name = named or endpoint["properties"]["defaults"]["deploymentName"]
        if not name:
            raise UserError(400, f"The endpoint '{endpoint['name']}' has no default deployment.", "BadArgument")
        found = self._cloud.store.get("resource", f"{endpoint['id']}/deployments/{name}".lower())
        if found is None:
            text = f"The endpoint '{endpoint['name']}' has no deployment '{name}'."
            raise UserError(404, text, "NotFound", "DeploymentNotFound")
        return found


def _properties(body: bytes) -> Body:
    try:
        found = json.loads(body or b"{}")
        properties = found.get("properties") or {}
    except (ValueError, RecursionError, AttributeError) as error:
        raise UserError(400, "The request's body is no JSON object.", "BadArgument") from error
    if not isinstance(properties, dict):
        raise UserError(400, "'properties' must be an object.", "BadArgument")
    return properties
