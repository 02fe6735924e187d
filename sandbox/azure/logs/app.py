"""The service of api.loganalytics.io: queries of a Log Analytics workspace.

Source: learn.microsoft.com/rest/api/loganalytics/dataaccess/query.
"""

import re

from starlette.responses import JSONResponse, Response

from sandbox.azure.cloud import Cloud
from sandbox.azure.front.errors import AzureError
from sandbox.azure.front.request import Request
from sandbox.azure.front.service import Service
from sandbox.azure.logs import records
from sandbox.azure.logs.query import QueryError, answer

HOSTS = r"api\.loganalytics\.(io|azure\.com)"
AUDIENCES = ("https://api.loganalytics.io", "https://api.loganalytics.azure.com")
WORKSPACES = "Microsoft.OperationalInsights/workspaces"
_BY_ID = re.compile(r"/v1/workspaces/([0-9a-fA-F-]{36})/query")
_BY_RESOURCE = re.compile(r"/v1(/subscriptions/[^/]+/resourceGroups/[^/]+/providers/.+)/query", re.IGNORECASE)


class Logs(Service[Request]):
    """Answers queries."""

    request_type = Request

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    async def answer(self, request: Request) -> Response:
        """Checks token and right, then answers."""
        caller = self._cloud.tokens.check(request.headers.get("authorization"), *AUDIENCES)
        sent = request.query if request.method == "GET" else await self.json(request)
        workspace = self._workspace(request.path)
        self._cloud.access.authorize(caller, f"{WORKSPACES}/query/read", workspace)
        try:
            found = answer(
                str(sent.get("query") or ""), lambda table: records.rows(self._cloud.store, workspace, table)
            )
        except QueryError as error:
            raise AzureError(400, "BadArgumentError", str(error)) from error
        columns = [{"name": name, "type": kind} for name, kind in found.columns.items()]
        rows = [[row[name] for name in found.columns] for row in found.rows]
        return JSONResponse({"tables": [{"name": "PrimaryResult", "columns": columns, "rows": rows}]})

    def _workspace(self, path: str) -> str:
        """The id of the Log Analytics workspace that a path names."""
        by_id, by_resource = _BY_ID.fullmatch(path), _BY_RESOURCE.fullmatch(path)
        for one in self._cloud.store.resources(WORKSPACES):
            named = by_id is not None and one["properties"]["customerId"].lower() == by_id[1].lower()
            if named or (by_resource is not None and one["id"].lower() == by_resource[1].lower()):
                return str(one["id"])
        raise AzureError(404, "PathNotFoundError", "The path names no Log Analytics workspace of the sandbox.")
