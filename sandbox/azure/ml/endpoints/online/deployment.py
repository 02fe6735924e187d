"""Managed online deployments: a model and its code on instances, which the runner serves.

Sources: recordings of azure-ai-ml's online_services tests, listed in docs/fidelity/serving.md;
learn.microsoft.com/azure/machine-learning/reference-yaml-deployment-managed-online, how-to-manage-quotas.
"""

import copy
import re
from collections.abc import Mapping
from typing import ClassVar

from starlette.responses import Response

from sandbox.azure.arm.core import Action, Body, Call, Rule, parse_id
from sandbox.azure.arm.resources import Resources, Route, route
from sandbox.azure.ml import mfeoperations
from sandbox.azure.ml.assets import by_asset_id
from sandbox.azure.ml.endpoints.online import checks, logs, served, traffic
from sandbox.azure.ml.endpoints.refusals import refused
from sandbox.azure.ml.endpoints.resource import EndpointType
from sandbox.azure.ml.errors import UserError
from sandbox.azure.ml.names import ONLINE_DEPLOYMENTS, workspace_id
from sandbox.azure.ml.scope import PATH, Scope, told_from

PROBE = {"failureThreshold": 30, "successThreshold": 1, "timeout": "PT2S", "period": "PT10S", "initialDelay": "PT10S"}
REQUESTS = {"maxQueueWait": "PT0S", "requestTimeout": "PT5S", "maxConcurrentRequestsPerInstance": 1}
BUSY = ("Creating", "Updating", "Scaling")
OWN = ("provisioningState", "properties")  # what the service writes of a deployment
ROOT = "/var/azureml-app"  # in the service's containers, as it shows it
DEFAULTS: Body = {
    "appInsightsEnabled": False,
    "dataCollector": None,
    "description": None,
    "codeConfiguration": None,
    "environmentId": None,
    "model": None,
    "modelMountPath": None,
    "privateNetworkConnection": False,
    "egressPublicNetworkAccess": "Enabled",
    "scaleSettings": {"scaleType": "Default"},
}


class OnlineDeployment(EndpointType):
    """`…/onlineEndpoints/deployments`: managed ones; those on Kubernetes are refused."""

    type: ClassVar[str] = ONLINE_DEPLOYMENTS
    family = mfeoperations.ONLINE_DEPLOYMENT
    fields: ClassVar[Mapping[str, Rule]] = {
        "sku": dict,
        "sku.capacity": int,
        "properties.endpointComputeType": str,
        "properties.model": str,
        "properties.environmentId": str,
        "properties.codeConfiguration": dict,
        "properties.codeConfiguration.codeId": str,
        "properties.codeConfiguration.scoringScript": str,
        "properties.instanceType": str,
        "properties.appInsightsEnabled": bool,
        "properties.environmentVariables": dict,
        "properties.requestSettings": dict,
        "properties.requestSettings.maxConcurrentRequestsPerInstance": int,
        "properties.requestSettings.requestTimeout": str,
        "properties.scaleSettings": dict,
        "properties.livenessProbe": dict,
        "properties.readinessProbe": dict,
        "properties.egressPublicNetworkAccess": frozenset({"Enabled", "Disabled"}),
    }
    required: ClassVar[tuple[str, ...]] = ("properties.endpointComputeType",)

    @property
    def actions(self) -> dict[str, Action]:
        """POST actions."""
        return {"getlogs": logs.get_logs}

    def patch(self, call: Call, old: Body) -> Body:
        """Tags and the number of instances, as the service's PATCH has nothing else."""
        merged = copy.deepcopy(old)
        if "tags" in call.body:
            merged["tags"] = call.body["tags"]
        merged["sku"] |= checks.present(call.body.get("sku"))
        return merged

    def validate(self, call: Call, old: Body | None) -> None:
        """Refuses what the service cannot serve, or has no room for."""
        scope = self._scope(call)
        with told_from(scope.workspace):
            checks.check(scope, call, old)
            if _busy(old) and not _same(self.prepare(call, old), old):
                text = f"The deployment '{call.id.name}' is being changed already: wait until that operation has ended."
                raise UserError(409, text, "Conflict")

    def prepare(self, call: Call, old: Body | None) -> Body:
        """The body with what the service fills in."""
        body = copy.deepcopy(call.body)
        given = checks.present(body["properties"])
        properties = {**DEFAULTS, **given}
        properties |= {
            "endpointComputeType": "Managed",
            "instanceType": str(given["instanceType"]).upper(),
            "properties": given.get("properties") or {},
            "requestSettings": {**REQUESTS, **checks.present(given.get("requestSettings"))},
            "livenessProbe": {**PROBE, **checks.present(given.get("livenessProbe"))},
            "readinessProbe": {**PROBE, **checks.present(given.get("readinessProbe"))},
            "environmentVariables": {
                **(given.get("environmentVariables") or {}),
                **_variables(self._scope(call), properties),
            },
            "provisioningState": _state(body, old),
        }
        return {
            **body,
            "properties": properties,
            "tags": body.get("tags") or {},
            "kind": "Managed",
            "sku": {"name": "Default", "tier": "Standard", "capacity": 1, **checks.present(body.get("sku"))},
        }

    def stored(self, call: Call, resource: Body, old: Body | None) -> None:
        """The runner is asked to serve it; by the same request once more, whose answer got lost, it is already."""
        if old is not None and _busy(old):
            resource["properties"] = old["properties"]
            self.save(call.cloud, resource)
            return
        workspace = self._scope(call).workspace
        operation = mfeoperations.begin(call, self.family, workspace, lasts=None)
        resource["properties"]["properties"]["AzureAsyncOperationUri"] = (
            f"{operation.address}?api-version={call.api_version}"
        )
        self.save(call.cloud, resource)
        served.want(call, resource, old, operation.name)

    def response(self, call: Call, resource: Body, *, created: bool) -> Response:
        """Accepted: the operation runs until the deployment serves, or has failed."""
        address = resource["properties"]["properties"]["AzureAsyncOperationUri"].partition("?")[0]
        operation = mfeoperations.at(address)
        status = 201 if created else 202 if call.method == "PATCH" else 200
        location = "" if call.method == "PATCH" else f"{call.base_url}{resource['id']}"
        return mfeoperations.accepted(call, operation, self.present(call, resource), status=status, location=location)

    def before_delete(self, call: Call, resource: Body) -> None:
        """Refuses to delete a deployment that has traffic."""
        scope = self._scope(call)
        endpoint = call.resource(call.id.parent) or {"properties": {}}
        name = resource["name"]
        if name.lower() in traffic.weights(endpoint["properties"], "traffic"):
            with told_from(scope.workspace):
                raise refused("traffic", f"Can't delete deployment [{name}] with non-zero traffic weight.")

    def deleted(self, call: Call, resource: Body) -> None:
        """It is served no longer, also when its endpoint goes; its weight of zero goes with it."""
        served.forget(call.cloud, resource)
        endpoint = call.resource(resource["id"].rsplit("/", 2)[0])
        if endpoint is None:
            return
        for key in traffic.NAMES:
            endpoint["properties"][key].pop(resource["name"].lower(), None)
        call.cloud.store.put("resource", endpoint["id"].lower(), endpoint)

    @staticmethod
    def _scope(call: Call) -> Scope:
        return Scope(call.cloud, call.caller, call.resource(workspace_id(call.id.text)) or {})


