"""Long-running operations of the management front end: of endpoints, their deployments, and schedules.

An operation is a document. It runs until what carries it out ends it, which may be in a later sandbox, or until its
time has come. Sources: recordings, listed in docs/fidelity/ml.md.
"""

import re
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from starlette.responses import JSONResponse, Response

from sandbox.azure import clock
from sandbox.azure.arm.core import Body, Call
from sandbox.azure.arm.resources import Resources, Route, route
from sandbox.azure.front.errors import AzureError
from sandbox.azure.ml.names import NAMESPACE
from sandbox.azure.ml.operations import TIME, WAIT
from sandbox.azure.store import Store

KIND = "mlFrontOperation"
TIMEOUT = "PT30M"  # what clients are told
NEVER = "0001-01-01T00:00:00+00:00"
STATUS, RESULTS = "mfeOperationsStatus", "mfeOperationResults"


@dataclass(frozen=True)
class Family:
    """Operations on one type.

    Attributes:
        prefix: What their names begin with.
        running: The status while they run, where `begin` says no other.
        timed: Whether the status says when they began and ended: `always`, only when they have `ended`, or `never`.
    """

    prefix: str
    running: str = "Updating"
    timed: str = "always"


ONLINE_ENDPOINT = Family("oeidp")
ONLINE_DEPLOYMENT = Family("odidp")
SCHEDULE = Family("s", "Creating", timed="ended")
BATCH_ENDPOINT = Family("bebes", timed="never")
BATCH_DEPLOYMENT = Family("bdbes", timed="never")
FAMILIES = (ONLINE_ENDPOINT, ONLINE_DEPLOYMENT, SCHEDULE, BATCH_ENDPOINT, BATCH_DEPLOYMENT)


@dataclass(frozen=True)
class Operation:
    """An operation that has begun.

    Attributes:
        name: Its name.
        address: Where its status is read, without the api-version.
        results: Where its outcome is read, without the api-version.
    """

    name: str
    address: str
    results: str


def begin(
    call: Call, family: Family, workspace: Body, *, lasts: timedelta | None = TIME, running: str = ""
) -> Operation:
    """Begins an operation.

    Args:
        call: The request that asked for it.
        family: Its family.
        workspace: Its workspace.
        lasts: How long it runs; None where `end` says so.
        running: Its status while it runs, where that is not its family's.
    """
    now = clock.now()
    name = f"{family.prefix}:{workspace['properties'].get('workspaceId')}:{uuid.uuid4()}"
    until = (now + lasts).isoformat() if lasts is not None else None
    status = running or family.running
    document = {"started": now.isoformat(), "until": until, "failure": None, "running": status}
    call.cloud.store.put(KIND, name, document)
    path = f"{call.base_url}/subscriptions/{call.subscription}/providers/{NAMESPACE}/locations/{workspace['location']}"
    return at(f"{path}/{STATUS}/{name}")


def at(address: str) -> Operation:
    """The operation whose status is read at an address."""
    return Operation(address.rpartition("/")[2], address, address.replace(f"/{STATUS}/", f"/{RESULTS}/"))


def end(store: Store, name: str, failure: Body | None = None) -> None:
    """Ends an operation; `failure` is the body of an error, None for success."""
    operation = store.get(KIND, name)
    if operation is not None and operation["until"] is None:
        store.put(KIND, name, {**operation, "until": clock.now().isoformat(), "failure": failure})


def accepted(call: Call, operation: Operation, body: Body | None, *, status: int, location: str = "") -> Response:
    """The answer to an accepted request.

    Args:
        call: The request.
        operation: What it began.
        body: What is answered; None for `null`.
        status: 200, 201 or 202.
        location: Where the outcome is; empty for the operation's results.
    """
    version = f"?api-version={call.api_version}"
    headers = {
        "Azure-AsyncOperation": operation.address + version,
        "Location": (location or operation.results) + version,
        "Retry-After": WAIT,
        "x-ms-async-operation-timeout": TIMEOUT,
    }
    return JSONResponse(body, status, headers=headers)


def _found(call: Call, name: str) -> tuple[Body, bool]:
    """An operation, and whether it runs. The address cannot be guessed and so needs no right."""
    operation = call.cloud.store.get(KIND, name)
    if operation is None:
        raise AzureError(404, "NotFound", f"There is no operation '{name}'.")
    return operation, operation["until"] is None or clock.now().isoformat() < operation["until"]


def _status(resources: Resources, call: Call, match: re.Match[str]) -> Any:
    del resources
    operation, running = _found(call, match["name"])
    family = next(one for one in FAMILIES if match["name"].startswith(f"{one.prefix}:"))
    body: Body = {"id": call.id.text, "name": match["name"]}
    if family.timed == "always" or (family.timed == "ended" and not running):
        ended = NEVER if running else operation["until"]
        body |= {"startTime": operation["started"], "endTime": ended}
    if family.timed == "always":
        body["percentComplete"] = 0.0
    if running:
        return JSONResponse({**body, "status": operation["running"]}, headers={"Retry-After": WAIT})
    if operation["failure"] is not None:
        return {**body, "status": "Failed", **operation["failure"]}
    return {**body, "status": "Succeeded"}


def _results(resources: Resources, call: Call, match: re.Match[str]) -> Any:
    del resources
    _, running = _found(call, match["name"])
    if not running:
        return Response(status_code=200)
    address = f"{call.base_url}{call.id.text}?api-version={call.api_version}"
    return Response(status_code=202, headers={"Location": address, "Retry-After": WAIT})


def routes() -> list[Route]:
    """Where states and outcomes are read."""
    path = f"/subscriptions/{{subscription}}/providers/{NAMESPACE}/locations/{{location}}"
    return [route("GET", f"{path}/{STATUS}/{{name}}", _status), route("GET", f"{path}/{RESULTS}/{{name}}", _results)]
