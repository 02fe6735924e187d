"""What Azure never changes of a workspace that exists: the preview of a stack file that would is refused.

A workspace keeps its storage account and its key vault ("This cannot be changed once the workspace has been created":
learn.microsoft.com/rest/api/azureml/workspaces/create-or-update), and the name of a deleted one stays taken
(learn.microsoft.com/azure/machine-learning/concept-soft-delete). Pulumi would delete both with what they hold before
Azure refuses the workspace.
"""

import asyncio
from collections.abc import Iterator

import pulumi

from components.names import NameTooLongError
from components.quota import API, NAMESPACE, workspace_id
from components.resourcemanager import ARM, AzureRefusedError, Send, body_of, signed_in
from components.settings import Department, Team

_TIMEOUT_SECONDS = 15


def keep_names(department: Department) -> None:
    """Stop a preview in which `uniqueNames` gives a workspace that exists other names than it was made with.

    It asks while the program registers its resources. Whoever may not ask is not stopped.
    """
    if pulumi.runtime.is_dry_run():
        asked: pulumi.Output[str] = pulumi.Output.from_input(asyncio.to_thread(_ask, department))
        asked.apply(_refuse)


def _ask(department: Department) -> str:
    try:
        return refusal(department, signed_in(timeout_seconds=_TIMEOUT_SECONDS))
    except AzureRefusedError:
        return ""


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
        for one in body.get("value", ()):
            account = str(one.get("properties", {}).get("storageAccount") or "")
            yield str(one.get("id")).lower(), account.rpartition("/")[2].lower()
        path = str(body.get("nextLink") or "").removeprefix(ARM)


def _spelled(value: bool) -> str:
    return "true" if value else "false"


def _refuse(reason: str) -> None:
    if reason:
        raise pulumi.RunError(reason)
