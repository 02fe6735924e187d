"""What a managed online deployment may be: assets, instance type, limits, quota.

Sources: learn.microsoft.com/azure/machine-learning/reference-yaml-deployment-managed-online, how-to-manage-quotas.
"""

import math
from typing import Any

from sandbox.azure.arm.core import Body, Call
from sandbox.azure.ml.assets import by_asset_id, environment_of
from sandbox.azure.ml.beyond import instead
from sandbox.azure.ml.durations import seconds
from sandbox.azure.ml.endpoints.refusals import refused
from sandbox.azure.ml.errors import UserError
from sandbox.azure.ml.locations import vcpus_in_use
from sandbox.azure.ml.names import ONLINE_DEPLOYMENTS
from sandbox.azure.ml.scope import Scope
from sandbox.azure.ml.sizes import DEDICATED, Size, quota, serving_vcpus, sizes

MOST_INSTANCES = 50  # of a deployment
MOST_DEPLOYMENTS = 20  # of an endpoint
MOST_IN_REGION = 500
LONGEST_REQUEST = 180.0  # seconds
CREATE = "InferencingClientCreateDeploymentFailed"
OUT_OF_QUOTA = "Please see troubleshooting guide, available here: https://aka.ms/oe-tsg#error-outofquota"


def present(given: Any) -> Body:
    """The keys of an object that are not null; empty for no object."""
    return {key: value for key, value in (given or {}).items() if value is not None}


def check(scope: Scope, call: Call, old: Body | None) -> None:
    """Refuses a deployment.

    Raises:
        UserError: 400 or 404.
    """
    properties = call.body["properties"]
    kind = str(properties["endpointComputeType"])
    if kind.lower() != "managed":
        raise _bad(
            f"Deployments on {kind} are not emulated by the sandbox: {instead('kubernetesEndpoint')}.",
            "endpointComputeType",
        )
    _assets(scope, properties)
    _settings(properties)
    size, instances = _instances(call, properties)
    _limits(call, old)
    _quota(call, size, instances, old)


def _bad(text: str, target: str) -> UserError:
    return UserError(400, text, "BadArgument", target=f"properties.{target}")


def _missing(what: str, reference: str, target: str) -> UserError:
    return UserError(404, f"The {what} '{reference}' was not found.", "NotFound", target=f"properties.{target}")


def _assets(scope: Scope, properties: Body) -> None:
    model = properties.get("model")
    found = by_asset_id(scope, model) if model else None
    if model and found is None:
        raise _missing("model", model, "model")
    kind = str((found or {"properties": {}})["properties"].get("modelType") or "custom_model")
    if kind == "triton_model":
        raise _bad("Triton models are not emulated by the sandbox: serve the model by a scoring script.", "model")
    environment = properties.get("environmentId")
    version = environment_of(scope, environment) if environment else None
    if environment and version is None:
        raise _missing("environment", environment, "environmentId")
    if version is not None and version["properties"].get("inferenceConfig"):
        raise _bad(
            "Containers of your own are not emulated by the sandbox: serve the model by a scoring script.",
            "environmentId",
        )
    code = properties.get("codeConfiguration")
    if code:
        if not code.get("codeId") or not code.get("scoringScript"):
            raise _bad("A code configuration has a codeId and a scoringScript.", "codeConfiguration")
        if by_asset_id(scope, code["codeId"]) is None:
            raise _missing("code", code["codeId"], "codeConfiguration")
    if not code and kind != "mlflow_model":
        raise _bad("A deployment needs a code configuration, unless its model is an MLflow model.", "codeConfiguration")
    if code and not environment:
        raise _bad("A deployment with code needs an environment.", "environmentId")


def _settings(properties: Body) -> None:
    for name, value in (properties.get("environmentVariables") or {}).items():
        if not isinstance(value, str):
            raise _bad(f"The environment variable '{name}' must be a string.", "environmentVariables")
    scale = present(properties.get("scaleSettings")).get("scaleType", "Default")
    if str(scale).lower() != "default":
        raise _bad(
            f"Managed deployments take the scaleType Default alone, not '{scale}': Azure Monitor scales them.",
            "scaleSettings",
        )
    requests = present(properties.get("requestSettings"))
    for key in ("requestTimeout", "maxQueueWait"):
        _duration(requests, key, f"requestSettings.{key}", most=LONGEST_REQUEST)
    if requests.get("maxConcurrentRequestsPerInstance", 1) < 1:
        raise _bad(
            "At least one request at a time must be allowed.", "requestSettings.maxConcurrentRequestsPerInstance"
        )
    for probe in ("livenessProbe", "readinessProbe"):
        given = present(properties.get(probe))
        for key in ("timeout", "period", "initialDelay"):
            _duration(given, key, f"{probe}.{key}")
        for key in ("failureThreshold", "successThreshold"):
            if isinstance(given.get(key, 1), bool) or not isinstance(given.get(key, 1), int) or given.get(key, 1) < 1:
                raise _bad(f"{key} must be a whole number from 1 on.", f"{probe}.{key}")


def _duration(given: Body, key: str, target: str, most: float = math.inf) -> None:
    if key not in given:
        return
    try:
        length = seconds(str(given[key]))
    except ValueError as error:
        raise _bad(f"{error}.", target) from error
    if length > most:
        raise _bad(f"{target} is at most {most:g} seconds.", target)


def _instances(call: Call, properties: Body) -> tuple[Size, int]:
    name = str(properties.get("instanceType") or "")
    size = sizes().get(name.upper())
    if size is None:
        raise refused(
            "VmSize", f"The instance type '{name}' is not supported for managed online deployments.", code=CREATE
        )
    count = present(call.body.get("sku")).get("capacity", 1)
    if not 1 <= count <= MOST_INSTANCES:
        raise refused("instanceCount", f"A deployment has 1 to {MOST_INSTANCES} instances, not {count}.", code=CREATE)
    return size, count


def _limits(call: Call, old: Body | None) -> None:
    if old is not None:
        return
    region = call.body["location"]
    there = [one for one in call.cloud.store.resources(ONLINE_DEPLOYMENTS) if one["location"] == region]
    inside = [one for one in there if one["id"].lower().startswith(f"{call.id.parent}/deployments/".lower())]
    if len(inside) >= MOST_DEPLOYMENTS:
        raise refused("deployment", f"The endpoint has {MOST_DEPLOYMENTS} deployments already, the most.", code=CREATE)
    if len(there) >= MOST_IN_REGION:
        raise refused("deployment", f"The region has {MOST_IN_REGION} deployments already, the most.", code=CREATE)


def _quota(call: Call, size: Size, instances: int, old: Body | None) -> None:
    region = str(call.body["location"])
    needed = serving_vcpus(size.name, instances)
    used = vcpus_in_use(call.cloud, region)
    if old is not None:
        before = old["properties"]["instanceType"]
        freed = serving_vcpus(before, old["sku"]["capacity"])
        used.subtract({sizes()[before].family: freed, DEDICATED: freed})
    for of in (size.family, DEDICATED):
        limit, now = quota(call.cloud, region, of), used[of]
        if now + needed > limit:
            problem = (
                f"Not enough quota available for {size.name} in SubscriptionId {call.subscription}. Current "
                f"usage/limit: {now}/{limit}. Additional needed: {needed} {OUT_OF_QUOTA}"
            )
            raise refused("VmSize", problem, code=CREATE)
