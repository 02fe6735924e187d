"""What a page's function gets, and what it gives back."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from sandbox.ask import ask
from sandbox.studio.azure import Azure, quoted
from sandbox.studio.workspaces import Workspace, find, workspaces

WHOLE = re.compile(r"[0-9]{1,15}")


@dataclass(frozen=True)
class View:
    """A page's content.

    Attributes:
        template: A file of `templates`, such as `runs.html.j2`; its blocks see `data`'s and `extra`'s members.
        title: The heading.
        data: What the page lists, as plain JSON values: also the answer to `?format=json`.
        extra: What the template needs besides, such as charts; not in the JSON.
        status: The HTTP status.
    """

    template: str
    title: str
    data: Mapping[str, Any]
    extra: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200


@dataclass(frozen=True)
class Done:
    """An action was carried out.

    Attributes:
        to: The path to show then.
    """

    to: str


class Missing(Exception):  # noqa: N818 # what a page shows
    """What an address names is not there; the message is a sentence."""


@dataclass
class Visit:
    """A person's request for a page.

    Attributes:
        request: The HTTP request; its form is read already.
        azure: The persona's client of the local Azure.
        persona: Such as `scientist`.
        directory: The sandbox's folder, for `sandbox.ask.ask`.
        form: What a form sent, the last of each name.
    """

    request: Request
    azure: Azure
    persona: str
    directory: Path
    form: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> Mapping[str, str]:
        """What the path names."""
        return self.request.path_params

    @cached_property
    def query(self) -> Mapping[str, str]:
        """The query's parameters, the last of each name; empty for one that is not there."""
        return defaultdict(str, self.request.query_params)

    @cached_property
    def workspaces(self) -> list[Workspace]:
        """The workspaces that the persona sees, by name."""
        return workspaces(self.azure)

    @cached_property
    def chosen(self) -> Workspace | None:
        """The workspace that the address names with `wsid`, else the first that the persona sees; None for none."""
        return find(self.workspaces, self.query.get("wsid"))

    @cached_property
    def now(self) -> datetime:
        """The time in the sandbox, whose clock may be ahead of this machine's."""
        return datetime.fromisoformat(ask(self.directory, "GET", "/clock")["now"])

    @property
    def workspace(self) -> Workspace:
        """The chosen workspace.

        Raises:
            Missing: The persona sees none, or not this one.
        """
        if self.chosen is None:
            name = self.query.get("wsid", "").rpartition("/")[2]
            raise Missing(
                f"'{self.persona}' sees no workspace named '{name}': it does not exist, or no role assignment shows it."
                if name
                else f"'{self.persona}' sees no workspace. Bring a department up: `make up`. "
                "If one is up, no role assignment shows it to this persona."
            )
        return self.chosen

    def link(self, path: str, /, **query: Any) -> str:
        """A path of the studio with the chosen workspace; parameters that are None or empty are left out."""
        return _address(path, query if self.chosen is None else {"wsid": self.chosen.id, **query})

    def again(self, **changes: Any) -> str:
        """The page's own address with some parameters changed; None or empty removes one."""
        return _address(self.request.url.path, {**self.query, **changes})


def _address(path: str, query: Mapping[str, Any]) -> str:
    """A path with the parameters that are neither None nor empty."""
    given = {name: value for name, value in query.items() if value not in (None, "")}
    return quoted(path) + (f"?{urlencode(given, safe='/')}" if given else "")


def whole_number(text: str) -> int | None:
    """The whole number that an address or a form names; None for anything else, and for more than 15 digits."""
    return int(text) if WHOLE.fullmatch(text) else None


Show = Callable[[Visit], View | Done | Response]


@dataclass(frozen=True)
class Route:
    """An address and its function.

    Attributes:
        path: As Starlette writes it; where Azure ML's own studio has the page, its address.
        show: Runs in a thread, so it may wait for the local Azure.
        method: `POST` for what changes something.
    """

    path: str
    show: Show
    method: str = "GET"


@dataclass(frozen=True)
class Page:
    """A subject: an entry of the navigation, and its addresses.

    Attributes:
        title: In the navigation.
        path: Where the entry leads.
        routes: The addresses.
        group: The entry's heading in the navigation.
    """

    title: str
    path: str
    routes: tuple[Route, ...]
    group: str
