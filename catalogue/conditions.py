"""Conditions of role assignments on blob data, in Azure's format 2.0: which file systems and folders a role covers.

Each clause names the data actions that it limits, as the portal writes it, since Azure fails a comparison with an
attribute that a request lacks. The roles that they are for are Storage Blob Data Contributor and Reader.

Sources: learn.microsoft.com/azure/role-based-access-control/conditions-format,
learn.microsoft.com/azure/storage/blobs/storage-auth-abac-attributes and storage-auth-abac-examples.
"""

from collections.abc import Iterable, Mapping, Sequence

LONGEST = 8192
"""Characters that Azure takes at most (8 KB)."""

_CONTAINERS = "Microsoft.Storage/storageAccounts/blobServices/containers"
_ACCOUNT = "@Resource[Microsoft.Storage/storageAccounts:name]"
_CONTAINER = f"@Resource[{_CONTAINERS}:name]"
_PATH = f"@Resource[{_CONTAINERS}/blobs:path]"
_PREFIX = f"@Request[{_CONTAINERS}/blobs:prefix]"


def _action(name: str, more: str = "") -> str:
    return f"!(ActionMatches{{'{_CONTAINERS}/blobs/{name}'}}{more})"


_LISTS = _action("read", " AND SubOperationMatches{'Blob.List'}")
_READS = _action("read", " AND NOT SubOperationMatches{'Blob.List'}")
_TAKES_AWAY = (_action("delete"), _action("move/action"))
_ON_PATHS = (_READS, _action("write"), _action("add/action"), *_TAKES_AWAY)


def outside(folders: Sequence[str]) -> str | None:
    """The condition under which a role on a file system does not cover folders of it; None if there are none."""
    return _joined(_outside("", folders))


def outside_of_account(
    account: str, containers: Sequence[str], folders: Mapping[str, Sequence[str]] | None = None
) -> str | None:
    """The condition under which a role on a resource group does not cover parts of one account; None if there are none.

    Args:
        account: Name of the account.
        containers: Its containers that are not covered at all.
        folders: Folders that are not covered, by container.
    """
    elsewhere = f"{_ACCOUNT} StringNotEquals '{account}' OR {_CONTAINER} StringNotEquals"
    clauses = [f"({elsewhere} '{container}')" for container in containers]
    for container, paths in (folders or {}).items():
        clauses += _outside(f"{elsewhere} '{container}' OR ", paths)
    return _joined(clauses)


def inside(folders: Sequence[str]) -> str:
    """The condition under which a role on a file system covers these folders of it alone."""
    within = [f"{_PATH} StringEquals '{folder}' OR {_PATH} StringStartsWith '{folder}/'" for folder in folders]
    listed = [f"{_PREFIX} StringEquals '{folder}' OR {_PREFIX} StringStartsWith '{folder}/'" for folder in folders]
    return f"{_clause(_ON_PATHS, ' OR '.join(within))} AND {_clause((_LISTS,), ' OR '.join(listed))}"


def _outside(elsewhere: str, folders: Sequence[str]) -> list[str]:
    """The clauses for folders of one container; `elsewhere` is what else may hold in place of them.

    Nobody outside moves or deletes what a folder lies in, for then the folder would lie elsewhere or be gone. Lists
    are not limited: that of a directory above tells the names of all that is in it, whatever the prefix.
    """
    if not folders:
        return []
    apart = [f"{_PATH} StringNotEquals '{folder}' AND {_PATH} StringNotStartsWith '{folder}/'" for folder in folders]
    clauses = [_clause(_ON_PATHS, f"{elsewhere}({' AND '.join(apart)})")]
    above = sorted({folder[:at] for folder in folders for at, letter in enumerate(folder) if letter == "/"})
    if above:
        kept = " AND ".join(f"{_PATH} StringNotEquals '{directory}'" for directory in above)
        clauses.append(_clause(_TAKES_AWAY, f"{elsewhere}({kept})"))
    return clauses


def _clause(actions: Iterable[str], allowed: str) -> str:
    return f"(({' AND '.join(actions)}) OR ({allowed}))"


def _joined(clauses: Sequence[str]) -> str | None:
    return " AND ".join(clauses) or None
