"""The workspaces that a subscription has, for what a preview tells of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from operations.quota import API, NAMESPACE
from operations.resourcemanager import ARM, Send, body_of
from settings import Department


@dataclass(frozen=True)
class Made:
    """A workspace that exists.

    Attributes:
        id: Its Azure id, in lower case.
        region: Its Azure region.
        account: Name of its storage account, in lower case; empty if Azure tells none.
        vault: Name of its key vault, likewise.
        tags: Its tags.
    """

    id: str
    region: str
    account: str
    vault: str
    tags: Mapping[str, str]


def workspaces(department: Department, send: Send) -> list[Made]:
    """The workspaces of the department's subscription, of whomever.

    Raises:
        AzureRefusedError: If Azure does not answer the question.
    """
    return list(_workspaces(department, send))


def _workspaces(department: Department, send: Send) -> Iterator[Made]:
    path = f"/subscriptions/{department.subscription_id}/providers/{NAMESPACE}/workspaces?api-version={API}"
    while path:
        body = body_of(send("GET", path, None))
        for one in body.get("value", ()):
            properties = one.get("properties", {})
            yield Made(
                id=str(one.get("id")).lower(),
                region=str(one.get("location") or ""),
                account=_name(properties.get("storageAccount")),
                vault=_name(properties.get("keyVault")),
                tags=one.get("tags") or {},
            )
        path = str(body.get("nextLink") or "").removeprefix(ARM)


def _name(id_: object) -> str:
    return str(id_ or "").rpartition("/")[2].lower()
