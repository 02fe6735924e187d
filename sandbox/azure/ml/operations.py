"""Long-running operations: a PUT or DELETE is accepted, and its outcome read at another address.

The local Azure does the work at once, but says so only after `TIME`, as the service takes its time: until then an
operation is `InProgress` and the resource `Creating`. A client that waits as it is told to finds the outcome at its
first poll. A failure found late is seen where a client sees it in Azure: in the operation, with the resource left as
`Failed`. Both are read from documents, so a killed sandbox loses none.

Sources: github.com/Azure/azure-resource-manager-rpc, async-api-reference.md; recordings, listed in docs/fidelity/ml.md.
"""

import re
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from starlette.responses import JSONResponse, Response

from sandbox.azure import clock
from sandbox.azure.arm.core import Body, Call, parse_id
from sandbox.azure.arm.resources import Resources, Route, route
from sandbox.azure.cloud import Cloud
from sandbox.azure.front.errors import AzureError
from sandbox.azure.ml.names import NAMESPACE

TIME = timedelta(milliseconds=400)
WAIT = "1"  # second; the service names none, upon which clients wait for ten seconds and more
REMEMBERED = timedelta(days=1)
KIND, RUNNING = "mlOperation", "mlRunning"


@dataclass(frozen=True)
class Family:
    """Operations of one service.

    Attributes:
        path: Their segment in addresses.
        query: What follows the api-version in the address of the state.
        located: Whether the outcome can be read at a `Location`, too.
    """

    path: str
    query: str
    located: bool = False


WORKSPACE = Family("workspaceOperationsStatus", "&type=async", located=True)
COMPUTE = Family("computeOperationsStatus", "&service=new")
REGISTRY = Family("registryOperationsStatus", "&type=async", located=True)
FAMILIES = (WORKSPACE, COMPUTE, REGISTRY)


def accepted(
    call: Call,
    family: Family,
    resource: Body,
    body: Body | None,
    *,
    status: int,
    state: str = "",
    failure: AzureError | None = None,
) -> Response:
    """The answer to an accepted request, with the address of its outcome.

    Args:
        call: The request.
        family: Whose operation it is.
        resource: What it is on, as stored.
        body: What is answered, or None for an empty answer.
        status: 201 or 202.
        state: The resource's provisioningState while the operation runs; empty where a GET is not to show it.
        failure: Why the operation failed, or None.
    """
    name = str(uuid.uuid4())
    path = f"/subscriptions/{call.subscription}/providers/{NAMESPACE}/locations/{resource['location']}"
    until = (clock.now() + TIME).isoformat()
    outcome = {"until": until, "failure": failure.body() if failure else None, "resource": resource["id"]}
    call.cloud.store.put(KIND, name, outcome)
    if state:
        working(call.cloud, resource, state)
    address = f"{call.base_url}{path}/{family.path}/{name}?api-version={call.api_version}"
    headers = {"Azure-AsyncOperation": address + family.query, "Retry-After": WAIT}
    if family.located:
        headers["Location"] = f"{address}&type=location"
    if body is None:
        return Response(status_code=status, headers=headers)
    return JSONResponse(body, status_code=status, headers=headers)


def working(cloud: Cloud, resource: Body, state: str) -> None:
    """Says for `TIME` what is being done to a resource: `Creating`, `Updating`."""
    until = (clock.now() + TIME).isoformat()
    cloud.store.put(RUNNING, resource["id"].lower(), {"until": until, "state": state})


def provisioning_state(cloud: Cloud, resource: Body, settled: str) -> str:
    """A resource's provisioningState: that of its running operation, else the settled one."""
    running = cloud.store.get(RUNNING, resource["id"].lower())
    return str(running["state"]) if running is not None and _runs(running) else settled


def _runs(operation: Body) -> bool:
    return bool(clock.now().isoformat() < operation["until"])


def forget_old(cloud: Cloud, *kinds: str) -> None:
    """Drops operations that have ended and that nobody polls any more, and what they meant for their resources.

    Args:
        cloud: The local Azure.
        kinds: The kinds of documents. Their `until` is None while nobody knows when the operation ends.
    """
    oldest = (clock.now() - REMEMBERED).isoformat()
    for kind in kinds:
        for key, operation in list(cloud.store.items(kind)):
            until = operation.get("until", "")
            if until is not None and until < oldest:
                cloud.store.delete(kind, key)


def _poll(resources: Resources, call: Call, match: re.Match[str]) -> Any:
    """The state; at a `Location` the outcome itself. The address cannot be guessed and so needs no right."""
    operation = call.cloud.store.get(KIND, match["name"].lower())
    if operation is None:
        raise AzureError(404, "NotFound", f"There is no operation '{match['name']}'.")
    running = _runs(operation)
    if call.query.get("type") == "location":
        if running:
            address = f"{call.base_url}{call.id.text}?api-version={call.api_version}&type=location"
            return Response(status_code=202, headers={"Location": address, "Retry-After": WAIT})
        found = call.resource(operation["resource"])
        if found is None:
            return Response(status_code=200)
        on = call.on(parse_id(operation["resource"]))
        return resources.registry.find(found["type"]).present(on, found)
    if running:
        return {"status": "InProgress"}
    if operation["failure"] is not None:
        return {"status": "Failed", "percentComplete": 100.0, **operation["failure"]}
    return {"status": "Succeeded", "percentComplete": 100.0}


def routes() -> list[Route]:
    """Where states and outcomes are read."""
    at = f"/subscriptions/{{subscription}}/providers/{NAMESPACE}/locations/{{location}}"
    return [route("GET", f"{at}/{family.path}/{{name}}", _poll) for family in FAMILIES]
