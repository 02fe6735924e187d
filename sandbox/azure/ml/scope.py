"""A request below a workspace, in the resource manager or the workspace's own services."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from starlette.responses import JSONResponse, Response

from sandbox.azure.access.tokens import Caller
from sandbox.azure.arm.core import Body, Call, parse_id
from sandbox.azure.arm.resources import Resources, Route, route
from sandbox.azure.cloud import Cloud
from sandbox.azure.front.errors import AzureError
from sandbox.azure.ml.errors import UserError
from sandbox.azure.ml.names import WORKSPACES

PATH = f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{WORKSPACES}/{{workspace}}"


@dataclass(frozen=True)
class Scope:
    """A workspace, and who asks something of it.

    Attributes:
        cloud: The local Azure.
        caller: Who asks.
        workspace: The workspace's resource.
    """

    cloud: Cloud
    caller: Caller
    workspace: Body

    @property
    def id(self) -> str:
        """The workspace's id as the service writes it."""
        return str(self.workspace["id"])

    def key(self, *parts: str) -> str:
        """The store's key of something in the workspace."""
        return "/".join([self.id, *parts]).lower()

    def get(self, kind: str, *parts: str) -> Body | None:
        """A document of something in the workspace."""
        return self.cloud.store.get(kind, self.key(*parts))

    def put(self, kind: str, body: Body, *parts: str) -> None:
        """Stores a document of something in the workspace."""
        self.cloud.store.put(kind, self.key(*parts), body)

    def list(self, kind: str, *parts: str) -> Iterator[Body]:
        """All documents of a kind below something in the workspace."""
        return self.cloud.store.list(kind, self.key(*parts) + "/")

    def authorize(self, action: str) -> None:
        """Checks the caller's right in the workspace; `action` is what follows `workspaces/`.

        Raises:
            AzureError: 403 AuthorizationFailed.
        """
        self.cloud.access.authorize(self.caller, f"{WORKSPACES}/{action}", self.id)


Handler = Callable[[Scope, Call, re.Match[str]], Any]


def workspace_route(method: str, path: str, action: str, handle: Handler) -> Route:
    """A route of the resource manager below a workspace.

    Args:
        method: HTTP method.
        path: What follows the workspace's id, with `{name}` for a segment.
        action: The right it needs, without `Microsoft.MachineLearningServices/workspaces/`.
        handle: Gets the scope, the call and the match; gives a body or a response.
    """

    def serve(resources: Resources, call: Call, match: re.Match[str]) -> Any:
        at = PATH.format(**{name: match[name] for name in ("subscription", "group", "workspace")})
        call.authorize(f"{WORKSPACES}/{action}", call.id.text)
        workspace = resources.get(call.on(parse_id(at)))
        if call.method != "GET":
            resources.locked(parse_id(at), "write", "ReadOnly")
        with told_from(workspace):
            return handle(Scope(call.cloud, call.caller, workspace), call, match)

    return route(method, PATH + path, serve)


@contextmanager
def told_from(workspace: Body) -> Iterator[None]:
    """Says of a refusal inside which region it comes from: the workspace's."""
    try:
        yield
    except UserError as refusal:
        refusal.region = str(workspace["location"])
        raise


def written(call: Call, body: Body, status: int) -> Response:
    """The answer to a PUT; what was made is at its own address, with the query as it was sent."""
    headers = {}
    if status == 201:  # noqa: PLR2004 # Created
        query = "&".join(f"{name}={value}" for name, value in call.query.items())
        headers["Location"] = f"{call.base_url}{body['id']}?{query}"
    return JSONResponse(body, status, headers=headers)


def properties_of(call: Call) -> Body:
    """The `properties` that were sent.

    Raises:
        AzureError: 400 where they are no object.
    """
    found = call.body.get("properties") or {}
    if not isinstance(found, dict):
        raise AzureError(400, "UserError", "'properties' must be an object.", target="properties")
    return found


def page(items: list[Body], call: Call) -> Body:
    """A page of a list: `$top` from `$skip` on, with the address of the next.

    Raises:
        AzureError: 400 where they are no numbers.
    """
    try:
        skip, top = int(call.query.get("$skip", "0")), int(call.query.get("$top", "1000"))
    except ValueError as error:
        raise AzureError(400, "UserError", "The query parameters $top and $skip must be numbers.") from error
    shown = items[skip : skip + top]
    answer: Body = {"value": shown}
    if skip + top < len(items) and "$top" not in call.query:
        query = "&".join(f"{key}={value}" for key, value in call.query.items() if key != "$skip")
        answer["nextLink"] = f"{call.base_url}{call.id.text}?{query}&$skip={skip + top}"
    return answer


def viewed(archived: bool, call: Call) -> bool:
    """Whether a list shows something, by its `listViewType`: ActiveOnly, ArchivedOnly or All."""
    view = call.query.get("listViewType", "ActiveOnly").lower()
    return view == "all" or archived == (view == "archivedonly")


def has(values: Body, wanted: str) -> bool:
    """Whether tags or properties have all that a filter asks for: `NAME` or `NAME=VALUE`, with commas between."""
    asked = [one.partition("=") for one in wanted.split(",") if one]
    return all(name in values and (not sign or str(values[name]) == value) for name, sign, value in asked)
