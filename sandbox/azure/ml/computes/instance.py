"""Compute instances: their names, owners, idle shutdown, and what a running one has."""

from starlette.responses import Response

from sandbox.azure.arm.core import Body, Call
from sandbox.azure.front.errors import AzureError
from sandbox.azure.ml import power
from sandbox.azure.ml.computes.kinds import INSTANCE, SENT, TYPE, kind_of, require
from sandbox.azure.ml.durations import seconds
from sandbox.azure.ml.operations import COMPUTE, accepted

LONGEST_NAME = 24
UNCHANGED = ("vmSize", SENT, "subnet", "enableNodePublicIp", "sshSettings")
"""What an update sends in vain: the service takes the request and keeps the old value."""
UNSET = {"subnet": None, "personalComputeInstanceSettings": None, "setupScripts": None}
"""What is null where it is not set. Source: recordings, listed in docs/fidelity/ml.md."""


def check(call: Call, properties: Body, old: Body | None) -> None:
    """Refuses a name that another instance of the region has, and wrong times.

    Raises:
        AzureError: 400.
    """
    if old is not None and properties.get("schedules"):
        raise AzureError(400, "BadRequest", "Schedules of an existing compute instance cannot be set by a second PUT.")
    idle = properties.get("idleTimeBeforeShutdown")
    if idle is not None:
        _check_idle(str(idle))
    taken = (
        other
        for other in call.cloud.store.resources(TYPE)
        if kind_of(other) == INSTANCE
        and other["name"].lower() == call.id.name.lower()
        and other["location"] == call.body["location"]
        and other["id"].lower() != call.id.key
    )
    if old is None and next(taken, None) is not None:
        raise AzureError(
            400,
            "BadRequest",
            f"The compute instance name '{call.id.name}' is already in use in region '{call.body['location']}'.",
        )


def fill(call: Call, inner: Body, before: Body) -> None:
    """Fills in defaults, state and owner; those of an instance that is there stay."""
    inner.setdefault("applicationSharingPolicy", "Shared")
    inner.setdefault("enableSSO", True)
    inner.setdefault("computeInstanceAuthorizationType", "personal")
    known = before.get("properties", {})
    inner["state"] = known.get("state", "Running")
    inner["createdBy"] = known.get("createdBy") or {
        "userId": call.caller.object_id,
        "userOrgId": call.cloud.seed["tenantId"],
    }
    inner["lastOperation"] = known.get("lastOperation") or power.operation("Create")
    inner["schedules"] = known.get("schedules") or power.checked(inner.get("schedules"))
    inner["errors"] = []


def now(instance: Body) -> Body:
    """What a running instance has: its applications and the way to it."""
    inner, location = instance["properties"]["properties"], instance["location"]
    host = f"https://{instance['name']}.{location}.instances.azureml.ms"
    ssh = inner.get("sshSettings") or {}
    return {
        "applications": [
            {"displayName": "Jupyter", "endpointUri": f"{host}/tree/"},
            {"displayName": "Jupyter Lab", "endpointUri": f"{host}/lab"},
        ],
        "connectivityEndpoints": {"publicIpAddress": None, "privateIpAddress": "10.0.0.4"},
        "sshSettings": {
            "sshPublicAccess": ssh.get("sshPublicAccess") or "Disabled",
            "adminUserName": "azureuser",
            "sshPort": 50000,
            "adminPublicKey": ssh.get("adminPublicKey"),
        },
        "schedules": inner.get("schedules") or {"computeStartStop": []},
        "customServices": [],
        "versions": {"runtime": "sandbox"},
        "osImageMetadata": {
            "currentImageVersion": "sandbox",
            "latestImageVersion": "sandbox",
            "isLatestOsImageVersion": True,
            "osPatchingStatus": None,
        },
    }


def switch(call: Call, resource: Body, action: str) -> Response:
    """Starts or stops the instance."""
    require(resource, INSTANCE)
    power.switch(call.cloud.store, resource, action)
    return accepted(call, COMPUTE, resource, None, status=202)


def idle_shutdown(call: Call, resource: Body) -> Response:
    """Changes after which time without work the instance stops."""
    require(resource, INSTANCE)
    idle = str(call.body.get("idleTimeBeforeShutdown", ""))
    _check_idle(idle)
    resource["properties"]["properties"]["idleTimeBeforeShutdown"] = idle
    call.cloud.store.put("resource", resource["id"].lower(), resource)
    power.count_idle(call.cloud.store, resource)
    return Response(status_code=200)


def _check_idle(idle: str) -> None:
    """15 minutes to 3 days. Source: learn.microsoft.com/azure/machine-learning/how-to-create-compute-instance."""
    try:
        good = 15 * 60 <= seconds(idle) <= 3 * 24 * 3600
    except ValueError:
        good = False
    if not good:
        raise AzureError(
            400,
            "InvalidPropertyValue",
            f"idleTimeBeforeShutdown '{idle}' must be an ISO 8601 duration from PT15M to P3D.",
            target="properties.properties.idleTimeBeforeShutdown",
        )
