"""Rows of a Log Analytics workspace's tables, as documents; of each table the latest are kept.

Source: learn.microsoft.com/azure/azure-monitor/reference/tables/apprequests for the columns.
"""

import uuid
from collections.abc import Iterator
from typing import Any

from sandbox.azure import clock
from sandbox.azure.store import Store

KIND = "logRow"
MOST, SPARE = 10_000, 1000  # rows of a table that are kept; so many more before the oldest go
Row = dict[str, Any]
TABLES: dict[str, dict[str, str]] = {
    "AppRequests": {
        "TimeGenerated": "datetime",
        "Id": "string",
        "Name": "string",
        "Url": "string",
        "Success": "bool",
        "ResultCode": "string",
        "DurationMs": "real",
        "AppRoleName": "string",
        "AppRoleInstance": "string",
        "OperationId": "string",
        "_ResourceId": "string",
    }
}
"""The tables, and the types of their columns."""
_rows: dict[str, int] = {}


def append(store: Store, workspace_id: str, table: str, **values: Any) -> None:
    """Adds a row, with the time of now.

    Args:
        store: What the local Azure remembers.
        workspace_id: The Log Analytics workspace's id.
        table: The table.
        values: The columns' values.
    """
    now = clock.now().isoformat()
    prefix = f"{workspace_id.lower()}/{table}/"
    store.put(KIND, f"{prefix}{now}/{uuid.uuid4().hex[:8]}", {"TimeGenerated": now, **values})
    _rows[prefix] = _rows.get(prefix, MOST) + 1
    if _rows[prefix] > MOST + SPARE:
        keys = [key for key, _ in store.items(KIND, prefix)]
        for key in keys[:-MOST]:
            store.delete(KIND, key)
        _rows[prefix] = min(len(keys), MOST)


def rows(store: Store, workspace_id: str, table: str) -> Iterator[Row]:
    """A table's rows, the oldest first."""
    empty = dict.fromkeys(TABLES[table])
    return ({**empty, **row} for row in store.list(KIND, f"{workspace_id.lower()}/{table}/"))
