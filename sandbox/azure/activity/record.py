"""One request, and what those who decide about it note of it.

The request that is being served is the context's: whoever checks a token or a right says so here, and need not know
whether anybody listens. Work that no request asked for is noted nowhere.
"""

from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

LONGEST_NAME = 256  # characters of a client's, an action's or an object's name
LONGEST_PATH = 1024  # characters of a path, a scope or a query


class Missing(NamedTuple):
    """The right that a refused request lacks.

    Attributes:
        actions: Any one of them would do.
        scope: Where.
        data: Whether they are data actions.
    """

    actions: tuple[str, ...]
    scope: str
    data: bool


@dataclass(slots=True)
class Record:
    """One request.

    Attributes:
        number: Counts up from 1 in each sandbox.
        time: When it came, by the local Azure's clock.
        method: The verb.
        host: The host's name in lower case.
        path: The path as the client sent it, percent-encoded, without what looks like a secret.
        query: The query, with values only of parameters that hold no secret.
        client: The client's `User-Agent`.
        object_id: The caller; empty where it is unknown, or no principal.
        client_id: The application that asked for the caller's token.
        credential: What the caller showed: `token`, `account key`, `shared access signature`, ...; empty for nothing.
        action: The first right that was asked for, such as `Microsoft.Storage/storageAccounts/read`.
        scope: Where, or what the request is about.
        assignment: The lowercased id of the role assignment that gave it; empty where none did.
        missing: The right that the caller lacks; None where that is not why the request was refused.
        status: The answer's status; 0 for none.
        code: The error code of a refusal.
        milliseconds: Until the answer's end.
        request_body: What was sent, without secrets; empty unless that is switched on.
        response_body: What was answered, likewise.
    """

    number: int
    time: datetime
    method: str
    host: str
    path: str
    query: str
    client: str
    object_id: str = ""
    client_id: str = ""
    credential: str = ""
    action: str = ""
    scope: str = ""
    assignment: str = ""
    missing: Missing | None = None
    status: int = 0
    code: str = ""
    milliseconds: float = 0.0
    request_body: str = ""
    response_body: str = ""

    @property
    def size(self) -> int:
        """About how many bytes of memory it takes."""
        texts = (self.host, self.path, self.query, self.client, self.action, self.scope, self.assignment)
        return 600 + sum(map(len, texts)) + 2 * (len(self.request_body) + len(self.response_body))

    @property
    def refused(self) -> bool:
        """Whether the caller was not let in, or had not the right."""
        return self.status in (401, 403)


current: ContextVar[Record | None] = ContextVar("request", default=None)
"""The request that is being served."""


def note_caller(credential: str, object_id: str = "", client_id: str = "") -> None:
    """Notes who calls.

    Args:
        credential: What was shown.
        object_id: The principal.
        client_id: The application.
    """
    record = current.get()
    if record is not None:
        record.credential, record.object_id, record.client_id = (
            credential,
            object_id[:LONGEST_NAME],
            client_id[:LONGEST_NAME],
        )


def note_scope(scope: str) -> None:
    """Notes what a request is about before any right was asked for: keys and signatures need none."""
    record = current.get()
    if record is not None and not record.action:
        record.scope = scope[:LONGEST_PATH]


def note_allowed(action: str, scope: str, assignment: str = "") -> None:
    """Notes a right that the caller has; the first is what the request is about.

    Args:
        action: The right.
        scope: Where.
        assignment: The role assignment that gives it; empty where something else does.
    """
    record = current.get()
    if record is not None and not record.action:
        record.action, record.scope, record.assignment = action[:LONGEST_NAME], scope[:LONGEST_PATH], assignment


def note_missing(actions: tuple[str, ...], scope: str, *, data: bool = False) -> None:
    """Notes a right that the caller lacks, and why the request is refused.

    Args:
        actions: Any one of them would do.
        scope: Where.
        data: Whether they are data actions.
    """
    record = current.get()
    if record is not None:
        short = tuple(action[:LONGEST_NAME] for action in actions)
        record.missing = Missing(short, scope[:LONGEST_PATH], data)
        if not record.action:
            record.action, record.scope = short[0], scope[:LONGEST_PATH]
