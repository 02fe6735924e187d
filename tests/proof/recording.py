"""What goes over the wire: every request that this process sends with `requests`, as it was sent, and its answer."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import requests


@dataclass(frozen=True)
class Exchange:
    """A request and its answer.

    Attributes:
        method: GET, PUT, …
        host: Where it went.
        path: Its path, unquoted.
        version: The `api-version` that it asks for.
        body: The request's JSON, if any.
        status: The answer's.
        answer: The answer's JSON, if any.
    """

    method: str
    host: str
    path: str
    version: str
    body: Any
    status: int
    answer: Any


@contextmanager
def recorded() -> Iterator[list[Exchange]]:
    """Records while it lasts; the list fills from all threads."""
    exchanges: list[Exchange] = []
    send = requests.Session.send

    def sending(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        answer = send(session, request, **options)
        exchanges.append(_exchange(request, answer))
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(requests.Session, "send", sending)
        yield exchanges


def _exchange(request: requests.PreparedRequest, answer: requests.Response) -> Exchange:
    url = urlsplit(request.url or "")
    version = parse_qs(url.query).get("api-version", [""])[0]
    return Exchange(
        str(request.method),
        str(url.hostname),
        unquote(url.path),
        version,
        _json(request.body),
        answer.status_code,
        _json(answer.content),
    )


def _json(content: str | bytes | None) -> Any:
    try:
        return json.loads(content or "null")
    except ValueError:
        return None
