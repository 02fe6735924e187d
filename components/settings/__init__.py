"""The settings of a department: one structured value of a stack file, validated before the first resource.

`load_department()` is the program's way in, `read_stack_file()` that of everything without an engine.
`python -m components.settings check Pulumi.*.yaml` validates files.
"""

from components.settings.load import load_department, parse_department, read_stack_file
from components.settings.model import (
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
from components.settings.problems import Problem, SettingsError

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
    "load_department",
    "parse_department",
    "read_stack_file",
]
