"""What a workspace keeps to reach data and services: datastores and connections."""

from typing import Final

from policies.baseline import controls
from policies.model import Level, Outcome, Problem, ResourceRule, Settings, Severity
from policies.resources import Graph, Resource
from policies.rules.checks import alike, show

_DOCS = "https://learn.microsoft.com/azure/machine-learning/"
_BY_IDENTITY: Final = (
    "None",
    "AAD",
    "ManagedIdentity",
    "ProjectManagedIdentity",
    "AccountManagedIdentity",
    "UserEntraToken",
    "AgentUserImpersonation",
    "AgenticIdentityToken",
    "AgenticUser",
)
"""Types of a connection's authentication that keep no secret; those of azure-native's ConnectionAuthType."""


def _datastore(resource: Resource, _settings: Settings, _graph: Graph) -> Outcome:
    path = "properties.credentials.credentialsType"
    kind = resource.get(path)
    if not alike(kind, "None"):
        yield Problem(f"{path} is {show(kind)}, it must be 'None': jobs use their own identity", path)


def _connection(resource: Resource, _settings: Settings, _graph: Graph) -> Outcome:
    path = "properties.authType"
    kind = resource.get(path)
    if not any(alike(kind, one) for one in _BY_IDENTITY):
        yield Problem(f"{path} is {show(kind)}; allowed are {', '.join(_BY_IDENTITY)}", path)


RULES = (
    ResourceRule(
        name="machinelearning-datastore-refuse-credentials",
        title="Datastores have no credentials.",
        kinds=("machinelearningservices:Datastore",),
        check=_datastore,
        severity=Severity.MEDIUM,
        level=Level.ADVISORY,
        counterparts=controls("IM-3", "IM-8"),
        url=f"{_DOCS}how-to-datastore",
        remediation="Set credentialsType to None and give the jobs' identities a role on the storage account.",
        applies="Datastores.",
    ),
    ResourceRule(
        name="machinelearning-connection-refuse-credentials",
        title="A workspace's connections work by identity, not by keys or passwords.",
        kinds=("machinelearningservices:WorkspaceConnection",),
        check=_connection,
        severity=Severity.MEDIUM,
        level=Level.ADVISORY,
        counterparts=controls("IM-3", "IM-8"),
        url=f"{_DOCS}how-to-connection",
        remediation="Set authType to AAD or ManagedIdentity and give that identity a role on the service.",
        applies="Connections of workspaces, hubs and projects.",
    ),
)
