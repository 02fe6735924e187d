"""The names that Azure never changes of a workspace that exists: those of its storage account and key vault.

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
    """The reason why `uniqueNames` or `naming` must have another value; empty if there is none.

    Args:
        department: The settings.
        made: The workspaces that exist.
    """
    there = {one.id: one for one in made}
    for team in department.teams:
        names = department.names(team)
        one = there.get(workspace_id(department, team).lower())
        if one is None:
            continue
        if one.account and one.account == _work_otherwise(department, team):
            return (
                f"uniqueNames: {_spelled(department.unique_names)} gives the team '{team.name}' the storage account "
                f"'{names.work}' and the key vault '{names.vault}', but its workspace '{names.workspace}' was made "
                f"with '{one.account}', and Azure gives a workspace no others. Set uniqueNames to "
                f"{_spelled(not department.unique_names)}; for other names, move the data to a team of another name."
            )
        if one.account and one.account != names.work and "work" in department.naming.patterns:
            return _kept("workStorage", "storage account", names.work, names.workspace, one.account)
        own_vault = "vault" in department.naming.patterns and not team.existing.key_vault_id
        if own_vault and one.vault and one.vault != names.vault.lower():
            return _kept("keyVault", "key vault", names.vault, names.workspace, one.vault)
    return ""


def _kept(key: str, what: str, name: str, workspace: str, has: str) -> str:
    return (
        f"naming.{key} gives the {what} '{name}' to the workspace '{workspace}', which was made with '{has}'. "
        f"Azure gives a workspace no other: give the pattern of that name, or another name of the workspace."
    )


def _work_otherwise(department: Department, team: Team) -> str | None:
    """Name of the team's storage account if `uniqueNames` were the other way round; None where that cannot be."""
    other = department.model_copy(update={"unique_names": not department.unique_names})
    try:
        return other.names(team).work
    except NameRefusedError:
        return None


def _spelled(value: bool) -> str:
    return "true" if value else "false"
