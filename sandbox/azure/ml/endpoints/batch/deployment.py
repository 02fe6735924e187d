"""Batch deployments: of a model with its code, of an MLflow model without code, or of a pipeline component.

Sources: learn.microsoft.com/azure/machine-learning/reference-yaml-deployment-batch, how-to-use-batch-model-deployments,
how-to-use-batch-pipeline-deployments; defaults are those of Microsoft's REST model.
"""

import copy
from collections.abc import Mapping
from typing import Any, ClassVar

from starlette.responses import Response

from sandbox.azure.arm.core import Body, Call, Rule
from sandbox.azure.ml import jobfields, mfeoperations
from sandbox.azure.ml.assets import by_asset_id, environment_of
from sandbox.azure.ml.endpoints.refusals import refused
from sandbox.azure.ml.endpoints.resource import EndpointType
from sandbox.azure.ml.jobfields import bad
from sandbox.azure.ml.names import BATCH_DEPLOYMENTS, workspace_id
from sandbox.azure.ml.operations import working
from sandbox.azure.ml.scope import Scope, told_from

MOST = 20  # deployments of an endpoint
COMPONENT = "PipelineComponent"
APPEND, SUMMARY = "AppendRow", "SummaryOnly"
LEVELS = {"info": "Info", "warning": "Warning", "debug": "Debug"}
DEFAULTS: Body = {
    "description": None,
    "compute": None,
    "model": None,
    "codeConfiguration": None,
    "environmentId": None,
    "deploymentConfiguration": None,
    "outputAction": APPEND,
    "outputFileName": "predictions.csv",
    "errorThreshold": -1,
    "miniBatchSize": 10,
    "maxConcurrencyPerInstance": 1,
    "loggingLevel": "Info",
}
RESOURCES = {"instanceCount": 1, "instanceType": None, "properties": None}
RETRIES = {"maxRetries": 3, "timeout": "PT30S"}


class BatchDeployment(EndpointType):
    """`…/batchEndpoints/deployments`."""

    type: ClassVar[str] = BATCH_DEPLOYMENTS
    family = mfeoperations.BATCH_DEPLOYMENT
    fields: ClassVar[Mapping[str, Rule]] = {
        "properties.compute": str,
        "properties.model": dict,
        "properties.codeConfiguration": dict,
        "properties.codeConfiguration.codeId": str,
        "properties.codeConfiguration.scoringScript": str,
        "properties.environmentId": str,
        "properties.environmentVariables": dict,
        "properties.resources": dict,
        "properties.resources.instanceCount": int,
        "properties.retrySettings": dict,
        "properties.retrySettings.maxRetries": int,
        "properties.retrySettings.timeout": str,
        "properties.outputAction": frozenset({APPEND, SUMMARY}),
        "properties.outputFileName": str,
        "properties.errorThreshold": int,
        "properties.miniBatchSize": int,
        "properties.maxConcurrencyPerInstance": int,
        "properties.loggingLevel": str,
        "properties.deploymentConfiguration": dict,
        "properties.deploymentConfiguration.settings": dict,
    }

    def validate(self, call: Call, old: Body | None) -> None:
        """Refuses what cannot be carried out."""
        scope = _scope(call)
        with told_from(scope.workspace):
            properties = call.body.get("properties") or {}
            siblings = list(call.cloud.store.list("resource", f"{call.id.parent}/deployments/".lower()))
            if old is None and len(siblings) >= MOST:
                raise refused("deployment", f"The endpoint has {MOST} deployments already.")
            if properties.get("deploymentConfiguration"):
                _check_component(scope, properties["deploymentConfiguration"])
            else:
                _check_model(scope, properties)

    def prepare(self, call: Call, old: Body | None) -> Body:
        """The body with what the service fills in."""
        body = copy.deepcopy(call.body)
        given = _set(body.get("properties"))
        level = str(given.get("loggingLevel") or "Info").lower()
        body["properties"] = {
            **DEFAULTS,
            **given,
            "loggingLevel": LEVELS.get(level, "Info"),
            "resources": {**RESOURCES, **_set(given.get("resources"))},
            "retrySettings": {**RETRIES, **_set(given.get("retrySettings"))},
            "environmentVariables": given.get("environmentVariables") or {},
            "deploymentConfiguration": _configuration(given.get("deploymentConfiguration")),
            "properties": given.get("properties") or {},
            "provisioningState": "Succeeded",
        }
        return {**body, "tags": body.get("tags") or {}}

    def response(self, call: Call, resource: Body, *, created: bool) -> Response:
        """Accepted."""
        operation = self.begun(call, resource)
        working(call.cloud, resource, "Creating" if created else "Updating")
        location = f"{call.base_url}{resource['id']}"
        return mfeoperations.accepted(
            call, operation, self.present(call, resource), status=201 if created else 200, location=location
        )

    def deleted(self, call: Call, resource: Body) -> None:
        """An endpoint whose default deployment goes has none."""
        endpoint = call.resource(resource["id"].rsplit("/", 2)[0])
        name = endpoint and endpoint["properties"]["defaults"]["deploymentName"]
        if endpoint is not None and str(name).lower() == resource["name"].lower():
            endpoint["properties"]["defaults"]["deploymentName"] = None
            call.cloud.store.put("resource", endpoint["id"].lower(), endpoint)


