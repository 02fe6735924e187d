"""A run as run history shows it.

Source: the recordings named in docs/fidelity/ml.md. All keys that the service sends are here, null where it says
nothing.
"""

from datetime import datetime
from typing import Any

from sandbox.azure.arm.core import Body, user_name
from sandbox.azure.ml import runs
from sandbox.azure.ml.scope import Scope

# Run history names a run's assets by its own types.
ASSET_TYPES = {"mlflow_model": "MLFlowModel", "custom_model": "CustomModel", "triton_model": "TritonModel"}
UNSET = (
    "token",
    "tokenExpiryTimeUtc",
    "lastStartTimeUtc",
    "effectiveStartTimeUtc",
    "cancelationReason",
    "scheduleId",
    "scriptName",
    "runDefinition",
    "jobSpecification",
    "primaryMetricName",
    "createdFrom",
    "completeUri",
    "retainForLifetimeOfWorkspace",
    "queueingInfo",
)
KEPT = (
    "runId",
    "runNumber",
    "runUuid",
    "experimentId",
    "displayName",
    "description",
    "status",
    "createdUtc",
    "startTimeUtc",
    "endTimeUtc",
    "hidden",
    "parentRunId",
    "target",
    "tags",
    "properties",
    "parameters",
)
NO_ERROR: dict[str, Any] = {
    "severity": None,
    "messageFormat": None,
    "messageParameters": {},
    "referenceCode": None,
    "detailsUri": None,
    "target": None,
    "details": [],
    "innerError": None,
    "debugInfo": None,
    "additionalInfo": None,
}


def present(scope: Scope, run: Body) -> Body:
    """The run's record."""
    job = scope.get(runs.JOB, "jobs", run["runId"])
    parent = scope.get(runs.RUN, run["parentRunId"]) if run["parentRunId"] else None
    root = run.get("rootRunId") or run["runId"]
    top = run if root == run["runId"] else scope.get(runs.RUN, root)
    who, cancel = _who(scope, run["createdBy"]), _cancel_uri(scope, run["runId"])
    return {
        **dict.fromkeys(UNSET),
        **{key: run[key] for key in KEPT},
        "rootRunId": root,
        "parentRunUuid": parent and parent["runUuid"],
        "rootRunUuid": (top or run)["runUuid"],
        "createdBy": who,
        "lastModifiedBy": who,
        "userId": run["createdBy"],
        "name": run.get("name") or run["displayName"],
        "dataContainerId": f"dcid.{runs.content_run(run)}",
        "error": _error(scope, run["error"]),
        "warnings": run["warnings"],
        "revision": 1,
        "statusRevision": 1,
        "currentAttemptId": 1,
        "currentComputeTime": "00:00:00",
        "runType": run.get("runType") or ("azureml.scriptrun" if job else ""),
        "runTypeV2": _type(run),
        "lastModifiedUtc": run["endTimeUtc"] or run["startTimeUtc"] or run["createdUtc"],
        "duration": _duration(run),
        "computeDuration": _duration(run),
        "actionUris": {"Cancel": cancel, "Diagnose": ""},
        "cancelUri": cancel,
        "diagnosticsUri": "",
        "uniqueChildRunComputeTargets": [],
        "settings": {},
        "services": {},
        "inputDatasets": [],
        "outputDatasets": [],
        **_compute(run),
        **{side: _assets(run[side]) for side in ("inputs", "outputs")},
    }


def _assets(assets: Body) -> Body:
    return {
        name: {"assetId": one["assetId"], "type": ASSET_TYPES.get(one["type"], one["type"])}
        for name, one in assets.items()
    }


def _who(scope: Scope, object_id: str) -> Body:
    tenant, name = scope.cloud.seed["tenantId"], user_name(scope.cloud, object_id)
    return {
        "userObjectId": object_id,
        "userPuId": None,
        "userIdp": None,
        "userAltSecId": None,
        "userIss": f"https://sts.windows.net/{tenant}/",
        "userTenantId": tenant,
        "userName": name,
        "upn": name,
        "clientApplicationId": None,
        "applicationACR": None,
    }


def _cancel_uri(scope: Scope, run_id: str) -> str:
    words = scope.id.split("/")
    place = f"subscriptions/{words[2]}/resourceGroups/{words[4]}/workspaces/{words[8]}"
    return f"https://{scope.workspace['location']}.api.azureml.ms/studioservice/apiv2/{place}/runs/{run_id}/Cancel"


def _error(scope: Scope, error: Body | None) -> Body | None:
    if error is None:
        return None
    return {
        "error": {**NO_ERROR, **error["error"]},
        "correlation": None,
        "environment": scope.workspace["location"],
        "location": scope.workspace["location"],
        "time": "0001-01-01T00:00:00+00:00",
        "componentName": "CommonRuntime",
    }


def _type(run: Body) -> Body:
    is_step = "traits" in run
    own = is_step and run.get("nodeCount")
    return {
        "orchestrator": "Execution" if own else None,
        "traits": run.get("traits", []),
        "attribution": "Aether" if own else None,
        "computeType": "AmlcTrain" if own or not is_step else None,
    }


def _compute(run: Body) -> Body:
    """What a step runs on; null of a reused one."""
    count = run.get("nodeCount")
    if not count:
        return {"computeRequest": None, "compute": None}
    return {
        "computeRequest": {"nodeCount": count, "gpuCount": 0},
        "compute": {
            "target": run["target"],
            "targetType": "amlcompute",
            "vmSize": None,
            "instanceType": None,
            "instanceCount": count,
            "gpuCount": 0,
            "priority": None,
            "region": None,
            "armId": None,
            "properties": None,
        },
    }


def _duration(run: Body) -> str | None:
    """As .NET writes it: `00:00:11.4005944`, and `1.02:00:00.0000000` for more than a day."""
    if not run["startTimeUtc"] or not run["endTimeUtc"]:
        return None
    took = datetime.fromisoformat(run["endTimeUtc"]) - datetime.fromisoformat(run["startTimeUtc"])
    hours, rest = divmod(took.seconds, 3600)
    days = f"{took.days}." if took.days else ""
    return f"{days}{hours:02}:{rest // 60:02}:{rest % 60:02}.{took.microseconds * 10:07}"