def _busy(old: Body | None) -> bool:
    return old is not None and old["properties"]["provisioningState"] in BUSY


def _same(new: Body, old: Body | None) -> bool:
    """Whether two forms of a deployment ask for the same."""
    kept = [{key: value for key, value in one["properties"].items() if key not in OWN} for one in (new, old or new)]
    return kept[0] == kept[1] and old is not None and new["sku"] == old["sku"]


def _state(body: Body, old: Body | None) -> str:
    if old is None:
        return "Creating"
    scaled = (body.get("sku") or {}).get("capacity") not in (None, old["sku"]["capacity"])
    return "Scaling" if scaled else "Updating"


def _variables(scope: Scope, properties: Body) -> dict[str, str]:
    """The variables that the service adds, with the paths in its containers."""
    found = {}
    if properties.get("model"):
        model = by_asset_id(scope, properties["model"])
        name = model["id"].split("/")[-3] if model else ""
        found["AZUREML_MODEL_DIR"] = f"{ROOT}/azureml-models/{name}/{model['name'] if model else ''}"
    code = properties.get("codeConfiguration")
    if code:
        found["AZUREML_ENTRY_SCRIPT"] = code["scoringScript"]
        version = by_asset_id(scope, code["codeId"])
        uri = str(version["properties"]["codeUri"]) if version else ""
        found["AML_APP_ROOT"] = f"{ROOT}/{uri.rstrip('/').rsplit('/', 1)[-1]}"
    return found


def _skus(resources: Resources, call: Call, match: re.Match[str]) -> Body:
    """How many instances a deployment may have."""
    del match
    on = call.on(parse_id(call.id.text.rpartition("/")[0]))
    call.authorize(f"{ONLINE_DEPLOYMENTS}/skus/read", on.id.text)
    resources.get(on)
    capacity = {"default": 1, "minimum": 1, "maximum": checks.MOST_INSTANCES, "scaleType": "Manual"}
    sku = {"name": "Default", "tier": "Standard"}
    return {"value": [{"resourceType": ONLINE_DEPLOYMENTS, "sku": sku, "capacity": capacity}]}


def routes() -> list[Route]:
    """The list that is no resource type."""
    return [route("GET", f"{PATH}/onlineEndpoints/{{endpoint}}/deployments/{{deployment}}/skus", _skus)]
