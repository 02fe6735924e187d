"""Names of resources in Pulumi that tell which setting they come from. The program and the plan take them from here."""

from collections.abc import Mapping

from settings.team import Team

MODEL_REGISTRY = "model-registry"
SUBSCRIPTION_ADMIN = "subscription-admin"
LAKE = "lake"
"""Name of the service principal with which jobs reach a lake, among those of the team."""

PERSONAS: Mapping[str, str] = {
    "admins": "admin",
    "leads": "teamLead",
    "data_scientists": "dataScientist",
    "readers": "reader",
}
"""The word for a member of each of a team's lists, in the names of roles, groups and assignments; by field."""

_NATIVE, _OURS = "azure-native", "azureml-platform:components"
KINDS_OF_TYPE: Mapping[str, tuple[str, ...]] = {
    f"{_OURS}:ComputeCluster": ("cluster",),
    f"{_OURS}:ComputeInstance": ("instance",),
    f"{_NATIVE}:machinelearningservices:Compute": ("cluster", "instance"),
    f"{_OURS}:AdlsDatastore": ("lake", "data"),
    f"{_NATIVE}:machinelearningservices:Datastore": ("lake", "data"),
    f"{_NATIVE}:storage:BlobContainer": ("lake", "data"),
    f"{_NATIVE}:storage:FileShare": ("lake", "data"),
    f"{_NATIVE}:storage:ManagementPolicy": ("lake", "data"),
    f"{_NATIVE}:consumption:Budget": ("budget",),
    f"{_NATIVE}:authorization:RoleAssignment": (
        "subscription administrator", "person", "automation", "cluster", "lake", "data", "team", "shared services",
        "model registry",
    ),
}  # fmt: skip
"""The kinds of settings that make resources of a type; of any other type: `OTHER_KINDS`."""

OTHER_KINDS = ("subscription administrator", "shared services", "model registry", "team", "automation")


def compute(team: Team, name: str) -> str:
    """A cluster or instance."""
    return f"{team.name}-{name}"


def lake(team: Team) -> str:
    """The lake: file systems and datastores have it as their first part."""
    return team.name


def data(team: Team) -> str:
    """The containers, shares and datastores of the account for data."""
    return f"{team.name}-data"


def service_principal(team: Team, name: str) -> str:
    """A service principal of the team."""
    return f"{team.name}-{name}"


def budget(team: Team) -> str:
    """The budget of the team's resource group."""
    return f"{team.name}-budget"


def assignment(team: Team, persona: str, person: str) -> str:
    """The assignment of a persona's role to a user or group."""
    return f"{team.name}-{persona}-{person}"


def subscription_admin(person: str) -> str:
    """The assignment of the subscription administrators' role."""
    return f"{SUBSCRIPTION_ADMIN}-{person}"