def _scope(call: Call) -> Scope:
    return Scope(call.cloud, call.caller, call.resource(workspace_id(call.id.text)) or {})


def _configuration(given: Body | None) -> Body | None:
    """A component's configuration; azure-ai-ml reads its settings where none were sent, too."""
    return given and {"description": None, "tags": {}, **given, "settings": given.get("settings") or {}}


def _set(given: Body | None) -> Body:
    """What is set of an object."""
    return {key: value for key, value in (given or {}).items() if value is not None}


def asset_of(scope: Scope, reference: Any) -> Body | None:
    """The version that a reference names: `{referenceType: "Id", assetId}`."""
    found = (reference or {}).get("assetId") if isinstance(reference, dict) else None
    return by_asset_id(scope, str(found)) if found else None


def _check_component(scope: Scope, configuration: Body) -> None:
    at = "deploymentConfiguration"
    if configuration.get("deploymentConfigurationType") != COMPONENT:
        kind = configuration.get("deploymentConfigurationType")
        raise bad(f"{at}.deploymentConfigurationType", f"'{kind}' is not {COMPONENT}.")
    component = asset_of(scope, configuration.get("componentId"))
    if component is None or component["properties"]["componentSpec"]["type"] != "pipeline":
        raise bad(f"{at}.componentId", f"'{configuration.get('componentId')}' is no pipeline component.")


def _check_model(scope: Scope, properties: Body) -> None:
    model = asset_of(scope, properties.get("model"))
    if model is None:
        raise bad("model", "A batch deployment needs a model that is there, or a pipeline component.")
    if not properties.get("compute"):
        raise bad("compute", "A batch deployment needs a compute.")
    jobfields.compute(scope, {"computeId": properties["compute"]}, _instances(properties))
    code, environment = properties.get("codeConfiguration"), properties.get("environmentId")
    if model["properties"].get("modelType") == "mlflow_model" and not code:
        return
    if not code or not environment:
        raise bad(
            "codeConfiguration", "A model that is no MLflow model needs code with a scoring script, and an environment."
        )
    if by_asset_id(scope, str(code.get("codeId"))) is None or not code.get("scoringScript"):
        raise bad("codeConfiguration", f"The code '{code.get('codeId')}' is not there, or no scoring script is named.")
    found = environment_of(scope, str(environment))
    if found is None:
        raise bad("environmentId", f"Environment '{environment}' was not found.")
    if found["properties"].get("environmentType") == "Curated":
        raise bad("environmentId", "Curated environments are not supported in batch deployments: make one of your own.")


def _instances(properties: Body) -> int:
    return int((properties.get("resources") or {}).get("instanceCount") or 1)
