"""The types of compute, and which workspace a compute belongs to."""

from collections.abc import Callable
from typing import Final

from policies.links import named
from policies.model import Check, NotApplicableError, Outcome, Setting, Settings
from policies.resources import Graph, Resource
from policies.rules.checks import alike, show
from policies.rules.workspace import WORKSPACE

COMPUTE: Final = "machinelearningservices:Compute"
CLUSTER, INSTANCE = "AmlCompute", "ComputeInstance"
KIND: Final = "properties.computeType"
TEAM_TAG: Final = Setting({"type": "string", "minLength": 1, "description": "Name of the tag whose value is the team."})

DOCS: Final = "https://learn.microsoft.com/azure/machine-learning/"
CLUSTERS: Final = f"{DOCS}how-to-create-attach-compute-cluster"
LANDING_ZONES: Final = "Azure Landing Zones"


def is_a(compute: Resource, *kinds: str) -> bool:
    """Whether a compute is of one of these types.

    Raises:
        UnknownValueError: If its type is not known.
    """
    kind = compute.get(KIND)
    return any(alike(kind, one) for one in kinds)


def only(*kinds: str) -> Callable[[Check], Check]:
    """A decorator: the check is for these types of compute."""

    def decorate(check: Check) -> Check:
        def checked(resource: Resource, settings: Settings, graph: Graph) -> Outcome:
            if not is_a(resource, *kinds):
                kind = show(resource.get(KIND))
                raise NotApplicableError(f"computeType is {kind}; the rule is about {' and '.join(kinds)}")
            yield from check(resource, settings, graph)

        return checked

    return decorate


def workspace_of(resource: Resource, graph: Graph) -> Resource | None:
    """The workspace of a compute, None if it is not among the resources.

    Raises:
        UnknownValueError: If its name is not known, and does not come from just one workspace.
    """
    return named(resource, "workspaceName", graph, WORKSPACE)
