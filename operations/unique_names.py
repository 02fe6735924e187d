"""What Azure never changes of a workspace that exists: the names of its storage account and key vault.

A workspace keeps both ("This cannot be changed once the workspace has been created":
learn.microsoft.com/rest/api/azureml/workspaces/create-or-update), and the name of a deleted one stays taken
(learn.microsoft.com/azure/machine-learning/concept-soft-delete). Pulumi would delete both with what they hold before
Azure refuses the workspace.
"""

from collections.abc import Iterable

from catalogue.names import NameRefusedError
from operations.quota import workspace_id
from operations.workspaces import Made
from settings import Department, Team


def refusal(department: Department, made: Iterable[Made]) -> str:
    """Why `uniqueNames` or `naming` cannot be as it is, or nothing.

    Args:
        department: The settings.
        made: The workspaces that exist.
    """
    accounts = {one.id: one.account for one in made}
    for team in department.teams:
        names = department.names(team)
        account = accounts.get(workspace_id(department, team).lower())
        if account and account == _work_otherwise(department, team):
            return (
                f"uniqueNames: {_spelled(department.unique_names)} gives the team '{team.name}' the storage account "
                f"'{names.work}' and the key vault '{names.vault}', but its workspace '{names.workspace}' was made "
                f"with '{account}', and Azure gives a workspace no others. Set uniqueNames to "
                f"{_spelled(not department.unique_names)}; for other names, move the data to a team of another name."
            )
        if account and account != names.work and department.naming.patterns.get("work"):
            return (
                f"naming.workStorage gives the team '{team.name}' the storage account '{names.work}', but its "
                f"workspace '{names.workspace}' was made with '{account}', and Azure gives a workspace no other. "
                f"Give the pattern of that name, or another name of the workspace."
            )
    return ""


def _work_otherwise(department: Department, team: Team) -> str | None:
    """Name of the team's storage account if `uniqueNames` were the other way round; None where that cannot be."""
    other = department.model_copy(update={"unique_names": not department.unique_names})
    try:
        return other.names(team).work
    except NameRefusedError:
        return None


def _spelled(value: bool) -> str:
    return "true" if value else "false"
