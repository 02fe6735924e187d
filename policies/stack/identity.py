"""Whether the identities of clusters can do what jobs need."""

from collections.abc import Mapping, Sequence
from typing import Final

from policies import roles
from policies.baseline import controls
from policies.links import leading_to, missing, target, undecided
from policies.model import Level, NotApplicableError, Outcome, Problem, Settings, Severity, StackRule, Undecided
from policies.resources import Graph, Resource
from policies.rules.compute.kinds import CLUSTER, COMPUTE, is_a, workspace_of
from policies.rules.containerregistry import REGISTRY
from policies.rules.governance import GROUP
from policies.rules.storage import STORAGE
from policies.stack.access import ASSIGNMENT, role_of
from policies.values import UnknownValueError

IDENTITY: Final = "managedidentity:UserAssignedIdentity"
_DOCS = "https://learn.microsoft.com/azure/machine-learning/how-to-identity-based-service-authentication"
_SOURCE = "Microsoft: a cluster's identity needs AcrPull, and a role on the data."


def _images(graph: Graph, _settings: Settings) -> Outcome:
    yield from _granted(graph, "containerRegistry", REGISTRY, roles.PULL_IMAGES, "pull images from")


def _data(graph: Graph, _settings: Settings) -> Outcome:
    yield from _granted(graph, "storageAccount", STORAGE, roles.READ_BLOBS, "read blobs of")


def _granted(graph: Graph, key: str, kind: str, wanted: Sequence[str], what: str) -> Outcome:
    """That each cluster's identity has one of the roles on a dependency of its workspace."""
    unknown: list[UnknownValueError] = []
    some = False
    for compute in graph.of(COMPUTE):
        try:
            if is_a(compute, CLUSTER):
                some = True
                yield from _of_cluster(graph, compute, (key, kind, wanted, what))
        except UnknownValueError as error:
            unknown.append(error)
    if not some and not unknown:
        raise NotApplicableError("the stack has no compute cluster")
    yield from undecided(unknown, "the access")


def _of_cluster(graph: Graph, cluster: Resource, need: tuple[str, str, Sequence[str], str]) -> Outcome:
    key, kind, wanted, what = need
    workspace = workspace_of(cluster, graph)
    if workspace is None:
        yield Undecided("workspaceName", "its workspace is not in this program", cluster)
        return
    dependency = target(workspace, key, graph, kind)
    if dependency is None:
        if workspace.get(key):
            yield Undecided("workspaceName", f"{key} of its workspace is not in this program", cluster)
        return
    identities = graph.sources(cluster, "identity", IDENTITY) or _by_id(graph, cluster) or [cluster]
    if not any(_has_role(graph, identity, dependency, wanted) for identity in identities):
        names = " or ".join(roles.NAMES[guid] for guid in wanted[:2])
        message = f"no assignment lets its identity {what} {dependency.name} ({names})"
        yield from missing(graph, Problem(message, "identity", cluster))


def _by_id(graph: Graph, cluster: Resource) -> list[Resource]:
    """The user-assigned identities of the program that the cluster's inputs name."""
    owners = graph.cached("owners", (IDENTITY, COMPUTE), lambda: _owners(graph))
    return owners.get(cluster.urn, [])


def _owners(graph: Graph) -> dict[str, list[Resource]]:
    owners: dict[str, list[Resource]] = {}
    for identity in graph.of(IDENTITY):
        for compute in leading_to(graph, COMPUTE, "identity", identity):
            owners.setdefault(compute.urn, []).append(identity)
    return owners


def _has_role(graph: Graph, identity: Resource, dependency: Resource, wanted: Sequence[str]) -> bool:
    """Whether an assignment gives an identity one of the roles on a dependency.

    Raises:
        UnknownValueError: If none does, but what is not known of an assignment may do so.
    """
    by_principal, open_ = graph.cached("grants", (ASSIGNMENT,), lambda: _grants(graph))
    for assignment in [*by_principal.get(identity.urn, ()), *by_principal.get(_principal(identity), ())]:
        try:
            if _reaches(graph, assignment, dependency) and role_of(assignment, graph)[0] in wanted:
                return True
        except UnknownValueError as error:
            open_ = error
    if open_:
        raise open_
    return False


def _grants(graph: Graph) -> tuple[dict[str, list[Resource]], UnknownValueError | None]:
    """The assignments by principal: its object id, or the URN of the resource that it comes from; what is unknown."""
    found: dict[str, list[Resource]] = {}
    open_: UnknownValueError | None = None
    for assignment in graph.of(ASSIGNMENT):
        try:
            sources = assignment.property_dependencies.get("principalId")
            for whose in sources or (assignment.get("principalId"),):
                found.setdefault(str(whose), []).append(assignment)
        except UnknownValueError as error:
            open_ = error
    return found, open_


def _principal(identity: Resource) -> str:
    """The object id of an identity, or of a compute's own one; empty where it is not known."""
    block = identity.outputs.get("identity") if identity.kind == COMPUTE else identity.outputs
    own = block.get("principalId") if isinstance(block, Mapping) else None
    return own if isinstance(own, str) else ""


def _reaches(graph: Graph, assignment: Resource, dependency: Resource) -> bool:
    """Whether an assignment's scope is the dependency, its resource group or more."""
    scope = target(assignment, "scope", graph, dependency.kind, GROUP)
    if scope is dependency:
        return True
    if scope is not None:
        group = graph.sources(dependency, "resourceGroupName", GROUP)
        name = dependency.inputs.get("resourceGroupName")
        return scope in group or (isinstance(name, str) and name == scope.inputs.get("resourceGroupName"))
    text = assignment.inputs.get("scope")
    return isinstance(text, str) and text.casefold().startswith("/subscriptions/") and text.count("/") == 2  # noqa: PLR2004


RULES = (
    StackRule(
        name="machinelearning-compute-require-image-pull",
        title="The identity of each cluster can pull images.",
        check=_images,
        severity=Severity.MEDIUM,
        level=Level.ADVISORY,
        counterparts=controls("IM-3"),
        source=_SOURCE,
        url=_DOCS,
        remediation="Give the cluster's identity the role AcrPull on the workspace's registry.",
        applies="Clusters of workspaces whose registry is in the program.",
    ),
    StackRule(
        name="machinelearning-compute-require-data-access",
        title="The identity of each cluster can read its workspace's storage.",
        check=_data,
        severity=Severity.MEDIUM,
        level=Level.ADVISORY,
        counterparts=controls("IM-3"),
        source=_SOURCE,
        url=_DOCS,
        remediation="Give the cluster's identity the role Storage Blob Data Reader on the storage account.",
        applies="Clusters of workspaces whose storage account is in the program.",
    ),
)
