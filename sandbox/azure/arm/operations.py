"""Long-running operations whose outcome is read at their `Location`.

The work is done when the request is answered, so that the first poll finds the outcome.
Source: learn.microsoft.com/azure/azure-resource-manager/management/async-operations.
"""

import re
import uuid
from datetime import timedelta
from typing import Any

from starlette.responses import Response

from sandbox.azure import clock
from sandbox.azure.arm.core import Body, Call, parse_id
from sandbox.azure.arm.resources import Resources, Route, route
from sandbox.azure.cloud import Cloud
from sandbox.azure.front.errors import AzureError

KIND = "operation"
REMEMBERED = timedelta(days=1)


def accepted(call: Call, resource: Body | None = None) -> Response:
    """202 with the address where the outcome is: the resource, or an empty answer for None."""
    return _accepted(call, {"resource": resource["id"] if resource else None})


def accepted_result(call: Call, result: Body) -> Response:
    """202 with the address where a result is, for actions that give one."""
    return _accepted(call, {"resource": None, "result": result})


def _accepted(call: Call, outcome: Body) -> Response:
    name = str(uuid.uuid4())
    call.cloud.store.put(KIND, name, {**outcome, "started": clock.now().isoformat()})
    address = (
        f"{call.base_url}/subscriptions/{call.subscription}/operationresults/{name}?api-version={call.api_version}"
    )
    return Response(status_code=202, headers={"Location": address, "Retry-After": "0"})


def forget_old(cloud: Cloud) -> None:
    """Removes operations older than a day."""
    oldest = (clock.now() - REMEMBERED).isoformat()
    for name, operation in list(cloud.store.items(KIND)):
        if operation["started"] < oldest:
            cloud.store.delete(KIND, name)


def _result(resources: Resources, call: Call, match: re.Match[str]) -> Any:
    operation = call.cloud.store.get(KIND, match["name"].lower())
    if operation is None:
        raise AzureError(404, "NotFound", f"There is no operation '{match['name']}'.")
    if "result" in operation:
        return operation["result"]
    if operation["resource"] is None:
        return Response(status_code=200)
    on = call.on(parse_id(operation["resource"]))
    return resources.registry.find(on.id.type).present(on, resources.get(on))


def routes() -> list[Route]:
    """The address at which an operation's outcome is read."""
    return [route("GET", "/subscriptions/{subscription}/operationresults/{name}", _result)]
