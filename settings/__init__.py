"""The settings of a department: one structured value of a stack file, validated before the first resource.

`read_stack_file()` reads a stack file, `parse_department()` the value of its key; neither needs an engine.
"""

from settings.load import parse_department, read_stack_file
from settings.model import (
    Automation,
    Cluster,
    Datastore,
    Department,
    Instance,
    KeyVault,
    Lake,
    Member,
    ModelRegistry,
    Network,
    Outbound,
    Secret,
    Team,
)
from settings.problems import Problem, SettingsError

__all__ = [
    "Automation",
    "Cluster",
    "Datastore",
    "Department",
    "Instance",
    "KeyVault",
    "Lake",
    "Member",
    "ModelRegistry",
    "Network",
    "Outbound",
    "Problem",
    "Secret",
    "SettingsError",
    "Team",
    "parse_department",
    "read_stack_file",
]
