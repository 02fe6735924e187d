"""Requests that a deployment with `appInsightsEnabled` had, as rows of its workspace's Application Insights."""

from sandbox.azure.arm.core import Body
from sandbox.azure.cloud import Cloud
from sandbox.azure.front.request import Request
from sandbox.azure.logs.records import append
from sandbox.azure.ml.names import workspace_id

GOOD = 400  # the first status of a request that failed


def record(cloud: Cloud, deployment: Body, request: Request, status: int, milliseconds: float) -> None:
    """Records a request; nothing where the workspace's Application Insights keeps its logs nowhere.

    Args:
        cloud: The local Azure.
        deployment: What answered.
        request: The request.
        status: The status of the answer.
        milliseconds: How long it took.
    """
    workspace = cloud.store.get("resource", workspace_id(deployment["id"]).lower()) or {"properties": {}}
    insights = cloud.store.get("resource", str(workspace["properties"].get("applicationInsights")).lower())
    logs = (insights or {"properties": {}})["properties"].get("WorkspaceResourceId")
    if insights is None or not logs:
        return
    append(
        cloud.store,
        logs,
        "AppRequests",
        Id=request.id,
        Name=f"{request.method} {request.path}",
        Url=f"https://{request.host}{request.path}",
        Success=status < GOOD,
        ResultCode=str(status),
        DurationMs=round(milliseconds, 3),
        AppRoleName=deployment["id"].split("/")[-3],
        AppRoleInstance=deployment["name"],
        OperationId=request.headers.get("x-ms-client-request-id", request.id),
        _ResourceId=insights["id"],
    )
