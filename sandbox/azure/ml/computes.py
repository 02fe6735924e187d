"""Computes: clusters whose nodes come and go, and instances."""

import copy
import re
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

import isodate
from starlette.responses import JSONResponse, Response

from sandbox.azure import clock
from sandbox.azure.arm.core import Action, Body, Call, ResourceType, Rule
from sandbox.azure.arm.identities import check_identity, forget_identity, shown_identity
from sandbox.azure.front.errors import AzureError
from sandbox.azure.ml import power
from sandbox.azure.ml.beyond import instead
from sandbox.azure.ml.names import WORKSPACES, workspace_id
from sandbox.azure.ml.networks import provision
from sandbox.azure.ml.operations import COMPUTE, accepted, provisioning_state
from sandbox.azure.ml.sizes import LOW_PRIORITY, Size, quota, sizes, workspace_quota

TYPE = f"{WORKSPACES}/computes"
CLUSTER, INSTANCE = "AmlCompute", "ComputeInstance"
LONGEST_INSTANCE_NAME = 24
NODES = "mlNode"  # the runner's documents: a cluster's id and the node's, with state, run and vCPUs
MIN_IDLE = 60  # seconds
SENT = "vmSizeAsSent"  # in the store; what a GET shows, where all else goes by the name in capitals
# What an update of a cluster or an instance sends in vain: the service takes the request and keeps the old value.
UNCHANGED = {
    CLUSTER: ("vmSize", SENT, "vmPriority", "subnet", "osType", "enableNodePublicIp", "remoteLoginPortPublicAccess"),
    INSTANCE: ("vmSize", SENT, "subnet", "enableNodePublicIp", "sshSettings"),
}
MOVING = ("currentNodeCount", "targetNodeCount", "nodeStateCounts", "allocationState")
# What is there, and null or so, where it is not set. Source: recordings, listed in docs/fidelity/ml.md.
UNSET_CLUSTER = {
    "subnet": None,
    "errors": None,
    "virtualMachineImage": None,
    "isolatedNetwork": False,
    "enableBatchPrivateLink": False,
}
UNSET_INSTANCE = {"subnet": None, "personalComputeInstanceSettings": None, "setupScripts": None}
STATES = ("idle", "running", "preparing", "unusable", "leaving", "preempted")


def seconds(duration: str) -> float:
    """The seconds of an ISO 8601 duration such as `PT120S`.

    Raises:
        ValueError: The text is no duration, or its length depends on the calendar, or it is negative.
    """
    try:
        length = isodate.parse_duration(duration)
    except isodate.ISO8601Error:
        length = None
    if not isinstance(length, timedelta) or length < timedelta() or duration.endswith("T"):
        raise ValueError(f"'{duration}' is no ISO 8601 duration such as PT120S")
    return length.total_seconds()


