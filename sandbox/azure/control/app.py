"""The requests of the control socket: JSON over HTTP, a path for each subject.

| Request | Body | Answer |
|---|---|---|
| `GET /clock` | | `now`, `real`: ISO 8601; `aheadSeconds`; `next`: what is due next, and when |
| `POST /clock/advance` | `seconds`: more than 0 | the same, and `done`: how many timers of each kind were carried out |
| `GET /clock/timers` | | `timers`: what is due, the next first, each with `kind`, `key` and `due` |
| `GET /activity` | | `requests`: what clients asked, the oldest first, and more (below) |
| `POST /activity/bodies` | `on`: true or false | `bodies` |
| `GET /nodes` | | `nodes` of clusters and `deployments`, each with its `processes` |
| `GET /queue` | | `runs` that have not ended, the first submitted first |

`GET /activity` tells beside the requests `last`, the number to go on from; `bodies`, whether they are kept; and how
many requests are `kept`, and were `dropped`. It takes `since` (a number: what came after it), `limit`, and filters:
`who`, `host`, `method`, `status` (such as `403` or `4xx`), `outcome`, `client`, `notClient`, `text`. Every GET but
`/clock` takes `principal`, an object id: the answer has what that principal could read in Azure.

A refusal has the status 400 and an `error`, a sentence.
"""

import json
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.azure import clock
from sandbox.azure.activity import Recorder
from sandbox.azure.cloud import Cloud
from sandbox.azure.control import activity, computes
from sandbox.azure.control.visible import visible
from sandbox.azure.timers import Timekeeper

Answer = dict[str, Any]
MOST_TIMERS = 1000
LONGEST_NUMBER = 18  # digits


class RequestError(Exception):
    """A request that cannot be carried out; the message says why."""


def application(cloud: Cloud, timekeeper: Timekeeper, recorder: Recorder) -> Starlette:
    """The application that the socket serves.

    Args:
        cloud: The local Azure.
        timekeeper: Its own.
        recorder: Has what its clients asked.
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

    async def timers(request: Request) -> Answer:
        may = {kind: visible(cloud.access, _principal(request), action) for kind, action in timekeeper.reads.items()}
        return {"timers": [one for one in timekeeper.upcoming(MOST_TIMERS) if may[one["kind"]](one["key"])]}

    async def requests(request: Request) -> Answer:
        query = request.query_params
        unknown = set(query) - {*activity.FILTERS, "principal", "since", "limit"}
        if unknown:
            raise RequestError(f"there is no filter '{min(unknown)}': there are {', '.join(activity.FILTERS)}")
        if query.get("outcome", activity.ALLOWED) not in activity.OUTCOMES:
            raise RequestError(f"'outcome' must be one of {', '.join(activity.OUTCOMES)}")
        since = _number(request, "since", None, sys.maxsize)
        limit = _number(request, "limit", activity.DEFAULT, activity.MOST) or activity.DEFAULT
        return activity.listed(cloud, recorder, query, since, limit)

    async def bodies(request: Request) -> Answer:
        on = (await _body(request)).get("on")
        if not isinstance(on, bool):
            raise RequestError("'on' must be true or false")
        recorder.bodies = on
        return {"bodies": on}

    async def nodes(request: Request) -> Answer:
        return computes.nodes(cloud, _principal(request))

    async def queue(request: Request) -> Answer:
        return computes.queue(cloud, _principal(request))

    return Starlette(
        routes=[
            _route("GET", "/clock", show),
            _route("POST", "/clock/advance", advance),
            _route("GET", "/clock/timers", timers),
            _route("GET", "/activity", requests),
            _route("POST", "/activity/bodies", bodies),
            _route("GET", "/nodes", nodes),
            _route("GET", "/queue", queue),
        ]
    )


def _principal(request: Request) -> str:
    return request.query_params.get("principal", "")


def _number(request: Request, name: str, default: int | None, most: int) -> int | None:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdecimal() or len(text) > LONGEST_NUMBER or int(text) > most:
        raise RequestError(f"'{name}' must be a whole number from 0 to {most}")
    return int(text)


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
