"""The resource type of computes: what clusters and instances share."""

import copy
import re
from collections.abc import Mapping
from typing import ClassVar

from starlette.responses import JSONResponse, Response

from sandbox.azure import clock
from sandbox.azure.arm.core import Action, Body, Call, ResourceType, Rule
from sandbox.azure.arm.identities import check_identity, forget_identity, shown_identity
from sandbox.azure.front.errors import AzureError
from sandbox.azure.ml import power
from sandbox.azure.ml.beyond import instead
from sandbox.azure.ml.computes import cluster, instance
from sandbox.azure.ml.computes.kinds import CLUSTER, INSTANCE, NODES, SENT, TYPE, kind_of
from sandbox.azure.ml.names import WORKSPACES, workspace_id
from sandbox.azure.ml.networks import provision
from sandbox.azure.ml.operations import COMPUTE, accepted, provisioning_state
from sandbox.azure.ml.sizes import Size, sizes

NAME_ERROR = (
    "Compute name '{name}' is invalid. It can include letters, digits and dashes, must start with a letter, have a "
    "letter after a dash, and be between 3 and {longest} characters long."
)


class Compute(ResourceType):
    """`…/workspaces/computes`: AmlCompute and ComputeInstance; other kinds are refused."""

    type: ClassVar[str] = TYPE
    name_pattern: ClassVar[re.Pattern[str]] = re.compile(r"(?!.*-[^a-zA-Z]*$)[a-zA-Z][a-zA-Z0-9-]{2,31}")
    name_error: ClassVar[tuple[str, str]] = ("InvalidComputeName", NAME_ERROR.format(name="{name}", longest=32))

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
            "listnodes": cluster.list_nodes,
            "listkeys": self._list_keys,
            "start": lambda call, resource: instance.switch(call, resource, "Start"),
            "stop": lambda call, resource: instance.switch(call, resource, "Stop"),
            "restart": lambda call, resource: instance.switch(call, resource, "Start"),
            "updateidleshutdownsetting": instance.idle_shutdown,
        }

    def patch(self, call: Call, old: Body) -> Body:
        """Only a cluster's scale settings, as the service's PATCH body has nothing else."""
        sent = call.body.get("properties") or {}
        scale = (sent.get("properties") or sent).get("scaleSettings")
        if kind_of(old) != CLUSTER or not isinstance(scale, dict):
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
        if kind == INSTANCE and len(call.id.name) > instance.LONGEST_NAME:
            said = NAME_ERROR.format(name=call.id.name, longest=instance.LONGEST_NAME)
            raise AzureError(400, self.name_error[0], said, target="name")
        if old is not None and kind_of(old) != kind:
            raise AzureError(
                400, "BadRequest", f"Compute '{call.id.name}' exists already, as {kind_of(old)}.", target="computeType"
            )
        check_identity(call, self)
        self._identity_kinds(call)
        properties = call.body["properties"].get("properties") or {}
        size = self._size(call, properties, old)
        self._subnet(call, properties)
        if kind == CLUSTER:
            cluster.check(call, properties, size)
        else:
            instance.check(call, properties, old)

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

    def prepare(self, call: Call, old: Body | None) -> Body:
        """The body with defaults, and with what an update does not change."""
        body = copy.deepcopy(call.body)
        outer = body["properties"]
        kind, inner = outer["computeType"], outer.get("properties") or {}
        outer["properties"] = inner
        now = clock.now().isoformat()
        before = old["properties"] if old else {}
        if old is not None:
            for key in (cluster if kind == CLUSTER else instance).UNCHANGED:
                inner.pop(key, None)
                if key in before["properties"]:
                    inner[key] = before["properties"][key]
            outer["disableLocalAuth"] = before["disableLocalAuth"]
        remembered = call.cloud.store.get("detachedCompute", call.id.key)
        if old is None and remembered is not None:
            inner["vmSize"] = inner[SENT] = remembered["vmSize"]
        sent = str(inner["vmSize"])
        inner["vmSize"] = sent.upper()
        inner[SENT] = inner.get(SENT) or sent
        inner.setdefault("enableNodePublicIp", True)
        if kind == CLUSTER:
            cluster.fill(inner)
        else:
            instance.fill(call, inner, before)
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
        return body

    def stored(self, call: Call, resource: Body, old: Body | None) -> None:
        """A name that came back is no longer remembered; the first compute makes a managed network."""
        if old is None:
            call.cloud.store.delete("detachedCompute", call.id.key)
            workspace = call.resource(workspace_id(call.id.text))
            if workspace is not None:
                provision(call.cloud, workspace)
            if kind_of(resource) == INSTANCE:
                power.set_times(call.cloud.store, resource)

    def present(self, call: Call, resource: Body) -> Body:
        """Shows the compute with the state of a running operation, and the nodes that a cluster has now."""
        shown = copy.deepcopy(resource)
        outer = shown["properties"]
        outer["provisioningState"] = provisioning_state(call.cloud, resource, outer["provisioningState"])
        inner = outer["properties"]
        inner["vmSize"] = inner.pop(SENT, None) or inner["vmSize"]
        if kind_of(resource) == CLUSTER:
            inner |= {**cluster.UNSET, **inner, "propertyBag": {}, **cluster.now(call, resource)}
        else:
            inner |= {**instance.UNSET, **inner, **instance.now(resource)}
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
        if kind_of(resource) == CLUSTER:
            inner |= dict.fromkeys(cluster.MOVING)
        else:
            inner |= dict.fromkeys(key for key in (*instance.UNSET, *instance.now(resource), "lastOperation"))
        for key in ("propertyBag", "allocationStateTransitionTime", "userAccountCredentials"):
            inner.pop(key, None)
        if created:
            outer["provisioningWarnings"] = shown["tags"] = None
            outer.pop("computeLocation")
        elif kind_of(resource) == CLUSTER:
            workspace = workspace_id(resource["id"]).replace(WORKSPACES, "Microsoft.BatchAI/workspaces")
            outer["resourceId"] = f"{workspace}/clusters/{resource['name']}"
        return accepted(call, COMPUTE, resource, shown, status=201, state="Creating" if created else "Updating")

    def deleted(self, call: Call, resource: Body) -> None:
        """A detached cluster's size is remembered with its name; identity and nodes go."""
        forget_identity(call, resource)
        power.forget(call.cloud.store, resource["id"])
        action = call.query.get("underlyingResourceAction", "Delete")
        if action == "Detach" and kind_of(resource) == CLUSTER:
            size = resource["properties"]["properties"]["vmSize"]
            call.cloud.store.put("detachedCompute", resource["id"].lower(), {"vmSize": size})
        call.cloud.store.clear(NODES, resource["id"].lower() + "/")

    def delete_response(self, call: Call, resource: Body | None) -> Response:
        """Answers that the deletion is accepted (202)."""
        if resource is None:
            return super().delete_response(call, None)
        return accepted(call, COMPUTE, resource, None, status=202)

    @staticmethod
    def _list_keys(call: Call, resource: Body) -> Body:
        del call
        raise AzureError(400, "BadRequest", f"Compute '{resource['name']}' has no keys: its local accounts are off.")
