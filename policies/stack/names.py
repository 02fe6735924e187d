"""Names in Azure: unique where they must be, and as Azure accepts them."""

from policies.azuretypes import TYPES, name_of
from policies.links import undecided
from policies.model import Outcome, Problem, Settings, Severity, StackRule
from policies.resources import Graph, Resource
from policies.rules.checks import show
from policies.values import UnknownValueError

_DOCS = "https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules"


def _unique(graph: Graph, _settings: Settings) -> Outcome:
    unknown: list[UnknownValueError] = []
    for kind, found in TYPES.items():
        taken: dict[str, Resource] = {}
        for resource in graph.of(kind) if found.worldwide else ():
            try:
                name = resource.get(found.named_by)
            except UnknownValueError as error:
                unknown.append(error)
                continue
            if not isinstance(name, str):
                continue  # Pulumi makes a name up that nobody has
            first = taken.setdefault(name.casefold(), resource)
            if first is not resource:
                message = f"{found.named_by} is {show(name)}, which is the name of {first.name}, too"
                yield Problem(message, found.named_by, resource)
    yield from undecided(unknown, "the name")


def _valid(graph: Graph, _settings: Settings) -> Outcome:
    for kind, found in TYPES.items():
        for resource in graph.of(kind) if found.pattern else ():
            name = name_of(resource)
            if name is not None and found.pattern and not found.pattern.fullmatch(name):
                message = (
                    f"{found.named_by} is {show(name)} ({len(name)} characters), Azure wants {found.pattern.pattern}"
                )
                yield Problem(message, found.named_by, resource)


RULES = (
    StackRule(
        name="azure-name-require-unique",
        title="No two resources have one name where a name is unique in the world.",
        check=_unique,
        severity=Severity.MEDIUM,
        source="Azure refuses the second one, after it has made the first.",
        url=_DOCS,
        remediation="Give one of them another name.",
        applies="Storage accounts, key vaults and container registries.",
    ),
    StackRule(
        name="azure-name-require-valid",
        title="Names are such as Azure accepts.",
        check=_valid,
        severity=Severity.MEDIUM,
        source="Azure refuses such a name only when it makes the resource.",
        url=_DOCS,
        remediation="Shorten the name, or take other characters.",
        applies="The types of an Azure ML platform.",
    ),
)
