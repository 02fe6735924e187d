"""Which compute there may be, and as whom it works."""

from policies.baseline import controls
from policies.model import Counterpart, Level, Outcome, Problem, ResourceRule, Setting, Settings, Severity
from policies.resources import Graph, Resource
from policies.rules.checks import alike, show
from policies.rules.compute.kinds import CLUSTER, COMPUTE, DOCS, INSTANCE, KIND, LANDING_ZONES, only


def _kinds(resource: Resource, settings: Settings, _graph: Graph) -> Outcome:
    kind = resource.get(KIND)
    if not any(alike(kind, allowed) for allowed in settings["allowed"]):
        yield Problem(f"computeType is {show(kind)}; allowed are {', '.join(settings['allowed'])}", KIND)


@only(CLUSTER, INSTANCE)
def _local_auth(resource: Resource, _settings: Settings, _graph: Graph) -> Outcome:
    value = resource.get("properties.disableLocalAuth")
    if value is not True:
        yield Problem(
            f"disableLocalAuth is {show(value)}, it must be true: nodes have no local accounts",
            "properties.disableLocalAuth",
        )


@only(CLUSTER)
def _identity(resource: Resource, _settings: Settings, _graph: Graph) -> Outcome:
    kind = resource.get("identity.type")
    if not isinstance(kind, str) or "assigned" not in kind.casefold():
        yield Problem(f"identity.type is {show(kind)}, it must be 'SystemAssigned' or 'UserAssigned'", "identity.type")


RULES = (
    ResourceRule(
        name="machinelearning-compute-disable-local-auth",
        title="Compute has no local accounts.",
        kinds=(COMPUTE,),
        check=_local_auth,
        severity=Severity.HIGH,
        counterparts=(
            Counterpart("Azure Policy", "e96a9a5f-07ca-471b-9bc5-6a0f33cbd68f"),
            Counterpart("PSRule", "AZR-000404", "Theirs is for every type of compute."),
            Counterpart("checkov", "CKV_AZURE_142", "Theirs is for clusters only."),
            *controls("IM-1", "PA-1"),
        ),
        url=f"{DOCS}how-to-integrate-azure-policy",
        remediation="Set disableLocalAuth to true.",
        applies="Clusters and instances.",
    ),
    ResourceRule(
        name="machinelearning-compute-require-identity",
        title="Compute clusters have a managed identity.",
        kinds=(COMPUTE,),
        check=_identity,
        severity=Severity.MEDIUM,
        level=Level.ADVISORY,
        counterparts=controls("IM-3"),
        url=f"{DOCS}how-to-identity-based-service-authentication",
        remediation="Give the cluster an identity, and that identity roles on the registry and the data.",
        applies="Compute clusters (AmlCompute). Without an identity, jobs need keys.",
    ),
    ResourceRule(
        name="machinelearning-compute-allow-types",
        title="Only allowed types of compute are attached or created.",
        kinds=(COMPUTE,),
        check=_kinds,
        severity=Severity.MEDIUM,
        counterparts=(
            Counterpart(LANDING_ZONES, "Deny-MachineLearning-Aks", "Theirs refuses AKS alone."),
            *controls("AM-2"),
        ),
        url=f"{DOCS}concept-compute-target",
        remediation="Use an allowed type of compute, or have this one allowed.",
        settings={
            "allowed": Setting(
                {
                    "type": "array",
                    "items": {"type": "string", "minLength": 1},
                    "minItems": 1,
                    "description": "Types such as AmlCompute, ComputeInstance, Kubernetes.",
                },
                required=True,
            )
        },
        applies="All compute.",
    ),
)
