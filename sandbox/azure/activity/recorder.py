"""Keeps the last requests of all services, as ASGI middleware around each."""

import json
import time
from collections import deque
from collections.abc import Callable, Iterator
from itertools import count

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.ask import STUDIO
from sandbox.azure import clock
from sandbox.azure.activity import masking
from sandbox.azure.activity.record import LONGEST_NAME, LONGEST_PATH, Record, current

MOST_RECORDS = 4000
MOST_BYTES = 4 * 1024 * 1024
"""What is kept of requests that were let in, again of those that were refused, and again of the studio's own."""
MOST_OF_ERROR = 4096  # bytes of an answer in which its error code is looked for
_ERROR = 400


class _Ring:
    """The last records, at most so many and so large."""

    def __init__(self) -> None:
        self._records: deque[Record] = deque()
        self._bytes, self.dropped = 0, 0

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)

    def add(self, record: Record) -> None:
        self._records.append(record)
        self._bytes += record.size
        while self._bytes > MOST_BYTES or len(self._records) > MOST_RECORDS:
            self._bytes -= self._records.popleft().size
            self.dropped += 1


class Recorder:
    """What clients asked of one local Azure.

    Attributes:
        bodies: Whether bodies are kept of the requests that come from now on.
        last: The number of the request that ended last; 0 before the first.
    """

    def __init__(self) -> None:
        self.bodies = False
        self._numbers = count(1)
        self.last = 0
        # so that neither a flood of what is allowed nor the studio's polls push out the refusal that somebody looks for
        self._allowed, self._refused, self._studio = _Ring(), _Ring(), _Ring()

    @property
    def dropped(self) -> int:
        """How many requests are no longer kept."""
        return self._allowed.dropped + self._refused.dropped + self._studio.dropped

    def records(self) -> list[Record]:
        """All that are kept, in the order of their end."""
        return sorted([*self._allowed, *self._refused, *self._studio], key=lambda record: record.number)

    def around(self, app: ASGIApp, *, private: bool = False) -> ASGIApp:
        """The application, whose requests are kept.

        Args:
            app: The service.
            private: Whether its bodies are people's files or secrets, which are never kept.
        """

        async def recorded(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            heard = _Heard(scope, receive, send, bodies=self.bodies and not private)
            token = current.set(heard.record)
            begun = time.perf_counter()
            try:
                await app(scope, heard.receive, heard.send)
            finally:
                current.reset(token)
                heard.record.milliseconds = round((time.perf_counter() - begun) * 1000, 2)
                heard.finish()
                self._keep(heard.record)

        return recorded

    def not_emulated(self, host: str) -> None:
        """Keeps that a client asked for a host which no service answers for."""
        self._keep(Record(0, clock.now(), "CONNECT", host, "", "", "", status=403, code="HostNotEmulated"))

    def _keep(self, record: Record) -> None:
        # numbered at its end, so that whoever asks for what is new misses none that took long
        record.number = self.last = next(self._numbers)
        (self._studio if record.client == STUDIO else self._refused if record.refused else self._allowed).add(record)


class _Body:
    """A body's beginning, and how long it was."""

    def __init__(self, content_type: bytes = b"") -> None:
        self.type, self.size, self._content = content_type, 0, bytearray()

    def add(self, part: bytes, most: int) -> None:
        self.size += len(part)
        if len(self._content) < most:
            self._content += part[: most - len(self._content)]

    def shown(self) -> str:
        return masking.body(self.type.decode("latin-1"), bytes(self._content), self.size)

    def code(self) -> str:
        """The error code that the services' JSON has; empty where there is none."""
        try:
            error = json.loads(self._content)
            inner = error.get("error")
            found = inner.get("code") if isinstance(inner, dict) else inner or error.get("error_code")
        except (ValueError, RecursionError, AttributeError):
            return ""
        return found if isinstance(found, str) and masking.CODE.fullmatch(found) else ""


class _Heard:
    """A request on its way, and what is heard of it."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, *, bodies: bool) -> None:
        headers = dict(scope["headers"])
        host = headers.get(b"host", b"").partition(b":")[0].decode("latin-1").lower()[:LONGEST_NAME]
        path = scope.get("raw_path") or scope["path"].encode()
        self.record = Record(
            number=0,
            time=clock.now(),
            method=scope["method"][:LONGEST_NAME],
            host=masking.text(host),
            path=_shown(path.partition(b"?")[0], masking.path),
            query=_shown(scope["query_string"], masking.query),
            client=_shown(headers.get(b"user-agent", b""), masking.text)[:LONGEST_NAME],
        )
        self._send, self._bodies = send, bodies
        self.receive = self._listen(receive) if bodies else receive
        self._sent, self._answered = _Body(headers.get(b"content-type", b"")), _Body()
        self._most = masking.MAX_BODY if bodies else 0

    def _listen(self, receive: Receive) -> Receive:
        async def heard() -> Message:
            message = await receive()
            self._sent.add(message.get("body", b""), masking.MAX_BODY)
            return message

        return heard

    async def send(self, message: Message) -> None:
        """Passes on what the service answers."""
        if message["type"] == "http.response.start":
            self._begin(message)
        elif self._most:
            self._answered.add(message.get("body", b""), self._most)
        await self._send(message)

    def _begin(self, message: Message) -> None:
        status = self.record.status = message["status"]
        if status < _ERROR and not self._bodies:
            return
        headers = {name.lower(): value for name, value in message.get("headers", ())}
        self._answered.type = headers.get(b"content-type", b"")
        if status >= _ERROR:
            self.record.code = headers.get(b"x-ms-error-code", b"").decode("latin-1")[:LONGEST_NAME]
            self._most = max(self._most, MOST_OF_ERROR)

    def finish(self) -> None:
        """Reads the error code and the bodies."""
        record = self.record
        if record.status >= _ERROR and not record.code:
            record.code = self._answered.code()
        if self._bodies:
            record.request_body = self._sent.shown()
            secret = masking.GIVES_SECRETS.search(record.path)
            record.response_body = "(a secret, not kept)" if secret else self._answered.shown()


def _shown(value: bytes, mask: Callable[[str], str]) -> str:
    """A part of the request without secrets. It is cut after that: a secret that is cut looks like none."""
    return mask(value[: 2 * LONGEST_PATH].decode("latin-1"))[:LONGEST_PATH] if value else ""
