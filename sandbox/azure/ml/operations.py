"""Long-running operations: a PUT or DELETE is accepted, and its outcome read at another address.

The local Azure does the work at once, so the first poll finds the outcome. A failure found late, as the service finds
some, is thus still seen where a client sees it in Azure: in the operation, with the resource left as `Failed`.
Source: github.com/Azure/azure-resource-manager-rpc, async-api-reference.md.
"""

import uuid
from datetime import UTC, datetime
from typing import ClassVar

from starlette.responses import JSONResponse, Response

from sandbox.azure.arm.core import Body, Call, ResourceType
from sandbox.azure.errors import AzureError
from sandbox.azure.ml.names import NAMESPACE

API_VERSION = "2025-12-01"  # of the address to poll


class OperationStatus(ResourceType):
    """`locations/operationsStatus`: how an operation ended. Its address is unguessable and so needs no right."""

    type: ClassVar[str] = f"{NAMESPACE}/locations/operationsStatus"
    kind: ClassVar[str] = "mlOperation"
    open_read: ClassVar[bool] = True


def accepted(
    call: Call, location: str, body: Body | None, *, status: int, failure: AzureError | None = None
) -> Response:
    """The answer to an accepted request, with the address of its outcome.

    Args:
        call: The request.
        location: Azure region of the resource.
        body: The resource as it stands, or None for an empty answer.
        status: 201 or 202.
        failure: Why the operation failed, or None.
    """
    name = str(uuid.uuid4())
    path = f"/subscriptions/{call.subscription}/providers/{NAMESPACE}/locations/{location}/operationsStatus"
    now = datetime.now(UTC).isoformat()
    outcome: Body = {
        "id": f"{path}/{name}",
        "name": name,
        "type": OperationStatus.type,
        "status": "Failed" if failure else "Succeeded",
        "startTime": now,
        "endTime": now,
        "percentComplete": 100,
    }
    if failure is not None:
        outcome |= failure.body()
    call.cloud.store.put(OperationStatus.kind, f"{path}/{name}".lower(), outcome)
    headers = {
        "Azure-AsyncOperation": f"{call.base_url}{path}/{name}?api-version={API_VERSION}",
        "Retry-After": "1",
    }
    return (
        Response(status_code=status, headers=headers)
        if body is None
        else JSONResponse(body, status_code=status, headers=headers)
    )
