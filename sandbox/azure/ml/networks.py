"""Managed networks of workspaces: isolation modes, outbound rules, provisioning.

Source: learn.microsoft.com/azure/machine-learning/how-to-managed-network; models OutboundRule, ManagedNetworkSettings.
"""

import copy
import re
from collections.abc import Mapping
from typing import Any, ClassVar

from starlette.responses import JSONResponse, Response

from sandbox.azure.arm.core import Body, Call, ResourceType, Rule, properties_of
from sandbox.azure.cloud import Cloud
from sandbox.azure.front.errors import AzureError
from sandbox.azure.ml.names import WORKSPACES, workspace_id
from sandbox.azure.ml.operations import WORKSPACE, accepted

TYPE = f"{WORKSPACES}/outboundRules"
OFF, INTERNET, APPROVED = "Disabled", "AllowInternetOutbound", "AllowOnlyApprovedOutbound"
MODES = (OFF, INTERNET, APPROVED)
APPROVED_ONLY = ("FQDN", "ServiceTag")


def mode_of(workspace: Body) -> str:
    """A workspace's isolation mode."""
    return str((workspace["properties"].get("managedNetwork") or {}).get("isolationMode") or OFF)


def node_network(workspace: Body, compute: Body) -> str:
    """Id, in lower case, of the network that a compute's nodes are in; empty for the internet."""
    if mode_of(workspace) != OFF:
        return str(workspace["id"]).lower()
    subnet = (compute["properties"]["properties"].get("subnet") or {}).get("id") or ""
    return str(subnet).lower().partition("/subnets/")[0]


def check_mode(sent: Body, old: Body | None) -> None:
    """Refuses an unknown isolation mode, and a change to a looser one.

    Raises:
        AzureError: 400.
    """
    settings = sent.get("managedNetwork")
    if settings is None:
        return
    mode = settings.get("isolationMode") if isinstance(settings, dict) else None
    if mode not in MODES:
        raise AzureError(
            400,
            "ValidationError",
            f"The isolation mode '{mode}' is not one of {', '.join(MODES)}.",
            target="properties.managedNetwork.isolationMode",
        )
    before = mode_of(old) if old else OFF
    if MODES.index(mode) < MODES.index(before):
        raise AzureError(
            400, "BadRequest", f"The isolation mode of the managed network cannot be changed from {before} to {mode}."
        )


def present_network(cloud: Cloud, workspace: Body) -> Body:
    """The `managedNetwork` of a workspace with all its rules."""
    settings = copy.deepcopy(workspace["properties"].get("managedNetwork") or {"isolationMode": OFF})
    rules = cloud.store.list("resource", workspace["id"].lower() + "/outboundrules/")
    settings["outboundRules"] = {one["name"]: one["properties"] for one in rules}
    settings.setdefault("status", {"status": "Inactive", "sparkReady": False})
    settings["changeableIsolationModes"] = list(MODES[MODES.index(settings.get("isolationMode") or OFF) + 1 :])
    return settings


def provision(cloud: Cloud, workspace: Body) -> None:
    """Makes the network, as the first compute does, or `provisionManagedNetwork`."""
    if mode_of(workspace) == OFF:
        return
    workspace["properties"]["managedNetwork"]["status"] = {"status": "Active", "sparkReady": False}
    cloud.store.put("resource", workspace["id"].lower(), workspace)
    for key, rule in list(cloud.store.items("resource", workspace["id"].lower() + "/outboundrules/")):
        rule["properties"]["status"] = "Active"
        cloud.store.put("resource", key, rule)


class OutboundRule(ResourceType):
    """`…/workspaces/outboundRules`."""

    type: ClassVar[str] = TYPE
    tracked: ClassVar[bool] = False
    name_pattern: ClassVar[re.Pattern[str]] = re.compile(r"[A-Za-z0-9][A-Za-z0-9_\-]{0,79}")
    required: ClassVar[tuple[str, ...]] = ("properties.type",)
    fields: ClassVar[Mapping[str, Rule]] = {"properties.type": frozenset({"FQDN", "PrivateEndpoint", "ServiceTag"})}

    def validate(self, call: Call, old: Body | None) -> None:
        """Refuses what the workspace's isolation mode has no use for, and incomplete destinations."""
        workspace = call.resource(workspace_id(call.id.text)) or {"properties": {}}
        mode, kind = mode_of(workspace), properties_of(call.body)["type"]
        if mode == OFF:
            raise AzureError(400, "BadRequest", "The workspace has no managed network: its isolation mode is Disabled.")
        if kind in APPROVED_ONLY and mode != APPROVED:
            raise AzureError(400, "BadRequest", f"Rules of type {kind} are for the isolation mode {APPROVED} only.")
        destination: Any = properties_of(call.body).get("destination")
        if kind == "FQDN":
            good = re.fullmatch(r"(\*\.)?[A-Za-z0-9.-]+", str(destination)) is not None
        elif kind == "ServiceTag":
            good = _complete(destination, "serviceTag", "protocol", "portRanges")
        else:
            good = _complete(destination, "serviceResourceId", "subresourceTarget")
        if not good:
            raise AzureError(
                400,
                "ValidationError",
                f"The destination of a {kind} rule is not complete.",
                target="properties.destination",
            )
        if kind == "PrivateEndpoint" and call.resource(str(destination["serviceResourceId"])) is None:
            raise AzureError(
                400,
                "ValidationError",
                f"The resource '{destination['serviceResourceId']}' does not exist.",
                target="properties.destination.serviceResourceId",
            )

    def prepare(self, call: Call, old: Body | None) -> Body:
        """Adds category and status: a rule is inactive until the network is made."""
        body = super().prepare(call, old)
        workspace = call.resource(workspace_id(call.id.text)) or {"properties": {}}
        status = (workspace["properties"].get("managedNetwork") or {}).get("status", {}).get("status", "Inactive")
        body["properties"] = {"category": "UserDefined", **body["properties"], "status": status}
        return body

    def response(self, call: Call, resource: Body, *, created: bool) -> Response:
        """Answers that a new rule is accepted (202)."""
        workspace = call.resource(workspace_id(call.id.text)) or {"location": ""}
        if created:
            return accepted(call, WORKSPACE, {**resource, "location": workspace["location"]}, resource, status=202)
        return JSONResponse(resource)


def _complete(destination: Any, *parts: str) -> bool:
    return isinstance(destination, dict) and all(destination.get(part) for part in parts)