class Compute(ResourceType):
    """`…/workspaces/computes`: AmlCompute and ComputeInstance; other kinds are refused."""

    type: ClassVar[str] = TYPE
    name_pattern: ClassVar[re.Pattern[str]] = re.compile(r"(?!.*-[^a-zA-Z]*$)[a-zA-Z][a-zA-Z0-9-]{2,31}")
    name_error: ClassVar[tuple[str, str]] = (
        "InvalidComputeName",
        "Compute name '{name}' is invalid. It can include letters, digits and dashes, must start with a letter, have a "
        "letter after a dash, and be between 3 and 32 characters long.",
    )

    fields: ClassVar[Mapping[str, Rule]] = {
        "identity.userAssignedIdentities": dict,
        "properties.properties": dict,
        "properties.properties.vmSize": str,
        "properties.properties.vmPriority": frozenset({"Dedicated", "LowPriority"}),
        "properties.properties.subnet.id": str,
        "properties.properties.scaleSettings.minNodeCount": int,
        "properties.properties.scaleSettings.maxNodeCount": int,
        "properties.properties.idleTimeBeforeShutdown": str,
    }
    invalid_value: ClassVar[str] = "InvalidPropertyValue"

    @property
    def actions(self) -> dict[str, Action]:
        """POST actions."""
        return {
            "listnodes": self._list_nodes,
            "listkeys": self._list_keys,
            "start": lambda call, resource: self._switch(call, resource, "Start"),
            "stop": lambda call, resource: self._switch(call, resource, "Stop"),
            "restart": lambda call, resource: self._switch(call, resource, "Start"),
            "updateidleshutdownsetting": self._idle_shutdown,
        }

    def patch(self, call: Call, old: Body) -> Body:
        """Only a cluster's scale settings, as the service's PATCH body has nothing else."""
        sent = call.body.get("properties") or {}
        scale = (sent.get("properties") or sent).get("scaleSettings")
        if _kind(old) != CLUSTER or not isinstance(scale, dict):
            raise AzureError(
                400,
                "BadRequest",
                "Only the scale settings of an AmlCompute can be updated.",
                target="properties.properties.scaleSettings",
            )
        merged = copy.deepcopy(old)
        merged["properties"]["properties"]["scaleSettings"] |= scale
        return merged

    def validate(self, call: Call, old: Body | None) -> None:
        """Refuses unknown sizes, what the quota does not hold, and wrong scale settings."""
        kind = (call.body.get("properties") or {}).get("computeType")
        if kind not in (CLUSTER, INSTANCE):
            raise AzureError(
                400,
                "BadRequest",
                f"Compute type '{kind}' is not emulated by the sandbox, only {CLUSTER} and {INSTANCE} are: "
                f"{instead(str(kind))}.",
                target="properties.computeType",
            )
        if kind == INSTANCE and len(call.id.name) > LONGEST_INSTANCE_NAME:
            code, message = self.name_error
            said = message.format(name=call.id.name).replace("3 and 32", f"3 and {LONGEST_INSTANCE_NAME}")
            raise AzureError(400, code, said, target="name")
        if old is not None and _kind(old) != kind:
            raise AzureError(
                400, "BadRequest", f"Compute '{call.id.name}' exists already, as {_kind(old)}.", target="computeType"
            )
        check_identity(call, self)
        self._identity_kinds(call)
        properties = call.body["properties"].get("properties") or {}
        size = self._size(call, properties, old)
        self._subnet(call, properties)
        if kind == CLUSTER:
            self._scale(properties.get("scaleSettings"))
            self._quota(call, properties, size)
        else:
            self._instance(call, properties, old)

    @staticmethod
    def _identity_kinds(call: Call) -> None:
        kind = (call.body.get("identity") or {}).get("type", "None")
        if "SystemAssigned" in kind and "UserAssigned" in kind:
            raise AzureError(
                400,
                "BadRequest",
                "A compute has one system-assigned or several user-assigned identities, not both.",
                target="identity.type",
            )

    @staticmethod
    def _size(call: Call, properties: Body, old: Body | None) -> Size:
        kept = old["properties"]["properties"]["vmSize"] if old else ""
        name = str(properties.get("vmSize") or kept)
        found = sizes().get(name.upper())
        if found is None:
            raise AzureError(
                400,
                "InvalidPropertyValue",
                f"The specified vmSize '{name}' is not supported in region '{call.body.get('location')}'. Supported VM "
                f"sizes: {', '.join(sizes())}.",
                target="properties.properties.vmSize",
            )
        return found

    @staticmethod
    def _subnet(call: Call, properties: Body) -> None:
        subnet = (properties.get("subnet") or {}).get("id")
        if subnet and call.resource(subnet) is None:
            raise AzureError(
                400,
                "InvalidPropertyValue",
                f"The subnet '{subnet}' does not exist.",
                target="properties.properties.subnet.id",
            )

    @staticmethod
    def _scale(scale: Any) -> None:
        at = "properties.properties.scaleSettings"
        if scale is None:
            return
        if scale.get("maxNodeCount") is None:
            raise AzureError(400, "InvalidPropertyValue", f"{at}.maxNodeCount is required, a number.", target=at)
        least, most = scale.get("minNodeCount") or 0, scale["maxNodeCount"]
        if not 0 <= least <= most:
            raise AzureError(
                400,
                "InvalidPropertyValue",
                f"{at}: minNodeCount {least} and maxNodeCount {most} must be 0 <= min <= max.",
                target=at,
            )
        idle = scale.get("nodeIdleTimeBeforeScaleDown")
        try:
            too_short = idle is not None and seconds(str(idle)) < MIN_IDLE
        except ValueError as error:
            raise AzureError(400, "InvalidPropertyValue", f"{at}.nodeIdleTimeBeforeScaleDown: {error}.") from error
        if too_short:
            raise AzureError(
                400, "InvalidPropertyValue", f"{at}.nodeIdleTimeBeforeScaleDown: '{idle}' is below {MIN_IDLE} seconds."
            )

    @staticmethod
    def _quota(call: Call, properties: Body, size: Size) -> None:
        """One node must fit, also where the cluster starts with none."""
        low = properties.get("vmPriority") == "LowPriority"
        if low and not size.low_priority:
            raise AzureError(400, "InvalidPropertyValue", f"'{size.name}' is not available as low priority.")
        nodes = max(1, (properties.get("scaleSettings") or {}).get("minNodeCount") or 0)
        family = LOW_PRIORITY if low else size.family
        limit, holder = quota(call.cloud, str(call.body["location"]), family), "subscription"
        own = workspace_quota(call.cloud, call.id.parent, family)
        if own is not None and own < limit:
            limit, holder = own, "workspace"
        if nodes * size.vcpus <= limit:
            return
        words = "total low-priority" if low else f"{size.family} family"
        raise AzureError(
            400,
            "BadRequest",
            "The request is invalid.",
            details=[
                {
                    "code": "ClusterMinNodesExceedCoreQuota",
                    "message": f"The specified {holder} has a {words} vCPU quota of {limit} and cannot accomodate "
                    f"for at least {nodes} requested managed compute nodes which maps to {nodes * size.vcpus} vCPUs.",
                }
            ],
        )

    @staticmethod
    def _instance(call: Call, properties: Body, old: Body | None) -> None:
        if old is not None and properties.get("schedules"):
            raise AzureError(
                400, "BadRequest", "Schedules of an existing compute instance cannot be set by a second PUT."
            )
        idle = properties.get("idleTimeBeforeShutdown")
        if idle is not None:
            _check_idle(str(idle))
        taken = (
            other
            for other in call.cloud.store.resources(TYPE)
            if _kind(other) == INSTANCE
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

    def prepare(self, call: Call, old: Body | None) -> Body:
        """The body with defaults, and with what an update does not change."""
        body = copy.deepcopy(call.body)
        outer = body["properties"]
        kind, inner = outer["computeType"], outer.get("properties") or {}
        outer["properties"] = inner
        now = clock.now().isoformat()
        before = old["properties"] if old else {}
        if old is not None:
            for key in UNCHANGED[kind]:
                inner.pop(key, None)
                if key in before["properties"]:
                    inner[key] = before["properties"][key]
            outer["disableLocalAuth"] = before["disableLocalAuth"]
        remembered = call.cloud.store.get("detachedCompute", call.id.key)
        if old is None and remembered is not None:
            inner["vmSize"] = inner[SENT] = remembered["vmSize"]
        self._defaults(kind, inner)
        outer |= {
            "computeLocation": before.get("computeLocation") or outer.get("computeLocation") or body["location"],
            "description": outer.get("description"),
            "disableLocalAuth": bool(outer.get("disableLocalAuth")),
            "createdOn": before.get("createdOn") or now,
            "modifiedOn": now,
            "resourceId": None,
            "provisioningErrors": None,
            "provisioningWarnings": {},
            "isAttachedCompute": False,
            "provisioningState": "Succeeded",
        }
        body.pop("identity", None)
        body |= shown_identity(call, old)
        body["tags"] = call.body.get("tags") or {}
        if kind == INSTANCE:
            self._instance_state(call, inner, before)
        return body

    @staticmethod
    def _defaults(kind: str, inner: Body) -> None:
        sent = str(inner["vmSize"])
        inner["vmSize"] = sent.upper()
        inner[SENT] = inner.get(SENT) or sent
        inner.setdefault("enableNodePublicIp", True)
        if kind == INSTANCE:
            inner.setdefault("applicationSharingPolicy", "Shared")
            inner.setdefault("enableSSO", True)
            inner.setdefault("computeInstanceAuthorizationType", "personal")
            return
        inner.setdefault("osType", "Linux")
        inner.setdefault("vmPriority", "Dedicated")
        inner.setdefault("remoteLoginPortPublicAccess", "NotSpecified")
        scale = inner.setdefault("scaleSettings", {"maxNodeCount": 1})
        scale.setdefault("minNodeCount", 0)
        scale.setdefault("nodeIdleTimeBeforeScaleDown", "PT120S")
        if inner.get("userAccountCredentials"):
            inner["userAccountCredentials"] = {**inner["userAccountCredentials"], "adminUserPassword": None}

    @staticmethod
    def _instance_state(call: Call, inner: Body, before: Body) -> None:
        known = before.get("properties", {})
        inner["state"] = known.get("state", "Running")
        inner["createdBy"] = known.get("createdBy") or {
            "userId": call.caller.object_id,
            "userOrgId": call.cloud.seed["tenantId"],
        }
        inner["lastOperation"] = known.get("lastOperation") or power.operation("Create")
        inner["schedules"] = known.get("schedules") or power.checked(inner.get("schedules"))
        inner["errors"] = []

    def stored(self, call: Call, resource: Body, old: Body | None) -> None:
        """A name that came back is no longer remembered; the first compute makes a managed network."""
        if old is None:
            call.cloud.store.delete("detachedCompute", call.id.key)
            workspace = call.resource(workspace_id(call.id.text))
            if workspace is not None:
                provision(call.cloud, workspace)
            if _kind(resource) == INSTANCE:
                power.set_times(call.cloud.store, resource)

    def present(self, call: Call, resource: Body) -> Body:
        """Shows the compute with the state of a running operation, and the nodes that a cluster has now."""
        shown = copy.deepcopy(resource)
        outer = shown["properties"]
        outer["provisioningState"] = provisioning_state(call.cloud, resource, outer["provisioningState"])
        inner = outer["properties"]
        inner["vmSize"] = inner.pop(SENT, None) or inner["vmSize"]
        if _kind(resource) == CLUSTER:
            inner |= {**UNSET_CLUSTER, **inner, "propertyBag": {}, **_nodes_now(call, resource)}
        else:
            inner |= {**UNSET_INSTANCE, **_instance_now(resource), **inner}
        return shown

    def response(self, call: Call, resource: Body, *, created: bool) -> Response:
        """Accepted, also a change; the answer echoes the size it was sent, even where the service keeps another."""
        shown = self.present(call, resource)
        if call.method == "PATCH":
            return JSONResponse(shown)
        outer, inner = shown["properties"], shown["properties"]["properties"]
        sent = (call.body["properties"].get("properties") or {}).get("vmSize")
        inner["vmSize"] = str(sent or inner["vmSize"]).upper()
        outer["provisioningState"] = "Creating"
        if _kind(resource) == CLUSTER:
            inner |= dict.fromkeys(MOVING)
        else:
            inner |= dict.fromkeys(key for key in (*UNSET_INSTANCE, *_instance_now(resource), "lastOperation"))
        for key in ("propertyBag", "allocationStateTransitionTime", "userAccountCredentials"):
            inner.pop(key, None)
        if created:
            outer["provisioningWarnings"] = shown["tags"] = None
            outer.pop("computeLocation")
        elif _kind(resource) == CLUSTER:
            workspace = workspace_id(resource["id"]).replace(WORKSPACES, "Microsoft.BatchAI/workspaces")
            outer["resourceId"] = f"{workspace}/clusters/{resource['name']}"
        return accepted(call, COMPUTE, resource, shown, status=201, state="Creating" if created else "Updating")

    def deleted(self, call: Call, resource: Body) -> None:
        """A detached cluster's size is remembered with its name; identity and nodes go."""
        forget_identity(call, resource)
        power.forget(call.cloud.store, resource["id"])
        action = call.query.get("underlyingResourceAction", "Delete")
        if action == "Detach" and _kind(resource) == CLUSTER:
            size = resource["properties"]["properties"]["vmSize"]
            call.cloud.store.put("detachedCompute", resource["id"].lower(), {"vmSize": size})
        for key, _ in list(call.cloud.store.items(NODES, resource["id"].lower() + "/")):
            call.cloud.store.delete(NODES, key)

    def delete_response(self, call: Call, resource: Body | None) -> Response:
        """Answers that the deletion is accepted (202)."""
        if resource is None:
            return super().delete_response(call, None)
        return accepted(call, COMPUTE, resource, None, status=202)

    @staticmethod
    def _list_nodes(call: Call, resource: Body) -> Body:
        _require(resource, CLUSTER)
        found = list(call.cloud.store.list(NODES, resource["id"].lower() + "/"))
        return {
            "nodes": [
                {
                    "nodeId": node["id"],
                    "privateIpAddress": f"10.0.0.{4 + index}",
                    "publicIpAddress": None,
                    "port": 50000 + index,
                    "nodeState": node["state"],
                    "runId": node.get("runId"),
                }
                for index, node in enumerate(found)
            ]
        }

    @staticmethod
    def _list_keys(call: Call, resource: Body) -> Body:
        del call
        raise AzureError(400, "BadRequest", f"Compute '{resource['name']}' has no keys: its local accounts are off.")

    @staticmethod
    def _switch(call: Call, resource: Body, action: str) -> Response:
        _require(resource, INSTANCE)
        power.switch(call.cloud.store, resource, action)
        return accepted(call, COMPUTE, resource, None, status=202)

    @staticmethod
    def _idle_shutdown(call: Call, resource: Body) -> Response:
        _require(resource, INSTANCE)
        idle = str(call.body.get("idleTimeBeforeShutdown", ""))
        _check_idle(idle)
        resource["properties"]["properties"]["idleTimeBeforeShutdown"] = idle
        call.cloud.store.put("resource", resource["id"].lower(), resource)
        power.count_idle(call.cloud.store, resource)
        return Response(status_code=200)


def _nodes_now(call: Call, cluster: Body) -> Body:
    nodes = list(call.cloud.store.list(NODES, cluster["id"].lower() + "/"))
    states = Counter(node["state"] for node in nodes)
    least = cluster["properties"]["properties"]["scaleSettings"]["minNodeCount"]
    counts = {f"{state}NodeCount": states[state] for state in STATES}
    counts["idleNodeCount"] += max(0, least - len(nodes))
    return {
        "allocationState": "Resizing" if states["preparing"] or states["leaving"] else "Steady",
        "allocationStateTransitionTime": max(
            (node["since"] for node in nodes), default=cluster["properties"]["modifiedOn"]
        ),
        "currentNodeCount": max(least, len(nodes)),
        "targetNodeCount": max(least, len(nodes) - states["leaving"]),
        "nodeStateCounts": counts,
    }


def _instance_now(instance: Body) -> Body:
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


def _kind(resource: Body) -> str:
    return str(resource["properties"]["computeType"])


def _require(resource: Body, kind: str) -> None:
    if _kind(resource) != kind:
        raise AzureError(400, "BadRequest", f"Compute '{resource['name']}' is {_kind(resource)}; this is for {kind}.")


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
