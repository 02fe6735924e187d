"""What all compute of a stack may take together."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from policies import vmsizes
from policies.links import undecided
from policies.model import Outcome, Problem, Setting, Settings, Severity, StackRule, Undecided
from policies.resources import Graph, Resource
from policies.rules.checks import alike, number, show
from policies.rules.compute.kinds import CLUSTER, COMPUTE, INSTANCE, is_a
from policies.values import UnknownValueError

_DOCS = "https://learn.microsoft.com/azure/machine-learning/how-to-manage-quotas"
_BODY = "properties.properties"
LOW_PRIORITY: Final = "lowPriority"
"""The pool that low-priority nodes of all families share."""


@dataclass(frozen=True)
class Demand:
    """The nodes that a cluster or instance takes at most.

    Attributes:
        compute: The cluster or instance.
        nodes: Most nodes at one time.
        size: The nodes' VM size.
        low_priority: Whether Azure may take its nodes away.
    """

    compute: Resource
    nodes: int
    size: str
    low_priority: bool


def demands(graph: Graph, unknown: list[UnknownValueError]) -> Iterator[Demand]:
    """The demands of a stack's clusters and instances; for each with an unknown input, an error goes into `unknown`."""
    for compute in graph.of(COMPUTE):
        try:
            if not is_a(compute, CLUSTER, INSTANCE):
                continue
            cluster = is_a(compute, CLUSTER)
            nodes = number(compute, f"{_BODY}.scaleSettings.maxNodeCount") if cluster else 1
            low = cluster and alike(compute.get(f"{_BODY}.vmPriority"), "LowPriority")
            yield Demand(compute, int(nodes or 0), str(compute.get(f"{_BODY}.vmSize")), low)
        except UnknownValueError as error:
            unknown.append(error)


def _nodes(graph: Graph, settings: Settings) -> Outcome:
    unknown: list[UnknownValueError] = []
    found = list(demands(graph, unknown))
    total, most = sum(one.nodes for one in found), settings["maxNodes"]
    if total > most:
        largest = max(found, key=lambda one: one.nodes)
        yield Problem(
            f"all compute together has up to {total} nodes, at most {show(most)} are allowed; "
            f"the largest is {largest.compute.name} with {largest.nodes}"
        )
    elif graph.missing:
        yield Undecided("", graph.missing)
    yield from undecided(unknown, "the nodes")


def _vcpus(graph: Graph, settings: Settings) -> Outcome:
    unknown: list[UnknownValueError] = []
    limits = {name.casefold(): (name, most) for name, most in settings["families"].items()}
    taken: Counter[str] = Counter()
    for one in demands(graph, unknown):
        size = vmsizes.find(one.size)
        if size is None:
            yield Undecided(f"{_BODY}.vmSize", f"the vCPUs of VM size {one.size} are not known", one.compute)
        else:
            taken[LOW_PRIORITY.casefold() if one.low_priority else size.family.casefold()] += one.nodes * size.vcpus
    for key, (name, most) in limits.items():
        if taken[key] > most:
            yield Problem(
                f"all compute together takes up to {taken[key]} vCPUs of {name}, at most {show(most)} are allowed"
            )
        elif graph.missing:
            yield Undecided("", graph.missing)
    if settings.get("others") is False:
        for key in sorted(taken.keys() - limits.keys()):
            yield Problem(f"compute takes up to {taken[key]} vCPUs of {key}, for which there is no limit")
    yield from undecided(unknown, "the vCPUs")


RULES = (
    StackRule(
        name="machinelearning-stack-limit-nodes",
        title="All compute of a stack together grows to a limited number of nodes.",
        check=_nodes,
        severity=Severity.MEDIUM,
        source="This project: limits for single clusters do not bound their sum.",
        url=_DOCS,
        remediation="Lower the clusters' maxima, or have the stack's limit raised.",
        settings={
            "maxNodes": Setting(
                {"type": "integer", "minimum": 0, "description": "Most nodes of all clusters and instances together."},
                required=True,
            )
        },
        applies="Clusters with their maximum, instances with one node.",
    ),
    StackRule(
        name="machinelearning-stack-limit-vcpus",
        title="All compute of a stack together keeps to the vCPUs of each family.",
        check=_vcpus,
        severity=Severity.MEDIUM,
        source="This project: Azure refuses a node beyond the quota only when a job asks for it.",
        url=_DOCS,
        remediation="Lower the clusters' maxima, take another family, or have the limit raised.",
        settings={
            "families": Setting(
                {
                    "type": "object",
                    "propertyNames": {"enum": [LOW_PRIORITY, *vmsizes.families()]},
                    "additionalProperties": {"type": "integer", "minimum": 0},
                    "description": "Most vCPUs by family, such as standardDSv2Family, or of all lowPriority nodes.",
                },
                required=True,
            ),
            "others": Setting(
                {"type": "boolean", "description": "Whether families without a limit may be used."}, default=True
            ),
        },
        applies="Clusters with their maximum, instances with one node. Low-priority nodes share one pool.",
    ),
)
