"""What Azure never changes of a workspace that exists: the names of its storage account and key vault.

A workspace keeps both ("This cannot be changed once the workspace has been created":
learn.microsoft.com/rest/api/azureml/workspaces/create-or-update), and the name of a deleted one stays taken
(learn.microsoft.com/azure/machine-learning/concept-soft-delete). Pulumi would delete both with what they hold before
Azure refuses the workspace.
"""

from collections.abc import Iterator

from catalogue.names import NameTooLongError
from operations.quota import API, NAMESPACE, workspace_id
from operations.resourcemanager import ARM, Send, body_of
from settings import Department, Team


def refusal(department: Department, send: Send) -> str:
    """Why `uniqueNames` cannot be as it is, or nothing.

    Raises:
        AzureRefusedError: If Azure does not answer the question.
    """
    accounts = dict(_accounts(department, send))
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
    return ""


def _work_otherwise(department: Department, team: Team) -> str | None:
    """Name of the team's storage account if `uniqueNames` were the other way round; None where that cannot be."""
    other = department.model_copy(update={"unique_names": not department.unique_names})
    try:
        return other.names(team).work
    except NameTooLongError:
        return None


def _accounts(department: Department, send: Send) -> Iterator[tuple[str, str]]:
    """The storage account's name by the id of each workspace of the subscription, in lower case."""
    path = f"/subscriptions/{department.subscription_id}/providers/{NAMESPACE}/workspaces?api-version={API}"
    while path:
        body = body_of(send("GET", path, None))
        for workspace in body.get("value", ()):
            account = str(workspace.get("properties", {}).get("storageAccount") or "")
            yield str(workspace.get("id")).lower(), account.rpartition("/")[2].lower()
        path = str(body.get("nextLink") or "").removeprefix(ARM)


def _spelled(value: bool) -> str:
    return "true" if value else "false"
