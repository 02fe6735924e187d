"""Requests to a workspace's services, and the table that they are looked up in."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from starlette.responses import Response

from sandbox.azure.arm.core import Body
from sandbox.azure.front import request as front
from sandbox.azure.front import routing
from sandbox.azure.front.errors import AzureError
from sandbox.azure.ml.scope import Scope


@dataclass(frozen=True)
class Request:
    """One authorized request.

    Attributes:
        scope: The workspace and the caller.
        http: The request itself, for bodies that are no JSON.
        base: Scheme, host, service and workspace, as the client wrote them.
        query: The query's parameters, the first of each name.
        names: What the path names.
        raw: The body.
    """

    scope: Scope
    http: front.Request
    base: str
    query: dict[str, str]
    names: dict[str, str]
    raw: bytes = b""

    @cached_property
    def body(self) -> Body:
        """The JSON object sent; empty for none.

        Raises:
            AzureError: 400 for what is no JSON object.
        """
        if not self.raw.strip():
            return {}
        try:
            found = json.loads(self.raw)
        except (ValueError, RecursionError) as error:
            raise AzureError(400, "BadRequest", f"The request's body is no JSON: {error}") from error
        if not isinstance(found, dict):
            raise AzureError(400, "BadRequest", "The request's body must be a JSON object.")
        return found

    def number(self, name: str, default: int, most: int) -> int:
        """A number of the query or the body, from 1 to `most`.

        Raises:
            AzureError: 400 where it is none.
        """
        text: Any = self.query.get(name, self.body.get(name, default))
        try:
            value = int(text)
        except (TypeError, ValueError) as error:
            raise AzureError(400, "BadRequest", f"'{name}' must be a number, not '{text}'.") from error
        if not 1 <= value <= most:
            raise AzureError(400, "BadRequest", f"'{name}' must be from 1 to {most}, not {value}.")
        return value


Answer = Body | list[Any] | Response | None
Handler = Callable[[Request], Answer | Awaitable[Answer]]


@dataclass(frozen=True)
class Route(routing.Route[Handler]):
    """An operation of a service; its pattern matches what follows the workspace in the path.

    Attributes:
        action: The right it needs, without `Microsoft.MachineLearningServices/workspaces/`.
        streams: Whether the handler reads the body itself.
    """

    action: str
    streams: bool = False


def route(method: str, path: str, action: str, handle: Handler, *, streams: bool = False) -> Route:
    """A route; `{name}` in the path is one segment, `{name*}` all that follow."""
    return Route(method, routing.compile_path(path), handle, action, streams)
