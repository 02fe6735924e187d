"""What two workspaces must not share."""

from policies.links import target
from policies.model import NotApplicableError, Outcome, Problem, Settings, Severity, StackRule, Undecided
from policies.resources import Graph
from policies.rules.checks import alike
from policies.rules.keyvault import VAULT
from policies.rules.storage import STORAGE
from policies.rules.workspace import WORKSPACE
from policies.values import UnknownValueError

_KEYS = {"keyVault": VAULT, "storageAccount": STORAGE}
_LEAST = 2


def _shared(graph: Graph, _settings: Settings) -> Outcome:
    workspaces = [one for one in graph.of(WORKSPACE) if not alike(one.inputs.get("kind"), "Project")]
    if len(workspaces) < _LEAST:
        raise NotApplicableError("the stack has no two workspaces")
    for key, kind in _KEYS.items():
        first: dict[str, str] = {}
        for workspace in workspaces:
            try:
                found = target(workspace, key, graph, kind)
                used = found.urn if found else workspace.get(key)
            except UnknownValueError as error:
                yield Undecided(error.path, str(error), workspace)
                continue
            if not isinstance(used, str):
                continue
            other = first.setdefault(used.casefold(), workspace.name)
            if other != workspace.name:
                yield Problem(f"{key} is the one of the workspace {other}, too", key, workspace)


RULES = (
    StackRule(
        name="machinelearning-workspace-refuse-sharing",
        title="No two workspaces share a key vault or a system storage account.",
        check=_shared,
        severity=Severity.HIGH,
        source="This project: who reads one workspace's vault or storage reads the other's secrets, code and results.",
        url="https://learn.microsoft.com/azure/machine-learning/concept-workspace",
        remediation="Give each workspace a vault and a storage account of its own.",
        applies="Workspaces and hubs; projects have their hub's.",
    ),
)
