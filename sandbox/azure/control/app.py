"""The requests of the control socket: JSON over HTTP, a path for each subject.

| Request | Body | Answer |
|---|---|---|
| `GET /clock` | | `now`, `real`: ISO 8601; `aheadSeconds`; `next`: what is due next, and when |
| `POST /clock/advance` | `seconds`: more than 0 | the same, and `done`: how many timers of each kind were carried out |

A refusal has the status 400 and an `error`, a sentence.
"""

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.azure import clock
from sandbox.azure.timers import Timekeeper

Answer = dict[str, Any]


class RequestError(Exception):
    """A request that cannot be carried out; the message says why."""


def application(timekeeper: Timekeeper) -> Starlette:
    """The application that the socket serves.

    Args:
        timekeeper: Of the sandbox's local Azure.
    """

    async def show(request: Request) -> Answer:
        del request
        return _clock(timekeeper)

    async def advance(request: Request) -> Answer:
        seconds = (await _body(request)).get("seconds")
        if not isinstance(seconds, int | float) or isinstance(seconds, bool):
            raise RequestError("'seconds' must be a number")
        try:
            done = await timekeeper.advance(timedelta(seconds=seconds))
        except OverflowError as error:
            raise RequestError(f"'seconds' is too large: {seconds}") from error
        except clock.ClockError as error:
            raise RequestError(str(error)) from error
        return {**_clock(timekeeper), "done": dict(done)}

    return Starlette(routes=[_route("GET", "/clock", show), _route("POST", "/clock/advance", advance)])


def _clock(timekeeper: Timekeeper) -> Answer:
    return {
        "now": clock.now().isoformat(timespec="seconds"),
        "real": clock.real().isoformat(timespec="seconds"),
        "aheadSeconds": clock.ahead().total_seconds(),
        "next": timekeeper.next(),
    }


def _route(method: str, path: str, handle: Callable[[Request], Awaitable[Answer]]) -> Route:
    async def serve(request: Request) -> Response:
        try:
            return JSONResponse(await handle(request))
        except RequestError as error:
            return JSONResponse({"error": str(error)}, status_code=400)

    return Route(path, serve, methods=[method])


async def _body(request: Request) -> Answer:
    try:
        found = await request.json()
    except json.JSONDecodeError as error:
        raise RequestError(f"the body is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise RequestError("the body must be a JSON object")
    return found
