"""Endpoints and deployments of models."""

from typing import Any, Final

from policies.baseline import controls
from policies.model import Level, NotApplicableError, Outcome, Problem, ResourceRule, Setting, Settings, Severity
from policies.resources import Graph, Resource
from policies.rules.checks import alike, show
from policies.rules.compute.sizes import SIZE_ONE_OF, SIZE_SETTINGS, size_problems

ONLINE: Final = "machinelearningservices:OnlineEndpoint"
BATCH: Final = "machinelearningservices:BatchEndpoint"
SERVERLESS: Final = "machinelearningservices:ServerlessEndpoint"
DEPLOYMENT: Final = "machinelearningservices:OnlineDeployment"
_OLDER: Final = {  # what azure-native 2 calls `properties`
    ONLINE: "onlineEndpointProperties",
    BATCH: "batchEndpointProperties",
    DEPLOYMENT: "onlineDeploymentProperties",
}
_DOCS = "https://learn.microsoft.com/azure/machine-learning/"
MODES: Final = ("AADToken", "AMLToken")


def _at(resource: Resource, name: str) -> tuple[str, Any]:
    """Path and value of a property of an endpoint or deployment."""
    older = _OLDER.get(resource.kind)
    path = f"{older if older in resource.inputs else 'properties'}.{name}"
    return path, resource.get(path)


def _key_auth(resource: Resource, settings: Settings, _graph: Graph) -> Outcome:
    path, mode = _at(resource, "authMode")
    allowed = ("AAD",) if resource.kind == SERVERLESS else settings["allowed"]
    if not any(alike(mode, one) for one in allowed):
        yield Problem(f"{path} is {show(mode)}; allowed are {', '.join(allowed)}", path)


def _public_access(resource: Resource, _settings: Settings, _graph: Graph) -> Outcome:
    path, value = _at(resource, "publicNetworkAccess")
    if not alike(value, "Disabled"):
        yield Problem(f"{path} is {show(value)}, it must be 'Disabled'", path)


def _instance_types(resource: Resource, settings: Settings, _graph: Graph) -> Outcome:
    _, compute = _at(resource, "endpointComputeType")
    if alike(compute, "Kubernetes"):
        raise NotApplicableError("endpointComputeType is 'Kubernetes'; its instance types are the cluster's own")
    path, _ = _at(resource, "instanceType")
    yield from size_problems(resource, path, settings)


RULES = (
    ResourceRule(
        name="machinelearning-endpoint-disable-key-auth",
        title="Endpoints are called with a Microsoft Entra token, not with a key.",
        kinds=(ONLINE, BATCH, SERVERLESS),
        check=_key_auth,
        severity=Severity.HIGH,
        counterparts=controls("IM-1"),
        url=f"{_DOCS}how-to-authenticate-online-endpoint",
        remediation="Set authMode to AADToken; of a serverless endpoint, to AAD.",
        settings={
            "allowed": Setting(
                {
                    "type": "array",
                    "items": {"type": "string", "enum": list(MODES)},
                    "minItems": 1,
                    "description": "Modes that may be used; AMLToken is Azure ML's own token, which ends by itself.",
                },
                default=["AADToken"],
            )
        },
        applies="Online, batch and serverless endpoints.",
    ),
    ResourceRule(
        name="machinelearning-endpoint-disable-public-access",
        title="Online endpoints cannot be reached from the internet.",
        kinds=(ONLINE,),
        check=_public_access,
        severity=Severity.HIGH,
        level=Level.ADVISORY,
        counterparts=controls("NS-2"),
        url=f"{_DOCS}concept-secure-online-endpoint",
        remediation="Set publicNetworkAccess to Disabled; callers come by the workspace's private endpoint.",
        applies="Online endpoints. Batch endpoints are reached as their workspace is.",
    ),
    ResourceRule(
        name="machinelearning-deployment-allow-instance-types",
        title="Online deployments use only allowed VM sizes.",
        kinds=(DEPLOYMENT,),
        check=_instance_types,
        severity=Severity.HIGH,
        source="This project: a deployment's instances run until somebody deletes them.",
        url=f"{_DOCS}reference-managed-online-endpoints-vm-sku-list",
        remediation="Take an allowed VM size, or have this one added to the rule's list.",
        settings=SIZE_SETTINGS,
        one_of=SIZE_ONE_OF,
        applies="Managed online deployments, where the configuration has a list for them.",
    ),
)
