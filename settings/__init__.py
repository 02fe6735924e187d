"""The settings of a department: one structured value of a stack file, validated before the first resource.

`read_stack_file()` reads a stack file, `parse_configuration()` what an engine gives the program, `parse_department()`
the value of the key; none needs an engine.
`settings.plan` tells which resource comes from which setting.
"""

from settings.compute import Cluster, Instance
from settings.data import Data, Datastore, Lake
from settings.department import Department, ModelRegistry
from settings.network import Network, Outbound
from settings.parse import open_stack_file, parse_configuration, parse_department, read_stack_file
from settings.people import Automation, Member, Secret
from settings.problems import Problem, SettingsError
from settings.security import KeyVault
from settings.team import Team

__all__ = [
    "Automation",
    "Cluster",
    "Data",
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
    "open_stack_file",
    "parse_configuration",
    "parse_department",
    "read_stack_file",
]
